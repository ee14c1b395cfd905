"""Where the columns of a JMeter CSV stand: read from its header, or known by the shape of a row without one."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import Final

#: Columns as `SampleResult` savers name them, in lower case: JMeter's manual and its files differ in case.
STAMP, ELAPSED, LABEL, CODE = "timestamp", "elapsed", "label", "responsecode"
MESSAGE, THREAD, SUCCESS, FAILURE = "responsemessage", "threadname", "success", "failuremessage"

#: What versions without a header line write by default (loadtest.md 1.2), by the count of their cells.
WITHOUT_HEADER: Final = {
    10: (STAMP, ELAPSED, LABEL, CODE, MESSAGE, THREAD, "datatype", SUCCESS, "bytes", "latency"),  # 2.9, 2.10
    12: (  # 2.12, 2.13
        *(STAMP, ELAPSED, LABEL, CODE, MESSAGE, THREAD, "datatype", SUCCESS),
        *("bytes", "grpthreads", "allthreads", "latency"),
    ),
}

#: JMeter takes any printable character but letters and digits; ours is one byte of UTF-8.
_DELIMITER: Final = r"[\t !#-/:-@\[-\^`{-~]"

_SUCCESS_AT: Final = 7  # the eighth cell of every default layout
_DATE: Final = (
    r"(?:\d{4}([/-])\d{1,2}\1\d{1,2}|\d{1,2}/\d{1,2}/\d{2,4})[ T]\d{1,2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?"
)
_FIRST_CELL: Final = re.compile(rf'"?(?:\d{{12,13}}|{_DATE})"?(?P<delimiter>{_DELIMITER})')
#: The first cell of a header; pandas leaves that of its index empty.
_HEADER_CELL: Final = re.compile(rf'(?:"?[A-Za-z_]\w*"?)?(?P<delimiter>{_DELIMITER})')
_THREAD_CELL: Final = re.compile(r".* \d+-\d+$", re.DOTALL)


@dataclass(frozen=True)
class Layout:
    """The cells of a row.

    columns    their names in lower case; () where only a person can say what they are
    header     the header line as it stands in the file, without its end; "" when there is none
    problem    why rows of this layout cannot be used, in words; "" when they can
    """

    delimiter: str
    columns: tuple[str, ...]
    header: str = ""
    problem: str = ""

    def __contains__(self, column: str) -> bool:
        return column in self.columns

    @property
    def stamps_are_ends(self) -> bool:
        """Taurus's Locust executor stamps a sample when it is over (bzt, locustio-taurus-wrapper.py)."""
        return "method" in self and "allthreads" in self and THREAD not in self


def layout_of(text: str) -> Layout | None:
    """The layout of a file that begins with `text`; None when this is no CSV of JMeter's family.

    >>> layout_of("timeStamp;elapsed;label;success\\n").columns
    ('timestamp', 'elapsed', 'label', 'success')
    >>> layout_of("1393227741256,1425,GET /,200,OK,main 1-1,text,true,3478,1016\\n").columns[-1]
    'latency'
    >>> layout_of("timestamp,value\\n2026-01-01,5\\n") is None
    True
    """
    line = text.split("\n", 1)[0].rstrip("\r")
    found = _HEADER_CELL.match(line)
    if found:
        return _with_header(line, found["delimiter"]) or _without_stamps(text)
    found = _FIRST_CELL.match(text)
    return _by_shape(text, found["delimiter"]) if found else _without_stamps(text)


def _with_header(line: str, delimiter: str) -> Layout | None:
    columns = tuple(cell.strip().strip('"').lower() for cell in first_row(line, delimiter))
    others = sum(name in columns for name in (LABEL, CODE, SUCCESS, THREAD))
    if ELAPSED in columns and STAMP in columns and others >= 1:
        twice = next((name for name in columns if name and columns.count(name) > 1), "")
        problem = f"the column {twice!r} stands in the header twice; give one of them another name" if twice else ""
        return Layout(delimiter, columns, line, problem)
    if others >= 3 and (ELAPSED in columns or STAMP in columns):
        missing = STAMP if ELAPSED in columns else ELAPSED
        saving = {STAMP: "timestamp_format=ms", ELAPSED: "time=true"}[missing]
        return Layout(delimiter, columns, line, f"it has no column for {_SAYS[missing]}. {_again(saving)}")
    return None


def _by_shape(text: str, delimiter: str) -> Layout | None:
    """A file that begins with a row: the time stamp, the elapsed time, and whether it succeeded in the eighth cell."""
    cells = first_row(text, delimiter)
    if len(cells) <= _SUCCESS_AT or not cells[1].isdecimal():
        return None
    columns = WITHOUT_HEADER.get(len(cells), ())
    fits = cells[_SUCCESS_AT].lower() in ("true", "false")
    if columns and fits and all(cell.isdecimal() for cell in cells[_SUCCESS_AT + 1 :]):
        return Layout(delimiter, columns)
    if not fits and not ({"true", "false"} & {cell.lower() for cell in cells}):
        return None
    return Layout(
        delimiter,
        (),
        problem=f"it has {len(cells)} columns and no header line. Without one, the 10 columns of JMeter 2.9 and the 12 "
        "of 2.13 are known; put the header of your layout (timeStamp,elapsed,label,...) before the first row",
    )


def _without_stamps(text: str) -> Layout | None:
    """JMeter's rows without time stamps and header, known by a thread's name and a true or false behind it."""
    found = re.match(r"[^\n]*?(?P<delimiter>[,;\t|])", text)
    if not found:
        return None
    cells = first_row(text, found["delimiter"])
    threads = [place for place, cell in enumerate(cells) if _THREAD_CELL.match(cell)]
    if len(cells) < 6 or not threads or not any(c in ("true", "false") for c in cells[threads[0] + 1 :]):
        return None
    message = f"its rows have no time stamps and no header line. {_again('timestamp_format=ms')}"
    return Layout(found["delimiter"], (), problem=message)


def first_row(text: str, delimiter: str) -> list[str]:
    """The cells of the first row, which may span lines."""
    try:
        return next(csv.reader(io.StringIO(text[:1_000_000], newline=""), delimiter=delimiter), [])
    except csv.Error:
        return []


_SAYS: Final = {STAMP: "the time of a sample", ELAPSED: "how long a sample took"}


def _again(setting: str) -> str:
    return (
        "Rates and latencies cannot be had from it; run the test again with "
        f"-Jjmeter.save.saveservice.{setting} -Jjmeter.save.saveservice.print_field_names=true"
    )
