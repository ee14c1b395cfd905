"""The generator: what it draws has the properties its settings name, and a service behaves like one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from capacity.samples.knowing import lost_share
from capacity.samples.model import CUTOFF, START, TRUTH_END, Bursts, Noise, Outage, ServiceModel, Step, Surge, utc
from capacity.samples.observing import lived, rounded, usd_per_hour
from capacity.samples.process import arrivals, burst_heights, calendar, expected, lasting, minutes_of
from capacity.samples.running import Run, p95_at, requests_per_task_at_slo, run
from capacity.samples.shop import SHOP

FLAT = ServiceModel(name="flat", character="", seed=1, base=100.0, hours=(1,) * 24, week=(1,) * 7, noise=Noise(0, 0, 0))
WEEK = pd.date_range("2026-03-02", periods=7 * 1440, freq="min", tz="UTC", unit="us")


def served(model: ServiceModel, load: np.ndarray) -> Run:
    return run(model, load, np.full(len(load), model.cpu_seconds_per_request))


# --- arrivals --------------------------------------------------------------------------------------------------------


def test_a_year_of_growth_is_a_year_of_growth() -> None:
    times = pd.DatetimeIndex([START, START + pd.Timedelta(days=365.25)])
    first, later = expected(replace(FLAT, growth=0.6), times)
    assert later / first == pytest.approx(1.6)


@pytest.mark.parametrize("model", SHOP, ids=lambda model: model.name)
def test_the_calendar_averages_to_one_over_a_plain_week(model: ServiceModel) -> None:
    """So that `base` is the weekly mean, whatever the shape of day and week."""
    plain = replace(model, season=0.0, month_start=1.0, timezone="UTC")
    assert calendar(plain, WEEK).mean() == pytest.approx(1.0, abs=0.02)


def test_the_day_follows_the_local_clock_across_its_change() -> None:
    hours = tuple(100 if hour == 9 else 1 for hour in range(24))
    model = replace(FLAT, hours=hours, timezone="Europe/Paris")
    days = pd.DatetimeIndex(["2026-03-28 08:00", "2026-03-29 07:00"], tz="UTC")  # nine in Paris, both
    before, after = calendar(model, days)
    assert before == pytest.approx(after)


def test_steps_surges_and_outages_multiply_what_is_expected() -> None:
    at = utc("2026-03-03 12:00")
    model = replace(
        FLAT,
        steps=(Step(at, 1.6, "migration"),),
        surges=(Surge(utc("2026-03-04"), 4.0, 3.0, "launch"),),
        outages=(Outage(utc("2026-03-06"), utc("2026-03-06 02:00"), 0.1, "down"),),
    )
    rate = pd.Series(expected(model, WEEK), WEEK)
    assert rate[at] / rate[at - pd.Timedelta(minutes=1)] == pytest.approx(1.6)
    top = rate[utc("2026-03-04 00:15")] / rate[utc("2026-03-03 23:59")]
    assert top == pytest.approx(1 + 3 * 2 ** (-0.25 / 3))
    assert rate[utc("2026-03-06 01:00")] / rate[utc("2026-03-06 03:00")] == pytest.approx(0.1, rel=0.01)


def test_arrivals_average_to_what_is_expected() -> None:
    for model in (SHOP[2], SHOP[5]):  # checkout, and partner-api with its bursts
        times = minutes_of(model)
        assert arrivals(model, times).mean() == pytest.approx(expected(model, times).mean(), rel=0.02)


def test_counts_are_whole_requests_a_minute_and_poisson_without_other_noise() -> None:
    per_minute = arrivals(replace(FLAT, base=2.0), minutes_of(FLAT)) * 60
    np.testing.assert_allclose(per_minute, np.round(per_minute), atol=1e-9)
    assert per_minute.var() / per_minute.mean() == pytest.approx(1.0, abs=0.02)


def test_noise_has_mean_one_and_the_spread_asked_for() -> None:
    noise = lasting(0.2, 0.6, 200_000, np.random.default_rng(0))
    assert noise.mean() == pytest.approx(1.0, abs=0.01)
    assert np.log(noise).std() == pytest.approx(0.2, abs=0.01)


def test_bursts_add_what_their_settings_say() -> None:
    bursts = Bursts(per_day=20, minutes=(5, 15), height=(2, 6))
    heights = burst_heights(bursts, 1440 * 400, np.random.default_rng(0))
    assert 1 + heights.mean() == pytest.approx(bursts.expected, rel=0.05)
    assert (heights >= 0).all()


def test_the_same_settings_give_the_same_arrivals_and_another_seed_others() -> None:
    model = SHOP[-1]
    times = minutes_of(model)
    np.testing.assert_array_equal(arrivals(model, times), arrivals(model, times))
    assert (arrivals(replace(model, seed=99), times) != arrivals(model, times)).any()


def test_minutes_run_from_launch_to_the_end_of_the_truth() -> None:
    times = minutes_of(SHOP[-1])
    assert times[0] == utc("2026-10-05")
    assert times[-1] == TRUTH_END - pd.Timedelta(minutes=1)
    assert TRUTH_END - CUTOFF >= pd.Timedelta(days=91)


# --- running ---------------------------------------------------------------------------------------------------------


def test_a_steady_load_settles_at_the_target() -> None:
    """100 requests/s at 0.03 vCPU-seconds are 3 vCPU; at 60 % and with idle tasks that takes 6 tasks of 1 vCPU."""
    model = replace(FLAT, cpu_seconds_per_request=0.03)
    outcome = served(model, np.full(600, 100.0))
    assert outcome.tasks[-1] == 6
    assert outcome.utilization[-1] == pytest.approx(100 * (3 + 6 * 0.02) / 6)


def test_scaling_out_waits_for_three_minutes_and_the_start() -> None:
    """Load doubles at minute 100: three minutes above the target, then two minutes to start (90 s, rounded up)."""
    model = replace(FLAT, cpu_seconds_per_request=0.03, startup_seconds=90)
    load = np.where(np.arange(300) < 100, 100.0, 200.0)
    tasks = served(model, load).tasks
    more = np.flatnonzero(tasks > tasks[99])[0]
    assert more == 100 + 2 + 1 + 2  # third minute above, acted on in the next, ready two later


def test_scaling_in_waits_for_a_quarter_of_an_hour() -> None:
    model = replace(FLAT, cpu_seconds_per_request=0.03)
    load = np.where(np.arange(300) < 100, 200.0, 100.0)
    tasks = served(model, load).tasks
    fewer = np.flatnonzero(tasks[100:] < tasks[99])[0]
    assert fewer == 15
    assert tasks[-1] == 6


def test_work_beyond_the_maximum_is_lost_half_of_it_uncounted() -> None:
    model = replace(FLAT, cpu_seconds_per_request=0.1, max_tasks=4)  # serves 4 x 0.98 / 0.1 = 39.2 requests/s
    outcome = served(model, np.full(60, 100.0))
    assert outcome.utilization[-1] == pytest.approx(100.0)
    assert outcome.errors[-1] == pytest.approx((100 - 39.2) / 2)
    assert outcome.counted[-1] == pytest.approx(39.2 + (100 - 39.2) / 2)
    assert outcome.lost[-1] == pytest.approx(1 - 0.392)


def test_work_of_a_queue_waits_and_is_all_done() -> None:
    model = replace(FLAT, worker=True, cpu_seconds_per_request=0.1, min_tasks=1, max_tasks=6)
    load = np.where((np.arange(600) >= 60) & (np.arange(600) < 90), 100.0, 0.0)
    outcome = served(model, load)
    work = (outcome.vcpu - outcome.idle) / 0.1
    assert work.sum() == pytest.approx(load.sum())
    assert (outcome.errors == 0).all()
    assert work[110] > 0  # twenty minutes after the last job came there is still something to do


@pytest.mark.parametrize("model", SHOP, ids=lambda model: model.name)
def test_tasks_stay_between_their_bounds_and_utilisation_below_a_hundred(model: ServiceModel) -> None:
    rng = np.random.default_rng(0)
    outcome = served(model, model.base * rng.gamma(1, 3, 5000))
    assert outcome.tasks.min() >= model.min_tasks
    assert outcome.tasks.max() <= model.max_tasks
    assert outcome.utilization.max() <= 100 + 1e-9


def test_latency_rises_with_load_and_meets_the_slo_at_the_stated_capacity() -> None:
    for model in SHOP:
        if model.worker:
            continue
        cost = model.cpu_seconds_per_request
        busy = np.linspace(0, 0.99, 50)
        assert (np.diff(p95_at(model, busy, cost)) >= 0).all()
        per_task = requests_per_task_at_slo(model, cost)
        at = (per_task * cost + model.idle_vcpu) / model.task_vcpu
        assert p95_at(model, np.array([at]), cost)[0] == pytest.approx(model.slo_p95_seconds, rel=0.01)
        assert 0.6 < at < 0.95


def test_an_hour_of_a_queue_is_short_by_what_it_leaves_for_the_next() -> None:
    model = SHOP[3]
    assert model.worker
    life = lived(replace(model, launched=utc("2026-11-01")))
    share = lost_share(life)
    assert ((share >= 0) & (share <= 1)).all()
    assert 0 < (share > 0.01).mean() < 0.05


# --- observing -------------------------------------------------------------------------------------------------------


def test_values_keep_four_figures() -> None:
    values = np.array([123456.0, 0.00123456, 99.996, 7.0, 0.0])
    assert rounded(values).tolist() == [123500.0, 0.001235, 100.0, 7.0, 0.0]


def test_the_price_of_a_task_is_the_published_one() -> None:
    """Check value of the price list: 1 vCPU and 2 GB of x86 cost 0.04937 USD an hour."""
    assert usd_per_hour(FLAT, np.array([1.0]))[0] == pytest.approx(0.04937)
