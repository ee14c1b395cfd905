"""A term's weeks by the hours of the last weeks: levels stay, hours within are those that were measured."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from capacity.config import HeldCommitment, PriceSettings
from capacity.planning.money.shape import in_recent_shape
from capacity.planning.money.spend import Hourly, Place
from capacity.planning.money.term import Term, over_term
from tests.makers import hourly, make_demand, make_forecast
from tests.planning.inputs import BARE, plain, planned

TASK = 0.04937  # USD an hour of 1 vCPU and 2 GB in us-east-1, the check value of reference aws.md 5.2
WEB = Place("us-east-1", "x86_64", "vcpu")
WEEK = 7 * 24
DAY = np.where(np.arange(24) < 20, 40.0, 100.0)  # quiet but for four hours


def spent(usd: object, hours: float = 1.0) -> Hourly:
    rows = np.atleast_2d(np.asarray(usd, dtype=float))
    return Hourly({WEB: rows}, pd.date_range("2026-01-05", periods=rows.shape[1], freq=f"{hours}h", tz="UTC"), hours)


def near(usd: object) -> Term:
    own = spent(usd)
    return Term(own.usd, own.starts, np.ones(len(own.starts)), 0.0)


def test_each_week_keeps_its_mean_on_each_path_and_the_hours_are_those_of_the_past() -> None:
    paths = np.repeat([[10.0, 20.0], [30.0, 10.0]], WEEK, axis=1)
    paths[:, 0] = 0  # so low may they go
    found = in_recent_shape(near(paths), spent(np.tile([1.0, 3.0], 2 * WEEK)))
    assert found is not None
    assert found.usd[WEB].reshape(2, 2, WEEK).mean(axis=2) == pytest.approx(paths.reshape(2, 2, WEEK).mean(axis=2))
    assert found.usd[WEB][1, [WEEK, WEEK + 1]].tolist() == [5, 15]


def test_a_term_of_a_year_stands_for_as_many_hours_and_as_much_spend() -> None:
    term = over_term(spent(np.full((3, 30 * 24), 6.0)), pd.Timedelta(days=365), doubt=0.3, growth=0.0, seed=0)
    found = in_recent_shape(term, spent(np.tile(DAY, 28)))
    assert found is not None
    assert found.hours.sum() == pytest.approx(term.hours.sum())
    assert found.starts[0] == term.starts[0]
    clipped = found.usd[WEB] @ found.hours  # hours below the least that the paths hold are raised to it
    assert (clipped >= term.usd[WEB] @ term.hours * (1 - 1e-9)).all()


def test_without_a_week_of_the_past_or_its_spend_there_is_no_shape() -> None:
    term = near(np.full((2, 2 * WEEK), 5.0))
    assert in_recent_shape(term, spent(np.ones(WEEK - 1))) is None
    assert in_recent_shape(term, spent(np.zeros(4 * WEEK))) is None
    assert in_recent_shape(near(np.full((2, 48), 5.0)), spent(np.ones(WEEK))) is not None


def test_hours_that_the_paths_blur_do_not_make_a_commitment_much_smaller_than_every_hour() -> None:
    demand = make_demand({("web", "cpu"): np.tile(DAY, 60)}, hourly(60))
    forecast = make_forecast(demand, steps=28 * 24, paths=40, spread=0.0)
    blur = 1 + 0.6 * np.random.default_rng(0).uniform(-1, 1, forecast.paths.shape)
    blurred = replace(forecast, paths=forecast.paths * blur)
    found = planned(blurred, plain(), goal=BARE).commitment(over="28d")
    assert 38 * TASK * 0.8 < found.usd_per_hour <= 40 * TASK * 0.8


def test_what_is_held_is_taken_off_after_the_shape_is_known() -> None:
    demand = make_demand({("web", "cpu"): np.full(60 * 24, 10.0)}, hourly(60))
    held = HeldCommitment(usd_per_hour=4 * TASK * 0.8, end=date(2036, 1, 1))
    plan = planned(
        make_forecast(demand, steps=28 * 24, paths=5, spread=0.0),
        plain(),
        goal=BARE,
        prices=PriceSettings(commitment=(held,)),
    )
    assert plan.commitment(over="28d").usd_per_hour == pytest.approx(6 * TASK * 0.8)
