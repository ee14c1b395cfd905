"""What a commitment does to spend, against the definition written out in a slow loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.planning.money.covering import Eligible, best_commitment, paid

AMOUNTS = st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, 7.0])


@st.composite
def spends(draw: st.DrawFn) -> Eligible:
    groups, paths, steps = (draw(st.integers(1, most)) for most in (3, 3, 6))
    cells = draw(st.lists(AMOUNTS, min_size=groups * paths * steps, max_size=groups * paths * steps))
    ratios = draw(st.lists(st.floats(0.2, 0.95), min_size=groups, max_size=groups, unique=True))
    hours = draw(st.lists(st.floats(0.5, 700), min_size=steps, max_size=steps))
    return Eligible(np.array(cells).reshape(groups, paths, steps), tuple(ratios), np.array(hours))


def by_the_book(spend: Eligible, path: int, step: int, commitment: float) -> float:
    """One hour's bill: the commitment pays for the most discounted usage first, what is left is on demand."""
    bill, left = commitment, commitment
    for ratio, usd in sorted(zip(spend.ratios, spend.usd[:, path, step].tolist(), strict=True)):
        at_plan_rates = min(left, usd * ratio)
        left -= at_plan_rates
        bill += usd - at_plan_rates / ratio
    return bill


def mean_bill(spend: Eligible, commitment: float) -> float:
    _, paths, steps = spend.usd.shape
    bills = [[by_the_book(spend, path, step, commitment) for step in range(steps)] for path in range(paths)]
    return float(np.average(np.mean(bills, axis=0), weights=spend.hours))


@given(spend=spends(), commitment=st.floats(0, 12))
@settings(deadline=None, max_examples=25)
def test_every_hour_is_billed_as_aws_says(spend: Eligible, commitment: float) -> None:
    bill = paid(spend, commitment)
    _, paths, steps = spend.usd.shape
    slow = [[by_the_book(spend, path, step, commitment) for step in range(steps)] for path in range(paths)]
    np.testing.assert_allclose(bill.total, slow, atol=1e-9)
    assert (bill.used <= commitment + 1e-9).all()
    np.testing.assert_allclose(bill.total - commitment + bill.covered.sum(axis=0), spend.total, atol=1e-9)


@given(spend=spends(), other=spends(), belief=st.floats(0.05, 0.95))
@settings(deadline=None, max_examples=25)
def test_no_other_amount_costs_less(spend: Eligible, other: Eligible, belief: float) -> None:
    other = Eligible(
        np.resize(other.usd, (len(spend.ratios), *other.usd.shape[1:])), spend.ratios, other.hours
    )  # two ways to go, one list of discounts

    def cost(amount: float) -> float:
        return (1 - belief) * mean_bill(spend, amount) + belief * mean_bill(other, amount)

    best = best_commitment([(spend, 1 - belief), (other, belief)])
    assert all(cost(best) <= cost(float(amount)) + 1e-9 for amount in np.linspace(0, 20, 21))


@pytest.mark.parametrize("ratio", [0.8, 0.55])
def test_one_discount_is_the_newsvendor(ratio: float) -> None:
    usd = np.random.default_rng(3).lognormal(1, 0.5, (1, 40, 500))
    best = best_commitment([(Eligible(usd, (ratio,), np.ones(500)), 1.0)])
    assert (usd * ratio > best).mean() == pytest.approx(ratio, abs=1 / usd.size)


def test_spend_that_is_never_there_is_covered_by_nothing() -> None:
    idle = Eligible(np.zeros((1, 2, 3)), (0.5,), np.ones(3))
    assert best_commitment([(idle, 1.0)]) == 0
    rare = Eligible(np.array([[[5.0, 0.0, 0.0, 0.0]]]), (0.8,), np.ones(4))
    assert best_commitment([(rare, 1.0)]) == 0


def test_hours_count_by_their_length() -> None:
    usd = np.array([[[10.0, 2.0]]])
    assert best_commitment([(Eligible(usd, (0.8,), np.array([1.0, 1.0])), 1.0)]) == pytest.approx(1.6)
    assert best_commitment([(Eligible(usd, (0.8,), np.array([9.0, 1.0])), 1.0)]) == pytest.approx(8.0)
