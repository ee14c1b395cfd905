"""Many policies replayed at once, over all cores: what a search needs, totals and no minutes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from math import ceil
from typing import Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.errors import InputError, Problem
from capacity.scaling.clocks import DOCUMENTED, Clocks
from capacity.scaling.load import carried
from capacity.scaling.policy import ServicePolicy

#: Candidates a thread takes at a time: few enough to keep all cores busy until the end.
SHARE: Final = 8


@dataclass(frozen=True, eq=False)
class Candidates:
    """C policies as arrays (C,). A number stands for all of them.

    target        load of a task at the tracked value, in the loads' unit (`load.carried`)
    full          load past which a task no longer keeps its promise: what short is counted against
    out_cooldown  minutes
    in_cooldown   minutes
    load, bounds  row of the loads and of the bounds that a candidate is replayed on
    startup       minutes from launch to serving
    may_scale_in  False: tracking only ever scales out
    ceiling       largest metric / target that can be read: 100 % over the target for CPU, infinite for requests
    silent        no load, no datapoint: True for requests
    """

    target: npt.ArrayLike
    full: npt.ArrayLike
    out_cooldown: npt.ArrayLike = 1
    in_cooldown: npt.ArrayLike = 5
    load: npt.ArrayLike = 0
    bounds: npt.ArrayLike = 0
    startup: npt.ArrayLike = 2
    may_scale_in: npt.ArrayLike = True
    ceiling: npt.ArrayLike = np.inf
    silent: npt.ArrayLike = True

    @classmethod
    def of(
        cls, policies: Iterable[ServicePolicy], load: npt.ArrayLike = 0, bounds: npt.ArrayLike | None = None
    ) -> Self:
        """Policies as candidates; the bounds' row is the policy's place unless it is stated.

        Raises InputError for a policy with more than target tracking of one-minute metrics and bounds: `Replay.of`
        replays it. A predictive part is bounds: `foreseen.with_minimum`.
        """
        chosen = tuple(policies)
        for one in chosen:
            if more := _beyond(one):
                raise InputError(
                    f"{one.service.name}: {more} cannot be replayed in a batch",
                    advice="Replay that policy by `simulate` or `Replay.of`, or leave that part out.",
                )
        tasks = [carried(one) for one in chosen]
        requests = np.array([one.tracking.metric == "requests" for one in chosen], dtype=bool)
        target = np.array([task.target for task in tasks])
        return cls(
            target=target,
            full=[task.full for task in tasks],
            out_cooldown=[ceil(one.tracking.scale_out_cooldown / 60) for one in chosen],
            in_cooldown=[ceil(one.tracking.scale_in_cooldown / 60) for one in chosen],
            load=load,
            bounds=np.arange(len(chosen)) if bounds is None else bounds,
            startup=[ceil(one.service.startup_seconds / 60) for one in chosen],
            may_scale_in=[not one.tracking.disable_scale_in for one in chosen],
            ceiling=np.where(requests, np.inf, np.array([task.size for task in tasks]) / target),
            silent=requests,
        )


#: Of the columns that are not whole numbers.
TYPES: Final[dict[str, type]] = {
    "target": np.float64,
    "full": np.float64,
    "ceiling": np.float64,
    "may_scale_in": np.bool_,
    "silent": np.bool_,
}


class Columns(NamedTuple):
    """`Candidates`, checked: arrays (C,) of the kernel's own types, in its own order."""

    target: np.ndarray
    full: np.ndarray
    out_cooldown: np.ndarray
    in_cooldown: np.ndarray
    load: np.ndarray
    bounds: np.ndarray
    startup: np.ndarray
    may_scale_in: np.ndarray
    ceiling: np.ndarray
    silent: np.ndarray


@dataclass(frozen=True, eq=False)
class Totals:
    """What became of C candidates: arrays (C,), counted as `Replay` counts them.

    known_minutes         minutes whose load is known; those below are counted in them, but for task and at-max minutes
    task_minutes          serving or starting, in all minutes: what is paid for
    short_minutes         more tasks needed than serving
    missing_task_minutes  whole tasks needed less tasks serving, where that is short
    over_minutes          fewer whole tasks needed than serving
    missing_share         sum of missing / needed: with `needing_minutes`, theta_u
    surplus_share         sum of surplus / needed: with `needing_minutes`, theta_o
    needing_minutes       in which any task is needed
    at_max_minutes        asked for as many as the maximum, in all minutes
    changes               how often the asked-for count changed
    max_running           tasks
    """

    known_minutes: np.ndarray
    task_minutes: np.ndarray
    short_minutes: np.ndarray
    missing_task_minutes: np.ndarray
    over_minutes: np.ndarray
    missing_share: np.ndarray
    surplus_share: np.ndarray
    needing_minutes: np.ndarray
    at_max_minutes: np.ndarray
    changes: np.ndarray
    max_running: np.ndarray

    def part(self, chosen: slice) -> Totals:
        """Only some candidates."""
        return Totals(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})

    @property
    def short_share(self) -> np.ndarray:
        """(C,) of the known minutes, 0-1; NaN where no minute is known."""
        return _over(self.short_minutes, self.known_minutes)

    @property
    def theta_u(self) -> np.ndarray:
        """(C,) percent, as `elasticity`."""
        return 100 * _over(self.missing_share, np.maximum(self.needing_minutes, 1))

    @property
    def theta_o(self) -> np.ndarray:
        """(C,) percent, as `elasticity`."""
        return 100 * _over(self.surplus_share, np.maximum(self.needing_minutes, 1))

    @property
    def task_hours(self) -> np.ndarray:
        return self.task_minutes / 60

    @property
    def missing_task_hours(self) -> np.ndarray:
        return self.missing_task_minutes / 60

    @property
    def frame(self) -> pd.DataFrame:
        """One row a candidate: all of the above."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        derived = ("short_share", "theta_u", "theta_o", "task_hours", "missing_task_hours")
        return pd.DataFrame(own | {name: getattr(self, name) for name in derived})


def replay_many(
    loads: npt.ArrayLike,
    candidates: Candidates,
    bounds: tuple[npt.ArrayLike, npt.ArrayLike],
    clocks: Clocks = DOCUMENTED,
    *,
    workers: int | None = None,
) -> Totals:
    """Every candidate replayed as `Replay.of` replays it, and only its totals kept.

    loads    (n,) or (L, n) minutes, in requests/s, vCPU or GiB; NaN where not known
    bounds   (n,) or (B, n) minimum and maximum tasks in force in each minute (`bounds`)
    workers  threads; all cores this process may use unless stated. The result does not depend on it

    Keeps one row of minutes a thread, whatever the count of candidates. Raises InputError for shapes or rows that do
    not fit together and for targets that are not above zero.

    >>> load = np.repeat([100.0, 400.0], 60)
    >>> bounds = np.full(120, 2), np.full(120, 40)
    >>> two = replay_many(load, Candidates(target=[40.0, 20.0], full=50.0, out_cooldown=6), bounds)
    >>> two.short_minutes.tolist(), two.max_running.tolist()
    ([8, 8], [10, 20])
    """
    rows = np.ascontiguousarray(np.atleast_2d(np.asarray(loads, dtype=float)))
    least, most = (np.ascontiguousarray(np.atleast_2d(np.asarray(side, dtype=np.int64))) for side in bounds)
    columns = _columns(candidates, rows, least, most)
    from capacity.scaling.batch_kernel import COUNTS, SHARES, replay_range

    count = len(columns.target)
    counts, shares = np.zeros((count, COUNTS), dtype=np.int64), np.zeros((count, SHARES))
    settings = (clocks.metric_delay, clocks.high_minutes, clocks.low_minutes, clocks.low_share)
    launches = (clocks.launch_burst, clocks.launch_rate)

    def some(first: int) -> None:
        replay_range(
            first, min(first + SHARE, count), rows, least, most, *columns, *settings, *launches, counts, shares
        )

    starts: Sequence[int] = range(0, count, SHARE)
    threads = _cores() if workers is None else workers
    if threads <= 1 or len(starts) <= 1:
        for first in starts:
            some(first)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(some, starts))
    return Totals(
        known_minutes=counts[:, 0],
        task_minutes=counts[:, 1],
        short_minutes=counts[:, 2],
        missing_task_minutes=counts[:, 3],
        over_minutes=counts[:, 4],
        missing_share=shares[:, 0],
        surplus_share=shares[:, 1],
        needing_minutes=counts[:, 5],
        at_max_minutes=counts[:, 6],
        changes=counts[:, 7],
        max_running=counts[:, 8],
    )


def _columns(candidates: Candidates, rows: np.ndarray, least: np.ndarray, most: np.ndarray) -> Columns:
    """The arrays as the kernel takes them, all of one length. Raises InputError with all that does not fit."""
    given = {name: np.asarray(getattr(candidates, name)) for name in Columns._fields}
    problems = []
    sizes = {name: array.shape for name, array in given.items() if array.ndim}
    if any(len(shape) != 1 for shape in sizes.values()) or len(set(sizes.values())) > 1:
        problems.append(Problem(f"must be numbers or rows of one length: {sizes}", where="candidates"))
    if least.shape != most.shape or least.shape[1:] != rows.shape[1:]:
        problems.append(
            Problem(f"minimum {least.shape}, maximum {most.shape} and loads {rows.shape} must hold the same minutes")
        )
    if not problems:
        problems = _wrong(given, rows, least, most)
    if problems:
        raise InputError("these candidates cannot be replayed:", problems)
    count = next(iter(sizes.values()))[0] if sizes else 1
    return Columns(
        **{
            name: np.ascontiguousarray(np.broadcast_to(array, count), dtype=TYPES.get(name, np.int64))
            for name, array in given.items()
        }
    )


def _wrong(given: dict[str, np.ndarray], rows: np.ndarray, least: np.ndarray, most: np.ndarray) -> list[Problem]:
    """Values that the kernel would read past the end for, or divide by."""
    problems = []
    for name in ("target", "full", "ceiling"):
        if not (given[name] > 0).all():
            problems.append(Problem("must be above zero", where=name))
    for name in ("out_cooldown", "in_cooldown", "startup"):
        if (given[name] < 0).any():
            problems.append(Problem("must be whole minutes, none below zero", where=name))
    for name, held in (("load", len(rows)), ("bounds", len(least))):
        if given[name].size and not (0 <= given[name].min() and given[name].max() < held):
            problems.append(
                Problem(f"names rows from {given[name].min()} to {given[name].max()} of {held}", where=name)
            )
    if (rows < 0).any() or np.isinf(rows).any():
        problems.append(Problem("holds negative or infinite values", where="loads"))
    if (least < 0).any() or (least > most).any():
        problems.append(Problem("a minimum is below zero or above its maximum", where="bounds"))
    return problems


def _beyond(policy: ServicePolicy) -> str:
    """What of a policy the fast replay does not know; empty when it knows all of it."""
    if policy.steps is not None:
        return "a step policy"
    if policy.tracking.resolution != 60:
        return f"{policy.tracking.resolution}-second metrics"
    acts = policy.predictive is not None and policy.predictive.mode == "ForecastAndScale"
    return "predictive scaling" if acts else ""


def _over(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(part / whole)


def _cores() -> int:
    """Cores this process may use; a container often has fewer than its machine."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        return os.cpu_count() or 1
