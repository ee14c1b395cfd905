"""One or several models, all series: evidence, weights and sample paths, in groups of equal history."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.demand.demand import Demand
from capacity.errors import InputError
from capacity.findings import Finding, Findings
from capacity.forecasting.base import FEWEST, Fan, refuse_too_short
from capacity.forecasting.evidence import Evidence, compare
from capacity.forecasting.fleets import KEPT, each_done
from capacity.forecasting.paths import Draws, fan_paths
from capacity.forecasting.prepare import Prepared, prepare
from capacity.forecasting.windows import MOST_ORIGINS, Centred, Windows, windows
from capacity.history.line import how_long

#: Series are worked on in chunks whose largest array holds about this many numbers: 11 series of four weeks of hours.
#: A dozen arrays of 24 MB a core. Larger chunks are no quicker; a chunk costs no more calls than one series alone.
CHUNK: Final = 3_000_000

#: How many times as large as the history what cleaning it needs is.
COPIES: Final = 20

#: Chooses weights (M, S, He + later leads) of the models from evidence; None: there is one model.
Weigher = Callable[[Evidence], np.ndarray]


def paths_around(model: Centred, past: Demand, horizon: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """(S, count, H) sample paths around one model's centre."""
    return combined(past, horizon, count, rng, (model,), None, model.name).paths


def combined(
    past: Demand,
    horizon: int,
    count: int,
    rng: np.random.Generator,
    models: Sequence[Centred],
    weigh: Weigher | None,
    label: str,
    made: np.ndarray | None = None,
) -> Fan:
    """Sample paths around the weighted centre of several models, with the evidence for the weights.

    made  (S, n) True where a value was not measured but lent: learnt from, never judged by

    Series are grouped by the length of their history, so that a young service is not asked for evidence it cannot
    have; a group is worked on in chunks of series, each of them one matrix, on as many cores as `shared_by` says.
    """
    refuse_too_short(past)
    if horizon < 1 or count < 1:
        raise InputError(f"horizon={horizon}, paths={count}: both are at least 1")
    seed = int(rng.integers(2**63))
    paths = np.empty((len(past.keys), count, horizon), dtype=KEPT)
    labels = [label] * len(past.keys)

    def work(part: Part) -> tuple[pd.DataFrame | None, Findings]:
        known = past.since(past.times[-part.length]).rows(part.rows)
        prepared = prepare(known, None if made is None else made[part.rows, -part.length :])
        fan = _chunk(known, prepared, horizon, count, seed, models, weigh, label)
        paths[part.rows] = fan.paths
        for row, name in zip(part.rows, fan.models, strict=True):
            labels[row] = name
        return fan.scores, fan.findings

    parts = _parts(past, horizon, count, len(models))
    library = any(hasattr(model, "centres") for model in models)  # has threads of its own; its warnings are caught
    done = list(map(work, parts) if library else each_done(work, parts))
    scores = [table for table, _ in done if table is not None]
    table = pd.concat(scores, ignore_index=True) if scores else None
    return Fan(paths, tuple(labels), table, Findings.of(*(findings for _, findings in done)))


class Part(NamedTuple):
    """Series that are worked on together, and how much of their history is looked at."""

    rows: list[int]
    length: int


def _parts(past: Demand, horizon: int, count: int, models: int) -> Iterator[Part]:
    for rows, length in groups(past.values):
        leads = min(max(horizon, 1), length)
        each = max(MOST_ORIGINS * leads * (models + 3), count * horizon, length * COPIES, 1)
        size = max(1, CHUNK // each)
        yield from (Part(rows[start : start + size], length) for start in range(0, len(rows), size))


def groups(values: np.ndarray) -> list[tuple[list[int], int]]:
    """Rows that share a history length, longest first: the full length, or the next of a geometric ladder below.

    A series loses at most a tenth of its history to the ladder, and only when it began later than the others; one that
    would be left with too little goes a step up instead, the time before its beginning being a gap.

    >>> groups(np.array([[1.0, 2, 3, 4, 5], [np.nan, np.nan, 3, 4, 5], [9, 9, 9, 9, 9]]))
    [([0, 2], 5), ([1], 3)]
    """
    length = values.shape[1]
    own = length - np.argmax(np.isfinite(values), axis=1)
    ladder = np.unique([max(1, int(np.ceil(length * 0.9**k))) for k in range(200)])
    place = np.searchsorted(ladder, own, side="right") - 1
    left = [np.isfinite(row[-size:]).sum() for row, size in zip(values, ladder[place], strict=True)]
    fitted = ladder[place + ((np.array(left) < FEWEST) & (ladder[place] < own))]
    return [(np.flatnonzero(fitted == size).tolist(), int(size)) for size in np.unique(fitted)[::-1]]


def _chunk(
    past: Demand,
    prepared: Prepared,
    horizon: int,
    count: int,
    seed: int,
    models: Sequence[Centred],
    weigh: Weigher | None,
    label: str,
) -> Fan:
    tested = windows(prepared, horizon)
    draws = Draws.of(seed, count, -(-horizon // prepared.seasons.block) + 1)
    evidence = compare(tested, models, horizon)
    reach = max(horizon, tested.horizon)
    weights = np.ones((1, len(past.keys), reach)) if weigh is None else weigh(evidence)
    paths = fan_paths(tested, evidence, weights, draws)
    findings = Findings.of(prepared.findings, _doubts(past, tested, horizon), _untested(past, evidence.truth))
    if weigh is None:
        return Fan(paths, (label,) * len(past.keys), None, findings)
    return Fan(paths, tuple(evidence.labels(label, weights)), evidence.scores(past, past.keys), findings)


def _doubts(past: Demand, tested: Windows, horizon: int) -> list[Finding]:
    """What a reader must know about the evidence behind the spread."""
    if tested.horizon * 4 >= horizon and len(tested.backs) >= 4:
        return []
    span = past.interval * past.values.shape[1]
    message = (
        f"{how_long(span)} of history can test forecasts up to {how_long(past.interval * tested.horizon)} ahead, and "
        f"{how_long(past.interval * horizon)} were asked for: beyond that the spread is extrapolated as a random walk."
    )
    advice = "Ask for a shorter horizon, or bring more history."
    return [Finding(*key, "short", "REVIEW", message, advice, count=past.values.shape[1]) for key in past.keys]


def _untested(past: Demand, truth: np.ndarray) -> list[Finding]:
    """A finding for each series that nothing was measured of after any origin, (O, S, He): its spread is the usual."""
    message = (
        "nothing was measured where forecasts could be tested: the spread is the usual of any service, not its own."
    )
    return [
        Finding(*key, "untested", "UNKNOWN", message, "Fetch the newest data, or leave the series out.")
        for key, seen in zip(past.keys, np.isfinite(truth).any(axis=(0, 2)), strict=True)
        if not seen
    ]
