"""A pull against a server with the real limits: nothing lost, nothing doubled, nothing asked in vain."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capacity.errors import InputError, SourceDenied
from capacity.sources.aws import Door
from capacity.sources.base import Span
from capacity.sources.cloudwatch import CloudWatch, CustomMetric, periods
from capacity.sources.coverage import NOTHING, Coverage
from capacity.sources.pulling import Batch, Pulled
from tests.sources.cloudwatch.fake import DAY, FakeCloudWatch, Faults, statistic
from tests.sources.cloudwatch.fleet import (
    BALANCER,
    ECS,
    behind,
    covered,
    ecs_service,
    fill,
    now,
    place,
    series,
    source,
    table,
)


def last(fake: FakeCloudWatch, **ago: float) -> Span:
    return Span(now(fake) - pd.Timedelta(**ago), now(fake))


def minutes(fake: FakeCloudWatch, start_ago: int, end_ago: int = 0) -> list[int]:
    """Starts of the minutes between two ages in minutes."""
    first, end = (int(fake.now) // 60 * 60 - ago * 60 for ago in (start_ago, end_ago))
    return list(range(first, end, 60))


def test_it_is_a_pulled_source(fake: FakeCloudWatch, door: Door) -> None:
    assert isinstance(source(fake, door, [ecs_service("web")]), Pulled)


def test_every_statistic_of_a_minute_comes_back(fake: FakeCloudWatch, door: Door) -> None:
    web = ecs_service("web", groups=1)
    fill(fake, web, minutes(fake, 30))
    rows = table(list(source(fake, door, [web]).pull(last(fake, minutes=40))))
    for metric, name, where, pairs in (
        (
            "cpu_utilization",
            "CPUUtilization",
            place(web),
            [("mean", "Average"), ("max", "Maximum"), ("min", "Minimum")],
        ),
        ("running_tasks", "CPUUtilization", place(web), [("mean", "SampleCount")]),
        (
            "latency",
            "TargetResponseTime",
            behind(web),
            [("mean", "Average"), ("p50", "p50"), ("p95", "p95"), ("p99", "p99")],
        ),
    ):
        truth = fake.minutes.samples[ECS if where == place(web) else BALANCER, name, frozenset(where.items())]
        for ours, theirs in pairs:
            found = series(rows, "web", metric, ours)
            assert list(found.index) == sorted(truth)
            np.testing.assert_allclose(found, [statistic(truth[minute], theirs) for minute in found.index])
    requests = fake.minutes.samples[BALANCER, "RequestCount", frozenset(behind(web).items())]
    found = series(rows, "web", "requests")
    np.testing.assert_allclose(found * 60, [len(requests[minute]) for minute in found.index])


def test_each_age_is_read_at_its_finest_period_and_the_periods_meet(fake: FakeCloudWatch, door: Door) -> None:
    web = ecs_service("web", groups=1)
    ages = [70 * DAY, 63 * DAY, 62.9 * DAY, 40 * DAY, 15 * DAY, 14.9 * DAY, 3 * DAY]
    some = sorted({m for age in ages for m in minutes(fake, int(age / 60) + 60, int(age / 60) - 60)})
    fill(fake, web, some)
    asked = source(fake, door, [web])
    rows = table(list(asked.pull(last(fake, days=80))))
    tasks = {60: 60, 300: 300, 3600: 3600}
    intervals = rows[(rows["metric"] == "running_tasks")]
    assert set(intervals["interval"]) == set(tasks)
    total = (intervals["value"] * intervals["interval"] / 60).sum()
    samples = fake.minutes.samples[ECS, "CPUUtilization", frozenset(place(web).items())]
    assert total == pytest.approx(sum(len(values) for values in samples.values()))  # each sample counted once
    ends = intervals.sort_values("timestamp")
    stamps = ends["timestamp"].array.asi8 // 1_000_000
    assert (stamps[1:] >= (stamps + ends["interval"].to_numpy())[:-1]).all()  # no overlap
    for interval in tasks:
        for metric, ours, name, theirs in (
            ("latency", "p95", "TargetResponseTime", "p95"),
            ("latency", "mean", "TargetResponseTime", "Average"),
            ("cpu_utilization", "max", "CPUUtilization", "Maximum"),
            ("cpu_utilization", "mean", "CPUUtilization", "Average"),
            ("requests", "mean", "RequestCount", "Sum"),
        ):
            where = place(web) if name == "CPUUtilization" else behind(web)
            truth = fake.minutes.samples[ECS if where == place(web) else BALANCER, name, frozenset(where.items())]
            found = series(rows, "web", metric, ours, interval)
            scale = interval if metric == "requests" else 1
            for start, value in found.items():
                inside = [v for m, values in truth.items() if start <= m < start + interval for v in values]
                assert value * scale == pytest.approx(statistic(inside, theirs))
    assert fake.refusals == []


def test_two_pulls_later_only_the_tail_is_asked_and_late_values_are_read_again(
    fake: FakeCloudWatch, door: Door
) -> None:
    web = ecs_service("web")
    fill(fake, web, minutes(fake, 200))
    first = list(source(fake, door, [web]).pull(last(fake, days=20)))
    before = table(first)
    late = minutes(fake, 30)[0]
    fake.minutes.put(ECS, "CPUUtilization", place(web), late, [1.0, 2.0, 3.0, 4.0, 5.0])
    fake.now += 600
    fill(fake, web, minutes(fake, 10), seed=1)
    fake.calls.clear()
    again = source(fake, door, [web])
    after = table(list(again.pull(last(fake, days=20), covered(first))))
    (call,) = fake.calls
    assert call["EndTime"] - call["StartTime"] == 70 * 60  # the hour that had not settled, and what is new
    assert again.outlay(last(fake, days=20), covered(first)).total == 1
    assert series(after, "web", "running_tasks")[late] == 5
    settled = before[before["timestamp"] < now(fake) - pd.Timedelta("70min")]
    assert not set(settled["timestamp"]) & set(after["timestamp"])


def test_what_is_covered_finely_is_not_asked_again_coarsely_as_it_ages(fake: FakeCloudWatch, door: Door) -> None:
    web = ecs_service("web")
    fill(fake, web, minutes(fake, 30))
    first = list(source(fake, door, [web]).pull(last(fake, days=15)))
    fake.now += 3 * DAY
    fake.calls.clear()
    list(source(fake, door, [web]).pull(last(fake, days=18), covered(first)))
    assert {query["MetricStat"]["Period"] for call in fake.calls for query in call["MetricDataQueries"]} == {60}


def test_pages_are_put_together_by_id(fake: FakeCloudWatch, door: Door) -> None:
    fake.page = 37
    web = ecs_service("web", groups=2)
    fill(fake, web, minutes(fake, 50))
    rows = table(list(source(fake, door, [web]).pull(last(fake, minutes=60))))
    assert len(fake.calls) > 5
    assert len(series(rows, "web", "requests")) == 50
    tokens = [call.get("NextToken") for call in fake.calls]
    assert tokens[0] is None and len(set(tokens)) == len(tokens)


def test_several_target_groups_add_up_where_one_of_them_served(fake: FakeCloudWatch, door: Door) -> None:
    web = ecs_service("web", groups=2)
    start = minutes(fake, 90)[0]
    for number, served in enumerate([{0: 6, 60: 2}, {60: 4, 180: 9}]):
        for offset, count in served.items():
            fake.minutes.put(BALANCER, "RequestCount", behind(web, number), start + offset, [1.0] * count)
            fake.minutes.put(
                BALANCER, "TargetResponseTime", behind(web, number), start + offset, [number + 1.0] * count
            )
    answer = source(fake, door, [web]).read(last(fake, hours=2))
    rows = answer.frame
    requests, latency = series(rows, "web", "requests"), series(rows, "web", "latency")
    assert (requests * 60).to_dict() == pytest.approx({start: 6, start + 60: 6, start + 180: 9})  # none at +120
    assert latency.to_dict() == pytest.approx({start: 1, start + 60: (2 * 1 + 4 * 2) / 6, start + 180: 2})
    assert not len(series(rows, "web", "latency", "p99"))
    assert [f.check for f in answer.findings if f.metric == "latency"] == ["percentiles"]


def test_what_cannot_be_read_is_a_finding_and_is_asked_again(fake: FakeCloudWatch, door: Door) -> None:
    fake.forbidden = frozenset({"MemoryUtilization"})
    fake.messages = [{"Code": "MaxMetricsExceeded", "Value": "Maximum number of allowed metrics exceeded"}]
    web = ecs_service("web")
    fill(fake, web, minutes(fake, 100))
    batches = list(source(fake, door, [web]).pull(last(fake, hours=3)))
    findings = [f for batch in batches for f in batch.observations.findings]
    assert {(f.metric, f.check, f.status) for f in findings} == {
        ("memory_utilization", "unfinished", "UNKNOWN"),
        ("", "message", "REVIEW"),
    }
    assert {asked.metric for asked, _ in covered(batches)} == {"cpu_utilization", "running_tasks"}


def test_what_stays_partial_is_kept_and_not_covered(fake: FakeCloudWatch, door: Door) -> None:
    fake.faults.partial = 1.0  # CloudWatch never gets beyond the first half
    web = ecs_service("web", groups=2)
    fill(fake, web, minutes(fake, 100))
    batches = list(source(fake, door, [web]).pull(last(fake, hours=3)))
    rows = table(batches)
    assert not len(covered(batches))
    assert len(series(rows, "web", "cpu_utilization")) == 50
    assert not len(series(rows, "web", "requests"))  # a sum of halves would be too low
    assert {f.check for batch in batches for f in batch.observations.findings} >= {"unfinished"}
    fake.faults.partial = 0.0
    assert len(series(table(list(source(fake, door, [web]).pull(last(fake, hours=3)))), "web", "requests")) == 100


def test_older_than_anything_kept_is_refused_in_words(fake: FakeCloudWatch, door: Door) -> None:
    answer = source(fake, door, [ecs_service("web")]).read(last(fake, days=500))
    (finding,) = [f for f in answer.findings if f.check == "retention"]
    assert finding.end == periods.stamp(int(fake.now)).ceil("h") - pd.Timedelta(days=455) + pd.Timedelta("1h")
    assert all(call["StartTime"] >= fake.now - 455 * DAY for call in fake.calls)


def test_a_pull_that_takes_too_long_asks_nothing_in_vain(fake: FakeCloudWatch, door: Door) -> None:
    web = ecs_service("web")
    fill(fake, web, minutes(fake, 30))
    asked = source(fake, door, [web])
    clock = iter([now(fake), *[now(fake) + pd.Timedelta("4h")] * 99])
    slow = CloudWatch("shop", door=door, found=asked.found, clock=lambda: next(clock))
    batches = list(slow.pull(last(fake, days=14.9)))
    assert fake.calls == [] and not len(covered(batches))
    (finding,) = [f for batch in batches for f in batch.observations.findings]
    assert "took so long" in finding.message


def test_services_of_one_name_stay_apart_or_are_refused(fake: FakeCloudWatch, door: Door) -> None:
    both = [ecs_service("web", "blue"), ecs_service("web", "green")]
    for number, service in enumerate(both):
        fill(fake, service, minutes(fake, 10), seed=number)
    with pytest.raises(InputError, match=r"blue, green.*\n.*prefix"):
        source(fake, door, both).read(last(fake, hours=1))
    rows = source(fake, door, both, prefix=True).read(last(fake, hours=1)).frame
    assert set(rows["service"]) == {"blue/web", "green/web"}
    pairs = set(
        zip(table(list(source(fake, door, both, prefix=True).pull(last(fake, hours=1))))["source"], strict=True)
    )
    assert pairs == {("cloudwatch:123456789012/us-east-1/blue",), ("cloudwatch:123456789012/us-east-1/green",)}


def test_denied_is_said_once_and_nothing_else_is_asked(fake: FakeCloudWatch) -> None:
    class Denied(FakeCloudWatch):
        def answer(self, target: str, body: bytes) -> tuple[int, bytes]:
            self.calls.append({})
            return 400, b'{"__type": "AccessDenied", "message": "User is not authorized: AKIAIOSFODNN7EXAMPLE"}'

    with Denied() as server:
        door = Door(endpoint=server.address, sleep=lambda seconds: None)
        many = [ecs_service(f"web{number}", groups=1) for number in range(40)]
        with pytest.raises(SourceDenied, match="cloudwatch:GetMetricData") as caught:
            list(source(server, door, many).pull(last(server, days=15)))
        assert "AKIAIOSFODNN7EXAMPLE" not in str(caught.value)
        assert len(server.calls) == 1


def test_no_other_action_is_needed_than_get_metric_data(fake: FakeCloudWatch, door: Door) -> None:
    web = ecs_service("web", groups=2, container_insights=True, resolution_seconds=20)
    fill(fake, web, minutes(fake, 10))
    source(fake, door, [web]).read(last(fake, days=100))
    assert fake.targets == {"GetMetricData"}
    assert fake.refusals == []


def test_samples_every_twenty_seconds_are_three_a_task_and_minute(fake: FakeCloudWatch, door: Door) -> None:
    web = ecs_service("web", resolution_seconds=20)
    for minute in minutes(fake, 10):
        fake.minutes.put(ECS, "CPUUtilization", place(web), minute, [50.0] * 6)  # two tasks
    answer = source(fake, door, [web]).read(last(fake, hours=1))
    assert set(series(answer.frame, "web", "running_tasks")) == {2.0}
    assert any("every 20 s" in finding.message for finding in answer.findings)


def test_a_failure_that_has_a_name_may_pass_and_percentiles_are_asked_for_again(
    fake: FakeCloudWatch, door: Door
) -> None:
    web = ecs_service("web", groups=1)
    fill(fake, web, minutes(fake, 90))
    fake.percentiles = False
    batches = list(source(fake, door, [web]).pull(last(fake, hours=2)))
    assert not {asked.stat for asked, _ in covered(batches)} & {"p50", "p95", "p99"}
    assert len(series(table(batches), "web", "latency")) == 90
    fake.percentiles = True
    again = table(list(source(fake, door, [web]).pull(last(fake, hours=2), covered(batches))))
    assert len(series(again, "web", "latency", "p99")) == 90


def test_a_proxy_that_fails_does_not_give_up_percentiles_for_good() -> None:
    """The body of a 502 is the proxy's own page, so that it has no name; it says nothing of what the server can."""

    class BehindAProxy(FakeCloudWatch):
        down = True

        def answer(self, target: str, body: bytes) -> tuple[int, bytes]:
            return (
                (502, b"<html>Bad Gateway</html>") if self.down and b'"p99"' in body else super().answer(target, body)
            )

    with BehindAProxy() as server:
        web = ecs_service("web", groups=1)
        fill(server, web, minutes(server, 90))
        known = Door(endpoint=server.address, sleep=lambda seconds: None)
        batches = list(source(server, known, [web]).pull(last(server, hours=2)))
        assert len(series(table(batches), "web", "latency")) == 90
        assert not {asked.stat for asked, _ in covered(batches)} & {"p50", "p95", "p99"}
        server.down = False
        again = table(list(source(server, known, [web]).pull(last(server, hours=2), covered(batches))))
        assert len(series(again, "web", "latency", "p99")) == 90


def test_a_metric_of_the_users_own_that_is_corrected_is_read_again_from_the_start(
    fake: FakeCloudWatch, door: Door
) -> None:
    """Its first form had a typing error, or another unit: what that answered must not stand for what this one asks."""
    web = ecs_service("web")
    wrong = {"namespace": "Shop", "name": "Held", "metric": "memory", "unit": "MiB", "dimensions": {"Servce": "web"}}
    right: dict[str, Any] = wrong | {"dimensions": {"Service": "web"}}
    for minute in minutes(fake, 180):
        fake.minutes.put("Shop", "Held", {"Service": "web"}, minute, [2048.0])

    def pull(known: Coverage, **metric: Any) -> tuple[list[Batch], list[str]]:
        mine = source(fake, door, [web], metrics=[CustomMetric(**metric)], only=("memory",))
        batches = list(mine.pull(last(fake, hours=3), known))
        return batches, [f.check for batch in batches for f in batch.observations.findings]

    first, said = pull(NOTHING, **wrong)
    assert said == ["empty", "empty"]
    second, said = pull(covered(first), **right)
    assert series(table(second), "web", "memory").tolist() == [2.0] * 180
    assert said == ["redefined"]
    known = covered(first) | covered(second)
    third, said = pull(known, **right | {"services": ("web",)})  # whom else it concerns is no other question
    assert len(series(table(third), "web", "memory")) == 60
    assert said == []
    fourth, said = pull(known, **right | {"unit": "GiB"})
    assert series(table(fourth), "web", "memory").tolist() == [2048.0] * 180
    assert said == ["redefined"]


def test_percentiles_without_a_value_prove_nothing(fake: FakeCloudWatch, door: Door) -> None:
    """moto answers for percentiles as long as there are none, and fails at the first."""

    class Treacherous(FakeCloudWatch):
        def answer(self, target: str, body: bytes) -> tuple[int, bytes]:
            status, answer = super().answer(target, body)
            stats = [query["MetricStat"]["Stat"] for query in json.loads(body)["MetricDataQueries"]]
            values = [result["Values"] for result in json.loads(answer)["MetricDataResults"]]
            failed = any(stat[0] == "p" and some for stat, some in zip(stats, values, strict=True))
            return (500, b"<html></html>") if failed else (status, answer)

    with Treacherous() as server:
        web = ecs_service("web", groups=1)
        fill(server, web, minutes(server, 90))
        known = Door(endpoint=server.address, sleep=lambda seconds: None)
        batches = list(source(server, known, [web]).pull(last(server, days=100)))
        assert len(series(table(batches), "web", "latency")) == 90
        assert {f.check for batch in batches for f in batch.observations.findings} >= {"percentiles"}


@given(
    services=st.integers(1, 3),
    groups=st.integers(0, 2),
    days=st.sampled_from([0.05, 1.0, 15.2, 64.0]),
    page=st.sampled_from([60, 200, 100_800]),
    faults=st.builds(
        Faults,
        throttle=st.sampled_from([0.0, 0.3]),
        failure=st.sampled_from([0.0, 0.05]),
        internal=st.sampled_from([0.0, 0.2]),
        partial=st.sampled_from([0.0, 0.2]),
        stale=st.sampled_from([0.0, 0.02]),
        seed=st.integers(0, 10**6),
    ),
)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_is_lost_or_doubled_on_a_bad_day(
    fake: FakeCloudWatch, door: Door, services: int, groups: int, days: float, page: int, faults: Faults
) -> None:
    fleet = [ecs_service(f"web{number}", groups=groups) for number in range(services)]
    fake.start_over(page, faults)
    some = [m for age in (int(days * 1440) - 30, 300, 70) if age > 0 for m in minutes(fake, age, max(age - 9, 0))]
    for number, service in enumerate(fleet):
        fill(fake, service, sorted(set(some)), seed=number)
    known, parts = NOTHING, []
    for _ in range(30):  # what a bad day left in part, the next pull asks for
        batches = list(source(fake, door, fleet).pull(last(fake, days=days), known))
        parts += batches
        known |= covered(batches)
        if not any(f.check == "unfinished" for batch in batches for f in batch.observations.findings):
            break
    rows = pd.concat([b.observations.frame.astype({"service": "str", "metric": "str"}) for b in parts])
    fake.faults = Faults()
    whole = source(fake, door, fleet).read(last(fake, days=days)).frame
    key = ["service", "metric", "stat", "interval", "timestamp"]
    kept = rows.astype({"stat": "str"}).drop_duplicates(key, keep="last").sort_values(key, ignore_index=True)
    pd.testing.assert_frame_equal(kept[[*key, "value"]], whole.astype(dict.fromkeys(key[:3], "str"))[[*key, "value"]])
    tasks = whole[whole["metric"] == "running_tasks"]
    inside = [
        len(values)
        for (_, name, _), samples in fake.minutes.samples.items()
        if name == "CPUUtilization"
        for minute, values in samples.items()
        if minute >= int((now(fake) - pd.Timedelta(days=days)).timestamp())
    ]
    assert (tasks["value"] * tasks["interval"] / 60).sum() == pytest.approx(sum(inside))
    assert fake.refusals == []
