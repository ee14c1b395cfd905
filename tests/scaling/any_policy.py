"""Any policy that AWS would take: hostile names, every part there or not, schedules of all kinds."""

from __future__ import annotations

from typing import Any, Literal

import pandas as pd
from hypothesis import strategies as st

from capacity.scaling import PredictiveScaling, ScheduledAction, ServicePolicy, Step, StepScaling, TargetTracking
from capacity.scaling.policy import TrackedMetric
from tests.scaling.policies import LABEL, web

NASTY = [
    "a'b\"c",
    "<script>alert(1)</script>",
    "$(rm -rf ~)",
    "`id`",
    "=cmd()",
    "${var.x} %{if true}",
    "a\\",
    "a\nb: c",
    "--profile",
    "\x1b[31mred",
    "服务 ünï",
    "a/b:c|d",
    "'; drop table",
    "{{x}}",
    "[parameters('x')]",
    "- a: &b *c",
    "\u2028\x85\ufeff",
]

#: Text a Service accepts: some character besides white space, none of the lone surrogates that no encoding holds.
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(lambda text: text.strip())
hostile = names | st.sampled_from(NASTY)

#: Names of scheduled actions: AWS's own rules.
action_names = hostile.map(lambda name: "".join(c for c in name if c.isprintable() and c not in ":/|").strip()).filter(
    bool
)
metrics: st.SearchStrategy[TrackedMetric] = st.sampled_from(["cpu", "memory", "requests"])
days = st.lists(st.sampled_from(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]), min_size=1, unique=True)
hours = st.lists(st.integers(0, 23), min_size=1, max_size=2, unique=True).map(lambda found: ",".join(map(str, found)))


def targets(metric: TrackedMetric) -> st.SearchStrategy[float]:
    return st.floats(0.5, 1e6, width=32) if metric == "requests" else st.floats(1, 100, width=32)


@st.composite
def schedules(draw: st.DrawFn) -> str:
    weekly = f"cron({draw(st.integers(0, 59))} {draw(hours)} ? * {draw(days.map(','.join) | st.just('*'))} *)"
    once = "at(2027-02-22T00:10:00)"
    monthly = "cron(0 6 1 * ? *)"
    return draw(st.sampled_from([weekly, weekly, weekly, once, monthly]))


@st.composite
def ladders(draw: st.DrawFn) -> StepScaling:
    metric = draw(metrics)
    ends = sorted(draw(st.lists(st.floats(0.5, 500, width=16), max_size=3, unique=True)))
    bounds = list(zip([0.0, *ends], [*ends, None], strict=True))
    steps = tuple(Step(lower, upper, draw(st.integers(1, 200))) for lower, upper in bounds)
    return StepScaling(
        metric,
        draw(targets(metric)),
        steps,
        by=draw(st.sampled_from(["tasks", "percent"])),
        minutes=draw(st.integers(1, 10)),
        cooldown=draw(st.integers(0, 600)),
        least=draw(st.integers(1, 5)),
    )


@st.composite
def forecasts(draw: st.DrawFn) -> PredictiveScaling:
    metric = draw(metrics)
    mode: Literal["ForecastOnly", "ForecastAndScale"] = draw(st.sampled_from(["ForecastOnly", "ForecastAndScale"]))
    over = draw(st.none() | st.integers(0, 100))
    return PredictiveScaling(metric, draw(targets(metric)), mode, draw(st.integers(0, 3600)), over)


@st.composite
def service_policies(draw: st.DrawFn, name: st.SearchStrategy[str] = hostile) -> ServicePolicy:
    """Weekly actions live in one time zone, as Kubernetes and Azure need it."""
    metric = draw(metrics)
    service = web(
        name=draw(name),
        cluster=draw(st.sampled_from(["prod", "a'b", "${c}"])),
        alb_resource_label=draw(st.sampled_from([LABEL, ""])),
        timezone="UTC",
    )
    zone = draw(st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata"]))
    least = draw(st.integers(0, 30))
    most = draw(st.integers(max(least, 1), 400))
    actions = []
    for own in draw(st.lists(action_names, max_size=4, unique=True)):
        low = draw(st.integers(0, 60))
        dates: dict[str, Any] = {}
        if draw(st.booleans()):
            dates["end"] = pd.Timestamp("2027-02-22", tz="UTC")
        high = draw(st.integers(max(low, 1), 400))
        actions.append(ScheduledAction(own, draw(schedules()), low, high, zone, **dates))
    return ServicePolicy(
        service,
        least,
        most,
        TargetTracking(
            metric,
            draw(targets(metric)),
            draw(st.integers(0, 4000)),
            draw(st.integers(0, 4000)),
            draw(st.booleans()),
            60 if metric == "requests" else draw(st.sampled_from([20, 60])),
        ),
        tuple(actions),
        steps=draw(st.none() | ladders()),
        predictive=draw(st.none() | forecasts()),
    )
