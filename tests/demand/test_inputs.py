"""Demand from what callers hold: every honest form is read, everything else is refused in words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Service
from capacity.demand import Demand, Key, demand_from
from capacity.demand.gridding import WallClock
from capacity.errors import HistoryError, HistoryHasGaps, HistoryTooShort, InputError
from capacity.forecasting.forecasts import in_clock
from tests.makers import hourly, make_demand

HOURS = pd.date_range("2026-03-02", periods=48, freq="h")
VALUES = np.arange(1.0, 49.0)


def series(values: Any = VALUES, index: Any = HOURS, name: str | None = "web") -> pd.Series:
    return pd.Series(values, index=index, name=name)


def checks(demand: Demand) -> dict[str, str]:
    return {finding.check: finding.status for finding in demand.findings}


# --- forms that are read ---------------------------------------------------------------------------------------------


def test_a_naive_series_is_read_as_utc_and_given_back_naive() -> None:
    demand = demand_from(series())
    assert demand.keys == (Key("web", "requests"),)
    assert str(demand.times.tz) == "UTC"
    assert demand.interval == pd.Timedelta(hours=1)
    np.testing.assert_array_equal(demand.values[0], VALUES)
    assert demand.clock is None
    assert list(in_clock(demand.times, demand.clock)) == list(HOURS)


def test_a_name_given_wins_over_the_series_own_and_over_none() -> None:
    assert demand_from(series(), name="api").services == ["api"]
    assert demand_from(series(name=None)).services == ["series"]


def test_a_metric_of_the_callers_own_is_demand_without_a_unit() -> None:
    key = demand_from(series(), metric="parcels").keys[0]
    assert (key.metric, key.unit) == ("parcels", "1")


def test_hours_with_a_zone_stand_on_utc_across_a_clock_change() -> None:
    index = pd.date_range("2026-10-24", periods=48, freq="h", tz="Europe/Paris")
    demand = demand_from(series(index=index))
    assert not np.isnan(demand.values).any()
    assert list(in_clock(demand.times, demand.clock)) == list(index)


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
def test_days_at_local_midnight_stay_calendar_days(zone: str) -> None:
    index = pd.date_range("2026-01-01", periods=365, freq="D", tz=zone)
    demand = demand_from(series(np.arange(365.0), index))
    np.testing.assert_array_equal(demand.values[0], np.arange(365.0))
    assert demand.interval == pd.Timedelta(days=1)
    assert list(in_clock(demand.times, demand.clock)) == list(index)


def test_weeks_at_local_midnight_and_quarter_days_stay_on_the_wall_clock() -> None:
    for freq in ("7D", "6h"):
        index = pd.date_range("2026-03-01", periods=40, freq="D", tz="Europe/Paris")
        if freq == "6h":
            naive = pd.date_range("2026-03-20", periods=80, freq="6h")
            index = naive.tz_localize("Europe/Paris")
        else:
            index = index[::7]
        demand = demand_from(series(np.arange(float(len(index))), index))
        assert len(demand.times) == len(index)
        assert list(in_clock(demand.times, demand.clock)) == list(index)


def test_a_midnight_that_the_clock_skips_comes_back_as_the_first_moment_after() -> None:
    """In Cairo clocks went from midnight to one on 24 April 2026."""
    days = pd.date_range("2026-04-23", periods=3, freq="D", tz="UTC")
    assert [stamp.hour for stamp in WallClock("Africa/Cairo").read(days)] == [0, 1, 0]


def test_missing_stamps_are_gaps_and_order_does_not_matter() -> None:
    kept = np.delete(np.arange(48), [5, 6, 20])
    shuffled = np.random.default_rng(0).permutation(kept)
    demand = demand_from(series(VALUES[shuffled], HOURS[shuffled]))
    assert np.flatnonzero(np.isnan(demand.values[0])).tolist() == [5, 6, 20]
    np.testing.assert_array_equal(demand.values[0][kept], VALUES[kept])


@settings(deadline=None, max_examples=40)
@given(
    kept=st.sets(st.integers(0, 60), min_size=8, max_size=40),
    step=st.sampled_from(["5min", "1h", "1D"]),
    order=st.randoms(use_true_random=False),
)
def test_each_value_stands_at_its_stamp(kept: set[int], step: str, order: Any) -> None:
    kept |= {0, 1, 2, 3, 60}  # neighbours, so that the interval can be seen
    places = sorted(kept)
    order.shuffle(places)
    stamps = pd.Timestamp("2026-03-02") + pd.Timedelta(step) * np.array(places)
    values = np.array(places, dtype=float) + 1
    found = demand_from(pd.Series(values, index=pd.DatetimeIndex(stamps)))
    expected = np.full(61, np.nan)
    expected[places] = values
    np.testing.assert_array_equal(found.values[0], expected)


@pytest.mark.parametrize("dtype", ["int64", "Int64", "float32", "Float64", "uint8"])
def test_number_types_of_all_kinds_are_read(dtype: str) -> None:
    np.testing.assert_array_equal(demand_from(series().astype(dtype)).values[0], VALUES)


def test_decimals_are_read_and_an_absent_one_is_a_gap() -> None:
    values: list[Decimal | None] = [Decimal(str(value)) for value in VALUES]
    values[3] = None
    found = demand_from(series(pd.Series(values, dtype=object).to_numpy())).values[0]
    assert np.flatnonzero(np.isnan(found)).tolist() == [3]
    assert found[4] == 5.0


def test_a_missing_nullable_integer_is_a_gap() -> None:
    found = demand_from(series(pd.array([1, None, *range(3, 49)], dtype="Int64"))).values[0]
    assert np.flatnonzero(np.isnan(found)).tolist() == [1]


def test_periods_are_read_by_their_start() -> None:
    demand = demand_from(series(VALUES, pd.period_range("2026-01-01", periods=48, freq="D")))
    assert demand.times[0] == pd.Timestamp("2026-01-01", tz="UTC")


def test_working_days_leave_the_weekends_as_gaps() -> None:
    demand = demand_from(series(VALUES[:20], pd.bdate_range("2026-03-02", periods=20)))
    weekend = demand.times.day_of_week >= 5
    assert np.isnan(demand.values[0][weekend]).all()
    assert not np.isnan(demand.values[0][~weekend]).any()


def test_a_minute_is_its_own_peak_and_an_hour_has_none() -> None:
    minutes = demand_from(series(VALUES, pd.date_range("2026-03-02", periods=48, freq="min")))
    np.testing.assert_array_equal(minutes.peaks, minutes.values)
    assert np.isnan(demand_from(series()).peaks).all()


@pytest.mark.parametrize(
    "names", [("service", "timestamp", "value"), ("series_id", "timestamp", "value"), ("unique_id", "ds", "y")]
)
def test_a_long_table_has_a_series_for_each_service(names: tuple[str, str, str]) -> None:
    service, timestamp, value = names
    frame = pd.DataFrame(
        {
            service: ["web"] * 48 + ["api"] * 24,
            timestamp: [*HOURS, *HOURS[24:]],
            value: [*VALUES, *VALUES[:24]],
        }
    )
    demand = demand_from(frame.sample(frac=1, random_state=0))
    assert sorted(demand.services) == ["api", "web"]
    np.testing.assert_array_equal(demand.series("web", "requests"), VALUES)
    assert demand.series("api", "requests").isna().sum() == 24


def test_a_long_table_without_a_service_is_one_series() -> None:
    frame = pd.DataFrame({"ds": HOURS, "y": VALUES})
    assert demand_from(frame, name="web").keys == (Key("web", "requests"),)


def test_a_long_table_may_say_the_metric_of_each_row() -> None:
    frame = pd.DataFrame({"service": "web", "metric": ["requests"] * 48 + ["cpu"] * 48})
    frame["timestamp"], frame["value"] = [*HOURS, *HOURS], [*VALUES, *(VALUES / 100)]
    assert demand_from(frame).keys == (Key("web", "requests"), Key("web", "cpu"))


def test_a_wide_table_has_a_series_for_each_column() -> None:
    demand = demand_from(pd.DataFrame({"web": VALUES, "api": VALUES * 2}, index=HOURS))
    assert demand.services == ["web", "api"]
    np.testing.assert_array_equal(demand.values[1], VALUES * 2)


def test_stamps_written_as_text_are_read() -> None:
    frame = pd.DataFrame({"ds": HOURS.strftime("%Y-%m-%dT%H:%M:%SZ"), "y": VALUES})
    assert demand_from(frame).times[0] == pd.Timestamp("2026-03-02", tz="UTC")
    local = pd.date_range("2026-10-24", periods=48, freq="h", tz="Europe/Paris")
    frame = pd.DataFrame({"ds": [stamp.isoformat() for stamp in local], "y": VALUES})  # +02:00, then +01:00
    assert not np.isnan(demand_from(frame).values).any()


def test_demand_is_passed_through() -> None:
    demand = make_demand({("web", "requests"): VALUES}, hourly(2))
    assert demand_from(demand) is demand


def test_a_percentage_with_a_stated_size_becomes_vcpu() -> None:
    service = Service(name="web", task_vcpu=2, task_memory_gib=4, assumed_running_tasks=3)
    demand = demand_from(series(np.full(48, 50.0)), services=[service], metric="cpu_utilization")
    assert demand.keys == (Key("web", "cpu"),)
    np.testing.assert_allclose(demand.values, 3.0)  # half of 3 tasks x 2 vCPU
    assert demand.clock is None


def test_series_a_few_minutes_apart_are_moved_onto_one_grid_and_it_is_said() -> None:
    late = pd.DataFrame({"service": "late", "timestamp": HOURS + pd.Timedelta(minutes=5), "value": VALUES})
    both = [pd.DataFrame({"service": name, "timestamp": HOURS, "value": VALUES}) for name in ("a", "b")]
    demand = demand_from(pd.concat([*both, late]))
    np.testing.assert_array_equal(demand.series("late", "requests"), VALUES)
    assert [(f.service, f.check, f.status) for f in demand.findings] == [("late", "grid", "REVIEW")]


# --- values that cannot be demand ------------------------------------------------------------------------------------


def test_infinite_negative_and_absurd_values_are_gaps_with_a_finding_each() -> None:
    values = np.concatenate([VALUES] * 3)
    values[[3, 4, 5]] = np.inf, -1.0, 4.2e12
    demand = demand_from(series(values, pd.date_range("2026-03-02", periods=144, freq="h")))
    assert np.flatnonzero(np.isnan(demand.values[0])).tolist() == [3, 4, 5]
    assert checks(demand) == {"infinite": "FAIL", "negative": "FAIL", "outliers": "FAIL"}
    outlier = next(finding for finding in demand.findings if finding.check == "outliers")
    assert "4.2e+12 requests/s" in outlier.message
    assert "2026-03-02 05:00" in outlier.message


def test_mostly_negative_values_are_refused() -> None:
    with pytest.raises(HistoryHasGaps, match="48 of 48 values are negative"):
        demand_from(series(-VALUES))


def test_a_mostly_negative_series_beside_others_is_left_out_and_fails_its_check() -> None:
    demand = demand_from(pd.DataFrame({"web": VALUES, "delta": -VALUES}, index=HOURS))
    assert np.isfinite(demand.series("web", "requests")).all()
    assert np.isnan(demand.series("delta", "requests")).all()
    assert [(f.service, f.check, f.status) for f in demand.findings] == [("delta", "negative", "FAIL")]


def test_all_zero_stays_and_fails_its_check() -> None:
    demand = demand_from(series(VALUES * 0))
    assert (demand.values == 0).all()
    assert checks(demand) == {"zero": "FAIL"}


def test_one_empty_series_beside_others_is_unknown_and_alone_is_refused() -> None:
    frame = pd.DataFrame({"web": VALUES, "gone": np.nan}, index=HOURS)
    demand = demand_from(frame)
    assert [(f.service, f.check, f.status) for f in demand.findings] == [("gone", "empty", "UNKNOWN")]
    with pytest.raises(HistoryHasGaps, match="web"):
        demand_from(series(VALUES * np.nan))


# --- what is refused -------------------------------------------------------------------------------------------------


def test_no_row_and_one_row_are_too_short() -> None:
    with pytest.raises(HistoryTooShort) as none:
        demand_from(series().iloc[:0])
    assert none.value.have == 0
    with pytest.raises(HistoryTooShort) as one:
        demand_from(series().iloc[:1])
    assert one.value.have == 1


def test_one_stamp_with_two_values_is_refused_with_the_stamp() -> None:
    twice = pd.concat([series(), series().iloc[10:11] + 5])
    with pytest.raises(InputError, match="2026-03-02 10:00: 11 and 16"):
        demand_from(twice)


def test_the_same_row_twice_counts_once_and_is_said() -> None:
    demand = demand_from(pd.concat([series(), series().iloc[:3]]))
    np.testing.assert_array_equal(demand.values[0], VALUES)
    assert checks(demand) == {"duplicates": "REVIEW"}


def test_the_hour_that_comes_twice_in_autumn_is_refused_with_the_reason() -> None:
    local = pd.date_range("2026-10-24", periods=48, freq="h", tz="Europe/Paris").tz_localize(None)
    with pytest.raises(InputError, match="local clock put back"):
        demand_from(series(index=local))


def test_months_are_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match="months and quarters are of unequal length"):
        demand_from(series(index=pd.date_range("2020-01-01", periods=48, freq="MS")))


def test_stamps_that_keep_no_interval_are_refused_with_the_nearest_usual_one() -> None:
    jitter = pd.to_timedelta(np.random.default_rng(0).integers(0, 500, 48), unit="s")
    with pytest.raises(InputError, match=r"resample\('1h'\)"):
        demand_from(series(index=HOURS + jitter))


def test_events_are_no_series() -> None:
    stamps = pd.DatetimeIndex(["2026-03-02 00:00:00", "2026-03-02 00:00:01", "2026-03-09 00:00:00"])
    with pytest.raises(InputError, match="look like events"):
        demand_from(series([1.0, 2.0, 3.0], stamps))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (["12"] * 48, "48 of 48 values are not numbers"),
        ([1.0] * 47 + ["n/a"], "row 48: 'n/a' is not a number"),
        ([True] * 48, "bool"),
        ([1 + 2j] * 48, "complex"),
        ([1.0] * 47 + [[1, 2]], "row 48"),
    ],
    ids=["text", "one text", "booleans", "complex", "a list"],
)
def test_values_that_are_no_numbers_are_refused_with_their_rows(values: list[Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        demand_from(pd.Series(values, index=HOURS))


def test_rows_without_a_stamp_are_refused_with_their_rows() -> None:
    index = pd.DatetimeIndex([*HOURS[:5], pd.NaT, *HOURS[6:]])
    with pytest.raises(InputError, match="row 6: no timestamp"):
        demand_from(series(index=index))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([1, 2, 3], "cannot read demand from list"),
        (pd.Series(VALUES), "not a DatetimeIndex"),
        (pd.DataFrame({"a": VALUES}), "neither a long nor a wide table"),
        (pd.DataFrame({"ds": HOURS, "y": VALUES, "value": VALUES}), "mean the same"),
        (pd.DataFrame({"ds": np.arange(48), "y": VALUES}), "holds numbers, not times"),
        (pd.DataFrame({"ds": ["soon"] * 48, "y": VALUES}), "row 1: 'soon' is not a time"),
        (pd.DataFrame({"ds": ["2026-03-02T00:00Z", "2026-03-02 01:00"], "y": [1, 2]}), "in the clock of the rest"),
        (pd.DataFrame({"service": [None] * 48, "ds": HOURS, "y": VALUES}), "row 1: no service"),
        (pd.DataFrame({"ds": HOURS[:0], "y": VALUES[:0]}), "0 rows"),
        (pd.DataFrame(np.ones((48, 2)), index=HOURS, columns=["a", "a"]), "same name"),
    ],
    ids=["list", "range", "columns", "twice", "epoch", "words", "mixed clocks", "nobody", "empty", "same names"],
)
def test_what_is_not_understood_is_refused_in_words(data: Any, words: str) -> None:
    with pytest.raises((InputError, HistoryTooShort), match=words):
        demand_from(data)


def test_different_intervals_and_different_clocks_are_refused_together() -> None:
    fine = pd.DataFrame({"service": "fine", "ds": pd.date_range("2026-03-02", periods=48, freq="5min"), "y": VALUES})
    with pytest.raises(InputError, match="different intervals"):
        demand_from(pd.concat([fine, pd.DataFrame({"service": "web", "ds": HOURS, "y": VALUES})]))


def test_a_percentage_that_nothing_makes_absolute_is_refused_with_what_to_state() -> None:
    with pytest.raises(HistoryError, match="assumed_running_tasks") as refusal:
        demand_from(series(), metric="cpu_utilization")
    assert "[[service]] name = 'web'" in str(refusal.value)


@settings(deadline=None, max_examples=60)
@given(
    values=st.lists(st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.just(0.0)), min_size=2, max_size=80),
    step=st.sampled_from(["1min", "5min", "1h", "1D"]),
)
def test_any_numbers_give_finite_demand_or_a_refusal_of_ours(values: list[float], step: str) -> None:
    index = pd.date_range("2026-03-02", periods=len(values), freq=step)
    try:
        found = demand_from(pd.Series(values, index=index))
    except (InputError, HistoryError):
        return
    known = found.values[np.isfinite(found.values)]
    assert not np.isinf(found.values).any()
    assert (known >= 0).all()
    masked = np.isfinite(values).sum() - len(known)
    assert masked == 0 or "FAIL" in checks(found).values()
