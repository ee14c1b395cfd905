"""An answer of Azure Monitor -> values on the grid of the call, and what is remarkable about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from capacity.config.azure import AzureMetric
from capacity.errors import SourceChanged, UnitMismatch
from capacity.findings import Finding
from capacity.sources.azure.asking import TOP, Call
from capacity.sources.azure.metrics import multiplier
from capacity.sources.base import microseconds
from capacity.sources.patience import redacted


class Told(NamedTuple):
    """One series of one call. A gap is NaN; `broken` says what kept Azure, or us, from answering."""

    resource: str  # as it was asked for
    metric: AzureMetric
    values: np.ndarray  # (steps,), in our unit
    holes: int = 0  # intervals left as gaps because a part was missing in the middle of its life
    broken: tuple[str, str] | None = None  # what happened, what to do


def told(answer: Mapping[str, Any], call: Call) -> list[Told]:
    """Every series that was asked for, in order, whatever came.

    Raises SourceChanged when the answer does not have the documented form.
    """
    try:
        items = {str(item["resourceid"]).lower(): item for item in answer["values"]}
        stamps = _Stamps(call)
        return [
            _series(items.get(resource.lower()), resource, metric, call, stamps)
            for resource in call.resources
            for metric in call.metrics
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SourceChanged(
            f"Azure Monitor's answer does not have the documented form ({type(error).__name__}: "
            f"{redacted(str(error))[:120]}). Is the endpoint Azure's own? If so, please report it."
        ) from error


def untold(call: Call, why: str) -> list[Told]:
    """Every series of a call that got no answer, and why."""
    return [
        Told(resource, metric, np.full(call.steps, np.nan), broken=(why, "Correct it, and the next fetch asks again."))
        for resource in call.resources
        for metric in call.metrics
    ]


def findings(one: Told, service: str) -> Iterator[Finding]:
    """What kept a series from being told, as a finding."""
    if one.broken is not None:
        yield Finding(service, one.metric.metric, "unanswered", "FAIL", *one.broken)


def added(parts: np.ndarray) -> tuple[np.ndarray, int]:
    """The sum of parts (k, n), such as replicas, and how many intervals it is unknown for though some part spoke.

    A part lives from its first value to its last. Before and after, it adds nothing; a value missing in between was
    there and is not known, so the sum is not known either.

    >>> gone = np.nan
    >>> added(np.array([[1.0, 1.0, 1.0, 1.0], [2.0, gone, 2.0, gone]]))
    (array([ 3., nan,  3.,  1.]), 1)
    """
    there = np.isfinite(parts)
    began = np.logical_or.accumulate(there, axis=1)
    goes_on = np.logical_or.accumulate(there[:, ::-1], axis=1)[:, ::-1]
    spoken = there.any(axis=0)
    unknown = (began & goes_on & ~there).any(axis=0)
    total = np.where(spoken & ~unknown, np.where(there, parts, 0.0).sum(axis=0), np.nan)
    return total, int((spoken & unknown).sum())


class _Stamps:
    """Stamps of an answer -> places on the grid of its call. All series of an answer tend to share them: read once."""

    def __init__(self, call: Call) -> None:
        self._start, self._step, self._steps = microseconds(call.span.start), call.seconds * 1_000_000, call.steps
        self._last: list[str] = []
        self._places = np.empty(0, dtype=np.int64)

    def row(self, data: Sequence[Mapping[str, Any]], aggregation: str) -> np.ndarray:
        """The values of one time series; what has no value, or lies outside the span, is not in it."""
        texts = [point["timeStamp"] for point in data]
        if texts != self._last:
            found = pd.to_datetime(pd.Index(texts, dtype="str"), utc=True).as_unit("us").asi8 - self._start
            if (found % self._step).any():
                raise ValueError(f"a stamp is not on the grid of {self._step // 1_000_000} s")
            self._last, self._places = texts, found // self._step
        row = np.full(self._steps, np.nan)
        values = np.array([point.get(aggregation) for point in data], dtype="float64")
        inside = (self._places >= 0) & (self._places < self._steps) & np.isfinite(values)
        row[self._places[inside]] = values[inside]
        return row


def _series(item: Any, resource: str, metric: AzureMetric, call: Call, stamps: _Stamps) -> Told:
    nothing = np.full(call.steps, np.nan)
    if item is None:
        return Told(resource, metric, nothing, broken=_ABSENT)
    if item.get("interval", call.grain) != call.grain:
        return Told(resource, metric, nothing, broken=_coarser(metric.name, item["interval"]))
    entry = next((e for e in item["value"] if e["name"]["value"].lower() == metric.name.lower()), None)
    if entry is None:
        return Told(resource, metric, nothing, broken=_ABSENT)
    if entry.get("errorCode", "Success") not in ("Success", None):
        return Told(resource, metric, nothing, broken=_refused(metric.name, entry))
    if len(entry["timeseries"]) >= TOP and metric.query:
        return Told(resource, metric, nothing, broken=_too_many(metric.name))
    try:
        size = multiplier(metric, entry.get("unit", "Unspecified"), call.seconds)
    except UnitMismatch as error:
        return Told(resource, metric, nothing, broken=(str(error), "Give its [[azure.metric]] another metric or unit."))
    rows = [stamps.row(one["data"], metric.aggregation) for one in entry["timeseries"] if one.get("data")]
    return _merged(Told(resource, metric, nothing), rows, size)


def _merged(series: Told, rows: list[np.ndarray], size: float) -> Told:
    """The series of several time series: parts that add up, or events, which are counted where they are."""
    if not rows:
        return series
    if series.metric.each:
        values, holes = added(np.stack(rows))
        return series._replace(values=values * size, holes=holes)
    if len(rows) > 1 and series.metric.aggregation not in ("total", "count"):
        return series._replace(broken=_split(series.metric, len(rows)))
    parts = np.stack(rows)
    events = np.where(np.isfinite(parts).any(axis=0), np.nansum(parts, axis=0), np.nan)
    return series._replace(values=events * size)


_ABSENT = (
    "is not in Azure's answer",
    "Is the resource still there, and in this region? `az resource show --ids ID` says so.",
)


def _coarser(name: str, interval: str) -> tuple[str, str]:
    return f"Azure keeps {name} by {interval} only", f'Set interval = "{interval}" for it in an [azure] of its own.'


def _refused(name: str, entry: Mapping[str, Any]) -> tuple[str, str]:
    said = " ".join(redacted(str(entry.get("errorMessage") or "")).split())[:200]
    message = f"Azure did not tell {name}: {redacted(str(entry['errorCode']))}{f', {said}' if said else ''}"
    return message, "The next fetch asks again."


def _too_many(name: str) -> tuple[str, str]:
    return (
        f"{name} has {TOP:,} or more series by its filter, and Azure drops the rest",
        "Narrow the filter, or leave `each` out.",
    )


def _split(metric: AzureMetric, count: int) -> tuple[str, str]:
    return (
        f"the filter of {metric.name} splits it into {count} series, whose averages are not that of the whole",
        "Name the dimension in `each` if they add up, or narrow the filter to one value.",
    )
