"""Demand from whatever the caller holds: History, Demand, a pandas Series, a long or a wide DataFrame."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.demand.cleaning import cleaned
from capacity.demand.demand import Demand, Key, zones_of
from capacity.demand.estimate import assessed, estimate_demand, estimate_gridded
from capacity.demand.gridding import Gridded, common_grid, listed, on_grid
from capacity.errors import HistoryHasGaps, HistoryTooShort, InputError, Problem
from capacity.findings import Findings
from capacity.history import History, check_quality, read
from capacity.schema import METRICS

#: Names under which long tables hold what we call by the first: ours, the real traces', and Nixtla's and Prophet's.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "service": ("service", "series_id", "unique_id"),
    "timestamp": ("timestamp", "ds"),
    "value": ("value", "y"),
}


def demand_from(
    data: History | Demand | pd.Series | pd.DataFrame,
    *,
    services: Sequence[Service] = (),
    metric: str = "requests",
    name: str | None = None,
) -> Demand:
    """Absolute demand on one regular grid, from any of our inputs.

    data      History: checked (`check_quality`) and estimated (`estimate_demand`). Demand: as it is.
              Series with a DatetimeIndex: one series. DataFrame with a DatetimeIndex: one series a column.
              DataFrame with the columns service (or series_id, unique_id), timestamp (or ds), value (or y) and perhaps
              metric: one series a service and metric.
    services  what is known about them: turns percentages into demand, and says whose clock a series follows
    metric    of the values, where the table does not say; a name of the caller's own is fine, its unit is then '1'
    name      of a Series that has none

    Stamps start their interval. Naive stamps are read as UTC and given back naive. Missing stamps are gaps. Values
    that cannot be demand (infinite, negative, isolated and 1,000 times all others) are gaps too, with a FAIL finding.
    Raises InputError for what cannot be understood, HistoryTooShort for one row, HistoryHasGaps when nothing is left.

    >>> hours = pd.date_range("2026-03-02", periods=4, freq="h")
    >>> demand = demand_from(pd.Series([3, 4, None, 6], index=hours, name="checkout"))
    >>> demand.keys[0], demand.values.tolist()
    (Key(service='checkout', metric='requests'), [[3.0, 4.0, nan, 6.0]])
    """
    if isinstance(data, Demand):
        return data
    if isinstance(data, History):
        return assessed(estimate_demand(data, services), check_quality(data, services))
    if isinstance(data, pd.Series):
        parts = {(name or _series_name(data.name), metric): data}
    elif isinstance(data, pd.DataFrame):
        if {"stat", "interval"} <= set(data.columns):  # observations
            return demand_from(read(data), services=services)
        parts = _parts(data, metric, name)
    else:
        raise InputError(
            f"cannot read demand from {type(data).__name__}",
            advice="Give a History, a pandas Series with a DatetimeIndex, or a long DataFrame.",
        )
    gridded = {Key(*key): _gridded(series, Key(*key)) for key, series in parts.items()}
    percentages = [key for key in gridded if key.metric in METRICS and not METRICS[key.metric].demand]
    if percentages:
        return estimate_gridded(gridded, services)
    return assembled(gridded, services)


def assembled(gridded: dict[Key, Gridded], services: Sequence[Service] = ()) -> Demand:
    """Series of one interval, on the one grid that spans them all."""
    shared = common_grid(gridded)
    findings, rows = list(shared.findings), []
    for key, values in shared.values.items():
        clean, found = cleaned(values, key, shared.times, shared.interval)
        rows.append(clean)
        findings += found
    means = np.array(rows)
    if np.isnan(means).all():
        reasons = [f"  - {finding}" for finding in Findings.of(findings) if finding.check != "empty"]
        names = listed(key.service for key in gridded)
        raise HistoryHasGaps("\n".join([f"{names}: no interval holds a value that can be demand.", *reasons]))
    return Demand(
        keys=tuple(gridded),
        times=shared.times,
        interval=shared.interval,
        values=means,
        peaks=means.copy() if shared.interval <= pd.Timedelta(minutes=1) else np.full_like(means, np.nan),
        censored=np.zeros(means.shape, dtype=bool),
        derived=("measured",) * len(gridded),
        findings=Findings.of(findings),
        clock=shared.clock,
        zones=zones_of(list(gridded), services, shared.clock),
    )


def numbers_of(series: pd.Series, name: str) -> np.ndarray:
    """(n,) float, missing as NaN. Text, booleans and complex numbers are refused, with the rows they are in."""
    if pd.api.types.is_bool_dtype(series.dtype) or pd.api.types.is_complex_dtype(series.dtype):
        raise InputError(f"{name}: values are {series.dtype}, not numbers")
    if pd.api.types.is_numeric_dtype(series.dtype):
        return np.array(series.to_numpy(dtype=float, na_value=np.nan))
    values, problems = np.full(len(series), np.nan), []
    for row, value in enumerate(series.array):
        if type(value) not in (bool, np.bool_) and isinstance(value, (numbers.Real, Decimal)):
            values[row] = float(value)
        elif not pd.api.types.is_scalar(value) or not pd.isna(value):
            problems.append(Problem(f"{value!r} is not a number", where=f"row {row + 1}"))
    if problems:
        raise InputError(
            f"{name}: {len(problems)} of {len(series)} values are not numbers:",
            problems,
            "Convert them first: pd.to_numeric(series), and decide what stands for a missing value.",
        )
    return values


def _gridded(series: pd.Series, key: Key) -> Gridded:
    index = series.index
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    if not isinstance(index, pd.DatetimeIndex):
        raise InputError(
            f"{key.service}: the index is {type(index).__name__}, not a DatetimeIndex",
            advice="Set the times as index: series.index = pd.to_datetime(times).",
        )
    return on_grid(index, numbers_of(series, key.service), key.service, metric=key.metric)


def _parts(frame: pd.DataFrame, metric: str, name: str | None) -> dict[tuple[str, str], pd.Series]:
    """One Series a service and metric, from a long or a wide table."""
    found = {ours: [c for c in names if c in frame.columns] for ours, names in COLUMNS.items()}
    twice = [names for names in found.values() if len(names) > 1]
    if twice:
        raise InputError(f"columns {' and '.join(map(repr, twice[0]))} mean the same: keep one")
    if found["timestamp"] and found["value"]:
        return _long(frame, {ours: names[0] for ours, names in found.items() if names}, metric, name)
    if isinstance(frame.index, pd.DatetimeIndex) and len(frame.columns):
        if not frame.columns.is_unique:
            raise InputError("two columns have the same name: a wide table holds one series a column")
        return {(_series_name(column), metric): frame[column] for column in frame.columns}
    raise InputError(
        f"columns {', '.join(map(repr, frame.columns)) or '(none)'} are neither a long nor a wide table",
        advice="Long: service, timestamp, value (and perhaps metric). Wide: a DatetimeIndex and one series a column.",
    )


def _long(
    frame: pd.DataFrame, columns: dict[str, str], metric: str, name: str | None
) -> dict[tuple[str, str], pd.Series]:
    if len(frame) == 0:
        raise HistoryTooShort("The table", have=0, need=2, unit="rows", advice="It is empty: check filter and dates.")
    stamps = stamps_of(frame[columns["timestamp"]])
    services, service_names = _numbered(
        frame[columns["service"]] if "service" in columns else (name or "series"), frame
    )
    kinds, metric_names = _numbered(frame["metric"] if "metric" in frame.columns else metric, frame)
    absent = np.flatnonzero((services < 0) | (kinds < 0))
    if len(absent):
        problems = [Problem("no service or metric", where=f"row {row + 1}") for row in absent]
        raise InputError(f"{len(absent)} rows do not say what they belong to:", problems)
    numbers, pairs = pd.factorize(services * len(metric_names) + kinds)  # in the order of their first rows
    order = np.argsort(numbers, kind="stable")
    values = frame[columns["value"]].array
    return {
        (service_names[pair // len(metric_names)], metric_names[pair % len(metric_names)]): pd.Series(
            values[rows], index=stamps[rows]
        )
        for pair, rows in zip(pairs, np.split(order, np.bincount(numbers).cumsum()[:-1]), strict=True)
    }


def _numbered(names: pd.Series | str, frame: pd.DataFrame) -> tuple[np.ndarray, list[str]]:
    """(rows,) which name each row has, -1 for none, and the names as text: every name is read once, not every row."""
    if isinstance(names, str):
        return np.zeros(len(frame), dtype=np.int64), [names]
    codes, found = pd.factorize(names)
    again, texts = pd.factorize(np.array([str(one) for one in found], dtype=object))
    return np.where(codes < 0, -1, again[codes]) if len(again) else codes, [str(text) for text in texts]


def stamps_of(column: pd.Series) -> pd.DatetimeIndex:
    """Stamps of a column: datetimes as they are, text as ISO 8601. Numbers are refused: seconds or milliseconds?"""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return pd.DatetimeIndex(column)
    if pd.api.types.is_numeric_dtype(column.dtype):
        raise InputError(
            f"column {column.name!r} holds numbers, not times",
            advice="Say which unit: pd.to_datetime(frame['timestamp'], unit='s', utc=True).",
        )
    try:
        return pd.DatetimeIndex(pd.to_datetime(column, format="ISO8601"))
    except (ValueError, TypeError):
        pass
    zoned = column.astype(str).str.contains(r"(?:Z|[+-]\d\d:?\d\d)$", regex=True)
    if zoned.all():  # offsets that differ: one moment each all the same
        stamps = pd.to_datetime(column, format="ISO8601", utc=True, errors="coerce")
    else:
        stamps = pd.to_datetime(column[~zoned], format="ISO8601", errors="coerce").reindex(column.index)
    bad = np.flatnonzero(stamps.isna().to_numpy())
    if len(bad) == 0:
        return pd.DatetimeIndex(stamps)
    problems = [
        Problem(f"{column.iloc[row]!r} is not a time in the clock of the rest", f"row {row + 1}") for row in bad
    ]
    raise InputError(f"column {column.name!r} holds stamps that cannot be read:", problems, "Use ISO 8601 throughout.")


def _series_name(name: Any) -> str:
    return "series" if name is None or str(name) == "" else str(name)
