"""The line of processor time on rate, against what was put in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.demand.per_task.blocks import blocks_of, stretches, student, weighted_median
from capacity.demand.per_task.costing import line
from tests.demand.per_task.serving import minutes_of, served

MINUTES = 60.0 * np.arange(4000)
SECONDS = np.full(4000, 60.0)


def cloud(seed: int, *, noise: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """(x, y) of a task of a fixed fleet: 0.03 + 0.012 x, noisy."""
    rng = np.random.default_rng(seed)
    x = 30 * (1 + 0.6 * np.sin(MINUTES / 13_750)) * np.exp(0.05 * rng.standard_normal(4000))
    return x, (0.03 + 0.012 * x) * np.exp(noise * rng.standard_normal(4000))


def test_a_tenth_of_wild_minutes_does_not_move_it() -> None:
    x, y = cloud(0)
    calm = line(x, y, MINUTES, SECONDS)
    wild = y.copy()
    wild[np.random.default_rng(1).random(4000) < 0.10] *= 2.5
    found = line(x, wild, MINUTES, SECONDS)
    assert calm is not None and found is not None
    assert found.slope == pytest.approx(calm.slope, rel=0.04)
    assert np.polyfit(x, wild, 1)[0] > 1.08 * calm.slope  # what least squares would have said


def test_intervals_hold_the_truth() -> None:
    """Noise that lasts for an hour, 60 times: who takes minutes for independent holds the truth half as often."""
    inside = []
    for seed in range(60):
        rng = np.random.default_rng(1000 + seed)  # other numbers than those of the rate
        x, _ = cloud(seed)
        lasting = np.repeat(rng.standard_normal(67), 60)[:4000]
        found = line(x, (0.03 + 0.012 * x) * np.exp(0.03 * lasting), MINUTES, SECONDS)
        assert found is not None
        inside.append(found.interval[0] <= 0.012 <= found.interval[1])
    assert np.mean(inside) >= 0.87  # of three days; at 0.95 four in sixty may be out, plus chance


def test_an_autoscaler_does_not_hide_the_cost() -> None:
    """Under target tracking a plain regression reads far too little; the line is within a tenth, on most within 5 %."""
    life = served(12, 3, 2, noise=(0.06, 0.10))
    plain, read = [], []
    for service in range(12):
        rows = minutes_of(life, service).usable
        x, y = rows["requests_per_s"].to_numpy(), rows["vcpu"].to_numpy()
        start = rows.index.as_unit("us").asi8 / 1e6
        runs = stretches(start, np.full(len(x), 60.0), rows["running_tasks"].to_numpy())
        found = line(x, y, start, np.full(len(x), 60.0), runs)
        assert found is not None
        plain.append(np.polyfit(x, y, 1)[0] / life.cost[service])
        read.append(found.slope / life.cost[service])
    assert np.median(plain) < 0.92
    assert np.abs(np.array(read) - 1).max() < 0.12 and abs(np.median(read) - 1) < 0.05


def test_hours_of_a_utilisation_that_is_held_do_not_pass_for_a_task_that_idles() -> None:
    """Nothing but the cost moves the rate then: its line is flat, and would promise half as much again."""
    rng, hours = np.random.default_rng(0), 3600.0 * np.arange(24 * 28)
    used = 0.45 * np.exp(0.05 * rng.standard_normal(len(hours)))
    rate = (used - 0.03) / (0.012 * np.exp(0.12 * rng.standard_normal(len(hours))))
    found = line(rate, used, hours, np.full(len(hours), 3600.0))
    assert found is not None and not found.precise
    assert found.reaches(0.7)[0] == pytest.approx((0.7 - 0.03) / 0.012, rel=0.05)


def test_a_task_that_idles_most_of_its_use_does() -> None:
    rng, hours = np.random.default_rng(0), 3600.0 * np.arange(24 * 28)
    rate = 4 * (1 + 0.5 * np.sin(hours / 13_750)) * np.exp(0.1 * rng.standard_normal(len(hours)))
    found = line(rate, (0.30 + 0.012 * rate) * np.exp(0.01 * rng.standard_normal(len(hours))), hours, 0 * hours + 3600)
    assert found is not None
    assert found.base == pytest.approx(0.30, rel=0.02) and found.slope == pytest.approx(0.012, rel=0.05)


def test_errors_in_the_rate_do_not_halve_the_cost() -> None:
    x, y = cloud(0, noise=0.02)
    noisy = x * np.exp(0.3 * np.random.default_rng(5).standard_normal(4000))
    found = line(noisy, y, MINUTES, SECONDS)
    assert found is not None and found.slope == pytest.approx(0.012, rel=0.15)
    assert np.polyfit(noisy, y, 1)[0] < 0.85 * 0.012


@settings(max_examples=20, deadline=None)
@given(a=st.floats(0.001, 100), b=st.floats(0.001, 100))
def test_units_change_nothing(a: float, b: float) -> None:
    x, y = cloud(3)
    x, y, start, seconds = x[:600], y[:600], MINUTES[:600], SECONDS[:600]
    one, other = line(x, y, start, seconds), line(a * x, b * y, start, seconds)
    assert one is not None and other is not None
    assert other.slope == pytest.approx(one.slope * b / a, rel=1e-6)
    assert other.base == pytest.approx(one.base * b, rel=1e-5, abs=1e-9 * b)
    assert other.slope_error == pytest.approx(one.slope_error * b / a, rel=1e-5)


def test_a_rate_that_never_moves_tells_nothing() -> None:
    assert line(np.full(100, 5.0), np.full(100, 0.2), MINUTES[:100], SECONDS[:100]) is None
    assert line(np.arange(5.0), np.arange(5.0), MINUTES[:5], SECONDS[:5]) is None


def test_no_task_uses_less_than_nothing() -> None:
    x, _ = cloud(0)
    found = line(x, 0.0002 * x**2, MINUTES, SECONDS)
    assert found is not None and found.base == 0.0 and found.slope > 0 and found.bends_up


def test_small_parts() -> None:
    assert student(2) == float("inf")
    assert weighted_median(np.array([1.0, 2.0, 10.0]), np.array([1.0, 1.0, 5.0])) == 10.0
    assert blocks_of(MINUTES)[-1] == 11  # 2.8 days: a twelfth each
    assert blocks_of(86_400.0 * np.arange(30)).tolist() == list(range(30))
