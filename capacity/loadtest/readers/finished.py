"""Finished statistics as one table by label, whatever tool they come from."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.loadtest.readers.base import Reading, ResultFile, Summary
from capacity.loadtest.readers.lines import blocks

#: The columns of `Summary.labels`. Counts are whole where they are known; times in milliseconds.
COLUMNS: Final = (
    *("samples", "errors", "mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms"),
    *("throughput_per_s", "min_ms", "max_ms"),
)
TOTAL: Final = "Total"
#: A file of statistics is small: one beyond this size is something else.
_LARGEST: Final = 1 << 28

Row = Mapping[str, float]


def whole_text(file: ResultFile, reading: Reading) -> str:
    """All of a small file as text. Raises InputError beyond 256 MiB."""
    data = bytearray()
    for block in blocks(file, reading):
        data += block
        if len(data) > _LARGEST:
            raise InputError(f"{file.path} is larger than 256 MiB: not a file of finished statistics")
    return bytes(data).decode("utf-8-sig", errors="replace")


def whole_json(file: ResultFile, reading: Reading) -> Any:
    """All of a small file as JSON. Raises InputError with the place where it is none."""
    try:
        return json.loads(whole_text(file, reading))
    except (ValueError, RecursionError) as error:  # also for numbers of thousands of digits
        raise InputError(f"{file.path}: not whole JSON ({error})", advice="Copy or export the file again.") from None


def objects(value: object, what: str, file: ResultFile) -> list[Mapping[str, Any]]:
    """A list of JSON objects, none where there is null. Raises InputError for anything else."""
    found = [] if value is None else value
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise InputError(f"{file.path}: {what} is not a list of objects. Bring the file as the tool wrote it.")
    return found


def whole_csv(file: ResultFile, reading: Reading) -> list[list[str]]:
    """All rows of a small CSV file, blanks around cells cut off; empty rows are lists of nothing but empty cells.

    Raises InputError with the line where it is none.
    """
    rows = csv.reader(io.StringIO(whole_text(file, reading), newline=""), skipinitialspace=True)
    try:
        return [[cell.strip() for cell in row] for row in rows]
    except csv.Error as error:
        raise InputError(f"{file.path} line {rows.line_num}: not CSV ({error}). Copy the file again.") from None


def number(text: object) -> float:
    """A number, or NaN for what says that there is none: "", "-", "N/A", null; thousands may be grouped by commas.

    >>> number("1,234.5"), number("12"), number("-"), number(None)
    (1234.5, 12.0, nan, nan)
    """
    if isinstance(text, bool) or text is None:
        return np.nan
    try:
        value = float(str(text).replace(",", ""))
    except ValueError:
        return np.nan
    return value if np.isfinite(value) else np.nan


def summary(rows: Iterable[tuple[str, Row]], total: Row | None, timeline: pd.DataFrame | None = None) -> Summary:
    """A `Summary` of rows by label and of the row for all of them.

    Without a total, counts are added up and the mean is weighted by them; percentiles of a total cannot be had from
    those of its parts, so they are NaN. Labels that come twice are kept twice, told apart by " (2)"; so is one that is
    called Total.

    >>> parts = [("a", {"samples": 1, "mean_ms": 10}), ("b", {"samples": 3, "mean_ms": 30})]
    >>> summary(parts, None).labels.loc["Total", ["samples", "mean_ms", "p95_ms"]].tolist()
    [4.0, 25.0, nan]
    """
    known: dict[str, Row] = {}
    for label, row in rows:
        name, times = label, 1
        while name in known or name == TOTAL:
            times += 1
            name = f"{label} ({times})"
        known[name] = row
    parts = pd.DataFrame.from_dict(dict(known), orient="index", columns=list(COLUMNS), dtype=np.float64)
    whole = added_up(parts) if total is None else {column: total.get(column, np.nan) for column in COLUMNS}
    labels = pd.concat([parts, pd.DataFrame([whole], index=[TOTAL], columns=list(COLUMNS), dtype=np.float64)])
    return Summary(labels.rename_axis("label"), timeline)


def pooled(parts: Sequence[Summary]) -> Summary:
    """One summary of generators that ran side by side: counts and rates add up, means are weighted by counts.

    Percentiles of a whole do not follow from those of its parts, and their average is none of anything: NaN, but for a
    label that one generator alone asked. A generator that is told of twice counts once.

    >>> from dataclasses import replace
    >>> one = summary([("a", {"samples": 1, "mean_ms": 10, "p95_ms": 12, "throughput_per_s": 2})], None)
    >>> two = summary([("a", {"samples": 3, "mean_ms": 30, "p95_ms": 40, "throughput_per_s": 6})], None)
    >>> whole = pooled([replace(one, generator="task 1"), replace(two, generator="task 2")])
    >>> whole.labels.loc["a", ["samples", "mean_ms", "p95_ms", "throughput_per_s"]].tolist()
    [4.0, 25.0, nan, 8.0]
    """
    tables = [part.labels for part in {part.generator or id(part): part for part in parts}.values()]
    labels = list(dict.fromkeys(label for table in tables for label in table.index if label != TOTAL))
    rows = []
    for label in [*labels, TOTAL]:
        same = pd.DataFrame([table.loc[label] for table in tables if label in table.index])
        rows.append(dict(same.iloc[0]) if len(same) == 1 else added_up(same))
    return summary(zip(labels, rows, strict=False), rows[-1])


def added_up(parts: pd.DataFrame) -> dict[str, float]:
    """The row for all labels, as far as it follows from theirs."""
    samples = parts["samples"].sum(min_count=len(parts))
    busy = parts[parts["samples"] > 0]
    return {
        "samples": samples,
        "errors": parts["errors"].sum(min_count=len(parts)),
        "mean_ms": float((busy["mean_ms"] * busy["samples"]).sum(min_count=len(busy)) / samples) if samples else np.nan,
        "throughput_per_s": parts["throughput_per_s"].sum(min_count=len(parts)),
        "min_ms": busy["min_ms"].min(skipna=False),
        "max_ms": busy["max_ms"].max(skipna=False),
    }
