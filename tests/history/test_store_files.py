"""The files a store keeps: few, none of them larger than it has to be, and none opened that cannot matter."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.errors import StoreError
from capacity.history import Appended, Store
from capacity.history.compaction import due
from capacity.history.manifest import GRACE, Entry, Manifest, load
from tests.history.rows import START, Place, contents, observations, origins

MONTH = 31 * 24  # hours of August
AUGUST = "202608"


def file_of(rows: int, commit: int) -> Entry:
    return Entry(f"{commit}", 0, rows, 0, 0, 0, 0, commit, commit, 0, commit)


def appended(sizes: list[int], most: int) -> tuple[list[Entry], int]:
    """The files after appends of so many rows each, and how many rows were merged on the way."""
    entries: list[Entry] = []
    rewritten = 0
    for commit, rows in enumerate(sizes, 1):
        entries.append(file_of(rows, commit))
        run = due(entries, most)
        if run:
            total = sum(entry.rows for entry in run)
            rewritten += total
            merged = replace(file_of(total, commit), oldest=run[0].oldest)
            entries = [*entries[: len(entries) - len(run)], merged]
    return entries, rewritten


@pytest.mark.parametrize("rows", [1, 100, 5_000, 40_000, 500_000])
def test_equal_appends_leave_few_files_and_rewrite_each_row_a_few_times(rows: int) -> None:
    entries, rewritten = appended([rows] * 2000, most=2**22)
    assert len(entries) <= 3 * 7 + rows * 2000 // 2**21
    small = 2000 * 2**15 // 7  # what is smaller than the smallest size is merged by every seventh append
    assert rewritten <= 3 * rows * 2000 + small


@given(st.lists(st.sampled_from([1, 50, 3_000, 20_000, 100_000, 900_000, 3_000_000]), max_size=300))
def test_whatever_comes_in_no_row_is_lost_and_neighbours_stay_in_order(sizes: list[int]) -> None:
    entries, _ = appended(sizes, most=2**22)
    assert sum(entry.rows for entry in entries) == sum(sizes)
    assert [entry.oldest for entry in entries] == [1, *(entry.newest + 1 for entry in entries)][: len(entries)]
    full = sum(entry.rows >= 2**21 for entry in entries)
    assert len(entries) <= (full + 1) * 8**3


def test_files_written_as_one_are_merged_together_or_not_at_all() -> None:
    """A row that replaces one in the sister file would otherwise pass for the first of its key."""
    later = [file_of(100, commit) for commit in range(9, 17)]
    large, small = file_of(2**22, 8), replace(file_of(100, 8), name="8b", low=1, high=1)
    assert due([large, small, *later[:7]], most=2**22) == []
    assert due([large, small, *later], most=2**22) == later
    assert due([replace(large, rows=100), small, *later[:7]], most=2**22) == [
        replace(large, rows=100),
        small,
        *later[:7],
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 1, 30, 90, 400, 700, -1, -90, -500, -3600]), st.booleans(), st.sampled_from("ab")
        ),
        min_size=1,
        max_size=25,
    )
)
def test_commits_that_are_remembered_are_remembered_whole(commits: list[tuple[int, bool, str]]) -> None:
    """Whatever clocks do (seconds between commits; they are set back, too) and whether files are added or merged."""
    now, manifest, held = START, Manifest(), [dict[str, tuple[Entry, ...]]()]
    for seconds, merge, part in commits:
        now += pd.Timedelta(seconds=seconds)
        new = file_of(1, manifest.generation + 1)
        manifest = manifest.after({part: (new,) if merge else (*manifest.parts.get(part, ()), new)}, (), now)
        held.append(dict(manifest.parts))
        for generation in range(manifest.remembered, manifest.generation + 1):
            assert dict(manifest.as_of(generation).parts) == held[generation]


def test_the_commit_before_is_remembered_however_long_ago_it_was() -> None:
    """A copy that began just before this commit may hold what the last one held, if that was a week ago."""
    first = Manifest().after({AUGUST: (file_of(1, 1),)}, (), START)
    second = first.after({AUGUST: (file_of(2, 2),)}, (), START + pd.Timedelta(days=7))
    assert second.remembered == 1
    assert second.as_of(1).parts == first.parts
    assert second.after({AUGUST: (file_of(3, 3),)}, (), START + pd.Timedelta(days=14)).remembered == 2


def test_many_small_appends_are_few_files(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for hour in range(16):
        store.append(observations({("web", hour): hour}))
        assert store.info().files <= 8  # seven of the month, and that of the series
    assert contents(store.history()) == {("web", hour): float(hour) for hour in range(16)}
    assert store.info().rows == 16


def test_merged_files_are_no_larger_than_they_are_to_be(tmp_path: Path) -> None:
    store = Store(tmp_path, rows_per_file=40)
    expected: dict[Place, float] = {}
    for batch in range(9):
        rows = {(f"s{place}", batch + hour): float(batch) for place in range(9) for hour in range(2)}
        store.append(observations(rows, fetched=batch))
        expected |= rows
    months = load(tmp_path).parts[AUGUST]
    merged = [entry for entry in months if entry.oldest < entry.newest]
    assert len(merged) > 1
    assert max(entry.rows for entry in merged) <= 40 + 32  # a series stays whole
    assert contents(store.history()) == expected
    assert store.info().rows == len(expected)


def test_files_that_cannot_hold_a_key_are_not_opened(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(observations({("web", hour): 1 for hour in range(10)}))
    store.append(observations({("web", hour): 1 for hour in range(10, 20)}))
    [old] = [entry for entry in load(tmp_path).parts[AUGUST] if entry.newest == 1]
    (tmp_path / old.name).write_bytes(b"x" * old.bytes)
    assert store.append(observations({("web", hour): 1 for hour in range(15, 25)})) == Appended(5, 0, 5)
    assert store.append(observations({("api", hour): 1 for hour in range(10)})) == Appended(10, 0, 0)
    assert contents(store.history(services="api")) == {("api", hour): 1.0 for hour in range(10)}
    with pytest.raises(StoreError, match="nothing of this append is kept"):
        store.append(observations({("web", 9): 1}))


def test_a_row_revised_again_and_again_is_one_row(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(observations({("web", hour): 0 for hour in range(50)}))
    for value in range(1, 12):
        store.append(observations({("web", 7): value, ("web", 50 + value): 0}, "late", fetched=value))
    assert store.info().rows == len(contents(store.history())) == 61
    assert contents(store.history())[("web", 7)] == 11
    assert origins(store.history())[("web", 7)] == ("late", 11)
    assert origins(store.history())[("web", 8)] == ("test", 0)


def test_a_copy_from_before_a_merge_opens_as_of_then(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    for hour in range(7):
        store.append(observations({("web", hour): hour}))
    shutil.copytree(tmp_path / "store", tmp_path / "copy")
    store.append(observations({("web", 7): 7}))  # the eighth: they become one
    assert len(load(tmp_path / "store").parts[AUGUST]) == 1
    shutil.copy(tmp_path / "store" / "manifest.json", tmp_path / "copy" / "manifest.json")
    assert contents(Store(tmp_path / "copy").history()) == {("web", hour): float(hour) for hour in range(7)}
    Store(tmp_path / "copy").append(observations({("web", 3): 33, ("web", 9): 9}, fetched=1))
    again = Store(tmp_path / "copy")
    expected = {("web", hour): float(hour) for hour in range(7)} | {("web", 3): 33.0, ("web", 9): 9.0}
    assert contents(again.history()) == expected
    assert again.info().rows == 8


def test_a_lost_file_of_long_ago_is_damage_and_no_way_back(tmp_path: Path) -> None:
    """Nothing has replaced any file: still, the store does not go back to its first commit, and lose the others."""
    times = [START]
    store = Store(tmp_path, clock=lambda: times[0])
    for hour in range(4):
        store.append(observations({("web", hour): 1}))
        times[0] += GRACE / 2 + pd.Timedelta(seconds=1)
    second = load(tmp_path).parts[AUGUST][1]
    content = (tmp_path / second.name).read_bytes()
    (tmp_path / second.name).unlink()
    with pytest.raises(StoreError, match="damaged"):
        store.append(observations({("web", 5): 1}))
    (tmp_path / second.name).write_bytes(content)
    assert len(contents(store.history())) == 4


def version_2(folder: Path) -> None:
    """A store as version 2 wrote it: one file a month, replaced by each append; the first commit is remembered."""
    (folder / f"month={AUGUST}").mkdir(parents=True)
    ts = int(START.timestamp()) * 1_000_000
    hour = f"make_timestamp({ts} + h * 3600000000)"

    def entry(name: str, rows: int, since: int) -> dict[str, Any]:
        size = (folder / name).stat().st_size
        return {"name": name, "bytes": size, "rows": rows, "start": ts, "end": ts + (rows - 1) * 3600 * 10**6} | {
            "since": since
        }

    with duckdb.connect() as connection:
        for commit, rows in ((1, 2), (2, 3)):
            columns = f"0::INTEGER AS series, {hour} AS ts, h::DOUBLE AS value, 0::INTEGER AS source"
            query = f"SELECT {columns}, make_timestamp({ts}) AS fetched FROM range({rows}) t(h)"
            path = folder / f"month={AUGUST}/0000000{commit}-a.parquet"
            connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
        one = "SELECT 0::INTEGER AS series, 'web' AS service, 'requests' AS metric, 'mean' AS stat, 3600 AS interval"
        connection.execute(f"COPY ({one}) TO '{folder}/series-00000001-a.parquet' (FORMAT parquet)")
    manifest = {
        "format": "capacity-history",
        "version": 2,
        "generation": 2,
        "remembered": 1,
        "sources": ["cloudwatch"],
        "parts": {
            AUGUST: entry(f"month={AUGUST}/00000002-a.parquet", 3, 2),
            "series": {**entry("series-00000001-a.parquet", 1, 1), "start": 0, "end": 0},
        },
        "retired": [
            {
                "entry": entry(f"month={AUGUST}/00000001-a.parquet", 2, 1),
                "part": AUGUST,
                "until": 2,
                "at": START.isoformat(),
            }
        ],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_store_of_version_2_is_read_as_it_is_and_goes_on_as_version_3(tmp_path: Path) -> None:
    version_2(tmp_path)
    store = Store(tmp_path, clock=lambda: START)
    assert contents(store.history()) == {("web", 0): 0, ("web", 1): 1, ("web", 2): 2}
    assert store.info().rows == 3
    assert len(store.coverage()) == 0
    assert json.loads((tmp_path / "manifest.json").read_text())["version"] == 2
    assert store.append(observations({("web", 1): 9, ("web", 3): 3, ("web", 2): 2}, "new", 1)) == Appended(1, 1, 1)
    assert json.loads((tmp_path / "manifest.json").read_text())["version"] == 3
    assert contents(store.history()) == {("web", 0): 0, ("web", 1): 9, ("web", 2): 2, ("web", 3): 3}
    assert origins(store.history())[("web", 2)] == ("cloudwatch", 0)
    assert origins(store.history())[("web", 1)] == ("new", 1)
    assert store.info().rows == 4
    for value in range(20, 26):  # until it is merged with what version 2 wrote
        store.append(observations({("web", 0): value}, "new", value))
    assert contents(store.history()) == {("web", 0): 25, ("web", 1): 9, ("web", 2): 2, ("web", 3): 3}
    assert store.info().rows == 4


def test_a_copy_of_a_store_of_version_2_caught_in_a_commit_opens_as_of_the_commit_before(tmp_path: Path) -> None:
    version_2(tmp_path)
    (tmp_path / f"month={AUGUST}/00000002-a.parquet").unlink()
    assert contents(Store(tmp_path).history()) == {("web", 0): 0, ("web", 1): 1}
