"""What every source promises. A new source joins by one line in SOURCES: a function that makes one in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from capacity.history import Store, read
from capacity.schema import HISTORY, METRICS, OBSERVATIONS, STATS
from capacity.sources import Files, Observations, Source, Span
from capacity.sources.base import faults
from tests.sources import exported

#: What each source below has to report, whatever its form: two services, five hours, one hour without a value.
HOURS = pd.date_range("2026-08-03", periods=5, freq="h", tz="UTC", unit="us")
GAP = 2
EXPECTED = {
    (service, metric, stamp): base + hour
    for service, metric, base in (("api", "cpu", 10.0), ("web", "cpu", 20.0), ("web", "requests", 300.0))
    for hour, stamp in enumerate(HOURS)
    if hour != GAP
}


def _rows() -> pd.DataFrame:
    keys = pd.DataFrame(list(EXPECTED), columns=["service", "metric", "timestamp"])
    return keys.assign(value=list(EXPECTED.values()))


def _csv(folder: Path) -> Source:
    rows = _rows().sample(frac=1, random_state=1)  # in no order at all
    rows.assign(timestamp=rows["timestamp"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).to_csv(folder / "a.csv", index=False)
    return Files(folder / "a.csv")


def _gzip_with_offsets(folder: Path) -> Source:
    rows = _rows()
    stamps = rows["timestamp"].dt.tz_convert("Asia/Kolkata").map(lambda stamp: stamp.isoformat())
    rows.assign(timestamp=stamps).to_csv(folder / "a.csv.gz", index=False)
    return Files(folder / "a.csv.gz")


def _local_clock(folder: Path) -> Source:
    rows = _rows()
    stamps = rows["timestamp"].dt.tz_convert("America/New_York").dt.strftime("%Y-%m-%d %H:%M")
    rows.assign(timestamp=stamps).to_csv(folder / "a.csv", index=False)
    return Files(folder / "a.csv", timezone="America/New_York")


def _semicolons_and_units(folder: Path) -> Source:
    rows = _rows()
    cpu = rows["metric"] == "cpu"
    rows = rows.assign(
        value=np.where(cpu, rows["value"] * 1024, rows["value"] * 60),
        unit=np.where(cpu, "CPU units", "requests/min"),
        timestamp=rows["timestamp"].array.asi8 // 1_000_000,
    )
    rows.to_csv(folder / "a.csv", index=False, sep=";", decimal=",")
    return Files(folder / "a.csv")


def _folder(folder: Path) -> Source:
    for service, rows in _rows().groupby("service"):
        rows.to_csv(folder / f"{service}.csv", index=False)
    return Files(folder)


def _parquet(folder: Path) -> Source:
    rows = _rows()
    rows["timestamp"] = rows["timestamp"].array.asi8
    with duckdb.connect() as connection:
        connection.register("rows", rows)
        query = "SELECT * REPLACE (make_timestamptz(timestamp) AS timestamp) FROM rows"
        connection.execute(f"COPY ({query}) TO '{folder / 'a.parquet'}' (FORMAT parquet)")
    return Files(folder / "a.parquet")


def _export(folder: Path) -> Source:
    read(_csv(folder).path).save(folder / "export.parquet")  # type: ignore[attr-defined]
    return Files(folder / "export.parquet")


SOURCES: dict[str, Callable[[Path], Source]] = {
    "files: csv": _csv,
    "files: gzip, offsets": _gzip_with_offsets,
    "files: local clock": _local_clock,
    "files: semicolons, units": _semicolons_and_units,
    "files: folder": _folder,
    "files: parquet": _parquet,
    "files: export of a history": _export,
    "files: graph of the CloudWatch console": lambda folder: exported.console(folder, _rows()),
    "files: panel of Grafana": lambda folder: exported.grafana(folder, _rows()),
    "files: answer of CloudWatch": lambda folder: exported.answer(folder, _rows()),
}


@pytest.fixture(params=list(SOURCES))
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    return SOURCES[request.param](tmp_path)


def found(observations: Observations) -> dict[tuple[str, str, pd.Timestamp], float]:
    frame = observations.frame
    keys = zip(frame["service"], frame["metric"], frame["timestamp"], strict=True)
    return dict(zip(keys, frame["value"], strict=True))


def test_it_is_a_source_with_a_name(source: Source) -> None:
    assert isinstance(source, Source)
    assert source.name


def test_it_reports_exactly_what_was_measured(source: Source) -> None:
    assert found(source.read()) == pytest.approx(EXPECTED, rel=1e-14)


def test_columns_and_types_are_those_of_the_data_dictionary(source: Source) -> None:
    frame = source.read().frame
    assert list(frame.columns) in (OBSERVATIONS.names, HISTORY.names)
    assert faults(frame) == []
    assert str(frame["timestamp"].dtype) == "datetime64[us, UTC]"
    assert str(frame["value"].dtype) == "float64"
    assert str(frame["interval"].dtype) == "int32"


def test_rows_are_sorted_and_each_key_is_there_once(source: Source) -> None:
    keys = source.read().frame[list(OBSERVATIONS.key)].astype(dict.fromkeys(("service", "metric", "stat"), "str"))
    rows = list(keys.itertuples(index=False, name=None))
    assert rows == sorted(set(rows))


def test_a_gap_is_left_a_gap(source: Source) -> None:
    frame = source.read().frame
    assert HOURS[GAP] not in set(frame["timestamp"])
    assert np.isfinite(frame["value"]).all()


def test_every_metric_and_statistic_is_known_so_that_its_unit_is(source: Source) -> None:
    frame = source.read().frame
    assert set(frame["metric"]) <= set(METRICS)
    assert set(frame["stat"]) <= set(STATS)
    assert (frame["interval"] == 3600).all()


def test_nothing_from_outside_the_span_is_reported(source: Source) -> None:
    span = Span(HOURS[1], HOURS[4])
    inside = {key: value for key, value in EXPECTED.items() if span.start <= key[2] < span.end}
    assert found(source.read(span)) == pytest.approx(inside, rel=1e-14)


def test_an_empty_span_is_no_rows(source: Source) -> None:
    assert len(source.read(Span(HOURS[4] + pd.Timedelta("1D"), HOURS[4] + pd.Timedelta("2D")))) == 0


def test_reading_again_gives_the_same(source: Source) -> None:
    pd.testing.assert_frame_equal(source.read().frame, source.read().frame)


def test_what_it_reports_can_be_kept(source: Source, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    assert store.append(source.read()).rows_added == len(EXPECTED)
    assert store.append(source.read()).rows_unchanged == len(EXPECTED)
    history = store.history()
    pd.testing.assert_series_equal(history.frame["value"], source.read().frame["value"])
    assert (history.frame["source"].astype("str") != "").all()
    assert history.frame["fetched_at"].notna().all()
