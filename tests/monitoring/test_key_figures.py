"""Key figures: each of a whole week, none of half a gap; and limits by when they are reached."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from capacity import plan
from capacity.config import Account, Service
from capacity.errors import InputError
from capacity.monitoring import kpis
from capacity.monitoring.lasting import trend
from tests.makers import daily_wave, hourly, make_demand, make_forecast
from tests.monitoring.histories import history_of, together

WEEK = 7 * 24  # hours
WEB = Service(name="web", requests_per_second_per_task=50, max_tasks=8, task_vcpu=1)
END = pd.Timestamp("2026-08-31", tz="UTC")
GAP = float("nan")


def weeks(count: int, **signals: list[float]) -> dict[tuple[str, str, int], np.ndarray]:
    """Hours of so many weeks, each with its own value; `latency` is the p95."""
    return {
        (name, "p95" if name == "latency" else "mean", 3600): np.repeat(values[-count:], WEEK).astype(float)
        for name, values in signals.items()
    }


def ending(series: dict[tuple[str, str, int], np.ndarray], service: str = "web") -> pd.Timestamp:
    return END - pd.Timedelta(hours=len(next(iter(series.values()))))


def test_now_last_week_and_last_quarter_are_the_weeks_they_say() -> None:
    count = 15
    rising = [float(week) for week in range(1, count + 1)]
    series = weeks(count, requests=rising, errors=[0.01 * one for one in rising], cost=[0.36] * count)
    found = kpis(history_of(series, start=ending(series)), [WEB]).of("web")
    assert found.loc["requests", ["now", "last_week", "last_quarter"]].tolist() == [15, 14, 2]
    assert found.loc["error ratio", "now"] == pytest.approx(0.01)
    assert found.loc["cost per million requests", "now"] == pytest.approx(0.36 / 3600 / 15 * 1e6)
    assert found.loc["requests", "source"] == "files:usage.csv, 1 hour"
    assert found.loc["requests", "known"] == 1


def test_minutes_and_hours_of_the_same_week_tell_the_same_figures() -> None:
    wave = daily_wave(hourly(14), mean=100)
    series = {("requests", "mean", 3600): wave, ("running_tasks", "mean", 3600): np.full(14 * 24, 4.0)}
    fine = {(name, stat, 60): np.repeat(values, 60) for (name, stat, _), values in series.items()}
    by_hour = kpis(history_of(series), [WEB]).frame
    by_minute = kpis(history_of(fine), [WEB]).frame
    assert by_hour["now"].tolist() == pytest.approx(by_minute["now"].tolist())
    assert set(by_minute["source"]) == {"files:usage.csv, 1 minute"}


def test_a_quiet_night_does_not_hide_a_slow_noon() -> None:
    requests = np.tile([0.0] * 23 + [100.0], 14)
    latency = np.tile([0.1] * 23 + [0.9], 14)
    series = {("requests", "mean", 3600): requests, ("latency", "p95", 3600): latency}
    assert kpis(history_of(series), [WEB]).of("web").loc["latency p95", "now"] == pytest.approx(0.9)


def test_a_week_of_which_less_than_half_is_known_has_no_figure() -> None:
    values = np.full(2 * WEEK, 9.0)
    values[-WEEK : -WEEK // 3] = GAP
    found = kpis(history_of({("requests", "mean", 3600): values}), [WEB]).of("web")
    assert np.isnan(found.loc["requests", "now"])
    assert found.loc["requests", "last_week"] == 9
    assert found.loc["requests", "known"] == pytest.approx(1 / 3)


def test_hours_without_a_request_are_known_to_have_no_latency() -> None:
    requests = np.tile([0.0] * 20 + [100.0] * 4, 14)
    series = {
        ("requests", "mean", 3600): requests,
        ("latency", "p95", 3600): np.where(requests > 0, 0.2, GAP),
    }
    found = kpis(history_of(series), [WEB]).of("web")
    assert found.loc["latency p95", ["now", "known"]].tolist() == [0.2, 1]


def test_the_picture_shows_one_figure_and_an_unknown_one_is_refused_with_those_there_are() -> None:
    found = kpis(history_of({("requests", "mean", 3600): np.full(2 * WEEK, 9.0)}), [WEB])
    assert "web" in str(found.plot("requests").to_dict())
    with pytest.raises(InputError, match=r"'rps'[\s\S]*requests, busiest hour"):
        found.plot("rps")
    assert str(found).splitlines()[1] == "web requests: 9 requests/s (9, not known)"
    assert "Key figures of 1 service" in found._repr_html_()


def test_a_service_of_which_nothing_is_watched_has_no_figures() -> None:
    history = history_of({("connections", "mean", 3600): np.full(WEEK, 9.0)})
    assert kpis(history, [WEB, Service(name="absent")]).frame.empty


# How long limits last.


def test_limits_come_with_what_is_in_use_today_and_the_soonest_first() -> None:
    services = [
        WEB.model_copy(update={"max_tasks": 6}),
        Service(name="api", requests_per_second_per_task=50, max_tasks=60, task_vcpu=2, task_memory_gib=4),
    ]
    times = hourly(56)
    load = {"web": daily_wave(times, mean=120), "api": daily_wave(times, mean=200)}
    demand = make_demand({(name, "requests"): values for name, values in load.items()}, times)
    growing = make_forecast(demand, steps=24 * 56, growth=1.0)
    promised = plan(growing, services, accounts=Account(region="us-east-1", fargate_vcpu_quota=26))
    parts = []
    for name, values in load.items():
        tasks = np.ceil(values / 42.5) * np.repeat([0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 1.0], WEEK)
        parts.append(history_of({("running_tasks", "mean", 3600): tasks}, name, start=times[0]))
    found = kpis(together(*parts), services, promised)
    rows = found.saturation.set_index(["service", "limit"])
    web = rows.loc[("web", "max_tasks")]
    assert web["in_use"] == 5  # ceil(180 / 42.5), in the last week
    assert web["share"] == pytest.approx(5 / 6)
    assert web["trend_week"] > 0
    assert web["days"] == (web["first"] - growing.times[0]) / pd.Timedelta(days=1)
    assert (
        web["probability"] == promised.limits.set_index(["service", "limit"]).loc[("web", "max_tasks"), "probability"]
    )
    assert rows.loc[("(account us-east-1)", "fargate_vcpu_quota"), "in_use"] == 5 * 1 + 8 * 2
    assert found.saturation["days"].dropna().is_monotonic_increasing
    assert "web max_tasks: " in str(found)


def test_what_runs_of_a_service_that_nobody_measured_is_not_known_nor_is_the_accounts_use() -> None:
    times = hourly(14)
    demand = make_demand({("web", "requests"): daily_wave(times, mean=120)}, times)
    promised = plan(
        make_forecast(demand), WEB.model_copy(update={"max_tasks": 5}), accounts=Account(fargate_vcpu_quota=5)
    )
    history = history_of({("requests", "mean", 3600): daily_wave(times, mean=120)}, start=times[0])
    found = kpis(history, [WEB], promised).saturation
    assert len(found)
    assert found["in_use"].isna().all()


def test_a_trend_needs_four_weeks() -> None:
    assert np.isnan(trend(np.array([GAP] * 5 + [0.1, 0.2, 0.3])))
    assert trend(np.array([GAP] * 4 + [0.1, 0.2, 0.3, 0.4])) == pytest.approx(0.1)
