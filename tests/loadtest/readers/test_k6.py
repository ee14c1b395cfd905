"""k6 writes eight measurements a request: one of them is the request."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capacity.errors import InputError
from capacity.loadtest.samples import UNKNOWN
from tests.loadtest.readers.reading import checks, read_samples, read_summary, written

HEADER = (
    "metric_name,timestamp,metric_value,check,error,error_code,expected_response,group,method,name,proto,scenario,"
    "service,status,subproto,tls_version,url,extra_tags"
)
OLD_HEADER = HEADER.replace("expected_response,", "")
PARTS = ("blocked", "connecting", "tls_handshaking", "sending", "waiting", "receiving")


def request(
    stamp: str = "1633706790",
    ms: float = 245.591442,
    *,
    status: int = 200,
    error: str = "",
    expected: str | None = "true",
    name: str = "https://shop/",
    failed: int | None = None,
) -> str:
    """A request's rows in k6's order; `expected` None: as releases before 0.31, which had no such column."""
    quoted = f'"{error}"' if "," in error or "\n" in error else error
    told = "" if expected is None else f"{expected},"
    tail = f",{quoted},,{told},GET,{name},HTTP/2.0,default,,{status},,tls1.3,{name},"
    rows = [("http_reqs", 1.0), ("http_req_duration", ms), *((f"http_req_{part}", ms / 6) for part in PARTS)]
    if failed is not None:
        rows.append(("http_req_failed", failed))
    return "".join(f"{metric},{stamp},{value:.6f},{tail}\n" for metric, value in rows)


def vus(stamp: str, users: int) -> str:
    return f"vus,{stamp},{users:.6f},,,,,,,,,,,,,,,\n"


def test_eight_rows_are_one_request_that_began_its_duration_before_its_stamp(tmp_path: Path) -> None:
    rows, _ = read_samples(written(tmp_path, f"{HEADER}\n{request('1633706790123')}"))
    (row,) = rows.to_dict("records")
    assert (row["elapsed"], row["start"]) == (245_591, 1_633_706_790_123_000 - 245_591)
    assert (row["label"], row["outcome"], row["group"], row["failed"]) == ("https://shop/", "200", "default", 0)
    assert row["users"] == UNKNOWN


def test_users_are_those_last_told(tmp_path: Path) -> None:
    text = f"{HEADER}\n{vus('1633706790', 3)}{request()}{vus('1633706791', 7)}{request()}"
    rows, _ = read_samples(written(tmp_path, text))
    assert rows["users"].tolist() == [3, 7]


@pytest.mark.parametrize(
    ("row", "header", "failed"),
    [
        (request(status=404, expected="true"), HEADER, 0),  # the script expected it: setResponseCallback
        (request(status=200, expected="false"), HEADER, 1),
        (request(status=0, error="lookup: no such host", expected="false"), HEADER, 1),
        (request(status=404, expected=None, failed=0), OLD_HEADER, 0),
        (request(status=200, expected=None, failed=1), OLD_HEADER, 1),
        (request(status=503, expected=None), OLD_HEADER, 1),
        (request(status=302, expected=None), OLD_HEADER, 0),
        (request(status=0, expected=None), OLD_HEADER, 1),
        (request(status=200, error="unexpected EOF", expected=None), OLD_HEADER, 1),
    ],
)
def test_what_k6_says_decides_failure_and_only_then_the_status(
    row: str, header: str, failed: int, tmp_path: Path
) -> None:
    rows, _ = read_samples(written(tmp_path, f"{header}\n{row}"))
    assert rows["failed"].tolist() == [failed]


def test_an_error_with_commas_and_line_ends_is_one_cell(tmp_path: Path) -> None:
    error = "dial tcp: lookup a,b\nno such host"
    text = f"{HEADER}\n{request(error=error, status=0, expected='false')}{request()}"
    rows, findings = read_samples(written(tmp_path, text))
    assert rows["outcome"].tolist() == [error, "200"]
    assert set(checks(findings)) == {"coarse stamps"}


def test_the_json_lines_tell_what_the_csv_tells_with_finer_stamps(tmp_path: Path) -> None:
    tags = {
        "expected_response": "true",
        "method": "GET",
        "name": "https://shop/",
        "scenario": "default",
        "status": "200",
    }
    bad = {**tags, "status": "0", "error": "lookup: no such host", "expected_response": "false"}
    lines = [{"type": "Metric", "data": {"name": "http_req_duration", "type": "trend"}, "metric": "http_req_duration"}]
    for metric, value, of in (
        ("vus", 3, None),
        ("http_reqs", 1, tags),
        ("http_req_duration", 57.0746, tags),
        ("http_req_waiting", 50, tags),
        ("http_req_duration", 0.5, bad),
    ):
        data = {"time": "2025-06-02T18:44:55.8795741+02:00", "value": value, "tags": of}
        lines.append({"metric": metric, "type": "Point", "data": data})
    rows, findings = read_samples(written(tmp_path, "\n".join(json.dumps(line) for line in lines)))
    assert findings == []
    end = 1_748_882_695_879_574  # 16:44:55.879574 UTC
    assert rows["start"].tolist() == [end - 57_075, end - 500]
    assert rows["failed"].tolist() == [0, 1]
    assert rows["outcome"].tolist() == ["200", "lookup: no such host"]
    assert rows["users"].tolist() == [3, 3]


@pytest.mark.parametrize(
    ("stamp", "coarse"),
    [
        ("1633706790", True),
        ("1633706790500", False),
        ("1633706790500000", False),
        ("1633706790500000000", False),
        ("2021-10-08T15:26:30Z", True),
        ("2021-10-08T17:26:30.5+02:00", False),
    ],
)
def test_every_time_format_is_the_same_moment(stamp: str, coarse: bool, tmp_path: Path) -> None:
    rows, findings = read_samples(written(tmp_path, f"{HEADER}\n{request(stamp, 0)}"))
    assert rows["start"].tolist() == [1_633_706_790_000_000 if coarse else 1_633_706_790_500_000]
    assert ("coarse stamps" in checks(findings)) == coarse


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(kept=st.floats(0, 1), as_json=st.booleans())
def test_a_file_cut_anywhere_gives_the_requests_before_the_cut(kept: float, as_json: bool, tmp_path: Path) -> None:
    marks = [1_633_706_790_000 + 10 * number for number in range(6)]
    if as_json:
        data = [{"time": "2021-10-08T15:26:30.5Z", "value": 5, "tags": {"name": str(mark)}} for mark in marks]
        lines = [json.dumps({"metric": "http_req_duration", "type": "Point", "data": point}) + "\n" for point in data]
        head = json.dumps({"type": "Metric", "metric": "x", "data": {}}) + "\n"
    else:
        lines = [line + "\n" for mark in marks for line in request(str(mark), name=str(mark)).splitlines()]
        head = HEADER + "\n" + vus("1633706790", 1)
    body = "".join(lines)
    text = head + body[: round(kept * len(body))]
    rows, findings = read_samples(written(tmp_path, text))
    *whole, rest = text[len(head) :].split("\n")
    complete = sum("http_req_duration" in line for line in whole)
    assert complete <= len(rows) <= complete + 1
    assert rows["label"].tolist()[:complete] == [str(mark) for mark in marks[:complete]]
    if "http_req_duration" in rest and len(rows) == complete:
        assert checks(findings).get("truncated") == 1


def test_requests_of_other_protocols_are_counted_as_missing(tmp_path: Path) -> None:
    text = f"{HEADER}\n{request()}grpc_req_duration,1633706790,3.000000,,,,,,,,,,,,,,,\n"
    rows, findings = read_samples(written(tmp_path, text))
    assert len(rows) == 1
    assert checks(findings)["other protocols"] == 1


def test_rows_that_are_no_measurements_are_left_out_and_said(tmp_path: Path) -> None:
    bad = request().replace("245.591442", "n/a").replace("1633706790", "yesterday", 1)
    rows, findings = read_samples(written(tmp_path, f"{HEADER}\n{bad}{request()}"))
    assert len(rows) == 1
    assert checks(findings)["damaged"] == 1


def test_a_header_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no measurements"):
        read_samples(written(tmp_path, HEADER + "\n"))


TIMES = {"avg": 45.5, "min": 10, "med": 40, "max": 500, "p(90)": 80, "p(95)": 120}
EXPORTED = {
    "root_group": {"name": "", "checks": {}},
    "metrics": {
        "http_reqs": {"count": 10_000, "rate": 33.33},
        "http_req_duration": TIMES,
        "http_req_duration{expected_response:true}": {"avg": 1},
        "http_req_failed": {"passes": 5, "fails": 9_995, "value": 0.0005},
        "vus_max": {"value": 100, "min": 100, "max": 100},
    },
}
HANDLED = {
    "state": {"testRunDurationMs": 300_000},
    "metrics": {
        "http_reqs": {"type": "counter", "contains": "default", "values": {"count": 10_000, "rate": 33.33}},
        "http_req_duration": {"type": "trend", "contains": "time", "values": TIMES},
        "http_req_failed": {"type": "rate", "values": {"rate": 0.0005, "passes": 5, "fails": 9_995}},
    },
}


@pytest.mark.parametrize("document", [EXPORTED, HANDLED], ids=["export", "handleSummary"])
def test_the_summary_is_a_total_whose_passes_are_failures(document: dict[str, object], tmp_path: Path) -> None:
    summary, findings = read_summary(written(tmp_path, json.dumps(document, indent=4)))
    assert summary.labels.index.tolist() == ["Total"]
    total = summary.labels.loc["Total"]
    assert (total["samples"], total["errors"], total["throughput_per_s"]) == (10_000, 5, 33.33)
    assert total[["mean_ms", "p50_ms", "p90_ms", "p95_ms", "min_ms", "max_ms"]].tolist() == [45.5, 40, 80, 120, 10, 500]
    assert np.isnan(total["p99_ms"])  # not among k6's default statistics
    assert "no time series" in checks(findings)


def test_a_summary_without_http_is_refused(tmp_path: Path) -> None:
    document = {"metrics": {"http_req_duration": {"avg": 1}}}
    with pytest.raises(InputError, match="without http_reqs"):
        read_summary(written(tmp_path, json.dumps(document)))
