"""Minutes: what an alarm would have seen. The finest values there are, gaps as gaps, no zero that nobody measured."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.config import Service
from capacity.errors import HistoryError, InputError
from capacity.monitoring.minutes import Key, Minutes
from capacity.sources.base import Span
from capacity.sources.coverage import Asked, Coverage
from tests.monitoring.histories import MONDAY, history_of, together

WEB = Service(name="web", requests_per_second_per_task=50, max_tasks=8)
GAP = float("nan")


def at(minute: int) -> pd.Timestamp:
    return MONDAY + pd.Timedelta(minutes=minute)


def test_hours_stand_in_their_minutes_until_minutes_come() -> None:
    hours = [10.0, 20.0, 30.0]
    seen = history_of({("requests", "mean", 3600): hours})
    fine = history_of({("requests", "mean", 60): np.arange(30.0)}, start=at(90))

    minutes = Minutes.of_history(together(seen, fine), WEB)
    assert len(minutes) == 180
    assert minutes["requests"][:90].tolist() == [10.0] * 60 + [20.0] * 30
    assert minutes["requests"][90:120].tolist() == list(range(30))
    assert minutes["requests"][120:].tolist() == [30.0] * 60
    assert minutes.seconds["requests", "mean"][[0, 89, 90, 119, 120]].tolist() == [3600, 3600, 60, 60, 3600]
    assert minutes.measured_by_minute("requests").sum() == 30


def test_a_gap_in_the_minutes_stays_one_though_the_hour_is_known() -> None:
    values = np.ones(60)
    values[10:20] = GAP
    minutes = Minutes.of_history(history_of({("requests", "mean", 60): values, ("requests", "mean", 3600): [1.0]}), WEB)
    assert np.isnan(minutes["requests"][10:20]).all()
    assert minutes.seconds["requests", "mean"][15] == 0
    assert np.isfinite(minutes["requests"]).sum() == 50


def test_intervals_below_a_minute_become_its_mean_or_its_largest() -> None:
    fine = {("cpu_utilization", stat, 20): [10, 20, 30, 40, 50, 60] for stat in ("mean", "max")}
    minutes = Minutes.of_history(history_of(fine), WEB)
    assert minutes["cpu_utilization"].tolist() == [20, 50]
    assert minutes["cpu_utilization", "max"].tolist() == [30, 60]


@given(
    seconds=st.sampled_from([60, 120, 300, 3600]),
    count=st.integers(1, 40),
    offset=st.integers(0, 90),
    window=st.tuples(st.integers(-30, 200), st.integers(0, 300)),
)
def test_every_minute_has_the_value_of_the_interval_it_is_in(
    seconds: int, count: int, offset: int, window: tuple[int, int]
) -> None:
    values = np.arange(1.0, count + 1)
    start = MONDAY + pd.Timedelta(seconds=60 * offset)
    seen = history_of({("requests", "mean", seconds): values}, start=start)
    first, length = window
    minutes = Minutes.of_history(seen, WEB, span=Span(at(first), at(first + length)))
    assert len(minutes) == length
    for minute, value in zip(minutes.times, minutes["requests"], strict=True):
        place = (minute - start) // pd.Timedelta(seconds=seconds)
        assert value == values[place] if 0 <= place < count else np.isnan(value)


def test_computed_signals_follow_their_formulas_and_are_unknown_where_a_part_is() -> None:
    measured: dict[Key, object] = {
        "requests": [100.0, 0.0, GAP],
        "errors": [5.0, 0.0, 0.0],
        "cpu_utilization": [60.0, 10.0, 60.0],
        "running_tasks": [4.0, 4.0, 4.0],
        "cost": [0.2, 0.2, 0.2],
    }
    minutes = Minutes.of(WEB, pd.date_range(MONDAY, periods=3, freq="min"), measured)
    assert minutes["error_ratio"][0] == pytest.approx(0.05)
    assert np.isnan(minutes["error_ratio"][1:]).all()  # nobody asked; not known
    assert minutes["cpu"].tolist() == pytest.approx([2.4, 0.4, 2.4])
    assert minutes["load_tasks"][0] == pytest.approx(max(100 / 42.5, 2.4 / 0.6))
    assert minutes["slack_tasks"].tolist() == pytest.approx([0.0, 4 - 0.4 / 0.6, 0.0])
    assert minutes["requests_per_task"][0] == 25
    assert minutes["cost_per_million_requests"][0] == pytest.approx(0.2 / 3600 / 100 * 1e6)
    assert minutes["tasks_of_max"].tolist() == [0.5] * 3
    assert not minutes.has("latency", "p95")
    assert np.isnan(minutes["latency", "p95"]).all()


def test_what_is_no_signal_or_does_not_fit_is_refused() -> None:
    times = pd.date_range(MONDAY, periods=3, freq="min")
    with pytest.raises(InputError, match="no signal 'rps'"):
        Minutes.of(WEB, times, {"rps": [1, 2, 3]})
    with pytest.raises(InputError, match="for 3 minutes"):
        Minutes.of(WEB, times, {"requests": [1, 2]})
    with pytest.raises(InputError, match="not one minute apart"):
        Minutes.of(WEB, pd.date_range(MONDAY, periods=3, freq="h"), {"requests": [1, 2, 3]})
    with pytest.raises(HistoryError, match="'web'"):
        Minutes.of_history(history_of({("requests", "mean", 60): [1.0]}, service="api"), WEB)


def test_a_part_of_the_minutes_is_those_minutes() -> None:
    minutes = Minutes.of_history(history_of({("requests", "mean", 60): np.arange(10.0)}), WEB)
    part = minutes.between(at(3), at(6))
    assert part["requests"].tolist() == [3, 4, 5]
    assert part.times[0] == at(3)
    assert list(part.frame.columns) == ["requests"]


# Errors that are told only where there are some.

ASKED = Asked("cloudwatch:eu-west-1/shop", "web", "errors", "mean", 60)
SERIES = {("requests", "mean", 60): [9.0, 9.0, GAP, 9.0], ("errors", "mean", 60): [GAP, 1.0, GAP, GAP]}


def errors(source: str, answered: Coverage = Coverage()) -> list[float]:  # noqa: B008  (it is frozen)
    return Minutes.of_history(history_of(SERIES, source=source, answered=answered), WEB)["errors"].tolist()


def test_cloudwatch_counts_errors_only_where_there_are_some_so_requests_without_are_without() -> None:
    assert errors(ASKED.source) == pytest.approx([0, 1, GAP, 0], nan_ok=True)


def test_where_cloudwatch_was_not_asked_for_errors_nothing_is_known_of_them() -> None:
    until = Coverage.of([(ASKED, Span(at(0), at(2)))])
    assert errors(ASKED.source, until) == pytest.approx([0, 1, GAP, GAP], nan_ok=True)


def test_a_source_that_does_count_zeros_leaves_gaps_where_it_counted_nothing() -> None:
    counted = {**SERIES, ("errors", "mean", 60): [0.0, 1.0, GAP, GAP]}
    minutes = Minutes.of_history(history_of(counted), WEB)
    assert minutes["errors"].tolist() == pytest.approx([0, 1, GAP, GAP], nan_ok=True)
    assert minutes.notes == ()


def test_a_file_that_never_counts_zero_errors_is_read_as_one_that_tells_only_of_some_and_that_is_said() -> None:
    minutes = Minutes.of_history(history_of(SERIES), WEB)
    assert minutes["errors"].tolist() == pytest.approx([0, 1, GAP, 0], nan_ok=True)
    assert minutes.notes == (
        "2 minutes with requests and without a count of errors had none: no minute has zero errors",
    )


def test_a_service_whose_errors_nobody_counts_has_none_that_are_known() -> None:
    minutes = Minutes.of_history(history_of({("requests", "mean", 60): [9.0, 9.0]}), WEB)
    assert not minutes.has("errors")
    assert not minutes.has("error_ratio")
