"""What is written for Kubernetes and Azure holds the same bounds at the same times, and names what it cannot say."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]
from hypothesis import example, given, settings

from capacity.errors import InputError
from capacity.scaling import ScheduledAction, ServicePolicy
from capacity.scaling.bounds import bounds
from tests.scaling.any_policy import service_policies
from tests.scaling.elsewhere import AUTOSCALE, HPA, SCALED_OBJECT, refused
from tests.scaling.policies import fleet, scheduled, tracking, web


def documents(text: str) -> list[dict[str, Any]]:
    return list(yaml.load_all(text, yaml.CSafeLoader))


def minute(field: str, hour: str, days: str) -> list[int]:
    """Minutes since Sunday 00:00 at which five fields of Unix cron fire."""
    listed = [part.partition("-") for part in days.replace("*", "0-6").split(",")]
    spread = [day for first, _, last in listed for day in range(int(first), int(last or first) + 1)]
    return sorted(day * 1440 + int(hour) * 60 + int(field) for day in spread)


def active(trigger: dict[str, str], now: int) -> bool:
    """As KEDA's cron scaler decides: it looks which comes next, the start or the end (pkg/scalers/cron_scaler.go)."""

    def following(cron: str) -> int:
        field, hour, day, month, days = cron.split()
        assert (day, month) == ("*", "*")
        return min((moment - now - 1) % 10080 for moment in minute(field, hour, days))

    start, end = following(trigger["start"]), following(trigger["end"])
    assert start != end
    return end < start


def moments(one: ServicePolicy) -> pd.DatetimeIndex:
    """Every minute at which a weekly action fires, and the one before, of a week without a change of clocks."""
    zones = {action.timezone for action in weekly(one)}
    sunday = pd.Timestamp("2026-06-07", tz=next(iter(zones), "UTC"))
    at = {(at + back) % 10080 for action in weekly(one) for at in fired(action) for back in (0, -1)}
    return pd.DatetimeIndex([sunday + pd.Timedelta(minutes=n) for n in sorted(at | {0})])


def weekly(one: ServicePolicy) -> list[ScheduledAction]:
    return [replace(action, end=None) for action in one.schedule if re.match(r"cron\(\S+ \S+ \? \* ", action.schedule)]


def fired(action: ScheduledAction) -> Iterator[int]:
    field, hours, _, _, days, _ = action.schedule[5:-1].split()
    numbers = {name: str(n) for n, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))}
    for hour in hours.split(","):
        yield from minute(field, hour, re.sub("[A-Z]+", lambda name: numbers[name[0]], days))


def again() -> ServicePolicy:
    """A weekend action that fires on Sunday into its own window of Saturday."""
    weekday = ScheduledAction("weekday", "cron(0 8 ? * MON-FRI *)", 20, 40)
    return replace(scheduled(), schedule=(weekday, ScheduledAction("weekend", "cron(0 8 ? * SAT,SUN *)", 9, 40)))


@settings(max_examples=20)
@given(service_policies())
@example(again())
def test_keda_holds_the_same_minimum_in_every_minute_of_a_week(one: ServicePolicy) -> None:
    (found,) = documents(fleet(one).render("keda"))
    assert refused(found, SCALED_OBJECT) == []
    spec = found["spec"]
    crons = [trigger["metadata"] for trigger in spec["triggers"] if trigger["type"] == "cron"]
    (tracked,) = [trigger for trigger in spec["triggers"] if trigger["type"] != "cron"]
    times = moments(one)
    said = [
        max(spec["minReplicaCount"], *(int(c["desiredReplicas"]) * active(c, _since_sunday(t)) for c in crons), 0)
        for t in times
    ]
    least, _ = bounds(replace(one, schedule=tuple(weekly(one))), times.tz_convert("UTC"))
    alone = not crons and tracked["type"] != "prometheus"  # then KEDA wants one pod at least
    assert said == np.maximum(least, 1 if alone else 0).tolist()
    assert all(c["timezone"] == weekly(one)[0].timezone for c in crons)
    assert spec["maxReplicaCount"] == max([one.max_tasks, *(action.max_tasks for action in weekly(one))])
    holds_target(one, tracked["metadata"].get("value"), float(tracked["metadata"].get("threshold", 0)))
    said_or_named(one, found, schedule=True)


def _since_sunday(moment: pd.Timestamp) -> int:
    return int((moment.day_of_week + 1) % 7 * 1440 + moment.hour * 60 + moment.minute)


def holds_target(one: ServicePolicy, percent: Any, per_second: float) -> None:
    if one.tracking.metric == "requests":
        assert per_second * 60 == pytest.approx(one.tracking.target, rel=1e-3, abs=0.06)
    else:
        assert one.tracking.target - 1 < int(percent) <= max(one.tracking.target, 1)


def said_or_named(one: ServicePolicy, found: dict[str, Any], *, schedule: bool) -> None:
    """What a document cannot say stands in it as a sentence."""
    unsaid = found["metadata"]["annotations"].get("capacity/not-said", "")
    assert ("step scaling" in unsaid) == (one.steps is not None)
    assert ("predictive scaling" in unsaid) == (one.predictive is not None)
    lost = [action for action in one.schedule if not schedule or replace(action, end=None) not in weekly(one)]
    assert all(f"{action.name!r}"[1:-1] in unsaid or action.name in unsaid for action in lost)
    assert ("2027-02-22" in unsaid) >= any(action.end is not None for action in one.schedule)


@settings(max_examples=15)
@given(service_policies())
def test_an_hpa_holds_bounds_target_and_cooldowns_and_names_the_rest(one: ServicePolicy) -> None:
    (found,) = documents(fleet(one).render("hpa"))
    assert refused(found, HPA) == []
    spec = found["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (max(one.min_tasks, 1), one.max_tasks)
    (metric,) = spec["metrics"]
    if metric["type"] == "Pods":
        holds_target(one, None, int(metric["pods"]["target"]["averageValue"].removesuffix("m")) / 1000)
    else:
        assert metric["resource"]["name"] == one.tracking.metric
        holds_target(one, metric["resource"]["target"]["averageUtilization"], 0)
    down = spec["behavior"]["scaleDown"]
    assert (down["selectPolicy"] == "Disabled") == one.tracking.disable_scale_in
    assert down["stabilizationWindowSeconds"] >= min(max(900, one.tracking.scale_in_cooldown), 3600)
    assert down["policies"][0]["periodSeconds"] == min(max(one.tracking.scale_in_cooldown, 1), 1800)
    assert found["metadata"]["annotations"]["capacity/service"] == one.service.resource_id.removeprefix("service/")
    said_or_named(one, found, schedule=False)


@settings(max_examples=15)
@given(service_policies())
def test_azure_sets_both_bounds_at_the_same_local_times(one: ServicePolicy) -> None:
    template = json.loads(fleet(one).render("azure"))
    assert refused(template, AUTOSCALE) == []
    (setting,) = template["resources"]
    default, *recurring = setting["properties"]["profiles"]
    assert "recurrence" not in default
    capacity = (default["capacity"]["minimum"], default["capacity"]["maximum"])
    assert capacity == (str(one.min_tasks), str(one.max_tasks))
    said = {
        (moment, profile["capacity"]["minimum"], profile["capacity"]["maximum"])
        for profile in recurring
        for moment in starts(profile["recurrence"]["schedule"])
    }
    latest = {at: (str(a.min_tasks), str(a.max_tasks)) for a in weekly(one) for at in fired(a)}  # the later listed
    assert said == {(at, *sets) for at, sets in latest.items()}
    assert len({profile["name"] for profile in recurring}) == len(recurring)
    out, low = (
        [rule["metricTrigger"]["threshold"] for rule in default["rules"] if rule["scaleAction"]["direction"] == way]
        for way in ("Increase", "Decrease")
    )
    assert out[0] == pytest.approx(one.tracking.target, rel=1e-6)
    assert low == ([] if one.tracking.disable_scale_in else [pytest.approx(0.9 * one.tracking.target, rel=1e-5)])
    assert all(profile["rules"] == default["rules"] for profile in recurring)
    assert ("predictive scaling" in setting["comments"]) == (one.predictive is not None)


def starts(schedule: dict[str, Any]) -> Iterator[int]:
    names = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    (hour,), (of_hour,) = schedule["hours"], schedule["minutes"]
    yield from (names.index(day) * 1440 + hour * 60 + of_hour for day in schedule["days"])


@pytest.mark.parametrize("kind", ["keda", "azure"])
def test_weekly_actions_of_several_zones_are_refused_where_windows_are_made_of_them(kind: str) -> None:
    first, *others = scheduled().schedule
    mixed = replace(scheduled(), schedule=(replace(first, timezone="Asia/Tokyo"), *others))
    with pytest.raises(InputError, match="Asia/Tokyo, Europe/Paris"):
        fleet(mixed).render(kind)
    assert "Asia/Tokyo" in fleet(mixed).render("hpa")


def test_a_schedule_of_more_lines_than_azure_holds_never_holds_less_than_it_should() -> None:
    levels = np.random.default_rng(3).integers(2, 30, size=40)
    actions = tuple(
        ScheduledAction(f"a{n}", f"cron({30 * (n // 24)} {n % 24} ? * {day} *)", int(level), 40, "Europe/Paris")
        for n, (level, day) in enumerate(zip(levels, itertools.cycle(["MON", "TUE-THU", "FRI", "SUN"]), strict=False))
    )
    one = replace(scheduled(), schedule=actions)
    (setting,) = json.loads(fleet(one).render("azure"))["resources"]
    assert len(setting["properties"]["profiles"]) == 20
    assert "40 lines of the schedule, joined into the 19" in setting["comments"]
    times = pd.date_range("2026-06-07", periods=7 * 288, freq="5min", tz="Europe/Paris")
    changes = sorted(
        (moment, int(profile["capacity"]["minimum"]))
        for profile in setting["properties"]["profiles"][1:]
        for moment in starts(profile["recurrence"]["schedule"])
    )
    place = np.searchsorted([moment for moment, _ in changes], [_since_sunday(t) for t in times], side="right") - 1
    held = np.array([level for _, level in changes])[place]
    least, _ = bounds(one, times.tz_convert("UTC"))
    assert (held >= least).all()
    assert held.sum() < levels.max() * len(times)  # and not the highest of all throughout


def test_azure_refuses_more_services_than_a_template_holds_and_zones_it_cannot_name() -> None:
    with pytest.raises(InputError, match="one at a time"):
        fleet(*(tracking(web(name=f"s{number}")) for number in range(128))).render("azure")
    lord_howe = replace(scheduled().schedule[0], timezone="Australia/Lord_Howe")
    with pytest.raises(InputError, match="Lord_Howe"):
        fleet(replace(scheduled(), schedule=(lord_howe,))).render("azure")


def test_services_that_kubernetes_would_call_alike_stay_apart() -> None:
    text = fleet(tracking(web(name="Web_API")), tracking(web(name="web-api")), tracking(web(name="服务"))).render(
        "keda"
    )
    assert [found["metadata"]["name"] for found in documents(text)] == ["web-api", "web-api-2", "service"]
