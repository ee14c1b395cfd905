"""History to demand: percentages become vCPU and GiB, finer data coarser, and what is not known stays so."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Service
from capacity.demand import Demand, Key, estimate_demand
from capacity.demand.absolute import shown_sizes
from capacity.demand.cleaning import cleaned
from capacity.errors import HistoryError, InputError
from capacity.history import History, read
from tests.makers import daily_wave, hourly

START = pd.Timestamp("2026-08-03", tz="UTC")


def rows(
    metric: str, values: Any, *, service: str = "web", stat: str = "mean", seconds: int = 3600, at: Any = START
) -> pd.DataFrame:
    """Observations of one series; NaN leaves the row out."""
    values = np.asarray(values, dtype=float)
    times = pd.date_range(at, periods=len(values), freq=f"{seconds}s", unit="us")
    table = pd.DataFrame({"timestamp": times, "value": values}).assign(
        service=service, metric=metric, stat=stat, interval=seconds
    )
    return table.dropna()


def history(*tables: pd.DataFrame) -> History:
    return read(pd.concat(tables, ignore_index=True))


def one(demand: Demand, metric: str = "cpu") -> np.ndarray:
    return demand.series("web", metric).to_numpy()


# --- ways to vCPU and GiB --------------------------------------------------------------------------------------------


def test_measured_vcpu_wins_over_anything_derived() -> None:
    demand = estimate_demand(
        history(rows("cpu", [3.0] * 48), rows("cpu_utilization", [50.0] * 48), rows("cpu_reserved", [8.0] * 48))
    )
    np.testing.assert_array_equal(one(demand), 3.0)
    assert demand.derived == ("measured",)


def test_utilisation_of_what_is_reserved_is_what_is_used() -> None:
    demand = estimate_demand(
        history(
            rows("cpu_utilization", [50.0] * 48),
            rows("cpu_reserved", [8.0] * 48),
            rows("memory_utilization", [25.0] * 48),
            rows("memory_reserved", [16.0] * 48),
        )
    )
    np.testing.assert_array_equal(one(demand), 4.0)
    np.testing.assert_array_equal(one(demand, "memory"), 4.0)
    assert demand.derived == ("cpu_utilization x cpu_reserved", "memory_utilization x memory_reserved")


def test_running_tasks_and_a_stated_size_make_vcpu() -> None:
    service = Service(name="web", task_vcpu=0.5, task_memory_gib=1)
    demand = estimate_demand(
        history(rows("cpu_utilization", [50.0] * 48), rows("running_tasks", [6.0] * 48)), [service]
    )
    np.testing.assert_array_equal(one(demand), 1.5)
    assert demand.derived == ("cpu_utilization x running_tasks x 0.5 vCPU",)


def test_tasks_that_ran_come_along_and_are_never_a_series_to_forecast() -> None:
    ran = np.where(np.arange(48) < 6, np.nan, 6.0)
    tables = rows("requests", [5.0] * 48), rows("memory", [9.0] * 48), rows("running_tasks", ran)
    demand = estimate_demand(history(*tables))
    assert [key.metric for key in demand.keys] == ["requests", "memory"]
    np.testing.assert_array_equal(demand.tasks["web"], ran)
    assert estimate_demand(history(*tables[:2])).tasks == {}
    later = demand.since(demand.times[6])
    np.testing.assert_array_equal(later.tasks["web"], ran[6:])
    assert list(later.rows([0]).tasks) == ["web"]
    assert later.rows([]).tasks == {}
    with pytest.raises(InputError, match="of 'web' has shape"):
        replace(later, tasks={"web": ran})


def test_an_assumed_number_of_tasks_is_the_last_resort_and_is_named() -> None:
    service = Service(name="web", task_vcpu=2, task_memory_gib=4, assumed_running_tasks=3)
    demand = estimate_demand(history(rows("cpu_utilization", [50.0] * 48)), [service])
    np.testing.assert_array_equal(one(demand), 3.0)
    assert demand.derived == ("cpu_utilization x 3 assumed tasks x 2 vCPU",)


def test_where_one_way_has_a_gap_the_next_one_fills_it_and_both_are_named() -> None:
    reserved = np.full(48, 8.0)
    reserved[:12] = np.nan
    service = Service(name="web", task_vcpu=1)
    demand = estimate_demand(
        history(
            rows("cpu_utilization", [50.0] * 48), rows("cpu_reserved", reserved), rows("running_tasks", [8.0] * 48)
        ),
        [service],
    )
    np.testing.assert_array_equal(one(demand), 4.0)
    assert demand.derived == ("cpu_utilization x cpu_reserved, else cpu_utilization x running_tasks x 1 vCPU",)


def test_a_percentage_alone_is_unknown_and_the_rest_is_still_estimated() -> None:
    demand = estimate_demand(history(rows("requests", [5.0] * 48), rows("cpu_utilization", [50.0] * 48)))
    assert demand.keys == (Key("web", "requests"),)
    (finding,) = demand.findings
    assert (finding.check, finding.status, finding.metric) == ("percent", "UNKNOWN", "cpu")
    assert "assumed_running_tasks" in finding.advice


def test_nothing_but_percentages_is_an_error_that_says_what_to_state() -> None:
    with pytest.raises(HistoryError, match="assumed_running_tasks"):
        estimate_demand(history(rows("cpu_utilization", [50.0] * 48)))


def test_a_history_without_anything_like_demand_is_an_error_that_says_what_it_takes() -> None:
    with pytest.raises(HistoryError, match="There are: latency"):
        estimate_demand(history(rows("latency", [0.2] * 48, stat="p95")))


def test_percentages_and_counts_that_never_meet_are_not_multiplied() -> None:
    later = START + pd.Timedelta(days=10)
    with pytest.raises(HistoryError):
        estimate_demand(history(rows("cpu_utilization", [50.0] * 48), rows("cpu_reserved", [8.0] * 48, at=later)))


def test_a_stated_size_that_the_history_contradicts_is_pointed_out() -> None:
    tables = rows("cpu_utilization", [50.0] * 48), rows("cpu_reserved", [16.0] * 48), rows("running_tasks", [8.0] * 48)
    wrong = estimate_demand(history(*tables), [Service(name="web", task_vcpu=1)])
    assert [(f.check, f.status) for f in wrong.findings] == [("task size", "REVIEW")]
    right = estimate_demand(history(*tables), [Service(name="web", task_vcpu=2, task_memory_gib=4)])
    assert len(right.findings) == 0


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_the_size_of_a_task_is_the_median_of_what_each_reserved_over_the_last_quarter(seed: int) -> None:
    rng, seen = np.random.default_rng(seed), []
    known: dict[tuple[int, int, str], float] = {}
    for interval in (60, 3600):
        for metric in ("running_tasks", "cpu_reserved"):
            places = np.flatnonzero(rng.random(12) < 0.7)
            values = rng.integers(0, 4, len(places)).astype(float)
            known |= {(int(place), interval, metric): value for place, value in zip(places, values, strict=True)}
            about = {"metric": metric, "stat": "mean", "interval": interval}
            seen.append(pd.DataFrame({"timestamp": START + places * pd.Timedelta("1h"), "value": values, **about}))
    each = []
    for place, interval in sorted({(place, interval) for place, interval, _ in known}):
        ran, reserved = (known.get((place, interval, metric)) for metric in ("running_tasks", "cpu_reserved"))
        each += [reserved / ran] if ran and reserved is not None else []
    expected = {"cpu": float(np.median(each[len(each) * 3 // 4 :]))} if each else {}
    assert shown_sizes(pd.concat(seen, ignore_index=True)) == expected


# --- intervals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [0, 5, 10, 14])
def test_quarters_of_an_hour_that_begin_off_the_hour_are_in_no_hour_beyond_the_last(minutes: int) -> None:
    quarters = rows("requests", [4.0] * 96, seconds=900, at=START + pd.Timedelta(minutes=minutes))
    demand = estimate_demand(history(quarters), interval="1h")
    assert demand.times[0] == START
    assert one(demand, "requests").tolist() == [4.0] * 24


def test_hours_over_a_year_win_over_minutes_of_a_fortnight() -> None:
    demand = estimate_demand(
        history(
            rows("requests", np.full(24 * 60, 10.0)),
            rows("requests", np.full(1440, 10.0), seconds=60, at=START + pd.Timedelta(days=59)),
        )
    )
    assert demand.interval == pd.Timedelta(hours=1)
    assert len(demand.times) == 24 * 60


def test_minutes_become_hours_as_pandas_would_average_them_and_give_the_peaks() -> None:
    minutes = np.random.default_rng(0).gamma(4, 10, 48 * 60)
    demand = estimate_demand(history(rows("requests", minutes, seconds=60)), interval="1h")
    expected = pd.Series(minutes, pd.date_range(START, periods=len(minutes), freq="min")).resample("1h")
    np.testing.assert_allclose(one(demand, "requests"), expected.mean())
    np.testing.assert_allclose(demand.peaks[0], expected.max())


@pytest.mark.parametrize(("missing", "known"), [(30, True), (31, False)])
def test_half_of_the_minutes_speak_for_an_hour_and_fewer_do_not(missing: int, known: bool) -> None:
    minutes = np.full(180, 7.0)
    minutes[60 : 60 + missing] = np.nan
    demand = estimate_demand(history(rows("requests", minutes, seconds=60)), interval="1h")
    assert np.isfinite(one(demand, "requests")).tolist() == [True, known, True]


def test_a_gap_of_both_is_a_gap_and_never_a_zero() -> None:
    values = np.full(48, 7.0)
    values[10:13] = np.nan
    found = one(estimate_demand(history(rows("requests", values))), "requests")
    assert np.flatnonzero(np.isnan(found)).tolist() == [10, 11, 12]


def test_minutes_fill_an_hour_that_is_missing() -> None:
    hours = np.full(48, 7.0)
    hours[20] = np.nan
    minutes = rows("requests", np.full(60, 9.0), seconds=60, at=START + pd.Timedelta(hours=20))
    found = one(estimate_demand(history(rows("requests", hours), minutes)), "requests")
    assert (found[19], found[20], found[21]) == (7.0, 9.0, 7.0)


def test_products_are_made_minute_by_minute_before_they_are_averaged() -> None:
    """Half the hour 1 task at 100 %, half 9 tasks at 20 %: 1.4 vCPU; the product of the means would say 3."""
    utilization = np.tile(np.repeat([100.0, 20.0], 30), 24)
    tasks = np.tile(np.repeat([1.0, 9.0], 30), 24)
    demand = estimate_demand(
        history(rows("cpu_utilization", utilization, seconds=60), rows("running_tasks", tasks, seconds=60)),
        [Service(name="web", task_vcpu=1)],
        interval="1h",
    )
    np.testing.assert_allclose(one(demand), 1.4)
    np.testing.assert_allclose(demand.peaks[0], 1.8)


def test_quantities_of_different_intervals_meet_on_the_grid() -> None:
    demand = estimate_demand(
        history(rows("cpu_utilization", np.full(48 * 12, 40.0), seconds=300), rows("cpu_reserved", [5.0] * 48)),
        interval="1h",
    )
    np.testing.assert_allclose(one(demand), 2.0)


def test_coarse_data_is_never_split() -> None:
    tables = rows("requests", np.full(24 * 20, 5.0)), rows("requests", [5.0] * 10, service="daily", seconds=86400)
    demand = estimate_demand(history(*tables))
    assert demand.services == ["web"]
    assert [(f.service, f.check, f.status) for f in demand.findings] == [("daily", "interval", "UNKNOWN")]
    with pytest.raises(InputError, match="none of them divides"):
        estimate_demand(history(*tables), interval="5min")
    days = estimate_demand(history(*tables), interval="1d")
    np.testing.assert_allclose(days.series("web", "requests"), 5.0)


def test_an_unfinished_last_hour_is_not_part_of_the_demand() -> None:
    minutes = rows("requests", np.full(48 * 60 + 20, 7.0), seconds=60)
    demand = estimate_demand(history(minutes), interval="1h")
    assert demand.end == START + pd.Timedelta(hours=48)


def test_days_at_local_midnight_keep_their_day_when_the_clock_changes() -> None:
    local = pd.date_range("2026-03-25", periods=10, freq="D", tz="Europe/Paris")
    table = pd.DataFrame({"service": "web", "metric": "requests", "timestamp": local.tz_convert("UTC")})
    table["value"] = np.arange(10.0) + 1
    demand = estimate_demand(read(table, interval_seconds=86400))
    np.testing.assert_array_equal(one(demand, "requests"), np.arange(10.0) + 1)


def test_services_that_start_minutes_apart_share_one_grid_and_it_is_said() -> None:
    late = rows("requests", [6.0] * 40, service="late", seconds=300, at=START + pd.Timedelta(minutes=2))
    demand = estimate_demand(history(rows("requests", [5.0] * 48, seconds=300), late))
    np.testing.assert_array_equal(demand.series("late", "requests").to_numpy()[:40], 6.0)
    assert [(f.service, f.check, f.count) for f in demand.findings] == [("late", "grid", 40)]


# --- peaks -----------------------------------------------------------------------------------------------------------


def test_the_largest_minute_of_an_hour_comes_from_max_rows() -> None:
    demand = estimate_demand(
        history(rows("requests", [10.0] * 48), rows("requests", [14.0] * 24 + [np.nan] * 24, stat="max"))
    )
    np.testing.assert_array_equal(demand.peaks[0], [14.0] * 24 + [np.nan] * 24)


def test_the_busiest_task_says_nothing_of_the_peak_of_all_but_for_a_single_task() -> None:
    def peaks(tasks: float) -> np.ndarray:
        return estimate_demand(
            history(
                rows("cpu_utilization", [40.0] * 48),
                rows("cpu_utilization", [90.0] * 48, stat="max"),
                rows("cpu_reserved", [2.0 * tasks] * 48),
                rows("running_tasks", [tasks] * 48),
            )
        ).peaks[0]

    assert np.isnan(peaks(5.0)).all()
    np.testing.assert_allclose(peaks(1.0), 1.8)


def test_a_peak_that_the_mean_rules_out_is_not_known() -> None:
    tops = [12.0] * 46 + [4.0, 5e9]
    demand = estimate_demand(history(rows("requests", [10.0] * 48), rows("requests", tops, stat="max")))
    assert demand.peaks[0][:46].tolist() == [12.0] * 46
    assert demand.peaks[0][46] == 10.0  # rounded below the mean: the mean
    assert np.isnan(demand.peaks[0][47])


# --- damage ----------------------------------------------------------------------------------------------------------


def test_a_billionfold_value_is_a_gap_with_a_failed_check() -> None:
    values = daily_wave(hourly(20))
    values[100] *= 1e9
    demand = estimate_demand(history(rows("requests", values)))
    assert np.flatnonzero(np.isnan(one(demand, "requests"))).tolist() == [100]
    assert [(f.check, f.status, f.count) for f in demand.findings] == [("outliers", "FAIL", 1)]


def test_negative_counts_are_gaps_with_a_failed_check() -> None:
    values = daily_wave(hourly(20))
    values[[7, 9]] = -5
    demand = estimate_demand(history(rows("requests", values)))
    assert np.flatnonzero(np.isnan(one(demand, "requests"))).tolist() == [7, 9]
    assert [(f.check, f.status, f.count) for f in demand.findings] == [("negative", "FAIL", 2)]


def test_a_launch_of_tenfold_and_a_service_that_comes_alive_are_not_damage() -> None:
    times = hourly(100)
    launch, alive = daily_wave(times), np.full(len(times), 0.001)
    launch[500:506] *= 10
    alive[-5:] = 50.0
    for values in (launch, alive):
        clean, findings = cleaned(values, Key("web", "requests"), times, pd.Timedelta(hours=1))
        np.testing.assert_array_equal(clean, values)
        assert findings == []


def test_a_name_with_markup_or_a_formula_stays_a_name() -> None:
    for name in ["=cmd()", "<script>alert(1)</script>", 'a "b" c']:
        demand = estimate_demand(history(rows("requests", [5.0] * 48, service=name)))
        assert demand.services == [name]
        assert "<script>" not in demand._repr_html_()


# --- saturation ------------------------------------------------------------------------------------------------------


def pinned(utilization: float, tasks: float, service: Service | None) -> int:
    """How many of the last 24 of 240 hours are marked, when they run `tasks` at `utilization`; before: 6 at 50 %."""
    level = np.where(np.arange(240) < 216, 50.0, utilization)
    count = np.where(np.arange(240) < 216, 6.0, tasks)
    demand = estimate_demand(
        history(rows("cpu_utilization", level), rows("running_tasks", count), rows("cpu_reserved", count)),
        [service] if service else [],
    )
    assert not demand.censored[0][:216].any()
    return int(demand.censored[0].sum())


@pytest.mark.parametrize(
    ("utilization", "tasks", "marked"),
    [(95.0, 12.0, 24), (70.0, 12.0, 0), (95.0, 9.0, 24), (98.0, 9.0, 24), (85.0, 9.0, 0)],
    ids=["at its maximum and busy", "at its maximum, at ease", "at its own highest", "full", "below its maximum"],
)
def test_saturation_is_a_busy_service_that_has_no_more_tasks(utilization: float, tasks: float, marked: int) -> None:
    assert pinned(utilization, tasks, Service(name="web", max_tasks=12)) == marked


def test_without_a_stated_maximum_the_own_one_counts() -> None:
    assert pinned(95.0, 12.0, None) == 24
    assert pinned(70.0, 12.0, None) == 0


def test_saturation_is_said_once_a_series_with_its_span() -> None:
    level = np.where(np.arange(240) < 216, 50.0, 99.0)
    demand = estimate_demand(history(rows("cpu_utilization", level), rows("cpu_reserved", [4.0] * 240)))
    (finding,) = demand.findings
    assert (finding.check, finding.status, finding.count) == ("censored", "REVIEW", 24)
    assert finding.start == START + pd.Timedelta(hours=216)
    assert finding.end == START + pd.Timedelta(hours=240)


def test_the_order_of_rows_does_not_matter() -> None:
    tables = [rows("requests", np.arange(48.0) + 1), rows("requests", np.arange(48.0) + 2, stat="max")]
    forward, backward = (estimate_demand(history(*order)) for order in (tables, tables[::-1]))
    np.testing.assert_array_equal(forward.values, backward.values)
    np.testing.assert_array_equal(forward.peaks, backward.peaks)


def test_the_grid_is_that_of_the_interval_which_reaches_longest_with_the_finer_ones_after_it() -> None:
    """As CloudWatch keeps it: five minutes before, minutes of late; each five minutes' mean is that of its minutes."""
    start = pd.Timestamp("2026-08-03", tz="UTC")
    coarse = pd.date_range(start, periods=5 * 288, freq="5min")
    fine = pd.date_range(coarse[-1] + pd.Timedelta("5min"), periods=15 * 1440, freq="min")
    rows = pd.concat(
        [
            pd.DataFrame({"timestamp": coarse, "value": 1.0, "interval": 300}),
            pd.DataFrame({"timestamp": fine, "value": np.arange(len(fine)) % 5, "interval": 60}),
        ]
    )
    history = read(rows.assign(service="web", metric="requests", stat="mean"))
    demand = estimate_demand(history)
    assert demand.interval == pd.Timedelta("5min")
    assert len(demand.times) == 20 * 288
    assert (demand.values[0][: len(coarse)] == 1.0).all()
    assert (demand.values[0][len(coarse) :] == 2.0).all()
    assert (demand.peaks[0][len(coarse) :] == 4.0).all()


def test_a_grid_that_is_too_fine_to_plan_by_is_averaged_and_a_coarser_one_stays() -> None:
    minutes = pd.date_range("2026-08-03", periods=3 * 1440, freq="min", tz="UTC")
    values = np.arange(len(minutes)) % 60.0
    rows = pd.DataFrame({"timestamp": minutes, "value": values, "service": "web", "metric": "requests"})
    demand = estimate_demand(read(rows), at_least="1h")
    assert demand.interval == pd.Timedelta("1h")
    assert (demand.values[0] == 29.5).all()
    assert (demand.peaks[0] == 59.0).all()
    assert estimate_demand(read(rows.iloc[::1440]), at_least="1h").interval == pd.Timedelta("1D")
