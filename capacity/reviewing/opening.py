"""From a file to the snapshot it holds, whichever version of capacity wrote it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity._version import __version__
from capacity.config import Rate
from capacity.demand import Demand
from capacity.demand.demand import Key
from capacity.demand.gridding import WallClock
from capacity.errors import InputError, Problem
from capacity.findings import Finding, Findings
from capacity.forecasting.knowledge.overrides import Override
from capacity.planning.plans import Decision
from capacity.reviewing.container import damaged, unpacked
from capacity.reviewing.formats import migrated, newest
from capacity.reviewing.keeping import SUFFIX, TABLES
from capacity.reviewing.plain import config_of, noun
from capacity.reviewing.snapshot import Snapshot
from capacity.reviewing.tables import tables

#: Of these tables only the numbers are read: whose and when they are is known without.
_NUMBERS: Final = {"demand": ("value", "peak", "censored"), "running": ("value",)}


def open_snapshot(path: str | Path) -> Snapshot:
    """A plan that `Snapshot.save` wrote, in this version of capacity or an earlier one.

    Raises InputError for a file that is no plan, is not whole, or is of a later format.
    """
    import duckdb

    path = Path(path)
    about, parts = unpacked(path)
    parts = migrated(path, about, parts)
    try:
        return _snapshot(about, parts)
    except (InputError, KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError) as error:
        writer = about.get("capacity_version")
        if writer != __version__:  # whole, as its sums say: a field that this version does not know
            raise InputError(
                f"{path} was written by capacity {writer} and cannot be understood by capacity {__version__}: {error}",
                advice="Open it with that version or a later one: pip install --upgrade ecs-capacity",
            ) from error
        raise damaged(path, [Problem(f"cannot be understood: {error!r}")]) from error
    except duckdb.Error as error:
        raise damaged(path, [Problem(f"a table cannot be read: {error}")]) from error


def open_snapshots(folder: str | Path) -> tuple[Snapshot, ...]:
    """Every plan of a folder, `*.plan`, the oldest cutoff first. Raises InputError for one that cannot be opened."""
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder", advice="Name the folder that plans are kept in, such as plans/.")
    found = [open_snapshot(path) for path in sorted(folder.glob(f"*{SUFFIX}"))]
    if not found:
        raise InputError(f"{folder} holds no plan", advice=f"Plans end in {SUFFIX}: capacity plan --save PATH.")
    return tuple(sorted(found, key=lambda one: (one.cutoff, one.created_at)))


def _snapshot(about: Mapping[str, Any], parts: Mapping[str, bytes]) -> Snapshot:
    said = {name.removesuffix(".json"): json.loads(part) for name, part in parts.items() if name.endswith(".json")}
    wanted = (*TABLES, "demand", *(("running",) if said["demand"]["tasks"] else ()))
    found = tables({name: parts[f"{name}.parquet"] for name in wanted}, only=_NUMBERS)
    return Snapshot(
        about={**{name: value for name, value in about.items() if name != "parts"}, "format": newest()},
        config=config_of(said["settings"], said["stated"]),
        demand=_demand(said["demand"], found["demand"], found.get("running")),
        decisions=tuple(noun(Decision, one) for one in said["decisions"]),
        policies=said["policies"],
        findings=_findings(said["findings"]),
        rates=tuple(Rate(**rate) for rate in said["asked"]["rates"]),
        overrides=tuple(noun(Override, one) for one in said["asked"]["overrides"]),
        **{name: found[name] for name in TABLES},
    )


def _findings(said: list[dict[str, Any]]) -> Findings:
    return Findings(tuple(noun(Finding, one) for one in said))


def _demand(said: Mapping[str, Any], found: pd.DataFrame, running: pd.DataFrame | None) -> Demand:
    keys = tuple(Key(*key) for key in said["keys"])
    shape = (len(keys), said["length"])
    values, peaks, censored = (np.array(found[name]).reshape(shape) for name in _NUMBERS["demand"])
    interval = pd.Timedelta(said["interval_us"], unit="us")
    ran = np.empty((0, shape[1])) if running is None else np.array(running["value"]).reshape(-1, shape[1])
    return Demand(
        keys=keys,
        times=pd.date_range(pd.Timestamp(said["start"]), periods=shape[1], freq=interval, unit="us"),
        interval=interval,
        values=values,
        peaks=peaks,
        censored=censored,
        derived=tuple(said["derived"]),
        findings=_findings(said["findings"]),
        clock=_clock(said["clock"]),
        zones=tuple(said["zones"]),
        tasks=dict(zip(said["tasks"], ran, strict=True)),
    )


def _clock(said: Any) -> Any:
    return WallClock(said["days"]) if isinstance(said, dict) else said
