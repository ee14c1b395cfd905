"""The store: what is appended is there, once, with its origin; nothing else changes."""

from __future__ import annotations

import json
import shutil
import threading
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.errors import HistoryError, InputError, StoreError
from capacity.history import Appended, Store
from capacity.history.manifest import GRACE
from capacity.sources import Span
from capacity.sources.coverage import Coverage
from capacity.sources.files import MANIFEST
from tests.history.rows import START, contents, covered, observations, origins

MONTH = 31 * 24  # hours of August


def hours(coverage: Coverage) -> set[tuple[str, str, int]]:
    """(source, service, hour) of all that is covered; spans are in order and apart, or this fails."""
    found = set()
    for asked, spans in coverage.spans.items():
        assert all(one.end < other.start for one, other in pairwise(spans))
        for start, end in spans:
            first, last = ((stamp - START) // pd.Timedelta(hours=1) for stamp in (start, end))
            found |= {(asked.source, asked.service, hour) for hour in range(first, last)}
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_what_is_appended_is_there_with_its_origin(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    assert store.append(observations({("web", 0): 1, ("api", MONTH): 2}, "cloudwatch", 5)) == Appended(2, 0, 0)
    assert contents(store.history()) == {("web", 0): 1, ("api", MONTH): 2}
    assert origins(store.history()) == {("web", 0): ("cloudwatch", 5), ("api", MONTH): ("cloudwatch", 5)}


def test_the_same_rows_twice_change_no_byte(tmp_path: Path) -> None:
    rows = observations({("web", hour): hour for hour in range(MONTH + 5)})
    store = Store(tmp_path)
    store.append(rows)
    before = files(tmp_path)
    assert store.append(rows) == Appended(0, 0, MONTH + 5)
    assert files(tmp_path) == before


def test_a_later_revision_wins_and_an_earlier_one_does_not(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(observations({("web", 0): 1, ("web", 1): 1}, "first", fetched=10))
    assert store.append(observations({("web", 0): 2}, "late", fetched=20)) == Appended(0, 1, 0)
    assert store.append(observations({("web", 0): 3, ("web", 1): 1}, "old", fetched=5)) == Appended(0, 0, 1, 1)
    assert store.append(observations({("web", 0): 4}, "as late", fetched=20)) == Appended(0, 1, 0)
    assert contents(store.history()) == {("web", 0): 4, ("web", 1): 1}
    assert origins(store.history()) == {("web", 0): ("as late", 20), ("web", 1): ("first", 10)}


def test_only_months_that_change_are_written(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(observations({("web", 0): 1, ("web", MONTH): 1, ("web", 2 * MONTH): 1}))
    before = set(files(tmp_path))
    store.append(observations({("web", MONTH + 1): 1, ("web", 0): 1}))
    new = [name for name in set(files(tmp_path)) - before if name.startswith("month=")]
    assert [name.split("/")[0] for name in new] == ["month=202609"]


BATCHES = st.lists(
    st.tuples(
        st.dictionaries(
            st.tuples(st.sampled_from(["a", "b", "ü <x>"]), st.integers(MONTH - 3, MONTH + 3)),
            st.sampled_from([0.0, 1.0, 2.5, -1.0]),
            max_size=8,
        ),
        st.sampled_from(["s", "t"]),
        st.integers(0, 3),
        st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 9), st.integers(0, 9)), max_size=2),
    ),
    max_size=10,
)


@settings(max_examples=10)
@given(batches=BATCHES, rows_per_file=st.sampled_from([2, 8, 2**22]))
def test_the_store_does_what_a_plain_dict_would(
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[tuple[dict[tuple[str, int], float], str, int, list[tuple[str, int, int]]]],
    rows_per_file: int,
) -> None:
    """A second opinion: the rule said row by row, whatever files there are and have been merged."""
    store = Store(tmp_path_factory.mktemp("oracle"), rows_per_file=rows_per_file)
    kept: dict[tuple[str, int], tuple[float, str, float]] = {}
    known: set[tuple[str, str, int]] = set()
    for values, source, fetched, spans in batches:
        counts = [0, 0, 0, 0]
        for place, value in values.items():
            if place not in kept:
                fate = 0
            elif kept[place][0] == value:
                fate = 2
            else:
                fate = 1 if fetched >= kept[place][2] else 3
            counts[fate] += 1
            if fate < 2:
                kept[place] = (value, source, fetched)
        known |= {(source, service, hour) for service, first, end in spans for hour in range(first, end)}
        appended = store.append(observations(values, source, fetched), covered(*spans, source=source))
        assert appended == Appended(*counts)
    assert hours(store.coverage()) == known
    if kept:
        history = store.history()
        assert store.info().rows == len(kept)
        assert contents(history) == {place: value for place, (value, _, _) in kept.items()}
        assert origins(history) == {place: (source, fetched) for place, (_, source, fetched) in kept.items()}


def test_filters_read_what_was_asked_for_and_no_more(tmp_path: Path) -> None:
    store = Store(tmp_path)
    everything = {
        (service, hour): hour + ord(service[0]) for service in ("web", "api") for hour in range(0, 3 * MONTH, 7)
    }
    store.append(observations(everything))
    span = Span(START + pd.Timedelta(hours=100), START + pd.Timedelta(hours=MONTH + 50))
    inside = {place: value for place, value in everything.items() if 100 <= place[1] < MONTH + 50}
    assert contents(store.history(span=span)) == inside
    assert contents(store.history(span=span, services="web")) == {p: v for p, v in inside.items() if p[0] == "web"}
    assert contents(store.history(metrics=["cpu"])) == {}
    for month in tmp_path.glob("month=202610"):  # a month outside of the span is not even opened
        for path in month.iterdir():
            path.write_bytes(b"x" * path.stat().st_size)
    assert contents(store.history(span=span)) == inside
    with pytest.raises(HistoryError, match="did you mean 'web'"):
        store.history(services=["wbe"])
    with pytest.raises(InputError, match="unknown metric"):
        store.history(metrics=["noise"])


def test_a_store_says_what_it_holds(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(observations({("web", 0): 1, ("api", MONTH): 2}, "cloudwatch"))
    store.append(observations({("web", 1): 1}, "files:a.csv"))
    info = store.info()
    assert (info.rows, info.series, info.services, info.commits) == (3, 2, 2, 2)
    assert info.span == Span(START, START + pd.Timedelta(hours=MONTH))
    assert info.sources == ("cloudwatch", "files:a.csv")
    parts = json.loads((tmp_path / "manifest.json").read_text())["parts"].values()
    live = [tmp_path / entry["name"] for entries in parts for entry in entries]
    assert (info.files, info.bytes) == (len(live), sum(path.stat().st_size for path in live))


def test_a_row_takes_few_bytes(tmp_path: Path) -> None:
    """Source and fetch time of each row, too; noise itself takes up to 8 bytes a row, and is what is left."""
    values = np.random.default_rng(3).random(4 * MONTH * 20)
    rows = {(f"service-{place % 20}", place // 20): float(value) for place, value in enumerate(values)}
    store = Store(tmp_path)
    store.append(observations(rows))
    assert store.info().bytes / len(rows) < 10


def test_replaced_files_stay_for_readers_and_go_later(tmp_path: Path) -> None:
    times = [START]
    store = Store(tmp_path, clock=lambda: times[0])
    store.append(observations({("web", 0): 1}))
    [first] = tmp_path.glob("month=202608/*")
    times[0] += pd.Timedelta(minutes=1)
    for value in (2, 3):  # twice revised, two of three rows are of no use any more: the month is merged
        store.append(observations({("web", 0): value}))
    assert store.info().files == 2  # of the month, and of the series
    assert first.exists()
    times[0] += GRACE + pd.Timedelta(seconds=1)
    store.append(observations({("web", MONTH): 1}))
    assert not first.exists()
    assert len(list(tmp_path.glob("month=202608/*"))) == 1
    assert contents(store.history()) == {("web", 0): 3, ("web", MONTH): 1}


def test_leftovers_of_a_writer_that_died_are_cleared(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(observations({("web", 0): 1}))
    leftover = tmp_path / "month=202608" / "00000002-killed.parquet"
    leftover.write_bytes(b"half a file")
    (tmp_path / "manifest.json.tmp").write_bytes(b"half a manifest")
    assert contents(store.history()) == {("web", 0): 1}
    store.append(observations({("web", 1): 1}))
    assert not leftover.exists()
    assert len(contents(store.history())) == 2


def test_a_copy_that_caught_a_commit_half_way_opens_as_of_the_commit_before(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.append(observations({("web", 0): 1, ("web", MONTH): 1}))
    shutil.copytree(tmp_path / "store", tmp_path / "copy")
    store.append(observations({("web", 0): 2, ("api", MONTH): 3}, fetched=1))
    shutil.copy(tmp_path / "store" / "manifest.json", tmp_path / "copy" / "manifest.json")  # last, and newer
    copy = Store(tmp_path / "copy").history()
    assert contents(copy) == {("web", 0): 1, ("web", MONTH): 1}
    [finding] = copy.findings
    assert (finding.check, finding.status) == ("store", "REVIEW")
    assert "as of commit 1 of 2" in finding.message
    Store(tmp_path / "copy").append(observations({("api", 5): 5}, fetched=2))
    again = Store(tmp_path / "copy").history()
    assert contents(again) == {("web", 0): 1, ("web", MONTH): 1, ("api", 5): 5}
    assert len(again.findings) == 0


def test_a_file_copied_half_written_is_not_taken_for_whole(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(observations({("web", 0): 1}))
    store.append(observations({("web", 1): 2}))
    newest = max(tmp_path.glob("month=202608/*"))
    newest.write_bytes(newest.read_bytes()[:-10])
    assert contents(store.history()) == {("web", 0): 1}


def test_damage_is_said_and_nothing_is_made_up(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(observations({("web", 0): 1}))
    [month] = tmp_path.glob("month=202608/*")
    whole = month.read_bytes()
    month.write_bytes(b"x" * len(whole))
    with pytest.raises(StoreError, match="damaged"):
        store.history()
    month.unlink()
    for use in (store.history, store.info, lambda: store.append(observations({("web", 1): 1}))):
        with pytest.raises(StoreError, match="not there, or not whole: month=202608"):
            use()
    (tmp_path / "manifest.json").write_text('{"format": "capacity-history"')
    with pytest.raises(StoreError, match="damaged"):
        store.history()


def test_commits_that_are_forgotten_are_not_made_up(tmp_path: Path) -> None:
    """Ten minutes on, what an old commit held is no longer known: then a missing file is damage, not an old copy."""
    times = [START]
    store = Store(tmp_path, clock=lambda: times[0])
    for hour in range(3):
        store.append(observations({("web", hour): 1}))
        times[0] += GRACE + pd.Timedelta(seconds=1)
    max(tmp_path.glob("month=202608/*")).unlink()
    max(tmp_path.glob("month=202608/*")).unlink()
    with pytest.raises(StoreError, match="damaged"):
        store.history()


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(observations({("web", 0): 1}))
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "version": 99}))
    before = files(tmp_path)
    for use in (store.history, store.info, lambda: store.append(observations({("web", 1): 1}))):
        with pytest.raises(StoreError, match="newer version"):
            use()
    assert files(tmp_path) == before


def version_1(folder: Path) -> None:
    """A store as version 1 wrote it: rows without origin, months by name."""
    (folder / "month=202608").mkdir(parents=True)
    ts = int(START.timestamp()) * 1_000_000
    with duckdb.connect() as connection:
        stamp = f"make_timestamp({ts} + h * 3600000000)"
        rows = f"SELECT 0::INTEGER AS series, {stamp} AS ts, h::DOUBLE AS value FROM range(3) t(h)"
        connection.execute(f"COPY ({rows}) TO '{folder}/month=202608/old.parquet' (FORMAT parquet)")
        one = "SELECT 0::INTEGER AS series, 'web' AS service, 'requests' AS metric, 'mean' AS stat, 3600 AS interval"
        connection.execute(f"COPY ({one}) TO '{folder}/series.parquet' (FORMAT parquet)")
    manifest = {"format": "capacity-history", "version": 1, "series": "series.parquet"}
    months = {"202608": "month=202608/old.parquet"}
    (folder / "manifest.json").write_text(json.dumps({**manifest, "months": months}))


def test_a_store_of_an_older_version_is_read_as_it_is_and_migrated_by_a_write(tmp_path: Path) -> None:
    version_1(tmp_path)
    before = files(tmp_path)
    store = Store(tmp_path)
    old = {("web", 0): 0.0, ("web", 1): 1.0, ("web", 2): 2.0}
    assert contents(store.history()) == old
    assert {source for source, _ in origins(store.history()).values()} == {"unknown"}
    assert store.info().rows == 3
    assert files(tmp_path) == before
    assert store.append(observations({("web", 1): 9, ("web", 3): 3}, "new")) == Appended(1, 1, 0)
    assert json.loads((tmp_path / "manifest.json").read_text())["version"] == 3
    assert contents(store.history()) == {**old, ("web", 1): 9.0, ("web", 3): 3.0}
    assert origins(store.history())[("web", 0)][0] == "unknown"
    assert origins(store.history())[("web", 3)][0] == "new"


def test_a_folder_of_other_things_does_not_become_a_store(tmp_path: Path) -> None:
    (tmp_path / "usage.csv").write_text("mine")
    with pytest.raises(StoreError, match=r"usage\.csv"):
        Store(tmp_path).append(observations({("web", 0): 1}))
    assert set(files(tmp_path)) == {"usage.csv"}
    with pytest.raises(StoreError, match="no history store"):
        Store(tmp_path / "nowhere").history()
    with pytest.raises(StoreError, match="cannot be a history store"):
        Store(tmp_path / "usage.csv").append(observations({("web", 0): 1}))
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(StoreError, match="belongs to something else"):
        Store(tmp_path).append(observations({("web", 0): 1}))


def test_a_folder_that_cannot_be_a_store_is_refused_before_a_source_is_asked(tmp_path: Path) -> None:
    """What knows nothing yet is asked first: a pull costs money."""
    (tmp_path / "report.txt").write_text("mine")
    with pytest.raises(StoreError, match="choose an empty folder"):
        Store(tmp_path).coverage()
    with pytest.raises(StoreError, match="is a file, and a history store is a folder"):
        Store(tmp_path / "report.txt").coverage()
    assert len(Store(tmp_path / "store").coverage()) == 0
    assert not (tmp_path / "store").exists()


def test_a_disk_that_takes_no_more_keeps_the_store_and_nothing_of_the_append(tmp_path: Path) -> None:
    """One month fits and the next does not. A limit on the size of files stands for a full disk."""
    resource = pytest.importorskip("resource")
    store = Store(tmp_path)
    store.append(observations({("web", 0): 1.0}))
    before = sorted(path.name for path in tmp_path.rglob("*.parquet"))
    noise = np.random.default_rng(1)
    two = {("web", 743): 1.0} | {("web", hour): noise.random() for hour in range(744, 3000)}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, limits[1]))
        with pytest.raises(StoreError, match="nothing of this append is kept"):
            store.append(observations(two))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(path.name for path in tmp_path.rglob("*.parquet")) == before
    assert contents(store.history()) == {("web", 0): 1.0}
    assert store.append(observations(two)).rows_added == len(two)


def test_a_manifest_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(observations({("web", 0): 1.0}))
    (tmp_path / f"{MANIFEST}.tmp").mkdir()  # where the next one would be written
    with pytest.raises(StoreError, match="this append could not be committed"):
        store.append(observations({("web", 1): 1.0}))
    assert contents(store.history()) == {("web", 0): 1.0}


def test_a_second_writer_waits_and_then_says_why_it_gave_up(tmp_path: Path) -> None:
    from capacity.history.disk import one_writer
    from capacity.history.manifest import LOCK

    Store(tmp_path).append(observations({("web", 0): 1}))
    with one_writer(tmp_path / LOCK, wait=1):
        with pytest.raises(StoreError, match="another process is writing"):
            Store(tmp_path, wait=0.05).append(observations({("web", 1): 1}))
        assert contents(Store(tmp_path).history()) == {("web", 0): 1}  # readers take no lock
    assert Store(tmp_path).append(observations({("web", 1): 1})).rows_added == 1


def test_writers_at_once_lose_nothing_and_readers_see_whole_batches(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(observations({("seed", 0): 0, ("seed", MONTH): 0}))
    errors: list[BaseException] = []
    done = threading.Event()

    def write(name: str) -> None:
        for batch in range(8):
            store.append(observations({(name, batch): batch, (name, MONTH + batch): batch}))

    def read() -> None:
        while not done.is_set():
            found = contents(store.history())
            if {place for place in found if place[1] < MONTH} != {(s, h - MONTH) for s, h in found if h >= MONTH}:
                errors.append(AssertionError(f"half a batch: {sorted(found)}"))

    writers = [threading.Thread(target=write, args=(name,)) for name in ("one", "two")]
    reader = threading.Thread(target=read)
    for thread in (*writers, reader):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert errors == []
    assert len(contents(store.history())) == 2 + 2 * 2 * 8
