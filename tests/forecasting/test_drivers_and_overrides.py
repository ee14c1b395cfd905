"""Drivers are followed as strongly as load did, totals add up, and what experts change is on record."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from capacity.errors import InputError
from capacity.forecasting import Forecast, forecast
from capacity.forecasting.knowledge.overrides import overridden
from tests.forecasting.knowing import NAIVE, load, office, orders, told
from tests.makers import make_demand


def following(elasticity: float, table: pd.DataFrame, days: int = 84) -> pd.Series:
    series = load(days=days)
    daily = table["orders"].tz_localize("UTC").reindex(series.index, method="ffill").to_numpy()
    return series * (daily / 1000) ** elasticity


@pytest.mark.parametrize("elasticity", [-0.5, 0.4, 1.0])
def test_a_driver_is_followed_as_strongly_as_it_was(elasticity: float) -> None:
    table = orders("2026-04-20")
    series = following(elasticity, table)
    found = forecast(series, "14d", model=NAIVE, paths=40, drivers=table)
    truth = following(elasticity, table, 98).iloc[-14 * 24 :]
    assert np.allclose(found.quantile(0.5), truth, rtol=0.01)
    doubled = forecast(series, "14d", model=NAIVE, paths=40, drivers=table, scenario={"orders": 2})
    assert np.allclose(doubled.quantile(0.5) / found.quantile(0.5), 2**elasticity, rtol=0.01)
    assert "beyond all it was" in told(doubled)["REVIEW"]


def test_a_driver_that_says_nothing_changes_nothing_and_is_named() -> None:
    plain = forecast(load(), "7d", model=NAIVE, paths=20)
    flat = orders("2026-04-20", noise=0.0)
    noise = np.exp(0.1 * np.random.default_rng(1).standard_normal(84 * 24))
    for series, table, words in (
        (load(), flat, "hardly moved"),
        (load(days=20), orders("2026-04-20"), "28 are needed"),
        (load() * noise, orders("2026-04-20"), "no series was seen to follow"),
    ):
        found = forecast(series, "7d", model=NAIVE, paths=20, drivers=table)
        assert words in told(found)["UNKNOWN"]
    assert np.array_equal(forecast(load(), "7d", model=NAIVE, paths=20, drivers=flat).paths, plain.paths)


def test_a_driver_without_a_plan_is_refused_by_name_and_time() -> None:
    table = orders("2026-04-01")
    with pytest.raises(InputError, match=r"driver 'orders' has no value at 2026-04-02 00:00 UTC"):
        forecast(following(1, table), "14d", model=NAIVE, drivers=table)


def fleet(paths: int = 60) -> Forecast:
    times = load().index
    rng = np.random.default_rng(0)
    series = {(name, "cpu"): office(times) * np.exp(0.1 * rng.standard_normal(len(times))) for name in "abc"}
    return forecast(make_demand(series, times), "3d", model="profile", paths=paths)


def test_totals_add_up_at_every_path() -> None:
    found = fleet()
    whole, groups = found.total(), found.total({"a": "shop", "b": "shop"})
    assert [key.service for key in groups.keys] == ["shop", "c"]
    assert np.array_equal(whole.paths[0], found.paths.sum(axis=0, dtype=float))
    assert np.array_equal(groups.total().paths, whole.paths)
    assert whole.peak(0.95) <= float(np.sum(found.peak(0.95)))
    gap = np.array(found.past.values)
    gap[1, 5] = np.nan
    holed = replace(found, past=replace(found.past, values=gap)).total()
    assert np.isnan(holed.past.values[0, 5]) and np.isfinite(holed.past.values[0, 6])
    with pytest.raises(InputError, match="no metric 'requests'"):
        found.total(metric="requests")


def test_an_override_changes_what_it_says_and_is_on_record() -> None:
    found = fleet()
    changed = found.override(
        "b", "cpu", "2026-03-31", "2026-04-01", multiply=1.5, by="Ada", why="press", made="2026-03-29"
    )
    day = found.times.normalize() == pd.Timestamp("2026-03-31", tz="UTC")
    assert np.array_equal(changed.paths[1], np.where(day, found.paths[1] * 1.5, found.paths[1]))
    assert np.array_equal(changed.paths[[0, 2]], found.paths[[0, 2]])
    assert "by Ada on 2026-03-29: press" in told(changed)["REVIEW"]
    assert "by Ada on 2026-03-29: press" in changed._repr_html_()
    capped = changed.override("b", "cpu", "2026-03-31", to=500, by="Ada", why="quota")
    assert np.allclose(np.median(capped.paths[1][:, day], axis=0), 500)
    assert [one.by for one in capped.overrides] == ["Ada", "Ada"]


def test_a_quiet_night_raised_by_hand_does_not_get_the_spread_of_its_noise() -> None:
    rng = np.random.default_rng(0)
    day = np.where(np.arange(24) < 8, 1.0, 200.0) * np.exp(0.1 * rng.standard_normal((400, 24)))
    day[:, :8] *= np.exp(2 * rng.standard_normal((400, 8)))  # nights: P95 is 27 times the median
    raised = overridden(day, np.ones(24, dtype=bool), to=500.0)
    assert np.allclose(np.median(raised, axis=0), 500)
    assert np.quantile(raised, 0.95) < 1000
    assert (np.quantile(raised, 0.95, axis=0) > 510).all()
    assert not overridden(day, np.ones(24, dtype=bool), to=0.0).any()
    assert (overridden(np.zeros((5, 3)), np.ones(3, dtype=bool), to=7.0) == 7).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"service": "x"}, "no series x cpu"),
        ({"start": "2027-01-01"}, "no interval of the forecast"),
        ({"start": "soon"}, "'soon' is not a time"),
        ({"to": 5.0}, "either multiply= or to="),
        ({"multiply": -1.0}, "not negative"),
        ({"why": " "}, "without a name and a reason"),
    ],
)
def test_an_override_that_cannot_be_is_refused(change: dict[str, object], words: str) -> None:
    said: dict[str, object] = {
        "service": "a",
        "metric": "cpu",
        "start": "2026-03-31",
        "multiply": 2.0,
        "by": "Ada",
        "why": "press",
    }
    with pytest.raises(InputError, match=words):
        fleet(20).override(**(said | change))  # type: ignore[arg-type]
