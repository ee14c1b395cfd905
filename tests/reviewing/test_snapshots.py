"""A plan that was kept is the plan: what is opened is what was saved, and run again it comes out the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.config import Config, Event, Goal, Service
from capacity.demand.gridding import WallClock
from capacity.errors import ConfigError, InputError
from capacity.forecasting import forecast
from capacity.planning import plan
from capacity.planning.fingerprint import fingerprint
from capacity.reviewing import Snapshot, open_snapshot
from capacity.reviewing.keeping import parts
from capacity.reviewing.plain import policies, policy_of, written
from capacity.reviewing.taking import LEVELS, coarse
from capacity.scaling import (
    Policy,
    PredictiveScaling,
    ScheduledAction,
    ServicePolicy,
    Step,
    StepScaling,
    TargetTracking,
    recommend_policy,
)
from tests.makers import hourly, make_demand
from tests.reviewing.kept import NASTY, THEN, again, made, settings, snapshot


def saved(one: Snapshot, folder: Path, name: str = "one.plan") -> bytes:
    return one.save(folder / name).read_bytes()


def test_the_same_plan_is_the_same_file_and_opened_it_is_kept_the_same_again(tmp_path: Path) -> None:
    first = saved(snapshot(), tmp_path)
    assert saved(made().kept(), tmp_path, "two.plan") == first
    opened = open_snapshot(tmp_path / "one.plan")
    assert saved(opened, tmp_path, "three.plan") == first
    assert len(snapshot().differs(opened)) == 0


def test_run_again_it_is_the_same_to_the_byte(tmp_path: Path) -> None:
    assert saved(again(), tmp_path) == saved(snapshot(), tmp_path)


def test_nothing_but_when_it_was_kept_tells_two_files_apart() -> None:
    demand, config, planned, policy = made()
    later = Snapshot.of(planned, config, demand=demand, policy=policy)
    assert later.created_at > snapshot().created_at == pd.Timestamp(THEN)
    assert parts(later) == parts(snapshot())
    assert {**later.about, "created_at": ""} == {**snapshot().about, "created_at": ""}


def test_what_is_opened_is_what_was_planned(tmp_path: Path) -> None:
    snapshot().save(tmp_path / "one.plan")
    opened, (demand, config, planned, policy) = open_snapshot(tmp_path / "one.plan"), made()
    for field in ("values", "peaks", "censored"):
        np.testing.assert_array_equal(getattr(opened.demand, field), getattr(demand, field))
    np.testing.assert_array_equal(opened.demand.tasks[NASTY], demand.tasks[NASTY])
    assert (opened.demand.keys, opened.demand.zones, opened.demand.derived) == (
        demand.keys,
        demand.zones,
        demand.derived,
    )
    assert opened.demand.times.equals(demand.times)
    assert opened.demand.findings == demand.findings
    assert opened.config.service == config.service
    assert opened.config.event == config.event
    assert opened.config.goal.model_fields_set == {"horizon", "level"}
    assert opened.decisions == planned.decisions
    assert opened.findings == planned.findings
    assert opened.rates == planned.rates
    for name, frame in (("plan", planned.frame), ("limits", planned.limits), ("cost", planned.cost)):
        pd.testing.assert_frame_equal(getattr(opened, name), frame, check_dtype=False)
    assert opened.policy.render("boto3") == policy.render("boto3")
    pd.testing.assert_frame_equal(opened.policy.rehearsals, policy.rehearsals, check_dtype=False)
    assert opened.about["fingerprint"] == fingerprint(planned)
    assert (opened.cutoff, opened.end) == (demand.end, demand.end + pd.Timedelta(days=5))
    assert str(opened).startswith("Plan of 2026-08-24 09:30 UTC for 2026-08-24 to 2026-08-29: 2 services, ")
    assert "<b>" not in opened._repr_html_()


def test_quantiles_are_those_of_the_paths_and_in_order() -> None:
    kept, drawn, planned = snapshot(), made().plan.forecast, made().plan
    names = [f"p{100 * level:g}" for level in LEVELS]
    values = kept.quantiles[names].to_numpy(dtype=float).reshape(3, -1, len(LEVELS))
    np.testing.assert_allclose(values, np.moveaxis(np.quantile(drawn.paths, LEVELS, axis=1), 0, 2), rtol=2.0**-16)
    assert (np.diff(values, axis=2) >= 0).all()
    for window, asked in (("day", "1D"), ("horizon", None)):
        rows = kept.peaks[kept.peaks["window"] == window]
        ours = rows.pivot_table("p95", "timestamp", ["service", "metric"], observed=True)
        wanted = np.asarray(drawn.peak(0.95, asked)).reshape(len(ours), -1)
        np.testing.assert_allclose(ours[list(map(tuple, drawn.keys))], wanted, rtol=2.0**-16)
    counts = kept.counts.set_index(["service", "timestamp"])[names]
    for name in (NASTY, "search"):  # every path climbed to whole tasks by itself
        wanted = np.quantile(planned.counts(name), LEVELS, axis=0).T
        np.testing.assert_allclose(counts.loc[name].to_numpy(dtype=float), wanted, rtol=2.0**-16)


@given(st.lists(st.floats(min_value=0, max_value=1e30), min_size=1))
def test_a_rounded_number_is_close_and_never_overtakes_another(values: list[float]) -> None:
    given_ = np.array(values)
    rounded = coarse(given_).astype(float)
    assert np.all(np.abs(rounded - given_) <= given_ * 2.0**-16 + 1e-40)
    assert np.all(np.diff(rounded[np.argsort(given_, kind="stable")]) >= 0)
    assert np.array_equal(coarse(rounded), coarse(given_))


def test_what_an_expert_said_is_said_again() -> None:
    demand, config, _, _ = made()
    said = config.forecast
    drawn = forecast(
        demand, "5d", model="profile", paths=60, seed=11, services=config.service, events=config.event, holidays="DE"
    )
    drawn = drawn.override("search", "requests", "2026-08-25", "2026-08-26", multiply=1.2, by="A. Rao", why="campaign")
    drawn = drawn.override(NASTY, "cpu", "2026-08-25T06:00", to=9.0, by="A. Rao", why="=x", made="2026-08-20")
    one = Snapshot.of(plan(drawn, config), config, demand=demand, created_at=THEN)
    assert said.seed == one.about["seed"]
    assert parts(one.rerun(created_at=THEN)) == parts(one)
    assert set(snapshot().differs(one)["item"]) >= {"override", "quantiles p50"}


def test_one_service_of_another_name_than_its_series_is_run_again_too() -> None:
    times = hourly(15)
    demand = make_demand({("sales", "requests"): np.linspace(50, 90, len(times))}, times)
    web = Service(name="web", requests_per_second_per_task=20, max_tasks=3)
    config = Config(goal=Goal(horizon="1d"), service=(web,), forecast={"model": "seasonal-naive", "paths": 40})
    planned = plan(forecast(demand, "1d", model="seasonal-naive", paths=40), web, goal=config.goal)
    one = Snapshot.of(planned, config, policy=recommend_policy(planned), created_at=THEN)
    assert parts(one.rerun(created_at=THEN)) == parts(one)


def test_a_series_that_was_too_short_is_still_said_to_be() -> None:
    times = hourly(15)
    known = np.linspace(50, 90, len(times))
    few = np.where(np.arange(len(times)) < 2, known, np.nan)
    demand = make_demand({("web", "requests"): known, ("web", "cpu"): few}, times)
    config = Config(
        goal=Goal(horizon="1d"),
        service=(Service(name="web", requests_per_second_per_task=20),),
        forecast={"model": "seasonal-naive", "paths": 40},
    )
    planned = plan(forecast(demand, "1d", model="seasonal-naive", paths=40, services=config.service), config)
    one = Snapshot.of(planned, config)
    assert [finding.check for finding in one.findings if finding.status == "FAIL"] == ["short"]
    assert parts(one.rerun()) == parts(one)
    assert Snapshot.of(planned, config, demand=demand).demand.keys == demand.keys


def test_it_is_run_again_at_the_prices_of_then() -> None:
    """As if the table of prices had been another one then: what is kept wins over what is known today."""
    rates = tuple(rate.model_copy(update={"vcpu": 2 * rate.vcpu, "date": "2020-01-01"}) for rate in snapshot().rates)
    dear = replace(snapshot(), rates=rates, policies={})
    run = dear.rerun(created_at=THEN)
    assert run.rates == rates
    then, now = (one.cost.set_index(["service", "item"])["usd"] for one in (run, snapshot()))
    np.testing.assert_allclose(then[NASTY, "vcpu"], 2 * now[NASTY, "vcpu"])
    assert then[NASTY, "memory"] == now[NASTY, "memory"]


def test_other_packages_are_named_with_the_numbers_that_they_moved() -> None:
    packages = {**snapshot().about["packages"], "numpy": "1.0"}
    same = replace(snapshot(), about={**snapshot().about, "packages": packages}, policies={})
    (told,) = [finding for finding in same.rerun().findings if finding.check == "run again"]
    assert told.status == "PASS"
    assert told.message == f"Run again with numpy {np.__version__} instead of 1.0: no number moved."
    moved = replace(same, plan=same.plan.assign(tasks=same.plan["tasks"] + 1))
    (told,) = [finding for finding in moved.rerun().findings if finding.check == "run again"]
    assert (told.status, told.count) == ("REVIEW", len(same.plan))
    assert told.message.endswith(f": numbers moved in plan tasks ({len(same.plan):,} of them).")


def test_what_differs_is_named_with_both_values() -> None:
    other = settings()
    services = tuple(one.model_copy(update={"max_tasks": 14}) if one.name == NASTY else one for one in other.service)
    moved = snapshot().demand.values.copy()
    moved[2, 5] *= 2
    demand = replace(snapshot().demand, values=moved)
    config = snapshot().config.model_copy(update={"service": services})
    limits = snapshot().limits.iloc[1:]
    found = snapshot().differs(replace(snapshot(), config=config, demand=demand, limits=limits)).set_index("item")
    assert found.loc[f"service {NASTY} max_tasks", ["part", "this", "other"]].tolist() == ["inputs", "12", "14"]
    assert found.loc["demand search requests values", ["part", "rows"]].tolist() == ["inputs", 1]
    assert found.loc["demand search requests values", "largest"] == pytest.approx(0.5)
    assert found.loc["limits rows", ["part", "rows"]].tolist() == ["numbers", 1]
    assert len(found) == 3


def test_a_plan_without_settings_opens_and_is_not_run_again(tmp_path: Path) -> None:
    demand, _, planned, policy = made()
    Snapshot.of(planned, demand=demand, policy=policy).save(tmp_path / "one.plan")
    opened = open_snapshot(tmp_path / "one.plan")
    assert opened.config.service == planned.services
    assert len(opened.policy) == 2
    with pytest.raises(InputError, match=r"cannot be run again:\n  - .* how its forecast was asked for"):
        opened.rerun()


def test_what_was_given_in_python_and_cannot_be_kept_is_named() -> None:
    times = hourly(28)
    demand = make_demand({("web", "requests"): np.linspace(50, 90, len(times))}, times)
    drivers = pd.DataFrame({"orders": np.linspace(5, 9, 35)}, index=pd.date_range("2026-08-03", periods=35, freq="D"))
    drawn = forecast(demand, "1d", model="seasonal-naive", paths=40, drivers=drivers)
    service = Service(name="web", requests_per_second_per_task=20)
    planned = plan(drawn, service, goal=Goal(horizon="1d"), peaks=lambda forecast: forecast.paths)
    kept = Snapshot.of(planned)
    said = " ".join(finding.message for finding in kept.findings if finding.check == "not kept")
    assert "drivers" in said
    assert "needs inside an interval" in said
    with pytest.raises(InputError, match="drivers"):
        kept.rerun()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"goal": Goal(horizon="5d", level=0.99)}, "goal: is not what"),
        ({"goal": Goal(horizon="6d", level=0.9)}, "goal horizon: is 6d, and 120 intervals"),
        ({"event": (), "forecast": {"model": "profile", "paths": 60, "seed": 11}}, "event or holidays"),
        ({"forecast": {"model": "profile", "paths": 60, "seed": 12, "holidays": "DE"}}, "forecast seed: is 12"),
        (
            {"forecast": {"model": "profile", "paths": 80, "seed": 11, "holidays": "DE"}},
            "forecast paths: is 80, and 60",
        ),
        ({"service": (Service(name=NASTY, requests_per_second_per_task=1),)}, "service: is not what"),
        ({"account": ()}, "account: is not what"),
    ],
)
def test_settings_of_another_plan_are_refused(changed: dict[str, Any], words: str) -> None:
    config = Config(**{name: getattr(settings(), name) for name in Config.model_fields if name != "path"} | changed)
    with pytest.raises(ConfigError, match=words):
        Snapshot.of(made().plan, config)


def test_settings_may_know_more_services_and_in_another_order() -> None:
    more = (Service(name="other"), *reversed(settings().service))
    kept = Snapshot.of(made().plan, settings().model_copy(update={"service": more}), demand=made().demand)
    assert parts(kept)["settings.json"] == parts(snapshot())["settings.json"]


def test_demand_and_policies_of_another_plan_are_refused() -> None:
    with pytest.raises(InputError, match="not what the plan was forecast from"):
        Snapshot.of(made().plan, demand=made().demand.since(made().demand.times[5]))
    stranger = ServicePolicy(Service(name="search"), 1, 2, TargetTracking("cpu", 50))
    with pytest.raises(InputError, match="services that this plan does not have: 'search'"):
        Snapshot.of(made().plan, policy=Policy((stranger,)))


def test_nothing_of_how_history_is_read_is_in_the_file(tmp_path: Path) -> None:
    read = settings().model_copy(update={"data": settings().data.model_copy(update={"history": "/srv/secret-place"})})
    one = Snapshot.of(made().plan, read, demand=made().demand)
    assert b"secret-place" not in written(json.loads(parts(one)["settings.json"]))
    assert one.config.history_path is None


@pytest.mark.parametrize(
    "clock", [None, pd.Timestamp("2026-01-01T00:00+02:00").tz, WallClock("America/New_York")], ids=str
)
def test_every_clock_comes_back(clock: Any, tmp_path: Path) -> None:
    one = replace(snapshot(), demand=replace(snapshot().demand, clock=clock))
    opened = open_snapshot(one.save(tmp_path / "one.plan")).demand
    before, after = (replace(made().plan.forecast, past=replace(made().demand, clock=c)) for c in (clock, opened.clock))
    assert list(before.index) == list(after.index)


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
counts = st.integers(0, 10_000)
numbers = st.floats(allow_nan=False, allow_infinity=False)
moments = st.datetimes(
    min_value=pd.Timestamp("2020-01-01").to_pydatetime(), max_value=pd.Timestamp("2040-01-01").to_pydatetime()
).map(lambda moment: pd.Timestamp(moment, tz="UTC"))
metrics = st.sampled_from(["cpu", "memory", "requests"])
parts_of_policy = st.fixed_dictionaries(
    {
        "min_tasks": counts,
        "max_tasks": counts,
        "tracking": st.builds(TargetTracking, metric=metrics, target=numbers, disable_scale_in=st.booleans()),
        "schedule": st.lists(
            st.builds(ScheduledAction, names, names, counts, counts, names, st.none() | moments, st.none() | moments),
            max_size=3,
        ).map(tuple),
        "steps": st.none()
        | st.builds(
            StepScaling,
            metrics,
            numbers,
            st.lists(st.builds(Step, numbers, st.none() | numbers, counts), max_size=3).map(tuple),
        ),
        "predictive": st.none() | st.builds(PredictiveScaling, metrics, numbers, over=st.none() | counts),
        "reasons": st.lists(names, max_size=3).map(tuple),
        "per_task": st.none() | numbers,
    }
)


@given(parts_of_policy)
def test_every_policy_comes_back_from_its_plain_data(said: dict[str, Any]) -> None:
    web = Service(name="web")
    one = ServicePolicy(web, **said)
    plain = json.loads(written(policies(Policy((one,)), {"web": web})))
    back = policy_of(plain, {"web": web})["web"]
    assert vars(back) == vars(one)


def test_the_picture_shows_the_band_that_the_forecast_showed() -> None:
    drawn, kept = (made().plan.forecast.plot("search").to_dict(), snapshot().plot("search").to_dict())
    pictures = [[list(rows[0]) for rows in picture["datasets"].values()] for picture in (drawn, kept)]
    assert pictures[0] == pictures[1]
    assert [len(rows) for rows in drawn["datasets"].values()] == [len(rows) for rows in kept["datasets"].values()]
    assert drawn["title"] == kept["title"]
    with pytest.raises(InputError, match="no series of service 'seach'"):
        snapshot().plot("seach")


def test_events_keep_what_they_say() -> None:
    event = Event(name="launch", start=pd.Timestamp("2026-12-01T09:00+01:00"), end=None, uplift=1.4)
    config = settings().model_copy(update={"event": (event,)})
    drawn = forecast(
        made().demand, "5d", model="profile", paths=60, seed=11, services=config.service, events=[event], holidays="DE"
    )
    one = Snapshot.of(plan(drawn, config), config, demand=made().demand)
    assert one.config.event == (event,)
    assert parts(one.rerun()) == parts(one)
