"""`capacity.read`: whatever holds history, as one History."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from capacity.errors import CapacityError, HistoryError, InputError
from capacity.history import History, Store, read
from tests.conftest import ROOT

SETS = {
    "azure_vm_2017_5min": (3, 25920, 300),
    "bike_hourly": (1, 17544, 3600),
    "ms_purchases": (6, 7488, 3600),
    "ms_service_rps_5min": (10, 32544, 300),
    "nab_aws_sample": (8, 33531, 300),
    "nyc_taxi": (1, 10320, 1800),
    "pedestrians_covid_daily": (1, 1490, 86400),
    "rte_load_hourly": (1, 17520, 3600),
    "website_daily": (1, 522, 86400),
    "wiki_daily_prophet": (2, 5768, 86400),
}
REAL = Path(os.environ.get("CAPACITY_REAL_DATA", ROOT / ".." / "shared" / "data"))
FOUND = [name for name in SETS if (REAL / name / "data.csv.gz").is_file()]


def frame(**changes: object) -> pd.DataFrame:
    """A long frame: two services, two days of hours."""
    hours = pd.date_range("2026-08-03", periods=48, freq="h", tz="UTC")
    columns: dict[str, object] = {
        "service": np.repeat(["web", "api"], 48),
        "metric": "requests",
        "timestamp": hours.append(hours),
        "value": np.arange(96.0),
    }
    return pd.DataFrame({**columns, **changes})


def test_either_all_real_sets_are_at_hand_or_none() -> None:
    assert FOUND == (list(SETS) if REAL.is_dir() else [])


@pytest.mark.parametrize("name", FOUND)
def test_a_real_set_is_read_whole(name: str) -> None:
    """Counts are those of its README, less the rows whose value is empty (nab 15, wiki 118)."""
    history = read(REAL / name / "data.csv.gz", metric="requests")
    series, rows, seconds = SETS[name]
    assert (len(history.services), len(history)) == (series, rows)
    raw = pd.read_csv(REAL / name / "data.csv.gz", dtype={"series_id": "str"})
    for service in history.services:
        assert history.intervals(service, "requests") == [pd.Timedelta(seconds=seconds)]
        own = raw[raw["series_id"] == service]
        known = history.series(service, "requests")
        assert known.sum() == pytest.approx(own["value"].sum(), rel=1e-12)
        assert known.notna().sum() == own["value"].notna().sum()
        assert known.index[0] == pd.Timestamp(own["timestamp"].min())


def test_a_frame_is_read_as_a_file_is(tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "a.csv", index=False)
    columns = ["service", "metric", "stat", "interval", "timestamp", "value"]
    pd.testing.assert_frame_equal(read(frame()).frame[columns], read(tmp_path / "a.csv").frame[columns])


def test_a_frame_may_have_any_honest_types() -> None:
    expected = read(frame()).series("api", "requests")
    hours = pd.date_range("2026-08-03", periods=48, freq="h")
    for stamps in (
        frame()["timestamp"].dt.tz_convert("Asia/Tokyo"),
        frame()["timestamp"].dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        frame()["timestamp"].astype("datetime64[ns, UTC]"),
        frame()["timestamp"].astype("datetime64[s, UTC]"),
    ):
        pd.testing.assert_series_equal(read(frame(timestamp=stamps)).series("api", "requests"), expected)
    with pytest.raises(InputError, match="timezone"):
        read(frame(timestamp=hours.append(hours)))
    pd.testing.assert_series_equal(
        read(frame(timestamp=hours.append(hours)), timezone="UTC").series("api", "requests"), expected
    )
    indexed = frame().set_index("timestamp").astype({"service": "category"})
    pd.testing.assert_series_equal(read(indexed).series("api", "requests"), expected)
    pd.testing.assert_series_equal(
        read(frame().set_index(["service", "timestamp"])).series("api", "requests"), expected
    )
    nullable = frame().astype({"service": "string", "value": "Float64"})
    pd.testing.assert_series_equal(read(nullable).series("api", "requests"), expected)
    whole = frame(value=np.arange(96))
    pd.testing.assert_series_equal(read(whole).series("api", "requests"), expected)


def test_problems_in_a_frame_name_its_rows() -> None:
    values = np.arange(96.0)
    values[[5, 7]] = np.inf, np.nan
    with pytest.raises(InputError) as caught:
        read(frame(value=values))
    assert [problem.where for problem in caught.value.problems] == ["frame row 5"]


def test_only_the_services_asked_for_are_read(tmp_path: Path) -> None:
    assert read(frame(), services=["web"]).services == ["web"]
    Store(tmp_path / "store").append(read(frame()))
    assert read(tmp_path / "store", services=["web"]).services == ["web"]
    for source in (frame(), tmp_path / "store"):
        with pytest.raises(HistoryError, match="did you mean 'web'"):
            read(source, services=["wbe"])


def test_a_store_is_known_by_its_manifest(tmp_path: Path) -> None:
    history = read(frame())
    Store(tmp_path / "store").append(history)
    pd.testing.assert_frame_equal(read(tmp_path / "store").frame, history.frame)
    with pytest.raises(InputError, match="which says its own metric"):
        read(tmp_path / "store", metric="cpu")


def test_somebody_elses_manifest_makes_no_store(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"exports": []}')
    frame().to_csv(tmp_path / "a.csv", index=False)
    assert len(read(tmp_path)) == 96


@pytest.mark.parametrize("ending", ["parquet", "csv", "csv.gz"])
def test_an_export_reads_back_exactly(tmp_path: Path, ending: str) -> None:
    history = read(frame(value=np.random.default_rng(1).random(96), service=np.repeat(['a"b,c', "=x()"], 48)))
    history.save(tmp_path / f"export.{ending}")
    pd.testing.assert_frame_equal(read(tmp_path / f"export.{ending}").frame, history.frame)


def test_of_two_exports_the_later_fetch_wins(tmp_path: Path) -> None:
    old = read(frame()).frame
    new = old.assign(value=old["value"] + 1, fetched_at=old["fetched_at"] + pd.Timedelta("1D"))
    History(new[:48]).save(tmp_path / "a.parquet")
    History(old).save(tmp_path / "b.parquet")
    history = read(tmp_path)
    assert history.frame["value"].tolist() == [*new["value"][:48], *old["value"][48:]]
    assert {finding.check for finding in history.findings} == {"duplicates"}


def test_negative_values_are_kept_and_fail(tmp_path: Path) -> None:
    values = np.arange(96.0)
    values[3] = -4
    history = read(frame(value=values))
    assert history.series("web", "requests").iloc[3] == -4
    [finding] = history.findings
    assert (finding.service, finding.check, finding.status) == ("web", "negative", "FAIL")
    assert "-4 requests/s" in finding.message
    assert "2026-08-03 03:00 UTC" in finding.message


@pytest.mark.parametrize("thing", [None, 5, pd.Series([1.0]), {"service": []}])
def test_what_is_no_history_is_refused_in_words(thing: object) -> None:
    with pytest.raises(CapacityError, match="cannot be read"):
        read(thing)
