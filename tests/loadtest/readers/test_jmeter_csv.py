"""JMeter's CSV in all its shapes: every row is there, under its name, and nothing is counted twice."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from capacity.errors import InputError
from capacity.loadtest.readers.base import ResultFile
from capacity.loadtest.readers.jmeter.csv import JMeterCsv
from capacity.loadtest.samples import CONTAINER, REQUEST, TRANSACTION, UNKNOWN
from tests.loadtest.readers.jmeter import HEADER, MARK, RUNS, kinds, lines, table, unpacked
from tests.loadtest.readers.reading import written

ROW = "1795427364220,74,GET /x,200,OK,steady 1-1,text,true,,156,119,1,1,http://127.0.0.1/x,72,0,31"


def plain(folder: Path, *rows: str, header: str = HEADER) -> Path:
    return written(folder, "\n".join([header, *rows, ""]))


@pytest.mark.parametrize("name", ["variants-v5.csv.jtl.gz", "variants-v5.semi-date.jtl.gz"])
def test_of_480_rows_of_the_variants_run_360_are_requests_and_90_of_them_failed(name: str) -> None:
    rows, _ = table(RUNS / name)
    assert rows["kind"].value_counts().to_dict() == {REQUEST: 360, TRANSACTION: 60, CONTAINER: 60}
    requests = rows[rows["kind"] == REQUEST]
    assert requests["failed"].sum() == 90
    assert requests[requests["failed"] == 1]["outcome"].value_counts().to_dict() == {
        "503": 30,
        "200, assertion failed": 30,
        "org.apache.http.conn.HttpHostConnectException": 30,
    }
    assert set(rows["label"]) >= {"POST /x, body", 'GET "quoted", label', "GET /page-2"}
    assert set(rows["group"]) == {"mix, group"}


@pytest.mark.parametrize("name", ["variants-v5.csv.jtl.gz", "min563.jtl.gz", "steps-open-v5.jtl.gz"])
def test_rows_are_those_of_the_csv_module_and_kinds_those_of_the_three_sentences(name: str) -> None:
    rows, _ = table(RUNS / name)
    told = list(csv.DictReader(io.StringIO(unpacked(RUNS / name), newline="")))[:3000]
    some = rows.iloc[: len(told)]
    assert some["start"].tolist() == [int(row["timeStamp"]) * 1000 for row in told]
    assert some["elapsed"].tolist() == [int(row["elapsed"]) * 1000 for row in told]
    assert some["label"].tolist() == [row["label"] for row in told]
    assert some["failed"].tolist() == [int(row["success"] == "false") for row in told]
    if "threadName" in told[0]:
        assert some["kind"].tolist() == kinds(told)
        assert some["users"].tolist() == [int(row["allThreads"]) for row in told]
        assert some["connect"].tolist() == [int(row["Connect"]) * 1000 for row in told]
        assert some["received"].tolist() == [int(row["bytes"]) for row in told]


@pytest.mark.parametrize(("name", "count"), [("min213.jtl.gz", 493), ("variants-v2.csv.jtl", 10)])
def test_twelve_columns_of_213_need_no_header(name: str, count: int) -> None:
    rows, _ = table(RUNS / name)
    told = list(csv.reader(io.StringIO(unpacked(RUNS / name), newline="")))
    assert len(rows) == len(told) == count
    assert rows["users"].tolist() == [int(row[10]) for row in told]
    latencies = [int(row[11]) * 1000 if row[11] != "0" or row[1] == "0" else UNKNOWN for row in told]
    assert rows["latency"].tolist() == latencies


def test_ten_columns_of_29_need_no_header(tmp_path: Path) -> None:
    path = written(tmp_path, "1393227741256,1425,GET /a - b,200,OK,Thread Group 1-1,text,true,3478,1016")
    rows, findings = table(path)
    assert rows.iloc[0][["elapsed", "label", "received", "latency"]].tolist() == [
        1_425_000,
        "GET /a - b",
        3478,
        1_016_000,
    ]
    assert findings == {}


@pytest.mark.parametrize("width", [9, 11, 13, 17])
def test_other_widths_without_a_header_are_refused_with_what_to_do(width: int, tmp_path: Path) -> None:
    cells = ["1393227741256", "1425", "GET /", "200", "OK", "main 1-1", "text", "true"] + ["7"] * (width - 8)
    path = written(tmp_path, ",".join(cells) + "\n")
    with pytest.raises(InputError, match=rf"{width} columns and no header line.*put the header"):
        table(path)


def test_twelve_columns_that_are_not_those_of_213_are_not_taken_for_them(tmp_path: Path) -> None:
    row = "1393227741256,1425,GET /,200,OK,main 1-1,text,true,why,5,1,2\n"
    with pytest.raises(InputError, match="12 columns and no header line"):
        table(written(tmp_path, row))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "#"])
@pytest.mark.parametrize("name", ["timeStamp", '"timeStamp"', "TIMESTAMP"])
def test_any_delimiter_and_any_case_of_names(delimiter: str, name: str, tmp_path: Path) -> None:
    columns = ["success", "label", "ELAPSED", name, "threadname", "responsecode"]
    row = ["true", f'a{delimiter} "b"', "20", "1795427364220", "main 1-1", "200"]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerow(row)
    rows, _ = table(written(tmp_path, f"{delimiter.join(columns)}\r\n{text.getvalue()}"))
    assert rows["label"].tolist() == [row[1]]
    assert rows["elapsed"].tolist() == [20_000]
    assert rows["outcome"].tolist() == ["200"]


@pytest.mark.parametrize(
    ("header", "row", "start", "label"),
    [
        (  # Taurus with JMeter
            "timeStamp,elapsed,label,responseCode,responseMessage,threadName,success,bytes,grpThreads,allThreads,Latency,"
            'Hostname,Connect,"SessionName"',
            "1795429965798,27,get x,200,OK,s1 1-1,true,156,1,9,25,vm,10,null",
            1_795_429_965_798_000,
            "get x",
        ),
        (  # Apiritif
            "timeStamp,elapsed,Latency,label,responseCode,responseMessage,success,allThreads,bytes",
            "1795429965798,27,25,get x,200,OK,true,9,156",
            1_795_429_965_798_000,
            "get x",
        ),
        (  # Taurus with Locust: stamps are ends, times have fractions
            "allThreads,timeStamp,label,method,elapsed,bytes,responseCode,responseMessage,success,Latency",
            "9,1795429965798,/x,GET,27.0625,156,200,OK,true,0",
            1_795_429_965_770_938,
            "/x",
        ),
    ],
)
def test_the_kpi_files_of_taurus_are_read_by_name(
    header: str, row: str, start: int, label: str, tmp_path: Path
) -> None:
    rows, _ = table(plain(tmp_path, row, header=header))
    assert rows["start"].tolist() == [start]
    assert rows["label"].tolist() == [label]
    assert rows["users"].tolist() == [9]
    assert rows["received"].tolist() == [156]


@pytest.mark.parametrize(
    "text",
    [
        "timeStamp§elapsed§label§success\n1§2§a§true\n",
        "timestamp,value\n1,2\n",
        "time,elapsed,name\n1,2,3\n",
        "a 1-1,b\n",
        "label,count\n",
    ],
)
def test_a_csv_of_another_tool_is_not_claimed(text: str, tmp_path: Path) -> None:
    assert not JMeterCsv().recognises(ResultFile(written(tmp_path, text)))


def test_a_byte_order_mark_empty_lines_and_line_ends_of_windows_change_nothing(tmp_path: Path) -> None:
    first, _ = table(plain(tmp_path, ROW, ROW))
    other = written(tmp_path, b"\xef\xbb\xbf\r\n" + "\r\n".join([HEADER, ROW, "", ROW, "", ""]).encode(), "other")
    assert table(other)[0].equals(first)


def test_a_row_may_span_lines(tmp_path: Path) -> None:
    why = '"no such element: {""id"": 5}\n  Session\n"'
    row = f"1492260112271,118,{why},500,NOTOK,main 1-1,text,false,{why},5815,0,1,1,null,0,0,0"
    rows, _ = table(plain(tmp_path, row, ROW))
    assert rows["label"].tolist() == ['no such element: {"id": 5}\n  Session\n', "GET /x"]


@pytest.mark.parametrize(
    ("thread", "group", "host"),
    [
        ("checkout 1-23", "checkout", ""),
        ("40 rps, EU-west 12-3", "40 rps, EU-west", ""),
        ("10.0.3.17-checkout 1-23", "checkout", "10.0.3.17"),
        ("load-1.example:1099-checkout 1-23", "checkout", "load-1.example:1099"),
        ("sc1-ThreadStarter 1-4", "sc1", ""),
        ("main", "main", ""),
        ("1-1", "1-1", ""),
        ("", "", ""),
    ],
)
def test_a_group_is_its_threads_without_number_and_host(thread: str, group: str, host: str, tmp_path: Path) -> None:
    rows, _ = table(plain(tmp_path, ROW.replace("steady 1-1", f'"{thread}"')))
    assert rows[["group", "host"]].to_numpy().tolist() == [[group, host]]


@pytest.mark.parametrize(
    ("code", "message", "success", "why", "outcome"),
    [
        ("200", "OK", "true", "", "200"),
        ("", "", "true", "", ""),
        ("503", "Service Unavailable", "false", "", "503"),
        ("503", "expected", "true", "", "503, accepted"),
        ("200", "OK", "false", "expected to contain x", "200, assertion failed"),
        ("200", "OK", "false", "", "200, marked as failed"),
        ("", "", "false", "", "no code, marked as failed"),
        (
            "200",
            '"Embedded resource download error:http://a code:404, "',
            "false",
            "",
            "200, an embedded resource failed",
        ),
        ("Non HTTP response code: java.net.ConnectException", "x", "false", "y", "java.net.ConnectException"),
        ("200", f'"{MARK}"', "false", "", "200, a sample of the transaction failed"),
    ],
)
def test_an_outcome_tells_failures_apart(
    code: str, message: str, success: str, why: str, outcome: str, tmp_path: Path
) -> None:
    row = f"1795427364220,74,GET /x,{code},{message},main 1-1,text,{success},{why},156,119,1,1,null,72,0,31"
    rows, _ = table(plain(tmp_path, row))
    assert rows["outcome"].tolist() == [outcome]
    assert rows["failed"].tolist() == [int(success == "false")]


def test_a_row_for_a_batch_tells_of_several_requests(tmp_path: Path) -> None:
    columns = ["timeStamp", "elapsed", "label", "success", "Latency", "SampleCount", "ErrorCount"]
    batch = {"timeStamp": 10_000, "elapsed": 400, "label": "a", "success": "false", "SampleCount": 4, "ErrorCount": 1}
    single = {**batch, "elapsed": 100, "SampleCount": 1, "Latency": 60}
    rows, findings = table(written(tmp_path, lines([{**batch, "Latency": 200}, single], columns)))
    assert rows[["count", "failed", "elapsed", "latency"]].to_numpy().tolist() == [
        [4, 1, 100_000, 50_000],
        [1, 1, 100_000, 60_000],
    ]
    assert rows["start"].tolist() == [9_900_000, 10_000_000]  # the stamp of a batch is its end
    assert findings["batches"].count == 1


def test_what_is_not_told_is_unknown_and_not_zero(tmp_path: Path) -> None:
    rows, findings = table(written(tmp_path, "timeStamp,elapsed,label,responseCode\n1000,5,a,200\n1001,5,b,500\n"))
    for column in ("users", "latency", "connect", "received"):
        assert rows[column].tolist() == [UNKNOWN, UNKNOWN]
    assert rows["failed"].tolist() == [0, 1]
    assert "response code" in findings["no success column"].message
    assert "counted twice" in findings["no message column"].advice


def test_a_latency_of_zero_is_not_known_unless_the_answer_took_none(tmp_path: Path) -> None:
    rows, _ = table(
        plain(tmp_path, ROW.replace(",72,0,31", ",0,0,31"), ROW.replace(",74,", ",0,").replace(",72,", ",0,"))
    )
    assert rows["latency"].tolist() == [UNKNOWN, 0]


def test_numbers_beside_the_point_do_not_spoil_a_row(tmp_path: Path) -> None:
    rows, _ = table(plain(tmp_path, ROW.replace("156", "n/a").replace(",31", ","), ROW.replace(",74,", ", 74.5 ,")))
    assert rows["received"].tolist() == [UNKNOWN, 156]
    assert rows["connect"].tolist() == [UNKNOWN, 31_000]
    assert rows["elapsed"].tolist() == [74_000, 74_500]


def test_an_elapsed_time_below_zero_is_zero_and_said(tmp_path: Path) -> None:
    rows, findings = table(plain(tmp_path, ROW.replace(",74,", ",-3,"), ROW))
    assert rows["elapsed"].tolist() == [0, 74_000]
    assert findings["negative elapsed"].count == 1


def test_generators_are_told_apart_by_hostname(tmp_path: Path) -> None:
    columns = ["timeStamp", "elapsed", "label", "threadName", "success", "Hostname"]
    told = [
        {
            "timeStamp": 1000 + i,
            "elapsed": 5,
            "label": label,
            "threadName": "main 1-1",
            "success": "true",
            "Hostname": host,
        }
        for i, (label, host) in enumerate([("a", "one"), ("a-0", "two"), ("b", "one"), ("a-1", "two")])
    ]
    rows, _ = table(written(tmp_path, lines(told, columns)))
    assert rows["host"].tolist() == ["one", "two", "one", "two"]
    assert rows["kind"].tolist() == [REQUEST] * 4  # the thread of the same name on another host is another one


def test_old_files_in_the_codepage_of_windows_are_read_and_said(tmp_path: Path) -> None:
    path = written(tmp_path, (HEADER + "\n" + ROW.replace("GET /x", "Zurück")).encode("cp1252"))
    rows, findings = table(path)
    assert rows["label"].tolist() == ["Zurück"]
    assert findings["encoding"].count == 1


def test_transactions_without_the_requests_inside_them_are_said(tmp_path: Path) -> None:
    transaction = ROW.replace(",OK,", f',"{MARK}",')
    rows, findings = table(plain(tmp_path, transaction, transaction))
    assert rows["kind"].tolist() == [TRANSACTION, TRANSACTION]
    assert (findings["transactions only"].status, findings["transactions only"].count) == ("FAIL", 2)
    assert "transactions only" not in table(plain(tmp_path, transaction, ROW))[1]
