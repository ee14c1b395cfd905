"""Load points are what was really asked, delivered and waited for, on runs whose truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import capacity
from capacity.loadtest.reading import read
from capacity.loadtest.result import LoadTest
from capacity.loadtest.stages import asked_rate, asked_users

from . import runs

DATA = Path(__file__).parent / "data" / "steps"
SAMPLE = Path(capacity.__file__).parents[1] / "data" / "samples" / "load-tests" / "one-task.jtl.gz"


@pytest.fixture(scope="module")
def open_run() -> LoadTest:
    return read(SAMPLE)


@pytest.fixture(scope="module")
def closed_run() -> LoadTest:
    return read(DATA / "closed.jtl.gz")


# --- runs of real JMeter against a server whose ceiling is known (reference loadtest.md 11) ---------------------------


def test_the_open_steps_read_as_published(open_run: LoadTest) -> None:
    steps = open_run.steps
    assert steps["asked_per_s"].tolist() == [40, 80, 120, 150, 170, 185, 200, 220]
    achieved = [40.3, 80.5, 119.8, 149.2, 169.9, 184.3, 195.2, 187.1]
    assert steps["throughput_per_s"].to_numpy() == pytest.approx(achieved, rel=0.03)
    below = steps.iloc[:6]  # the two saturated steps depend on which seconds of their growing queue are taken
    assert below["mean_ms"].to_numpy() == pytest.approx([20.8, 21.4, 22.5, 26.8, 32.5, 39.4], rel=0.04)
    assert below["p95_ms"].to_numpy() == pytest.approx([40.5, 41, 43, 55, 63, 81], rel=0.06)
    assert below["in_flight"].to_numpy() == pytest.approx([0.84, 1.73, 2.70, 4.00, 5.53, 7.27], rel=0.06)
    assert np.isnan(below["p99_ms"].iloc[0])  # of 560 samples
    assert below["p99_ms"].iloc[1:].to_numpy() == pytest.approx([57, 57, 71, 94, 104], rel=0.08)
    assert steps["saturated"].tolist() == [False] * 6 + [True] * 2
    assert steps["loop"].tolist() == ["open"] * 7 + ["closed"]
    assert below["steady"].all()
    assert ((below["dispersion"] > 0.5) & (below["dispersion"] < 1.3)).all()
    assert "87" in steps["reason"].iloc[7]
    assert "queue grows" in steps["reason"].iloc[6]


def test_the_closed_steps_read_as_published(closed_run: LoadTest) -> None:
    steps = closed_run.steps
    assert steps["users"].tolist() == [1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32, 48]
    rates = [49.1, 97.3, 141.4, 194.8, 196.2, 195.1, 199.3, 197.1, 195.7, 199.2, 193.3, 191.2]
    means = [20.2, 20.4, 21.1, 20.4, 25.4, 30.6, 39.9, 60.4, 80.9, 118.9, 162.9, 244.6]
    p95 = [37, 39, 40, 38, 45, 50, 62, 85, 105, 147, 197, 284]
    assert steps["throughput_per_s"].to_numpy() == pytest.approx(rates, rel=0.025)
    assert steps["mean_ms"].to_numpy() == pytest.approx(means, rel=0.02)
    assert steps["p95_ms"].to_numpy() == pytest.approx(p95, rel=0.04)
    assert steps["in_flight"].to_numpy() == pytest.approx(steps["users"], rel=0.01)  # no think time: L = N
    assert set(steps["loop"]) == {"closed"}
    assert not steps["saturated"].any()


def test_littles_law_holds_on_every_steady_step(open_run: LoadTest, closed_run: LoadTest) -> None:
    for test in (open_run, closed_run):
        steady = test.steps[test.steps["steady"] & ~test.steps["saturated"]]
        law = steady["throughput_per_s"] * steady["mean_ms"] / 1000
        assert law.to_numpy() == pytest.approx(steady["in_flight"], rel=0.03)


def test_every_figure_of_a_step_is_that_of_the_rows_in_its_window(closed_run: LoadTest) -> None:
    """A second opinion: rows by pandas, one by one."""
    rows = pd.read_csv(DATA / "closed.jtl.gz")
    start = pd.to_datetime(rows["timeStamp"], unit="ms", utc=True)
    end = pd.to_datetime(rows["timeStamp"] + rows["elapsed"], unit="ms", utc=True)
    for step in closed_run.steps.itertuples():
        ended = rows["elapsed"][(end >= step.start) & (end < step.end)]
        seconds = (step.end - step.start).total_seconds()
        assert step.seconds == seconds
        assert step.samples == len(ended)
        assert step.throughput_per_s == pytest.approx(len(ended) / seconds)
        assert step.arrivals_per_s == pytest.approx(((start >= step.start) & (start < step.end)).sum() / seconds)
        assert step.mean_ms == pytest.approx(ended.mean())
        assert step.p95_ms == pytest.approx(np.quantile(ended, 0.95, method="weibull"))
        inside = (end.clip(upper=step.end) - start.clip(lower=step.start)).dt.total_seconds().clip(lower=0)
        assert step.in_flight == pytest.approx(inside.sum() / seconds)


def test_gatlings_open_steps_without_names_are_found_and_known_to_be_open() -> None:
    """42.9, 80.5, 121.6, 153.5, 193.3 users/s, and a failing request in ten (reference loadtest.md 11)."""
    steps = read(DATA.parent / "gatling" / "own-3.5.0-simulation.log.gz").steps
    steady = steps[steps["steady"]]
    assert steady["goodput_per_s"].iloc[:5].to_numpy() == pytest.approx([42.9, 80.5, 121.6, 153.5, 193.3], rel=0.04)
    assert set(steady["loop"]) == {"open"}
    assert steady["p95_ms"].iloc[:4].to_numpy() == pytest.approx([41, 42, 56, 64], rel=0.15)


def test_steps_without_names_are_found_where_the_load_changed(tmp_path: Path, closed_run: LoadTest) -> None:
    rows = pd.read_csv(DATA / "closed.jtl.gz").assign(threadName="all 1-1")
    rows.to_csv(tmp_path / "run.jtl", index=False)
    steps = read(tmp_path / "run.jtl").steps
    found = steps[steps["steady"]].set_index(steps[steps["steady"]]["users"].round())
    for known in closed_run.steps.itertuples():
        assert found.loc[known.users, "throughput_per_s"] == pytest.approx(known.throughput_per_s, rel=0.06)
        assert found.loc[known.users, "p95_ms"] == pytest.approx(known.p95_ms, rel=0.12)


# --- runs of a queue that the tests simulate --------------------------------------------------------------------------


def simulated(
    rates: list[float], seconds: float, tmp_path: Path, *, workers: int = 4, names: bool = False, seed: int = 1
) -> LoadTest:
    """Open Poisson steps against a first-come first-served server of 20 ms requests."""
    rng = np.random.default_rng(seed)
    streams = [runs.poisson(rate, seconds, rng, place * seconds) for place, rate in enumerate(rates)]
    arrivals = np.concatenate(streams)
    took = runs.served(arrivals, workers, runs.lognormal(len(arrivals), rng))
    groups = np.repeat(
        [f"step{n} {rate:g}rps" if names else "load" for n, rate in enumerate(rates)], list(map(len, streams))
    )
    return read(runs.written(runs.run(arrivals, took, group=groups), tmp_path / "run.jtl"))


@pytest.mark.parametrize("names", [True, False])
def test_an_open_staircase_is_measured_and_its_overload_is_seen(tmp_path: Path, names: bool) -> None:
    steps = simulated([50, 100, 150, 260], 40, tmp_path, names=names).steps
    good = steps[~steps["saturated"] & steps["steady"]]
    assert good["throughput_per_s"].to_numpy() == pytest.approx([50, 100, 150], rel=0.08)
    full = steps[steps["saturated"]]
    assert len(full) >= 1
    assert (full["throughput_per_s"] < 0.97 * 260).all()
    assert full["p50_ms"].min() > 5 * good["p50_ms"].max()
    assert steps["dispersion"].iloc[0] == pytest.approx(1, abs=0.3)


def test_one_constant_load_is_one_step(tmp_path: Path) -> None:
    test = simulated([100], 120, tmp_path)
    (step,) = test.steps.itertuples()
    assert step.steady
    assert not step.saturated
    assert step.throughput_per_s == pytest.approx(100, rel=0.05)
    assert "first 18" in step.reason
    assert 100 < step.seconds < 102


def test_points_of_a_ramp_are_marked_and_none_of_them_is_steady(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    arrivals = np.sort(120 * np.sqrt(rng.random(9_000)))  # a rate that grows from 0 to 150/s within two minutes
    took = runs.lognormal(len(arrivals), rng)
    steps = read(runs.written(runs.run(arrivals, took), tmp_path / "run.jtl")).steps
    assert len(steps) >= 8
    assert not steps["steady"].any()
    assert steps["reason"].str.startswith("ramping").sum() >= len(steps) - 1
    assert (np.diff(steps["throughput_per_s"]) > 0).sum() >= len(steps) - 2
    assert not steps["saturated"].any()


def test_groups_that_run_side_by_side_are_asked_for_together(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    streams = {"browse 60rps": runs.poisson(60, 60, rng), "buy 20rps": runs.poisson(20, 60, rng)}
    arrivals = np.concatenate([*streams.values()])
    groups = np.repeat([*streams], [len(stream) for stream in streams.values()])
    frame = runs.run(arrivals, runs.lognormal(len(arrivals), rng), group=groups)
    (step,) = read(runs.written(frame, tmp_path / "run.jtl")).steps.itertuples()
    assert step.asked_per_s == 80
    assert step.loop == "open"


@pytest.mark.parametrize("users", [1, 3, 10])
def test_a_closed_loop_is_known_without_a_count_of_users_and_open_arrivals_are_no_loop(
    tmp_path: Path, users: int
) -> None:
    """JMeter before 2.12 did not write down its threads."""
    rng = np.random.default_rng(users)
    ends = [np.cumsum(runs.lognormal(1_000, rng, mean=0.05)) for _ in range(users)]
    took = np.concatenate([np.diff(end, prepend=0) for end in ends])
    closed = read(runs.written(runs.run(np.concatenate(ends) - took, took), tmp_path / "closed.jtl"))
    assert closed.steps["loop"].iloc[0] == "closed"
    assert closed.steps["in_flight"].iloc[0] == pytest.approx(users, rel=0.01)

    arrivals = runs.poisson(20 * users, 50, rng)
    opened = read(
        runs.written(runs.run(arrivals, runs.lognormal(len(arrivals), rng, mean=0.05)), tmp_path / "open.jtl")
    )
    assert opened.steps["loop"].tolist() == ["unknown"]


def test_a_warm_up_stage_without_a_rate_and_the_load_after_it_are_apart(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    one, other = runs.poisson(30, 30, rng), runs.poisson(90, 60, rng, 31)
    frame = runs.run(
        np.concatenate([one, other]),
        runs.lognormal(len(one) + len(other), rng),
        group=np.repeat(["Warm-up", "Main"], [len(one), len(other)]),
    )
    steps = read(runs.written(frame, tmp_path / "run.jtl")).steps
    assert steps["group"].tolist() == ["Warm-up", "Main"]
    assert steps["throughput_per_s"].to_numpy() == pytest.approx([30, 90], rel=0.12)


def test_latency_is_of_successes_and_fast_failures_do_not_improve_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    arrivals = runs.poisson(100, 60, rng)
    failed = rng.random(len(arrivals)) < 0.3
    took = np.where(failed, 0.001, 0.05)
    test = read(runs.written(runs.run(arrivals, took, failed=failed), tmp_path / "run.jtl"))
    (step,) = test.steps.itertuples()
    assert (step.p50_ms, step.p95_ms, step.mean_ms) == (50, 50, 50)
    assert step.error_share == pytest.approx(0.3, abs=0.02)
    assert step.saturated
    assert step.goodput_per_s == pytest.approx(0.7 * step.throughput_per_s, rel=0.05)
    assert test.summary.loc["Total", "p50_ms"] == 50
    assert test.summary.loc["Total", "mean_ms"] < 40  # over all rows, as JMeter has it


def test_an_endpoint_that_fails_at_every_load_alike_is_no_sign_of_load(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    arrivals = np.concatenate([runs.poisson(rate, 40, rng, 40 * n) for n, rate in enumerate((40, 80, 120))])
    failed = rng.random(len(arrivals)) < 0.09
    frame = runs.run(arrivals, runs.lognormal(len(arrivals), rng), failed=failed)
    steps = read(runs.written(frame, tmp_path / "run.jtl")).steps
    assert not steps["saturated"].any()
    assert steps["error_share"].to_numpy() == pytest.approx([0.09] * 3, abs=0.02)


def test_failures_that_come_with_load_are_saturation(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    streams = [runs.poisson(rate, 40, rng, 40 * n) for n, rate in enumerate((40, 80, 120))]
    failed = np.concatenate([rng.random(len(streams[n])) < share for n, share in enumerate((0, 0, 0.05))])
    arrivals = np.concatenate(streams)
    frame = runs.run(arrivals, runs.lognormal(len(arrivals), rng), failed=failed)
    assert read(runs.written(frame, tmp_path / "run.jtl")).steps["saturated"].tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("name", "rate", "users"),
    [
        ("step05 170rps", 170, None),
        ("170 req/s", 170, None),
        ("peak 1,5 rps", 1.5, None),
        ("load-200tps-eu", 200, None),
        ("N048", None, 48),
        ("load N=12", None, 12),
        ("100 users", None, 100),
        ("50 VUs", None, 50),
        ("Thread Group", None, None),
        ("step 3 of 5", None, None),
        ("v2.170rps", None, None),
        ("node12", None, None),
    ],
)
def test_rates_and_users_are_read_from_names(name: str, rate: float | None, users: float | None) -> None:
    assert asked_rate(name) == pytest.approx(np.nan if rate is None else rate, nan_ok=True)
    assert asked_users(name) == pytest.approx(np.nan if users is None else users, nan_ok=True)
