"""A snapshot as the parts of a file, and as that file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.demand import Demand
from capacity.demand.gridding import WallClock
from capacity.errors import InputError
from capacity.files import write_whole
from capacity.reviewing.container import packed
from capacity.reviewing.plain import plain, settings, stated, written
from capacity.reviewing.snapshot import Snapshot
from capacity.reviewing.tables import parquet

#: How files of plans end.
SUFFIX: Final = ".plan"

#: Tables that are kept as they are, by the name of the snapshot's field.
TABLES: Final = ("plan", "limits", "cost", "quantiles", "peaks", "counts")


def save(snapshot: Snapshot, path: Path) -> Path:
    """Write the file, whole or not at all. Raises InputError for a name that does not end in .plan."""
    return write_whole(plan_path(path), packed(snapshot.about, parts(snapshot)))


def plan_path(path: Path) -> Path:
    """The path, if a plan may be kept there. Raises InputError for a name that does not end in .plan."""
    if path.suffix != SUFFIX:
        raise InputError(f"{path.name!r} is no name for a plan", advice=f"End it in {SUFFIX}, as in 2026Q4{SUFFIX}.")
    return path


def parts(snapshot: Snapshot) -> dict[str, bytes]:
    """Every part but `about.json`: name -> bytes, the same for the same snapshot."""
    demand = snapshot.demand
    said = {
        "settings": settings(snapshot.config),
        "stated": stated(snapshot.config),
        "demand": _demand(demand),
        "asked": {
            "rates": [rate.model_dump(mode="json") for rate in snapshot.rates],
            "overrides": [plain(one) for one in snapshot.overrides],
        },
        "decisions": [plain(one) for one in snapshot.decisions],
        "findings": [plain(one) for one in snapshot.findings],
        "policies": snapshot.policies,
    }
    tables = {name: getattr(snapshot, name) for name in TABLES}
    tables["demand"] = _values(demand)
    if demand.tasks:
        tables["running"] = _running(demand)
    return {
        **{f"{name}.json": written(value) for name, value in said.items()},
        **{f"{name}.parquet": part for name, part in parquet(tables).items()},
    }


def _demand(demand: Demand) -> dict[str, Any]:
    """All of a demand but its numbers."""
    return {
        "keys": [list(key) for key in demand.keys],
        "start": demand.times[0].isoformat(),
        "interval_us": round(demand.interval / pd.Timedelta("1us")),
        "length": len(demand.times),
        "derived": list(demand.derived),
        "zones": list(demand.zones),
        "clock": _clock(demand.clock),
        "tasks": list(demand.tasks),
        "findings": [plain(one) for one in demand.findings],
    }


def _clock(clock: Any) -> Any:
    """A clock by its name: "Europe/Paris", "UTC+02:00"; None for naive stamps; days of local midnight as {"days": ...}.

    >>> _clock(WallClock("Europe/Paris")), _clock(None), _clock("UTC")
    ({'days': 'Europe/Paris'}, None, 'UTC')
    """
    if isinstance(clock, WallClock):
        return {"days": _clock(clock.zone)}
    return None if clock is None else str(clock)


def _values(demand: Demand) -> pd.DataFrame:
    """`schema.DEMAND`, its text as categories."""
    return pd.DataFrame(
        {
            **_places([key.service for key in demand.keys], [key.metric for key in demand.keys], demand.times),
            "value": demand.values.ravel(),
            "peak": demand.peaks.ravel(),
            "censored": demand.censored.ravel(),
        }
    )


def _running(demand: Demand) -> pd.DataFrame:
    names = list(demand.tasks)
    places = _places(names, ["running_tasks"] * len(names), demand.times)
    return pd.DataFrame({**places, "value": np.concatenate([demand.tasks[name] for name in names])})


def _places(services: list[str], metrics: list[str], times: pd.DatetimeIndex) -> dict[str, Any]:
    """The columns that say which series and when, of one row after the other."""
    ticks = np.tile(times.as_unit("us").asi8, len(services)).view("M8[us]")
    return {
        "service": _repeated(services, len(times)),
        "metric": _repeated(metrics, len(times)),
        "timestamp": pd.DatetimeIndex(ticks).tz_localize("UTC"),
    }


def _repeated(names: list[str], count: int) -> pd.Categorical:
    codes, different = pd.factorize(np.array(names, dtype=object))
    return pd.Categorical.from_codes(np.repeat(codes, count), different)
