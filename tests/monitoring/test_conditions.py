"""When an alarm is in ALARM: against CloudWatch's documented examples, and against loops that are slow and plain."""

import math
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Service
from capacity.errors import InputError
from capacity.monitoring.breaches import KNOWN, SPARE, WEEK, breaches
from capacity.monitoring.conditions import (
    Absent,
    All,
    Anomaly,
    AnyOf,
    BurnRate,
    Comparison,
    Condition,
    Missing,
    OutsideProfile,
    Reading,
    Threshold,
    Trend,
)
from capacity.monitoring.minutes import Minutes

CPU = Reading("cpu_utilization")
MISSING: tuple[Missing, ...] = ("missing", "ignore", "breaching", "notBreaching")
COMPARISONS: tuple[Comparison, ...] = (">", ">=", "<", "<=")

#: A value, or nothing. Eighths add up exactly, so that no oracle differs by rounding.
VALUES = st.lists(st.one_of(st.just(math.nan), st.integers(0, 24).map(lambda n: n / 8)), min_size=1, max_size=60)


def minutes_of(start: str = "2026-03-02", /, **signals: object) -> Minutes:
    arrays: dict[str | tuple[str, str], np.ndarray] = {
        name: np.asarray(values, dtype=float) for name, values in signals.items()
    }
    size = len(next(iter(arrays.values())))
    return Minutes.of(Service(name="web"), pd.date_range(start, periods=size, freq="min", tz="UTC"), arrays)


@pytest.mark.parametrize(
    ("datapoints", "at_least", "states"),
    [  # oldest first; X is past the threshold, 0 is not, - is missing. None: the state there was is kept
        ("0-X-X", 3, (False, False, False, False)),
        ("0----", 3, (False, False, False, False)),
        ("-----", 3, (False, None, True, False)),
        ("0XX-X", 3, (True, True, True, True)),
        ("--X--", 3, (True, None, True, False)),
        ("0-X-X", 2, (True, True, True, True)),
        ("00X0X", 2, (True, True, True, True)),
        ("0-X--", 2, (False, False, True, False)),
        ("----0", 2, (False, False, True, False)),
        ("---X-", 2, (True, None, True, False)),
        ("----X", 3, (False, None, True, False)),  # of the edition of 2018, as the next
        ("----X", 2, (False, None, True, False)),
    ],
)
def test_gaps_are_treated_as_in_the_examples_that_aws_documents(
    datapoints: str, at_least: int, states: tuple[bool | None, ...]
) -> None:
    after = [{"0": 0.0, "X": 9.0, "-": math.nan}[one] for one in datapoints]
    for missing, state in zip(MISSING, states, strict=True):
        for before in (0.0, 9.0):
            # five datapoints bring the alarm into a state that is known, and are then out of its sight
            values = minutes_of(cpu_utilization=[before] * 5 + after)
            found = breaches(Threshold(CPU, ">", 5, at_least, 3, missing), values)
            assert found[4] == (before > 5)
            assert found[-1] == ((before > 5 and state_kept(found)) if state is None else state), missing


def state_kept(found: np.ndarray) -> bool:
    """What the alarm was one minute earlier."""
    return bool(found[-2])


def statistic(values: np.ndarray, reading: Reading, minute: int) -> float:
    known = [v for v in values[max(0, minute - reading.minutes + 1) : minute + 1] if not math.isnan(v)]
    if not known:
        return math.nan
    return float(
        {"mean": sum(known) / len(known), "max": max(known), "min": min(known), "sum": sum(known)}[reading.stat]
    )


def slow_m_of_n(
    values: list[float], bad: list[bool], period: int, at_least: int, of: int, missing: Missing
) -> list[bool]:
    """The rules as sentences, on lists of datapoints newest first."""
    states: list[bool] = []
    for minute in range(len(values)):
        places = [minute - age * period for age in range(of + SPARE)]
        points = [None if place < 0 or math.isnan(values[place]) else bad[place] for place in places]
        real = [point for point in points if point is not None][:of]
        count = sum(real)
        before = states[-1] if states else False
        state = count >= at_least
        if len(real) < of and not state:
            bad_ones = [age for age, point in enumerate(points[:of], 1) if point]
            if missing == "breaching":
                state = count + of - len(real) >= at_least
            elif missing == "missing":
                state = all(real) and bool(bad_ones) and max(bad_ones) >= at_least
            elif missing == "ignore":
                state = before and all(real)
        states.append(state)
    return states


@settings(max_examples=40)
@given(
    values=VALUES,
    period=st.integers(1, 7),
    of=st.integers(1, 5),
    data=st.data(),
    stat=st.sampled_from(["mean", "max", "min", "sum"]),
    missing=st.sampled_from(MISSING),
    comparison=st.sampled_from(COMPARISONS),
)
def test_m_of_n_on_sliding_periods_is_what_a_slow_loop_says(
    values: list[float], period: int, of: int, data: st.DataObject, stat: str, missing: Missing, comparison: Comparison
) -> None:
    at_least = data.draw(st.integers(1, of))
    reading = Reading("cpu_utilization", stat, period)
    limit = 1.5
    array = np.array(values)
    points = [statistic(array, reading, minute) for minute in range(len(values))]
    compare = {
        ">": lambda v: v > limit,
        ">=": lambda v: v >= limit,
        "<": lambda v: v < limit,
        "<=": lambda v: v <= limit,
    }
    expected = slow_m_of_n(points, [compare[comparison](v) for v in points], period, at_least, of, missing)
    found = breaches(Threshold(reading, comparison, limit, at_least, of, missing), minutes_of(cpu_utilization=values))
    assert found.tolist() == expected


@settings(max_examples=40)
@given(values=VALUES, long=st.integers(1, 30), short=st.integers(1, 10), factor=st.sampled_from([1.0, 2.5, 6.0]))
def test_a_budget_burns_when_both_windows_lost_too_much(
    values: list[float], long: int, short: int, factor: float
) -> None:
    requests = np.where(np.isnan(values), np.nan, 8.0)
    errors = np.array(values) / 4
    rate = BurnRate("slo", "availability", 0.9, factor, long, short, least_bad=45.0)
    found = breaches(rate, minutes_of(requests=requests, errors=errors))
    for minute in range(len(values)):
        windows = [slice(max(0, minute - size + 1), minute + 1) for size in (long, short)]
        lost = [60 * np.nansum(errors[window]) for window in windows]
        asked = [60 * np.nansum(requests[window]) for window in windows]
        known = np.isfinite(requests[windows[0]]).sum()
        burns = all(a > 0 and b / a > factor * 0.1 for a, b in zip(asked, lost, strict=True))
        assert found[minute] == (burns and lost[0] >= 45 and known >= KNOWN * long)


def test_slow_minutes_burn_the_budget_of_a_latency_slo() -> None:
    slow = np.full(120, 0.1)
    slow[60:75] = 0.9
    rate = BurnRate("fast", "latency", 0.99, 14.4, 60, 5, Reading("latency", "p95"), slowest=0.5)
    minutes = Minutes.of(
        Service(name="web"), pd.date_range("2026-03-02", periods=120, freq="min", tz="UTC"), {("latency", "p95"): slow}
    )
    found = breaches(rate, minutes)
    # 14.4 % of sixty minutes are nine, and the last five still tell of it four minutes after the end
    assert (np.flatnonzero(found)[0], np.flatnonzero(found)[-1]) == (68, 78)


def test_a_burn_rate_of_latency_that_does_not_say_what_is_slow_is_refused_and_no_threshold_of_zero() -> None:
    with pytest.raises(InputError, match=r"'fast' does not say what is slow(?s:.*)State reading and slowest"):
        BurnRate("fast", "latency", 0.99, 14.4, 60, 5, Reading("latency", "p95"))


@settings(max_examples=40)
@given(values=VALUES, period=st.sampled_from([1, 15, 60, 90]), start=st.integers(0, WEEK))
def test_a_profile_is_that_of_the_hours_a_period_touches(values: list[float], period: int, start: int) -> None:
    profile = tuple(float(hour % 3) for hour in range(168))
    begin = pd.Timestamp("2026-03-02", tz="UTC") + pd.Timedelta(minutes=start)  # a Monday
    minutes = minutes_of(str(begin.tz_localize(None)), requests=values)
    found = breaches(OutsideProfile(Reading("requests", "mean", period), profile, 0.95, ">", 1, 1), minutes)
    for minute in range(len(values)):
        touched = range(max(0, minute - period + 1), minute + 1)
        stamps = [minutes.times[place] for place in touched]
        limit = max(profile[stamp.day_of_week * 24 + stamp.hour] for stamp in stamps)
        value = statistic(np.array(values), Reading("requests", "mean", period), minute)
        if not math.isnan(value):  # else the datapoints before decide, as for any M of N
            assert found[minute] == (value > limit)


@settings(max_examples=40)
@given(values=VALUES, quiet=st.integers(1, 20))
def test_silence_is_a_whole_window_without_a_value(values: list[float], quiet: int) -> None:
    found = breaches(Absent(CPU, quiet), minutes_of(cpu_utilization=values))
    for minute in range(len(values)):
        window = values[minute - quiet + 1 : minute + 1] if minute + 1 >= quiet else [0.0]
        assert found[minute] == all(math.isnan(v) for v in window)


@settings(max_examples=40)
@given(values=VALUES, over=st.integers(2, 30), ahead=st.integers(1, 60))
def test_a_trend_is_the_least_squares_line_through_what_is_known(values: list[float], over: int, ahead: int) -> None:
    limit = 2.0625  # between eighths
    found = breaches(Trend(Reading("memory_utilization"), limit, over, ahead), minutes_of(memory_utilization=values))
    for minute in range(len(values)):
        first = max(0, minute - over + 1)
        y = np.array(values[first : minute + 1])
        x = np.arange(first - minute, 1.0)[np.isfinite(y)]
        y = y[np.isfinite(y)]
        if len(y) < max(2, int(over * KNOWN)):
            continue  # no line: as for any gap, the datapoint before decides
        slope, level = np.polyfit(x, y, 1)
        foretold = level + slope * ahead
        if abs(foretold - limit) > 1e-6:
            assert found[minute] == (foretold >= limit)


def test_a_leak_is_foretold_and_a_daily_pattern_is_not() -> None:
    day = 55 + 10 * np.sin(np.arange(3 * 1440) * 2 * np.pi / 1440)
    leaking = 50 + np.arange(3 * 1440) / 1440 * 12
    days = Trend(Reading("memory_utilization", minutes=5), 95, over_minutes=1440, ahead_minutes=1440)
    assert not breaches(days, minutes_of(memory_utilization=day))[1440:].any()
    assert breaches(days, minutes_of(memory_utilization=leaking))[int(2.8 * 1440) :].all()


def test_an_anomaly_is_learnt_from_weeks_and_needs_one() -> None:
    rng = np.random.default_rng(7)
    size = 3 * WEEK
    usual = 100 + 50 * np.sin(np.arange(size) * 2 * np.pi / 1440) + rng.normal(0, 2, size)
    fallen = usual.copy()
    fallen[-120:-60] *= 0.4
    odd = Anomaly(Reading("requests", "mean", 15), 4.0, "below", 2, 2)
    assert not breaches(odd, minutes_of(requests=usual)).any()
    found = np.flatnonzero(breaches(odd, minutes_of(requests=fallen)))
    assert size - 120 < found[0] < size - 80
    assert not breaches(Anomaly(Reading("requests", "mean", 15), 4.0, "above", 2, 2), minutes_of(requests=fallen))[
        -120:-60
    ].any()
    assert not breaches(odd, minutes_of(requests=fallen[-WEEK:])).any()


@settings(max_examples=40)
@given(left=VALUES, limit=st.sampled_from([0.5, 1.5]))
def test_all_and_any_are_and_and_or(left: list[float], limit: float) -> None:
    minutes = minutes_of(cpu_utilization=left)
    one, other = Threshold(CPU, ">", limit), Threshold(CPU, "<", 2.0, 2, 3)
    parts = [breaches(part, minutes) for part in (one, other)]
    assert (breaches(All((one, other)), minutes) == (parts[0] & parts[1])).all()
    assert (breaches(AnyOf((one, other)), minutes) == (parts[0] | parts[1])).all()


def test_a_signal_there_is_not_is_all_gaps() -> None:
    minutes = minutes_of(cpu_utilization=[50.0] * 30)
    assert not breaches(Threshold(Reading("requests"), ">", 0), minutes).any()
    assert breaches(Threshold(Reading("requests"), ">", 0, missing="breaching"), minutes).all()
    assert breaches(Absent(Reading("requests"), 15), minutes)[14:].all()


def test_a_signal_that_is_none_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match="there is no signal 'cpu_usage'"):
        breaches(Threshold(Reading("cpu_usage"), ">", 1), minutes_of(cpu_utilization=[1.0]))


def test_a_year_of_minutes_takes_well_under_a_second() -> None:
    rng = np.random.default_rng(0)
    size = 525_600
    minutes = minutes_of(
        requests=rng.random(size) * 100, errors=rng.random(size) / 10, cpu_utilization=rng.random(size)
    )
    conditions: list[Condition] = [
        AnyOf((BurnRate("a", "availability", 0.999, 14.4, 60, 5), BurnRate("a", "availability", 0.999, 6, 360, 30))),
        AnyOf((BurnRate("a", "availability", 0.999, 3, 1440, 120), BurnRate("a", "availability", 0.999, 1, 4320, 360))),
        Threshold(CPU, ">", 0.99, 13, 13),
        Threshold(CPU, ">", 0.8, 3, 5),
        Trend(CPU, 95, 120, 360),
        OutsideProfile(Reading("requests", "mean", 60), (90.0,) * 168, 0.95),
        Absent(CPU, 15),
    ]
    for condition in conditions:  # compiled once, for all tests
        breaches(condition, minutes_of(requests=[1.0], errors=[0.0], cpu_utilization=[1.0]))
    begin = time.process_time()
    for condition in conditions:
        breaches(condition, minutes)
    assert time.process_time() - begin < 2.0  # about 0.3 s where it is measured: benchmarks decide, this is a tripwire
