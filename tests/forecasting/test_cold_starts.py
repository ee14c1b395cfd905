"""A young service borrows the week of those that are like it, and says so."""

from __future__ import annotations

import numpy as np
import pandas as pd

from capacity.forecasting import forecast

HOURS = pd.date_range("2026-01-05", periods=24 * 63, freq="h", tz="UTC")  # a Monday
YOUNG = slice(24 * 46, 24 * 49)  # Friday to Sunday of week seven: three days are known, two weeks are asked


def load(hour_of_peak: int, weekend: float, scale: float, seed: int) -> pd.Series:
    day = np.exp(0.8 * np.cos(2 * np.pi * (HOURS.hour - hour_of_peak) / 24))
    week = np.where(HOURS.day_of_week >= 5, weekend, 1.0)
    noise = np.exp(0.05 * np.random.default_rng(seed).standard_normal(len(HOURS)))
    return pd.Series(scale * day * week * noise, index=HOURS)


def fleet(*others: pd.Series) -> pd.DataFrame:
    known = {f"old {n}": other.iloc[: YOUNG.stop] for n, other in enumerate(others)}
    return pd.DataFrame({**known, "young": load(14, 0.4, 7.0, 9).iloc[YOUNG]})


def miss(frame: pd.DataFrame) -> float:
    """Mean error of the median over the two weeks after, as a share of the load."""
    said = forecast(frame, "14d", paths=100).of("young").quantile(0.5).to_numpy()
    came = load(14, 0.4, 7.0, 9).to_numpy()[YOUNG.stop : YOUNG.stop + 24 * 14]
    return float(np.abs(said - came).mean() / came.mean())


def test_a_service_of_three_days_knows_weekdays_from_those_like_it() -> None:
    like = [load(14, 0.4, scale, seed) for seed, scale in enumerate((3.0, 900.0))]
    unlike = load(2, 1.0, 50.0, 5)
    alone, helped = miss(fleet(unlike)), miss(fleet(*like, unlike))
    assert helped < 0.1
    assert helped < 0.5 * alone


def test_what_is_lent_is_said_with_its_lenders_and_unlike_services_lend_nothing() -> None:
    helped = forecast(fleet(load(14, 0.4, 3.0, 1), load(2, 1.0, 50.0, 5)), "2d", paths=20)
    (told,) = [finding for finding in helped.findings if finding.check == "lent"]
    assert told.service == "young"
    assert "old 0" in told.message
    assert "old 1" not in told.message
    alone = forecast(fleet(load(2, 1.0, 50.0, 5)), "2d", paths=20)
    assert not [finding for finding in alone.findings if finding.check == "lent"]


def test_what_is_lent_is_not_evidence() -> None:
    """Scores of a young service come from its own three days."""
    helped = forecast(fleet(load(14, 0.4, 3.0, 1)), "2d", paths=20)
    assert helped.scores is not None
    young = helped.scores[helped.scores["service"] == "young"]
    assert len(young) > 0
    assert (young["steps"] <= 24 * 3).all()
    assert young["mase"].isna().all()  # no two measured weeks tell how wrong repeating one is
    assert np.isnan(helped.past.of("young").values[0, : YOUNG.start]).all()


def test_a_fleet_of_young_services_lends_nothing() -> None:
    young = pd.DataFrame({name: load(14, 0.4, 7.0, seed).iloc[YOUNG] for seed, name in enumerate(("a", "b"))})
    longer = pd.concat([pd.DataFrame(index=HOURS[: YOUNG.start], columns=young.columns, dtype=float), young])
    result = forecast(longer, "2d", paths=20)
    assert not [finding for finding in result.findings if finding.check == "lent"]


def test_a_handful_of_values_is_like_anybody_and_is_lent_nothing() -> None:
    frame = fleet(load(14, 0.4, 3.0, 1))
    measured = frame.index[[-40, -33, -25, -14, -3]]
    frame["young"] = frame["young"].where(frame.index.isin(measured))
    assert not [finding for finding in forecast(frame, "2d", paths=20).findings if finding.check == "lent"]


def test_a_service_that_was_silent_for_weeks_has_a_week_of_its_own() -> None:
    frame = fleet(load(14, 0.4, 3.0, 1), load(14, 0.4, 5.0, 2)).drop(columns="young")
    frame.iloc[-24 * 31 : -72, 1] = np.nan
    assert not [finding for finding in forecast(frame, "2d", paths=20).findings if finding.check == "lent"]
