"""The cheapest schedule of a week: exact against trying all, and its worth against a loop."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Goal
from capacity.scaling.search.kinds import COOLDOWNS, PATTERNS, PRICES, kept_share, plain_kinds, scheduled_kinds
from capacity.scaling.search.levels import cheapest
from capacity.scaling.search.weeks import MINUTES, like_the_next, loads
from capacity.scaling.search.worth import MISSING, Worth, worth
from tests.makers import make_demand
from tests.scaling.policies import web


def all_ways(cost: np.ndarray, allowed: np.ndarray, change: float, most: int, edge: int) -> float:
    """Least cost of any sequence of levels that begins and ends with `edge`, by trying them all."""
    days, bins, count = cost.shape
    best = np.inf
    for levels in product(range(count), repeat=days * bins):
        if levels[-1] != edge:
            continue
        before = (levels[-1], *levels[:-1])
        moved = [now != then for now, then in zip(levels, before, strict=True)]
        days_moved = [sum(moved[day * bins : (day + 1) * bins]) for day in range(days)]
        if max(days_moved) > most or any(m and not allowed[n % bins] for n, m in enumerate(moved)):
            continue
        total = sum(cost[n // bins, n % bins, level] for n, level in enumerate(levels)) + change * sum(moved)
        best = min(best, float(total))
    return best


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(1, 3), st.floats(0, 2))
def test_no_other_week_of_as_few_changes_costs_less(seed: int, most: int, change: float) -> None:
    rng = np.random.default_rng(seed)
    cost, allowed = rng.integers(0, 9, (2, 3, 3)).astype(float), rng.random(3) < 0.8
    held = cheapest(cost, allowed, change, most)
    flat = held.ravel()
    moved = flat != np.roll(flat, 1)
    own = cost.reshape(6, 3)[np.arange(6), flat].sum() + change * moved.sum()
    assert moved.reshape(2, 3).sum(axis=1).max() <= most
    assert allowed[np.flatnonzero(moved) % 3].all()
    assert own == pytest.approx(all_ways(cost, allowed, change, most, int(flat[-1])))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_worth_is_what_a_loop_over_every_minute_and_level_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    serving = rng.integers(0, 12, (3, 40))
    need = rng.integers(0, 12, (3, 40)).astype(float)
    need[rng.random((3, 40)) < 0.1] = np.nan
    place, levels = rng.integers(0, 6, 40), np.unique(rng.integers(1, 12, 4))
    found = worth(serving, need, place, 2, 3, levels)
    for part in range(6):
        known = [(r, n) for r in range(3) for n in range(40) if place[n] == part and np.isfinite(need[r, n])]
        assert found.known.ravel()[part] == len(known)
        for m, level in enumerate(levels):
            held = [max(level, serving[at]) for at in known]
            less = [max(need[at] - tasks, 0) for at, tasks in zip(known, held, strict=True)]
            share = max(len(known), 1)
            assert found.serving.reshape(6, -1)[part, m] == pytest.approx(sum(held) / share)
            assert found.missing.reshape(6, -1)[part, m] == pytest.approx(sum(less) / share)
            assert found.short.reshape(6, -1)[part, m] == pytest.approx(sum(one > 0 for one in less) / share)


def test_days_are_pooled_by_what_is_known_of_them() -> None:
    levels = np.array([2, 5])
    serving = np.array([[[2.0, 5.0]], [[4.0, 5.0]]])
    nothing = np.zeros_like(serving)
    both = Worth(levels, serving, nothing, nothing, np.array([[30.0], [10.0]])).pooled(((0, 1),))
    assert both.serving[0, 0].tolist() == [2.5, 5.0]
    assert both.known.tolist() == [[40.0]]


def test_a_shortage_costs_its_minutes_and_its_depth() -> None:
    serving, short, missing = (np.full((1, 1, 1), value) for value in (10.0, 0.5, 3.0))
    one = Worth(np.array([2]), serving, short, missing, np.ones((1, 1)))
    assert one.cost(price=2.0).item() == 10 + 2 * (10 * 0.5 + MISSING * 3)


def test_days_that_no_load_is_known_of_do_not_hold_tasks_for_nothing() -> None:
    """Monday needs 10 tasks all day; of the other days nothing is known, and a level held on them is paid for."""
    levels = np.array([2, 10])
    serving = np.array([[2, 2]])
    only_monday = worth(serving, np.array([[10.0, 10.0]]), np.array([0, 1]), 3, 2, levels)
    held = levels[cheapest(only_monday.cost(4.0), np.ones(2, dtype=bool), change=0.1)]
    assert held.tolist() == [[10, 10], [2, 2], [2, 2]]


def test_a_coming_week_is_like_earlier_ones_at_the_newest_level() -> None:
    week = np.where(np.arange(MINUTES) % 1440 < 600, 10.0, 30.0)
    load = np.concatenate([week, 2 * week, 4 * week, 9 * week])
    rows = like_the_next(load, 3 * MINUTES)  # the fourth is not seen
    assert rows.shape == (9, MINUTES)
    np.testing.assert_allclose(rows[:3], np.stack([4 * week] * 3))  # newest, and both older ones brought to it
    assert (rows[3:6] < rows[:3]).all()
    assert (rows[6:] > rows[:3]).all()
    many = like_the_next(np.tile(week, 7), 7 * MINUTES)
    assert many.shape == (7, MINUTES)
    np.testing.assert_allclose(many[[0, 3, 6]], np.stack([week] * 3))
    assert (many[1] < many[0]).all()
    assert (many[2] > many[0]).all()


def test_a_gap_in_an_earlier_week_stays_a_gap() -> None:
    load = np.ones(2 * MINUTES)
    load[:100] = np.nan
    rows = like_the_next(load, 2 * MINUTES)
    assert np.isnan(rows).sum() == 3 * 100


def test_five_minutes_without_a_known_peak_are_held_and_with_one_reach_it() -> None:
    times = pd.date_range("2026-06-01", periods=288, freq="5min", tz="UTC", unit="us")
    values = 100 + 50 * np.sin(np.arange(288) / 46)
    plain = make_demand({("web", "requests"): values}, times)
    _, load = loads(plain, plain.keys[0], times[0], seed=0)
    np.testing.assert_array_equal(load, np.repeat(values, 5))
    burst = make_demand({("web", "requests"): values}, times, burst=1.5)
    _, load = loads(burst, burst.keys[0], times[0], seed=0)
    np.testing.assert_allclose(load.reshape(-1, 5).max(axis=1), 1.5 * values, rtol=1e-6)


def test_every_kind_is_tried_once_and_simple_ones_come_first() -> None:
    plain = plain_kinds(most=1.0, kept=1.0)
    scheduled = scheduled_kinds(plain)
    assert len(set(plain)) == len(plain) == 5 * len(COOLDOWNS)
    assert len(set(scheduled)) == len(scheduled) == len(plain) * len(PATTERNS) * len(PRICES)
    assert [kind.share for kind in plain] == sorted((kind.share for kind in plain), reverse=True)


def test_room_for_a_zone_is_kept_where_somebody_asked_for_it() -> None:
    bare = {"zones", "survive_zone_loss"}
    service = web().model_copy()
    assert kept_share(web(zones=3), Goal()) == pytest.approx(2 / 3)
    assert kept_share(web(zones=2, tier="batch"), Goal()) == 1.0
    assert kept_share(web(zones=3), Goal(survive_zone_loss=False)) == 1.0
    assert kept_share(service, Goal(survive_zone_loss=True)) == pytest.approx((service.zones - 1) / service.zones)
    assert not bare & type(service)(name="x").model_fields_set
    assert kept_share(type(service)(name="x"), Goal()) == 1.0
    assert kept_share(type(service)(name="x", tier="critical"), Goal()) == pytest.approx(2 / 3)
