"""BlazeMeter's answers: percent checked against counts, zero for "not computed", rows a cell short."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from capacity.errors import InputError
from tests.loadtest.readers.reading import checks, read_summary, written

ALL = {
    "labelId": "ALL",
    "labelName": "ALL",
    "samples": 6695,
    "avgResponseTime": 578,
    "90line": 1193,
    "95line": 1592,
    "99line": 2965,
    "minResponseTime": 0,
    "maxResponseTime": 60063,
    "avgLatency": 537,
    "geoMeanResponseTime": None,
    "stDev": 0,
    "duration": 225,
    "avgBytes": 41.295,
    "avgThroughput": 29.756,
    "medianResponseTime": 0,
    "errorsCount": 126,
    "errorsRate": 1.882,
    "hasLabelPassedThresholds": None,
}
LOGIN = {**ALL, "labelId": "7030fd86", "labelName": "POST /login, step 1", "samples": 232, "avgThroughput": 1.031}
LOGIN |= {"errorsCount": 0, "errorsRate": 0, "medianResponseTime": 190}

#: As exported: a blank before `maxResponseTime`, and rows without their last cell.
CSV = (
    "labelId,labelName,samples,avgResponseTime,90line,95line,99line,minResponseTime, maxResponseTime,avgLatency,"
    "geoMeanResponseTime,stDev,duration,avgBytes,avgThroughput,medianResponseTime,errorsCount,errorsRate,"
    "hasLabelPassedThresholds\n"
    "ALL,ALL,6695,578,1193,1592,2965,0,60063,537,0,0,225,41.295,29.756,0,126,1.882\n"
    '7030fd86,"POST /login, step 1",232,578,1193,1592,2965,0,60063,537,0,0,225,1.396,1.031,190,0,0\n'
)


def envelope(result: Any) -> str:
    return json.dumps({"api_version": 4, "error": None, "result": result})


@pytest.mark.parametrize("text", [envelope([ALL, LOGIN]), json.dumps([ALL, LOGIN]), CSV], ids=["answer", "list", "csv"])
def test_the_aggregate_report_is_one_table_in_every_form(text: str, tmp_path: Path) -> None:
    summary, findings = read_summary(written(tmp_path, text))
    assert findings == []
    assert summary.labels.index.tolist() == ["POST /login, step 1", "Total"]
    total = summary.labels.loc["Total"]
    assert total[["samples", "errors", "mean_ms", "p90_ms", "p95_ms", "p99_ms"]].tolist() == [
        6695,
        126,
        578,
        1193,
        1592,
        2965,
    ]
    assert (total["min_ms"], total["max_ms"]) == (0, 60_063)
    assert total["throughput_per_s"] == pytest.approx(6695 / 225)


def test_a_median_of_zero_under_a_mean_that_is_not_was_never_computed(tmp_path: Path) -> None:
    summary, _ = read_summary(written(tmp_path, envelope([ALL, LOGIN])))
    assert np.isnan(summary.labels.loc["Total", "p50_ms"])
    assert summary.labels.loc["POST /login, step 1", "p50_ms"] == 190


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"errorsRate": 0.01882}, "errorsRate 0.01882 is not 126 of 6695 samples in percent"),  # a share, not percent
        ({"errorsRate": 18.8}, "errorsRate 18.8"),
        ({"avgThroughput": 29756}, "avgThroughput 29756 is not 6695 / 225 s"),
        ({"avgThroughput": 0.0297}, "avgThroughput 0.0297"),
    ],
)
def test_a_report_that_contradicts_its_own_counts_is_refused(
    wrong: dict[str, float], words: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="contradicts itself") as refused:
        read_summary(written(tmp_path, envelope([{**ALL, **wrong}])))
    assert words in str(refused.value)


def test_a_dump_of_several_tables_gives_its_aggregate_report(tmp_path: Path) -> None:
    dump = f"testId,name,users\n17,checkout,50\n\n{CSV}\nerror,count\n503,126\n"
    summary, findings = read_summary(written(tmp_path, dump))
    alone, _ = read_summary(written(tmp_path, CSV, "alone"))
    pd.testing.assert_frame_equal(summary.labels, alone.labels)
    assert checks(findings) == {"other tables": 4}


def test_kpis_become_a_timeline_whose_missing_seconds_stay_missing(tmp_path: Path) -> None:
    seconds = [{"ts": 1_464_248_743, "n": 10, "na": 4, "ec": 1, "t_avg": 80, "p90": 0}]
    seconds += [{"ts": 1_464_248_744, "n": 0, "na": 4, "ec": 0, "t_avg": 0, "p90": 0}]
    seconds += [{"ts": 1_464_248_747, "n": 30, "na": 4, "ec": 0, "t_avg": 100, "p90": 0}]
    text = envelope([{"labelId": "ALL", "labelName": "ALL", "label": "ALL", "kpis": seconds}])
    summary, findings = read_summary(written(tmp_path, text))
    timeline = summary.timeline
    assert timeline is not None
    assert timeline["timestamp"].astype(str).tolist()[0] == "2016-05-26 07:45:43+00:00"
    assert len(timeline) == 3
    assert timeline["seconds"].tolist() == [1, 1, 1]
    assert timeline["samples"].tolist() == [10, 0, 30]
    assert timeline["users"].tolist() == [4, 4, 4]
    np.testing.assert_array_equal(timeline["mean_ms"], [80, np.nan, 100])
    assert timeline[["p50_ms", "p95_ms", "p99_ms"]].isna().all(axis=None)
    total = summary.labels.loc["Total"]
    assert (total["samples"], total["errors"], total["mean_ms"]) == (40, 1, 95)
    assert np.isnan(total["p90_ms"])  # its 0 is "not computed"
    assert checks(findings) == {"no percentiles": 0}


def test_kpis_of_labels_add_up_where_the_row_for_all_is_missing(tmp_path: Path) -> None:
    one = {"labelName": "a", "kpis": [{"ts": 100, "n": 10, "na": 4, "ec": 1, "t_avg": 80}]}
    two = {"labelName": "b", "kpis": [{"ts": 100, "n": 30, "na": 4, "ec": 0, "t_avg": 40}]}
    summary, _ = read_summary(written(tmp_path, envelope([one, two])))
    assert summary.timeline is not None
    assert summary.timeline[["samples", "errors", "mean_ms"]].to_numpy().tolist() == [[40, 1, 50]]
    assert summary.timeline["users"].isna().all()  # the same users, or others: not told
    assert summary.labels.loc["Total", ["samples", "mean_ms"]].tolist() == [40, 50]


def test_a_summary_has_hits_or_is_refused(tmp_path: Path) -> None:
    item = {"lb": "ALL", "hits": 400, "failed": 8, "avg": 90, "duration": 100, "first": 1, "last": 2, "tp90": 150}
    summary, _ = read_summary(written(tmp_path, envelope({"maxUsers": 20, "summary": [item]})))
    total = summary.labels.loc["Total"]
    assert (total["samples"], total["errors"], total["throughput_per_s"], total["p90_ms"]) == (400, 8, 4, 150)
    browsers = {"id": "ALL", "hits": None, "failed": None}
    with pytest.raises(InputError, match="without hits"):
        read_summary(written(tmp_path, envelope({"maxUsers": 20, "summary": [browsers]})))


def test_errors_alone_say_how_many_and_not_of_how_many(tmp_path: Path) -> None:
    errors = [{"m": "Service Unavailable", "rc": "503", "count": 7}, {"m": "Bad Gateway", "rc": "502", "count": 2}]
    text = envelope([{"name": "ALL", "errors": errors, "assertions": []}])
    summary, findings = read_summary(written(tmp_path, text))
    assert summary.labels.loc["Total", "errors"] == 9
    assert np.isnan(summary.labels.loc["Total", "samples"])
    assert any(finding.status == "UNKNOWN" for finding in findings)
    assert any("503 Service Unavailable" in finding.message and finding.count == 7 for finding in findings)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (envelope([{"sessions": ["r-1"], "id": "ALL", "name": "ALL"}]), "names the labels"),
        (
            json.dumps({"api_version": 4, "error": {"code": 404, "message": "Master not found"}, "result": None}),
            "Master",
        ),
        ('{"api_version": 4, "result": [{"avgResponseTime": 1, "samples"', "not whole JSON"),
        (CSV.replace(",0,126,1.882", ""), "row 2: 15 cells under 19 columns"),
        (CSV.splitlines()[0], "without rows"),
    ],
)
def test_answers_that_tell_nothing_are_refused_in_words(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        read_summary(written(tmp_path, text))
