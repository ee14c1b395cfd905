"""Taurus's final statistics as CSV and XML, and the XML of AWS Distributed Load Testing (loadtest.md 4.1, 4.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, NoReturn
from xml.parsers import expat

import numpy as np

from capacity.errors import InputError
from capacity.loadtest.readers.base import Reading, ResultFile, ResultReader, Summary
from capacity.loadtest.readers.finished import Row, number, summary, whole_csv, whole_text

_MS: Final = 1_000  # Taurus says times in seconds
_TIMES: Final = {
    "avg_rt": "mean_ms",
    "perc_0.0": "min_ms",
    "perc_50.0": "p50_ms",
    "perc_90.0": "p90_ms",
    "perc_95.0": "p95_ms",
    "perc_99.0": "p99_ms",
    "perc_100.0": "max_ms",
}
#: What each container of AWS Distributed Load Testing adds to its XML.
_TASK_MARKS: Final = ("TaskId", "ECSDuration")


class TaurusFinalStatsCsv:
    """`final-stats` as CSV: a row a label; the row without a label is the total.

    Its `throughput` is a count of samples, not a rate, and it does not say how long the test was: rates are NaN.
    """

    name: ClassVar[str] = "Taurus final-stats CSV"

    def recognises(self, file: ResultFile) -> bool:
        header = [cell.strip().strip('"') for cell in file.text.split("\n", 1)[0].split(",")]
        return {"label", "avg_rt", "throughput", "succ", "fail"} <= set(header)

    def summary(self, file: ResultFile, reading: Reading) -> Summary:
        header, *rows = filter(any, whole_csv(file, reading))
        groups = {}
        for line, cells in enumerate(rows, 2):
            if len(cells) != len(header):
                raise InputError(
                    f"{file.path} row {line}: {len(cells)} cells under {len(header)} columns",
                    advice="Bring the file as Taurus wrote it (reporting module final-stats, dump-csv).",
                )
            figures = dict(zip(header, cells, strict=True))
            groups[figures["label"]] = {name: number(value) for name, value in figures.items() if name != "label"}
        message = f"{file.path.name} does not say how long the test was, and its `throughput` is a count: no rates"
        advice = "Bring kpi.jtl, or the XML of final-stats (dump-xml), which holds TestDuration."
        reading.note("no duration", "REVIEW", message, advice)
        return _summary(file, groups, np.nan)


class TaurusFinalStatsXml:
    """`final-stats` as XML (`FinalStatus`), whose TestDuration gives rates; also as AWS Distributed Load Testing
    leaves it in S3, one file a container: then the figures are of that container alone, which is the `generator`."""

    name: ClassVar[str] = "Taurus final-stats XML"

    def recognises(self, file: ResultFile) -> bool:
        return file.text.startswith("<") and "<FinalStatus" in file.text[:4096]

    def summary(self, file: ResultFile, reading: Reading) -> Summary:
        status = _Status()
        status.parse(whole_text(file, reading), file)
        seconds = number(status.about.get("TestDuration"))
        if not seconds > 0:
            message = f"{file.path.name} has no TestDuration: its counts do not become rates"
            reading.note("no duration", "REVIEW", message, "Bring kpi.jtl for rates.")
            seconds = np.nan
        if any(mark in status.about for mark in _TASK_MARKS):
            message = (
                f"{file.path.name} is of one container (task {status.about.get('TaskId') or 'unnamed'}) of AWS "
                "Distributed Load Testing: counts and rates of all containers add up, percentiles do not average"
            )
            advice = "Bring the raw kpi-*.jtl of every container together: only they have percentiles of the whole."
            reading.note("one of several generators", "REVIEW", message, advice)
            return replace(
                _summary(file, status.groups, seconds), generator=status.about.get("TaskId") or file.path.name
            )
        return _summary(file, status.groups, seconds)


def _summary(file: ResultFile, groups: Mapping[str, Mapping[str, float]], seconds: float) -> Summary:
    if not groups:
        raise InputError(f"{file.path} holds no label. Bring it as Taurus wrote it, at the end of the test.")
    rows = [(label, _row(figures, seconds)) for label, figures in groups.items() if label]
    return summary(rows, _row(groups[""], seconds) if "" in groups else None)


def _row(figures: Mapping[str, float], seconds: float) -> Row:
    """Our columns of Taurus's figures. Samples are `succ` and `fail` together, which is what `throughput` counts."""
    failed = figures.get("fail", np.nan)
    samples = figures.get("succ", np.nan) + failed
    known = {"samples": samples, "errors": failed, "throughput_per_s": samples / seconds}
    if not samples > 0:
        return known
    return {**known, **{ours: figures[theirs] * _MS for theirs, ours in _TIMES.items() if theirs in figures}}


@dataclass(eq=False)
class _Status:
    """A FinalStatus document: `about` the test, and figures by label, percentiles as `perc_95.0`."""

    about: dict[str, str] = field(default_factory=dict)
    groups: dict[str, dict[str, float]] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)
    _label: str | None = None

    def parse(self, text: str, file: ResultFile) -> None:
        """Fill both. Raises InputError for what is no XML, with the line, and for a DTD, which no tool writes here."""

        def forbidden(*_: object) -> NoReturn:
            raise InputError(f"{file.path}: a document type in a result file is not read. Remove the DOCTYPE.")

        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = forbidden
        try:
            parser.Parse(_without_declaration(text), True)
        except expat.ExpatError as error:
            raise InputError(
                f"{file.path} line {error.lineno}: not whole XML ({error})",
                advice="The file is written at the end of a test: bring kpi.jtl if that was never reached.",
            ) from None

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._open.append(tag)
        if tag == "Group":
            self._label = attributes.get("label", "")
            self.groups[self._label] = {}
        elif self._label is not None and len(self._open) == 3:
            name = f"{tag}_{attributes['param']}" if "param" in attributes else tag
            self.groups[self._label][name] = number(attributes.get("value"))

    def _end(self, tag: str) -> None:
        self._open.pop()
        if tag == "Group":
            self._label = None

    def _text(self, text: str) -> None:
        if len(self._open) == 2 and self._label is None:
            self.about[self._open[-1]] = (self.about.get(self._open[-1], "") + text).strip()


def _without_declaration(text: str) -> str:
    """The document without `<?xml ...?>`: its encoding was settled when the bytes became text."""
    text = text.lstrip()
    return text.partition("?>")[2] if text.startswith("<?xml") else text


READERS: tuple[ResultReader, ...] = (TaurusFinalStatsCsv(), TaurusFinalStatsXml())
