"""One file, a folder of them, several: nothing that looks like data is passed over in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from capacity.errors import InputError
from capacity.history import Store
from capacity.sources import Files
from tests.sources.texts import HEADER, PLAIN


def test_a_folder_is_all_its_tables_and_what_is_no_table_is_left(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(PLAIN)
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "b.tsv").write_text(PLAIN.replace("web", "api").replace(",", "\t"))
    (tmp_path / ".hidden.csv").write_text("nonsense")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "c.csv").write_text("nonsense")
    for name in ("capacity.toml", "truth.json", "README.md", "notes", "results.jtl", "results.jtl.gz"):
        (tmp_path / name).write_text("not a table")
    observations = Files(tmp_path).read()
    assert observations.frame["service"].unique().tolist() == ["api", "web"]
    assert observations.frame["source"].unique().tolist() == ["files:below/b.tsv", "files:a.csv"]
    assert len(observations.findings) == 0


def test_what_looks_like_data_and_is_not_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(PLAIN)
    (tmp_path / "costs.xlsx").write_bytes(b"PK")
    (tmp_path / "empty.csv").write_text(HEADER)
    Store(tmp_path / "store").append(Files(tmp_path / "a.csv").read())
    messages = [finding.message for finding in Files(tmp_path).read().findings]
    assert "not read, though it looks like data: costs.xlsx, store (a history store: read it on its own)" in messages
    assert "empty.csv has a header and no rows" in messages


def test_problems_of_all_files_are_said_together(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(PLAIN.replace("1.5", "x"))
    (tmp_path / "b.csv").write_text(PLAIN.replace("requests", "noise"))
    (tmp_path / "c.csv").write_text("")
    with pytest.raises(InputError) as caught:
        Files(tmp_path).read()
    where = {problem.where.split()[0] for problem in caught.value.problems}
    assert where == {"a.csv", "b.csv", "c.csv"}


def test_several_files_are_read_as_one(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(PLAIN)
    (tmp_path / "b.csv").write_text(PLAIN.replace("web", "api"))
    assert len(Files([tmp_path / "a.csv", tmp_path / "b.csv"]).read()) == 6


@pytest.mark.parametrize("name", ["nowhere.csv", "."])
def test_nothing_to_read_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"does not exist|no file ends in"):
        Files(tmp_path / name).read()
