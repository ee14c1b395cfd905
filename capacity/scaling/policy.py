"""`Policy`: how services scale, as values. `render.py` makes documents of them, `simulation.py` replays them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.display import table_html
from capacity.errors import InputError

if TYPE_CHECKING:
    from capacity.scaling.live import Diff
    from capacity.sources.aws import Door

TrackedMetric = Literal["cpu", "memory", "requests"]


@dataclass(frozen=True)
class TargetTracking:
    """Keep a metric at a value. `cpu`, `memory`: percent of reserved; `requests`: per task and minute.

    Cooldowns default to 300 s in ECS (botocore, PutScalingPolicy); ours are stated, never left to a default.
    """

    metric: TrackedMetric
    target: float
    scale_out_cooldown: int = 60  # seconds
    scale_in_cooldown: int = 300  # seconds
    disable_scale_in: bool = False
    resolution: Literal[20, 60] = 60  # seconds between datapoints; 20 for CPU and memory only


@dataclass(frozen=True)
class Step:
    """One rung of a ladder: what to add while the metric is this far past the alarm's threshold.

    lower, upper  metric less threshold, in the metric's unit, lower <= x < upper; upper None: no end
    adjustment    tasks, or percent of the running tasks: see `StepScaling.by`
    """

    lower: float
    upper: float | None
    adjustment: int


@dataclass(frozen=True)
class StepScaling:
    """Scale out by rungs while a metric is above a threshold: faster than target tracking, and it never scales in.

    metric     as `TargetTracking.metric`
    threshold  of the alarm, in the metric's unit: above the tracked target, or both would act at once
    by         what `Step.adjustment` is: "tasks", or "percent" of the running ones, rounded as AWS does (aws.md 3.3)
    minutes    the alarm's datapoints, all of which have to be above the threshold
    cooldown   seconds
    least      tasks that a percentage adds at least (MinAdjustmentMagnitude)
    """

    metric: TrackedMetric
    threshold: float
    steps: tuple[Step, ...]
    by: Literal["tasks", "percent"] = "percent"
    minutes: int = 1
    cooldown: int = 60
    least: int = 1


@dataclass(frozen=True)
class PredictiveScaling:
    """AWS's own forecast as a minimum: 48 hours ahead, refreshed every 6 hours, only ever scales out (aws.md 3.4).

    target  as `TargetTracking.target`
    mode    "ForecastOnly" watches, "ForecastAndScale" acts
    buffer  seconds by which tasks are launched ahead, 0 to 3600
    over    percent above the maximum that the forecast may go, 0 to 100; None: the maximum is honoured
    """

    metric: TrackedMetric
    target: float
    mode: Literal["ForecastOnly", "ForecastAndScale"] = "ForecastOnly"
    buffer: int = 300
    over: int | None = None


@dataclass(frozen=True)
class ScheduledAction:
    """From this moment on, these bounds. Nothing reverts by itself: each up has its down.

    schedule  "cron(30 7 ? * MON-FRI *)" or "at(2026-12-24T08:00:00)", in `timezone`
    """

    name: str
    schedule: str
    min_tasks: int
    max_tasks: int
    timezone: str = "UTC"
    start: pd.Timestamp | None = None
    end: pd.Timestamp | None = None


@dataclass(frozen=True, eq=False)
class ServicePolicy:
    """The scaling of one service, with how it did in rehearsal beside what stands today.

    min_tasks, max_tasks  bounds outside the schedule
    rehearsal             one row a candidate: how it did on held-out history; `chosen` marks this one
    per_task              requests/s, vCPU or GiB, as `tracking.metric`: fewer requests than stated where CPU or memory
                          is full before them (`scaling.binding`)
    """

    service: Service
    min_tasks: int
    max_tasks: int
    tracking: TargetTracking
    schedule: tuple[ScheduledAction, ...] = ()
    steps: StepScaling | None = None
    predictive: PredictiveScaling | None = None
    reasons: tuple[str, ...] = ()
    rehearsal: pd.DataFrame | None = field(default=None, repr=False)
    per_task: float | None = None  # load one task carries at 100 %, where it is not the service's stated size

    def plot(self) -> Any:
        """Chart of the scheduled minimum over a week."""
        return Policy((self,)).plot()

    def __str__(self) -> str:
        return str(Policy((self,)))

    def _repr_html_(self) -> str:
        sentence = f"Policy of {self.service.name}: {len(self.schedule)} scheduled actions"
        return table_html(sentence, Policy((self,)).frame)


@dataclass(frozen=True, eq=False)
class Policy:
    """The scaling of one service or of a fleet."""

    services: tuple[ServicePolicy, ...]

    def __post_init__(self) -> None:
        names = [one.service.name for one in self.services]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InputError(f"a policy holds each service once, {', '.join(map(repr, twice))} came twice")

    def __getitem__(self, name: str) -> ServicePolicy:
        for policy in self.services:
            if policy.service.name == name:
                return policy
        raise KeyError(name)

    def __iter__(self) -> Iterator[ServicePolicy]:
        return iter(self.services)

    def __len__(self) -> int:
        return len(self.services)

    def of(self, service: str) -> Policy:
        """Only one service. Raises InputError, naming those there are."""
        if service not in [one.service.name for one in self.services]:
            known = ", ".join(one.service.name for one in self.services) or "none"
            raise InputError(f"the policy holds no service named {service!r}", advice=f"There are: {known}.")
        return Policy((self[service],))

    @overload
    def render(self, kind: Literal["boto3"], service: str | None = None) -> list[dict[str, Any]]: ...
    @overload
    def render(self, kind: Literal["cli"], service: str | None = None) -> list[str]: ...
    @overload
    def render(
        self, kind: Literal["azure", "cloudformation", "hpa", "keda", "table", "terraform"], service: str | None = None
    ) -> str: ...
    @overload
    def render(self, kind: str, service: str | None = None) -> Any: ...

    def render(self, kind: str, service: str | None = None) -> Any:
        """The policy as a document to review; of one service when it is named.

        "boto3"           list of {"client", "operation", "parameters"}, in the order to make the calls; the alarm of a
                          step policy waits for an ARN: `scaling.render.calls.arn_placeholder`
        "cli"             list of AWS CLI commands, safe to paste into a shell
        "cloudformation"  template, JSON text
        "terraform"       HCL text
        "table"           plain text
        "hpa", "keda"     Kubernetes: HorizontalPodAutoscaler or KEDA ScaledObject, YAML text
        "azure"           Azure Monitor autoscale settings, ARM template, JSON text

        What one of the last three cannot say of the policy stands in its document as a sentence.
        Raises InputError for any other kind, and for a policy that AWS would refuse (`check_policy`).
        """
        from capacity.scaling.render import render

        return render(self, kind, service)

    def diff(self, *, door: Door | None = None, now: pd.Timestamp | None = None) -> Diff:
        """What would have to change in the AWS account for this policy to stand. Only reads.

        door  whose credentials are used: `capacity.sources.aws.Door`; default: AWS's usual search for them
        now   moment that schedules are read at, UTC; default: when the account is read

        `policy.diff().apply(yes=True)` makes it stand; see `capacity.scaling.live`.
        """
        from capacity.scaling.live import diff, read_live

        return diff(self, read_live(self, door=door), now)

    @property
    def frame(self) -> pd.DataFrame:
        """One row a service: bounds, target, scheduled actions, and how it did in rehearsal (NaN when it did not)."""
        return pd.DataFrame([_row(one) for one in self.services], columns=_COLUMNS)

    @property
    def rehearsals(self) -> pd.DataFrame:
        """Every candidate of every service: the columns of `ServicePolicy.rehearsal`, after `service`."""
        rehearsed = [one for one in self.services if one.rehearsal is not None]
        if not rehearsed:
            return pd.DataFrame({"service": pd.Series(dtype=str)})
        frames = [one.rehearsal.assign(service=one.service.name) for one in rehearsed if one.rehearsal is not None]
        together = pd.concat(frames, ignore_index=True)
        return together[["service", *(column for column in together.columns if column != "service")]]

    def front(self, service: str | None = None) -> pd.DataFrame:
        """What risk costs: the rehearsed candidates that no other beats in both, the cheapest first.

        Rows of `ServicePolicy.rehearsal` of one service, the first unless named, today's policy left out. Empty where
        nothing was rehearsed. `chosen` may be on none of them: the choice also weighs the forecast and missing tasks.
        """
        one = self.services[0] if service is None else self.of(service).services[0]
        if one.rehearsal is None:
            return pd.DataFrame()
        ordered = one.rehearsal.iloc[1:].sort_values(["task_hours", "short_share"], kind="stable")
        safest_so_far = ordered["short_share"].cummin().shift(fill_value=np.inf)
        return ordered[ordered["short_share"] < safest_so_far].reset_index(drop=True)

    def plot(self, service: str | None = None) -> Any:
        """Chart of one service's scheduled minimum over a week; the first service when none is named.

        A schedule with dates is drawn in the week of them in which it changes most often, the latest of several.
        Raises InputError for a policy of no service.
        """
        from capacity.charts import steps
        from capacity.scaling.bounds import bounds, weeks

        if not self.services:
            raise InputError("a policy of no service has no picture")
        one = self.services[0] if service is None else self.of(service).services[0]
        minimum, times = max(
            ((bounds(one, times)[0], times) for times in weeks(one.schedule, one.service.timezone)),
            key=lambda week: (np.count_nonzero(np.diff(week[0])), week[1][0]),
        )
        return steps(times, {"minimum": minimum}, "tasks", f"{one.service.name}: minimum over a week")

    def __str__(self) -> str:
        from capacity.scaling.render.table import table

        return table(self).rstrip("\n")

    def _repr_html_(self) -> str:
        scheduled = sum(bool(one.schedule) for one in self.services)
        return table_html(f"Policy: {len(self)} services, {scheduled} of them with a schedule", self.frame)


_COLUMNS = [
    "service",
    "min_tasks",
    "max_tasks",
    "metric",
    "target",
    "scheduled_actions",
    "candidate",
    "short_share",
    "task_hours",
    "usd",
]


def _row(one: ServicePolicy) -> dict[str, Any]:
    row: dict[str, Any] = {
        "service": one.service.name,
        "min_tasks": one.min_tasks,
        "max_tasks": one.max_tasks,
        "metric": one.tracking.metric,
        "target": one.tracking.target,
        "scheduled_actions": len(one.schedule),
    }
    if one.rehearsal is not None:
        chosen = one.rehearsal[one.rehearsal["chosen"]].iloc[0]
        row |= {name: chosen[name] for name in ("candidate", "short_share", "task_hours", "usd")}
    return row
