"""The public surface, line by line as the design promises it to tests and users. A name that moves breaks them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import capacity

STEP = {"h": 24, "D": 7, "5min": 288}


def series(freq: str, count: int, tz: str | None = None, start: str = "2026-03-02") -> pd.Series:
    times = pd.date_range(start, periods=count, freq=freq, tz=tz)
    noise = np.random.default_rng(0).normal(0, 2, count)
    return pd.Series(100 + 20 * np.sin(np.arange(count) * 2 * np.pi / STEP[freq]) + noise, index=times, name="checkout")


def long(names: tuple[str, ...] = ("checkout", "api")) -> pd.DataFrame:
    load = series("h", 24 * 21, "UTC")
    tables = [
        pd.DataFrame({"service": name, "metric": "requests", "timestamp": load.index, "value": load.to_numpy()})
        for name in names
    ]
    return pd.concat(tables)


SERVICE = capacity.Service(
    name="checkout", requests_per_second_per_task=50, startup_seconds=120, min_tasks=2, max_tasks=64
)


def test_the_names_are_those_documented_sorted_and_importable() -> None:
    assert capacity.__all__ == sorted(capacity.__all__)
    assert 12 <= len(capacity.__all__) <= 30
    assert all(getattr(capacity, name) is not None for name in capacity.__all__)
    verbs = {"read", "forecast", "backtest", "plan", "recommend_policy", "simulate", "report", "elasticity"}
    assert verbs | {"Service", "load_sample"} <= set(capacity.__all__)


@pytest.mark.parametrize(
    ("load", "horizon", "steps"),
    [
        (series("h", 24 * 21), "2d", 48),
        (series("h", 48), 24, 24),
        (series("h", 24 * 40, "UTC"), "2d", 48),
        (series("h", 24 * 40, "Europe/Paris"), "2d", 48),
        (series("D", 120), 14, 14),
        (series("D", 120, "Europe/Paris"), "14d", 14),
        (series("D", 3650, start="2016-01-01"), "13w", 91),
        (series("5min", 576), "6h", 72),
    ],
    ids=lambda value: f"{len(value)}x{value.index.freqstr} {value.index.tz}" if isinstance(value, pd.Series) else None,
)
def test_a_bare_series_becomes_ordered_finite_quantiles_that_follow_it(
    load: pd.Series, horizon: int | str, steps: int
) -> None:
    forecast = capacity.forecast(load, horizon=horizon, paths=20, levels=(0.99, 0.5, 0.05))
    low, middle, high = (forecast.quantile(level) for level in (0.05, 0.5, 0.99))
    assert len(middle) == steps
    assert np.isfinite([low, middle, high]).all()
    assert ((0 <= low) & (low <= middle) & (middle <= high)).all()
    index = pd.DatetimeIndex(load.index)
    assert str(middle.index.tz) == str(index.tz)
    assert middle.index[0] == index[-1] + index.freq  # the next interval on the caller's own clock
    assert forecast.paths.shape == (1, 20, steps)
    assert forecast.peak(0.95) == np.quantile(forecast.paths[0].max(axis=1), 0.95)
    assert list(forecast.frame.columns) == ["service", "metric", "timestamp", "mean", "p5", "p50", "p99"]
    assert len(forecast.frame) == steps


def test_several_series_give_a_column_each() -> None:
    forecast = capacity.forecast(capacity.read(long()), horizon="1d", paths=20)
    assert isinstance(forecast.quantile(0.95), pd.DataFrame)
    assert forecast.quantile(0.95).shape == (24, 2)
    same = capacity.forecast(long(), horizon="1d", paths=20)
    np.testing.assert_array_equal(same.paths, forecast.paths)


class Nouns:
    """One of each, made by the documented calls."""

    def __init__(self) -> None:
        self.history = capacity.read(long(("checkout",)))
        self.demand = capacity.estimate_demand(self.history)
        self.forecast = capacity.forecast(self.history, horizon="2d", paths=20)
        self.scores = capacity.backtest(self.history, models=["auto", "seasonal-naive"], horizon="1d", windows=2)
        self.plan = capacity.plan(self.forecast, SERVICE, goal=capacity.Goal(level=0.9))
        self.policy = capacity.recommend_policy(self.plan)
        self.simulation = capacity.simulate(self.policy, self.demand, SERVICE)
        self.report = capacity.report(self.plan, policy=self.policy, history=self.history, scores=self.scores)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(vars(self).items())


@pytest.fixture(scope="module")
def nouns() -> Nouns:
    return Nouns()


def test_tables_of_every_noun_are_where_the_design_says(nouns: Nouns) -> None:
    found = [
        *(nouns.scores.frame, nouns.scores.summary),
        *(nouns.plan.frame, nouns.plan.cost, nouns.plan.limits, nouns.plan.reasons),
        *(nouns.simulation.frame, nouns.simulation.metrics),
    ]
    assert [type(table).__name__ for table in found] == ["DataFrame"] * len(found)
    assert all(len(table) for table in found)
    assert {"auto", "seasonal-naive"} <= set(nouns.scores.summary["model"])


@pytest.mark.parametrize("kind", ["cloudformation", "terraform", "boto3", "cli", "table", "hpa", "keda", "azure"])
def test_a_policy_is_written_in_every_language(nouns: Nouns, kind: str) -> None:
    assert nouns.policy.render(kind)


def test_demand_may_be_history_or_a_bare_series_when_simulating(nouns: Nouns) -> None:
    for demand in (nouns.history, series("h", 48, "UTC"), series("h", 48)):
        assert len(capacity.simulate(nouns.policy, demand, SERVICE).frame)


@pytest.mark.parametrize("ending", ["html", "pdf", "xlsx", "json"])
def test_a_report_is_saved_as_its_ending_says(nouns: Nouns, tmp_path: Path, ending: str) -> None:
    path = nouns.report.save(tmp_path / f"x.{ending}")
    start = {"html": b"<!doctype html", "pdf": b"%PDF", "xlsx": b"PK", "json": b"{"}[ending]
    assert path.read_bytes().lower().startswith(start.lower())


def test_every_noun_shows_itself_in_a_notebook(nouns: Nouns) -> None:
    for name, noun in nouns:
        assert noun._repr_html_().lstrip().startswith("<"), name


def test_every_noun_but_the_report_draws_itself(nouns: Nouns) -> None:
    for name, noun in nouns:
        if name != "report":
            json.dumps(noun.plot().to_dict())  # Vega-Lite checks itself against its schema


def test_elasticity_has_the_five_metrics_of_spec() -> None:
    metrics = capacity.elasticity([3, 4, 5], [4, 4, 4])
    assert metrics.theta_u == pytest.approx(100 * (1 / 5) / 3)
    assert metrics.theta_o == pytest.approx(100 * (1 / 3) / 3)
    assert metrics.tau_u == pytest.approx(100 / 3)
    assert metrics.tau_o == pytest.approx(100 / 3)
    assert metrics.upsilon == 100.0


def test_the_short_road_from_a_series_to_calls_of_the_cloud() -> None:
    load = series("5min", 288 * 14)
    policy = capacity.recommend_policy(
        capacity.plan(
            capacity.forecast(load, horizon=7 * 288),
            capacity.Service(
                name="x", requests_per_second_per_task=50, startup_seconds=120, min_tasks=2, max_tasks=2000
            ),
        )
    )
    calls = policy.render("boto3")
    assert calls[0]["operation"] == "register_scalable_target"
    assert calls[0]["parameters"]["ResourceId"] == "service/default/x"
