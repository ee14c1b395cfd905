"""A few scheduled minimums that cover the need of a week."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.scaling.bounds import bounds
from capacity.scaling.checks import check_policy
from capacity.scaling.cut import HOURS, MOST_CHANGES, cut_day
from capacity.scaling.schedule import (
    Change,
    actions,
    allowed_hours,
    hourly_need,
    in_force,
    lead_minutes,
    profile,
    weekly_changes,
    whole,
)
from tests.scaling.policies import tracking, web

ALL = np.ones(HOURS, dtype=bool)
END = pd.Timestamp("2027-02-22", tz="UTC")
days = st.lists(st.integers(0, 30), min_size=HOURS, max_size=HOURS).map(lambda values: np.array(values, dtype=float))


def held(need: np.ndarray, hours: list[int]) -> float:
    """Task-hours of a day that changes its minimum at these hours and always covers the need."""
    total = 0.0
    for start, stop in zip(hours, [*hours[1:], hours[0] + HOURS], strict=True):
        stretch = [need[hour % HOURS] for hour in range(start, stop)]
        total += max(stretch) * len(stretch)
    return total


@settings(deadline=None, max_examples=15)
@given(days, st.integers(2, 3), st.floats(0, 0.1))
def test_no_other_choice_of_hours_wastes_less(need: np.ndarray, most: int, worth: float) -> None:
    def cost(hours: list[int]) -> float:
        return held(need, hours) + worth * need.sum() * len(hours)

    found = cut_day(need, ALL, most, worth)
    best = min(
        [cost([0]), *(cost(list(hours)) for count in range(2, most + 1) for hours in combinations(range(HOURS), count))]
    )
    assert cost(found) == pytest.approx(best)


@settings(deadline=None, max_examples=40)
@given(days, days, st.sampled_from(["UTC", "Europe/Paris", "America/Santiago"]))
def test_a_week_is_covered_by_at_most_five_changes_a_day_away_from_clock_changes(
    weekday: np.ndarray, weekend: np.ndarray, zone: str
) -> None:
    samples = np.repeat(np.stack([weekday] * 5 + [weekend] * 2)[:, :, None], 3, axis=2)
    allowed = allowed_hours(zone, 5, pd.Timestamp("2026-01-05", tz="UTC"), END)
    changes = weekly_changes(samples, 0.5, allowed)
    if not changes:
        return
    levels = np.array([change.level for change in changes])[in_force(list(changes))]
    assert (levels >= samples[:, :, 0].ravel()).all()
    for day in range(7):
        assert sum(day in change.days for change in changes) <= MOST_CHANGES
    assert all(allowed[change.hour] for change in changes if change.hour)
    assert len({change.level for change in changes}) > 1


@settings(deadline=None, max_examples=15)
@given(days, days, st.sampled_from(["UTC", "Europe/Paris", "Asia/Kolkata"]), st.sampled_from([30, 120, 900]))
def test_the_actions_hold_their_levels_in_the_local_hours_they_were_made_for(
    weekday: np.ndarray, weekend: np.ndarray, zone: str, startup: int
) -> None:
    samples = np.repeat(np.stack([weekday] * 5 + [weekend] * 2)[:, :, None], 3, axis=2)
    changes = weekly_changes(samples, 0.5, ALL)
    if not changes:
        return
    lead = lead_minutes(startup)
    policy = tracking(
        web(timezone=zone),
        schedule=actions(changes, "web", floor=2, most=25, timezone=zone, lead=lead, end=END),
    )
    assert check_policy(policy).status != "FAIL"
    monday = pd.Timestamp("2026-06-08", tz=zone).tz_convert("UTC")
    times = pd.date_range(monday, periods=7 * 24, freq="h", unit="us")
    minimum, _ = bounds(policy, times)
    assert (minimum >= np.clip(samples[:, :, 0].ravel(), 2, 25)).all()
    early, _ = bounds(policy, times - pd.Timedelta(minutes=lead))
    assert (early >= minimum).all()  # a rise is there ahead of its hour, a fall is not


def test_a_schedule_ends_and_puts_the_bounds_back() -> None:
    changes = (Change("daily", tuple(range(7)), 8, 12), Change("daily", tuple(range(7)), 20, 4))
    schedule = actions(changes, "web", floor=2, most=40, timezone="Europe/Paris", lead=5, end=END)
    times = pd.date_range(END - pd.Timedelta(days=1), END + pd.Timedelta(days=3), freq="min", unit="us")
    minimum, maximum = bounds(tracking(schedule=schedule), times)
    assert set(minimum[times < END]) == {4, 12}
    assert (minimum[times >= END + pd.Timedelta(minutes=10)] == 2).all()
    assert (maximum == 40).all()


def test_samples_are_the_busiest_interval_of_each_local_hour() -> None:
    times = pd.date_range("2026-06-01", periods=14 * 288, freq="5min", tz="UTC", unit="us")
    need = np.where((times.hour == 6) & (times.minute == 30), 9.0, 1.0)
    need[:12] = np.nan  # the first hour is not known
    samples = hourly_need(times, need, "Europe/Paris")
    assert samples.shape[:2] == (7, HOURS)
    assert np.nanmax(samples[0, 8]) == 9  # 06:30 UTC is 08:30 in Paris
    assert np.nanmax(samples[:, 7]) == 1
    assert np.isfinite(samples[0, 2]).sum() == 1  # Monday 02:00 in Paris: only the second week is known
    assert np.isfinite(samples[0, 3]).sum() == 2


def test_the_level_of_an_hour_is_a_quantile_over_weeks_and_paths() -> None:
    times = pd.date_range("2026-06-01", periods=28 * 24, freq="h", tz="UTC", unit="us")
    rng = np.random.default_rng(0)
    paths = rng.gamma(3, 5, (30, len(times)))
    found = profile(hourly_need(times, paths, "UTC"), (5, 6), 0.8)
    assert found is not None
    for hour in (0, 13, 23):
        chosen = (times.hour == hour) & (times.day_of_week >= 5)
        assert found[hour] == pytest.approx(np.quantile(paths[:, chosen], 0.8))


def test_hours_never_seen_give_no_schedule() -> None:
    times = pd.date_range("2026-06-01", periods=3 * 24, freq="h", tz="UTC", unit="us")  # Monday to Wednesday
    assert weekly_changes(hourly_need(times, np.arange(72.0), "UTC"), 0.5, ALL) == ()


def test_an_even_load_needs_no_schedule() -> None:
    assert weekly_changes(np.full((7, HOURS, 2), 3.2), 0.5, ALL) == ()


def test_whole_tasks_forgive_rounding_noise() -> None:
    assert [whole(3.0), whole(3.0000000001), whole(3.01), whole(0.0)] == [3, 3, 4, 0]
