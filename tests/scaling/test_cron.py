"""Schedules fire when AWS says, in their own time zone."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.errors import InputError
from capacity.scaling.bounds import bounds
from capacity.scaling.cron import firings, parse
from tests.scaling.policies import scheduled, tracking

DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


def utc(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


def obvious(minute: int, hours: set[int], weekdays: set[str], zone: str, start: str, end: str) -> list[pd.Timestamp]:
    """Every minute of the span, asked whether it matches."""
    span = pd.date_range(utc(start), utc(end), freq="min", inclusive="left", unit="us")
    return [
        moment
        for moment in span
        for local in [moment.tz_convert(zone)]
        if local.minute == minute and local.hour in hours and DAYS[(local.day_of_week + 1) % 7] in weekdays
    ]


@settings(deadline=None, max_examples=15)
@given(
    minute=st.integers(0, 59),
    hours=st.sets(st.integers(4, 23), min_size=1, max_size=3),
    weekdays=st.sets(st.sampled_from(DAYS), min_size=1),
    zone=st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]),
)
def test_cron_fires_in_exactly_the_minutes_that_match(
    minute: int, hours: set[int], weekdays: set[str], zone: str
) -> None:
    schedule = f"cron({minute} {','.join(map(str, sorted(hours)))} ? * {','.join(sorted(weekdays))} *)"
    start, end = "2026-10-23 07:13", "2026-10-27 19:00"  # clocks go back in Europe
    found = firings(schedule, zone, utc(start), utc(end))
    assert list(found) == obvious(minute, hours, weekdays, zone, start, end)


@pytest.mark.parametrize(
    ("schedule", "times"),
    [
        ("cron(0 8 1 * ? *)", ["2026-02-01 08:00", "2026-03-01 08:00"]),
        ("cron(0/30 8 ? * 2 *)", ["2026-02-02 08:00", "2026-02-02 08:30", "2026-02-09 08:00", "2026-02-09 08:30"]),
        ("cron(0 8 1-3/2 FEB ? *)", ["2026-02-01 08:00", "2026-02-03 08:00"]),
        ("cron(0 8 31 * ? 2026)", ["2026-01-31 08:00"]),
        ("cron(0 8 28 * ? 2027)", []),
        ("at(2026-02-14T12:00:00)", ["2026-02-14 12:00"]),
        ("at(2027-02-14T12:00:00)", []),
    ],
)
def test_every_form_of_a_field_is_read(schedule: str, times: list[str]) -> None:
    found = firings(schedule, "UTC", utc("2026-01-30"), utc("2026-03-02"))
    if "0/30" in schedule:
        found = found[:4]
    assert list(found) == [utc(time) for time in times]


def test_skipped_and_repeated_hours_fire_once() -> None:
    skipped = firings("cron(30 2 ? * * *)", "Europe/Paris", utc("2026-03-29"), utc("2026-03-30"))
    assert list(skipped) == [utc("2026-03-29 01:00")]
    repeated = firings("cron(30 2 ? * * *)", "Europe/Paris", utc("2026-10-25"), utc("2026-10-25 12:00"))
    assert list(repeated) == [utc("2026-10-25 00:30")]


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "rate(5 minutes)",
        "cron(30 7 * * MON-FRI *)",
        "cron(30 7 ? * ? *)",
        "cron(30 7 ? * MON-FRI)",
        "cron(60 7 ? * MON *)",
        "cron(0 24 ? * MON *)",
        "cron(0 7 ? * 0 *)",
        "cron(0 7 ? * FUN *)",
        "cron(0 7 L * ? *)",
        "cron(0 7 ? * FRI-MON *)",
        "cron(0 7 ? * MON/0 *)",
        "cron(-1 7 ? * MON *)",
        "at(2026-02-30T08:00:00)",
        "at(2026-02-20 08:00)",
    ],
)
def test_what_aws_would_refuse_or_we_cannot_replay_is_refused(schedule: str) -> None:
    with pytest.raises(InputError, match="schedule"):
        parse(schedule)


def test_the_last_action_before_the_first_minute_still_holds() -> None:
    times = pd.date_range("2026-06-06", periods=3 * 1440, freq="min", tz="UTC", unit="us")  # Saturday
    minimum, maximum = bounds(scheduled(), times)
    changes = times[1:][minimum[1:] != minimum[:-1]]
    assert minimum[0] == 2
    assert list(changes) == [utc("2026-06-08 05:55"), utc("2026-06-08 16:00")]
    assert (maximum == 40).all()


def test_nothing_reverts_when_the_schedule_ends_but_by_the_action_that_ends_it() -> None:
    policy = scheduled()
    times = pd.date_range("2027-02-19 12:00", "2027-02-23", freq="min", tz="UTC", unit="us")
    up_only = replace(policy, schedule=policy.schedule[:1], min_tasks=3)
    assert (bounds(up_only, times)[0] == 12).all()
    ended = replace(policy, schedule=(policy.schedule[0], policy.schedule[2]), min_tasks=3)
    minimum, _ = bounds(ended, times)
    assert list(times[1:][minimum[1:] != minimum[:-1]]) == [utc("2027-02-22 00:10")]


def test_without_a_schedule_or_before_its_first_action_the_own_bounds_hold() -> None:
    times = pd.date_range("2026-06-06", periods=10, freq="min", tz="UTC", unit="us")
    assert (bounds(tracking(min_tasks=5), times)[0] == 5).all()
    late = replace(scheduled().schedule[0], start=utc("2026-07-01"))
    assert (bounds(tracking(min_tasks=5, schedule=(late,)), times)[0] == 5).all()
