"""`capacity.read`: whatever holds history, as a History."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from capacity.errors import InputError
from capacity.findings import Findings
from capacity.history.history import History
from capacity.history.quality import negatives
from capacity.history.store import Store, kept
from capacity.sources.base import Observations, microseconds
from capacity.sources.files import Files, is_store, observed
from capacity.sources.problems import Problems
from capacity.sources.tables import frame_table
from capacity.sources.translate import Reading


def read(
    path_or_frame: str | Path | Sequence[str | Path] | pd.DataFrame,
    *,
    columns: Mapping[str, str] | None = None,
    metric: str | None = None,
    unit: str | None = None,
    timezone: str | None = None,
    interval_seconds: int | None = None,
    service: str | None = None,
    services: Iterable[str] | None = None,
) -> History:
    """History from a CSV or Parquet file, a folder of them, several, a history store, or a long DataFrame.

    columns           their column -> ours: service, metric, timestamp, value, stat, interval, unit, cluster ...; or
                      the series that a column of values is: {"LABEL": "service:metric:stat:unit"}; or "-", not to read
    metric, service   of every row, when neither a column nor a label says it
    unit              of the values, when it is not the metric's own: converted exactly, or refused
    timezone          IANA zone of stamps without an offset; without it such stamps are refused
    interval_seconds  when it cannot be seen from the stamps
    services          only these

    A long table has one row a value. Known by their content are also exports of CloudWatch's console, of Grafana and of
    the AWS command line, and tables with a column a series (see `capacity.sources.Files`).

    Columns are known by our names, and by those of other tools: `series_id`, `unique_id`, `series`, `service_name`
    (service); `ds`, `time`, `date`, `datetime` (timestamp); `y` (value); `metric_name`, `statistic`, `period`,
    `interval_seconds`, `cluster_name`. Optional are metric, stat (default mean), interval (seconds), unit (of the row),
    cluster, source and fetched_at. Services of one name in two clusters are told apart by
    columns={"cluster": "service_prefix"}. Stamps are ISO 8601 or seconds (or finer) since 1970, and mark the start of
    the interval.

    Missing values are gaps. Everything that cannot be understood is reported in one InputError, with file and row.
    What is understood and remarkable is in `.findings`; nothing is silently dropped, moved or filled.

    >>> rows = pd.DataFrame({"ds": ["2026-08-03T00:00Z", "2026-08-03T01:00Z"], "y": [600, 660]})
    >>> read(rows, service="web", metric="requests", unit="requests/min").series("web", "requests").tolist()
    [10.0, 11.0]
    """
    options = {"columns": columns, "metric": metric, "unit": unit, "timezone": timezone, "service": service}
    if isinstance(path_or_frame, pd.DataFrame):
        reading = Reading(columns or {}, metric or "", unit or "", timezone or "", interval_seconds, service or "")
        tables = iter([frame_table(path_or_frame, fetched_us=_now_us())])
        history = _history(observed(tables, reading, "the frame", Problems(), []))
    elif isinstance(path_or_frame, str | Path) and is_store(Path(path_or_frame)):
        given = [name for name, value in {**options, "interval_seconds": interval_seconds}.items() if value]
        if given:
            raise InputError(
                f"{path_or_frame} is a history store, which says its own {', '.join(given)}: leave them out"
            )
        history = Store(path_or_frame).history(services=services)
    elif isinstance(path_or_frame, str | Path | list | tuple):
        files = Files(path_or_frame, columns or {}, metric, unit, timezone, interval_seconds, service)
        history = _history(files.read())
    else:
        kind = type(path_or_frame).__name__
        raise InputError(f"a {kind} cannot be read", advice="Give a file, a folder, a store or a long DataFrame.")
    history = replace(history, findings=Findings.of(history.findings, negatives(history.frame)))
    return history if services is None else history.select(services=services)


def _history(observations: Observations) -> History:
    return History(kept(observations, pd.Timestamp(_now_us(), unit="us", tz="UTC")), observations.findings)


def _now_us() -> int:
    """Reading is an edge of the package, so it may look at the clock: when a frame was handed over is not in it."""
    return microseconds(pd.Timestamp.now(tz="UTC"))
