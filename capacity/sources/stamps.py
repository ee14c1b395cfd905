"""Stamps of any honest form, as UTC microseconds. A stamp without an offset is local to a zone that has to be said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

#: ISO 8601 with a full date; the year first, so that no month is mistaken for a day.
_ISO: Final = re.compile(
    r"(?:\d{4}([-/])\d{2}\1\d{2}|\d{8})"
    r"(?:[Tt ]\d{2}(?::?\d{2}(?::?\d{2}(?:[.,]\d{1,9})?)?)?(?P<zone>\s*(?:[Zz]|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?)?"
)
_EPOCH: Final = re.compile(r"\d{9,19}|\d{9,13}\.\d+")
#: A count of seconds since 1970 has 9 or 10 digits from 1973 to 2286; more digits are finer units.
_EPOCH_UNITS: Final = ((1e11, 1e6), (1e14, 1e3), (1e17, 1.0), (np.inf, 1e-3))  # below, microseconds in one
#: Years outside are mistakes of unit, not measurements.
_FIRST, _LAST = (np.datetime64(day, "us").astype("int64") for day in ("1990-01-01", "2100-01-01"))
_NONE: Final = np.iinfo("int64").min


@dataclass(frozen=True)
class Stamps:
    """Microseconds since 1970; of local clocks where `naive`, otherwise UTC. Nothing where `bad`."""

    us: np.ndarray
    naive: np.ndarray
    bad: np.ndarray


def stamps_of(column: pd.Series) -> Stamps:
    """Stamps from text (ISO 8601, or seconds since 1970), numbers (seconds since 1970) or pandas stamps.

    >>> stamps_of(pd.Series(["2026-08-03T02:00+02:00", "1785715200", "2026-08-03", "3/8/2026"])).bad.tolist()
    [False, False, False, True]
    """
    if isinstance(column.dtype, pd.DatetimeTZDtype) or pd.api.types.is_datetime64_dtype(column.dtype):
        aware = isinstance(column.dtype, pd.DatetimeTZDtype)
        plain = column.dt.tz_convert("UTC").dt.tz_localize(None) if aware else column
        us = plain.to_numpy(dtype="datetime64[us]").astype("int64")
        return _plausible(us, np.full(len(us), not aware))
    if pd.api.types.is_numeric_dtype(column.dtype):
        us = _from_epoch(column.to_numpy(dtype="float64"), column)
        return _plausible(us, np.zeros(len(us), dtype=bool))
    codes, words = pd.factorize(column.astype(object), use_na_sentinel=True)
    us, naive = _from_words([str(word).strip() for word in words])
    us, naive = np.append(us, _NONE), np.append(naive, False)  # code -1, a missing cell, reads the last one
    return _plausible(us[codes], naive[codes])


def _from_words(words: list[str]) -> tuple[np.ndarray, np.ndarray]:
    matches = [_ISO.fullmatch(word) for word in words]
    naive = np.array([match is not None and match["zone"] is None for match in matches], dtype=bool)
    us = np.full(len(words), _NONE)
    iso = np.array([match is not None for match in matches], dtype=bool)
    if iso.any():
        texts = [_plain(word) for word, match in zip(words, matches, strict=True) if match is not None]
        parsed = pd.to_datetime(pd.Index(texts, dtype=object), format="ISO8601", utc=True, errors="coerce")
        us[iso] = np.where(parsed.isna(), _NONE, parsed.as_unit("us").asi8)
    for position in np.flatnonzero(~iso):
        if _EPOCH.fullmatch(words[position]):
            us[position] = _one_epoch(words[position])
    return us, naive & (us != _NONE)


def _plain(word: str) -> str:
    """The one spelling of a stamp that pandas reads without guessing."""
    word = word.upper().replace("UTC", "Z").replace("GMT", "Z").replace(",", ".")
    return word.replace(" Z", "Z")


def _one_epoch(word: str) -> int:
    """Exact for whole numbers: a float holds no nanoseconds of today."""
    whole, _, fraction = word.partition(".")
    scale = next(scale for below, scale in _EPOCH_UNITS if int(whole) < below)
    exact = int(whole) * int(scale) if scale >= 1 else int(whole) // round(1 / scale)
    return exact + round(float(f"0.{fraction or 0}") * scale)


def _from_epoch(numbers: np.ndarray, column: pd.Series) -> np.ndarray:
    us = np.full(len(numbers), _NONE)
    with np.errstate(invalid="ignore"):
        usable = np.isfinite(numbers) & (numbers >= 1e8)
        scale = np.select([numbers < below for below, _ in _EPOCH_UNITS], [size for _, size in _EPOCH_UNITS], 1.0)
    whole = pd.api.types.is_integer_dtype(column.dtype) and bool((scale[usable] >= 1).all())
    if whole:
        us[usable] = column.to_numpy()[usable].astype("int64") * scale[usable].astype("int64")
    else:
        us[usable] = np.round(numbers[usable] * scale[usable]).astype("int64")
    return us


def _plausible(us: np.ndarray, naive: np.ndarray) -> Stamps:
    bad = (us < _FIRST) | (us >= _LAST)
    return Stamps(us, naive & ~bad, bad)


@dataclass(frozen=True)
class Localized:
    """Local stamps as UTC microseconds; the masks are over the same rows."""

    us: np.ndarray
    absent: np.ndarray  # the clock never showed this time
    twice: np.ndarray  # it showed it twice, and the order of the rows does not tell which is meant
    ordered: np.ndarray  # it showed it twice, and the order told


def localized(us: np.ndarray, series: np.ndarray, zone: str) -> Localized:
    """Stamps of the clock in `zone`, as UTC. `series` numbers the series of each row; rows are as in the file.

    When clocks go back an hour happens twice. A series that lists all of its stamps of that hour, and then all of
    them again, tells which is which; anything less does not, and is not guessed.
    """
    distinct, inverse = np.unique(us, return_inverse=True)
    clock = pd.DatetimeIndex(distinct.view("datetime64[us]"))
    early, late = (
        clock.tz_localize(zone, ambiguous=np.full(len(clock), summer), nonexistent="NaT") for summer in (True, False)
    )
    absent = np.asarray(early.isna())
    first, second = (np.where(absent, _NONE, index.as_unit("us").asi8) for index in (early, late))
    result = first[inverse].copy()
    doubled = (first != second)[inverse]
    ordered = np.zeros(len(us), dtype=bool)
    rows = np.flatnonzero(doubled)
    night = us[rows] // (12 * 3600 * 1_000_000)  # rows of one series and one change of clocks belong together
    by_series = np.argsort(series, kind="stable")
    starts = series[by_series]
    for group in pd.Series(rows).groupby([series[rows], night], sort=False).indices.values():
        members = rows[group]
        number = series[members[0]]
        mine = by_series[np.searchsorted(starts, number) : np.searchsorted(starts, number, side="right")]
        again = _second_time(us, members, mine)
        if again is not None:
            result[again] = second[inverse[again]]
            ordered[members] = True
    return Localized(result, absent[inverse], doubled & ~ordered, ordered)


def _second_time(us: np.ndarray, members: np.ndarray, series: np.ndarray) -> np.ndarray | None:
    """Of the rows in a doubled hour, those of its second pass; None when the order does not tell.

    members  positions of those rows; series  positions of all rows of their series, both as in the file
    """
    half, odd = divmod(len(members), 2)
    first = int(np.searchsorted(series, members[0]))
    together = np.array_equal(series[first : first + len(members)], members)
    if odd or not together or not np.array_equal(us[members[:half]], us[members[half:]]):
        return None
    once = us[np.delete(series, np.arange(first + half, first + 2 * half))]  # the second pass left out
    if len(once) < half + 2:
        return None
    if bool((np.diff(once) > 0).all()):
        return members[half:]
    return members[:half] if bool((np.diff(once) < 0).all()) else None
