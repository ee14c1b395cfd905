"""Taurus says seconds, calls a count `throughput`, and has a total without a name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from capacity.errors import InputError
from capacity.loadtest.readers.finished import pooled
from capacity.loadtest.reading import read
from tests.loadtest.readers.reading import checks, read_summary, written

HEADER = (
    "label,avg_ct,avg_lt,avg_rt,bytes,concurrency,fail,stdev_rt,succ,throughput,perc_0.0,perc_50.0,perc_90.0,perc_95.0,"
    "perc_99.0,perc_99.9,perc_100.0,rc_200,rc_503\n"
)
CSV = HEADER + (
    "get x,0.001,0.020,0.021,900,4,0,0.01,71,71,0.008,0.019,0.033,0.040,0.055,0.061,0.061,71,\n"
    ",0.001,0.018,0.020,950,4,5,0.01,71,76,0.002,0.019,0.033,0.039,0.055,0.061,0.061,71,5\n"
    "get fail,0.001,0.003,0.004,50,4,5,0.00,0,5,0.002,0.004,0.006,0.006,0.006,0.006,0.006,,5\n"
)

TOTAL = {"succ": "71", "fail": "5", "throughput": "76", "avg_rt": "0.02", "concurrency": "4"}
GET_X = {"succ": "71", "fail": "0", "throughput": "71", "avg_rt": "0.021", "concurrency": "4"}


def group(label: str, figures: dict[str, str]) -> str:
    percentiles = {"0.0": "0.002", "50.0": "0.019", "95.0": "0.582", "100.0": "0.9"}
    plain = "".join(f'<{k} value="{v}"><name>{k}</name><value>{v}</value></{k}>' for k, v in figures.items())
    ranked = "".join(f'<perc param="{k}" value="{v}"><value>{v}</value></perc>' for k, v in percentiles.items())
    return f'<Group label="{label}">{plain}{ranked}<rc param="200" value="71"><value>71</value></rc></Group>'


def document(about: str) -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<FinalStatus>{about}{group('', TOTAL)}{group('get &lt;x&gt;', GET_X)}</FinalStatus>"
    )


def test_seconds_become_milliseconds_and_the_row_without_a_label_is_the_total(tmp_path: Path) -> None:
    summary, _ = read_summary(written(tmp_path, CSV))
    assert summary.labels.index.tolist() == ["get x", "get fail", "Total"]
    row = summary.labels.loc["get x"]
    assert row[["mean_ms", "min_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms"]].tolist() == pytest.approx(
        [21, 8, 19, 33, 40, 55, 61]
    )
    assert summary.labels["samples"].tolist() == [71, 5, 76]
    assert summary.labels["errors"].tolist() == [0, 5, 5]


def test_throughput_is_a_count_and_without_a_duration_there_is_no_rate(tmp_path: Path) -> None:
    summary, findings = read_summary(written(tmp_path, CSV))
    assert summary.labels["throughput_per_s"].isna().all()
    assert "no duration" in checks(findings)


def test_the_xml_has_a_duration_so_there_are_rates(tmp_path: Path) -> None:
    summary, findings = read_summary(written(tmp_path, document("<TestDuration>9.5</TestDuration>")))
    assert findings == []
    assert summary.labels.index.tolist() == ["get <x>", "Total"]
    total = summary.labels.loc["Total"]
    assert total["throughput_per_s"] == pytest.approx(76 / 9.5)
    assert total[["mean_ms", "min_ms", "p50_ms", "p95_ms", "max_ms"]].tolist() == pytest.approx([20, 2, 19, 582, 900])
    assert np.isnan(total["p90_ms"])


def test_without_a_duration_the_xml_gives_no_rates_either(tmp_path: Path) -> None:
    summary, findings = read_summary(written(tmp_path, document("")))
    assert summary.labels["throughput_per_s"].isna().all()
    assert checks(findings) == {"no duration": 0}


def test_one_container_of_aws_distributed_load_testing_says_that_percentiles_do_not_average(tmp_path: Path) -> None:
    about = (
        "<TestDuration>9.5</TestDuration><TaskId>abc123</TaskId><TaskCPU>2048</TaskCPU><ECSDuration>80</ECSDuration>"
    )
    summary, findings = read_summary(written(tmp_path, document(about)))
    assert summary.labels.loc["Total", "samples"] == 76
    (finding,) = findings
    assert "abc123" in finding.message
    assert "percentiles do not average" in finding.message
    assert "kpi-*.jtl" in finding.advice


def test_containers_of_one_test_add_up_and_one_told_twice_counts_once(tmp_path: Path) -> None:
    parts = []
    for task in ("one", "two", "two"):
        about = f"<TestDuration>9.5</TestDuration><TaskId>{task}</TaskId>"
        parts.append(read_summary(written(tmp_path, document(about)))[0])
    whole, one = pooled(parts).labels, parts[0].labels
    adding = ["samples", "errors", "throughput_per_s"]
    pd.testing.assert_frame_equal(whole[adding], 2 * one[adding])
    same = ["mean_ms", "min_ms", "max_ms"]
    pd.testing.assert_frame_equal(whole[same], one[same])
    assert whole[["p50_ms", "p90_ms", "p95_ms", "p99_ms"]].isna().all(axis=None)


def test_a_folder_of_containers_is_one_test(tmp_path: Path) -> None:
    for task in ("one", "two"):
        about = f"<TestDuration>9.5</TestDuration><TaskId>{task}</TaskId>"
        (tmp_path / f"results-{task}.xml").write_text(document(about), encoding="utf-8")
    whole, one = read(tmp_path), read(tmp_path / "results-one.xml")
    assert len(whole.files) == 2
    assert whole.summary.loc["Total", "samples"] == 2 * one.summary.loc["Total", "samples"] == 2 * 76
    assert whole.summary.loc["Total", "throughput_per_s"] == 2 * one.summary.loc["Total", "throughput_per_s"]


def test_a_label_that_never_ran_has_no_time_of_zero(tmp_path: Path) -> None:
    zeros = ",".join(["0"] * 16)
    summary, _ = read_summary(written(tmp_path, CSV + f"never,{zeros},,\n"))
    assert summary.labels.loc["never", "samples"] == 0
    assert np.isnan(summary.labels.loc["never", "mean_ms"])


def test_xml_that_breaks_off_or_brings_entities_is_refused(tmp_path: Path) -> None:
    whole = document("<TestDuration>9.5</TestDuration>")
    with pytest.raises(InputError, match=r"line \d+: not whole XML"):
        read_summary(written(tmp_path, whole[:-30]))
    bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><FinalStatus>&a;</FinalStatus>'
    with pytest.raises(InputError, match="DOCTYPE"):
        read_summary(written(tmp_path, bomb))


def test_rows_and_columns_that_do_not_match_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="row 4: 3 cells under 19 columns"):
        read_summary(written(tmp_path, CSV.rsplit("\n", 2)[0] + "\nget fail,0.001,0.003\n"))
    with pytest.raises(InputError, match="holds no label"):
        read_summary(written(tmp_path, HEADER))
