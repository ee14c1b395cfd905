"""SPEC's elasticity metrics, against their formulas written out."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.errors import InputError
from capacity.scaling import elasticity

pairs = st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), min_size=2, max_size=60)


def test_the_worked_example() -> None:
    metrics = elasticity([10, 10, 12, 12], [8, 10, 15, 12])
    assert (metrics.theta_u, metrics.theta_o, metrics.tau_u, metrics.tau_o) == (5.0, 6.25, 25.0, 25.0)
    assert metrics.upsilon == pytest.approx(100 * 2 / 3)  # 8->10 and 15->12 do not go with 10->10 and 12->12


@given(pairs)
def test_the_metrics_are_their_formulas(values: list[tuple[int, int]]) -> None:
    metrics = elasticity([d for d, _ in values], [s for _, s in values])
    count = len(values)
    assert metrics.theta_u == pytest.approx(100 / count * sum(max(d - s, 0) / d for d, s in values))
    assert metrics.theta_o == pytest.approx(100 / count * sum(max(s - d, 0) / d for d, s in values))
    assert metrics.tau_u == pytest.approx(100 / count * sum(d > s for d, s in values))
    assert metrics.tau_o == pytest.approx(100 / count * sum(d < s for d, s in values))
    apart = 0
    for (d0, s0), (d1, s1) in pairwise(values):
        apart += (d1 > d0) - (d1 < d0) != (s1 > s0) - (s1 < s0)
    assert metrics.upsilon == pytest.approx(100 * apart / (count - 1))


@given(pairs, st.floats(0.1, 1000))
def test_units_change_nothing(values: list[tuple[int, int]], factor: float) -> None:
    need, have = np.array(values, dtype=float).T
    before, after = elasticity(need, have).to_dict(), elasticity(need * factor, have * factor).to_dict()
    assert after == pytest.approx(before)


def test_what_is_not_known_is_left_out_and_counted() -> None:
    metrics = elasticity([10, math.nan, 10, 10], [10, 10, math.nan, 5])
    assert (metrics.intervals, metrics.unknown) == (2, 2)
    assert (metrics.theta_u, metrics.tau_u) == (25.0, 50.0)


def test_supply_without_demand_is_surplus_in_time_and_has_no_share() -> None:
    metrics = elasticity([0, 0, 4, 4], [1, 0, 4, 4])
    assert (metrics.idle, metrics.tau_o, metrics.theta_o) == (2, 25.0, 0.0)


def test_a_perfect_supply_has_no_fault() -> None:
    metrics = elasticity([1, 2, 3], [1, 2, 3]).series
    assert metrics[["theta_u", "theta_o", "tau_u", "tau_o", "upsilon"]].eq(0).all()


def test_inputs_that_do_not_fit_are_refused_together() -> None:
    with pytest.raises(InputError) as caught:
        elasticity([1, -2], [math.inf, 1, 2])
    assert len(caught.value.problems) == 3
    with pytest.raises(InputError, match="different stamps"):
        elasticity(pd.Series([1.0], index=[1]), pd.Series([1.0], index=[2]))
    with pytest.raises(InputError, match="at least one interval"):
        elasticity([math.nan], [1.0])
