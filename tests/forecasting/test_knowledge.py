"""What people know is put on the paths: exactly where nothing else moves, carefully where much does."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Service, config_of
from capacity.config.event import Event
from capacity.demand import demand_from
from capacity.demand.demand import Demand
from capacity.errors import ConfigError, InputError
from capacity.fleet import Chain
from capacity.forecasting import Profile, backtest, forecast
from capacity.forecasting.knowledge import Knowing, Knowledge
from capacity.forecasting.knowledge.calendars import public_holidays
from tests.forecasting.knowing import NAIVE, lifted, load, office, orders, ratio, told
from tests.makers import make_demand


@settings(deadline=None, max_examples=8)
@given(
    factor=st.sampled_from([0.01, 0.3, 0.9, 1.5, 4.0, 50.0]),
    start=st.integers(0, 23),
    hours=st.integers(1, 30),
    zone=st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata"]),
)
def test_an_event_is_learnt_exactly_from_noiseless_history_and_put_where_it_comes_again(
    factor: float, start: int, hours: int, zone: str
) -> None:
    length = pd.Timedelta(hours=hours)
    past, to_come = (pd.Timestamp(day) + pd.Timedelta(hours=start) for day in ("2026-02-18", "2026-04-02"))
    series = lifted(load(zone=zone), factor, (str(past), str(past + length)), zone=zone)
    event = Event(name="sale", start=past, end=past + length, dates=(to_come,))
    found = forecast(series, "7d", model=NAIVE, paths=40, events=[event], services=[Service(name="web", timezone=zone)])
    wall = pd.DatetimeIndex(found.index).tz_convert(zone).tz_localize(None)
    expected = np.where((wall >= to_come) & (wall < to_come + length), factor, 1.0)
    assert np.allclose(ratio(found, zone), expected, rtol=0.02)


@pytest.mark.parametrize("model", ["profile", "harmonic", "auto", "ets"])
def test_any_model_can_be_told(model: str) -> None:
    event = Event(name="sale", start="2026-02-18", dates=("2026-03-11", "2026-04-02"))
    series = lifted(load(), 3, ("2026-02-18", "2026-02-19"), ("2026-03-11", "2026-03-12"))
    found, plain = (
        forecast(data, "7d", model=model, paths=40, events=e) for data, e in ((series, [event]), (load(), []))
    )
    moved = np.median(found.paths[0], axis=0) / np.median(plain.paths[0], axis=0)
    inside = found.times.normalize() == pd.Timestamp("2026-04-02", tz="UTC")
    assert np.allclose(moved, np.where(inside, 3, 1), rtol=0.05)


def test_a_launch_that_is_named_is_not_learnt_as_normal() -> None:
    series = lifted(load(), 8, ("2026-03-19", "2026-03-26"))
    event = Event(name="launch", start="2026-03-19", end="2026-03-26")
    assert np.allclose(ratio(forecast(series, "7d", model=NAIVE, paths=20, events=[event])), 1, rtol=0.01)
    assert ratio(forecast(series, "7d", model=NAIVE, paths=20)).max() > 2


def test_a_stated_uplift_is_used_as_stated_and_memory_stays() -> None:
    times = load().index
    both = make_demand({("web", "cpu"): office(times), ("web", "memory"): office(times)}, times)
    event = Event(name="tv", start="2026-04-02T20:00", end="2026-04-02T22:00", uplift=2.5)
    found = forecast(both, "7d", model=NAIVE, paths=40, events=[event])
    plain = forecast(both, "7d", model=NAIVE, paths=40)
    moved = np.median(found.paths, axis=1) / np.median(plain.paths, axis=1)
    hours = pd.DatetimeIndex(found.times).strftime("%m-%d %H").isin(["04-02 20", "04-02 21"])
    assert np.allclose(moved[0], np.where(hours, 2.5, 1.0), rtol=0.01)
    assert np.allclose(moved[1], 1.0)
    assert "as stated" in told(found)["PASS"]


def test_what_is_stated_and_what_was_measured_are_blended_and_it_is_said() -> None:
    series = lifted(load(), 2, ("2026-02-18", "2026-02-19"))
    event = Event(name="sale", start="2026-02-18", dates=("2026-04-02",), uplift=3)
    found = forecast(series, "7d", model=NAIVE, paths=40, events=[event])
    top = ratio(found)["2026-04-02"].median()
    assert 2 < top < 3
    assert "stated ×3, learnt ×2" in told(found)["REVIEW"]


def test_an_event_of_which_nothing_is_known_changes_nothing_and_is_named() -> None:
    plain = forecast(load(), "7d", model=NAIVE, paths=20)
    found = forecast(load(), "7d", model=NAIVE, paths=20, events=[Event(name="launch", start="2026-04-02")])
    assert np.array_equal(found.paths, plain.paths)
    assert "'launch'" in told(found)["UNKNOWN"]


def test_an_event_of_every_week_is_left_to_the_model() -> None:
    weekly = [
        (f"{day:%Y-%m-%d} 03:00", f"{day:%Y-%m-%d} 05:00") for day in pd.date_range("2026-01-05", periods=12, freq="7D")
    ]
    series = lifted(load(), 5, *weekly)
    event = Event(name="batch", start="2026-01-05T03:00", end="2026-01-05T05:00", every="week")
    found = forecast(series, "7d", model=NAIVE, paths=20, events=[event])
    assert np.array_equal(found.paths, forecast(series, "7d", model=NAIVE, paths=20).paths)
    assert "every week" in told(found)["PASS"]


def test_occurrences_that_differ_widen_the_fan_and_all_hours_of_one_share_the_draw() -> None:
    spans = [("2026-01-28", "2026-01-29"), ("2026-02-18", "2026-02-19"), ("2026-03-12", "2026-03-13")]
    series = load()
    for span, factor in zip(spans, (1.5, 2.5, 4.0), strict=True):
        series = lifted(series, factor, span)
    event = Event(name="sale", start="2026-01-28", dates=("2026-02-18", "2026-03-12", "2026-04-02"))
    found = forecast(series, "7d", model=NAIVE, paths=200, events=[event])
    day = np.flatnonzero(found.times.normalize() == pd.Timestamp("2026-04-02", tz="UTC"))
    relative = found.paths[0][:, day] / np.median(found.paths[0][:, day], axis=0)
    assert np.quantile(relative, 0.95) > 1.5
    assert np.corrcoef(relative[:, 0], relative[:, -1])[0, 1] > 0.9


def test_services_share_the_draw_of_one_event() -> None:
    times = load().index
    both = make_demand({("a", "cpu"): office(times), ("b", "cpu"): 3 * office(times)}, times)
    event = Event(name="tv", start="2026-04-02", uplift=2)
    found, plain = (forecast(both, "7d", model=NAIVE, paths=50, events=e).paths for e in ([event], []))
    moved = (found / plain)[:, :, 80]
    assert np.allclose(moved[0], moved[1])
    assert moved[0].std() > 0.05


def test_holidays_are_local_days_like_sundays_and_new_ones_learn_from_the_others() -> None:
    """Each public holiday of 2025 empties its day to a Sunday's; 3 October was never seen, and becomes one too."""
    zone = "America/New_York"
    series = load("2025-01-06", 270, zone=zone)
    wall = pd.DatetimeIndex(series.index).tz_convert(zone)
    days = {
        day
        for event in public_holidays("US", date(2025, 1, 1), date(2025, 12, 31))
        for day in (event.start, *event.dates)
    }
    free = np.isin(wall.strftime("%Y-%m-%d"), list(days)) & (wall.day_of_week < 5)
    series[free] *= 0.6
    found = forecast(series, "14d", model=NAIVE, paths=40, holidays="US", services=[Service(name="web", timezone=zone)])
    local = pd.DatetimeIndex(found.index).tz_convert(zone).strftime("%Y-%m-%d")
    assert np.allclose(ratio(found, zone)[local == "2025-10-13"], 0.6, rtol=0.05)
    assert np.allclose(ratio(found, zone)[local != "2025-10-13"], 1.0, rtol=0.02)
    assert "Columbus Day" in told(found)["REVIEW"]


def test_days_of_23_and_25_hours_are_one_local_day() -> None:
    zone = "Europe/Paris"
    for past, to_come, start in (
        ("2026-02-22", "2026-03-29", "2026-01-05"),
        ("2026-09-20", "2026-10-25", "2026-08-03"),
    ):
        series = load(start, 81, zone=zone)
        end = (pd.Timestamp(past) + pd.Timedelta("1D")).strftime("%Y-%m-%d")
        series = lifted(series, 3, (past, end), zone=zone)
        event = Event(name="sale", start=past, dates=(to_come,))
        found = forecast(
            series, "9d", model=NAIVE, paths=20, events=[event], services=[Service(name="web", timezone=zone)]
        )
        wall = pd.DatetimeIndex(found.index).tz_convert(zone)
        expected = np.where(wall.strftime("%Y-%m-%d") == to_come, 3.0, 1.0)
        assert np.allclose(ratio(found, zone), expected, rtol=0.02)


def test_daily_data_and_tables_of_prophets_users_work_alike() -> None:
    days = pd.date_range("2024-01-01", periods=500, freq="D")
    values = pd.Series(np.where(days.day_of_week >= 5, 60.0, 100.0), index=days, name="site")
    values[pd.to_datetime(["2024-12-24", "2024-12-25", "2025-04-17", "2025-04-18"])] *= 0.5
    table = pd.DataFrame(
        {
            "holiday": "feast",
            "ds": pd.to_datetime(["2024-12-25", "2025-04-18", "2025-05-29"]),
            "lower_window": -1,
            "upper_window": 0,
        }
    )
    for told_as in ({"events": table}, {"holidays": table}):
        middle = forecast(values, 28, model=NAIVE, paths=40, **told_as).quantile(0.5)
        usual = np.where(middle.index.day_of_week >= 5, 60.0, 100.0)
        expected = np.where(middle.index.isin(pd.to_datetime(["2025-05-28", "2025-05-29"])), 0.5, 1.0)
        assert np.allclose(middle / usual, expected, rtol=0.03)


def test_a_migration_brings_older_history_to_the_new_level() -> None:
    series = lifted(load(), 1.4, ("2026-03-25", "2027-01-01"))
    event = Event(name="migration", start="2026-03-25", end=None)
    found = ratio(forecast(series, "14d", model="profile", paths=40, events=[event]))
    assert np.allclose(found, 1.4, rtol=0.01)
    to_come = Event(name="client", start="2026-04-05T12:00", end=None, uplift=1.4)
    found = ratio(forecast(load(), "14d", model=NAIVE, paths=40, events=[to_come]))
    assert np.allclose(found, np.where(found.index >= pd.Timestamp("2026-04-05T12:00Z"), 1.4, 1.0), rtol=0.01)


def test_a_lasting_change_that_the_forecast_does_not_meet_is_not_said_to_have_done_anything() -> None:
    event = Event(name="w", start="2031-01-01", end=None, uplift=2)
    later = forecast(load(), "7d", model=NAIVE, paths=20, events=[event])
    assert told(later).keys() == {"REVIEW"} and "neither in the history nor in the horizon" in told(later)["REVIEW"]
    for uplift in (None, 2.0):
        event = Event(name="w", start="2019-01-01", end=None, uplift=uplift)
        assert "older than the history" in told(forecast(load(), "7d", model=NAIVE, paths=20, events=[event]))["PASS"]


def test_holidays_of_a_service_that_is_not_there_are_told() -> None:
    found = told(forecast(load(), "7d", model=NAIVE, paths=20, holidays={"wbe": "US"}))
    assert "wbe: holidays 'US' are given for it, and there is no series of it." in found["REVIEW"]


def test_sparse_counts_keep_finite_paths_when_a_sale_made_them_tenfold() -> None:
    rng = np.random.default_rng(0)
    times = load().index
    mean = np.where(times.normalize() == pd.Timestamp("2026-03-04", tz="UTC"), 3.0, 0.3)
    series = pd.Series(rng.poisson(mean).astype(float), index=times, name="web")
    event = Event(name="sale", start="2026-03-04", dates=("2026-04-02",))
    found = forecast(series, "7d", paths=200, events=[event]).paths[0]
    assert np.isfinite(found).all()
    assert 2 < found[:, 72:96].mean() / found[:, 120:144].mean() < 20


@settings(deadline=None, max_examples=20)
@given(
    freq=st.sampled_from(["5min", "30min", "1h", "2h", "12h", "1D", "7D"]),
    length=st.sampled_from([5, 10, 60, 400]),
    kind=st.sampled_from(["flat", "zero", "sparse", "wild", "gaps"]),
    zone=st.sampled_from(["UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
    seed=st.integers(0, 1000),
)
def test_whatever_is_known_of_whatever_load_paths_are_finite_and_not_negative(
    freq: str, length: int, kind: str, zone: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    times = pd.date_range("2025-11-03", periods=length, freq=freq, tz="UTC")
    values = {
        "flat": np.full(length, 5.0),
        "zero": np.zeros(length),
        "sparse": rng.poisson(0.2, length).astype(float),
        "wild": np.exp(rng.standard_normal(length)),
        "gaps": np.where(rng.random(length) < 0.4, np.nan, 1 + rng.random(length)),
    }[kind]
    values[:4] = np.nan_to_num(values[:4], nan=1.0)
    middle, cutoff = (stamp.tz_localize(None).floor("h") for stamp in (times[length // 2], times[-1]))
    later = cutoff + rng.uniform(0, 20) * pd.Timedelta(freq)
    known = [
        Event(name="once more", start=middle, end=middle + pd.Timedelta("7h"), dates=(later.floor("h"),)),
        Event(name="days", start=later.date(), dates=(middle.date(),), days_before=1, days_after=2, uplift=2),
        Event(name="now", start=cutoff - pd.Timedelta("5h"), end=cutoff + pd.Timedelta("9h")),
        Event(name="since", start=middle, end=None),
        Event(name="from then on", start=later.floor("h"), end=None, uplift=1.5),
        Event(name="weekly", start=times[0].date(), every="week"),
        Event(name="for all", start="2025-12-01T10:00+02:00", end="2025-12-01T12:00+02:00"),
    ]
    series = pd.Series(values, index=times, name="web")
    web = Service(name="web", timezone=zone, holidays="US")
    paths = forecast(series, 20, model="profile", paths=20, events=known, services=[web]).paths
    assert np.isfinite(paths).all()
    assert (paths >= 0).all()


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"holidays": "XX"}, "no calendar 'XX'"),
        ({"holidays": "DE-QQ"}, "BB, BE, BW, BY"),
        ({"holidays": 5}, "neither a code"),
        ({"holidays": pd.DataFrame({"ds": ["2026-01-01"]})}, "needs the column 'holiday'"),
        ({"events": pd.DataFrame({"holiday": ["x"], "ds": ["soon"]})}, "row 1"),
        ({"events": ["sale"]}, "'sale' is not an Event"),
        ({"events": [Event(name="a", start="2026-01-01")] * 2}, "two events are called 'a'"),
        ({"scenario": {"orders": 2}}, "there are none"),
        ({"drivers": orders("2026-04-20"), "scenario": {"order": 2}}, "'order' that is not in drivers"),
        ({"drivers": orders("2026-04-20"), "scenario": {"orders": "20%"}}, "'20%' is not a multiple of the driver"),
        ({"drivers": orders("2026-04-20"), "scenario": {"orders": np.inf}}, "inf is not a multiple"),
        ({"drivers": orders("2026-04-20"), "scenario": {"orders": -1}}, "-1 is not a multiple"),
        (
            {"drivers": orders("2026-04-20"), "scenario": {"orders": -orders("2026-04-20")["orders"]}},
            "scenario 'orders' has values below zero",
        ),
        ({"drivers": orders("2026-04-20").rename(columns={"orders": 0})}, "driver 0 has no name"),
        ({"drivers": -orders("2026-04-20")}, "below zero"),
        ({"drivers": orders("2026-04-20").iloc[::-1]}, "not ascending"),
        ({"drivers": orders("2026-04-20").astype(str)}, "not numbers"),
        ({"drivers": [1, 2]}, "not a table over time"),
    ],
)
def test_what_cannot_be_known_is_refused_in_words(known: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        forecast(load(), "7d", model=NAIVE, paths=20, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"start": "soon"}, "neither a date"),
        ({"start": "2026-01-01", "end": "2026-01-01"}, "is not after start"),
        ({"start": "2026-01-01T10:00"}, "not a local day"),
        ({"start": "2026-01-01", "end": None, "every": "week"}, "happens once"),
        ({"start": "2026-01-01", "uplift": 0}, "greater than 0"),
        ({"start": "2026-01-01", "dates": ["2026-02-01T00:00:00Z"]}, "or neither"),
        ({"start": "2026-01-01T10:00", "end": "2026-01-01T11:00", "days_after": 1}, "whole local days"),
        ({"start": "2026-01-01", "colour": "red"}, "unknown key"),
    ],
)
def test_an_event_that_cannot_be_says_why(fields: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Event(name="sale", **fields)


def test_recurring_events_fall_where_people_expect_them() -> None:
    def starts(**rule: object) -> list[str]:
        event = Event(name="x", **rule)
        return [f"{one.start:%m-%d}" for one in event.occurrences(date(2026, 1, 1), date(2026, 4, 29))]

    assert starts(start="2026-01-31", every="month") == ["01-31", "02-28", "03-31", "04-30"]
    assert starts(start="2024-02-29", every="year") == ["02-28"]
    assert starts(start="2026-04-10", every="week") == ["04-10", "04-17", "04-24"]


def test_the_same_knowledge_gives_the_same_paths_and_leaves_the_history_alone() -> None:
    demand = demand_from(lifted(load(), 3, ("2026-02-18", "2026-02-19")))
    before = demand.values.copy()
    event = Event(name="sale", start="2026-02-18", dates=("2026-04-02",))
    one, other = (forecast(demand, "7d", paths=30, seed=4, events=[event], holidays="DE").paths for _ in range(2))
    assert np.array_equal(one, other)
    assert np.array_equal(demand.values, before)


def test_a_backtest_takes_a_model_that_was_told() -> None:
    series = lifted(load(), 3, ("2026-02-18", "2026-02-19"), ("2026-03-26", "2026-03-27"))
    event = Event(name="sale", start="2026-02-18", dates=("2026-03-26",))
    summary = backtest(series, [Profile(), Knowing(Profile(), Knowledge.of([event]))], "7d", 1).summary
    assert summary["model"].iloc[0].endswith(", told")


def test_capacity_toml_says_events_and_holidays_and_the_chain_heeds_them() -> None:
    config = config_of(
        {
            "goal": {"horizon": "7d"},
            "forecast": {"model": "seasonal-naive", "paths": 20, "holidays": "GB"},
            "event": [{"name": "sale", "start": date(2026, 4, 2), "uplift": 3}],
            "service": [{"name": "web", "holidays": "DE"}],
        }
    )
    chain = Fed(config, demand_from(load()))
    found = chain.forecast
    assert found.models == ("seasonal-naive, told",)
    assert chain.backtest is not None
    assert chain.backtest.models == ["seasonal-naive, told", "seasonal-naive"]  # what is used is what is scored
    assert {one.message.split("'")[1] for one in found.findings if one.check == "event"} == {"sale", "Good Friday"}
    with pytest.raises(ConfigError, match="event 'sale' colour: unknown key"):
        config_of({"event": [{"name": "sale", "start": "2026-04-02", "colour": "red"}]})
    with pytest.raises(ConfigError, match=r"two .*event.* are called 'sale'"):
        config_of({"event": [{"name": "sale", "start": "2026-04-02"}] * 2})


class Fed(Chain):
    """A chain whose demand is given."""

    def __init__(self, config: object, demand: Demand) -> None:
        super().__init__(config)  # type: ignore[arg-type]
        self.__dict__["demand"] = demand
