"""JMeter's files as tests write and read them, and an obvious reader beside the fast one."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from capacity.findings import Finding
from capacity.loadtest.readers.base import Reading, ResultFile, SampleReader
from capacity.loadtest.readers.jmeter.csv import JMeterCsv
from capacity.loadtest.samples import CONTAINER, REQUEST, TRANSACTION, Samples
from tests.loadtest.readers.reading import DATA

RUNS: Final = DATA / "jmeter"
HEADER: Final = (
    "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,"
    "grpThreads,allThreads,URL,Latency,IdleTime,Connect"
)
MARK: Final = "Number of samples in transaction : 2, number of failing samples : 0"
_TEXTS: Final = {"label": "labels", "outcome": "outcomes", "group": "groups", "host": "hosts"}


def table(
    path: Path, reader: SampleReader | None = None, timezone: str | None = None
) -> tuple[pd.DataFrame, dict[str, Finding]]:
    """All rows of a file, a column each of `Samples` with texts for codes; and the findings by what they check."""
    reader = reader or JMeterCsv()
    file, reading = ResultFile(path, timezone), Reading()
    assert reader.recognises(file)
    batches = list(reader.samples(file, reading))
    for batch in batches:
        assert all(len(getattr(batch, column.name)) == len(batch) for column in fields(Samples))
    names = [column.name for column in fields(Samples)]
    frame = pd.DataFrame({name: np.concatenate([[], *(getattr(b, name) for b in batches)]) for name in names})
    for column, vocabulary in _TEXTS.items():
        texts = getattr(reading.names, vocabulary).texts
        frame[column] = [texts[int(code)] for code in frame[column]]
    return frame.astype({name: "int64" for name in names if name not in _TEXTS}), {f.check: f for f in reading.findings}


def lines(rows: Iterable[Mapping[str, object]], columns: Sequence[str], **dialect: object) -> str:
    """A CSV as JMeter's savers write it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, **{"lineterminator": "\n", **dialect})  # type: ignore[arg-type]
    writer.writerow(columns)
    writer.writerows([[row.get(column, "") for column in columns] for row in rows])
    return text.getvalue()


def unpacked(path: Path) -> str:
    """The text of a fixture."""
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).decode()


def kinds(rows: Sequence[Mapping[str, str]]) -> list[int]:
    """What rows are, by the three sentences of loadtest.md 1.4, the slow way. Times in ms."""
    found = []
    for place, row in enumerate(rows):
        after = next((other for other in rows[place + 1 :] if other.get("threadName") == row.get("threadName")), None)
        if row.get("responseMessage", "").startswith("Number of samples in transaction : "):
            found.append(TRANSACTION)
        elif after and re.fullmatch(re.escape(row.get("label", "")) + r"-\d+", after.get("label", "")):
            start, inner = int(row["timeStamp"]), int(after["timeStamp"])
            inside = inner >= start - 1 and inner + int(after["elapsed"]) <= start + int(row["elapsed"]) + 1
            found.append(CONTAINER if inside else REQUEST)
        else:
            found.append(REQUEST)
    return found
