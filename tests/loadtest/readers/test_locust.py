"""Locust's tables: totals that grow, percentiles of windows, and files that tell nothing of load."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from capacity.errors import InputError
from tests.loadtest.readers.reading import DATA, checks, read_summary, written

RUN = DATA / "locust"  # 30 users at 2/s each, 24 s; one request in six fails


def rows_of(name: str) -> list[dict[str, str]]:
    with (RUN / name).open(newline="") as file:
        return list(csv.DictReader(file))


def without_names(text: str) -> str:
    """The history as Locust writes it without --csv-full-history: the row for everything, alone."""
    lines = text.splitlines(keepends=True)
    return lines[0] + "".join(line for line in lines[1:] if ",,Aggregated," in line)


def test_the_stats_are_a_row_a_name_with_the_total_as_locust_has_it() -> None:
    summary, findings = read_summary(RUN / "run_stats.csv")
    assert summary.labels.index.tolist() == ["GET /fail", "GET /x", "Total"]
    told = rows_of("run_stats.csv")
    assert summary.labels["samples"].tolist() == [250, 1139, 1389] == [int(row["Request Count"]) for row in told]
    assert summary.labels["errors"].tolist() == [250, 0, 250]
    assert summary.labels["p95_ms"].tolist() == [10, 130, 130]
    assert summary.labels.loc["Total", "throughput_per_s"] == pytest.approx(57.804, abs=1e-3)
    assert checks(findings) == {"rounded percentiles": 0}


def test_one_name_with_two_types_is_two_labels(tmp_path: Path) -> None:
    header, get, post, total = (RUN / "run_stats.csv").read_text().splitlines()
    text = "\n".join([header, get, get.replace("GET,", "POST,", 1), post, total])
    summary, _ = read_summary(written(tmp_path, text))
    assert summary.labels.index.tolist() == ["GET GET /fail", "POST GET /fail", "GET /x", "Total"]


def test_the_history_is_cut_into_seconds_by_differences_of_its_totals() -> None:
    summary, _ = read_summary(RUN / "run_stats_history.csv")
    timeline = summary.timeline
    assert timeline is not None
    told = [row for row in rows_of("run_stats_history.csv") if row["Name"] == "Aggregated"]
    assert timeline["samples"].sum() == int(told[-1]["Total Request Count"]) == 1_389
    assert timeline["errors"].sum() == int(told[-1]["Total Failure Count"]) == 250
    mean = np.average(timeline["mean_ms"].fillna(0), weights=timeline["samples"])
    assert mean == pytest.approx(float(told[-1]["Total Average Response Time"]))
    assert timeline["users"].iloc[-1] == 30
    assert timeline["timestamp"].is_monotonic_increasing
    assert int(timeline["timestamp"].iloc[0].timestamp()) == int(told[0]["Timestamp"])


def test_percentiles_of_a_window_or_since_the_start_are_not_those_of_an_interval(tmp_path: Path) -> None:
    for path in (
        RUN / "run_stats_history.csv",
        written(tmp_path, without_names((RUN / "run_stats_history.csv").read_text())),
    ):
        summary, findings = read_summary(path)
        assert summary.timeline is not None
        assert summary.timeline[["p50_ms", "p95_ms", "p99_ms"]].isna().all(axis=None)
        assert "percentiles of no interval" in checks(findings)


def test_only_a_history_without_names_has_percentiles_of_the_whole_test(tmp_path: Path) -> None:
    full, _ = read_summary(RUN / "run_stats_history.csv")
    assert full.labels.loc["Total", "p50_ms"] == 55  # Total Median Response Time
    assert np.isnan(full.labels.loc["Total", "p95_ms"])  # of the last ten seconds
    short, _ = read_summary(written(tmp_path, without_names((RUN / "run_stats_history.csv").read_text())))
    assert short.labels.loc["Total", "p95_ms"] == 130


def test_statistics_that_were_reset_count_from_there(tmp_path: Path) -> None:
    """With --reset-stats the totals begin anew when all users have started."""
    lines = without_names((RUN / "run_stats_history.csv").read_text()).splitlines()
    stamp = int(lines[11].split(",")[0])
    again = [",".join([str(stamp + i), *line.split(",")[1:]]) for i, line in enumerate(lines[1:5], 1)]
    summary, findings = read_summary(written(tmp_path, "\n".join([*lines[:12], *again])))
    assert summary.timeline is not None
    assert (summary.timeline["samples"] >= 0).all()
    assert checks(findings)["history reset"] == 1
    total = summary.labels.loc["Total"]
    since = int(again[-1].split(",")[-7])
    assert total["samples"] == since == 120
    assert total["throughput_per_s"] == since / 3  # of the three seconds since, not of the whole test


def test_a_last_line_cut_short_is_left_out_and_said(tmp_path: Path) -> None:
    text = (RUN / "run_stats_history.csv").read_text()
    summary, findings = read_summary(written(tmp_path, text.rstrip()[:-80]))
    assert summary.timeline is not None
    assert summary.timeline["samples"].sum() < 1_389
    assert checks(findings)["truncated"] == 1


@pytest.mark.parametrize("name", ["run_failures.csv", "run_exceptions.csv"])
def test_failures_and_exceptions_name_the_file_to_bring(name: str) -> None:
    with pytest.raises(InputError, match=r"_stats\.csv or the _stats_history\.csv"):
        read_summary(RUN / name)


def test_a_header_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no rows"):
        read_summary(written(tmp_path, (RUN / "run_stats.csv").read_text().splitlines()[0]))
