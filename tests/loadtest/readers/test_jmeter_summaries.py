"""What JMeter says in sum: its report's statistics, its saved tables, its console."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from capacity.errors import InputError
from capacity.findings import Finding
from capacity.loadtest.readers.base import Summary
from capacity.loadtest.readers.jmeter.csv import JMeterCsv
from capacity.loadtest.samples import TRANSACTION
from tests.loadtest.readers.jmeter import RUNS, table
from tests.loadtest.readers.reading import read_summary, written

AGGREGATE = (
    "Label,# Samples,Average,Median,90% Line,95% Line,99% Line,Min,Max,Error %,Throughput,Received KB/sec,Sent KB/sec\n"
    "GET /,400,100,90,150,200,300,5,900,0.500%,10.5,1.0,0.5\n"
    '"POST, x",100,50,45,60,70,80,5,90,0.000%,2.5,1.0,0.5\n'
    "TOTAL,500,90,80,140,190,290,5,900,0.400%,13.0,2.0,1.0\n"
)
CONSOLE = """\
Creating summariser <summary>
Starting standalone test @ 2026 Nov 23 09:54:06 UTC (1795427646123)
summary +    520 in 00:00:10 =   52.0/s Avg:   100 Min:     6 Max:   300 Err:     0 (0.00%) Active: 10 Started: 10
summary +   1511 in 00:00:11 =  137.4/s Avg:   110 Min:     7 Max:   290 Err:     3 (0.20%) Active: 0 Started: 10
summary =   2031 in 00:00:21 =   96.7/s Avg:   107 Min:     6 Max:   300 Err:     3 (0.15%)
Tidying up ...    @ 2026 Nov 23 09:54:27 UTC (1795427667123)
... end of run
"""


def told(folder: Path, text: str) -> tuple[Summary, dict[str, Finding]]:
    summary, findings = read_summary(written(folder, text))
    return summary, {finding.check: finding for finding in findings}


def figures(group: pd.DataFrame) -> dict[str, float]:
    """What JMeter's report says of rows, by the recipe of loadtest.md 1.6."""
    tail = group["elapsed"].iloc[-20_000:] / 1000
    ranks = np.quantile(tail, [0.5, 0.9, 0.95, 0.99], method="weibull")
    seconds = ((group["start"] + group["elapsed"]).max() - group["start"].min()) / 1e6
    return {
        "samples": len(group),
        "errors": group["failed"].sum(),
        "mean_ms": group["elapsed"].mean() / 1000,
        **dict(zip(["p50_ms", "p90_ms", "p95_ms", "p99_ms"], np.clip(ranks, tail.min(), tail.max()), strict=True)),
        "throughput_per_s": len(group) / seconds,
        "min_ms": group["elapsed"].min() / 1000,
        "max_ms": group["elapsed"].max() / 1000,
    }


@pytest.mark.parametrize("name", ["variants-v5.csv", "steps-open-v5"])
def test_statistics_json_says_what_the_samples_of_its_run_say(name: str) -> None:
    summary, findings = read_summary(RUNS / f"{name}.statistics.json")
    rows, _ = table(RUNS / f"{name}.jtl.gz", JMeterCsv())
    expected = {str(label): figures(group) for label, group in rows.groupby("label")}
    expected["Total"] = figures(rows[rows["kind"] != TRANSACTION])
    assert summary.labels.index[-1] == "Total"
    assert summary.labels.index.name == "label"
    assert set(summary.labels.index) == set(expected)
    for label, row in expected.items():
        found = summary.labels.loc[label]
        assert found.to_dict() == pytest.approx(row, rel=1e-9), label
    checks = {finding.check for finding in findings}
    assert checks == {"percentile ranks", "tail of the run" if name == "steps-open-v5" else "counted twice"}


def test_statistics_json_of_another_shape_is_refused_with_the_label(tmp_path: Path) -> None:
    whole = json.loads((RUNS / "variants-v5.csv.statistics.json").read_text())
    del whole["GET /page"]["sampleCount"]
    with pytest.raises(InputError, match="'GET /page': has no sampleCount"):
        told(tmp_path, json.dumps(whole))


def test_an_aggregate_report_is_read_by_its_header(tmp_path: Path) -> None:
    labels = told(tmp_path, AGGREGATE)[0].labels
    assert labels.index.tolist() == ["GET /", "POST, x", "Total"]
    assert labels.loc["GET /"].to_dict() == {
        "samples": 400,
        "errors": 2,
        "mean_ms": 100,
        "p50_ms": 90,
        "p90_ms": 150,
        "p95_ms": 200,
        "p99_ms": 300,
        "throughput_per_s": 10.5,
        "min_ms": 5,
        "max_ms": 900,
    }
    assert labels.loc["Total", ["samples", "errors", "throughput_per_s"]].tolist() == [500, 2, 13.0]


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(line.rpartition(",")[0] for line in AGGREGATE.splitlines()),  # before 3.1
        AGGREGATE.replace("# Samples", "# Stichproben").replace("Label", "Name").replace("TOTAL", "GESAMT"),
        AGGREGATE.replace("10.5,", "10.5/sec,").replace("2.5,", "150/min,"),
        AGGREGATE.replace(",", ";").replace('"POST; x"', "POST, x").replace("\n", "\r\n"),
        re.sub(r"\d+\.\d+%?", lambda figure: f'"{figure[0].replace(".", ",")}"', AGGREGATE),
        re.sub(r"(\d)\.(\d)", r"\1,\2", AGGREGATE.replace(",", ";").replace('"POST; x"', '"POST, x"')),
        "\ufeff" + AGGREGATE,
        "sampler_label,aggregate_report_count,average,aggregate_report_median,aggregate_report_90%_line,"
        "aggregate_report_95%_line,aggregate_report_99%_line,aggregate_report_min,aggregate_report_max,"
        "aggregate_report_error%,aggregate_report_rate,aggregate_report_bandwidth,aggregate_report_stddev\n"
        + AGGREGATE.split("\n", 1)[1],
    ],
    ids=["no sent", "German", "units", "semicolons", "decimal commas", "commas and semicolons", "BOM", "plugins"],
)
def test_an_aggregate_report_of_any_version_and_language_says_the_same(text: str, tmp_path: Path) -> None:
    expected = told(tmp_path, AGGREGATE)[0].labels
    pd.testing.assert_frame_equal(told(tmp_path, text)[0].labels, expected)


def test_more_errors_than_samples_are_refused_with_the_label(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the share of errors of 'GET /' is '500\.0%'"):
        told(tmp_path, AGGREGATE.replace("0.500%", "500.0%"))


def test_percentiles_go_by_the_rank_in_the_header(tmp_path: Path) -> None:
    labels = told(tmp_path, AGGREGATE.replace("90% Line", "80% Line").replace("95% Line", "90% Line"))[0].labels
    assert labels.loc["GET /", ["p90_ms", "p99_ms"]].tolist() == [200, 300]
    assert np.isnan(labels.loc["GET /", "p95_ms"])


def test_a_summary_report_has_no_percentiles(tmp_path: Path) -> None:
    text = (
        "Label,# Samples,Average,Min,Max,Std. Dev.,Error %,Throughput,Received KB/sec,Sent KB/sec,Avg. Bytes\n"
        "GET /,400,100,5,900,12.3,0.500%,10.5,1.0,1.0,99.1\nTOTAL,400,100,5,900,12.3,0.500%,10.5,1.0,1.0,99.1\n"
    )
    labels = told(tmp_path, text)[0].labels
    assert labels.loc["Total", ["samples", "errors", "max_ms", "throughput_per_s"]].tolist() == [400, 2, 900, 10.5]
    assert labels[["p50_ms", "p90_ms", "p95_ms", "p99_ms"]].isna().all(axis=None)


def test_a_table_without_its_total_is_added_up_and_said(tmp_path: Path) -> None:
    summary, findings = told(tmp_path, "\n".join(AGGREGATE.splitlines()[:-1]))
    assert summary.labels["samples"].to_dict() == {"GET /": 400, "POST, x": 100, "Total": 500}
    assert summary.labels.loc["Total", "mean_ms"] == 90
    assert np.isnan(summary.labels.loc["Total", "p95_ms"])
    assert "no total" in findings


def test_a_table_cut_short_is_refused_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="row 4: the row has 5 cells, the header 13"):
        told(tmp_path, "\n".join([*AGGREGATE.splitlines()[:3], "TOTAL,500,90,80,140"]))


def test_the_console_tells_the_total_and_the_course(tmp_path: Path) -> None:
    summary, findings = told(tmp_path, CONSOLE)
    total = summary.labels.loc["Total"]
    assert total[["samples", "errors", "mean_ms", "throughput_per_s", "min_ms", "max_ms"]].tolist() == [
        *(2031, 3, 107, 96.7, 6, 300)
    ]
    course = summary.timeline
    assert course is not None
    assert course["timestamp"].tolist() == [
        pd.Timestamp(1_795_427_646_123, unit="ms", tz="UTC"),
        pd.Timestamp(1_795_427_656_123, unit="ms", tz="UTC"),
    ]
    assert course[["seconds", "samples", "errors", "mean_ms", "users"]].to_numpy().tolist() == [
        [10, 520, 0, 100, 10],
        [11, 1511, 3, 110, 0],
    ]
    assert set(findings) == {"top level only"}


def test_a_console_of_another_language_has_decimal_commas(tmp_path: Path) -> None:
    german = re.sub(r"(\d)\.(\d+(?:/s|%))", r"\1,\2", CONSOLE)
    assert "96,7/s" in german
    pd.testing.assert_frame_equal(told(tmp_path, german)[0].labels, told(tmp_path, CONSOLE)[0].labels)


def test_the_log_tells_moments_on_the_clock_that_is_said(tmp_path: Path) -> None:
    stamps = iter(["09:54:16,123", "09:54:27,123", "09:54:27,125"])
    log = "\n".join(
        f"2026-11-23 {next(stamps)} INFO o.a.j.r.Summariser: {line}" if line.startswith("summary") else line
        for line in CONSOLE.splitlines()[2:5]
    ).replace("in 00:00:11", "in  11.0s")
    summary, findings = told(tmp_path, log)
    assert summary.timeline is not None
    assert summary.timeline["timestamp"].tolist() == [
        pd.Timestamp("2026-11-23 09:54:06.123", tz="UTC"),
        pd.Timestamp("2026-11-23 09:54:16.123", tz="UTC"),
    ]
    assert findings["timezone"].status == "REVIEW"


def test_a_console_cut_short_is_added_up_and_said(tmp_path: Path) -> None:
    summary, findings = told(tmp_path, "\n".join(CONSOLE.splitlines()[2:4]))
    assert summary.labels.loc["Total", ["samples", "errors", "min_ms", "max_ms"]].tolist() == [2031, 3, 6, 300]
    assert summary.labels.loc["Total", "mean_ms"] == pytest.approx((520 * 100 + 1511 * 110) / 2031)
    assert summary.labels.loc["Total", "throughput_per_s"] == pytest.approx(2031 / 21)
    assert summary.timeline is None
    assert {"truncated", "no moments"} <= set(findings)


def test_two_summarisers_count_the_same_twice_and_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"2 summarisers \('summary', 'other'\)"):
        told(tmp_path, CONSOLE + CONSOLE.replace("summary ", "other "))
