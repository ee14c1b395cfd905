"""A sheet of the workbook as a value: what its columns are called, what they hold, and the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Kind = Literal["text", "count", "number", "usd", "rate", "share", "date", "moment"]


class Field(NamedTuple):
    """A column of a sheet: heading with unit, what it holds, its width in characters, where its value is."""

    heading: str
    kind: Kind
    width: int
    value: Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class Sheet:
    """One sheet: a row an item. `note` stands above the headings; `totals`, by heading, below the rows."""

    name: str
    fields: Sequence[Field]
    rows: Sequence[dict[str, Any]]
    note: str = ""
    totals: Mapping[str, float] = field(default_factory=dict)
    total_label: str = "Total"
