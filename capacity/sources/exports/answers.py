"""JSON as `aws cloudwatch get-metric-data` and `aws cloudwatch get-metric-statistics` print it.

Forms: "Amazon CloudWatch API Reference", GetMetricData (MetricDataResult) and GetMetricStatistics (Datapoint); the AWS
CLI prints them under the same names. A file may hold one answer, several one after another, or a list of them: pages
of one request repeat an Id, and belong together. Values have no rows there: they are counted, from 1, as they stand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from capacity.findings import Finding
from capacity.sources.exports.heads import Head, Series, heads
from capacity.sources.exports.statuses import status_finding
from capacity.sources.exports.wide import Part, per_interval, read_values, seconds_seen, stacked
from capacity.sources.problems import Problems
from capacity.sources.stamps import stamps_of
from capacity.sources.tables import RawTable

if TYPE_CHECKING:
    from capacity.sources.translate import Reading

#: `RawTable.form` of a table made here.
ANSWER: Final = "answer of CloudWatch"
_COLUMNS: Final = ("id", "label", "stat", "unit", "timestamp", "value")
#: Statistics of a Datapoint; percentiles are in ExtendedStatistics.
_STATISTICS: Final = ("Average", "Sum", "Minimum", "Maximum", "SampleCount")
_HINT: Final = re.compile(rb'"(?:MetricDataResults|Datapoints)"\s*:')
#: Where a file's first keys are: what comes before the values is short.
LOOKED_AT: Final = 65_536
_ADVICE: Final = (
    "JSON is read as `aws cloudwatch get-metric-data` or `get-metric-statistics` prints it. "
    "Write anything else as CSV or Parquet, one row a value."
)


def is_answer(head: bytes) -> bool:
    """Whether a file that begins so is an answer of CloudWatch.

    >>> is_answer(b'{"MetricDataResults": ['), is_answer(b'{"truth": 1}')
    (True, False)
    """
    return head.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] in (b"{", b"[") and _HINT.search(head) is not None


@dataclass
class _Reader:
    """An answer under way: cells of its values, and the last status of each result."""

    name: str
    problems: Problems
    cells: list[tuple[object, ...]] = field(default_factory=list)
    statuses: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)  # (id, label) -> code, message
    unfinished: bool = False

    def wrong(self, what: str) -> None:
        self.problems.add(what, self.name, _ADVICE)

    def notes(self) -> Iterator[Finding]:
        """What is remarkable about the answer beside its values."""
        valued = {cell[:2] for cell in self.cells}
        for (name, label), (code, message) in self.statuses.items():
            shown = repr((label or name)[:120])
            found = list(status_finding(self.name, shown, code, message))
            yield from found
            if not found and name and (name, label) not in valued:
                what = f"{self.name}: {shown} has no values in the time that was asked for"
                advice = "Was the period too fine for the age of the data, or is a dimension missing or misspelt?"
                yield Finding("", "", "empty", "UNKNOWN", what, advice)
        if self.unfinished:
            yield from status_finding(self.name, "the last page has a NextToken", "PartialData")


def answer_table(text: str, name: str, problems: Problems) -> RawTable | None:
    """An answer as a table, one row a value. None when it is something else, with the reason among the problems."""
    before = len(problems)
    reader = _Reader(name, problems)
    for document in _documents(text, reader):
        for page in document if isinstance(document, list) else [document]:
            _page(page, reader)
    if len(problems) > before:
        return None
    columns = [pd.Series([row[at] for row in reader.cells], dtype=object) for at in range(len(_COLUMNS))]
    rows = np.arange(1, len(reader.cells) + 1)
    return RawTable(name, list(_COLUMNS), columns, rows, form=ANSWER, notes=tuple(reader.notes()))


def _documents(text: str, reader: _Reader) -> Iterator[Any]:
    """The JSON documents of a text, one after another."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            document, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            line = text.count("\n", 0, getattr(error, "pos", at)) + 1
            reader.wrong(f"is JSON that cannot be read, near line {line}: {getattr(error, 'msg', 'nested too deeply')}")
            return
        yield document


def _page(page: object, reader: _Reader) -> None:
    if isinstance(page, Mapping) and isinstance(page.get("MetricDataResults"), list):
        for result in page["MetricDataResults"]:
            _result(result, reader)
        for message in _list(page.get("Messages")):
            reader.statuses["", "the whole answer"] = ("Complete", _message(message))
        reader.unfinished = bool(page.get("NextToken"))
    elif isinstance(page, Mapping) and isinstance(page.get("Datapoints"), list):
        for point in page["Datapoints"]:
            _point(point, str(page.get("Label") or ""), reader)
    else:
        reader.wrong("is JSON, but no answer of CloudWatch")


def _result(result: object, reader: _Reader) -> None:
    """One result of GetMetricData: a series, or a page of it."""
    if not isinstance(result, Mapping):
        reader.wrong("has a result that is no object")
        return
    name, label = str(result.get("Id") or ""), str(result.get("Label") or "")
    stamps, values = result.get("Timestamps", []), result.get("Values", [])
    if not isinstance(stamps, list) or not isinstance(values, list) or len(stamps) != len(values):
        reader.wrong(f"result {name[:80]!r} does not have as many Timestamps as Values")
        return
    message = " ".join(_message(each) for each in _list(result.get("Messages")))
    reader.statuses[name, label] = (str(result.get("StatusCode") or ""), message)
    for stamp, value in zip(stamps, values, strict=True):
        reader.cells.append((name, label, "", "", _scalar(stamp), _scalar(value)))


def _point(point: object, label: str, reader: _Reader) -> None:
    """One Datapoint of GetMetricStatistics: a value for each statistic it has."""
    if not isinstance(point, Mapping) or not isinstance(point.get("ExtendedStatistics", {}), Mapping):
        reader.wrong("has a datapoint that is no object")
        return
    values = {name: point[name] for name in _STATISTICS if name in point} | dict(point.get("ExtendedStatistics", {}))
    stamp, unit = _scalar(point.get("Timestamp")), str(point.get("Unit") or "")
    for stat, value in values.items():
        reader.cells.append(("", label, str(stat), unit, stamp, _scalar(value)))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _message(message: object) -> str:
    """`{"Code": ..., "Value": ...}` in words."""
    if not isinstance(message, Mapping):
        return ""
    return ": ".join(str(message[key]) for key in ("Code", "Value") if message.get(key))


def _scalar(value: object) -> object:
    """A number or text as it is; anything else as text, so that no list or `true` passes as a number."""
    return value if isinstance(value, int | float | str) and not isinstance(value, bool) else json.dumps(value)


def from_answer(table: RawTable, reading: Reading, problems: Problems, findings: list[Finding]) -> RawTable | None:
    """One row a value, headed by our column names."""
    cells = dict(zip(table.header, table.columns, strict=True))
    codes, keys = pd.factorize(pd.MultiIndex.from_arrays([cells[name] for name in _COLUMNS[:4]]))
    series = [_series(*map(str, key)) for key in keys]
    several = len({one.carried["stat"] for one in series}) > 1  # asked for together: one of no use is no mistake
    found = heads(series, reading, frozenset(), table.name, problems, findings, lenient=several)
    us = stamps_of(cells["timestamp"]).us
    parts = [
        _part(table, one, head, np.flatnonzero(codes == code), cells["value"], us, problems, findings)
        for code, (one, head) in enumerate(zip(series, found, strict=True))
        if head is not None
    ]
    return stacked(table, parts, cells["timestamp"], {}, findings) if parts else None


def _series(name: str, label: str, stat: str, unit: str) -> Series:
    others = (f"{label} {stat}", name) if stat else (name,)
    return Series(label or name, tuple(other for other in others if other), {"stat": stat, "unit": unit})


def _part(
    table: RawTable,
    one: Series,
    head: Head,
    rows: np.ndarray,
    column: pd.Series,
    us: np.ndarray,
    problems: Problems,
    findings: list[Finding],
) -> Part:
    """The values of one series."""
    seconds = head.seconds
    if not seconds and head.how.counts:
        seconds = seconds_seen(us[rows], head, one, table.name, problems, findings)
    own = replace(table, rows=table.rows[rows])
    values, units, _ = read_values(own, column.iloc[rows].reset_index(drop=True), head.unit, problems)
    return Part(replace(head, seconds=seconds), rows, per_interval(values, head, seconds), units)
