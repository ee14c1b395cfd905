"""What one task carries: read off load points, refused where they cannot say it, with an interval that holds it."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.errors import CapacityError, InputError
from capacity.loadtest.carrying import task_capacity
from capacity.loadtest.models.monotone import crossed, isotonic
from capacity.loadtest.models.queueing import Queue
from capacity.loadtest.models.service_time import Lognormal
from capacity.loadtest.reading import read
from tests.loadtest.queue_simulation import lognormal, responses

DATA = Path(__file__).parent / "data"

Sample = tuple[float, np.ndarray]  # rate of a load point, latencies of its requests in ms, in order


class Simulated:
    """A load test by its samples: what `task_capacity` asks for, and nothing else. 5 s blocks, as a LoadTest has."""

    def __init__(self, samples: list[Sample], **columns: Any) -> None:
        self.samples = [values for _, values in samples]
        rows = []
        for number, (rate, values) in enumerate(samples, start=1):
            row: dict[str, Any] = {"step": number, "group": "", "end": pd.Timestamp("2026-11-20", tz="UTC")}
            row |= {"arrivals_per_s": rate, "throughput_per_s": rate, "in_flight": rate * values.mean() / 1000}
            row |= {"samples": len(values), "error_share": 0.0, "mean_ms": values.mean()}
            row |= {f"p{100 * q:.0f}_ms": np.quantile(values, q) for q in (0.5, 0.95, 0.99)}
            row |= {"dispersion": 1.0, "loop": "open", "steady": True, "saturated": False, "reason": ""}
            rows.append(row)
        self.steps = pd.DataFrame(rows).assign(**columns)

    def resampled(self, step: int, quantile: float, draws: int = 400, seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng([seed, step])
        values, rate = self.samples[step - 1], self.steps["throughput_per_s"][step - 1]
        count = max(2, round(len(values) / rate / 5))
        order = np.argsort(values)
        block = (np.arange(len(values)) * count // len(values))[order]
        often = np.array([np.bincount(row, minlength=count) for row in rng.integers(count, size=(draws, count))])
        up_to = np.cumsum(often[:, block], axis=1)  # (draws, values) in order of size
        return np.asarray(values[order][(up_to < quantile * up_to[:, -1:]).sum(axis=1)])


def run(rates: list[float], seconds: float = 60, seed: int = 0) -> list[Sample]:
    """Steps of the bounded server: 4 workers, lognormal 20.4 ms, CV 0.5, Poisson arrivals (loadtest.md)."""
    return _run(tuple(rates), seconds, seed)


@cache
def _run(rates: tuple[float, ...], seconds: float, seed: int) -> list[Sample]:
    rng = np.random.default_rng(seed)
    samples = []
    for rate in rates:
        n = round(rate * seconds)
        samples.append((rate, 1000 * responses(rng.exponential(1 / rate, n), lognormal(rng, 0.0204, 0.5, n), 4)))
    return samples


RATES = [40.0, 80, 120, 150, 170, 185]


def truth(slo_ms: float, quantile: float = 0.95) -> float:
    """The rate at which the equilibrium quantile reaches the SLO."""
    low, high = 1.0, 4 / 0.0204
    for _ in range(14):  # to 0.02 requests/s
        middle = (low + high) / 2
        good = Queue(4, middle, Lognormal(0.0204, 0.5)).response_quantile(quantile) * 1000 <= slo_ms
        low, high = (middle, high) if good else (low, middle)
    return low


# --- real runs --------------------------------------------------------------------------------------------------------


class Steps(Simulated):
    """The open steps of loadtest.md 11 as its table has them, each latency known to a tenth."""

    def __init__(self) -> None:
        self.steps = pd.DataFrame(
            {
                "step": range(1, 9),
                "group": [f"step0{n}" for n in range(1, 9)],
                "end": pd.Timestamp("2026-11-20 12:00", tz="UTC"),
                "arrivals_per_s": [40.3, 80.5, 119.8, 149.2, 169.9, 184.3, 195.2, 187.1],
                "throughput_per_s": [40.3, 80.5, 119.8, 149.2, 169.9, 184.3, 195.2, 187.1],
                "in_flight": [0.84, 1.73, 2.70, 4.00, 5.53, 7.27, 28.7, 57.2],
                "samples": [700, 1409, 2096, 2611, 2973, 3225, 3416, 3274],
                "error_share": 0.0,
                "mean_ms": [20.8, 21.4, 22.5, 26.8, 32.5, 39.4, 145.6, 305.8],
                "p50_ms": [19.0, 19.5, 20.5, 24.0, 29.0, 34.0, 150.0, 304.0],
                "p95_ms": [40.5, 41.0, 43.0, 55.0, 63.0, 81.0, 233.0, 383.0],
                "p99_ms": [53.0, 57.0, 57.0, 71.0, 94.0, 104.0, 264.0, 617.0],
                "dispersion": 0.8,
                "loop": "open",
                "steady": [True] * 6 + [False, True],
                "saturated": [False] * 6 + [True, True],
                "reason": "",
            }
        )

    def resampled(self, step: int, quantile: float, draws: int = 400, seed: int = 0) -> np.ndarray:
        spread = np.random.default_rng([seed, step]).normal(0, 0.03, draws)
        return np.asarray(self.steps[f"p{100 * quantile:.0f}_ms"][step - 1] * (1 + spread))


@pytest.mark.parametrize(("slo_ms", "expected"), [(60, 162), (50, 137)])
def test_the_open_steps_carry_what_interpolation_says(slo_ms: float, expected: float) -> None:
    """loadtest.md 11: SLO p95 60 ms -> about 162/s, 50 ms -> about 137/s."""
    found = task_capacity(Steps(), slo_ms=slo_ms)
    assert found.requests_per_second == pytest.approx(expected, abs=1)
    assert not found.at_least
    assert found.method == "load test"
    assert found.measured == date(2026, 11, 20)
    low, high = found.interval
    assert low <= found.requests_per_second <= high
    assert low < (152 if slo_ms == 60 else 136) < high  # what M/G/4 says (loadtest.md 11)
    assert found.evidence[0].startswith(f"p95 met {slo_ms} ms at ")
    assert "saturated (steps 7, 8)" in found.evidence[2]


def test_before_saturation_a_queue_looks_between_the_points() -> None:
    """SLO 100 ms: met at 184.3/s (81 ms), saturated at 187.1/s; nothing is promised beyond."""
    found = task_capacity(Steps(), slo_ms=100)
    assert 184.3 <= found.requests_per_second <= found.interval[1] == 187.1
    assert "M/G/4" in found.model
    assert not found.at_least
    # an SLO of 500 ms would be met, by the queue, at a rate at which the service was seen saturated: not believed
    far = task_capacity(Steps(), slo_ms=500)
    assert (far.requests_per_second, far.interval[1]) == (184.3, 187.1)
    assert far.model == "the highest rate at which p95 met the SLO before saturation"


def test_a_burst_run_and_a_closed_run_are_refused_with_what_they_do_tell() -> None:
    burst = Steps()
    burst.steps["dispersion"] = 20.0
    with pytest.raises(InputError, match=r"arrivals synchronised .* latency not usable \(steps 1, 2, 3, 4, 5, 6\)"):
        task_capacity(burst, slo_ms=60)
    closed = Steps()
    closed.steps["loop"] = "closed"
    closed.steps["saturated"] = False
    closed.steps["in_flight"] = [1.0, 2, 3, 4, 5, 6, 8, 12]
    closed.steps["throughput_per_s"] = [49.1, 97.3, 141.4, 194.8, 196.2, 195.1, 199.3, 197.1]
    with pytest.raises(InputError, match=r"ceiling: min\(48.* N, 196.* not SLO capacity"):
        task_capacity(closed, slo_ms=60)


def test_many_arrivals_a_second_that_differ_little_are_no_bursts() -> None:
    """Ten thousand a second, a tenth more or less: a dispersion far above Poisson's, and no synchronisation."""
    fast = Steps()
    fast.steps["throughput_per_s"] *= 100
    fast.steps["arrivals_per_s"] *= 100
    fast.steps["dispersion"] = 8.0
    assert task_capacity(fast, slo_ms=60).requests_per_second == pytest.approx(16_200, abs=100)


def test_real_runs_of_jmeter_say_the_same() -> None:
    """The runs behind that table, read from their files: windows differ a little, answers by 3 % (loadtest.md 11)."""
    steps = read(DATA / "jmeter" / "steps-open-v5.jtl.gz")
    for slo_ms, expected in ((60, 162), (50, 137)):
        found = task_capacity(steps, slo_ms=slo_ms, draws=100)
        assert found.requests_per_second == pytest.approx(expected, rel=0.03)
        assert found.interval[0] < expected < found.interval[1]
    with pytest.raises(InputError, match="arrivals synchronised"):
        task_capacity(read(DATA / "steps" / "burst.jtl.gz"), slo_ms=500)
    with pytest.raises(InputError, match=r"a closed loop.*ceiling: min\(4.* reached at N = 4.*not SLO capacity"):
        task_capacity(read(DATA / "steps" / "closed.jtl.gz"), slo_ms=60)


# --- simulated truth --------------------------------------------------------------------------------------------------


def test_the_interval_holds_the_simulated_truth() -> None:
    """Five runs of 60 s a step, SLO 60 ms: the equilibrium answer is in most intervals, the estimate near it."""
    exact = truth(60)
    found = [task_capacity(Simulated(run(RATES, seed=seed)), slo_ms=60, draws=60) for seed in range(5)]
    held = [one.interval[0] <= exact <= one.interval[1] for one in found]
    assert sum(held) >= 4
    assert np.mean([one.requests_per_second for one in found]) == pytest.approx(exact, rel=0.05)


def test_everything_met_is_at_least_and_nothing_met_is_below() -> None:
    light = Simulated(run([20.0, 40, 60]))
    found = task_capacity(light, slo_ms=200, draws=50)
    assert found.at_least
    assert found.requests_per_second == found.interval[1] == 60
    assert "it may carry more" in found.evidence[0]
    with pytest.raises(InputError, match=r"capacity is below 20 requests/s per task: even there p95 was"):
        task_capacity(light, slo_ms=10, draws=50)


def test_closer_load_points_make_a_narrower_interval() -> None:
    def width(rates: list[float]) -> float:
        low, high = task_capacity(Simulated(run(rates, seconds=120)), slo_ms=60, draws=60).interval
        return high - low

    assert width([40, 145, 155, 165, 190]) < 0.6 * width([40, 100, 190])


def test_the_same_seed_gives_the_same_answer_and_another_only_another_interval() -> None:
    test = Simulated(run(RATES))
    one, again, other = (task_capacity(test, slo_ms=60, draws=50, seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one.requests_per_second == other.requests_per_second
    assert one.interval != other.interval


def test_errors_bound_capacity_as_latency_does() -> None:
    test = Simulated(run([20.0, 40, 60]), error_share=[0.0, 0.004, 0.05])
    found = task_capacity(test, slo_ms=200, draws=50)
    assert not found.at_least
    assert (found.requests_per_second, found.interval[1]) == (40, 60)
    with pytest.raises(InputError, match="capacity is below 20 requests/s per task: errors or saturation began"):
        task_capacity(Simulated(run([20.0, 40, 60]), error_share=0.05), slo_ms=200)


def test_an_unsteady_point_and_one_of_few_samples_are_left_out_by_name() -> None:
    test = Simulated(run(RATES), steady=[True, False, True, True, True, True], reason=["", "a ramp", "", "", "", ""])
    test.steps.loc[0, "samples"] = 60
    found = task_capacity(test, slo_ms=60, draws=50)
    assert "60 samples are too few for p95 (step 1); not steady: a ramp (step 2)" in found.evidence[2]
    whole = task_capacity(Simulated(run(RATES)), slo_ms=60, draws=50)
    assert found.requests_per_second == whole.requests_per_second  # neither is near the SLO


def test_rates_of_several_tasks_are_divided_and_the_balance_asked_for() -> None:
    test = Simulated(run(RATES))
    one, four = (task_capacity(test, slo_ms=60, tasks=tasks, draws=50) for tasks in (1, 4))
    assert four.requests_per_second == pytest.approx(one.requests_per_second / 4, rel=1e-4)
    assert four.interval == pytest.approx(tuple(end / 4 for end in one.interval), rel=1e-4)
    assert "was not checked" in four.evidence[-1]
    checked = task_capacity(test, slo_ms=60, tasks=4, balanced=True, draws=50)
    assert not any("was not checked" in sentence for sentence in checked.evidence)


def test_a_quantile_that_steps_do_not_hold_is_resampled() -> None:
    test = Simulated(run(RATES, seconds=120))
    tenth = task_capacity(test, slo_ms=60, quantile=0.9, draws=60)
    assert tenth.slo_quantile == 0.9
    assert tenth.requests_per_second > task_capacity(test, slo_ms=60, draws=60).requests_per_second
    assert tenth.requests_per_second == pytest.approx(truth(60, 0.9), rel=0.06)


def test_an_unknown_loop_is_used_and_said() -> None:
    found = task_capacity(Simulated(run(RATES), loop="unknown"), slo_ms=60, draws=50)
    assert any("not known" in sentence for sentence in found.evidence)


def test_a_retrograde_service_is_read_by_its_law_between_the_points() -> None:
    """(b) of loadtest.md 7.4: mean by the USL, quantile by its ratio; within the last good and the saturated rate."""
    n = np.array([1.0, 2, 4, 6, 8, 12, 16, 20])
    x = 100 * n / (1 + 0.05 * (n - 1) + 0.004 * n * (n - 1))
    rng = np.random.default_rng(0)
    samples = [(float(rate), 1000 * rng.gamma(4, many / rate / 4, 20_000)) for many, rate in zip(n, x, strict=True)]
    test = Simulated(samples[:5] + samples[6:7], saturated=[False] * 5 + [True])
    slo = 1.03 * test.steps["p95_ms"][4]
    found = task_capacity(test, slo_ms=slo, draws=50)
    assert found.model.startswith("USL: ")
    assert x[4] < found.requests_per_second < x[6]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"slo_ms": 0}, "slo_ms is 0"),
        ({"slo_ms": 60, "quantile": 95}, "quantile is 95"),
        ({"slo_ms": 60, "error_budget": 1}, "error_budget is 1"),
        ({"slo_ms": 60, "tasks": 0}, "tasks is 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, float], words: str) -> None:
    with pytest.raises(InputError, match=words):
        task_capacity(Steps(), **settings)  # type: ignore[arg-type]


def test_a_test_without_load_points_is_refused() -> None:
    empty = Steps()
    empty.steps = empty.steps.iloc[:0]
    with pytest.raises(CapacityError, match="no load points: hold the load for a while"):
        task_capacity(empty, slo_ms=60)


# --- the monotone curve -----------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(1, 1000), st.floats(0.5, 50)), min_size=1, max_size=7))
@settings(max_examples=30, deadline=None)
def test_the_monotone_curve_is_the_max_of_the_mins_of_means(points: list[tuple[float, float]]) -> None:
    """The other formula of isotonic regression: max over j <= i of min over k >= i of the weighted mean of j to k."""
    values, weights = np.array(points).T

    def mean(j: int, k: int) -> float:
        return float(np.average(values[j : k + 1], weights=weights[j : k + 1]))

    size = len(values)
    expected = [max(min(mean(j, k) for k in range(i, size)) for j in range(i + 1)) for i in range(size)]
    assert isotonic(values, weights) == pytest.approx(expected, rel=1e-9)


@given(st.lists(st.floats(1, 1000), min_size=2, max_size=8, unique=True), st.floats(1, 1000))
def test_a_crossing_lies_between_the_points_that_bracket_it(values: list[float], bound: float) -> None:
    rates, latency = np.arange(1.0, len(values) + 1), np.sort(values)
    at = crossed(rates, latency, bound)
    if at.met is None:
        assert bound < latency[0]
    elif at.failed is None:
        assert latency[-1] <= bound
        assert at.rate == at.met == rates[-1]
    else:
        assert at.met <= at.rate <= at.failed == at.met + 1
        assert np.interp(at.rate, rates, latency) == pytest.approx(bound, rel=1e-6)
