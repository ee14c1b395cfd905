"""Load that follows people's clocks is forecast on their clocks, also across the days on which those change."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from capacity.config import Service
from capacity.demand import demand_from
from capacity.forecasting import backtest, forecast
from capacity.forecasting.clock import on_wall, shifts_of
from tests.makers import make_demand

PARIS = Service(name="web", timezone="Europe/Paris")


def office_hours(start: str, end: str, zone: str, freq: str = "h") -> pd.Series:
    """50 requests/s from eight to six on that clock, 10 otherwise: known at every stamp, without noise."""
    times = pd.date_range(start, end, freq=freq, tz="UTC", inclusive="left")
    local = times.tz_convert(zone)
    return pd.Series(np.where((local.hour >= 8) & (local.hour < 18), 50.0, 10.0), index=times, name="web")


@pytest.mark.parametrize("freq", ["h", "15min"])
@pytest.mark.parametrize(
    ("cutoff", "change"), [("2026-10-24", "ends"), ("2026-10-27", "has ended"), ("2026-03-28", "begins")]
)
def test_office_hours_stay_office_hours_when_summer_time(cutoff: str, change: str, freq: str) -> None:
    assert change
    load = office_hours("2026-01-05", "2026-12-01", "Europe/Paris", freq)
    past, future = (
        load[load.index < cutoff],
        load[load.index >= cutoff].iloc[: round(pd.Timedelta("5D") / load.index.diff()[1])],
    )
    past = past.tail(round(pd.Timedelta("56D") / load.index.diff()[1]))
    median = forecast(past, len(future), model="profile", services=[PARIS]).quantile(0.5)
    assert np.abs(median.to_numpy() - future.to_numpy()).max() < 1
    in_utc = forecast(past, len(future), model="profile").quantile(0.5)
    assert np.abs(in_utc.to_numpy() - future.to_numpy()).max() > 10  # what the clock is worth


def test_shifts_agree_with_asking_the_clock_stamp_by_stamp() -> None:
    times = pd.date_range("2026-02-01", "2026-12-01", freq="30min", tz="UTC", unit="us", inclusive="left")
    known, stamps = len(times) - 2000, times.to_pydatetime()
    for zone in ("America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"):
        there = ZoneInfo(zone)
        offsets = [stamp.astimezone(there).utcoffset() / timedelta(minutes=30) for stamp in stamps]
        assert shifts_of(zone, times, known).tolist() == [round(offset - offsets[known - 1]) for offset in offsets]


def test_intervals_that_an_hour_does_not_divide_into_stay_where_they_are() -> None:
    days = pd.date_range("2026-10-01", periods=60, freq="D", tz="UTC", unit="us")
    assert not shifts_of("Europe/Paris", days, 30).any()
    two_hours = pd.date_range("2026-10-01", periods=600, freq="2h", tz="UTC", unit="us")
    assert not shifts_of("Europe/Paris", two_hours, 599).any()


def test_moving_to_the_wall_clock_agrees_with_a_loop_and_leaves_the_input_alone() -> None:
    rng = np.random.default_rng(5)
    times = pd.date_range("2026-10-20", periods=240, freq="h", tz="UTC", unit="us")
    demand = make_demand({("web", "requests"): rng.random(240), ("api", "requests"): rng.random(240)}, times, burst=2.0)
    shifts = np.array([shifts_of("Europe/Paris", times, 240), shifts_of("America/New_York", times, 240)])
    before = demand.values.copy()
    wall = on_wall(demand, shifts)
    for row in range(2):
        expected = np.full(240, np.nan)
        for at in range(240):
            if 0 <= at + shifts[row, at] < 240:
                expected[at + shifts[row, at]] = before[row, at]
        np.testing.assert_array_equal(wall.values[row], expected)
        np.testing.assert_array_equal(wall.peaks[row], 2 * expected)
    np.testing.assert_array_equal(demand.values, before)


def test_zones_travel_with_their_series() -> None:
    load = office_hours("2026-01-05", "2026-02-01", "Europe/Paris")
    table = pd.DataFrame({"api": load, "web": load})
    demand = demand_from(table, services=[PARIS])
    assert dict(zip([key.service for key in demand.keys], demand.zones, strict=True)) == {
        "api": "UTC",
        "web": "Europe/Paris",
    }
    assert demand.of("web").zones == ("Europe/Paris",)


def test_a_zone_for_each_series_is_asked_for() -> None:
    demand = make_demand(
        {("web", "requests"): np.ones(48)}, pd.date_range("2026-01-01", periods=48, freq="h", tz="UTC")
    )
    with pytest.raises(ValueError, match="1 series and 2 zones"):
        replace(demand, zones=("UTC", "Europe/Paris"))


def test_a_backtest_rehearses_on_the_same_clocks() -> None:
    load = office_hours("2026-08-31", "2026-11-02", "Europe/Paris")
    with_clock = backtest(load, ["profile"], "7d", 1, services=[PARIS]).frame
    without = backtest(load, ["profile"], "7d", 1).frame
    ours = with_clock.loc[with_clock["model"] == "profile", "wql"].item()
    assert ours < 0.2 * without.loc[without["model"] == "profile", "wql"].item()
