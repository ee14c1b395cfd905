"""Findings that JMeter's CSV and XML share. Each says nothing where there is nothing to say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from capacity.errors import Problem
from capacity.loadtest.readers.base import Reading
from capacity.loadtest.readers.jmeter import columns
from capacity.loadtest.readers.lines import status_of_loss

_SHOWN: Final = 3  # places of damage that a finding names


def note_all_failed(reading: Reading, name: str, requests: int, failed: int) -> None:
    """A file of failures only: mostly an error log beside the real one."""
    if requests and failed == requests:
        reading.note(
            "failures only",
            "FAIL",
            f"{name}: every one of its {requests:,} requests failed. This may be a log of errors only (Taurus's "
            "error.jtl, a listener with 'Errors' ticked), not the whole run",
            "Read the log of all samples (kpi.jtl)",
            count=requests,
        )


def damaged_places(wrong: np.ndarray, width: int, header: bool) -> list[Problem]:
    """Where bad rows are, and what is wrong with them. `wrong`: (n, 3) line, code of `columns`, cells there are."""
    words = {
        columns.WRONG_CELLS: "the row has {} cells, " + f"{'the header' if header else 'others'} {width}",
        columns.WRONG_STAMP: "timeStamp cannot be read",
        columns.WRONG_ELAPSED: "elapsed is not a number of milliseconds",
        columns.WRONG_SUCCESS: "success is neither true nor false",
        columns.WRONG_QUOTES: "a quote stands within a quoted cell and is not doubled",
        columns.WRONG_END: "a quote is opened and never closed",
    }
    return [Problem(words[int(why)].format(cells), f"line {line}") for line, why, cells in wrong]


def note_damaged(reading: Reading, name: str, rows: int, whole: int, places: Sequence[Problem]) -> None:
    """Rows that cannot be read, between others that can. `places`: of the first of them, at least."""
    if rows:
        shown = "; ".join(map(str, places[:_SHOWN]))
        more = f"; and {rows - _SHOWN:,} more" if rows > _SHOWN else ""
        reading.note(
            "damaged",
            status_of_loss(rows, rows + whole),
            f"{name}: {rows:,} of {rows + whole:,} rows cannot be read and {'was' if rows == 1 else 'were'} left out "
            f"({shown}{more})",
            "Look at these lines: counts, rates and errors lack them",
            count=rows,
        )


def note_batches(reading: Reading, name: str, rows: int) -> None:
    """Rows of StatisticalSampleResult."""
    if rows:
        reading.note(
            "batches",
            "REVIEW",
            f"{name}: {rows} rows tell of several requests each (SampleCount); their times are means",
            "Percentiles are of means, so too low. Send single samples: mode=Standard or StrippedBatch",
            count=rows,
        )


def note_negative(reading: Reading, name: str, rows: int) -> None:
    """Elapsed times below zero."""
    if rows:
        message = f"{name}: {rows} elapsed times are below zero and were read as 0; the generator's clock was set"
        reading.note("negative elapsed", "REVIEW", message, count=rows)


def note_end_stamps(reading: Reading, name: str) -> None:
    """Stamps that turned out to be ends."""
    reading.note(
        "end stamps",
        "REVIEW",
        f"{name}: samples of a thread overlap unless timeStamp is their end; it was read as the end",
        "JMeter writes starts unless sampleresult.timestamp.start=false: check the run's properties",
    )


def note_no_requests(reading: Reading, name: str, rows: int, requests: int) -> None:
    """Only transactions: JMeter before 5.0 wrote nothing else for 'Generate parent sample'."""
    if rows and not requests:
        reading.note(
            "transactions only",
            "FAIL",
            f"{name}: all {rows} rows are transactions; the requests inside them are not told",
            "Untick 'Generate parent sample' in the plan, or run it on JMeter 5, which writes the parts as well",
            count=rows,
        )
