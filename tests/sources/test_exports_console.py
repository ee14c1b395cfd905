"""The CloudWatch console's CSV: rows that describe each column are understood, whatever words they hold."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.sources.texts import read, refused, utc

#: As the console writes a graph; the order of words in "Full label" is that of a file of February 2026, quoted in a
#: public parser of such files (see `capacity.sources.exports.console`).
ECS = "eu-west-1:AWS/ECS ClusterName:shop ServiceName:{service} {metric} {stat} {period}"
BALANCER = "eu-west-1:AWS/ApplicationELB LoadBalancer:app/shop/50dc6c495c0c9188 {metric} {stat} 60"

REQUESTS = BALANCER.format(metric="RequestCount", stat="Sum")


def graph(labels: list[str], *rows: str, names: list[str] | None = None, status: str = "Complete") -> str:
    """A download with these full labels, labels and rows."""
    count = len(labels)
    lines = [
        ["Id", *(f"m{number}" for number in range(1, count + 1))],
        ["StatusCode", *[status] * count],
        ["Messages", *[""] * count],
        ["Full label", *labels],
        ["Label", *(names or labels)],
    ]
    head = "".join(",".join(f'"{cell}"' if "," in cell else cell for cell in line) + "\n" for line in lines)
    return head + "".join(row + "\n" for row in rows)


def cpu(service: str = "web", stat: str = "Average", period: int = 300) -> str:
    return ECS.format(service=service, metric="CPUUtilization", stat=stat, period=period)


def ecs(metric: str, stat: str) -> str:
    return ECS.format(service="web", metric=metric, stat=stat, period=60)


def points(observations: Any) -> dict[tuple[str, str, str], list[float]]:
    """(service, metric, stat) -> values in order of time."""
    frame = observations.frame.astype({"service": "str", "metric": "str", "stat": "str"})
    return {tuple(key): part["value"].tolist() for key, part in frame.groupby(["service", "metric", "stat"])}


ROWS = ("2026/08/03 00:00:00,12.5,10", "2026/08/03 00:05:00,,20", "2026/08/03 00:10:00,13.25,30")


def test_a_graph_of_one_service_is_read_from_its_full_labels(tmp_path: Path) -> None:
    observations = read(tmp_path, graph([cpu(), cpu(stat="SampleCount")], *ROWS), timezone="UTC")
    assert points(observations) == {
        ("web", "cpu_utilization", "mean"): [12.5, 13.25],
        ("web", "running_tasks", "mean"): [2.0, 4.0, 6.0],  # samples of five minutes, one a task and minute
    }
    assert set(observations.frame["interval"]) == {300}
    [finding] = observations.findings
    assert (finding.check, finding.count) == ("missing", 1)


def test_stamps_are_of_the_clock_that_is_said_and_of_no_other(tmp_path: Path) -> None:
    text = graph([cpu()], "2026/10/25 02:30:00,1", "2026/10/25 02:35:00,2", "2026/10/25 03:00:00,3")
    assert "of which clock are they?" in str(refused(tmp_path, text))
    summer = read(tmp_path, text.replace("2026/10/25", "2026/08/03"), timezone="Europe/Paris").frame
    assert summer["timestamp"].tolist() == utc("2026-08-03 00:30", "2026-08-03 00:35", "2026-08-03 01:00")
    error = refused(tmp_path, text, timezone="Europe/Paris")  # the clock showed 02:30 twice, the file has it once
    assert [problem.where for problem in error.problems] == ["usage.csv row 6", "usage.csv row 7"]
    assert "happened twice" in str(error)


@pytest.mark.parametrize(
    ("label", "values", "expected"),
    [
        (REQUESTS, [600, 66], ("requests", "mean", [10.0, 1.1])),
        (BALANCER.format(metric="HTTPCode_Target_5XX_Count", stat="Sum"), [6, 3], ("errors", "mean", [0.1, 0.05])),
        (BALANCER.format(metric="TargetResponseTime", stat="p99"), [0.25, 1], ("latency", "p99", [0.25, 1.0])),
        (ecs("MemoryUtilization", "Maximum"), [7, 8], ("memory_utilization", "max", [7, 8])),
        (ecs("TargetResponseTime", "p50"), [250, 500], ("latency", "p50", [0.25, 0.5])),
        ("ECS/ContainerInsights ServiceName: web CpuUtilized Sum 60", [512, 1024], ("cpu", "mean", [0.5, 1.0])),
        ("ServiceName=web, MemoryUtilized, Sum 300", [10240, 5120], ("memory", "mean", [2.0, 1.0])),
        ("ServiceName:web RunningTaskCount Average 60", [3, 4], ("running_tasks", "mean", [3, 4])),
    ],
)  # fmt: skip
def test_every_metric_and_statistic_is_in_our_unit(
    tmp_path: Path, label: str, values: list[float], expected: tuple[str, str, list[float]]
) -> None:
    text = graph([label], *(f"2026/08/03 00:0{minute * 5}:00,{value}" for minute, value in enumerate(values)))
    metric, stat, ours = expected
    found = points(read(tmp_path, text, timezone="UTC", service="web"))
    assert found == {("web", metric, stat): pytest.approx(ours, rel=1e-15)}


@pytest.mark.parametrize(
    ("label", "words"),
    [
        (BALANCER.format(metric="RequestCount", stat="Average"), "it is always 1; Sum counts the requests"),
        (BALANCER.format(metric="RequestCount", stat=""), "needs its statistic"),
        (cpu(stat="Sum"), "a sum of cpu_utilization means nothing"),
        (cpu(stat="p90"), "unknown stat 'p90'"),
        (ecs("CpuUtilized", "Average"), "Sum is that of all of them"),
        ("eu-west-1:AWS/EC2 InstanceId:i-1 CPUUtilization SampleCount 300", "only for CPUUtilization of an ECS"),
        ("eu-west-1:AWS/EC2 InstanceId:i-1 StatusCheckFailed Sum 300", "no column for metric"),
        ("m1 / m2 * 100", "no column for metric"),
    ],
)
def test_what_a_label_does_not_say_is_asked(tmp_path: Path, label: str, words: str) -> None:
    error = refused(
        tmp_path, graph([label], "2026/08/03 00:00:00,1", "2026/08/03 00:05:00,2"), timezone="UTC", service="web"
    )
    assert words in str(error)
    assert 'columns={"LABEL": "service:metric:stat"}' in str(error)


EXPRESSION = graph(
    ["m1 * 2", REQUESTS, cpu("api")],
    "2026/08/03 00:00:00,1,600,5",
    "2026/08/03 00:05:00,2,60,6",
    names=["headroom, doubled", "RequestCount", "CPUUtilization"],
)


@pytest.mark.parametrize(
    "columns",
    [
        {"m1": "web:cpu_utilization:max", "m2": "web:"},  # by id
        {"Headroom, doubled": "web:cpu_utilization:max", "RequestCount": "web:"},  # by label, in any case
        {"m1 * 2": "web:cpu_utilization:Maximum", REQUESTS: "web:requests:sum"},
    ],
)  # fmt: skip
def test_columns_are_what_the_caller_says_by_any_of_their_names(tmp_path: Path, columns: dict[str, str]) -> None:
    assert points(read(tmp_path, EXPRESSION, timezone="UTC", columns=columns)) == {
        ("web", "cpu_utilization", "max"): [1.0, 2.0],
        ("web", "requests", "mean"): [10.0, 1.0],
        ("api", "cpu_utilization", "mean"): [5.0, 6.0],
    }


def test_a_column_can_be_left_out_and_that_is_said(tmp_path: Path) -> None:
    observations = read(tmp_path, EXPRESSION, timezone="UTC", columns={"m1": "-", "m2": "-"})
    assert list(points(observations)) == [("api", "cpu_utilization", "mean")]
    assert [finding.check for finding in observations.findings] == ["columns", "columns"]
    nothing = refused(tmp_path, EXPRESSION, timezone="UTC", columns={"m1": "-", "m2": "-", "m3": "-"})
    assert "every column of values is left out" in str(nothing)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("web:temperature", "unknown metric 'temperature'"),
        ("web:cpu:often", "unknown stat 'often'"),
        ("web:cpu:mean:furlongs", "unknown unit 'furlongs'"),
        ("a:b:c:d:e", "a series, as 'service:metric:stat:unit'"),
        ("web:requests:sum:GiB", "cannot be in 'GiB'"),
    ],
)
def test_a_series_that_cannot_be_meant_is_refused(tmp_path: Path, said: str, words: str) -> None:
    columns = {"m1": said, "m2": "-"}
    assert words in str(refused(tmp_path, EXPRESSION, timezone="UTC", columns=columns))


def test_two_columns_that_are_one_series_are_refused_by_their_labels(tmp_path: Path) -> None:
    error = refused(tmp_path, graph([cpu(), cpu()], *ROWS), timezone="UTC")
    assert "are both web cpu_utilization mean" in str(error)


def test_services_of_two_clusters_stay_two(tmp_path: Path) -> None:
    text = graph([cpu(), cpu().replace("shop", "back")], *ROWS)
    assert "'back', 'shop'" in str(refused(tmp_path, text, timezone="UTC"))
    both = read(tmp_path, text, timezone="UTC", columns={"ClusterName": "service_prefix"})
    assert [service for service, *_ in points(both)] == ["back/web", "shop/web"]


def test_an_answer_that_is_not_complete_says_so_without_secrets(tmp_path: Path) -> None:
    text = graph([cpu()], *(row.rsplit(",", 1)[0] for row in ROWS), status="PartialData")
    text = text.replace("Messages,", "Messages,ArchivedData token=s3cret was left out")
    [finding] = [each for each in read(tmp_path, text, timezone="UTC").findings if each.check == "partial"]
    assert finding.status == "REVIEW"
    assert "PartialData" in finding.message
    assert "ArchivedData" in finding.message
    assert "s3cret" not in finding.message


def test_a_statistic_that_is_not_said_is_the_average_and_that_is_said(tmp_path: Path) -> None:
    text = graph(["CPUUtilization"], "2026/08/03 00:00:00,1", "2026/08/03 00:05:00,2")
    observations = read(tmp_path, text, timezone="UTC", service="web")
    assert points(observations) == {("web", "cpu_utilization", "mean"): [1.0, 2.0]}
    assert [(each.check, each.status) for each in observations.findings] == [("stat", "REVIEW")]


@pytest.mark.parametrize("without", ["Id", "StatusCode", "Messages", "Full label"])
def test_rows_are_known_by_their_first_cell(tmp_path: Path, without: str) -> None:
    lines = graph([cpu()], "2026/08/03 00:00:00,1", "2026/08/03 00:05:00,2").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith(without))
    assert points(read(tmp_path, text, timezone="UTC")) == {("web", "cpu_utilization", "mean"): [1.0, 2.0]}


def test_rows_that_give_unit_statistic_and_period_are_believed(tmp_path: Path) -> None:
    text = "Label,checkout\nUnit,Percent\nStatistic,Maximum\nPeriod,60\n2026/08/03 00:00:00,1\n2026/08/03 00:05:00,2\n"
    frame = read(tmp_path, text, timezone="UTC", metric="cpu_utilization").frame
    assert frame[["service", "stat", "interval"]].drop_duplicates().to_numpy().tolist() == [["checkout", "max", 60]]
    assert "cannot be in 'Percent'" in str(refused(tmp_path, text, timezone="UTC", metric="requests"))


FORMS: dict[str, Any] = {
    "windows line ends": lambda text: text.replace("\n", "\r\n"),
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "gzip": lambda text: gzip.compress(text.encode(), mtime=0),
    "commas at the ends": lambda text: text.replace("\n", ",\n"),
    "newest first": lambda text: "".join([*(lines := text.splitlines(keepends=True))[:5], *reversed(lines[5:])]),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_the_file_does_not_matter(tmp_path: Path, form: str) -> None:
    plain = graph([cpu(), cpu("api")], *ROWS)
    assert points(read(tmp_path, FORMS[form](plain), timezone="UTC")) == points(read(tmp_path, plain, timezone="UTC"))


def test_a_row_said_twice_is_kept_once_and_a_contradiction_refused_with_both_rows(tmp_path: Path) -> None:
    rows = [row.rsplit(",", 1)[0] for row in ROWS]
    again = read(tmp_path, graph([cpu()], *rows, rows[0]), timezone="UTC")
    assert points(again)["web", "cpu_utilization", "mean"] == [12.5, 13.25]
    assert "duplicates" in {finding.check for finding in again.findings}
    error = refused(tmp_path, graph([cpu()], *rows, "2026/08/03 00:00:00,99"), timezone="UTC")
    assert [problem.where for problem in error.problems] == ["usage.csv row 6"]
    assert "usage.csv row 9" in str(error)


def test_a_value_that_is_no_number_is_said_with_column_and_row(tmp_path: Path) -> None:
    error = refused(tmp_path, graph([cpu()], "2026/08/03 00:00:00,1", "2026/08/03 00:05:00,oops"), timezone="UTC")
    [problem] = error.problems
    assert problem.where.startswith("usage.csv column 'eu-west-1:AWS/ECS")
    assert problem.where.endswith("row 7")


@pytest.mark.parametrize("service", ['=cmd()|"x"!A1', "<script>", "日本", "../../etc", "{", 'a"b'])
def test_a_strange_name_is_a_name(tmp_path: Path, service: str) -> None:
    label = cpu(service.replace('"', '""')) if '"' not in service else f'"{cpu(service).replace(chr(34), chr(34) * 2)}"'
    text = graph([label], "2026/08/03 00:00:00,1", "2026/08/03 00:05:00,2")
    assert read(tmp_path, text, timezone="UTC").frame["service"].unique().tolist() == [service]


def test_a_name_that_terminals_obey_is_refused(tmp_path: Path) -> None:
    text = graph([cpu("web\x1b[2J")], "2026/08/03 00:00:00,1", "2026/08/03 00:05:00,2")
    assert "control character" in str(refused(tmp_path, text, timezone="UTC"))


def test_labels_without_rows_are_nothing_to_read(tmp_path: Path) -> None:
    assert "has labels and no rows" in str(refused(tmp_path, graph([cpu()]), timezone="UTC"))


def test_a_long_table_with_a_column_called_label_is_no_download_of_the_console(tmp_path: Path) -> None:
    text = "label,timestamp,value\nweb,2026-08-03T00:00Z,1\nweb,2026-08-03T01:00Z,2\n"
    frame = read(tmp_path, text, metric="requests", columns={"label": "service"}).frame
    assert frame["timestamp"].tolist() == [pd.Timestamp("2026-08-03T00:00Z"), pd.Timestamp("2026-08-03T01:00Z")]
