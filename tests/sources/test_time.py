"""Clocks that change, stamps beside the grid, epochs of every unit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.sources.stamps import stamps_of
from tests.sources.texts import HEADER, checks, read, refused, utc

MOMENTS = st.datetimes(datetime(1995, 1, 1), datetime(2095, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
OFFSETS = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timedelta(minutes=15 * quarters))
SPELLINGS = [
    lambda moment, offset: (moment + offset).replace(tzinfo=None).isoformat() + _offset(offset),
    lambda moment, offset: (moment + offset).strftime("%Y-%m-%d %H:%M:%S ") + _offset(offset),
    lambda moment, offset: (moment + offset).strftime("%Y%m%dT%H%M%S") + _offset(offset).replace(":", ""),
    lambda moment, _: moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    lambda moment, _: str(int(moment.timestamp())),
    lambda moment, _: str(int(moment.timestamp()) * 1000),
    lambda moment, _: str(int(moment.timestamp()) * 1_000_000),
]


def _offset(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


@given(moments=st.lists(st.tuples(MOMENTS, OFFSETS, st.sampled_from(SPELLINGS)), min_size=1, max_size=20))
def test_a_moment_is_the_same_however_it_is_spelt(moments: list[tuple]) -> None:  # type: ignore[type-arg]
    words = [spelling(moment, offset) for moment, offset, spelling in moments]
    found = stamps_of(pd.Series(words, dtype=object))
    assert found.us.tolist() == [int(moment.timestamp()) * 1_000_000 for moment, _, _ in moments]
    assert not found.bad.any()
    assert not found.naive.any()


def local(clock: list[str], zone: str, folder: Path, values: list[float] | None = None) -> list[pd.Timestamp]:
    """UTC stamps of rows written by a local clock."""
    text = HEADER + "".join(
        f"web,requests,{stamp},{value}\n" for stamp, value in zip(clock, values or range(len(clock)), strict=True)
    )
    frame = read(folder, text, timezone=zone).frame
    return frame.sort_values("value")["timestamp"].tolist()


@settings(max_examples=20)
@given(st.sampled_from(["Europe/Paris", "America/New_York", "Australia/Sydney"]), st.integers(0, 8000), st.booleans())
def test_a_local_clock_in_order_tells_every_hour(
    tmp_path_factory: pytest.TempPathFactory, zone: str, first: int, falling: bool
) -> None:
    """Hours over any changes of clocks, written by the local clock, come back as the hours they were."""
    hours = pd.date_range("2026-01-01", periods=8760, freq="h", tz="UTC", unit="us")[first : first + 900]
    rows = hours[::-1] if falling else hours
    clock = [stamp.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M") for stamp in rows]
    found = local(clock, zone, tmp_path_factory.mktemp("local"))
    assert found == list(rows)


def test_an_hour_that_happened_twice_is_told_by_order_and_said(tmp_path: Path) -> None:
    clock = ["2026-10-25 01:00", "2026-10-25 02:00", "2026-10-25 02:00", "2026-10-25 03:00"]
    assert local(clock, "Europe/Paris", tmp_path) == utc(
        "2026-10-24 23:00", "2026-10-25 00:00", "2026-10-25 01:00", "2026-10-25 02:00"
    )
    text = HEADER + "".join(f"web,requests,{stamp},{value}\n" for value, stamp in enumerate(clock))
    assert checks(read(tmp_path, text, timezone="Europe/Paris")) == {"clock": "REVIEW"}


@pytest.mark.parametrize(
    "clock",
    [
        ["2026-10-25 01:00", "2026-10-25 02:00", "2026-10-25 03:00", "2026-10-25 04:00"],  # only one of the two
        ["2026-10-25 02:00", "2026-10-25 01:00", "2026-10-25 02:00", "2026-10-25 03:00"],  # not in order
        ["2026-10-25 01:30", "2026-10-25 02:00", "2026-10-25 02:30", "2026-10-25 02:00", "2026-10-25 03:00"],
    ],
)
def test_an_hour_that_order_does_not_tell_is_a_problem_with_rows(tmp_path: Path, clock: list[str]) -> None:
    text = HEADER + "".join(f"web,requests,{stamp},{value}\n" for value, stamp in enumerate(clock))
    error = refused(tmp_path, text, timezone="Europe/Paris")
    doubled = [row for row, stamp in enumerate(clock, start=2) if " 02:" in stamp]
    assert [problem.where for problem in error.problems] == [f"usage.csv row {row}" for row in doubled]
    assert "happened twice in Europe/Paris" in str(error)


def test_an_hour_that_never_happened_is_a_problem_with_its_row(tmp_path: Path) -> None:
    clock = ["2026-03-29 01:00", "2026-03-29 02:00", "2026-03-29 03:00"]
    text = HEADER + "".join(f"web,requests,{stamp},1\n" for stamp in clock)
    error = refused(tmp_path, text, timezone="Europe/Paris")
    assert [problem.where for problem in error.problems] == ["usage.csv row 3"]
    assert "never happened" in str(error)


def test_days_of_a_local_clock_are_days_and_said(tmp_path: Path) -> None:
    days = pd.date_range("2026-03-01", periods=60, freq="D")
    text = HEADER + "".join(f"web,requests,{day:%Y-%m-%d},{value}\n" for value, day in enumerate(days))
    observations = read(tmp_path, text, timezone="Europe/Paris")
    assert set(np.diff(observations.frame["timestamp"])) == {np.timedelta64(1, "D")}
    assert observations.frame["value"].tolist() == list(range(60))
    [finding] = observations.findings
    assert (finding.check, finding.status) == ("clock", "REVIEW")
    assert "3600 s" in finding.message


def test_seconds_of_jitter_are_moved_to_the_grid_and_said(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    grid = pd.date_range("2026-08-03", periods=200, freq="5min", unit="us")
    stamps = grid + pd.to_timedelta(rng.integers(-9, 10, len(grid)), unit="s")
    text = HEADER + "".join(f"web,requests,{stamp.isoformat()}Z,{value}\n" for value, stamp in enumerate(stamps))
    observations = read(tmp_path, text)
    assert observations.frame["timestamp"].dt.tz_localize(None).tolist() == list(grid)
    [finding] = observations.findings
    assert (finding.check, finding.status, finding.count) == ("clock", "REVIEW", int((stamps != grid).sum()))
    assert "up to 9 s" in finding.message


def test_a_stamp_far_beside_the_grid_is_a_problem_with_its_row(tmp_path: Path) -> None:
    stamps = [f"2026-08-03T{hour:02}:00Z" for hour in range(10)]
    stamps[7] = "2026-08-03T07:25Z"
    text = HEADER + "".join(f"web,requests,{stamp},1\n" for stamp in stamps)
    error = refused(tmp_path, text)
    assert [problem.where for problem in error.problems] == ["usage.csv row 9"]
    assert "1500 s beside the grid of 3,600 s" in str(error)


def test_a_grid_need_not_begin_on_the_hour(tmp_path: Path) -> None:
    text = HEADER + "".join(f"web,requests,2026-08-03T{hour:02}:17:30Z,1\n" for hour in range(10))
    observations = read(tmp_path, text)
    assert len(observations.findings) == 0
    assert observations.frame["timestamp"].iloc[0] == pd.Timestamp("2026-08-03T00:17:30Z")


def test_hours_in_one_file_and_minutes_in_another_are_two_series(tmp_path: Path) -> None:
    hours = HEADER + "".join(f"web,requests,2026-08-03T{hour:02}:00Z,{hour}\n" for hour in range(24))
    minutes = HEADER + "".join(f"web,requests,2026-08-03T00:{minute:02}Z,{minute}.5\n" for minute in range(60))
    (tmp_path / "hours.csv").write_text(hours)
    frame = read(tmp_path, minutes, "minutes.csv").frame
    assert set(frame["interval"]) == {60}
    from capacity.sources import Files

    both = Files(tmp_path).read().frame
    assert both.groupby("interval").size().to_dict() == {60: 60, 3600: 24}
