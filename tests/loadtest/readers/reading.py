"""Reading a file by its content, as a user would, into something to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from capacity.findings import Finding
from capacity.loadtest.readers import READERS
from capacity.loadtest.readers.base import Reading, ResultFile, ResultReader, SampleReader, Summary, SummaryReader

DATA: Final = Path(__file__).parent.parent / "data"
_TEXTS: Final = {"label": "labels", "outcome": "outcomes", "group": "groups", "host": "hosts"}


def claimants(path: Path) -> list[ResultReader]:
    """The readers that say the file is theirs."""
    file = ResultFile(path)
    return [reader for reader in READERS if reader.recognises(file)]


def read_samples(path: Path) -> tuple[pd.DataFrame, list[Finding]]:
    """All rows of a file of samples with their texts, and what was remarkable."""
    (reader,) = claimants(path)
    assert isinstance(reader, SampleReader), reader
    reading = Reading()
    batches = list(reader.samples(ResultFile(path), reading))
    names = [*_TEXTS, "start", "elapsed", "kind", "count", "failed", "users"]
    columns = {name: np.concatenate([getattr(batch, name) for batch in batches] or [np.array([])]) for name in names}
    frame = pd.DataFrame(columns)
    for column, vocabulary in _TEXTS.items():
        texts = getattr(reading.names, vocabulary).texts
        frame[column] = [texts[int(code)] for code in frame[column]]
    return frame, reading.findings


def read_summary(path: Path) -> tuple[Summary, list[Finding]]:
    """The statistics of a file, and what was remarkable."""
    (reader,) = claimants(path)
    assert isinstance(reader, SummaryReader), reader
    reading = Reading()
    return reader.summary(ResultFile(path), reading), reading.findings


def written(folder: Path, text: str | bytes, name: str = "results") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def checks(findings: list[Finding]) -> dict[str, int]:
    """Which checks spoke, and the count each gave."""
    return {finding.check: finding.count for finding in findings}
