"""What is wrong with a load test is said, and a good one is left in peace."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import capacity
from capacity.findings import Finding
from capacity.loadtest.checks import check
from capacity.loadtest.readers.base import Reading
from capacity.loadtest.reading import read
from capacity.loadtest.result import LoadTest
from capacity.loadtest.samples import Samples
from capacity.loadtest.steps import load_points
from capacity.loadtest.tally import Tally

from . import runs

DATA = Path(__file__).parent / "data" / "steps"
SAMPLE = Path(capacity.__file__).parents[1] / "data" / "samples" / "load-tests" / "one-task.jtl.gz"


def found(test: LoadTest, name: str) -> list[Finding]:
    return [finding for finding in test.findings if finding.check == name]


def the(test: LoadTest, name: str) -> Finding:
    (finding,) = found(test, name)
    return finding


def steady(tmp_path: Path, *, rate: float = 60, seconds: float = 60, seed: int = 0, **columns: object) -> LoadTest:
    rng = np.random.default_rng(seed)
    arrivals = runs.poisson(rate, seconds, rng)
    frame = runs.run(arrivals, runs.lognormal(len(arrivals), rng))
    for name, values in columns.items():
        frame[name] = values(len(frame)) if callable(values) else values
    return read(runs.written(frame, tmp_path / "run.jtl"))


def test_a_good_test_has_nothing_to_review(tmp_path: Path) -> None:
    assert steady(tmp_path).findings.status == "PASS"


def test_users_that_share_a_clock_are_found_and_spread_ones_are_not() -> None:
    burst = the(read(DATA / "burst.jtl.gz"), "synchronised arrivals")
    assert burst.status == "FAIL"
    assert "steps 1-4" in burst.message
    assert "latency not usable, no capacity" in burst.message
    assert not found(read(SAMPLE), "synchronised arrivals")


def test_many_arrivals_with_a_little_unevenness_are_no_burst(tmp_path: Path) -> None:
    """At 5,000/s, a tenth of a second that gets a quarter more is a dispersion above 5 and harms nobody."""
    rng = np.random.default_rng(1)
    tenths = rng.poisson(500 * (1 + 0.2 * np.tile([1, -1], 60)))
    arrivals = np.repeat(np.arange(120) / 10, tenths) + rng.random(tenths.sum()) / 10
    test = read(runs.written(runs.run(arrivals, np.full(len(arrivals), 0.01)), tmp_path / "run.jtl"))
    assert test.steps["dispersion"].iloc[0] > 5
    assert not found(test, "synchronised arrivals")


def test_a_closed_loop_is_warned_of() -> None:
    finding = the(read(DATA / "closed.jtl.gz"), "coordinated omission")
    assert (finding.status, finding.count) == ("REVIEW", 12)
    assert "steps 1-12" in finding.message


def test_saturated_steps_are_named_with_the_first_reason() -> None:
    finding = the(read(SAMPLE), "saturation")
    assert finding.count == 2
    assert finding.message.startswith("steps 7-8 saturated: median latency changed")


def test_what_jmeters_report_would_say_from_its_last_rows_is_said() -> None:
    """Its statistics.json of this run has p95 329 and the whole file 325 (reference loadtest.md 1.6)."""
    finding = the(read(SAMPLE), "JMeter's report")
    assert "it says p95 329 ms where all 22,659 requests have 325 ms" in finding.message


def test_rows_that_tell_of_the_same_request_twice_are_counted_once_and_said(tmp_path: Path) -> None:
    """Ten pages of two resources: JMeter's Total has thirty rows, the server saw twenty requests."""
    rows = [
        {"timeStamp": runs.START + 1000 * page, "elapsed": took, "label": f"home{part}", "responseCode": "200"}
        | {"threadName": "g 1-1", "success": True}
        for page in range(10)
        for part, took in (("", 30), ("-0", 10), ("-1", 30))
    ]
    frame = pd.DataFrame(rows)
    frame.loc[frame["label"] == "home-1", ["timeStamp", "elapsed"]] += [10, -10]
    test = read(runs.written(frame, tmp_path / "run.jtl"))
    assert test.summary["samples"].tolist() == [10, 10, 10, 20]
    assert test.summary["requests"].tolist() == [0, 10, 10, 20]
    assert "counts 30 in its Total" in the(test, "JMeter's report").message
    assert "10 of 30 rows" in the(test, "requests").message


def test_two_runs_in_one_file_are_found_and_measured_apart(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    streams = [runs.poisson(50, 60, rng), runs.poisson(50, 60, rng, 7200)]
    arrivals = np.concatenate(streams)
    test = read(runs.written(runs.run(arrivals, runs.lognormal(len(arrivals), rng)), tmp_path / "run.jtl"))
    assert "nothing was in flight for 119 min" in the(test, "pause").message
    assert len(test.steps) == 2
    assert test.steps["throughput_per_s"].to_numpy() == pytest.approx([50, 50], rel=0.1)


def test_a_generator_that_stood_still_is_a_gap(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    arrivals = np.concatenate([runs.poisson(50, 60, rng), runs.poisson(50, 60, rng, 80)])
    test = read(runs.written(runs.run(arrivals, runs.lognormal(len(arrivals), rng)), tmp_path / "run.jtl"))
    assert "for 19 s" in the(test, "gap").message or "for 20 s" in the(test, "gap").message


def test_stamps_at_the_end_of_requests_are_suspected(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    arrivals = runs.poisson(100, 30, rng)
    frame = runs.run(arrivals, runs.lognormal(len(arrivals), rng, cv=1))
    assert not found(read(runs.written(frame, tmp_path / "starts.jtl")), "stamps")
    frame["timeStamp"] += frame["elapsed"]
    assert "times of the end" in str(the(read(runs.written(frame, tmp_path / "ends.jtl")), "stamps"))


def test_a_clock_that_was_set_back_is_found(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    arrivals = runs.poisson(50, 60, rng)
    frame = runs.run(arrivals, runs.lognormal(len(arrivals), rng))
    frame.loc[len(frame) // 2 :, "timeStamp"] -= 15_000
    finding = the(read(runs.written(frame, tmp_path / "run.jtl")), "clock")
    assert "set back" in finding.message
    assert 300 < finding.count < 700  # ten of the fifteen seconds, at 50/s


def test_pages_written_after_they_ended_do_not_look_like_a_clock_set_back(tmp_path: Path) -> None:
    """A transaction of 60 s is written with its children, of which the first ended a minute ago."""
    rows = [("TX", 0, 60_000, "Number of samples in transaction : 200, number of failing samples : 0")]
    rows += [("GET /", 300 * n, 290, "OK") for n in range(200)]
    frame = pd.DataFrame(rows, columns=["label", "timeStamp", "elapsed", "responseMessage"])
    frame = frame.assign(threadName="g 1-1", success=True, responseCode=200, timeStamp=frame["timeStamp"] + runs.START)
    assert not found(read(runs.written(frame, tmp_path / "run.jtl")), "clock")


def test_fast_failures_are_said_to_improve_the_summary(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    arrivals = runs.poisson(60, 40, rng)
    failed = rng.random(len(arrivals)) < 0.2
    frame = runs.run(arrivals, np.where(failed, 0.001, 0.08), failed=failed)
    finding = the(read(runs.written(frame, tmp_path / "run.jtl")), "fast failures")
    assert "mean of the successes 80 ms, median of the failures 1 ms" in finding.message


def test_connecting_that_grows_with_load_points_at_the_generator(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    streams = [runs.poisson(rate, 40, rng, 40 * n) for n, rate in enumerate((40, 120))]
    frame = runs.run(
        np.concatenate(streams),
        np.repeat([0.02, 0.06], [len(stream) for stream in streams]),
        group=np.repeat(["a 40rps", "b 120rps"], [len(stream) for stream in streams]),
    )
    frame["Connect"] = np.where(frame["elapsed"] > 30, 40, 1)
    assert "connecting takes 40 ms in step 2, 1 ms in step 1" in str(
        the(read(runs.written(frame, tmp_path / "r.jtl")), "generator")
    )


def test_a_generator_that_lags_while_the_service_is_quick_is_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    streams = [runs.poisson(rate, 40, rng, 40 * n) for n, rate in enumerate((40, 80))]
    frame = runs.run(
        np.concatenate(streams),
        np.full(sum(map(len, streams)), 0.02),
        group=np.repeat(["a 40rps", "b 160rps"], [len(stream) for stream in streams]),
    )
    finding = the(read(runs.written(frame, tmp_path / "run.jtl")), "generator")
    assert finding.message.startswith("step 2 delivered less than asked")


def test_unequal_generators_are_named_and_equal_ones_are_counted(tmp_path: Path) -> None:
    equal = the(steady(tmp_path, Hostname=lambda n: np.resize(["a", "b"], n)), "generators")
    assert (equal.status, equal.count) == ("PASS", 2)
    unequal = the(steady(tmp_path, Hostname=lambda n: np.resize(["a", "a", "b"], n)), "generators")
    assert unequal.status == "REVIEW"
    assert "'a' sent" in unequal.message


def test_a_cold_start_is_dropped_and_told_of(tmp_path: Path) -> None:
    rng = np.random.default_rng(10)
    arrivals = runs.poisson(60, 60, rng)
    took = np.where(arrivals < 5, 0.2, 0.02)
    test = read(runs.written(runs.run(arrivals, took), tmp_path / "run.jtl"))
    assert "median latency of 200 ms, and 20 ms once warm" in the(test, "warm-up").message
    assert test.steps["p95_ms"].tolist() == [20]


def test_a_load_point_of_a_handful_of_requests_is_said_to_be_one(tmp_path: Path) -> None:
    assert "fewer than 100 requests" in the(steady(tmp_path, rate=1.5), "samples").message


def test_a_test_of_seconds_has_no_steady_point(tmp_path: Path) -> None:
    assert "no load point of 1 is steady" in the(steady(tmp_path, seconds=4), "steps").message


def test_only_transactions_are_no_requests_and_the_test_says_so(tmp_path: Path) -> None:
    frame = steady_rows(40).assign(
        responseMessage="Number of samples in transaction : 2, number of failing samples : 0"
    )
    test = read(runs.written(frame, tmp_path / "run.jtl"))
    assert the(test, "requests").status == "UNKNOWN"
    assert test.summary.loc["GET /", "samples"] == 40
    assert test.summary.loc["Total", "samples"] == 0
    assert test.steps.empty


def steady_rows(n: int) -> pd.DataFrame:
    return runs.run(np.arange(n) / 10, np.full(n, 0.02))


def test_littles_law_finds_counts_that_cannot_be_true() -> None:
    """Requests that claim more than a day hang over every window: in flight and throughput x latency part."""
    rng = np.random.default_rng(9)
    start = runs.START * 1000 + (runs.poisson(50, 60, rng) * 1e6).astype(np.int64)
    rows = Samples.of(start, np.full(len(start), 20_000), np.zeros(len(start)))
    tally = Tally()
    tally.add(rows)
    tallied, reading = tally.result(), Reading()
    steps = load_points(tallied.cells, {}, {})
    check(reading, tallied, steps, ["one"])
    assert "Little's law" not in [finding.check for finding in reading.findings]
    tallied.cells.busy[:] = tallied.cells.busy * 11 // 10
    check(reading, tallied, steps, ["one"])
    (finding,) = [finding for finding in reading.findings if finding.check == "Little's law"]
    assert finding.status == "FAIL"
    assert "+10" in finding.message
