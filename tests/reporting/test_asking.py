"""What is asked beside a plan: what was stated, nothing that takes minutes; what cannot be answered says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from capacity.config import Budget, Config, Scenario
from capacity.errors import ConfigError
from capacity.fleet import Chain
from capacity.reporting import asking
from capacity.reporting.asking import asked
from tests.reporting.chapters import measured, watched
from tests.reporting.fleet import web


def config(**stated: object) -> Config:
    """Settings of the services that are planned, and of one that is not: `capacity report --service NAME`."""
    return Config(service=(*watched().services, web("elsewhere")), **stated)


def test_only_what_is_stated_is_asked() -> None:
    found = asked(watched(), measured(), config())
    assert {name for name, noun in found.nouns.items() if noun is not None} == {
        "unit_costs",
        "commitment",
        "error_budgets",
    }
    assert found.left_out == {}


def test_a_scenario_of_a_service_that_is_not_planned_says_so_in_its_section() -> None:
    said = Scenario(name="launch", services=("elsewhere",), growth="10%")
    found = asked(watched(), measured(), config(scenario=(said,), budget=(Budget(name="all", usd_per_month=1),)))
    assert "what_if" not in found.nouns
    assert "launch" in found.left_out["scenarios"]
    assert found.nouns["budgets"].budgets[0].name == "all"


def test_what_would_take_minutes_is_left_out_with_the_command_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MOST", dict.fromkeys(asking.MOST, 1))
    found = asked(watched(), measured(), config(scenario=(Scenario(name="more", growth="10%"),)))
    assert {section: sentence.split("`")[1] for section, sentence in found.left_out.items()} == {
        "scenarios": "capacity what-if",
        "cost": "capacity cost",
        "risks": "capacity slo",
        "watch": "capacity alarms",
    }
    assert set(found.nouns) == {"alarms"}


def test_a_last_plan_that_is_not_there_is_said_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the last plan is not there.*2026Q3\.plan"):
        _ = Chain(config(), previous=tmp_path / "2026Q3.plan").report


def test_a_folder_in_which_no_plan_is_kept_yet_is_no_mistake(tmp_path: Path) -> None:
    assert Chain(config(), previous=tmp_path).last_plan is None
    (tmp_path / "2026Q3.plan").touch()
    assert Chain(config(), previous=tmp_path).last_plan == tmp_path
    assert Chain(config()).last_plan is None


def test_the_last_plan_is_looked_for_beside_the_settings_that_name_it(tmp_path: Path) -> None:
    stated = config(report={"previous": "plans"}).model_copy(update={"path": tmp_path / "capacity.toml"})
    assert Chain(stated).last_plan is None  # a first quarter: the folder is still to come
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "2026Q3.plan").touch()
    assert Chain(stated).last_plan == tmp_path / "plans"
