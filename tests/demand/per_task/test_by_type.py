"""What each type of request costs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import lsq_linear

from capacity.demand.per_task import cost_by_type
from capacity.errors import HistoryTooShort, InputError

TRUE = {"cart": 0.010, "search": 0.030, "static": 0.001}
TIMES = pd.date_range("2026-03-02", periods=2000, freq="min", tz="UTC")


def traffic(seed: int, *, together: bool = False) -> tuple[pd.DataFrame, pd.Series, pd.Series]:
    """(counts, vcpu, tasks): three types whose mix varies, or rises and falls as one."""
    rng = np.random.default_rng(seed)
    wave = 1 + 0.5 * np.sin(np.arange(len(TIMES)) / 200)
    shares = {
        name: wave * size * (1.0 if together else np.exp(0.4 * rng.standard_normal(len(TIMES))))
        for name, size in {"cart": 40, "search": 25, "static": 300}.items()
    }
    counts = pd.DataFrame(shares, index=TIMES)
    tasks = pd.Series(np.ceil(wave * 5), index=TIMES)
    work = sum(counts[name] * cost for name, cost in TRUE.items())
    vcpu = (0.05 * tasks + work) * np.exp(0.03 * rng.standard_normal(len(TIMES)))
    return counts, vcpu, tasks


def test_costs_by_type_are_those_that_were_put_in() -> None:
    inside = 0
    for seed in range(12):
        found = cost_by_type(*traffic(seed), seed=seed)
        assert not found.one_type and found.condition < 30
        for name, cost in TRUE.items():
            row = found.frame.loc[name]
            assert row["vcpu_seconds"] == pytest.approx(cost, rel=0.10)
            inside += row["low"] <= cost <= row["high"]
    assert inside >= 30  # of 36: 95 % intervals


def test_it_is_the_least_of_squares_that_is_not_negative() -> None:
    """Against another solver, without outliers to leave out."""
    counts, vcpu, _ = traffic(3)
    found = cost_by_type(counts, vcpu)
    design = np.column_stack([np.ones(len(counts)), counts])
    rest = vcpu - design @ lsq_linear(design, vcpu, bounds=(0, np.inf)).x
    usual = np.abs(rest - rest.median()) <= 4 * 1.4826 * (rest - rest.median()).abs().median()
    other = lsq_linear(design[usual], vcpu[usual], bounds=(0, np.inf)).x
    np.testing.assert_allclose([found.base_vcpu, *found.frame["vcpu_seconds"]], other, rtol=1e-3, atol=1e-9)


def test_types_that_move_together_are_one_type_and_it_is_said() -> None:
    found = cost_by_type(*traffic(0, together=True), service="web")
    assert found.one_type and found.condition > 30
    assert np.ptp(found.frame["vcpu_seconds"]) == 0
    mean = sum(TRUE[name] * size for name, size in {"cart": 40, "search": 25, "static": 300}.items()) / 365
    assert found.frame["vcpu_seconds"].iloc[0] == pytest.approx(mean, rel=0.10)
    assert "cannot be told apart" in str(found.findings) and "condition number" in str(found)


def test_a_batch_at_night_does_not_move_the_costs() -> None:
    counts, vcpu, tasks = traffic(1)
    vcpu = vcpu.copy()
    vcpu.iloc[100:160] += 5.0
    found = cost_by_type(counts, vcpu, tasks)
    for name in ("cart", "search"):
        assert found.frame.loc[name, "vcpu_seconds"] == pytest.approx(TRUE[name], rel=0.10)


def test_gaps_and_other_stamps_are_left_out() -> None:
    counts, vcpu, tasks = traffic(2)
    whole = cost_by_type(counts.iloc[:1500], vcpu, tasks)
    vcpu = vcpu.copy()
    vcpu.iloc[1500:] = np.nan
    holes = cost_by_type(counts.sample(frac=1.0, random_state=0), vcpu, tasks)
    pd.testing.assert_frame_equal(whole.frame, holes.frame)


def test_the_cost_of_a_mix_is_the_mean_of_its_parts() -> None:
    found = cost_by_type(*traffic(0))
    costs = found.frame["vcpu_seconds"]
    assert found.per_request({"cart": 3, "search": 1}) == pytest.approx((3 * costs["cart"] + costs["search"]) / 4)
    with pytest.raises(InputError, match="no cost of checkout"):
        found.per_request({"checkout": 1})


def test_what_cannot_be_is_refused_together() -> None:
    counts, vcpu, _ = traffic(0)
    with pytest.raises(InputError, match="1 counts are negative") as caught:
        cost_by_type(
            counts.assign(cart=np.where(np.arange(2000) == 7, -1, counts["cart"])), pd.concat([vcpu, vcpu[:2]])
        )
    assert len(caught.value.problems) == 2
    with pytest.raises(HistoryTooShort, match="cost by type"):
        cost_by_type(counts.iloc[:20], vcpu)
    with pytest.raises(InputError, match="not indexed by time"):
        cost_by_type(counts.reset_index(drop=True), vcpu)


def test_it_shows_itself() -> None:
    found = cost_by_type(*traffic(0))
    assert "vCPU-seconds a request" in found._repr_html_()
    assert "search" in str(found.plot().to_dict())
