"""From when to when: shares of intervals, against a slow sum over every second."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Scenario
from capacity.errors import InputError
from capacity.planning.scenarios.windows import shares, trapezoid
from tests.planning.inputs import cpu_forecast


@given(
    begin=st.integers(-50, 250),
    length=st.integers(1, 300),
    ramp=st.integers(0, 80),
    never=st.booleans(),
    step=st.integers(1, 40),
)
@settings(max_examples=60)
def test_shares_are_those_of_a_slow_sum(begin: int, length: int, ramp: int, never: bool, step: int) -> None:
    ramp = min(ramp, length // 2)
    end = None if never else begin + length
    starts = np.arange(0, 200, step)
    found = trapezoid(starts, starts + step, begin, end, ramp)
    fine = np.arange(starts[-1] + step, dtype=float) + 0.5  # the middle of every second: a straight line's own mean

    over = np.inf if end is None else end
    inside = (fine >= begin) & (fine < over)
    slope = np.minimum(fine - begin, over - fine) / ramp if ramp else np.ones_like(fine)
    slow = np.where(inside, np.clip(slope, 0, 1), 0).reshape(len(starts), step)
    np.testing.assert_allclose(found.mean, slow.mean(axis=1), atol=1e-9)
    assert (found.most >= slow.max(axis=1) - 1e-9).all()
    assert (found.least <= slow.min(axis=1) + 1e-9).all()
    assert (found.least >= 0).all() and (found.most <= 1).all()


def test_a_local_day_is_the_services_own_and_an_offset_is_the_same_for_all() -> None:
    forecast = cpu_forecast(np.ones((2, 72)))  # from 23 November 2026, 00:00 UTC
    day = Scenario(name="x", start="2026-11-24", uplift=2)
    berlin = shares(day, forecast, "Europe/Berlin").mean
    assert np.flatnonzero(berlin).tolist() == list(range(23, 47))
    assert np.flatnonzero(shares(day, forecast, "UTC").mean).tolist() == list(range(24, 48))
    fixed = Scenario(name="x", start="2026-11-24T00:00Z", end="2026-11-24T01:30Z", uplift=2)
    assert shares(fixed, forecast, "Europe/Berlin").mean[24:26].tolist() == [1.0, 0.5]
    assert shares(fixed, forecast, "Europe/Berlin").most[24:26].tolist() == [1.0, 1.0]


def test_a_day_of_a_clock_change_has_its_own_length() -> None:
    times = pd.date_range("2026-10-24", periods=72, freq="h", tz="UTC", unit="us")
    forecast = cpu_forecast(np.ones((2, 72)))
    moved = type(forecast)(forecast.past, times, np.array(forecast.paths), forecast.models)
    day = Scenario(name="x", start="2026-10-25", end="2026-10-26", uplift=2)  # Berlin goes back at 03:00
    assert shares(day, moved, "Europe/Berlin").mean.sum() == 25


def test_what_happens_outside_of_the_plan_is_refused_with_both_spans() -> None:
    late = Scenario(name="late", start="2030-01-01", end="never", uplift=2)
    with pytest.raises(InputError, match=r"outside of the plan: 2030-01-01.*\n.*2026-11-23 00:00 to 2026-11-24 00:00"):
        shares(late, cpu_forecast(np.ones((2, 24))), "UTC")
