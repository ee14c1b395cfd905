"""Every file is claimed by one reader, whatever it is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from capacity.loadtest.readers.base import ResultFile
from tests.loadtest.readers.reading import DATA, claimants, written

#: Files of real runs, a folder a tool. Plans of tests and notes are no results.
TOOLS = ("blazemeter", "gatling", "jmeter", "k6", "locust", "taurus")
FIXTURES = [
    path
    for tool in TOOLS
    for path in sorted((DATA / tool).rglob("*"))
    if path.is_file() and path.suffix not in (".jmx", ".md")
]

#: The first lines of each format, in variants that have been seen.
STARTS = {
    "Gatling log": [
        "RUN\tSim\trun1\t1700000000000\t \t3.5.0\nUSER\ts\tSTART\t1700000000001\n",
        "ASSERTION\tAAEDAAEF\n" * 30 + "RUN\tSim\trun1\t1700000000000\t \t3.5.0\n",
        "Sim\trun1\tRUN\t1406822067250\tinteresting test run\t2.0\n",
        "RUN\t20120607202804\trun1\ttest\n",
        "REQUEST\t\tGET /\t1700000000000\t1700000000005\tOK\n",
    ],
    "Gatling binary log": [b"\0\0\0\0\x063.14.3\0\0\0\0\x03Sim\0".decode("latin-1")],
    "Gatling statistics": [
        '{\n  "type": "GROUP",\n"stats": {\n"numberOfRequests": {"total": 1}, "percentiles1": {"total": 1}}}',
        'var stats = {\n type: "GROUP",\nstats: { "numberOfRequests": {"total": "1"}, "percentiles1": {"total": "1"}}',
    ],
    "Gatling report page": ["<!DOCTYPE html>\n<html><head><title>Gatling Stats - Global Information</title>"],
    "Taurus final-stats CSV": ["label,avg_ct,avg_lt,avg_rt,bytes,concurrency,fail,stdev_rt,succ,throughput,perc_0.0\n"],
    "Taurus final-stats XML": ["<?xml version='1.0' encoding='UTF-8'?>\n<FinalStatus>\n  <TestDuration>9"],
    "BlazeMeter JSON": [
        '{"api_version":4,"error":null,"result":[{"labelId":"ALL","samples":152,"avgResponseTime":786}]}',
        '[{"labelId":"ALL","samples":152,"avgResponseTime":786}]',
        '{"api_version":4,"error":null,"result":[{"labelId":"ALL","kpis":[{"n":1,"t_avg":817,"ts":1464248743}]}]}',
        '{"result":[{"sessions":["r-t-57"],"id":"ALL","name":"ALL"}]}',
        '{"api_version":4,"error":{"code":404},"result":null}',
    ],
    "BlazeMeter aggregate report CSV": [
        "labelId,labelName,samples,avgResponseTime,90line\n",
        '"a table","of a dump"\n\n"labelId","labelName","samples","avgResponseTime"\n',
    ],
    "Locust stats CSV": ["Type,Name,Request Count,Failure Count,Median Response Time\n"],
    "Locust history CSV": ["Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%\n"],
    "Locust failures or exceptions CSV": ["Method,Name,Error,Occurrences\n", "Count,Message,Traceback,Nodes\n"],
    "k6 CSV": ["metric_name,timestamp,metric_value,check,error\n"],
    "k6 JSON lines": [
        '{"type":"Metric","data":{"name":"http_reqs","type":"counter"},"metric":"http_reqs"}\n',
        '{"metric":"http_reqs","type":"Point","data":{"time":"2017-05-09T14:34:45Z","value":1,"tags":{}}}\n',
    ],
    "k6 summary": ['{\n  "metrics": {\n    "http_reqs": {"count": 1, "rate": 1}}}'],
}


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.relative_to(DATA).as_posix())
def test_every_file_of_a_real_run_has_one_reader(path: Path) -> None:
    assert len(claimants(path)) == 1


@pytest.mark.parametrize("name", STARTS)
def test_a_format_is_known_by_its_first_lines_and_by_no_other_reader(name: str, tmp_path: Path) -> None:
    for number, text in enumerate(STARTS[name]):
        encoding = "latin-1" if name == "Gatling binary log" else "utf-8"
        path = written(tmp_path, text.encode(encoding), f"{number}.txt")
        assert [reader.name for reader in claimants(path)] == [name], text


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"\0", b"\xff\xfe\0a", b"{", b"[]", b"<html>", b"a,b\n1,2\n", b"\xef\xbb\xbf", b"hello world\n"],
)
def test_content_of_no_format_has_no_reader_and_raises_nothing(content: bytes, tmp_path: Path) -> None:
    assert claimants(written(tmp_path, content)) == []


def test_a_byte_order_mark_and_blank_lines_before_the_text_do_not_hide_it(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbf\n" + STARTS["Locust stats CSV"][0].encode())
    assert [reader.name for reader in claimants(path)] == ["Locust stats CSV"]
    assert ResultFile(path).text.startswith("Type,Name")
