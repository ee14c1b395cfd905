"""Fleets: the same forecast whoever works on it, within the memory that was promised."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from capacity.demand import demand_from
from capacity.errors import InputError
from capacity.forecasting import Forecast, fleets, forecast
from capacity.forecasting.clock import in_steps
from capacity.forecasting.forecasts import quantiles


def table(count: int, weeks: int = 8) -> pd.DataFrame:
    """Hourly load of so many services, one column each; every fifth began a week later."""
    rng = np.random.default_rng(1)
    hours = pd.date_range("2026-01-05", periods=weeks * 168, freq="h", tz="UTC")
    wave = np.exp(0.5 * np.sin(np.arange(len(hours)) * 2 * np.pi / 24)[:, None] * rng.uniform(0.5, 1.5, count))
    values = wave * np.exp(0.1 * rng.standard_normal((len(hours), count))) * rng.uniform(1, 1e4, count)
    values[:168, ::5] = np.nan
    return pd.DataFrame(values, index=hours, columns=[f"service-{n}" for n in range(count)])


def same(one: Forecast, other: Forecast) -> None:
    assert np.array_equal(one.paths, other.paths)
    assert one.models == other.models and one.findings == other.findings
    assert one.scores is not None and other.scores is not None
    pd.testing.assert_frame_equal(one.scores, other.scores)


def test_a_fleet_is_forecast_alike_by_any_number_of_workers_and_in_any_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    data = table(6)
    together = forecast(data, "28d", paths=200, workers=2)
    monkeypatch.setattr("capacity.forecasting.ensemble.CHUNK", 600_000)  # two or three chunks
    apart = forecast(data, "28d", paths=200, workers=1)
    same(apart, forecast(data, "28d", paths=200, workers=3))
    assert np.allclose(together.paths, apart.paths, rtol=1e-5, atol=1e-6)  # matrices of other sizes round differently
    assert together.models == apart.models and together.findings == apart.findings


def test_what_a_worker_trips_over_is_raised_where_the_fleet_was_asked_for() -> None:
    def work(part: int) -> int:
        if part == 2:
            raise InputError("the third is broken")
        return part

    with fleets.shared_by(2):
        assert list(fleets.each_done(abs, [-1, -2, 3])) == [1, 2, 3]
        with pytest.raises(InputError, match="the third is broken"):
            list(fleets.each_done(work, range(6)))


def test_fewer_paths_are_drawn_when_all_would_not_fit_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleets, "MOST_BYTES", 2_500_000)
    few = forecast(table(3), "28d", model="profile")
    assert few.paths.shape == (3, 310, 672) and few.paths.nbytes <= fleets.MOST_BYTES
    (said,) = (finding for finding in few.findings if finding.check == "paths")
    assert said.status == "REVIEW" and "310 paths of each series were drawn, not 400" in said.message
    assert forecast(table(3), "28d", model="profile", paths=250).paths.shape[1] == 250
    assert not [finding for finding in forecast(table(1), "7d", model="profile").findings if finding.check == "paths"]


@pytest.mark.parametrize(
    ("series", "count", "horizon", "drawn"), [(5_000, 400, 2_184, 200), (5_000, 50, 2_184, 50), (3_000, 400, 672, 266)]
)
def test_there_are_never_fewer_paths_than_tell_a_tail_unless_fewer_were_asked_for(
    series: int, count: int, horizon: int, drawn: int
) -> None:
    found, findings = fleets.affordable(series, count, horizon)
    assert found == drawn and len(findings) == (drawn < count)


@pytest.mark.parametrize("scale", [1e12, 1e-12])
def test_single_precision_holds_any_scale(scale: float) -> None:
    data = table(2, weeks=4)
    plain, scaled = forecast(data, "7d", paths=100), forecast(data * scale, "7d", paths=100)
    assert scaled.paths.dtype == np.float32 and np.isfinite(scaled.paths).all()
    assert np.allclose(scaled.paths / scale, plain.paths, rtol=1e-4, atol=1e-6)
    assert np.isfinite(scaled.frame.drop(columns=["service", "metric", "timestamp"])).all(axis=None)
    assert np.allclose(scaled.total().paths[0], scaled.paths.sum(axis=0, dtype=float), rtol=1e-12)


@pytest.mark.parametrize("drawn", [1, 2, 41, 400])
def test_quantiles_are_numpys(drawn: int) -> None:
    paths = np.random.default_rng(0).gamma(2.0, size=(3, drawn, 5)).astype(np.float32)
    levels = (0.001, 0.05, 0.5, 0.95, 0.999)
    assert np.allclose(quantiles(paths, levels), np.quantile(paths.astype(float), levels, axis=1), rtol=1e-12)


def test_steps_are_moved_as_an_index_would_and_what_may_not_be_changed_is_not() -> None:
    paths = np.random.default_rng(0).random((3, 4, 6))
    steps = np.array([[0, 1, 2, 3, 4], [0, 1, 1, 2, 3], [1, 2, 3, 4, 5]])
    expected = np.take_along_axis(paths, np.broadcast_to(steps[:, None], (3, 4, 5)), axis=2)
    given = paths.copy()
    given.flags.writeable = False
    assert np.array_equal(in_steps(given, steps), expected) and np.array_equal(given, paths)
    assert np.array_equal(in_steps(paths, steps), expected)


def test_a_long_table_in_any_order_is_read_as_the_wide_one() -> None:
    wide = table(4, weeks=1).fillna(0)
    long = wide.melt(ignore_index=False, var_name="service").reset_index(names="timestamp")
    mixed = demand_from(long.sample(frac=1, random_state=0))
    plain = demand_from(wide)
    assert sorted(mixed.keys) == sorted(plain.keys)
    assert np.array_equal(mixed.select(plain.keys).values, plain.values)


@pytest.mark.parametrize("workers", [0, -1, True, 1.5])
def test_workers_are_counted_in_whole_numbers(workers: object) -> None:
    with pytest.raises(InputError, match="a whole number of at least 1"):
        forecast(table(1, weeks=2), 24, workers=workers)  # type: ignore[arg-type]
