"""Tables of nouns as rows of plain data: what is missing is None, and a table that is long says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from capacity.reporting import words
from capacity.reporting.sections.base import Block, Document
from capacity.reporting.sections.blocks import note


def records(frame: pd.DataFrame, columns: Iterable[str] | None = None) -> list[dict[str, Any]]:
    """Rows of a table, or of some of its columns: None where a value is missing.

    >>> records(pd.DataFrame({"usd": [1.5, float("nan")], "when": [pd.NaT, pd.Timestamp("2026-11-23", tz="UTC")]}))
    [{'usd': 1.5, 'when': None}, {'usd': None, 'when': Timestamp('2026-11-23 00:00:00+0000', tz='UTC')}]
    """
    chosen = frame if columns is None else frame[list(columns)]
    known: pd.DataFrame = chosen.astype(object).where(chosen.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in known.to_dict("records")]


def cut(rows: Sequence[Any], most: int, noun: str, sheet: str) -> tuple[list[Any], list[Block]]:
    """So many rows as a page shows, and where the others are, if there are others.

    >>> cut([1, 2, 3], 2, "alarm", "Alarms")[1][0]["runs"][0]["text"]
    '1 more alarm is in report.xlsx, sheet Alarms.'
    """
    more = len(rows) - most
    if more <= 0:
        return list(rows), []
    verb = "is" if more == 1 else "are"
    return list(rows[:most]), [note(f"{words.count(more, f'more {noun}')} {verb} in report.xlsx, sheet {sheet}.")]


def left_out(document: Document, section: str) -> list[Block]:
    """What is not in a section, in the words of whoever left it out."""
    said = document.get("left_out", {}).get(section, "")
    return [note(said)] if said else []
