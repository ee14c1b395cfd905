"""Answers of BlazeMeter's API, saved as JSON: in their envelope, or the list alone (loadtest.md 4.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.loadtest.readers.base import Reading, ResultFile, Summary
from capacity.loadtest.readers.blazemeter.aggregate import ALL, aggregate_row, label_of
from capacity.loadtest.readers.finished import Row, number, objects, summary, whole_json

#: Epoch seconds of the year 2286: a later moment is none.
_LATEST_SECONDS: Final = 9_999_999_999
_BRING: Final = "Bring the answer of /masters/{id}/reports/aggregatereport/data, or of /data/kpis."
#: How an answer begins: in its envelope, as a bare summary, or as the list alone.
_BEGINS: Final = re.compile(r'\{\s*"(api_version|error|request_id|result|maxUsers|summary)"|\[\s*\{')
#: Texts by which each answer is known, in the order they are tried.
_MARKS: Final = (
    ("aggregate report", ('"avgResponseTime"', '"samples"')),
    ("kpis", ('"kpis"',)),
    ("summary", ('"maxUsers"', '"summary"')),
    ("errors report", ('"errors"', '"assertions"')),
    ("labels", ('"sessions"', '"name"')),
    ("error", ('"api_version"', '"error"')),
)


class BlazeMeterJson:
    """Aggregate report, summary, kpis (with a timeline) or errors report; labels alone are refused.

    aggregate report  counts, rates, mean and percentiles by label
    summary           the same with fewer percentiles
    kpis              a timeline a second of counts, mean and users, and counts by label; no percentiles
    errors report     errors by label; how many requests there were is not told
    """

    name: ClassVar[str] = "BlazeMeter JSON"

    def recognises(self, file: ResultFile) -> bool:
        return _kind(file) is not None

    def summary(self, file: ResultFile, reading: Reading) -> Summary:
        answer = whole_json(file, reading)
        result = answer.get("result", answer) if isinstance(answer, dict) else answer
        if isinstance(answer, dict) and answer.get("error"):
            raise InputError(f"{file.path} is an error of BlazeMeter's API: {_words(answer['error'])}. Fetch it again.")
        kind = _kind(file)
        if kind == "summary":
            return _summary(result, file)
        readers: dict[str, Callable[[list[Mapping[str, Any]], ResultFile, Reading], Summary]] = {
            "aggregate report": _aggregate,
            "kpis": _kpis,
            "errors report": _errors,
        }
        if kind not in readers:
            raise InputError(f"{file.path} names the labels of a test and tells nothing of them", advice=_BRING)
        items = objects(result if isinstance(result, list) else [result], f"the {kind}", file)
        if not items:
            raise InputError(f"{file.path}: the {kind} of BlazeMeter is empty. Fetch it after the test.", advice=_BRING)
        return readers[kind](items, file, reading)


def _kind(file: ResultFile) -> str | None:
    text = file.text
    if not _BEGINS.match(text):
        return None
    return next((kind for kind, marks in _MARKS if all(mark in text for mark in marks)), None)


def _words(error: object) -> str:
    return str(error.get("message", error)) if isinstance(error, Mapping) else str(error)


def _of_labels(rows: Iterable[tuple[str, Row]], timeline: pd.DataFrame | None = None) -> Summary:
    """The row ALL is the total."""
    known = list(rows)
    total = next((row for label, row in known if label == ALL), None)
    return summary([(label, row) for label, row in known if label != ALL], total, timeline)


def _aggregate(items: list[Mapping[str, Any]], file: ResultFile, reading: Reading) -> Summary:
    return _of_labels((label_of(item), aggregate_row(item, f"{file.path.name} {label_of(item)}")) for item in items)


def _summary(result: Any, file: ResultFile) -> Summary:
    """`{"maxUsers": n, "summary": [...]}`; percentiles are called `tp90` or `p90`."""
    found = result[0] if isinstance(result, list) and result else result
    items = objects(found.get("summary") if isinstance(found, Mapping) else None, "`summary`", file)
    if all(np.isnan(number(item.get("hits"))) for item in items):
        raise InputError(
            f"{file.path}: a summary without hits: the run drove browsers and no load, or had not ended", advice=_BRING
        )
    return _of_labels((label_of(item), _summary_row(item)) for item in items)


def _summary_row(item: Mapping[str, Any]) -> Row:
    hits, duration = number(item.get("hits")), number(item.get("duration"))
    known = {"samples": hits, "errors": number(item.get("failed"))}
    known["throughput_per_s"] = hits / duration if duration > 0 else np.nan
    if not hits > 0:
        return known
    percentiles = {f"p{rank}_ms": number(item.get(f"tp{rank}", item.get(f"p{rank}"))) for rank in (50, 90, 95, 99)}
    times = {"mean_ms": number(item.get("avg")), "min_ms": number(item.get("min")), "max_ms": number(item.get("max"))}
    return {**known, **times, **{name: time for name, time in percentiles.items() if time > 0}}


def _kpis(items: list[Mapping[str, Any]], file: ResultFile, reading: Reading) -> Summary:
    """Per label `kpis: [{ts, n, na, ec, t_avg}]`, `ts` in epoch seconds."""
    frames = {label_of(item): _seconds(objects(item.get("kpis"), "`kpis`", file)) for item in items}
    frames = {label: frame for label, frame in frames.items() if len(frame)}
    if not frames:
        raise InputError(f"{file.path}: kpis without a single second. Fetch them after the test.", advice=_BRING)
    message = f"{file.path.name} holds no percentiles: BlazeMeter's kpis tell counts and means by second"
    reading.note("no percentiles", "REVIEW", message, "For percentiles of the whole run add the aggregate report.")
    everything = frames.get(ALL)
    if everything is None:
        everything = pd.concat(frames.values(), ignore_index=True)
        everything["users"] = np.nan  # of each label: they are not to be added
    timeline = _timeline(everything)
    return _of_labels(((label, _kpi_row(frame, timeline)) for label, frame in frames.items()), timeline)


def _seconds(kpis: list[Mapping[str, Any]]) -> pd.DataFrame:
    columns = {"ts": "ts", "n": "samples", "ec": "errors", "t_avg": "mean_ms", "na": "users"}
    frame = pd.DataFrame({ours: [number(kpi.get(theirs)) for kpi in kpis] for theirs, ours in columns.items()})
    return frame[frame["ts"].between(0, _LATEST_SECONDS)]


def _timeline(frame: pd.DataFrame) -> pd.DataFrame:
    """A row a moment; moments that are not told are missing, not zero."""
    busy = frame["samples"] > 0
    frame = frame.assign(total_ms=(frame["mean_ms"] * frame["samples"]).where(busy))
    moments = frame.groupby("ts", sort=True)
    counts = moments[["samples", "errors", "total_ms"]].sum(min_count=1)
    stamps = counts.index.to_numpy()
    return pd.DataFrame(
        {
            "timestamp": pd.to_datetime(stamps, unit="s", utc=True).astype("datetime64[us, UTC]"),
            "seconds": float(np.diff(stamps).min()) if len(stamps) > 1 else 1.0,
            "samples": counts["samples"].to_numpy(),
            "errors": counts["errors"].to_numpy(),
            "mean_ms": (counts["total_ms"] / counts["samples"]).to_numpy(),
            "users": moments["users"].max().to_numpy(),
            **dict.fromkeys(("p50_ms", "p95_ms", "p99_ms"), np.nan),
        }
    )


def _kpi_row(frame: pd.DataFrame, timeline: pd.DataFrame) -> Row:
    samples, errors = frame["samples"].sum(min_count=1), frame["errors"].sum(min_count=1)
    known = {"samples": samples, "errors": errors, "throughput_per_s": samples / timeline["seconds"].sum()}
    if not samples > 0:
        return known
    return {**known, "mean_ms": (frame["mean_ms"] * frame["samples"]).sum() / samples}


def _errors(items: list[Mapping[str, Any]], file: ResultFile, reading: Reading) -> Summary:
    """Per label `errors: [{m, rc, count}]` and `assertions: [{name, failureMessage, failures}]`.

    Whether a failed assertion is among the errors is documented nowhere, so the larger sum is given: so many at least.
    """
    message = f"{file.path.name} tells of errors alone: how many requests there were and how long they took is unknown"
    reading.note("errors only", "UNKNOWN", message, _BRING)
    rows = []
    for item in items:
        errors = [
            (_reason(error), number(error.get("count"))) for error in objects(item.get("errors"), "`errors`", file)
        ]
        failed = [
            (_reason(failure), number(failure.get("failures")))
            for failure in objects(item.get("assertions"), "`assertions`", file)
        ]
        sums = [float(np.nansum([count for _, count in counted])) for counted in (errors, failed)]
        rows.append((label_of(item), {"errors": max(sums)}))
        for reason, count in errors + failed:
            known = 0 if np.isnan(count) else int(count)
            reading.note("errors", "REVIEW", f"{label_of(item)}: {reason}", "Fix these before planning on it.", known)
    return _of_labels(rows)


def _reason(error: Mapping[str, Any]) -> str:
    """Its code and message, or the name and message of an assertion."""
    told = [str(error[key]) for key in ("rc", "m", "name", "failureMessage") if error.get(key) not in (None, "")]
    return " ".join(told) or "no reason told"
