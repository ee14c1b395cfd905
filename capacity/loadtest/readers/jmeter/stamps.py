"""What the time stamps of a file are: numbers or dates, of which unit, of the start of a sample or of its end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

#: Stamps from 2200 on, in microseconds, are damage.
LATEST: Final = 7_258_118_400_000_000

#: Patterns JMeter tries when it reads a date (CSVSaveService, DATE_FORMAT_STRINGS), and ISO 8601 with an offset.
_YEAR_FIRST: Final = re.compile(
    r"\d{4}([/-])\d{1,2}\1\d{1,2}[ T]\d{1,2}:\d{2}:\d{2}(?P<part>[.,]\d+)?(?P<zone>Z|[+-]\d{2}:?\d{2})?"
)
_MONTH_FIRST: Final = re.compile(r"\d{1,2}/\d{1,2}/(\d{2}|\d{4}) \d{1,2}:\d{2}:\d{2}(?P<part>[.,]\d+)?(?P<zone>)")
_NUMBER: Final = re.compile(r"(?P<whole>\d{1,16})(\.\d+)?")


@dataclass(frozen=True)
class Stamps:
    """How stamps are written.

    style      decimal places that make microseconds of a number, 10 for dates with the year first, 11 with the month
    unit       of numbers, in words
    local      dates of a clock that does not say its zone
    coarse     whole seconds
    """

    style: int
    unit: str = "dates"
    local: bool = False
    coarse: bool = False


def stamps_like(text: str) -> Stamps | None:
    """How a stamp is written; None when it cannot be told.

    >>> stamps_like("1795427364220").unit, stamps_like("1795427364").unit, stamps_like("yesterday")
    ('milliseconds', 'seconds', None)
    >>> stamps_like("2026/11/23 09:54:13.902").local, stamps_like("2026-11-23T09:54:13Z").local
    (True, False)
    """
    text = text.strip()
    number = _NUMBER.fullmatch(text)
    if number:  # the years 2001 to 2286 have 10, 13 or 16 digits
        size = len(number["whole"])
        if size in (9, 10):
            return Stamps(6, "seconds", coarse="." not in text)
        return Stamps(0, "microseconds") if size >= 15 else Stamps(3, "milliseconds")
    for style, pattern in ((10, _YEAR_FIRST), (11, _MONTH_FIRST)):
        date = pattern.fullmatch(text)
        if date:
            return Stamps(style, local=not date["zone"], coarse=not date["part"])
    return None


#: Fewer pairs of samples than this say nothing about their stamps.
_PAIRS: Final = 20

#: A thread's next sample may begin so many microseconds before the last one ends: two roundings to milliseconds.
_ROUNDING: Final = 2_000


def stamps_are_ends(start: np.ndarray, elapsed: np.ndarray, thread: np.ndarray) -> bool:
    """Whether stamps read as starts must be ends, from rows in file order, (n,) each, times in microseconds.

    A thread does one thing at a time. Read the right way, its samples follow each other; read the wrong way, short ones
    after long ones overlap. Ends are believed when more than one pair in twenty overlaps as starts, and hardly any as
    ends (`sampleresult.timestamp.start=false`; loadtest.md 1.1).
    """
    order = np.argsort(thread, kind="stable")
    stamp, took = start[order], elapsed[order]
    same = thread[order][1:] == thread[order][:-1]
    if same.sum() < _PAIRS:
        return False
    as_starts = (stamp[1:] < stamp[:-1] + took[:-1] - _ROUNDING) & same
    as_ends = (stamp[1:] - took[1:] < stamp[:-1] - _ROUNDING) & same
    return bool(as_starts.sum() > same.sum() / 20 and as_ends.sum() * 20 < as_starts.sum())
