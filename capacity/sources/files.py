"""Files, one or a folder of them: forgiving in form, strict in meaning."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from capacity.findings import Finding, Findings
from capacity.sources.base import Observations, Span, categories, key_order, microseconds
from capacity.sources.exports.answers import LOOKED_AT, is_answer
from capacity.sources.problems import Problems
from capacity.sources.regular import on_grid, once, with_intervals
from capacity.sources.tables import RawTable, read_table
from capacity.sources.translate import Reading, check_clusters, translated

#: Endings that are read in a folder. A file named by the caller is read whatever it is called.
READ: Final = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", ".pq")
#: Results of JMeter, which `capacity.loadtest.read` reads: no history, however they are packed.
LOAD_TESTS: Final = (".jtl", ".jtl.gz")
#: Endings that hold data in other places: left alone, and said so.
LIKELY_DATA: Final = (
    *(".txt", ".xlsx", ".xls", ".ods", ".zip", ".gz", ".bz2", ".xz", ".zst", ".7z", ".tar"),
    *(".jsonl", ".ndjson", ".feather", ".arrow", ".orc", ".avro", ".db", ".duckdb", ".sqlite"),
)
#: Stamps this long after the fetch are mistaken. Clocks are off by less, and so are histories that someone generates.
FUTURE: Final = pd.Timedelta(days=366)
#: A store of ours is a folder with this file, and this word in it (`capacity.history.store`).
MANIFEST: Final = "manifest.json"
STORE_FORMAT: Final = "capacity-history"


@dataclass(frozen=True)
class Files:
    """Tables in CSV (also gzip, tab, semicolon) or Parquet, and exports of other tools: one file, a folder, or several.

    path              file, folder with all below it, or several of them
    columns           their column -> ours, where `capacity.sources.columns.ALIASES` does not know it; or the series
                      that a column of values is: {"LABEL": "service:metric:stat:unit"}, parts of it empty where its
                      label or an option says them; or "-", not to be read
    metric, service   of every row, when neither a column nor a label says it
    unit              of the values, when it is not the metric's own and nothing says it
    timezone          IANA zone of stamps without an offset; without it such stamps are refused
    interval_seconds  when it cannot be seen from the stamps

    Long tables have a row a value. Known by their content are also: tables with a column a series, such as Grafana's
    "Series joined by time"; the CloudWatch console's "Download as .csv" of a graph; and the JSON of `aws cloudwatch
    get-metric-data` and `get-metric-statistics`, in a folder if its name ends in .json. Sums of requests become
    requests a second, `SampleCount` of an ECS service's CPUUtilization its running tasks (`exports.aws_names`).

    Stamps are starts of intervals. A missing value is a gap. Everything that cannot be understood is collected, with
    file and row, into one InputError. Rows know their file as `source` and when it was written as `fetched_at`.
    """

    path: str | Path | Sequence[str | Path]
    columns: Mapping[str, str] = field(default_factory=dict)
    metric: str | None = None
    unit: str | None = None
    timezone: str | None = None
    interval_seconds: int | None = None
    service: str | None = None
    name: str = "files"

    def read(self, span: Span | None = None) -> Observations:
        """All rows of all files, inside the span."""
        reading = Reading(
            self.columns or {},
            self.metric or "",
            self.unit or "",
            self.timezone or "",
            self.interval_seconds,
            self.service or "",
        )
        paths = [self.path] if isinstance(self.path, str | Path) else list(self.path)
        what = " and ".join(str(path) for path in paths)
        problems, findings = Problems(), list[Finding]()
        named = _named(paths, problems, findings)
        tables = (read_table(path, name, problems) for name, path in named.items())
        return observed(tables, reading, what, problems, findings, span)


def observed(
    tables: Iterator[RawTable | None],
    reading: Reading,
    what: str,
    problems: Problems,
    findings: list[Finding],
    span: Span | None = None,
) -> Observations:
    """Observations from tables of any origin; raises InputError with every problem of every table.

    what  words for all of it, for messages: "usage.csv"
    """
    reading.check(problems)
    problems.raise_any(f"{what} cannot be read:")
    parts, empty = [], []
    for table in tables:
        if table is None:
            continue
        if len(table) == 0:
            findings += table.notes
            empty.append(table.name)
            continue
        rows = translated(table, reading, problems, findings)
        if rows is not None:
            parts.append(rows)
    _empty(empty, parts, problems, findings)
    if not parts and len(problems) == 0:
        problems.add("every column of values is left out", what)
    problems.raise_any(f"{what} cannot be read:")
    rows = _joined(parts)
    check_clusters(rows, problems)
    rows = with_intervals(rows, problems, findings)
    rows = _without_missing(rows, findings, problems, what)
    problems.raise_any(f"{what} cannot be read:")
    rows = once(on_grid(_sorted(rows), problems, findings), problems, findings)
    problems.raise_any(f"{what} cannot be read:")
    findings += _in_future(rows)
    if span is not None:
        start, end = map(microseconds, span)
        rows = rows[(rows["us"] >= start) & (rows["us"] < end)]
    frame = rows.assign(timestamp=_utc(rows["us"]), fetched_at=_utc(rows["fetched"]))
    return Observations.of(frame, what, Findings.of(findings))


def is_store(path: Path) -> bool:
    """Whether a folder is a history store of ours."""
    try:
        return json.loads((path / MANIFEST).read_text(encoding="utf-8")).get("format") == STORE_FORMAT
    except (OSError, ValueError, AttributeError):
        return False


def _named(paths: Sequence[str | Path], problems: Problems, findings: list[Finding]) -> dict[str, Path]:
    """Every file to read, by the name it has in messages, in order of name."""
    named: dict[str, Path] = {}
    for given in map(Path, paths):
        if given.is_dir():
            found = {str(path.relative_to(given)): path for path in _below(given, findings)}
            if not found:
                problems.add(f"no file ends in {', '.join(READ)}", str(given))
        elif given.exists():
            found = {given.name: given}
        else:
            problems.add("does not exist", str(given))
            found = {}
        for name, path in sorted(found.items()):
            named[name if name not in named else str(path)] = path
    return named


def _below(folder: Path, findings: list[Finding]) -> Iterator[Path]:
    """Data files in a folder and below, hidden ones left out; what looks like data and is not read is reported."""
    ignored = []
    for root, folders, files in os.walk(folder):
        here = Path(root)
        if here != folder and is_store(here):
            ignored.append(f"{here.relative_to(folder)} (a history store: read it on its own)")
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.startswith("."):
                continue
            if name.lower().endswith(READ) or _is_answer(here / name):
                yield here / name
            elif name.lower().endswith(LIKELY_DATA) and not name.lower().endswith(LOAD_TESTS):
                ignored.append(str((here / name).relative_to(folder)))
    if ignored:
        shown = ", ".join(ignored[:10]) + (f" and {len(ignored) - 10} more" if len(ignored) > 10 else "")
        message = f"not read, though it looks like data: {shown}"
        advice = f"Files read end in {', '.join(READ)}, or in .json where they hold an answer of CloudWatch."
        findings.append(Finding("", "", "files", "REVIEW", message, advice))


def _is_answer(path: Path) -> bool:
    """Whether a JSON file is an answer of CloudWatch; other JSON in a folder is none of ours."""
    if not path.name.lower().endswith(".json"):
        return False
    with path.open("rb") as file:
        return is_answer(file.read(LOOKED_AT))


def _empty(names: list[str], parts: Sequence[object], problems: Problems, findings: list[Finding]) -> None:
    """A file without rows beside others is worth a look; with nothing else there is nothing to read."""
    for name in names:
        if parts:
            findings.append(Finding("", "", "files", "REVIEW", f"{name} has a header and no rows"))
        else:
            problems.add("has a header and no rows", name)


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Rows of all tables in one, with common, sorted categories."""
    columns: dict[str, object] = {}
    for name in parts[0].columns:
        pieces = [part[name] for part in parts]
        if isinstance(pieces[0].dtype, pd.CategoricalDtype):
            columns[name] = categories(pd.Series(pd.api.types.union_categoricals(pieces)))
        else:
            columns[name] = np.concatenate([piece.to_numpy() for piece in pieces])
    return pd.DataFrame(columns)


def _without_missing(rows: pd.DataFrame, findings: list[Finding], problems: Problems, what: str) -> pd.DataFrame:
    """The rows that hold a value. Missing ones are gaps: counted, not kept."""
    missing = rows["value"].isna()
    if not missing.any():
        return rows
    if missing.all():
        problems.add(f"none of the {len(rows):,} rows holds a value", what)
        return rows
    counts = missing.groupby([rows["service"], rows["metric"]], observed=True).agg(["sum", "size"])
    for (service, metric), count, size in zip(counts.index, counts["sum"], counts["size"], strict=True):
        if count == size:
            message = f"none of {size:,} rows holds a value: there is no such series"
            findings.append(Finding(str(service), str(metric), "gaps", "FAIL", message, count=int(count)))
        elif count:
            message = f"{count:,} of {size:,} rows hold no value: read as gaps"
            findings.append(Finding(str(service), str(metric), "missing", "PASS", message, count=int(count)))
    return rows[~missing]


def _in_future(rows: pd.DataFrame) -> Iterator[Finding]:
    """Stamps long after they were fetched: no measurement is."""
    ahead = (
        rows["us"] > rows["fetched"] + FUTURE.to_timedelta64().astype("timedelta64[us]").astype("int64")
    ).to_numpy()
    for service, part in rows[ahead].groupby("service", observed=True):
        last, fetched = (pd.Timestamp(int(part[name].max()), unit="us") for name in ("us", "fetched"))
        yield Finding(
            str(service),
            "",
            "future",
            "FAIL",
            f"{len(part):,} rows have stamps in the future, the last {last:%Y-%m-%d %H:%M} UTC, "
            f"though they were fetched on {fetched:%Y-%m-%d}",
            "No measurement is: correct the stamps.",
            count=len(part),
        )


def _sorted(rows: pd.DataFrame) -> pd.DataFrame:
    order = key_order(rows.assign(timestamp=_utc(rows["us"])))
    return rows if order is None else rows.take(order)


def _utc(us: pd.Series) -> pd.Series:
    return pd.Series(us.to_numpy().view("datetime64[us]"), index=us.index).dt.tz_localize("UTC")
