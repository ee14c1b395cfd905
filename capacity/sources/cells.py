"""Cells as what they mean: numbers, words, intervals, units. What cannot be understood is a problem with its row."""

from __future__ import annotations

import re
from typing import Final

import numpy as np
import pandas as pd

from capacity.errors import InputError, UnitMismatch
from capacity.schema import METRICS, STATS
from capacity.sources.problems import Problems
from capacity.sources.tables import RawTable
from capacity.timegrid import duration
from capacity.units import UNITS, factor

#: How a missing value is written. A missing value is a gap: not a row, and never a zero.
MISSING: Final = frozenset({"", "na", "n/a", "#n/a", "nan", "null", "none", "nil"})
#: Other names of our statistics: CloudWatch's, and what people write.
STAT_ALIASES: Final = {"average": "mean", "avg": "mean", "maximum": "max", "minimum": "min", "median": "p50"}
#: CloudWatch's names of our units (StandardUnit in its API), without case.
UNIT_ALIASES: Final = {
    "percent": "%",
    "seconds": "seconds",
    "milliseconds": "ms",
    "bytes": "bytes",
    "count/second": "requests/s",
}

_GROUPED: Final = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
_COMMA: Final = re.compile(r"[+-]?\d+,\d+")


def numbers(column: pd.Series, table: RawTable, problems: Problems) -> tuple[np.ndarray, np.ndarray]:
    """Values as float64, NaN where missing; and where they are usable or missing (False: a problem was noted)."""
    if not (pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype)):
        values = column.to_numpy(dtype="float64", na_value=np.nan).copy()
        return values, _finite(values, column, table, problems)
    words = column.astype(object).to_numpy()
    if table.decimal_comma:
        words = _decimal_points(words, table, problems)
    try:
        values = words.astype("float64")  # Python's own reading of a number: exact to the last digit
    except (ValueError, TypeError):
        values = np.array([_number(word) for word in words], dtype="float64")
    good = _finite(values, column, table, problems)
    strange = np.array([i for i in np.flatnonzero(np.isnan(values)) if not missing(words[i])], dtype=np.int64)
    problems.rows(
        table.name,
        table.rows[strange],
        lambda i: f"value {words[strange[i]]!r} is not a number",
        "Write numbers as 1234.5, without units or groups of thousands, and leave a missing value empty.",
    )
    good[strange] = False
    return values, good


def _number(word: object) -> float:
    try:
        return float(word)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return float("nan")


def missing(word: object) -> bool:
    """Whether a cell says nothing: empty, None, NaN, NaT, or a word for it."""
    if isinstance(word, str):
        return word.strip().casefold() in MISSING
    return word is None or word is pd.NA or word != word


def _finite(values: np.ndarray, column: pd.Series, table: RawTable, problems: Problems) -> np.ndarray:
    infinite = np.flatnonzero(np.isinf(values))
    problems.rows(table.name, table.rows[infinite], lambda i: f"value {column.iloc[infinite[i]]} is infinite")
    return ~np.isinf(values)


def _decimal_points(words: np.ndarray, table: RawTable, problems: Problems) -> np.ndarray:
    """`1,5` as `1.5`. Where commas are decimal, a point would group thousands: which is meant is not guessed."""
    commas = np.array([isinstance(word, str) and "," in word for word in words])
    if not commas.any():
        return words
    points = np.flatnonzero([isinstance(word, str) and "." in word for word in words])
    problems.rows(
        table.name,
        table.rows[points],
        lambda i: f"value {words[points[i]]!r} has a point where other values have a decimal comma",
        "Write every number of a file in one way.",
    )
    if all(map(_grouped, words[commas])) and not any(_decimal(word) for column in table.columns for word in column):
        at = np.flatnonzero(commas)
        problems.rows(
            table.name,
            table.rows[at],
            lambda i: f"value {words[at[i]]!r} has a decimal comma, or one that groups thousands: nothing tells which",
            "Write 1500 or 1500.0 for fifteen hundred, and 1.5 for one and a half.",
        )
    return np.array([word.replace(",", ".") if isinstance(word, str) else word for word in words], dtype=object)


def _grouped(word: str) -> bool:
    """Whether a number with commas may be a whole one, with its thousands in groups.

    >>> _grouped("1,500"), _grouped("0,500"), _grouped("1500,000"), _grouped("1,5")
    (True, False, False, False)
    """
    return _GROUPED.fullmatch(word.strip()) is not None


def _decimal(word: object) -> bool:
    """Whether a cell is a number whose comma can only be a decimal one."""
    return isinstance(word, str) and _COMMA.fullmatch(word.strip()) is not None and not _grouped(word)


def words(column: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Codes, one a row, and the distinct words without outer blanks; a missing cell is the empty word."""
    codes, distinct = pd.factorize(column.astype(object), use_na_sentinel=True)
    stripped = [str(word).strip(" \t\u00a0") for word in distinct] + [""]
    again, merged = pd.factorize(np.array(stripped, dtype=object))
    return again[codes], list(merged)  # code -1 reads the last one: the empty word


def constant(word: str, count: int) -> tuple[np.ndarray, list[str]]:
    """The same, for a word that holds for every row."""
    return np.zeros(count, dtype=np.int64), [word]


def known_stat(word: str) -> str | None:
    """Our name of a statistic, or None. Empty means the mean.

    >>> known_stat("Average"), known_stat(""), known_stat("Sum")
    ('mean', 'mean', None)
    """
    lower = word.casefold() or "mean"
    lower = STAT_ALIASES.get(lower, lower)
    return lower if lower in STATS else None


def known_metric(word: str) -> str | None:
    """Our name of a metric, or None.

    >>> known_metric("CPU Utilization"), known_metric("temperature")
    ('cpu_utilization', None)
    """
    lower = word.casefold().replace(" ", "_").replace("-", "_")
    return lower if lower in METRICS else None


def scale(metric: str, unit: str) -> float:
    """What to multiply a value in `unit` by, to have the metric's own unit. Raises UnitMismatch.

    >>> scale("latency", "Milliseconds")
    0.001
    """
    if not unit:
        return 1.0
    known = unit if unit in UNITS else UNIT_ALIASES.get(unit.casefold(), unit)
    try:
        return factor(known, into=METRICS[metric].unit)
    except UnitMismatch as error:
        raise UnitMismatch(f"{metric} cannot be in {unit!r}: {str(error).splitlines()[0]}") from None


def interval_seconds(word: str) -> int | None:
    """Whole seconds from a count or a duration; 0 when nothing is said, None when it is not understood.

    >>> interval_seconds("300"), interval_seconds("5min"), interval_seconds(""), interval_seconds("often")
    (300, 300, 0, None)
    """
    if word.casefold() in MISSING:
        return 0
    try:
        seconds = float(word)
    except ValueError:
        try:
            seconds = duration(word).total_seconds()
        except InputError:
            return None
    return int(seconds) if seconds > 0 and seconds == int(seconds) and seconds < 2**31 else None
