"""JSON as `aws cloudwatch get-metric-data` and `get-metric-statistics` print it, whole, in pages, or not complete."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from capacity.sources import Files
from tests.sources.test_exports_console import points
from tests.sources.texts import PLAIN, read, refused, utc, values

START = 1785715200  # 2026-08-03T00:00:00Z
#: Stamps as the CLI prints them: version 2, version 1 with either of its protocols, and Python's own printing of boto3.
STAMPS: dict[str, Any] = {
    "iso8601": lambda moment: moment.isoformat(),
    "wire, text": lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "wire, number": lambda moment: int(moment.timestamp()),
    "python": str,
}


def moments(count: int, step: int = 300) -> list[str]:
    return [datetime.fromtimestamp(START + step * number, UTC).isoformat() for number in range(count)]


def result(name: str, label: str, numbers: list[Any], *, status: str = "Complete", first: int = 0, **more: Any) -> Any:
    stamps = moments(first + len(numbers))[first:]
    return {"Id": name, "Label": label, "Timestamps": stamps, "Values": numbers, "StatusCode": status, **more}


def answer(*results: Any, **more: Any) -> str:
    return json.dumps({"MetricDataResults": list(results), **more}, indent=4)


CPU = "AWS/ECS ServiceName:web CPUUtilization Average 300"


@pytest.fixture(scope="module")
def cloudwatch() -> Iterator[Any]:
    """A client of a server that has an hour of CPUUtilization of one service, in its own clock."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield boto3.client(
        "cloudwatch",
        region_name="eu-west-1",
        endpoint_url=f"http://{host}:{port}",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    server.stop()


DIMENSIONS = [{"Name": "ClusterName", "Value": "shop"}, {"Name": "ServiceName", "Value": "web"}]


@pytest.mark.xdist_group("moto")
@pytest.mark.parametrize("form", STAMPS)
def test_what_a_server_answers_is_read_as_it_was_published(tmp_path: Path, cloudwatch: Any, form: str) -> None:
    begin = (datetime.now(UTC) - timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)
    times = [begin + timedelta(minutes=5 * number) for number in range(4)]
    metric = f"CPUUtilization{list(STAMPS).index(form)}"  # one a form: the server is shared
    data = [
        {"MetricName": metric, "Dimensions": DIMENSIONS, "Timestamp": time, "Value": 10.5 + number, "Unit": "Percent"}
        for number, time in enumerate(times)
    ]
    cloudwatch.put_metric_data(Namespace="AWS/ECS", MetricData=data)
    stat = {"Namespace": "AWS/ECS", "MetricName": metric, "Dimensions": DIMENSIONS}
    span = {"StartTime": begin, "EndTime": begin + timedelta(hours=1)}
    queries = [
        {"Id": f"m{number}", "MetricStat": {"Metric": stat, "Period": 300, "Stat": each}, "Label": f"web {each}"}
        for number, each in enumerate(["Average", "SampleCount"])
    ]
    page = cloudwatch.get_metric_data(MetricDataQueries=queries, **span)
    expected = {
        ("web", "cpu_utilization", "mean"): [10.5, 11.5, 12.5, 13.5],
        ("web", "running_tasks", "mean"): [0.2] * 4,
    }
    columns = {"m0": "web:cpu_utilization:mean", "m1": "web:running_tasks:samplecount"}
    observations = read(tmp_path, json.dumps(page, default=STAMPS[form]), "a.json", columns=columns)
    assert points(observations) == expected
    assert sorted(set(observations.frame["timestamp"])) == times
    found = cloudwatch.get_metric_statistics(**stat, **span, Period=300, Statistics=["Average", "SampleCount"])
    found["Datapoints"].reverse()
    both = {f"{metric} Average": "web:cpu_utilization", f"{metric} SampleCount": "web:running_tasks"}
    text = json.dumps(found, default=STAMPS[form])
    assert points(read(tmp_path, text, "b.json", columns=both)) == expected


def test_pages_of_one_answer_belong_together(tmp_path: Path) -> None:
    """One after another, as a loop over pages prints them, or in a list; the last status is the one that counts."""
    pages = [
        answer(result("m1", CPU, [1, 2], status="PartialData"), NextToken="abc"),
        answer(result("m1", CPU, [2, 3], first=1, status="Complete"), Messages=[]),
    ]
    one = read(tmp_path, "\n".join(pages), "a.json")
    assert points(one) == {("web", "cpu_utilization", "mean"): [1, 2, 3]}
    assert [(each.check, each.status) for each in one.findings] == [("duplicates", "PASS")]
    listed = read(tmp_path, f"[{','.join(pages)}]", "b.json")
    assert points(listed) == points(one)


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        (answer(result("m1", CPU, [1, 2], status="PartialData")), "REVIEW", "PartialData"),
        (answer(result("m1", CPU, [1, 2]), NextToken="abc"), "REVIEW", "the last page has a NextToken"),
        (answer(result("m1", CPU, [1, 2]), result("m2", "x", [], status="Forbidden")), "FAIL", "GetMetricData"),
        (answer(result("m1", CPU, [1, 2]), result("m2", "x", [], status="InternalError")), "FAIL", "InternalError"),
        (answer(result("m1", CPU, [1, 2]), result("m2", "x", [], status="Odd")), "UNKNOWN", "'Odd'"),
        (answer(result("m1", CPU, [1, 2]), result("m2", "x", [])), "UNKNOWN", "too fine for the age of the data"),
        (answer(result("m1", CPU, [1, 2], Messages=[{"Code": "A", "Value": "token=abc"}])), "REVIEW", "A: token=***"),
        (answer(result("m1", CPU, [1, 2]), Messages=[{"Code": "B", "Value": "too many"}]), "REVIEW", "B: too many"),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_complete_says_so(tmp_path: Path, text: str, status: str, words: str) -> None:
    observations = read(tmp_path, text, "a.json")
    assert points(observations) == {("web", "cpu_utilization", "mean"): [1, 2]}
    [finding] = observations.findings
    assert finding.status == status
    assert words in str(finding)


def test_datapoints_come_in_any_order_and_with_many_statistics(tmp_path: Path) -> None:
    datapoints = [
        {
            "Timestamp": stamp,
            "Average": 4.5 + hour,
            "Maximum": 9.0,
            "Minimum": 1,
            "Sum": 45.0,
            "SampleCount": 10,
            "Unit": "Percent",
            "ExtendedStatistics": {"p99": 8.5},
        }
        for hour, stamp in enumerate(moments(3))
    ]
    text = json.dumps({"Label": "CPUUtilization", "Datapoints": [datapoints[2], datapoints[0], datapoints[1]]})
    observations = read(tmp_path, text, "a.json", service="web")
    assert points(observations) == {
        ("web", "cpu_utilization", "max"): [9, 9, 9],
        ("web", "cpu_utilization", "mean"): [4.5, 5.5, 6.5],
        ("web", "cpu_utilization", "min"): [1, 1, 1],
        ("web", "cpu_utilization", "p99"): [8.5, 8.5, 8.5],
    }
    assert [each.message.split(": ")[1:3] for each in observations.findings] == [
        ["not read", "'CPUUtilization Sum'"],
        ["not read", "'CPUUtilization SampleCount'"],
    ]
    tasks = read(tmp_path, text, "a.json", service="web", columns={"CPUUtilization SampleCount": ":running_tasks"})
    assert points(tasks)["web", "running_tasks", "mean"] == [2, 2, 2]
    assert "no column for service" in str(refused(tmp_path, text, "a.json"))
    assert "cannot be in 'Percent'" in str(refused(tmp_path, text, "a.json", columns={"CPUUtilization": "web:memory"}))


def test_a_sum_of_requests_is_a_rate_over_the_period(tmp_path: Path) -> None:
    points_ = [{"Timestamp": stamp, "Sum": 600.0, "Unit": "Count"} for stamp in moments(3)]
    text = json.dumps({"Label": "RequestCount", "Datapoints": points_})
    seen = read(tmp_path, text, "a.json", service="web")
    assert points(seen) == {("web", "requests", "mean"): [2, 2, 2]}
    assert [(each.check, each.status) for each in seen.findings] == [("interval", "REVIEW")]
    said = read(tmp_path, text, "a.json", service="web", interval_seconds=60)
    assert points(said) == {("web", "requests", "mean"): [10, 10, 10]}
    assert len(said.findings) == 0


@pytest.mark.parametrize(
    ("unit", "options", "expected"),
    [("Seconds", {}, 0.5), ("Milliseconds", {}, 0.0005), ("None", {}, 0.5), ("None", {"unit": "ms"}, 0.0005)],
)
def test_a_unit_that_is_published_is_believed(
    tmp_path: Path, unit: str, options: dict[str, Any], expected: float
) -> None:
    datapoints = [{"Timestamp": stamp, "Average": 0.5, "Unit": unit} for stamp in moments(2)]
    text = json.dumps({"Label": "TargetResponseTime", "Datapoints": datapoints})
    observations = read(tmp_path, text, "a.json", service="web", **options)
    assert points(observations) == {("web", "latency", "mean"): [expected, expected]}
    taken = unit == "None" and not options
    assert [each.check for each in observations.findings] == (["unit"] if taken else [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"values": []}', "is JSON, but no answer of CloudWatch"),
        ("[1, 2]", "is JSON, but no answer of CloudWatch"),
        ('{"MetricDataResults": 1}', "no answer of CloudWatch"),
        ('{"MetricDataResults": [', "is JSON that cannot be read, near line 1"),
        ('{\n"Datapoints": [}', "near line 2"),
        ("[" * 100_000, "nested too deeply"),
        (answer(), "has a header and no rows"),
        (answer(3), "has a result that is no object"),
        (answer({"Id": "m1", "Timestamps": [1], "Values": []}), "result 'm1' does not have as many"),
        (answer({"Id": "m1", "Timestamps": {}, "Values": {}}), "result 'm1' does not have as many"),
        ('{"Datapoints": [1]}', "has a datapoint that is no object"),
        (answer(result("m1", CPU, [1, True])), "row 2: value 'true' is not a number"),
        (answer(result("m1", CPU, [1, [2]])), "row 2: value '[2]' is not a number"),
        (answer(result("m1", CPU, [1, "many"])), "row 2: value 'many' is not a number"),
        (answer(result("m1", CPU, [1, float("inf")])), "row 2: value inf is infinite"),
        (answer(result("m1", "web", [1, 2])), "no column for service, metric"),
        (answer(result("m1", CPU, [1, 2]), result("m2", CPU, [1, 2])), "are both web cpu_utilization mean"),
        (answer(result("m1", CPU.replace("web", "w\x1bb"), [1, 2])), "control character"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    assert words in str(refused(tmp_path, text, "a.json"))


def test_missing_values_are_gaps(tmp_path: Path) -> None:
    observations = read(tmp_path, answer(result("m1", CPU, [1, None, float("nan"), 4])), "a.json")
    assert values(observations) == {"2026-08-03T00:00Z": 1.0, "2026-08-03T00:15Z": 4.0}
    assert [(each.check, each.count) for each in observations.findings] == [("missing", 2)]


def test_a_folder_reads_answers_and_leaves_other_json_alone(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(PLAIN)
    (tmp_path / "cpu.json").write_text(answer(result("m1", CPU.replace("web", "api"), [1, 2, 3])))
    (tmp_path / "truth.json").write_text('{"truth": 1}')
    (tmp_path / "package.json").write_text("not even JSON")
    observations = Files(tmp_path).read()
    assert observations.frame["service"].unique().tolist() == ["api", "web"]
    assert observations.frame["source"].unique().tolist() == ["files:cpu.json", "files:a.csv"]
    assert len(observations.findings) == 0


def test_a_file_named_by_the_caller_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    text = "\ufeff" + answer(result("m1", CPU, [1, 2]))
    frame = read(tmp_path, gzip.compress(text.encode(), mtime=0), "answer.txt.gz").frame
    assert frame["timestamp"].tolist() == utc("2026-08-03 00:00", "2026-08-03 00:05")
