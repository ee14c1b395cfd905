"""Half an hour, and a week in which clocks change, worked out on paper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from capacity.config import Goal, PriceSettings, Rate, Service
from capacity.planning import plan
from capacity.scaling import ScheduledAction, ServicePolicy, TargetTracking, recommend_policy, simulate
from capacity.scaling.bounds import bounds
from tests.makers import make_demand, make_forecast

WEB = Service(
    name="web",
    region="eu-west-1",
    requests_per_second_per_task=50,
    task_vcpu=0.5,
    task_memory_gib=1,
    startup_seconds=120,
    timezone="Europe/Berlin",
    min_tasks=2,
    max_tasks=200,
)
PRICES = PriceSettings(rate=(Rate(region="eu-west-1", vcpu=0.04, memory_gb=0.004),))


def test_half_an_hour_minute_by_minute() -> None:
    """100 requests/s, from minute 10 on 400. A task is at its target at 40 and full at 50 requests/s.

    0-9    3 tasks: 2.5 are at the target
    10-12  three minutes above the target; a minute is read three minutes after it has ended: seen in minute 16
    16     asks for ceil(3 x 8,000 a minute / 2,400) = 10; they serve two minutes later
    10-17  8 full tasks are needed, 3 serve: eight short minutes, 5 tasks missing in each
    """
    load = [100.0] * 10 + [400.0] * 20
    minutes = pd.date_range("2026-03-02 09:00", periods=30, freq="min", tz="UTC")
    policy = ServicePolicy(WEB, 2, 200, TargetTracking("requests", target=2400, scale_out_cooldown=360))
    result = simulate(policy, pd.Series(load, index=minutes), prices=PRICES)
    rows, metrics = result.of("web"), result.metrics.iloc[0]
    assert rows["desired"].tolist() == [3] * 16 + [10] * 14
    assert rows["running"].tolist() == [3] * 18 + [10] * 12
    assert rows["demand"].tolist() == [2.0] * 10 + [8.0] * 20
    assert rows["utilization"].iloc[[0, 12, 29]].tolist() == pytest.approx([100 / 1.5, 400 / 1.5, 80.0])
    assert (metrics["short_minutes"], metrics["short_share"], metrics["changes"]) == (8, 8 / 30, 1)
    assert metrics["missing_task_hours"] == pytest.approx(8 * 5 / 60)
    hours = (16 * 3 + 14 * 10) / 60  # paid from launch on, not from serving on
    assert metrics["task_hours"] == pytest.approx(hours)
    assert metrics["usd"] == pytest.approx(hours * (0.5 * 0.04 + 1 * 0.004))
    assert metrics["theta_u"] == pytest.approx(100 * (8 * 5 / 8) / 30)  # 5 of 8 missing in 8 of 30 minutes
    assert metrics["theta_o"] == pytest.approx(100 * (10 * 1 / 2 + 12 * 2 / 8) / 30)
    assert (metrics["tau_u"], metrics["tau_o"]) == pytest.approx((100 * 8 / 30, 100 * 22 / 30))


def test_a_scheduled_minimum_stays_on_the_local_clock_when_clocks_change() -> None:
    """Berlin leaves summer time on 25 October 2026: 7:55 is 5:55 UTC on Friday the 23rd and 6:55 on Monday the 26th."""
    up = ScheduledAction("up", "cron(55 7 ? * MON-FRI *)", 9, 200, "Europe/Berlin")
    down = ScheduledAction("down", "cron(0 18 ? * MON-FRI *)", 3, 200, "Europe/Berlin")
    times = pd.date_range("2026-10-22", "2026-10-27 23:59", freq="min", tz="UTC")
    least, most = bounds(ServicePolicy(WEB, 2, 200, TargetTracking("requests", 2400), (up, down)), times)
    rises = times[1:][np.diff(least) > 0].strftime("%d %H:%M").tolist()
    falls = times[1:][np.diff(least) < 0].strftime("%d %H:%M").tolist()
    assert rises == ["22 05:55", "23 05:55", "26 06:55", "27 06:55"]
    assert falls == ["22 16:00", "23 16:00", "26 17:00", "27 17:00"]
    assert (most == 200).all()


def test_the_recommended_schedule_follows_the_load_across_a_change_of_clocks() -> None:
    """Offices open at 8:00 in Berlin, before and after 25 October: so do the minimums, and they hold the need."""
    times = pd.date_range("2026-07-27", "2026-10-18 23:55", freq="5min", tz="UTC")
    ahead = pd.date_range(times[-1] + pd.Timedelta(minutes=5), periods=14 * 288, freq="5min", tz="UTC")

    def office(stamps: pd.DatetimeIndex) -> np.ndarray:
        local = stamps.tz_convert("Europe/Berlin")
        return np.where((local.hour >= 8) & (local.hour < 18) & (local.day_of_week < 5), 2000.0, 200.0)

    demand = make_demand({("web", "requests"): office(times)}, times)
    forecast = make_forecast(demand, steps=len(ahead), paths=20, spread=0.0)
    forecast = replace(forecast, paths=np.broadcast_to(office(ahead), forecast.paths.shape).copy())
    made = plan(forecast, WEB, goal=Goal(survive_zone_loss=False), peaks=lambda f: f.paths)
    policy = recommend_policy(made, peaks=lambda f: f.paths)["web"]
    assert policy.schedule
    assert {action.timezone for action in policy.schedule if action.schedule.startswith("cron")} == {"Europe/Berlin"}
    needed = np.ceil(office(ahead) / 50)
    run = simulate(policy, pd.Series(office(ahead), index=ahead)).of("web")
    serving = run["running"].to_numpy()[::5]
    after_the_first_rise = np.arange(len(ahead)) > 288
    assert (serving >= needed)[after_the_first_rise].all()  # also in the first minute after each opening
    assert serving[after_the_first_rise].mean() < 1.25 * needed[after_the_first_rise].mean()
    least, _ = bounds(policy, ahead)
    local = ahead.tz_convert("Europe/Berlin")
    opening = (local.hour == 8) & (local.minute == 0) & (local.day_of_week < 5)
    assert (least[opening] >= 40).all()
    assert (least[(local.hour < 7) & after_the_first_rise] <= 5).all()
