"""Findings that JMeter's CSV and XML share. Each says nothing where there is nothing to say."""

from __future__ import annotations

from capacity.loadtest.readers.base import Reading


def note_all_failed(reading: Reading, name: str, requests: int, failed: int) -> None:
    """A file of failures only: mostly an error log beside the real one."""
    if requests and failed == requests:
        reading.note(
            "failures only",
            "FAIL",
            f"{name}: every request failed ({requests}). This may be a log of errors only (Taurus's error.jtl, a "
            "listener with 'Errors' ticked), not the whole run",
            "Read the log of all samples (kpi.jtl)",
            count=requests,
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
