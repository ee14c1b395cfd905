"""What is learnt from a step of the level, how soon, and what is not learnt from a day off."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from capacity.demand import demand_from
from capacity.demand.demand import Demand
from capacity.forecasting import forecast
from capacity.forecasting.excursions import chances_to_last, onset
from capacity.forecasting.prepare import Prepared, prepare
from capacity.forecasting.shifts import Shifts, shifts_in
from tests.makers import hourly

WEEK, AHEAD = 168, 168
FACTORS = (0.5, 1.3, 2.0)


def services(count: int = 6, weeks: int = 10) -> np.ndarray:
    """(S, hours) loads of a day and a week, with noise that lasts for hours, to a week after the cutoff."""
    hours = np.arange(weeks * WEEK + AHEAD)
    rows = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        wave = 1 + rng.uniform(0.3, 0.6) * np.cos(2 * np.pi * (hours - 14) / 24)
        weekend = np.where(hours % WEEK >= 120, rng.uniform(0.6, 0.9), 1.0)
        noise = np.convolve(rng.normal(0, 0.06, len(hours)), 0.6 ** np.arange(12))[: len(hours)]
        rows.append(100 * wave * weekend * np.exp(noise))
    return np.array(rows)


def stepped(values: np.ndarray, days: int, factor: float, until: int | None = None) -> np.ndarray:
    """The loads with the last `days` before the cutoff multiplied, and what follows too unless it ended `until`."""
    moved = values.copy()
    cutoff = values.shape[1] - AHEAD
    moved[:, cutoff - 24 * days : until] *= factor
    return moved


def past_of(values: np.ndarray) -> Demand:
    known = values[:, :-AHEAD]
    return demand_from(pd.DataFrame(known.T, index=hourly(known.shape[1] / 24)).rename(columns=str))


def errors(values: np.ndarray) -> np.ndarray:
    """(S,) mean error of the median over the week after the cutoff."""
    middle = np.quantile(forecast(past_of(values), AHEAD, paths=100).paths, 0.5, axis=1)
    return np.asarray(np.abs(middle - values[:, -AHEAD:]).mean(axis=1))


def found(values: np.ndarray) -> tuple[Prepared, Shifts]:
    past = prepare(past_of(values))
    return past, shifts_in(past, 24)


@pytest.fixture(scope="module")
def usual() -> SimpleNamespace:
    values = services()
    return SimpleNamespace(values=values, errors=errors(values))


@pytest.mark.parametrize("factor", FACTORS)
def test_three_days_after_a_step_the_median_is_about_as_right_as_without_it(
    usual: SimpleNamespace, factor: float
) -> None:
    assert (errors(stepped(usual.values, 3, factor)) / factor).mean() < 1.25 * usual.errors.mean()


@pytest.mark.parametrize("factor", FACTORS)
def test_from_the_second_day_p95_holds_at_the_new_level(usual: SimpleNamespace, factor: float) -> None:
    moved = stepped(usual.values, 2, factor)
    high = np.quantile(forecast(past_of(moved), AHEAD, paths=200).paths, 0.95, axis=1)
    assert (moved[:, -AHEAD:] > high).mean() < 0.10


@pytest.mark.parametrize("days", [1, 2, 3])
def test_a_quiet_holiday_is_not_learnt_as_a_shift_at_once(usual: SimpleNamespace, days: int) -> None:
    dipped = stepped(usual.values, days, 0.7, until=usual.values.shape[1] - AHEAD)
    assert errors(dipped).mean() < 1.7 * usual.errors.mean()


def test_a_shift_that_is_weeks_old_is_still_known_and_nothing_is_undone_twice(usual: SimpleNamespace) -> None:
    old = stepped(stepped(usual.values, 40, 2.0), 6, 1.5)
    past, shifts = found(old)
    levelled = shifts.levelled(past.fit)
    weeks = past.back(levelled).reshape(len(levelled), -1, WEEK).mean(axis=2)
    assert np.abs(weeks / weeks[:, -1:] - 1).max() < 0.15


def test_steps_begin_at_any_hour_and_on_any_grid() -> None:
    values = services(1)[0][: 6 * WEEK]
    for interval, day in (("1h", 24), ("5min", 288)):
        steps = np.repeat(values[: 3 * WEEK if day == 288 else None], day // 24)
        steps[-day * 3 - day // 3 :] *= 2
        times = pd.date_range("2026-08-03", periods=len(steps), freq=interval, tz="UTC")
        one = shifts_in(prepare(demand_from(pd.Series(steps, index=times, name="x"))), day).found[-1]
        assert abs(len(steps) - one.start - day * 3 - day // 3) <= day // 8
        size, share = one.at(len(steps) // day)
        assert size == pytest.approx(np.log(2), abs=0.1)
        assert share >= 0.95


def test_what_is_believed_at_an_origin_rests_on_what_was_known_then(usual: SimpleNamespace) -> None:
    values = stepped(usual.values, 20, 0.5)
    _, whole = found(values)
    known = values.shape[1] - AHEAD - 15 * 24
    past, then = found(values[:, : known + AHEAD])
    fit = past.fit
    assert np.allclose(whole.levelled(fit), then.levelled(fit), atol=0.02)


def test_steady_load_has_no_shifts_and_a_young_service_is_not_asked(usual: SimpleNamespace) -> None:
    _, shifts = found(usual.values)
    assert [one for one in shifts.found if abs(one.at(70)[0]) > 0.3] == []
    assert found(usual.values[:, -AHEAD - 11 * 24 :])[1].found == ()


def test_a_holiday_takes_another_shape_and_is_believed_later_than_a_deploy(usual: SimpleNamespace) -> None:
    deploy = stepped(usual.values, 2, 0.5)
    holiday = usual.values.copy()
    hours = np.arange(48)
    holiday[:, -AHEAD - 48 : -AHEAD] *= np.where(hours % 24 < 12, 0.2, 0.8)
    shares = [[one.at(70)[1] for one in found(values)[1].found if one.first == 68] for values in (deploy, holiday)]
    assert min(shares[0]) >= 0.6 > 0.2 > max(shares[1])
    assert chances_to_last(np.log(2), True, True)[1] > chances_to_last(np.log(0.5), True, True)[1]


def test_in_doubt_paths_stay_or_go_back_and_none_is_in_between(usual: SimpleNamespace) -> None:
    _, shifts = found(stepped(usual.values, 1, 2.0))
    row, share = shifts.found[-1].row, shifts.found[-1].at(70)[1]
    chance = (np.arange(1000) + 0.5) / 1000
    paths = shifts.doubted(np.zeros((6, 1000, 72)), chance)
    late = np.exp(paths[row, :, -1]) - shifts.offset[row]
    middle = 1 - shifts.offset[row]
    assert 0 < share < 1
    assert len(np.unique(late.round(6))) == 2
    assert (late > middle).mean() == pytest.approx(share, abs=0.002)
    assert (paths[row, :, 0] > 0).mean() >= share  # at first more have yet to go back
    assert late.max() / late.min() == pytest.approx(2.0, rel=0.15)
    certain = next(n for n in range(6) if all(one.row != n or one.at(70)[1] in (0, 1) for one in shifts.found[:-1]))
    assert row == certain or (paths[certain] == 0).all()


def test_an_onset_is_found_to_the_interval_by_its_sum() -> None:
    away = np.random.default_rng(1).normal(0, 0.1, 96)
    away[53:] -= 1
    assert onset(away, 48, 24, -1.0) == 53
    assert onset(away, 7, 1, 1.0) == 7
