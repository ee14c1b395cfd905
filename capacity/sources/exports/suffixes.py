"""Values that a tool formatted for reading, `12.3%` or `1.5 GiB`, as numbers with a unit: exactly, or not at all."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.sources.cells import missing

#: Suffix -> (factor, our unit), as Grafana's value formats write them (packages/grafana-data/src/valueFormats:
#: categories.ts, dateTimeFormatters.ts, symbolFormatters.ts). A year is left out: it has several lengths there. So are
#: bits, currencies, and everything whose dimension no metric of ours has.
SUFFIXES: Final[dict[str, tuple[str, str]]] = {
    "%": ("1", "%"),
    "B": ("1", "bytes"),
    "KiB": ("1", "KiB"),
    "MiB": ("1", "MiB"),
    "GiB": ("1", "GiB"),
    "TiB": ("1024", "GiB"),
    "kB": ("1000", "bytes"),
    "MB": ("1", "MB"),
    "GB": ("1", "GB"),
    "TB": ("1000", "GB"),
    "B/s": ("1", "bytes/s"),
    "KiB/s": ("1", "KiB/s"),
    "MiB/s": ("1", "MiB/s"),
    "GiB/s": ("1024", "MiB/s"),
    "kB/s": ("1000", "bytes/s"),
    "MB/s": ("1000000", "bytes/s"),
    "GB/s": ("1000000000", "bytes/s"),
    "ns": ("1e-9", "seconds"),
    "µs": ("1e-6", "seconds"),
    "ms": ("1", "ms"),
    "s": ("1", "seconds"),
    "min": ("1", "minutes"),
    "mins": ("1", "minutes"),
    "hour": ("60", "minutes"),
    "hours": ("60", "minutes"),
    "day": ("1440", "minutes"),
    "days": ("1440", "minutes"),
    "week": ("10080", "minutes"),
    "weeks": ("10080", "minutes"),
    "req/s": ("1", "requests/s"),
    "reqps": ("1", "requests/s"),
    "req/m": ("1", "requests/min"),
    "reqpm": ("1", "requests/min"),
}
#: Thousands, as "short" and the count units write them: alone, or before the unit of a rate.
THOUSANDS: Final = {"K": "1e3", "M": "1e6", "B": "1e9", "T": "1e12"}
SHORT: Final = {"K": "1e3", "Mil": "1e6", "Bil": "1e9", "Tri": "1e12"}
_DIGITS: Final = frozenset("0123456789")
_RATES: Final = ("req/s", "reqps", "req/m", "reqpm")
_NUMBER: Final = re.compile(r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?")
_CELL: Final = re.compile(r"([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*([%A-Za-zµ/]+(?: [A-Za-z/]+)?)")


class Measured(NamedTuple):
    """Values without their suffixes, and what these say. Cells that are not understood stay as they are."""

    values: pd.Series
    units: np.ndarray  # of our words, one a row; empty where none is said
    formatted: int  # cells that had a suffix
    bare: np.ndarray  # numbers without a unit among others that have one: of which unit are they?


def measured(column: pd.Series, decimal_comma: bool = False) -> Measured | None:
    """A column whose values have suffixes; None when none has.

    Factors are exact, as decimal fractions: 1.1 K is 1100. What the tool rounded before it wrote stays rounded.

    >>> found = measured(pd.Series(["12.5%", "", "8%", "9"]))
    >>> found.values.tolist(), found.units.tolist(), found.bare.tolist()
    ([12.5, '', 8.0, '9'], ['%', '', '%', ''], [False, False, False, True])
    """
    if not (pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype)):
        return None
    if not any(isinstance(word, str) and word and word[-1] not in _DIGITS for word in column):
        return None  # the usual case, and the quick one
    codes, words = pd.factorize(column.astype(object), use_na_sentinel=True)
    read = [_read(word, decimal_comma) for word in words]
    if not any(cell is not None for cell in read):
        return None
    values = [word if cell is None else cell[0] for word, cell in zip(words, read, strict=True)]
    said = [cell[1] if cell is not None else "" for cell in read]
    suffixed = np.array([*(cell is not None for cell in read), False])
    bare = np.array([*(cell is None and _is_number(word) for cell, word in zip(read, words, strict=True)), False])
    return Measured(
        pd.Series(np.array([*values, None], dtype=object)[codes], dtype=object),
        np.array([*said, ""], dtype=object)[codes],
        int(suffixed[codes].sum()),
        (bare & any(said))[codes],
    )


def _is_number(word: object) -> bool:
    return not missing(word) and _NUMBER.fullmatch(str(word).strip()) is not None


def _read(word: object, decimal_comma: bool) -> tuple[float, str] | None:
    """(number, our unit) of a cell with a suffix; None of any other."""
    if not isinstance(word, str) or not word or word[-1] in _DIGITS:
        return None
    text = word.strip()
    if decimal_comma and "." not in text:
        text = text.replace(",", ".")
    cell = _CELL.fullmatch(text)
    factor = _factor(cell[2]) if cell else None
    if cell is None or factor is None:
        return None
    size, unit = factor
    return float(Decimal(cell[1]) * Decimal(size)), unit


def _factor(suffix: str) -> tuple[str, str] | None:
    """(factor, our unit) of a suffix; None when it is not known."""
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if suffix in SHORT:
        return SHORT[suffix], ""
    thousands, _, rate = suffix.partition(" ")
    if rate in _RATES and thousands in THOUSANDS:
        return THOUSANDS[thousands], SUFFIXES[rate][1]
    return None
