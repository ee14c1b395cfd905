"""BlazeMeter's aggregate report as CSV, alone or among the tables of a dump."""

from __future__ import annotations

import re
from typing import ClassVar, Final

import numpy as np

from capacity.errors import InputError
from capacity.loadtest.readers.base import Reading, ResultFile, Summary
from capacity.loadtest.readers.blazemeter.aggregate import ALL, aggregate_row, label_of
from capacity.loadtest.readers.finished import Row, number, summary, whole_csv

_HEADER: Final = re.compile(r'^"?labelId"?\s*,\s*"?labelName"?\s*,', re.MULTILINE)


class BlazeMeterCsv:
    """A row a label, `ALL` is the total. Header names may have blanks around, rows may lack their last cell."""

    name: ClassVar[str] = "BlazeMeter aggregate report CSV"

    def recognises(self, file: ResultFile) -> bool:
        text = file.text
        return not text.startswith(("{", "[", "<")) and _HEADER.search(text) is not None

    def summary(self, file: ResultFile, reading: Reading) -> Summary:
        header: list[str] = []
        rows: list[tuple[str, Row]] = []
        total: Row | None = None
        others = 0
        for line, cells in enumerate(whole_csv(file, reading), 1):
            if {"labelName", "samples"} <= set(cells):
                header = cells
            elif not any(cells):
                header = []  # a blank line ends a table of a dump
            elif not header or np.isnan(number(_named(header, cells).get("samples"))):
                header = []
                others += 1
            elif not len(header) - 1 <= len(cells) <= len(header):
                raise InputError(
                    f"{file.path} row {line}: {len(cells)} cells under {len(header)} columns",
                    advice="Export the aggregate report again from BlazeMeter.",
                )
            else:
                figures = _named(header, cells)
                figures_row = aggregate_row(figures, f"{file.path.name} row {line}")
                if label_of(figures) == ALL:
                    total = figures_row
                else:
                    rows.append((label_of(figures), figures_row))
        if others:
            message = f"{others:,} rows of {file.path.name} belong to no aggregate report and were not read"
            reading.note(
                "other tables", "REVIEW", message, "In a dump of several tables this is as it should be.", others
            )
        if not rows and total is None:
            raise InputError(f"{file.path} holds an aggregate report without rows. Export it after the test has ended.")
        return summary(rows, total)


def _named(header: list[str], cells: list[str]) -> dict[str, object]:
    return dict(zip(header, cells, strict=False))  # the last cell may be missing
