"""What a source has answered for good is kept with its rows: both or neither."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from capacity.errors import StoreError
from capacity.history import Appended, Store
from capacity.history.manifest import COVERAGE_PART, load
from capacity.sources.coverage import NOTHING
from tests.history.rows import contents, covered, observations


def test_where_there_is_no_store_nothing_is_covered(tmp_path: Path) -> None:
    assert Store(tmp_path / "nowhere").coverage() == NOTHING
    assert not (tmp_path / "nowhere").exists()
    store = Store(tmp_path)
    store.append(observations({("web", 0): 1}))
    assert store.coverage() == NOTHING


def test_what_is_covered_is_there_with_the_rows(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(observations({("web", 0): 1}), covered(("web", 0, 5), ("ü's", 2, 3)))
    assert store.coverage() == covered(("web", 0, 5), ("ü's", 2, 3))
    store.append(observations({("web", 5): 1}), covered(("web", 5, 9), source="other") | covered(("web", 5, 6)))
    assert store.coverage() == covered(("web", 0, 6), ("ü's", 2, 3)) | covered(("web", 5, 9), source="other")
    assert store.info().commits == 2


def test_a_quiet_span_is_a_commit_of_its_own(tmp_path: Path) -> None:
    """Asked and answered: there are no rows. Without that kept, every pull would ask for them again."""
    store = Store(tmp_path)
    assert store.append(observations({}), covered(("web", 0, 24))) == Appended(0, 0, 0)
    assert store.coverage() == covered(("web", 0, 24))
    assert len(store.history()) == 0
    assert store.info().rows == 0


def test_what_is_covered_already_changes_no_byte(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(observations({("web", 0): 1}), covered(("web", 0, 9)))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    store.append(observations({("web", 0): 1}), covered(("web", 2, 5)))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_coverage_that_grows_hour_by_hour_stays_few_files_and_one_span(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for hour in range(18):
        store.append(observations({}), covered(("web", hour, hour + 1)))
    assert store.coverage() == covered(("web", 0, 18))
    entries = load(tmp_path).parts[COVERAGE_PART]
    assert len(entries) <= 8
    assert entries[0].oldest < entries[0].newest
    assert entries[0].rows == 1


def test_a_copy_as_of_the_commit_before_covers_what_that_did(tmp_path: Path) -> None:
    """Rows that a copy lacks must not count as answered: the next pull has to bring them."""
    store = Store(tmp_path / "store")
    store.append(observations({("web", 0): 1}), covered(("web", 0, 1)))
    shutil.copytree(tmp_path / "store", tmp_path / "copy")
    store.append(observations({("web", 1): 1}), covered(("web", 1, 2)))
    shutil.copy(tmp_path / "store" / "manifest.json", tmp_path / "copy")
    [newest] = [entry.name for entry in load(tmp_path / "store").parts[COVERAGE_PART] if entry.since == 2]
    shutil.copy(tmp_path / "store" / newest, tmp_path / "copy")
    copy = Store(tmp_path / "copy")
    assert contents(copy.history()) == {("web", 0): 1}
    assert copy.coverage() == covered(("web", 0, 1))


def test_damage_is_said_rather_than_asked_for_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.append(observations({("web", 0): 1}), covered(("web", 0, 1)))
    [entry] = load(tmp_path).parts[COVERAGE_PART]
    (tmp_path / entry.name).write_bytes(b"x" * entry.bytes)
    with pytest.raises(StoreError, match="damaged"):
        store.coverage()
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(StoreError, match="damaged"):
        store.coverage()
