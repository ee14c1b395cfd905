"""What one snapshot has otherwise than another: inputs, packages, numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.demand import Demand
from capacity.reviewing.keeping import TABLES
from capacity.reviewing.plain import plain, settings, stated
from capacity.reviewing.snapshot import Snapshot
from capacity.schema import DIFFERENCES

INPUTS: Final = "inputs"
PACKAGES: Final = "packages"
NUMBERS: Final = "numbers"

#: Columns that say which row of a table it is.
_KEYS: Final = ("service", "metric", "window", "timestamp", "limit", "item")

#: What a merged table calls the other's columns.
_OTHER: Final = " of the other"

#: Of a `ServicePolicy`: what a rehearsal measured is many numbers, of which the choice is what counts.
_REHEARSED: Final = "rehearsal"

Difference = dict[str, Any]


def differences(this: Snapshot, other: Snapshot) -> pd.DataFrame:
    """`schema.DIFFERENCES`: a row a setting, series, package or column of numbers that is not the same in both.

    Moments of keeping are not compared, and what is left out with the packages that made it is not either: two plans
    of the same numbers differ in nothing, whoever keeps them when.
    """
    rows = [
        *_said(INPUTS, settings(this.config), settings(other.config)),
        *_said(INPUTS, _written(this), _written(other)),
        *_said(INPUTS, _beside(this), _beside(other)),
        *_of_demand(this.demand, other.demand),
        *_said(PACKAGES, _versions(this), _versions(other)),
        *(row for name in TABLES for row in _of_table(name, getattr(this, name), getattr(other, name))),
        *_said(NUMBERS, {"decision": _decisions(this)}, {"decision": _decisions(other)}),
        *_said(NUMBERS, {"policy": _policies(this)}, {"policy": _policies(other)}),
    ]
    return pd.DataFrame(rows, columns=DIFFERENCES.names).astype(DIFFERENCES.types)


def _row(part: str, item: str, this: Any, other: Any, rows: int = 1, largest: float = np.nan) -> Difference:
    return {"part": part, "item": item, "this": _text(this), "other": _text(other), "rows": rows, "largest": largest}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _said(part: str, this: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[Difference]:
    """What plain data says otherwise, place by place."""
    ours, theirs = dict(_places("", this)), dict(_places("", other))
    for place in dict.fromkeys([*ours, *theirs]):
        if ours.get(place) != theirs.get(place):
            yield _row(part, place, ours.get(place), theirs.get(place))


def _places(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every value with its place: `service checkout max_tasks`. What has a name is found by it, in any order.

    >>> dict(_places("", {"goal": {"level": 0.95}, "service": [{"name": "web", "zones": 3}]}))
    {'goal level': 0.95, 'service web name': 'web', 'service web zones': 3}
    """
    if isinstance(value, Mapping):
        parts = {str(name): part for name, part in value.items()}
    elif isinstance(value, list) and value:
        names = [part.get("name") if isinstance(part, Mapping) else None for part in value]
        parts = {str(name or number): part for number, (name, part) in enumerate(zip(names, value, strict=True), 1)}
    else:
        yield place, value
        return
    for name, part in parts.items():
        yield from _places(f"{place} {name}".strip(), part)


def _written(snapshot: Snapshot) -> dict[str, str]:
    """Which settings people wrote: the same value can mean more where it is no default."""
    names = {place for place, _ in _places("", stated(snapshot.config))}
    return {f"written: {place}": "yes" for place in sorted(names) if not place.endswith(" name")}


def _beside(snapshot: Snapshot) -> dict[str, Any]:
    return {
        "beside": list(snapshot.about["beside"]),
        "rate": [{"name": f"{one.region} {one.architecture}", **plain(one.model_dump())} for one in snapshot.rates],
        "override": [str(one) for one in snapshot.overrides],
    }


def _versions(snapshot: Snapshot) -> dict[str, str]:
    return {"capacity": snapshot.about["capacity_version"], **snapshot.about["packages"]}


def _decisions(snapshot: Snapshot) -> dict[str, str]:
    """By kind and service, what is advised."""
    return {f"{one.kind} {one.service}".strip(): one.sentence for one in snapshot.decisions}


def _policies(snapshot: Snapshot) -> dict[str, Any]:
    return {
        name: {field: value for field, value in said.items() if field != _REHEARSED}
        for name, said in snapshot.policies.items()
    }


def _of_demand(this: Demand, other: Demand) -> Iterator[Difference]:
    """Series that only one has, and those whose numbers are not the same."""
    if not this.times.equals(other.times):
        yield _row(INPUTS, "demand times", _span(this), _span(other))
        return
    ours, theirs = ({key: row for row, key in enumerate(demand.keys)} for demand in (this, other))
    for key in dict.fromkeys([*ours, *theirs]):
        name = f"demand {key.service} {key.metric}"
        if key not in ours or key not in theirs:
            yield _row(INPUTS, name, "there" if key in ours else "", "there" if key in theirs else "")
            continue
        for field in ("values", "peaks", "censored"):
            found = _compared(getattr(this, field)[ours[key]], getattr(other, field)[theirs[key]])
            if found is not None:
                yield _row(INPUTS, f"{name} {field}", *found)


def _span(demand: Demand) -> str:
    return f"{demand.times[0]:%Y-%m-%d %H:%M} to {demand.end:%Y-%m-%d %H:%M} UTC, every {demand.interval}"


def _of_table(name: str, this: pd.DataFrame, other: pd.DataFrame) -> Iterator[Difference]:
    """Rows that only one has, and columns whose values are not the same in the rows that both have."""
    keys = [column for column in _KEYS if column in this.columns and column in other.columns]
    columns = [column for column in this.columns if column in other.columns and column not in keys]
    if len(this) != len(other) or not all(this[key].equals(other[key]) for key in keys):
        lines = this.merge(other, on=keys, how="outer", suffixes=(None, _OTHER), indicator="_in")
        alone = int((lines["_in"] != "both").sum())
        if alone:
            yield _row(NUMBERS, f"{name} rows", f"{len(this):,}", f"{len(other):,}", alone)
        this = lines[lines["_in"] == "both"]
        other = this.drop(columns=columns).rename(columns={f"{column}{_OTHER}": column for column in columns})
    for column in columns:
        found = _compared(this[column].to_numpy(), other[column].to_numpy())
        if found is not None:
            yield _row(NUMBERS, f"{name} {column}", *found)


def _compared(this: np.ndarray, other: np.ndarray) -> tuple[Any, Any, int, float] | None:
    """Where two columns differ most: its value in each, how many differ, and the largest difference, relative."""
    numbers = this.dtype.kind in "fiu" and other.dtype.kind in "fiu"
    same = this == other
    missing = pd.isna(this), pd.isna(other)
    apart = ~(np.asarray(same, dtype=bool) | (missing[0] & missing[1]))
    if not apart.any():
        return None
    places = np.flatnonzero(apart)
    if not numbers:
        return this[places[0]], other[places[0]], len(places), float("nan")
    ours, theirs = this[places].astype(float), other[places].astype(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.abs(theirs - ours) / np.maximum(np.abs(ours), np.abs(theirs))
    worst = int(np.argmax(np.nan_to_num(relative, nan=np.inf)))
    return ours[worst], theirs[worst], len(places), float(np.nan_to_num(relative[worst], nan=np.inf))
