"""What statistics tell of the course of a test, and what they leave open, stays open."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from capacity.loadtest.summaries import told_steps, told_timeline


def course(**columns: object) -> pd.DataFrame:
    """A minute of 10 requests a second that take 100 ms, told second by second."""
    known = {"samples": 10.0, "errors": 0.0, "mean_ms": 100.0, "users": 1.0}
    times = pd.date_range("2026-01-01", periods=60, freq="s", tz="UTC")
    return pd.DataFrame({"timestamp": times, "seconds": 1.0, **known, **columns})


def test_seconds_of_which_nothing_is_told_are_no_idle_ones() -> None:
    gap = np.r_[np.full(20, 10.0), np.full(10, np.nan), np.full(30, 10.0)]
    timeline = told_timeline(course(samples=gap, mean_ms=gap * 10))
    assert timeline["in_flight"][20:30].isna().all()
    (step,) = told_steps(timeline).to_dict("records")
    assert step["throughput_per_s"] == pytest.approx(10)
    assert step["in_flight"] == pytest.approx(1)
    assert step["seconds"] <= 50


def test_a_second_in_which_nothing_ended_is_idle_where_it_is_told() -> None:
    quiet = np.r_[np.full(59, 10.0), 0.0]
    timeline = told_timeline(course(samples=quiet, mean_ms=np.where(quiet > 0, 100.0, np.nan)))
    assert timeline["in_flight"].iloc[-1] == 0.0


def test_failures_told_of_some_seconds_only_are_not_the_share_of_all() -> None:
    some = np.r_[np.full(30, np.nan), np.full(30, 1.0)]
    assert told_steps(told_timeline(course(errors=some)))["error_share"].isna().all()
