"""The simulated year of incidents: its truth is true, its judge keeps its rules, and the alarms stand before it."""

from __future__ import annotations

import doctest
import re
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.alarms import ours
from benchmarks.alarms.incidents import ON_END, Incident
from benchmarks.alarms.judging import AFTERWARDS, GRACE, NEAR, Firing, Judged, judge, told
from benchmarks.alarms.observed import BALANCER, Signals, observed
from benchmarks.alarms.static import ABOVE, on_end, static
from benchmarks.alarms.world import World, world
from capacity.config import Monitoring

ROOT = Path(__file__).parent.parent.parent

SEED = 1  # of those to tune with


@pytest.fixture(scope="module")
def lived() -> World:
    """Eight weeks with eight incidents, of which the last four weeks are judged."""
    return world(SEED, 0, weeks=8, quarter_weeks=4, each_a_year=10)


@pytest.fixture(scope="module")
def seen(lived: World) -> Signals:
    return observed(lived)


def page(*minutes: int, kind: str = "any", severity: Literal["page", "ticket"] = "page") -> Firing:
    return Firing(kind, kind, severity, np.array(minutes, dtype=int))


def judged(lived: World) -> list[Incident]:
    return [one for one in lived.incidents if one.start >= lived.judged]


def one_of(lived: World, holds: Callable[[Incident], bool]) -> World:
    """The same world in which only the first judged incident of some kind counts."""
    found = next(one for one in judged(lived) if holds(one))
    return replace(lived, incidents=(found,))


@pytest.mark.parametrize("name", ["judging", "static", "tables"])
def test_the_examples_of_the_benchmark_hold(name: str) -> None:
    tried = doctest.testmod(import_module(f"benchmarks.alarms.{name}"))
    assert tried.attempted and not tried.failed


def test_an_incident_hurts_from_the_first_of_five_bad_minutes_on_end(lived: World) -> None:
    hurting = lived.hurting
    assert len(judged(lived)) >= 3
    for one in lived.incidents:
        if one.hurt is None:
            assert one.kind == "silence"
            continue
        assert one.start <= one.hurt <= one.end
        assert hurting[one.hurt : one.hurt + ON_END].all()
        before = hurting[one.start : one.hurt + ON_END - 1]
        assert not any(before[at : at + ON_END].all() for at in range(len(before) - ON_END + 1))


def test_incidents_are_apart_and_the_same_seed_is_the_same_world(lived: World) -> None:
    for one, other in zip(lived.incidents, lived.incidents[1:], strict=False):
        assert one.end + AFTERWARDS < other.start
    again = world(SEED, 0, weeks=8, quarter_weeks=4, each_a_year=10)
    assert again.incidents == lived.incidents
    assert (again.ran.running == lived.ran.running).all()
    assert world(SEED + 1, 0, weeks=8, quarter_weeks=4, each_a_year=10).incidents != lived.incidents


def test_tasks_keep_to_their_bounds_and_silence_is_nan_and_nothing_else(lived: World, seen: Signals) -> None:
    assert (lived.ran.running <= lived.met.most).all()
    assert (lived.ran.running >= 1).all()
    quiet = np.zeros(len(lived.times), dtype=bool)
    for one in lived.incidents:
        if one.kind == "silence" and one.flavour != "tasks":
            quiet[one.start : one.end] = True
            for metric in BALANCER:
                assert np.isnan(seen[metric, "p95" if metric == "latency" else "mean"][one.start : one.end]).all()
    for at, lasts in lived.quiet.gaps:
        quiet[at : at + lasts] = True
    assert np.isfinite(seen["requests", "mean"][~quiet]).all()


def test_who_always_pages_at_once_catches_all_and_who_never_does_nothing(lived: World) -> None:
    everything = judge(lived, [page(*(one.start for one in judged(lived)))])
    assert all(one.by == "any" and one.kept for one in everything.caught)
    assert [one.lead for one in everything.caught] == [(one.hurt or one.start) - one.start for one in judged(lived)]
    assert everything.false_pages == everything.outside == 0
    nothing = judge(lived, [])
    assert not any(one.by for one in nothing.caught)
    assert nothing.false_pages == 0


def test_too_late_is_not_caught(lived: World) -> None:
    short = one_of(lived, lambda one: one.hurt is not None)
    (one,) = short.incidents
    assert one.hurt is not None
    ruined = replace(short, failed=np.ones_like(short.failed))  # of the budget 5 % are gone within minutes
    calm = replace(short, failed=np.zeros_like(short.failed), p95=np.zeros_like(short.p95))  # none is spent

    def by(lived: World, at: int) -> str:
        return judge(lived, [page(at)]).caught[0].by

    assert [by(ruined, at) for at in (one.hurt + GRACE, one.hurt + GRACE + 1)] == ["any", ""]
    last = max(one.end, one.hurt + GRACE)
    assert [by(calm, at) for at in (last, last + 1)] == ["any", ""]
    assert by(calm, one.start - 1) == ""


def test_a_ticket_catches_only_what_it_tells_of_and_with_time_to_act(lived: World) -> None:
    leaking = one_of(lived, lambda one: one.kind == "leak")
    (one,) = leaking.incidents
    assert one.hurt is not None

    def by(at: int, kind: str) -> str:
        return judge(leaking, [page(at, kind=kind, severity="ticket")]).caught[0].by

    assert [by(one.hurt - 60, "leak"), by(one.hurt - 59, "leak"), by(one.hurt - 60, "anomaly")] == ["leak", "", ""]
    acute = one_of(lived, lambda one: one.kind in ("surge", "bad deploy"))
    (one,) = acute.incidents
    assert judge(acute, [page(one.start, kind="burn_slow", severity="ticket")]).caught[0].by == ""


def test_a_stated_lead_is_kept_or_not(lived: World) -> None:
    leaking = one_of(lived, lambda one: one.kind == "leak")
    (one,) = leaking.incidents
    assert one.hurt is not None
    found = [judge(leaking, [replace(page(one.hurt - 90), lead=lead)]) for lead in (90.0, 91.0)]
    assert [each.caught[0].kept for each in found] == [True, False]
    assert found[0].promises == (("any", 90.0, 90.0),)


@given(data=st.data())
def test_false_pages_are_those_far_from_incidents_and_from_anyone_hurt(lived: World, data: st.DataObject) -> None:
    minutes = data.draw(st.lists(st.integers(lived.judged, len(lived.times) - 1), unique=True, max_size=20).map(sorted))
    hurting = lived.hurting
    lasting = {
        at + step
        for at in np.flatnonzero(np.convolve(hurting, np.ones(ON_END), "valid") >= ON_END).tolist()
        for step in range(ON_END)
    }
    false = 0
    for minute in minutes:
        going_on = any(one.start <= minute <= one.end + AFTERWARDS for one in lived.incidents)
        near = any(minute + step in lasting for step in range(-NEAR, NEAR + 1))
        false += not going_on and not near
    assert judge(lived, [page(*minutes)]).false_pages == false


@given(st.lists(st.sampled_from([50.0, 79.0, 81.0, 95.0, np.nan]), min_size=1, max_size=40), st.integers(1, 6))
def test_the_static_alarm_is_on_after_so_many_known_minutes_above(values: list[float], minutes: int) -> None:
    on, known = [], []
    for value in values:
        if not np.isnan(value):
            known.append(value > ABOVE)
        on.append(len(known) >= minutes and all(known[-minutes:]))
    assert on_end(np.array(values), minutes).tolist() == on


@given(st.lists(st.booleans(), max_size=30))
def test_someone_is_told_once_for_each_time_it_turns_on(states: list[bool]) -> None:
    turns = [at + 2 for at, on in enumerate(states) if on and (at == 0 or not states[at - 1])]
    assert told(np.array(states, dtype=bool)).tolist() == turns


def test_alarms_made_before_catch_what_comes_and_static_ones_do_not(lived: World, seen: Signals) -> None:
    made = ours.made(lived, seen, lived.bounds[1], lived.judged)
    found: Judged = judge(lived, ours.firings(lived, seen, lambda *asked: replace(made, begin=asked[3])))
    assert [one.incident for one in found.caught if not one.by] == []
    assert found.false_pages <= 1
    usual = judge(lived, static(seen, 5))
    assert sum(bool(one.by) for one in usual.caught) < len(usual.caught)


def text() -> str:
    return (ROOT / "docs" / "alarms.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text(), flags=re.S | re.M)


def test_the_guide_runs_and_lists_every_kind_with_its_severity(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    for block in blocks("python"):
        exec(compile(block, "docs/alarms.md", "exec"), names)
    said = capsys.readouterr().out
    for comment in re.findall(r"print\(.*?\)  # (.*)", text()):
        assert comment.removesuffix(" ...") in said
    told_of = dict(re.findall(r"^\| `([\w-]+)` \| .* \| (page|ticket)\b", text(), flags=re.M))
    made = {}
    for alarm in names["alarms"]:
        ending = alarm.name.removeprefix("capacity-").removeprefix("checkout-")
        made[max((kind for kind in told_of if ending.startswith(kind)), key=len)] = alarm.severity
    assert made == told_of | {"silence": "page"}  # checkout is critical


def test_the_settings_of_the_guide_are_settings_and_its_links_lead_somewhere() -> None:
    import tomllib

    (settings,) = blocks("toml")
    assert Monitoring.model_validate(tomllib.loads(settings)["monitoring"]).breach_hours == 3
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text())
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
