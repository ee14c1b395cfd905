"""When a request became dearer: found, dated, sized; and not invented."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from capacity.demand.per_task.changes import Change, changes_of

HOUR = 3600.0
MONDAY = pd.Timestamp("2026-03-02", tz="UTC").timestamp()


def costs(
    days: float, seed: int, *, every: float = HOUR, spread: float = 0.04, day: float = 0.015
) -> tuple[np.ndarray, np.ndarray]:
    """(start, cost) of a request that wanders: hours that resemble each other, days and nights of their own mix."""
    rng = np.random.default_rng(seed)
    count = round(days * 86_400 / every)
    start = MONDAY + every * np.arange(count)
    keeps = 0.5 ** (every / HOUR)
    wander = lfilter([np.sqrt(1 - keeps**2)], [1.0, -keeps], rng.standard_normal(count)) * spread
    days_of = day * rng.standard_normal(int(days) + 2)[(start - MONDAY).astype(int) // 86_400]
    night = 0.05 * np.cos(2 * np.pi * (start % 86_400) / 86_400)
    return start, 0.02 * np.exp(wander + days_of + night)


def stayed(found: list[Change]) -> list[Change]:
    return [change for change in found if change.lasted is None]


def changes(start: np.ndarray, cost: np.ndarray, every: float = HOUR, **told: list[pd.Timestamp]) -> list[Change]:
    return changes_of(start, np.full(len(start), every), cost, told.get("deploys", []))


def test_quarters_without_a_change_have_none() -> None:
    """Thirty quarters of a wandering cost, half of them with a drift of 10 %: none is accused (benchmark: 1 in 400)."""
    accused = 0
    for seed in range(30):
        start, cost = costs(91, seed)
        accused += bool(stayed(changes(start, cost * np.exp((seed % 2) * 0.10 * np.linspace(0, 1, len(cost))))))
    assert accused == 0


@pytest.mark.parametrize(("factor", "every"), [(1.25, HOUR), (0.8, HOUR), (1.25, 300.0), (1.6, 60.0)])
def test_a_day_after_it_the_change_is_known(factor: float, every: float) -> None:
    away: list[float] = []
    seeds = 12 if every == HOUR else 4
    for seed in range(seeds):
        start, cost = costs(12, seed, every=every)
        moment = MONDAY + 11 * 86_400 - 7 * HOUR
        kept = start < moment + 86_400
        found = stayed(changes(start[kept], np.where(start < moment, cost, factor * cost)[kept], every))
        assert len(found) == 1
        away.append(abs(found[0].at.timestamp() - moment))
        assert found[0].ratio == pytest.approx(factor, rel=0.08)
    assert np.median(away) <= every and max(away) <= 5 * HOUR


def test_intervals_of_the_size_hold_the_truth() -> None:
    inside = []
    for seed in range(30):
        start, cost = costs(16, seed)
        found = stayed(changes(start, np.where(np.arange(len(cost)) < 240, cost, 1.3 * cost)))
        inside += [change.low <= 1.3 <= change.high for change in found]
    assert len(inside) >= 29 and np.mean(inside) >= 0.90


def test_several_changes_are_told_apart() -> None:
    start, cost = costs(60, 2)
    level = np.select([start < MONDAY + 20 * 86_400, start < MONDAY + 40 * 86_400], [1.0, 1.3], 0.9)
    found = stayed(changes(start, cost * level))
    assert [round(change.ratio, 1) for change in found] == [1.3, 0.7]


def test_a_weekend_of_another_mix_is_no_change() -> None:
    for seed in range(10):
        start, cost = costs(42, seed)
        weekend = (start - MONDAY) // 86_400 % 7 >= 5
        assert not stayed(changes(start, cost * np.where(weekend, 1.25, 1.0)))


def test_what_goes_back_within_days_is_an_episode_with_its_length() -> None:
    start, cost = costs(30, 3)
    sale = (start >= MONDAY + 20 * 86_400) & (start < MONDAY + 21.5 * 86_400)
    found = changes(start, cost * np.where(sale, 1.5, 1.0))
    assert len(found) == 1 and found[0].lasted is not None
    assert found[0].ratio == pytest.approx(1.5, rel=0.1)
    assert abs(found[0].lasted - pd.Timedelta(days=1.5)) <= pd.Timedelta(hours=12)


def test_a_known_deploy_needs_less_evidence() -> None:
    start, cost = costs(28, 5, day=0.002, spread=0.02)
    moment = MONDAY + 20 * 86_400
    dearer = np.where(start < moment, cost, 1.07 * cost)
    assert not stayed(changes(start, dearer))
    found = stayed(changes(start, dearer, deploys=[pd.Timestamp(moment, unit="s", tz="UTC")]))
    assert [(change.deploy, change.at.timestamp()) for change in found] == [(True, moment)]


def test_coarser_data_say_how_coarse_their_date_is() -> None:
    start, cost = costs(40, 6, every=86_400)
    found = stayed(changes(start, np.where(np.arange(40) < 25, cost, 1.6 * cost), 86_400))
    assert len(found) == 1 and found[0].within >= pd.Timedelta(days=1)
    assert abs(found[0].at.timestamp() - start[25]) <= 86_400


@settings(max_examples=8, deadline=None)
@given(scale=st.floats(1e-6, 1e3), seed=st.integers(0, 50), hole=st.integers(0, 200))
def test_units_and_holes_do_not_matter(scale: float, seed: int, hole: int) -> None:
    start, cost = costs(14, seed)
    cost = np.where(np.arange(len(cost)) < 200, cost, 1.4 * cost)
    kept = np.ones(len(start), dtype=bool)
    kept[hole : hole + 8] = False
    first, again = (stayed(changes(start[kept], factor * cost[kept])) for factor in (1.0, scale))
    assert [change.at for change in first] == [change.at for change in again] and len(first) == 1
    assert first[0].ratio == pytest.approx(again[0].ratio, rel=1e-6)


def test_nothing_known_is_no_change() -> None:
    nothing = np.full(100, np.nan)
    assert changes(MONDAY + HOUR * np.arange(100), nothing) == []
    assert changes(MONDAY + HOUR * np.arange(30), np.full(30, 0.01)) == []
