"""The data dictionary is generated, and the copy people read is the current one."""

from __future__ import annotations

from capacity.schema import TABLES, dictionary
from tests.conftest import ROOT


def test_the_data_dictionary_is_the_current_one() -> None:
    written = (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8")
    assert written == dictionary(), "refresh it: python -m capacity.schema > docs/data-dictionary.md"


def test_every_key_is_a_column_and_every_column_has_a_meaning() -> None:
    for table in TABLES:
        assert set(table.key) <= set(table.names)
        assert len(set(table.names)) == len(table.names)
        assert all(column.meaning.endswith(".") for column in table.columns)
