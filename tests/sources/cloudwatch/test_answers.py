"""The fast way to read an answer gives what botocore gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from capacity.errors import SourceChanged
from capacity.sources.aws import Door
from capacity.sources.base import tidy
from capacity.sources.cloudwatch.answers import Points, merged, points, read_fast
from capacity.sources.cloudwatch.catalogue import Wanted
from capacity.sources.cloudwatch.periods import Window
from capacity.sources.cloudwatch.rows import Chunk, observations
from tests.sources.cloudwatch.fake import FakeCloudWatch
from tests.sources.cloudwatch.fleet import ECS

QUERY = {
    "Id": "q0",
    "MetricStat": {
        "Metric": {"Namespace": ECS, "MetricName": "CPUUtilization", "Dimensions": []},
        "Period": 60,
        "Stat": "Average",
    },
}


def ask(door: Door, fake: FakeCloudWatch) -> dict[str, Any]:
    return door.call(
        "cloudwatch",
        "get_metric_data",
        MetricDataQueries=[QUERY],
        StartTime=fake.now // 60 * 60 - 3600,
        EndTime=fake.now // 60 * 60,
    )


def test_the_protocol_is_json_still(door: Door) -> None:
    assert door.client("cloudwatch").meta.service_model.resolved_protocol == "json"


def test_both_ways_read_the_same(fake: FakeCloudWatch, door: Door) -> None:
    start = int(fake.now) // 60 * 60 - 1800
    for number in range(20):
        fake.minutes.put(ECS, "CPUUtilization", {}, start + 60 * number, [number / 3, 1e-7, 12345678.9])
    fake.messages = [{"Code": "note", "Value": "as it happens"}]
    slow = ask(door, fake)
    read_fast(door.client("cloudwatch"))
    read_fast(door.client("cloudwatch"))
    fast = ask(door, fake)
    assert isinstance(fast["MetricDataResults"][0]["Values"], np.ndarray)
    assert isinstance(slow["MetricDataResults"][0]["Values"], list)
    for theirs, ours in zip(slow["MetricDataResults"], fast["MetricDataResults"], strict=True):
        for one, other in zip(points(theirs), points(ours), strict=True):
            np.testing.assert_array_equal(one, other)
        assert {key: theirs[key] for key in ("Id", "StatusCode", "Label")} == {
            key: ours[key] for key in ("Id", "StatusCode", "Label")
        }
    assert slow["Messages"] == fast["Messages"]


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda body: {**body, "MetricDataResults": None},
        lambda body: {key: value for key, value in body.items() if key != "MetricDataResults"},
    ],
    ids=["null", "absent"],
)
def test_an_answer_of_another_form_is_not_read_as_an_empty_one(
    spoilt: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    class Other(FakeCloudWatch):
        def answer(self, target: str, body: bytes) -> tuple[int, bytes]:
            status, answer = super().answer(target, body)
            return status, json.dumps(spoilt(json.loads(answer))).encode()

    with Other() as server:
        door = Door(endpoint=server.address)
        read_fast(door.client("cloudwatch"))
        with pytest.raises(SourceChanged):
            ask(door, server)


def test_stamps_in_words_are_read_by_botocore() -> None:
    class Wordy(FakeCloudWatch):
        def answer(self, target: str, body: bytes) -> tuple[int, bytes]:
            result = {"Id": "q0", "Timestamps": ["2026-08-03T10:00:00Z"], "Values": [1.5], "StatusCode": "Complete"}
            return 200, json.dumps({"MetricDataResults": [result]}).encode()

    with Wordy() as server:
        door = Door(endpoint=server.address)
        read_fast(door.client("cloudwatch"))
        stamps, values = points(ask(door, server)["MetricDataResults"][0])
    assert stamps.tolist() == [1785751200] and values.tolist() == [1.5]


def test_parts_of_a_series_are_joined_in_order_and_the_later_wins() -> None:
    first = Points(np.array([120, 60]), np.array([2.0, 1.0]))
    second = Points(np.array([60, 180]), np.array([9.0, 3.0]))
    stamps, values = merged([first, second])
    assert stamps.tolist() == [60, 120, 180]
    assert values.tolist() == [9.0, 2.0, 3.0]
    assert len(merged([]).stamps) == 0


def test_a_series_without_a_row_leaves_no_word_behind() -> None:
    """Rows are built in their final form, so nothing else sorts them or drops an unused category."""
    window, at = Window(0, 600, 60), pd.Timestamp("2026-08-03T00:00Z").as_unit("us")

    def chunk(service: str, stamps: list[int], window: Window = window) -> Chunk:
        wanted = Wanted(f"cloudwatch:{service}", service, "cpu", "mean", ())
        return Chunk(wanted, window, Points(np.array(stamps, dtype=np.int64), np.ones(len(stamps))), at)

    chunks = [chunk("web", [300, 360], Window(300, 600, 60)), chunk("idle", []), chunk("web", [0]), chunk("api", [60])]
    frame = observations(chunks, "cloudwatch:all").frame
    pd.testing.assert_frame_equal(frame, tidy(frame))
    assert frame["service"].tolist() == ["api", "web", "web", "web"]
    assert frame["service"].cat.categories.tolist() == ["api", "web"]
    assert len(observations([chunk("idle", [])], "cloudwatch:all")) == 0
