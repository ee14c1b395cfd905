"""An answer as rows, and what was remarkable in it. Absence stays absence: NaN and infinity are gaps, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.errors import CapacityError, InputError, SourceChanged
from capacity.findings import Finding, Status
from capacity.sources.base import Span
from capacity.sources.prometheus.complaints import shown
from capacity.sources.prometheus.query import Query
from capacity.sources.prometheus.steps import SECOND, Steps

#: ECS allows as many characters in a service's name.
_LONGEST_NAME: Final = 255
#: As many different remarks of one kind are told; a server may word each one differently.
_REMARKS: Final = 20


class Note(NamedTuple):
    """What a finding says, without when and how often."""

    service: str
    check: str
    status: Status
    message: str
    advice: str


@dataclass
class Notes:
    """What was remarkable in the answers to one query, counted over all of them."""

    metric: str
    _found: dict[Note, tuple[int, Span]] = field(default_factory=dict)

    def add(self, note: Note, count: int, span: Span) -> None:
        """Count it in."""
        known, (start, end) = self._found.get(note, (0, span))
        self._found[note] = known + count, Span(min(start, span.start), max(end, span.end))

    def findings(self) -> Iterator[Finding]:
        """One finding a note."""
        for note, (count, span) in self._found.items():
            yield Finding(
                note.service, self.metric, note.check, note.status, note.message, note.advice, *span, count=count
            )


class Points(NamedTuple):
    """One service's values in one answer."""

    service: str
    number: np.ndarray  # of the interval, counted from 1970
    value: np.ndarray


def rows(answer: Mapping[str, Any], query: Query, steps: Steps, notes: Notes) -> pd.DataFrame:
    """The rows of an answer, in any order; what became none is noted.

    Raises InputError for two series of one service, SourceChanged for an answer not of the documented form.
    """
    try:
        series = answer["data"]["result"]
        found = list(_points(_named(series, query, steps, notes), query, steps))
    except CapacityError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise SourceChanged(
            f"{query}: the answer is not the matrix that the documentation of query_range promises "
            f"({type(error).__name__}). Is there a proxy that changes answers, or a server of another kind?"
        ) from error
    _note_not_numbers(found, query, steps, notes)
    found = [_finite(points, query) for points in found]
    names = [points.service for points in found]
    lengths = [len(points.value) for points in found]
    number = np.concatenate([np.empty(0, dtype=np.int64), *(points.number for points in found)])
    return pd.DataFrame(
        {
            "service": pd.Categorical.from_codes(np.repeat(np.arange(len(names)), lengths), categories=names),
            "metric": _constant(query.metric, len(number)),
            "stat": _constant(query.stat, len(number)),
            "interval": np.full(len(number), query.step, dtype=np.int32),
            "timestamp": pd.DatetimeIndex((number * (query.step * SECOND)).view("datetime64[us]")).tz_localize("UTC"),
            "value": np.concatenate([np.empty(0), *(points.value for points in found)]),
        }
    )


def incomplete(answer: Mapping[str, Any], steps: Steps, notes: Notes) -> bool:
    """Whether the server says that this may not be all; its remarks are noted.

    Warnings tell of missing parts (Thanos, Mimir: a store that did not answer) or of dubious ones, and VictoriaMetrics
    says `isPartial`. Infos are about the wording of a query and hold for good, so they leave an answer complete.
    """
    warnings = [shown(str(text)) for text in answer.get("warnings") or ()]
    if answer.get("isPartial"):
        warnings.append("isPartial: some of its storage did not answer")
    for text in _some(warnings):
        advice = "What came is stored, and asked for again by the next fetch. Look after the server if this stays."
        notes.add(Note("", "partial", "REVIEW", f"the server warns: {text}", advice), steps.size, steps.span)
    for text in _some(shown(str(info)) for info in answer.get("infos") or ()):
        advice = "Mind what it says about the query; the values are stored as they came."
        notes.add(Note("", "query", "REVIEW", f"the server remarks: {text}", advice), steps.size, steps.span)
    return bool(warnings)


def _some(texts: Iterable[str]) -> list[str]:
    """The first of different texts; how many more there are stands at the end."""
    unique = list(dict.fromkeys(texts))
    more = [f"and {len(unique) - _REMARKS} further remarks"] if len(unique) > _REMARKS else []
    return unique[:_REMARKS] + more


def _named(series: Any, query: Query, steps: Steps, notes: Notes) -> dict[str, Mapping[str, Any]]:
    """Service -> its one series with values."""
    found: dict[str, Mapping[str, Any]] = {}
    nameless: list[Mapping[str, str]] = []
    for one in series:
        labels = one["metric"]
        service = query.service or labels.get(query.service_label, "")
        if "histograms" in one:
            _note_histogram(service, labels, steps, notes)
        if not one.get("values"):
            continue
        if not service:
            nameless.append(labels)
        elif not service.isprintable() or len(service) > _LONGEST_NAME:
            _note_misnamed(service, steps, notes)
        elif service in found:
            raise _twice(query, service, found[service]["metric"], labels)
        else:
            found[service] = one
    if nameless:
        _note_nameless(nameless, query, steps, notes)
    return found


def _points(named: Mapping[str, Mapping[str, Any]], query: Query, steps: Steps) -> Iterator[Points]:
    """Values with the number of their interval. Raises SourceChanged for a stamp that was not asked for."""
    for service, one in named.items():
        pairs = one["values"]
        seconds = np.fromiter((pair[0] for pair in pairs), dtype=np.float64, count=len(pairs))
        value = np.fromiter((float(pair[1]) for pair in pairs), dtype=np.float64, count=len(pairs))
        number = np.rint(seconds / steps.step).astype(np.int64)
        on_grid = bool(np.all(np.abs(number * steps.step - seconds) < 0.001))  # their stamps have milliseconds
        number -= 1  # stamped by their end; we stamp by the start
        inside = bool(np.all((number >= steps.first) & (number < steps.last)))
        if not (on_grid and inside and bool(np.all(np.diff(number) > 0))):
            raise SourceChanged(
                f"{query}: the values of {service!r} have stamps that were not asked for: every {steps.step} s from "
                f"{steps.asked[0]} to {steps.asked[1]}. Does a proxy between change start, end or step?"
            )
        yield Points(service, number, value)


def _finite(points: Points, query: Query) -> Points:
    """Those that are numbers, in the metric's own unit."""
    numbers = np.isfinite(points.value)
    value = points.value[numbers]
    return Points(points.service, points.number[numbers], value if query.factor == 1.0 else value * query.factor)


def _constant(word: str, count: int) -> pd.Categorical:
    return pd.Categorical.from_codes(np.zeros(count, dtype=np.int8), categories=[word])


def _twice(query: Query, service: str, first: Mapping[str, str], second: Mapping[str, str]) -> InputError:
    grouping = f"sum by ({query.service_label}) (...)" if not query.service else "sum(...)"
    return InputError(
        f"{query}: the answer holds several series of service {service!r}, such as\n"
        f"  {_selector(first)}\n  {_selector(second)}\nWhich of them counts is not guessed.",
        advice=f"Bring them together in the query: {grouping}, or avg, max ... where a sum has no meaning.",
    )


def _selector(labels: Mapping[str, str]) -> str:
    """Labels as PromQL writes them."""
    return "{" + ", ".join(f'{name}="{shown(value, 60)}"' for name, value in sorted(labels.items())) + "}"


def _note_not_numbers(found: Iterable[Points], query: Query, steps: Steps, notes: Notes) -> None:
    for points in found:
        gaps = int(np.count_nonzero(~np.isfinite(points.value)))
        if gaps:
            message = "the server answered NaN or an infinity: gaps, not values"
            advice = "Usual where a query divides by the traffic and there was none; else look at the query."
            notes.add(Note(points.service, "not a number", "REVIEW", message, advice), gaps, steps.span)


def _note_histogram(service: str, labels: Mapping[str, str], steps: Steps, notes: Notes) -> None:
    message = "the answer holds native histograms, which are no values: not read"
    advice = "Take one number of them: histogram_quantile(0.95, sum by (service) (rate(...)))."
    name = service if service.isprintable() else ""
    notes.add(Note(name[:_LONGEST_NAME], "histograms", "REVIEW", message, advice), steps.size, steps.span)


def _note_misnamed(service: str, steps: Steps, notes: Notes) -> None:
    message = f"service {service[:60]!a} has control characters in its name, or more than {_LONGEST_NAME}: not read"
    advice = "Write a clean name into the label, or rename it in the query with label_replace(...)."
    notes.add(Note("", "names", "REVIEW", message, advice), steps.size, steps.span)


def _note_nameless(nameless: list[Mapping[str, str]], query: Query, steps: Steps, notes: Notes) -> None:
    message = f"series without the label {query.service_label!r}, such as {_selector(nameless[0])}: not read"
    advice = (
        f"Keep the label (sum by ({query.service_label}) ...), name another with service_label, or say service = NAME "
        "if all of it is one service."
    )
    notes.add(Note("", "labels", "REVIEW", message, advice), len(nameless), steps.span)
