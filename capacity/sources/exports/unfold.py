"""Which form a table has, seen from what is in it; and the table in the one form that `translate` reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from capacity.findings import Finding
from capacity.sources.cells import missing
from capacity.sources.columns import mapped
from capacity.sources.exports.answers import ANSWER, from_answer
from capacity.sources.exports.console import from_console, is_console
from capacity.sources.exports.heads import Series, heads
from capacity.sources.exports.labels import in_braces
from capacity.sources.exports.suffixes import measured
from capacity.sources.exports.wide import Part, melted, per_interval, read_values, rounded, seconds_seen, stacked
from capacity.sources.problems import Problems
from capacity.sources.stamps import stamps_of
from capacity.sources.tables import RawTable

if TYPE_CHECKING:
    from capacity.sources.translate import Reading

#: Grafana's name of the values of one query in its form "Table".
_VALUE: Final = re.compile(r"value(?: #\w+)?", re.IGNORECASE)


def unfolded(
    table: RawTable, reading: Reading, problems: Problems, findings: list[Finding]
) -> tuple[RawTable, Reading] | None:
    """The table with a row a value, and the reading that goes with it; None when nothing of it is to be read.

    Tables that have this form already come back as they are, but for units in their cells.
    """
    findings += table.notes
    header = [name.strip() for name in table.header]
    if table.form == ANSWER or is_console(table):
        make = from_answer if table.form == ANSWER else from_console
        made = make(table, reading, problems, findings)
    else:
        values = [position for position, name in enumerate(header) if _VALUE.fullmatch(name)]
        if len(values) == 1 and header[values[0]].casefold() != "value":
            table = replace(table, header=["value" if at == values[0] else name for at, name in enumerate(header)])
        rivals = Problems()
        places, foreign = mapped(table.header, reading.columns, table.name, rivals)
        series = _series(table, places, foreign)
        labels = _label_column(table, places)
        if len(rivals):  # two columns could be one of ours: `translate` says which
            return table, reading
        if "value" not in places and series:
            carried = {ours: table.columns[at] for ours, at in places.items() if ours != "timestamp"}
            stamps = table.columns[places["timestamp"]]
            made = melted(table, series, stamps, carried, reading, problems, findings)
        elif labels is not None:
            made = _by_label(table, places, labels, reading, problems, findings)
        else:
            return _without_suffixes(table, places, problems, findings), reading
    return None if made is None else (made, replace(reading, columns={}))


def _series(table: RawTable, places: dict[str, int], foreign: Sequence[str]) -> list[tuple[Series, pd.Series]]:
    """The columns that can each be a series; none where rows say service and metric, so that one is the value."""
    if "timestamp" not in places or {"service", "metric"} <= set(places):
        return []
    names = [name.strip() for name in table.header]
    wanted = set(foreign)
    return [(Series(name), table.columns[at]) for at, name in enumerate(names) if name in wanted]


def _label_column(table: RawTable, places: dict[str, int]) -> int | None:
    """The column that names the series of each row by its labels, if there is one: all of its words are in braces."""
    for ours in ("service", "metric"):
        if not {ours, "value", "timestamp"} <= set(places):
            continue
        words = [word for word in pd.unique(table.columns[places[ours]].astype(object)) if not missing(word)]
        if words and all(isinstance(word, str) and in_braces(word) for word in words):
            return places[ours]
    return None


def _by_label(
    table: RawTable,
    places: dict[str, int],
    labels: int,
    reading: Reading,
    problems: Problems,
    findings: list[Finding],
) -> RawTable | None:
    """Rows that name their series by labels, as rows that name service, metric and statistic."""
    carried = {
        ours: table.columns[at]
        for ours, at in places.items()
        if at != labels and ours not in ("timestamp", "value", "unit")
    }
    named = pd.Series([None if missing(word) else word for word in table.columns[labels]], dtype=object)
    codes, words = pd.factorize(named, use_na_sentinel=True)
    unnamed = np.flatnonzero(codes < 0)
    problems.rows(table.name, table.rows[unnamed], lambda _: "the series has no name")
    series = [Series(str(word)) for word in words]
    found = heads(series, reading, frozenset(carried), table.name, problems, findings)
    values, units, formatted = read_values(table, table.columns[places["value"]], "", problems)
    if "unit" in places:
        units = table.columns[places["unit"]].astype(object).to_numpy()
    stamps = table.columns[places["timestamp"]]
    us = stamps_of(stamps).us
    parts = []
    for code, (one, head) in enumerate(zip(series, found, strict=True)):
        if head is None:
            continue
        rows = np.flatnonzero(codes == code)
        seconds = head.seconds
        if head.how.counts and not seconds:
            seconds = seconds_seen(us[rows], head, one, table.name, problems, findings)
        own = np.where(units[rows] == "", head.unit, units[rows])
        parts.append(Part(replace(head, seconds=seconds), rows, per_interval(values[rows], head, seconds), own))
    if formatted:
        findings.append(rounded(table.name, formatted))
    return stacked(table, parts, stamps, carried, findings) if parts else None


def _without_suffixes(table: RawTable, places: dict[str, int], problems: Problems, findings: list[Finding]) -> RawTable:
    """The table with the units of its cells in a column of their own."""
    if "value" not in places or "unit" in places:
        return table
    at = places["value"]
    column = table.columns[at]
    found = measured(column, table.decimal_comma)
    if found is None or found.bare.any():  # `translate` says which cells are no numbers
        return table
    values, units, formatted = read_values(table, column, "", problems)
    findings.append(rounded(table.name, formatted))
    columns = [pd.Series(values) if place == at else column for place, column in enumerate(table.columns)]
    return replace(table, header=[*table.header, "unit"], columns=[*columns, pd.Series(units)], decimal_comma=False)
