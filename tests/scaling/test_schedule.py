"""A week of minimums becomes a few scheduled actions that hold them, and end."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.scaling.bounds import bounds
from capacity.scaling.checks import check_policy
from capacity.scaling.schedule import (
    DAILY,
    DAY,
    EACH_DAY,
    WEEK_PARTS,
    Change,
    Days,
    actions,
    allowed_bins,
    bin_minutes,
    changes_of,
    lead_minutes,
    places,
    week_of,
)
from tests.scaling.policies import tracking, web

END = pd.Timestamp("2027-02-22", tz="UTC")
ZONES = ["UTC", "Europe/Paris", "Asia/Kolkata", "America/Santiago"]


@st.composite
def weeks(draw: st.DrawFn) -> tuple[np.ndarray, tuple[Days, ...]]:
    """Levels of hours, and the days they are for; none changes at midnight."""
    groups = draw(st.sampled_from([DAILY, WEEK_PARTS, EACH_DAY]))
    hours = draw(st.lists(st.integers(1, 23), min_size=len(groups), max_size=4 * len(groups)))
    held, level = np.zeros((len(groups), 24), dtype=int), draw(st.integers(0, 30))
    first = level
    for group in range(len(groups)):
        for hour in range(24):
            if hour in hours[group :: len(groups)]:
                level = draw(st.integers(0, 30))
            held[group, hour] = level
    if held[-1, -1] != first:
        held[held == held[-1, -1]] = first  # the week goes round
    return held, groups


@settings(deadline=None, max_examples=40)
@given(weeks(), st.sampled_from(ZONES), st.sampled_from([30, 120, 900]))
def test_the_actions_hold_what_the_week_says_in_every_local_minute(
    week: tuple[np.ndarray, tuple[Days, ...]], zone: str, startup: int
) -> None:
    changes, lead = changes_of(*week), lead_minutes(startup)
    schedule = actions(changes, "web", floor=2, most=25, timezone=zone, lead=lead, end=END)
    if not schedule:
        return
    policy = tracking(web(timezone=zone, min_tasks=2, max_tasks=25), schedule=schedule)
    assert check_policy(policy).status != "FAIL"
    monday = pd.Timestamp("2026-06-08", tz=zone).tz_convert("UTC")
    times = pd.date_range(monday, periods=7 * DAY, freq="min", unit="us")
    minimum, maximum = bounds(policy, times)
    expected = week_of(changes, floor=2, most=25, lead=lead)[places(times, zone, 1)]
    np.testing.assert_array_equal(minimum, expected)
    assert (maximum == 25).all()


@settings(deadline=None, max_examples=40)
@given(weeks())
def test_a_week_of_one_group_covers_its_levels_and_only_rises_are_early(
    week: tuple[np.ndarray, tuple[Days, ...]],
) -> None:
    held, groups = week
    if groups == WEEK_PARTS:  # Tuesday begins with what Monday ended with, not with what Sunday did
        return
    levels = np.repeat(np.clip(held, 2, 25).ravel(), 60)
    levels = np.tile(levels, 7) if groups == DAILY else levels
    minimum = week_of(changes_of(held, groups), floor=2, most=25, lead=10)
    if len(set(levels)) == 1:
        return
    assert (minimum >= levels).all()
    early = np.maximum(levels, np.roll(levels, -10))
    assert (minimum <= early).all()


def test_a_schedule_ends_and_puts_the_bounds_back() -> None:
    changes = (Change(tuple(range(7)), 480, 12), Change(tuple(range(7)), 1200, 4))
    schedule = actions(changes, "web", floor=2, most=40, timezone="Europe/Paris", lead=5, end=END)
    times = pd.date_range(END - pd.Timedelta(days=1), END + pd.Timedelta(days=3), freq="min", unit="us")
    minimum, maximum = bounds(tracking(schedule=schedule), times)
    assert set(minimum[times < END]) == {4, 12}
    assert (minimum[times >= END + pd.Timedelta(minutes=10)] == 2).all()
    assert (maximum == 40).all()


def test_levels_that_the_bounds_make_one_are_no_schedule() -> None:
    changes = (Change((0,), 480, 3), Change((0,), 1200, 1))
    assert actions(changes, "web", floor=5, most=40, timezone="UTC", lead=5, end=END) == ()
    assert actions((), "web", floor=5, most=40, timezone="UTC", lead=5, end=END) == ()


def test_no_change_and_no_lead_of_one_meets_a_change_of_the_clocks() -> None:
    winter, summer = pd.to_datetime(["2026-01-05", "2026-06-01"], utc=True)
    for zone in ("Europe/Paris", "America/Santiago"):
        for lead in (5, 20):
            size = bin_minutes(lead, pd.Timedelta("5min"))
            starts = np.flatnonzero(allowed_bins(zone, lead, winter, summer, size)) * size
            for fired in (starts, starts - lead):
                assert not ((fired >= 60) & (fired <= 180)).any()
            assert (starts >= lead).all()


@given(st.integers(0, 3600), st.sampled_from(["1min", "5min", "15min", "1h"]))
def test_two_actions_are_never_nearer_than_five_minutes(startup: int, interval: str) -> None:
    lead = lead_minutes(startup)
    size = bin_minutes(lead, pd.Timedelta(interval))
    assert DAY % size == 0
    assert size - lead >= 5  # a rise, early, after a fall in the bin before
