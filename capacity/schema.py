"""The data dictionary: every table, column, metric and statistic, with unit and meaning.

Validation reads it, `docs/data-dictionary.md` is generated from it (`python -m capacity.schema`), and nothing else
in the package names a column that is not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Additivity = Literal["rate", "level", "ratio", "sum"]


@dataclass(frozen=True)
class Metric:
    """What is measured. Its unit never varies: readers convert on the way in.

    additivity says how the mean of a coarser interval follows from finer ones, and whether services add up:
    rate and level average over time and add over services, sum adds over both, ratio does neither.
    """

    name: str
    unit: str
    additivity: Additivity
    meaning: str
    demand: bool = False  # absolute need, so that it may be forecast (DESIGN: never utilisation or task counts)

    @property
    def billed(self) -> bool:
        """Whether it is of a bill: what was paid for, refunds included, not what was needed."""
        return self.name.startswith(("cost", "billed_", "commitment_"))


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    unit: str
    meaning: str


@dataclass(frozen=True)
class Table:
    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def types(self) -> dict[str, str]:
        """Column -> type, as `DataFrame.astype` takes them."""
        return {column.name: column.type for column in self.columns}


def _by_name(*metrics: Metric) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


METRICS: Final = _by_name(
    Metric("requests", "requests/s", "rate", "Requests that reached the service.", demand=True),
    Metric("cpu", "vCPU", "level", "Processor time in use, over all tasks.", demand=True),
    Metric("memory", "GiB", "level", "Memory in use, over all tasks.", demand=True),
    Metric("cpu_utilization", "%", "ratio", "Processor time in use, of what the running tasks reserve."),
    Metric("memory_utilization", "%", "ratio", "Memory in use, of what the running tasks reserve."),
    Metric("running_tasks", "tasks", "level", "Tasks in the state RUNNING."),
    Metric("desired_tasks", "tasks", "level", "Tasks the service scheduler is asked to keep."),
    Metric("cpu_reserved", "vCPU", "level", "Processor reserved by the running tasks: tasks x task size."),
    Metric("memory_reserved", "GiB", "level", "Memory reserved by the running tasks: tasks x task size."),
    Metric("latency", "seconds", "ratio", "Time to answer a request, at the load balancer."),
    Metric("errors", "requests/s", "rate", "Requests answered with a server error (5xx)."),
    Metric("connections", "connections", "level", "Open connections to a load balancer, database or cache."),
    Metric("queue_depth", "messages", "level", "Messages that wait to be taken from a queue."),
    Metric("cache_hit_ratio", "%", "ratio", "Cacheable requests that a cache or CDN answered itself."),
    Metric("cdn_requests", "requests/s", "rate", "Requests that reached the CDN in front of the service."),
    Metric("origin_latency", "seconds", "ratio", "Time until the origin answers what the CDN does not hold."),
    Metric("cache_hits", "requests/s", "rate", "Lookups that a data cache behind the service answered."),
    Metric("cache_misses", "requests/s", "rate", "Lookups that a data cache behind the service could not answer."),
    Metric("network_in", "bytes/s", "rate", "Bytes received."),
    Metric("network_out", "bytes/s", "rate", "Bytes sent."),
    Metric("cost", "USD/h", "rate", "Spend on the service's tasks: amortized, all purchase options."),
    Metric("billed_vcpu", "vCPU", "level", "vCPU-hours billed, over the hours of the interval; all purchase options."),
    Metric("billed_memory", "GiB", "level", "GB-hours billed, over the hours of the interval; all purchase options."),
    Metric("billed_storage", "GiB", "level", "GB-hours of task storage billed, over the hours of the interval."),
    Metric("billed_vcpu_spot", "vCPU", "level", "The part of billed_vcpu that ran on Spot."),
    Metric("billed_memory_spot", "GiB", "level", "The part of billed_memory that ran on Spot."),
    Metric("billed_vcpu_covered", "vCPU", "level", "The part of billed_vcpu that a commitment covered."),
    Metric("billed_memory_covered", "GiB", "level", "The part of billed_memory that a commitment covered."),
    Metric(
        "commitment_coverage", "%", "ratio", "Spend that Savings Plans or reservations covered, of what they could."
    ),
    Metric("commitment_utilization", "%", "ratio", "Commitment that was used, of what was bought."),
)

#: Statistic of the values inside one interval. A count metric's mean is the rate over the whole interval.
STATS: Final[dict[str, str]] = {
    "mean": "Mean over the interval.",
    "max": "Largest one-minute value in the interval (for latency and utilisation: largest sample).",
    "min": "Smallest one-minute value in the interval.",
    "p50": "Median of the samples in the interval.",
    "p95": "95th percentile of the samples in the interval.",
    "p99": "99th percentile of the samples in the interval.",
}

_SERIES = (
    Column("service", "str", "", "Name of the service."),
    Column("metric", "str", "", "What is measured: a name in the metric table; fixes the unit."),
)
_TIME = Column("timestamp", "datetime64[us, UTC]", "UTC", "Start of the interval.")

OBSERVATIONS: Final = Table(
    "observations",
    "What a source said. One row a value; an interval without a row is a gap, never a zero.",
    (
        *_SERIES,
        Column("stat", "str", "", "Statistic of the values inside the interval."),
        Column("interval", "int32", "seconds", "Length of the interval."),
        _TIME,
        Column("value", "float64", "of the metric", "The value; finite."),
    ),
    key=("service", "metric", "stat", "interval", "timestamp"),
)

HISTORY: Final = Table(
    "history",
    "Observations, kept: deduplicated, each row with its origin.",
    (
        *OBSERVATIONS.columns,
        Column("source", "str", "", "Which source said so: `files:usage.csv`, `cloudwatch:eu-west-1` ..."),
        Column("fetched_at", "datetime64[us, UTC]", "UTC", "When it was fetched; of two values the later is kept."),
    ),
    key=OBSERVATIONS.key,
)

DEMAND: Final = Table(
    "demand",
    "Absolute need per interval, on a regular grid; a gap is a row with NaN.",
    (
        *_SERIES,
        _TIME,
        Column("value", "float64", "of the metric", "Mean need over the interval; NaN where nothing is known."),
        Column("peak", "float64", "of the metric", "Largest one-minute need inside the interval; NaN if not known."),
        Column("censored", "bool", "", "True where the service was saturated: real need was at least this."),
    ),
    key=("service", "metric", "timestamp"),
)

FINDINGS: Final = Table(
    "findings",
    "What is remarkable about the data, in words, with what to do.",
    (
        Column("service", "str", "", "Name of the service, or empty for the whole fleet."),
        Column("metric", "str", "", "Which metric, or empty."),
        Column("check", "str", "", "gaps, resets, flat, clock, outliers, shift, saturation, short, negative ..."),
        Column("status", "str", "", "PASS, REVIEW, FAIL or UNKNOWN."),
        Column("start", "datetime64[us, UTC]", "UTC", "First interval concerned; NaT for the whole series."),
        Column("end", "datetime64[us, UTC]", "UTC", "End of the last interval concerned; NaT for the whole series."),
        Column("count", "int64", "intervals", "How many intervals are concerned."),
        Column("message", "str", "", "What was found."),
        Column("advice", "str", "", "What to do next."),
    ),
)

FORECAST: Final = Table(
    "forecast",
    "Where demand goes: one row a series and interval. Beside `mean`, one column a level: p5, p50, p99.9 ...",
    (
        *_SERIES,
        _TIME,
        Column("mean", "float64", "of the metric", "Mean over the sample paths."),
        Column("p50", "float64", "of the metric", "Quantile over the sample paths, one column a level."),
    ),
    key=("service", "metric", "timestamp"),
)

SCORES: Final = Table(
    "scores",
    "How right a model was, per series and rolling origin.",
    (
        *_SERIES,
        Column("model", "str", "", "Name of the model."),
        Column("cutoff", "datetime64[us, UTC]", "UTC", "End of what the model was shown."),
        Column("steps", "int64", "intervals", "How many intervals were scored."),
        Column(
            "wql",
            "float64",
            "1",
            "Weighted quantile loss: 2 x sum of pinball over levels / (levels x sum of |actual|).",
        ),
        Column("mase", "float64", "1", "Mean absolute error of the median, over seasonal naive's inside the past."),
        Column("coverage", "float64", "1", "Share of actuals inside the central 90 % interval."),
        Column("exceeded", "float64", "1", "Share of actuals above the 95 % quantile; 0.05 is right."),
        Column("peak_ratio", "float64", "1", "Actual maximum over the 95 % quantile of the maximum; above 1: too low."),
        Column("bias", "float64", "1", "Sum of (median - actual) over sum of |actual|; forecast 12, actual 10: +0.2."),
        Column("seconds", "float64", "seconds", "Time the model took for this window, divided by the series in it."),
    ),
    key=("service", "metric", "model", "cutoff"),
)

BACKTEST: Final = Table(
    "backtest",
    "Scores of a backtest: those of `scores`, and what only rehearsed sample paths can tell.",
    (
        *SCORES.columns,
        Column("pinball", "float64", "of the metric", "Mean pinball loss at the level that plans are made at."),
        Column("crps", "float64", "of the metric", "Mean continuous ranked probability score of the paths, fair."),
        Column("below_p5", "float64", "1", "Share of actuals below the 5 % quantile; 0.05 is right."),
        Column("above_p99", "float64", "1", "Share of actuals above the 99 % quantile; 0.01 is right."),
        Column("above_p99.9", "float64", "1", "Share of actuals above the 99.9 % quantile; 0.001 is right."),
        Column(
            "daily_peak_exceeded",
            "float64",
            "1",
            "Share of days whose highest actual was above the 95 % quantile of that day's highest; 0.05 is right.",
        ),
    ),
    key=SCORES.key,
)

PLAN: Final = Table(
    "plan",
    "Tasks for every interval, and the steps that led to each count.",
    (
        Column("service", "str", "", "Name of the service."),
        _TIME,
        Column("need", "float64", "tasks", "Fractional tasks for the load at the goal's level, before rounding."),
        Column("for_load", "int64", "tasks", "Rounded up to whole tasks."),
        Column("for_startup", "int64", "tasks", "Also ready for the rise that comes while a new task starts."),
        Column("for_deployment", "int64", "tasks", "Also enough while a rolling deployment has tasks out."),
        Column("for_zone_loss", "int64", "tasks", "Also enough after one zone is lost, tasks being full then."),
        Column("tasks", "int64", "tasks", "Between the service's minimum and maximum: what to run."),
        Column("short", "int64", "tasks", "How many tasks the maximum leaves missing."),
        Column("load_bound_by", "str", "", "Which resource asked for most: requests, cpu or memory."),
        Column(
            "bound_by", "str", "", "Which step set the count: load, startup, deployment, zone loss, minimum, maximum."
        ),
    ),
    key=("service", "timestamp"),
)

LIMITS: Final = Table(
    "limits",
    "When a limit is reached, with what probability.",
    (
        Column(
            "service",
            "str",
            "",
            "Name of the service; of limits that are shared `(account REGION)`, `(load balancer NAME)`, "
            "`(target group NAME)`, `(cluster REGION NAME)`, `(shared NAME)`.",
        ),
        Column(
            "limit",
            "str",
            "",
            "max_tasks, ecs_tasks_per_service, service_launch_rate; fargate_vcpu_quota, fargate_spot_vcpu_quota, "
            "launch_rate, launch_rate_zone_loss, subnet_addresses: ZONE; targets_per_load_balancer, "
            "targets_per_target_group, provisioning_tasks; connections: NAME, downstream: NAME.",
        ),
        Column("value", "float64", "of the limit", "The limit today."),
        Column("unit", "str", "", "tasks, vCPU, addresses, targets, connections, calls/s, tasks within 60 s ..."),
        Column("probability", "float64", "1", "Share of paths that pass the limit within the horizon."),
        Column("first", "datetime64[us, UTC]", "UTC", "When 5 % of the paths have passed it; NaT if fewer do."),
        Column("median", "datetime64[us, UTC]", "UTC", "When half of the paths have passed it; NaT if fewer do."),
        Column("needed", "float64", "of the limit", "What would hold to the end of the horizon, at the goal's level."),
        Column("act_by", "datetime64[us, UTC]", "UTC", "First, less the time a change takes."),
    ),
    key=("service", "limit"),
)

COST: Final = Table(
    "cost",
    "What running it costs over the horizon, itemised; p5 to p95 over the sample paths.",
    (
        Column("service", "str", "", "Name of the service."),
        Column("item", "str", "", "vcpu, memory, spot_vcpu, spot_memory, storage, public_ipv4."),
        Column("quantity", "float64", "of the item", "Mean over the paths; quantity x rate = usd."),
        Column("unit", "str", "", "vCPU-hours, GB-hours, address-hours."),
        Column("rate", "float64", "USD per unit", "Price of one."),
        Column(
            "usd", "float64", "USD", "Mean over the paths, tasks following demand at the tracked target, within bounds."
        ),
        Column("p5", "float64", "USD", "5 % quantile over the paths."),
        Column("p50", "float64", "USD", "Median over the paths."),
        Column("p95", "float64", "USD", "95 % quantile over the paths."),
        Column("planned", "float64", "USD", "If exactly the plan's counts ran."),
    ),
    key=("service", "item"),
)

SIMULATION: Final = Table(
    "simulation",
    "One replayed minute a row; five seconds where 20-second metrics are tracked.",
    (
        Column("service", "str", "", "Name of the service."),
        _TIME,
        Column("demand", "float64", "tasks", "Fractional tasks of which none would be past its full load."),
        Column("load", "float64", "of the metric", "Demand as it arrived."),
        Column("desired", "int64", "tasks", "What the autoscaler asked for."),
        Column("running", "int64", "tasks", "What was ready to serve."),
        Column("utilization", "float64", "%", "Load over what the running tasks carry at 100 %."),
        Column("minimum", "int64", "tasks", "Lower bound in force."),
        Column("late", "float64", "of the metric", "No task was free for it: shed, or waiting at the end (x rows)."),
    ),
    key=("service", "timestamp"),
)

BILL: Final = Table(
    "bill",
    "What was used and what it cost, as the provider billed it: one row a service, interval and usage type.",
    (
        Column("service", "str", "", "Value of the cost-allocation tag; `(untagged)` where there is none."),
        Column("account", "str", "", "Account or subscription, where known."),
        Column("region", "str", "", "Region, where known."),
        Column("interval", "int32", "seconds", "86400 or 3600."),
        _TIME,
        Column("usage_type", "str", "", "As the provider spells it: `EUC1-Fargate-ARM-GB-Hours`."),
        Column("resource", "str", "", "vcpu, memory, storage, os; empty for what is none of these."),
        Column("architecture", "str", "", "x86_64 or arm64; empty where it is neither or not said."),
        Column("purchase", "str", "", "on-demand, spot or committed; empty where not said."),
        Column(
            "quantity", "float64", "of the unit", "Used in the interval; NaN where the row is a charge without usage."
        ),
        Column("unit", "str", "", "vCPU-hours, GB-hours ..."),
        Column("amount", "float64", "of the currency", "Amortized (FOCUS: effective) cost; NaN where not said."),
        Column("billed", "float64", "of the currency", "Unblended (FOCUS: billed) cost; NaN where not said."),
        Column("currency", "str", "", "ISO 4217: USD, EUR ..."),
        Column("estimated", "bool", "", "True while the provider may still change it."),
    ),
    key=("service", "account", "region", "interval", "timestamp", "usage_type", "purchase"),
)

ADVICE: Final = Table(
    "advice",
    "What the provider itself recommends: a cross-check beside our own plan.",
    (
        Column("service", "str", "", "Name of the service or resource."),
        Column("provider", "str", "", "aws-compute-optimizer or azure-advisor."),
        Column("resource", "str", "", "ARN or resource id."),
        Column("finding", "str", "", "As the provider puts it: Overprovisioned ..."),
        Column("reason", "str", "", "Its reason codes or description."),
        Column("current_vcpu", "float64", "vCPU", "Of one task today; NaN where not said."),
        Column("current_memory_gib", "float64", "GiB", "Of one task today; NaN where not said."),
        Column("suggested_vcpu", "float64", "vCPU", "Of one task, as suggested; NaN where not said."),
        Column("suggested_memory_gib", "float64", "GiB", "Of one task, as suggested; NaN where not said."),
        Column("saving_percent", "float64", "%", "Saving the provider expects; NaN where not said."),
        Column(
            "saving_month", "float64", "of the currency", "Saving a month the provider expects; NaN where not said."
        ),
        Column("currency", "str", "", "ISO 4217: USD, EUR ..."),
        Column("risk", "str", "", "Performance risk or impact, as the provider puts it."),
        Column("refreshed_at", "datetime64[us, UTC]", "UTC", "When the provider computed it; NaT where not said."),
    ),
    key=("provider", "resource", "suggested_vcpu", "suggested_memory_gib"),
)

WHAT_IF: Final = Table(
    "what_if",
    "What each scenario asks for, service by service, from the same futures; `more_` is over the row `as is`.",
    (
        Column("scenario", "str", "", "as is, and those asked for."),
        Column("service", "str", "", "Name of the service; (all) for their sum, where there are several."),
        Column("tasks_low", "float64", "tasks", "5 % quantile of `tasks` over the paths."),
        Column("tasks", "float64", "tasks", "What would hold to the end of the horizon, at the goal's level."),
        Column("tasks_high", "float64", "tasks", "95 % quantile of `tasks` over the paths."),
        Column("short", "float64", "tasks", "Most that a maximum leaves missing in any interval of the plan."),
        Column("task_hours", "float64", "task-hours", "Of the plan's counts over the horizon, within the bounds."),
        Column("usd_per_month", "float64", "USD", "Of 730 h, tasks following demand; NaN without a price."),
        Column("usd_p5", "float64", "USD", "5 % quantile of it over the paths."),
        Column("usd_p50", "float64", "USD", "Median of it over the paths."),
        Column("usd_p95", "float64", "USD", "95 % quantile of it over the paths."),
        Column("limit", "str", "", "The limit that is reached first, or else the likeliest; empty if none may be."),
        Column("probability", "float64", "1", "Share of paths past that limit within the horizon."),
        Column("reached", "datetime64[us, UTC]", "UTC", "When 5 % of the paths have passed it; NaT if fewer do."),
        Column("more_tasks", "float64", "tasks", "More `tasks` than as is."),
        Column("more_task_hours", "float64", "task-hours", "More `task_hours` than as is."),
        Column("more_usd_per_month", "float64", "USD", "Mean over the paths of what each costs more than as is."),
        Column("more_usd_p5", "float64", "USD", "5 % quantile of that difference."),
        Column("more_usd_p95", "float64", "USD", "95 % quantile of that difference."),
    ),
    key=("scenario", "service"),
)

CACHE_WHAT_IF: Final = Table(
    "cache_what_if",
    "What the origin behind a cache carries at the busiest moment of the horizon, by scenario; low to high are 90 %.",
    (
        Column("service", "str", "", "Name of the service."),
        Column("scenario", "str", "", "as is, hit ratio -1 point, purge at the peak, cache outage ..."),
        Column("hit_low", "float64", "1", "Lower end of the 95 % interval of hit_ratio."),
        Column("hit_ratio", "float64", "1", "Share of the cacheable requests that the cache then answers."),
        Column("hit_high", "float64", "1", "Upper end of the 95 % interval of hit_ratio."),
        Column("cacheable", "float64", "1", "Share of all requests that it may answer."),
        Column("times", "float64", "1", "Load of the origin over today's, at the median."),
        Column("origin_low", "float64", "requests/s", "5 % quantile of origin_per_s over the paths."),
        Column(
            "origin_per_s",
            "float64",
            "requests/s",
            "Largest rate that reaches the origin, at the goal's level; of a database, queries/s. NaN if not known.",
        ),
        Column("origin_high", "float64", "requests/s", "95 % quantile of origin_per_s over the paths."),
        Column("vcpu", "float64", "vCPU", "Largest processor time in use, at the goal's level; NaN if not known."),
        Column("tasks_low", "float64", "tasks", "5 % quantile of tasks over the paths."),
        Column(
            "tasks",
            "float64",
            "tasks",
            "What would hold to the end of the horizon, at the goal's level; NaN for a cache that protects a database.",
        ),
        Column("tasks_high", "float64", "tasks", "95 % quantile of tasks over the paths."),
        Column("exceeded", "float64", "1", "Share of paths past max_tasks, or past what the database carries."),
        Column("reached", "datetime64[us, UTC]", "UTC", "When 5 % of the paths have passed that; NaT if fewer do."),
        Column("refill_seconds", "float64", "seconds", "Until the cache is full again; NaN if not known."),
        Column(
            "usd_per_month",
            "float64",
            "USD",
            "Of 730 h, tasks following demand within the service's bounds; NaN for what does not last.",
        ),
        Column("standby_usd_per_month", "float64", "USD", "More a month, to keep `tasks` running all the time."),
        Column("note", "str", "", "What it rests on."),
    ),
    key=("service", "scenario"),
)

_MONTHLY = (
    Column("usd", "float64", "USD/month", "Mean over the paths when tasks follow each of them; NaN without a price."),
    Column("p5", "float64", "USD/month", "5 % quantile over the paths."),
    Column("p50", "float64", "USD/month", "Median over the paths."),
    Column("p95", "float64", "USD/month", "95 % quantile over the paths."),
)
_RULED_OUT = Column("rejected_because", "str", "", "Why it will not do, with its numbers; empty for what would do.")

SIZES: Final = Table(
    "sizes",
    "Every size of task at equal promise, the cheapest first, those that will not do last.",
    (
        Column("service", "str", "", "Name of the service."),
        Column("vcpu", "float64", "vCPU", "vCPU of one task."),
        Column("memory_gib", "float64", "GiB", "GiB of one task."),
        Column("architecture", "str", "", "x86_64 or arm64."),
        Column("present", "bool", "", "Whether it is today's."),
        Column("worth", "float64", "tasks", "Tasks of today's size that one carries."),
        Column("tasks", "Int64", "tasks", "Most in any interval, at the goal's level, after every headroom step."),
        Column("least", "Int64", "tasks", "Never fewer."),
        Column("task_hours", "float64", "task-hours/month", "Mean over the paths when tasks follow each of them."),
        Column("full_memory_gib", "float64", "GiB", "What a full task takes at most; NaN where not known."),
        *_MONTHLY,
        Column("bound_by", "str", "", "processor, memory, tasks per service, quota or price; empty for what would do."),
        _RULED_OUT,
    ),
    key=("service", "vcpu", "memory_gib", "architecture"),
)

MIXES: Final = Table(
    "mixes",
    "Mixes of FARGATE and FARGATE_SPOT, the cheapest first, those that break the promise or have no price last.",
    (
        Column("service", "str", "", "Name of the service."),
        Column("base", "int64", "tasks", "Tasks on FARGATE before any runs on Spot."),
        Column("spot_share", "float64", "1", "Share of the tasks above the base on FARGATE_SPOT."),
        Column("present", "bool", "", "Whether it is today's."),
        Column("task_hours", "float64", "task-hours/month", "Mean over the paths when tasks follow each of them."),
        Column("spot_task_hours", "float64", "task-hours/month", "Those of them on Spot."),
        *_MONTHLY,
        Column("breaks", "float64", "probability", "That one interruption wave leaves too few tasks."),
        Column("breaks_a_month", "float64", "probability", "That some wave of a month does."),
        Column("short_minutes", "float64", "minutes/month", "How long too few tasks run, until they are replaced."),
        Column("bound_by", "str", "", "promise or price; empty for what would do."),
        _RULED_OUT,
    ),
    key=("service", "base", "spot_share"),
)

INSTANCES: Final = Table(
    "instances",
    "EC2 instance types that could hold the tasks, the cheapest first, those on which a task does not fit last.",
    (
        Column("instance", "str", "", "Name of the type."),
        Column("instances", "Int64", "instances", "Most in any interval, at the goal's level, over all zones."),
        Column("at_least", "Int64", "instances", "Fewer no packing of the same tasks could do."),
        Column("at", "datetime64[us, UTC]", "UTC", "The first interval that needs most."),
        Column("instance_hours", "float64", "instance-hours/month", "Mean over the paths when they follow each."),
        *_MONTHLY,
        Column("used", "float64", "1", "Share of the scarcest resource that tasks take then, over all hours."),
        Column("bound_by", "str", "", "What is scarcest, or too small: vCPU, memory or places."),
        _RULED_OUT,
    ),
    key=("instance",),
)

REVIEW: Final = Table(
    "review",
    "A stored plan against what happened, a row a service and one `(fleet)`: planned + margin = expected, and "
    "demand + capacity + policy = error = actual - expected, in task-hours; in USD with price.",
    (
        Column("service", "str", "", "Name of the service, or `(fleet)`."),
        Column("hours", "float64", "hours", "Of the plan that are compared: demand and running tasks are known."),
        Column("share", "float64", "1", "Of the hours that have passed, those that are compared."),
        Column("planned", "float64", "task-hours", "What the plan said to run."),
        Column(
            "margin", "float64", "task-hours", "Its median less that: what being as sure as the goal asks for held."
        ),
        Column("expected", "float64", "task-hours", "The plan's median: planned + margin."),
        Column("demand", "float64", "task-hours", "More (or fewer) for what users asked for, a task being as planned."),
        Column("capacity", "float64", "task-hours", "More for what a task carried; NaN where nothing tells."),
        Column("policy", "float64", "task-hours", "Tasks that ran less what was needed, with the plan's headroom."),
        Column("actual", "float64", "task-hours", "Tasks that ran."),
        Column("error", "float64", "task-hours", "Actual less expected: demand + capacity + policy."),
        Column("short", "float64", "task-hours", "That were missing for tasks that are no more than full."),
        Column("usd_planned", "float64", "USD", "At the plan's price; NaN without one, as the parts."),
        Column("usd_margin", "float64", "USD", "Of the margin."),
        Column("usd_expected", "float64", "USD", "Of the median: usd_planned + usd_margin."),
        Column("usd_demand", "float64", "USD", "Of demand."),
        Column("usd_capacity", "float64", "USD", "Of the capacity model."),
        Column("usd_policy", "float64", "USD", "Of policy."),
        Column("usd_price", "float64", "USD", "Paid less the plan's price of what ran; NaN where no bill is known."),
        Column("usd_actual", "float64", "USD", "Paid; NaN where no bill is known."),
        Column(
            "usd_error", "float64", "USD", "Paid less usd_expected: usd_demand + usd_capacity + usd_policy + usd_price."
        ),
    ),
    key=("service",),
)

REVIEW_COVERAGE: Final = Table(
    "review_coverage",
    "Promises kept, over all plans reviewed: how often what happened was above each quantile. Of peaks with `window`.",
    (
        *_SERIES,
        Column("level", "float64", "1", "Level of the quantile."),
        Column("promised", "float64", "1", "Share above it that was promised: 1 - level."),
        Column("exceeded", "float64", "1", "Share above it that was."),
        Column("low", "float64", "1", "At least this in the long run, wrong one time in twenty."),
        Column("high", "float64", "1", "At most this, likewise."),
        Column("scored", "int64", "intervals", "Intervals (days, horizons) that were compared."),
        Column("effective", "float64", "1", "Independent observations that they are worth."),
        Column("censored", "int64", "intervals", "Left out because the service was saturated: real need was more."),
        Column("verdict", "str", "", "kept, too low, too high: the quantile, by its bounds; too few: to tell."),
    ),
    key=("service", "metric", "level"),
)

REVIEW_ACCURACY: Final = Table(
    "review_accuracy",
    "How right the demand of the plans reviewed was.",
    (
        *_SERIES,
        Column("plans", "int64", "plans", "Plans that spoke of it."),
        Column("scored", "int64", "intervals", "Intervals that were compared."),
        Column("censored", "int64", "intervals", "Left out because the service was saturated."),
        Column("actual", "float64", "of the metric", "Mean of what was."),
        Column("bias", "float64", "1", "Sum of (median - actual) over sum of |actual|; forecast 12, actual 10: +0.2."),
        Column("wql", "float64", "1", "Weighted quantile loss over all kept levels."),
    ),
    key=("service", "metric"),
)

REVIEW_PIT: Final = Table(
    "review_pit",
    "Where what happened lies among the quantiles: share between neighbours, beside what was promised.",
    (
        *_SERIES,
        Column("low", "float64", "1", "Level of the lower quantile; 0 for none."),
        Column("high", "float64", "1", "Level of the upper quantile; 1 for none."),
        Column("promised", "float64", "1", "high - low."),
        Column("observed", "float64", "1", "Share that was between them."),
    ),
    key=("service", "metric", "low"),
)

FATES: Final = Table(
    "fates",
    "What became of each recommendation, and what that cost or saved.",
    (
        Column("service", "str", "", "Name of the service, or of what is shared."),
        Column("kind", "str", "", "Kind of the decision: raise_max, resize ..."),
        Column("recommended", "str", "", "What was recommended."),
        Column("status", "str", "", "applied, changed, ignored, not needed, not due, cannot be told."),
        Column("evidence", "str", "", "What tells so, with numbers."),
        Column("usd", "float64", "USD", "What that cost until now; below zero: saved. NaN where not known."),
        Column(
            "task_hours_short", "float64", "task-hours", "Missing because of it; below zero: spared. NaN: not known."
        ),
        Column("before", "datetime64[us, UTC]", "UTC", "Last day to act; NaT for none."),
        Column("owner", "str", "", "Who decides."),
    ),
)

DRIFT: Final = Table(
    "drift",
    "Why a plan no longer fits: reasons for a new one now, with their numbers.",
    (
        Column("service", "str", "", "Name of the service, or empty for the whole plan."),
        Column("metric", "str", "", "Which metric, or empty."),
        Column("reason", "str", "", "outside, level, growth, capacity, new, gone, settings, peak, over."),
        Column("value", "float64", "of the reason", "How much: a ratio, a share of days, a count."),
        Column("usual", "float64", "of the reason", "What the plan promised or assumed."),
        Column("since", "datetime64[us, UTC]", "UTC", "Since when; NaT for the whole plan."),
        Column("sentence", "str", "", "The reason in words."),
    ),
    key=("service", "metric", "reason"),
)

PEAKS: Final = Table(
    "peaks",
    "How high demand goes: a row a series and window, quantiles over the sample paths of its largest interval. One "
    "column a level: p1, p2.5, p5, p10, p25, p50, p75, p90, p95, p97.5, p99.",
    (
        *_SERIES,
        Column("window", "str", "", "day: 24 hours from the plan's beginning on; horizon: all of it."),
        Column("timestamp", "datetime64[us, UTC]", "UTC", "Start of the window."),
        Column("p50", "float32", "of the metric", "Quantile over the sample paths, one column a level."),
    ),
    key=("service", "metric", "window", "timestamp"),
)

COUNTS: Final = Table(
    "counts",
    "Tasks needed, path by path, after every headroom step, before a service's bounds: a column a level, as in peaks.",
    (
        Column("service", "str", "", "Name of the service."),
        _TIME,
        Column("p50", "float32", "tasks", "Quantile over the sample paths, one column a level."),
    ),
    key=("service", "timestamp"),
)

DIFFERENCES: Final = Table(
    "differences",
    "What one stored plan has otherwise than another.",
    (
        Column("part", "str", "", "inputs, packages or numbers."),
        Column("item", "str", "", "Which setting, series, package or column: `service web max_tasks`, `plan tasks`."),
        Column("this", "str", "", "Its value here; of many the one that is furthest apart. Empty: none."),
        Column("other", "str", "", "Its value in the other."),
        Column("rows", "int64", "rows", "How many values are not the same."),
        Column("largest", "float64", "1", "Largest difference over the larger of the two values; NaN for text."),
    ),
    key=("part", "item"),
)

ERROR_BUDGETS: Final = Table(
    "error_budgets",
    "What became of each SLO over its window, the worst first.",
    (
        Column("service", "str", "", "Name of the service."),
        Column("slo", "str", "", "Name of the SLO."),
        Column("kind", "str", "", "availability (counts requests) or latency (counts minutes)."),
        Column("status", "str", "", "PASS: holds and will; REVIEW: will not, or little is known; FAIL; UNKNOWN."),
        Column("objective", "float64", "1", "Share that shall be good."),
        Column("window_days", "int64", "days", "Rolling window over which the objective holds."),
        Column("good", "float64", "1", "Share that was good; NaN where nothing counts."),
        Column("spent", "float64", "1", "Share of the error budget that is gone; 1 and more: the promise is broken."),
        Column("left", "float64", "1", "1 - spent."),
        Column(
            "gone_at",
            "datetime64[us, UTC]",
            "UTC",
            "When the budget is gone if the last three days go on; in the past: since when; NaT: it lasts.",
        ),
        *(
            Column(f"burn_{name}", "float64", "1", f"Burn rate over {words}; 1 spends the budget in just the window.")
            for name, words in (
                ("5m", "five minutes"),
                ("30m", "thirty minutes"),
                ("1h", "an hour"),
                ("6h", "six hours"),
                ("3d", "three days"),
                ("window", "the window"),
            )
        ),
        Column("total", "float64", "of the kind", "Requests or minutes that count."),
        Column("bad", "float64", "of the kind", "Those of them that were bad."),
        Column("known_minutes", "int64", "minutes", "Minutes of the window of which something is known."),
        Column("unknown_minutes", "int64", "minutes", "The others: neither good nor bad."),
        Column("seconds", "int64", "seconds", "Longest interval that a value was measured over."),
        Column("quiet_minutes", "int64", "minutes", "Known minutes without a single request: neither good nor bad."),
    ),
    key=("service", "slo"),
)

KPIS: Final = Table(
    "kpis",
    "Key figures of each service: seven days, beside the seven before and those of 13 weeks before.",
    (
        Column("service", "str", "", "Name of the service."),
        Column("kpi", "str", "", "What is told: latency p95, requests, error ratio, slack tasks ..."),
        Column("kind", "str", "", "latency, traffic, errors, saturation, slack, supply or cost."),
        Column("now", "float64", "of the figure", "Of the last seven days; NaN where not known."),
        Column("last_week", "float64", "of the figure", "Of the seven days before."),
        Column("last_quarter", "float64", "of the figure", "Of the seven days that ended 13 weeks before."),
        Column("unit", "str", "", "Unit of the three."),
        Column("known", "float64", "1", "Share of the last seven days' minutes that `now` rests on."),
        Column("source", "str", "", "Where it comes from, and at which interval."),
        Column("meaning", "str", "", "How the figure is made."),
    ),
    key=("service", "kpi"),
)

SATURATION: Final = Table(
    "saturation",
    "How long until each limit is reached, by the plan, and how much of it is in use today; the soonest first.",
    (
        Column("service", "str", "", "As in the table `limits`."),
        Column("limit", "str", "", "As in the table `limits`."),
        Column("value", "float64", "of the limit", "The limit today."),
        Column("unit", "str", "", "Of the limit."),
        Column(
            "in_use", "float64", "of the limit", "Most in use in the last seven days of the history; NaN: not known."
        ),
        Column("share", "float64", "1", "in_use / value."),
        Column(
            "trend_week", "float64", "1", "Change of `share` a week: straight line through eight weeks' largest values."
        ),
        Column(
            "days", "float64", "days", "From the plan's start until 5 % of the paths have passed it; NaN: fewer do."
        ),
        Column("probability", "float64", "1", "Share of paths that pass it within the horizon."),
        Column("first", "datetime64[us, UTC]", "UTC", "When 5 % of the paths have passed it; NaT if fewer do."),
        Column("act_by", "datetime64[us, UTC]", "UTC", "First, less the time a change takes."),
    ),
    key=("service", "limit"),
)

_OF_AN_ALARM = (
    Column("name", "str", "", "Name of the alarm."),
    Column("service", "str", "", "Name of the service; empty for an account's alarm."),
    Column(
        "kind", "str", "", "burn_fast, burn_slow, saturation, leak, pinned, forecast_breach, silence, quota, anomaly."
    ),
    Column("severity", "str", "", "page or ticket."),
)

ALARMS: Final = Table(
    "alarms",
    "What should wake someone or open a ticket, and how it would have done on history.",
    (
        *_OF_AN_ALARM,
        Column("summary", "str", "", "What is happening, for whoever is woken."),
        Column(
            "lead_minutes", "float64", "minutes", "From its going off to the trouble, as promised; NaN: it is there."
        ),
        Column("days", "float64", "days", "Of history that could set it off; NaN where it was not replayed."),
        Column("fired", "Int64", "1", "How often it would have gone off; missing where it was not replayed."),
        Column("true", "Int64", "1", "Of those, how often it was right."),
        Column("false", "Int64", "1", "The others."),
        Column("false_per_month", "float64", "1/30 days", "False alarms in 30 days of such history."),
        Column("early_minutes", "float64", "minutes", "Median lead of those that were right; NaN without any."),
        Column("last", "datetime64[us, UTC]", "UTC", "When it would last have gone off; NaT if never."),
        Column("because", "str", "", "What its threshold rests on, and what replay changed."),
        Column("refused", "str", "", "Why it is not to be used; empty: it may be."),
    ),
    key=("name",),
)

FIRINGS: Final = Table(
    "firings",
    "Each time an alarm would have gone off on history.",
    (
        *_OF_AN_ALARM,
        Column("start", "datetime64[us, UTC]", "UTC", "First minute in ALARM."),
        Column("end", "datetime64[us, UTC]", "UTC", "End of the last."),
        Column("true", "bool", "", "Whether the trouble that it tells of was there, or came."),
        Column(
            "early_minutes", "float64", "minutes", "From start to that trouble, below 0 if it was there; NaN: none."
        ),
    ),
    key=("name", "start"),
)

DASHBOARDS: Final = Table(
    "dashboards",
    "The pages of a dashboard: the fleet's first, then one a service.",
    (
        Column("dashboard", "str", "", "Name, as CloudWatch takes it; of Grafana the uid comes from it."),
        Column("service", "str", "", "Whose it is; empty: the fleet's."),
        Column("widgets", "int64", "1", "Parts that stand on it: words, alarms, charts."),
        Column("charts", "int64", "1", "Charts among them."),
        Column(
            "not_in_cloudwatch", "str", "", "Titles of charts that CloudWatch cannot draw; words stand there instead."
        ),
    ),
    key=("dashboard",),
)

TABLES: Final = (
    *(OBSERVATIONS, HISTORY, DEMAND, FINDINGS, FORECAST, SCORES, BACKTEST, PLAN, LIMITS, COST, SIMULATION),
    *(BILL, ADVICE, CACHE_WHAT_IF, WHAT_IF, SIZES, MIXES, INSTANCES),
    *(ERROR_BUDGETS, KPIS, SATURATION),
    *(ALARMS, FIRINGS),
    DASHBOARDS,
    *(PEAKS, COUNTS, DIFFERENCES),
    *(REVIEW, REVIEW_COVERAGE, REVIEW_ACCURACY, REVIEW_PIT, FATES, DRIFT),
)


def dictionary() -> str:
    """The data dictionary as Markdown: what `docs/data-dictionary.md` holds."""
    lines = [
        "# Data dictionary",
        "",
        "Generated from `capacity/schema.py` by `python -m capacity.schema > docs/data-dictionary.md`.",
        "",
        "## Metrics",
        "",
        "| metric | unit | additivity | demand | meaning |",
        "|---|---|---|---|---|",
        *(
            f"| `{m.name}` | {m.unit} | {m.additivity} | {'yes' if m.demand else ''} | {m.meaning} |"
            for m in METRICS.values()
        ),
        "",
        "## Statistics",
        "",
        "| stat | meaning |",
        "|---|---|",
        *(f"| `{name}` | {meaning} |" for name, meaning in STATS.items()),
    ]
    for table in TABLES:
        lines += ["", f"## {table.name}", "", table.meaning]
        if table.key:
            lines += ["", f"Key: {', '.join(f'`{name}`' for name in table.key)}."]
        lines += ["", "| column | type | unit | meaning |", "|---|---|---|---|"]
        lines += [f"| `{c.name}` | {c.type} | {c.unit} | {c.meaning} |" for c in table.columns]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(dictionary(), end="")
