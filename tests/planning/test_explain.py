"""Every count explains itself."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from capacity.config import Goal
from capacity.errors import InputError
from tests.planning.inputs import BARE, CUTOFF, cpu_forecast, forecast_of, plain, planned

SERVICE = plain("checkout", max_tasks=64, startup_seconds=600, zones=3)
PLAN = planned(cpu_forecast([[25.5, 28.0, 28.0]], "checkout"), SERVICE, goal=Goal())


def test_a_count_is_told_step_by_step() -> None:
    told = PLAN.explain("checkout", "2026-11-23T00:20Z")
    # 25.5 tasks of load: 26; a sixth of the rise of 2.5 to come: 25.9; so only the zone adds: 26 x 3 / 2
    assert told.splitlines()[:2] == [
        "`checkout`, 23 November 2026, 00:00 UTC: 39 tasks.",
        "26 for load, 39 to survive a zone.",
    ]
    assert "25.5 tasks full of cpu (1 vCPU × 1 per task), 95 % sure" in told


def test_without_a_moment_the_largest_count_is_told() -> None:
    assert "01:00 UTC: 42 tasks." in PLAN.explain("checkout")


def test_what_a_maximum_leaves_missing_is_told() -> None:
    plan = planned(cpu_forecast([[28.0]], "checkout"), plain("checkout", max_tasks=20), goal=BARE)
    assert "28 for load, but its maximum is 20: 8 missing." in plan.explain("checkout")


def test_a_minimum_is_told_as_what_it_is() -> None:
    plan = planned(cpu_forecast([[2.0]]), plain(min_tasks=5), goal=BARE)
    assert "2 for load, 5 as its minimum." in plan.explain("web")


def test_reasons_hold_every_step_of_each_services_largest_count() -> None:
    forecast = forecast_of({("a", "cpu"): [[1.0, 9.0]], ("b", "cpu"): [[4.0, 2.0]]})
    frame = planned(forecast, [plain("a"), plain("b")]).reasons
    assert list(frame.columns) == ["service", "timestamp", "step", "tasks", "why"]
    assert frame[frame["service"] == "a"]["step"].tolist() == ["load", "startup", "deployment", "zone loss", "bounds"]
    assert frame.groupby("service")["timestamp"].first().tolist() == [CUTOFF + pd.Timedelta(hours=1), CUTOFF]
    assert frame.groupby("service")["tasks"].last().tolist() == [14, 6]


@pytest.mark.parametrize("moment", ["2026-11-22T23:59Z", "2026-11-23T03:00Z", "yesterday-ish", float("nan")])
def test_a_moment_outside_the_plan_is_refused(moment: object) -> None:
    with pytest.raises(InputError):
        PLAN.explain("checkout", moment)


def test_a_service_that_is_not_planned_is_refused_by_name() -> None:
    for ask in (PLAN.explain, PLAN.of, PLAN.service_named, PLAN.counts, PLAN.plot):
        with pytest.raises(InputError, match="no service 'cart' is planned"):
            ask("cart")


def test_of_many_services_those_of_like_names_are_offered_first() -> None:
    names = [*"abcdefghijkl", "checkout"]
    fleet = planned(forecast_of({(name, "cpu"): [[1.0]] for name in names}), [plain(name) for name in names], goal=BARE)
    with pytest.raises(InputError, match="Planned are: checkout, a, b, c, d, e, f, g, h, i and 3 more"):
        fleet.explain("chekcout")


def test_the_chart_shows_the_plan_under_its_maximum() -> None:
    document = json.dumps(PLAN.plot("checkout").to_dict(validate=False))
    assert all(label in document for label in ("for load", "to run", "64"))
