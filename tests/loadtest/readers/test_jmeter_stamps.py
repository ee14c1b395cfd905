"""Time stamps: of numbers and dates, of starts and ends, on clocks that are set while the test runs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.errors import InputError
from capacity.loadtest.readers.jmeter import columns, dates
from capacity.loadtest.readers.jmeter.clock import Clock
from capacity.loadtest.samples import CONTAINER, REQUEST
from tests.loadtest.readers.jmeter import RUNS, lines, table, unpacked
from tests.loadtest.readers.reading import written

COLUMNS = ["timeStamp", "elapsed", "label", "threadName", "success"]


def stamped(folder: Path, *stamps: str, elapsed: int = 20) -> Path:
    told = [
        {"timeStamp": s, "elapsed": elapsed, "label": "a", "threadName": "m 1-1", "success": "true"} for s in stamps
    ]
    return written(folder, lines(told, COLUMNS))


def micros(*moment: int, zone: str = "UTC") -> int:
    local = datetime(*moment, tzinfo=ZoneInfo(zone))  # type: ignore[arg-type, misc]
    return int(local.timestamp()) * 1_000_000 + local.microsecond


@pytest.mark.parametrize(
    ("stamp", "start"),
    [
        ("2026/11/23 09:54:13.902", micros(2026, 11, 23, 9, 54, 13, 902_000)),
        ("2026/11/23 09:54:13", micros(2026, 11, 23, 9, 54, 13)),
        ("2026-11-23 09:54:13.902", micros(2026, 11, 23, 9, 54, 13, 902_000)),
        ("2024-02-29 23:59:59", micros(2024, 2, 29, 23, 59, 59)),
        ("11/23/26 09:54:13", micros(2026, 11, 23, 9, 54, 13)),
        ("2026-11-23T09:54:13.902Z", micros(2026, 11, 23, 9, 54, 13, 902_000)),
        ("2026-11-23T09:54:13.5+05:30", micros(2026, 11, 23, 4, 24, 13, 500_000)),
        ("1795427364220", 1_795_427_364_220_000),
        ("1795427364", 1_795_427_364_000_000),
        ("1795427364220123", 1_795_427_364_220_123),
    ],
)
def test_a_stamp_is_read_by_its_pattern(stamp: str, start: int, tmp_path: Path) -> None:
    rows, findings = table(stamped(tmp_path, stamp), timezone="UTC")
    assert rows["start"].tolist() == [start]
    assert "no such date" not in findings


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2099, 12, 31)))
@settings(max_examples=30, deadline=None)
def test_every_date_of_the_calendar_is_the_day_python_says(moment: datetime) -> None:
    text, state = f"{moment:%Y/%m/%d %H:%M:%S}.{moment.microsecond // 1000:03}", np.zeros(columns.STATE, dtype=np.int64)
    data = np.frombuffer(bytearray(text.encode()), dtype=np.uint8)
    found = dates.date(data, 0, len(text), columns.STAMP_YEAR_FIRST, state)
    assert (
        found // 1000 == int(moment.replace(tzinfo=UTC, microsecond=0).timestamp()) * 1000 + moment.microsecond // 1000
    )
    assert state[columns.NO_SUCH_DATE] == 0


def test_dates_are_on_the_clock_that_is_said_and_otherwise_in_utc_with_a_finding(tmp_path: Path) -> None:
    path = stamped(tmp_path, "2026/07/01 12:00:00.000")
    rows, findings = table(path, timezone="Europe/Berlin")
    assert rows["start"].tolist() == [micros(2026, 7, 1, 10, 0, 0)]
    assert findings["timezone"].status == "PASS"
    rows, findings = table(path)
    assert rows["start"].tolist() == [micros(2026, 7, 1, 12, 0, 0)]
    assert findings["timezone"].status == "REVIEW"
    assert "UTC" in findings["timezone"].message


def test_the_dated_file_and_the_one_in_milliseconds_are_the_same_kind_of_run() -> None:
    rows, _ = table(RUNS / "variants-v5.semi-date.jtl.gz")
    first = unpacked(RUNS / "variants-v5.semi-date.jtl.gz").splitlines()[1].split(";")[0]
    assert rows["start"][0] == int(datetime.fromisoformat(f"{first.replace('/', '-')}+00:00").timestamp() * 1000) * 1000
    assert set(rows["host"]) == {"vm"}


@pytest.mark.parametrize(
    ("stamps", "status", "count"),
    [
        (["2026-10-25 01:30:00", "2026-10-25 02:30:00", "2026-10-25 03:30:00"], "FAIL", 1),  # one hour goes twice
        (["2026-03-29 01:30:00", "2026-03-29 02:30:00", "2026-03-29 03:30:00"], "FAIL", 1),  # one hour does not come
        (["2026-03-29 01:30:00", "2026-03-29 03:30:00"], "REVIEW", 0),
    ],
)
def test_a_clock_that_is_set_while_the_test_runs_is_said(
    stamps: list[str], status: str, count: int, tmp_path: Path
) -> None:
    _, findings = table(stamped(tmp_path, *stamps), timezone="Europe/Berlin")
    assert (findings["clock change"].status, findings["clock change"].count) == (status, count)
    _, findings = table(stamped(tmp_path, *stamps))
    assert "clock change" not in findings


@given(
    st.integers(0, 2**31), st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
)
@settings(max_examples=40, deadline=None)
def test_local_time_goes_to_utc_and_back(second: int, zone: str) -> None:
    local = datetime.fromtimestamp(second, ZoneInfo(zone))
    wall = int(local.replace(tzinfo=UTC).timestamp()) * 1_000_000
    clock = Clock(zone)
    found = int(clock.utc(np.array([wall]))[0])
    first = local.replace(fold=0).timestamp()  # an hour gone through twice is its first pass
    assert found == int(first) * 1_000_000
    assert clock.twice == int(local.replace(fold=1).timestamp() != first)


def test_a_zone_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'Mars/Olympus' is no time zone"):
        table(stamped(tmp_path, "2026/07/01 12:00:00"), timezone="Mars/Olympus")


def test_a_day_that_no_calendar_has_is_carried_over_as_java_does_and_said(tmp_path: Path) -> None:
    rows, findings = table(stamped(tmp_path, "2001/20/20 12:05:05.123", "2001/20/20 12:05:25.123"))
    assert rows["start"].tolist() == [micros(2002, 8, 20, 12, 5, 5, 123_000), micros(2002, 8, 20, 12, 5, 25, 123_000)]
    assert findings["no such date"].count == 2


def run_of_one_thread(rng: np.random.Generator, count: int, *, ends: bool) -> list[dict[str, object]]:
    """Samples one after the other, with sub-results now and then."""
    now, told = 1_795_427_364_220, []
    for number in range(count):
        took = int(rng.integers(1, 80))
        page = number % 10 == 0
        for label, begin, length in [
            ("a", now, took),
            *([("a-0", now, took // 2), ("a-1", now + took // 2, took // 2)] * page),
        ]:
            stamp = begin + length * ends
            told.append(
                {"timeStamp": stamp, "elapsed": length, "label": label, "threadName": "m 1-1", "success": "true"}
            )
        now += took + int(rng.integers(0, 3))
    return told


@pytest.mark.parametrize("ends", [False, True])
def test_stamps_that_are_ends_are_noticed_because_a_thread_does_one_thing_at_a_time(ends: bool, tmp_path: Path) -> None:
    starts, _ = table(written(tmp_path, lines(run_of_one_thread(np.random.default_rng(1), 200, ends=False), COLUMNS)))
    told = run_of_one_thread(np.random.default_rng(1), 200, ends=ends)
    rows, findings = table(written(tmp_path, lines(told, COLUMNS), "ends"))
    assert ("end stamps" in findings) == ends
    assert rows["start"].tolist() == starts["start"].tolist()
    assert rows["kind"].tolist() == starts["kind"].tolist()
    assert rows["kind"].value_counts().to_dict() == {REQUEST: 220, CONTAINER: 20}
