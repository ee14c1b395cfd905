"""Drivers applied: history as it would be had they stood still, paths moved by what they will be, and what to tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy.special import ndtri

from capacity.demand.demand import Demand
from capacity.findings import Finding
from capacity.forecasting.knowledge.drivers import Drivers, logs_of
from capacity.forecasting.knowledge.effects import MOST
from capacity.forecasting.knowledge.elasticity import FEWEST_DAYS, Elasticity, follow
from capacity.forecasting.knowledge.places import Grid

#: Series that are fitted together: bounds memory, not the result.
TOGETHER: Final = 500

#: Days before the cutoff that say where a driver stands now.
RECENT_DAYS: Final = 28

#: What a driver will be is told when it lies beyond all it was by this share of its range in logarithms.
BEYOND: Final = 0.25


@dataclass(frozen=True, eq=False)
class Following:
    """S series of one clock that follow drivers. `moved` is how far each driver stands from its last four weeks."""

    rows: np.ndarray  # (S,) in the Demand
    found: Elasticity
    moved: np.ndarray  # (D, n + H) log units
    beyond: np.ndarray  # (D,) how far the horizon lies outside the history, in shares of its range

    def history(self, known: int) -> np.ndarray:
        """(S, n) log factors that drivers put on the past."""
        return np.clip(self.found.value @ self.moved[:, :known], -MOST, MOST)

    def put_on(self, paths: np.ndarray, seed: int) -> None:
        """In place: what drivers will be, on (all series, P, H) paths; unsure elasticities are drawn, one a path."""
        count, ahead = paths.shape[1:]
        streams = [np.random.default_rng([seed, 1, number]) for number in range(len(self.moved))]
        normal = np.stack([ndtri((stream.permutation(count) + 0.5) / count) for stream in streams])
        drawn = self.found.drawn(normal)  # (S, P, D)
        for row, one in zip(self.rows, drawn, strict=True):
            paths[row] *= np.exp(np.clip(one @ self.moved[:, -ahead:], -MOST, MOST))


def following(past: Demand, drivers: Drivers, grids: Mapping[str, Grid]) -> list[Following]:
    """How every series follows the drivers, and what those will be."""
    found = []
    for zone, grid in sorted(grids.items()):
        logs = logs_of(drivers.on(grid), grid.known)
        days, level = max(1, grid.day), _held(logs)
        moved = level - level[:, max(0, grid.known - RECENT_DAYS * days) : grid.known].mean(axis=1, keepdims=True)
        beyond = _beyond(logs, grid.known)
        rows = np.array([row for row, own in enumerate(past.zones) if own == zone])
        for first in range(0, len(rows), TOGETHER):
            part = rows[first : first + TOGETHER]
            values = np.where(np.isfinite(past.values[part]), past.values[part], np.nan)
            found.append(Following(part, follow(values, logs[:, : grid.known], grid), moved, beyond))
    return found


def standing_still(past: Demand, parts: Sequence[Following]) -> Demand:
    """The history as it would be, had drivers stood where they stand now."""
    values, peaks = np.array(past.values), np.array(past.peaks)
    for part in parts:
        factor = np.exp(-part.history(values.shape[1]))
        values[part.rows] *= factor
        peaks[part.rows] *= factor
    return replace(past, values=values, peaks=peaks)


def told_of_drivers(names: Sequence[str], parts: Sequence[Following]) -> list[Finding]:
    """A finding a driver: how strongly load follows it, and where that is not known or goes beyond what was seen."""
    findings = []
    for number, name in enumerate(names):
        value = np.concatenate([part.found.value[:, number] for part in parts])
        doubt = np.concatenate([np.sqrt(part.found.covariance[:, number, number]) for part in parts])
        days = np.concatenate([part.found.days for part in parts])
        used = value != 0
        if any(part.found.flat[number] for part in parts):
            message = f"driver {name!r} hardly moved in the history: what load makes of it cannot be learnt."
            findings.append(_unchanged(message, len(value)))
        elif not used.any() and (days < FEWEST_DAYS).all():
            have = int(days.max(initial=0))
            message = f"driver {name!r}: {have} days hold both it and load, and {FEWEST_DAYS} are needed."
            findings.append(_unchanged(message, len(value)))
        elif not used.any():
            findings.append(_unchanged(f"driver {name!r}: no series was seen to follow it.", len(value)))
        else:
            middle, unsure = np.median(value[used]), np.median(doubt[used])
            message = f"driver {name!r}: {used.sum()} of {len(value)} series follow it; 10 % more of it is "
            message += f"{100 * (1.1**middle - 1):+.1f} % load (elasticity {middle:.2f} ± {unsure:.2f})."
            findings.append(Finding("", "", "driver", "PASS", message, count=int(used.sum())))
            findings += _outside(name, max(part.beyond[number] for part in parts))
    return findings


def _unchanged(message: str, count: int) -> Finding:
    return Finding("", "", "driver", "UNKNOWN", f"{message} The forecast is as without it.", count=count)


def _outside(name: str, beyond: float) -> list[Finding]:
    if beyond <= BEYOND:
        return []
    message = f"driver {name!r} will go beyond all it was in the history, by {100 * beyond:.0f} % of its range."
    return [Finding("", "", "driver", "REVIEW", message, "How load follows it there was never seen.")]


def _beyond(logs: np.ndarray, known: int) -> np.ndarray:
    seen = [row[:known][np.isfinite(row[:known])] for row in logs]
    found = []
    for row, own in zip(logs, seen, strict=True):
        if not len(own):
            found.append(0.0)
            continue
        over = max(row[known:].max() - own.max(), own.min() - row[known:].min(), 0.0)
        found.append(float(over / max(np.ptp(own), 0.01)))
    return np.array(found)


def _held(values: np.ndarray) -> np.ndarray:
    """Gaps of the past take the value before them; those at the beginning the first one known."""
    columns = np.arange(values.shape[1])
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, columns), axis=1)
    first = np.argmax(np.isfinite(values), axis=1)[:, None]
    return np.take_along_axis(values, np.where(last < 0, first, last), axis=1)
