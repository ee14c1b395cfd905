"""A file as named columns of text or typed values, with the row each value came from. No meaning yet."""

from __future__ import annotations

import csv
import gzip
import io
import re
import warnings
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from capacity.findings import Finding
from capacity.sources.problems import Problems

#: Tried in this order when the header holds several of them equally often.
DELIMITERS = ",;\t|"
_GZIP, _PARQUET, _ZIP = b"\x1f\x8b", b"PAR1", b"PK\x03\x04"


@dataclass(frozen=True)
class RawTable:
    """Columns as a file has them. `rows` are the numbers people see: in a text file, the header is row 1."""

    name: str
    header: list[str]
    columns: list[pd.Series]  # text (None where a row is too short), numbers, or stamps
    rows: np.ndarray
    decimal_comma: bool = False
    fetched_us: int = 0  # when the file was last written, microseconds since 1970
    form: str = ""  # which tool's answer it is, where that is not in the columns: `exports.answers`
    notes: tuple[Finding, ...] = ()  # what the file says of itself beside its values: that it is not complete

    def __len__(self) -> int:
        return len(self.rows)


def read_table(path: Path, name: str, problems: Problems) -> RawTable | None:
    """One file as a table; None when it cannot be read, with the reason among the problems."""
    table = _read(path, name, problems)
    return None if table is None else replace(table, fetched_us=path.stat().st_mtime_ns // 1000)


def _read(path: Path, name: str, problems: Problems) -> RawTable | None:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        if magic == _PARQUET:
            return _parquet(path, name, problems)
        data = path.read_bytes()
        if magic[:2] == _GZIP:
            data = gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        problems.add(f"cannot be read: {error}", name)
        return None
    for ending, kind, first in (
        (".gz", "gzip", _GZIP),
        (".parquet", "Parquet", _PARQUET),
        (".pq", "Parquet", _PARQUET),
    ):
        if path.name.lower().endswith(ending) and magic and not magic.startswith(first):
            problems.add(f"is no {kind} file, though its name ends in {ending}", name, "Copy or export it again.")
            return None
    if magic == _ZIP:
        problems.add("is a spreadsheet or archive", name, "Save it as CSV or Parquet.")
        return None
    return _text(data, name, problems)


def frame_table(frame: pd.DataFrame, fetched_us: int, name: str = "frame") -> RawTable:
    """A DataFrame as a table, with what its index names; rows are counted from 0, as `.iloc` does."""
    if isinstance(frame.index, pd.DatetimeIndex) and frame.index.name is None:
        frame = frame.rename_axis("timestamp")
    named = [name for name in frame.index.names if name is not None]
    if named and not set(named) & set(frame.columns):
        frame = frame.reset_index()
    columns = [frame.iloc[:, position] for position in range(frame.shape[1])]
    header = [str(label) for label in frame.columns]
    return RawTable(name, header, columns, np.arange(len(frame)), fetched_us=fetched_us)


def _text(data: bytes, name: str, problems: Problems) -> RawTable | None:
    """CSV and its kin. The delimiter is the one the header has most of; a `;` goes with decimal commas."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        problems.add(f"is not UTF-8 text (byte {error.start:,})", name, "Save it as UTF-8.")
        return None
    if not text.strip():
        problems.add("is empty", name)
        return None
    if text.lstrip()[0] in "{[":
        from capacity.sources.exports.answers import answer_table  # which itself makes tables

        return answer_table(text, name, problems)
    first, skipped = text.lstrip("\r\n").split("\n", 1)[0].rstrip("\r"), 0
    said = re.fullmatch(r"sep=(.)", first)  # a line that spreadsheets write for themselves
    if said:
        skipped = 1
        delimiter = said[1]
    else:
        unquoted = re.sub(r'"[^"]*"', "", first)
        delimiter = max(DELIMITERS, key=unquoted.count)
    cells, rows = _cells(text, delimiter, skipped, name, problems)
    if cells is None:
        return None
    blank = np.ones(len(cells), dtype=bool)
    for column in cells:
        values = cells[column]
        blank &= (values.isna() | (values == "")).to_numpy()
    filled = np.flatnonzero(~blank)
    header = [str(cell) if isinstance(cell, str) else "" for cell in cells.iloc[filled[0]]]
    body = cells.iloc[filled[1:]].reset_index(drop=True)
    return RawTable(
        name, header, [body[column] for column in body.columns], rows[filled[1:]], decimal_comma=delimiter == ";"
    )


def _cells(
    text: str, delimiter: str, skipped: int, name: str, problems: Problems
) -> tuple[pd.DataFrame | None, np.ndarray]:
    """All cells as text, header included, and the row number of each line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            cells = pd.read_csv(
                io.StringIO(text, newline=""),
                sep=delimiter,
                header=None,
                dtype=object,
                keep_default_na=False,
                na_values=[],
                skip_blank_lines=False,
                skiprows=skipped,
                index_col=False,
            )
    except (pd.errors.ParserError, pd.errors.ParserWarning, pd.errors.EmptyDataError):
        return _cells_slowly(text, delimiter, skipped, name, problems)
    return cells, np.arange(len(cells)) + 1 + skipped


def _cells_slowly(
    text: str, delimiter: str, skipped: int, name: str, problems: Problems
) -> tuple[pd.DataFrame | None, np.ndarray]:
    """The same, row by row: for files with rows that are longer than the header. Empty cells at the end are dropped."""
    before = len(problems)
    lines: list[list[str | None]] = []
    rows: list[int] = []
    width = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for number, line in enumerate(reader, start=1):
            if number <= skipped or not any(line):
                continue
            width = width or len(line)
            if any(line[width:]):
                problems.add(f"has {len(line)} fields, the header has {width}", f"{name} row {number}")
            lines.append([*line[:width], *[None] * (width - len(line))])
            rows.append(number)
    except csv.Error as error:
        problems.add(f"cannot be read as CSV near line {reader.line_num}: {error}", name)
    if len(problems) > before:
        return None, np.array(rows)
    return pd.DataFrame(lines, dtype=object), np.array(rows)


def _parquet(path: Path, name: str, problems: Problems) -> RawTable | None:
    """A Parquet file, through DuckDB. Stamps come as microseconds, so that no time zone is guessed on the way."""
    import duckdb

    try:
        with duckdb.connect() as connection:
            described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
            chosen = ", ".join(_selected(column, kind) for column, kind, *_ in described)
            query = f"SELECT {chosen} FROM read_parquet(?, hive_partitioning = false)"
            values = connection.execute(query, [str(path)]).fetchnumpy()
    except duckdb.Error as error:
        problems.add(f"is not a Parquet file that can be read: {str(error).splitlines()[0]}", name)
        return None
    header = [column for column, *_ in described]
    columns = [_series(values[column], kind) for column, kind, *_ in described]
    return RawTable(name, header, columns, np.arange(1, len(columns[0]) + 1))


def _selected(column: str, kind: str) -> str:
    quoted = '"' + column.replace('"', '""') + '"'
    if kind.startswith("TIMESTAMP"):
        return f"epoch_us({quoted}) AS {quoted}"
    if kind == "DATE":
        return f"epoch_us({quoted}::TIMESTAMP) AS {quoted}"
    if kind.startswith("DECIMAL") or kind in ("HUGEINT", "UHUGEINT"):
        return f"{quoted}::DOUBLE AS {quoted}"
    if kind in ("FLOAT", "DOUBLE", "BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UBIGINT", "UINTEGER", "BOOLEAN"):
        return quoted
    return f"{quoted}::VARCHAR AS {quoted}"


def _series(values: Any, kind: str) -> pd.Series:
    """A column of DuckDB's answer; missing stays missing."""
    missing = np.ma.getmaskarray(values)
    plain = np.ma.getdata(values)
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        stamps = plain.astype("int64", copy=True)
        stamps[missing] = pd.NaT.value  # the one integer that means no stamp
        series = pd.Series(stamps.view("datetime64[us]"))
        return series.dt.tz_localize("UTC") if "WITH TIME ZONE" in kind else series
    if missing.any():
        plain = plain.astype(object)
        plain[missing] = None
    return pd.Series(plain, dtype=object if plain.dtype == object else None)
