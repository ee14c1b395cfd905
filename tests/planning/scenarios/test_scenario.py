"""What may be different is said once, and what cannot be is refused with its place."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from capacity.config import Scenario, Service, config_of
from capacity.errors import ConfigError

WEB = {"name": "web"}


def refused(table: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        Scenario(**{"name": "x", **table})
    return str(caught.value)


@pytest.mark.parametrize(("said", "factor"), [("20%", 1.2), ("-10 %", 0.9), ("2x", 2.0), (1.5, 1.5), ("x1.5", 1.5)])
def test_growth_is_said_as_percent_or_as_a_factor(said: object, factor: float) -> None:
    assert Scenario(name="x", growth=said).growth == pytest.approx(factor)


@pytest.mark.parametrize("said", [0, -1, "-100%", "much", float("nan"), float("inf"), True, "", [1.2]])
def test_growth_that_is_none_is_refused(said: object) -> None:
    assert "growth" in refused({"growth": said})


def test_a_fall_of_everything_is_refused_by_what_was_written() -> None:
    assert "'-100%' leaves no load at all" in refused({"growth": "-100%"})


def test_a_bare_fraction_may_mean_two_things_and_both_are_spelt_out() -> None:
    assert 'write "-80%" or "+20%"' in refused({"growth": 0.2})


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"uplift": 2}, "uplift without start"),
        ({"start": date(2026, 12, 1)}, "start without what begins then"),
        ({"end": "2026-12-01"}, "end without start"),
        ({"ramp": "2h"}, "ramp without start"),
        ({"uplift": 2, "start": "2026-12-02", "end": "2026-12-01"}, "end 2026-12-01 is not after start"),
        ({"uplift": 2, "start": "2026-12-01", "ramp": "13h"}, "longer than from start to end"),
        ({"uplift": 2, "start": "2026-12-01", "ramp": "soon"}, "soon"),
        ({"uplift": 2, "start": "tomorrow"}, "tomorrow"),
        ({"hit_ratio_to": 0.5}, "two ends of one change"),
        ({"requests_per_task_times": 2, "slo_ms": 100}, "state one"),
        ({"lose_zones": 1, "change": {"zones": 2}}, "one thing twice"),
        ({"change": {"zones": 9, "colour": "red", "name": "y"}}, "change zones: Input should be less than or equal"),
        ({"change": {"colour": "red"}}, "change colour: unknown key"),
        ({"change": {"name": "y"}}, "change name cannot change"),
        ({"goal": {"horizon": "7d"}}, "goal horizon cannot change"),
        ({"goal": {"level": 2}}, "goal level"),
        ({"combines": ["a"], "growth": 2}, "nothing beside it"),
        ({"move": [{"source": "a", "target": "a"}]}, "from one service to another"),
        ({"grwoth": 2}, "unknown key"),
    ],
)
def test_what_contradicts_is_refused_in_words(table: dict[str, Any], words: str) -> None:
    assert words in refused(table)


def test_scenarios_of_a_file_are_checked_against_each_other_and_its_services() -> None:
    def problem(*scenarios: dict[str, Any]) -> str:
        with pytest.raises(ConfigError) as caught:
            config_of({"service": [WEB], "scenario": list(scenarios)})
        return str(caught.value)

    assert "two [[scenario]] tables are called 'a'" in problem({"name": "a"}, {"name": "a"})
    assert "names 'shop', and no [[service]]" in problem({"name": "a", "services": ["shop"]})
    assert "names 'shop', and no [[service]]" in problem({"name": "a", "move": [{"source": "web", "target": "shop"}]})
    assert "combines 'b', and no [[scenario]]" in problem({"name": "a", "combines": ["b"]})
    nested: list[dict[str, Any]] = [{"name": "a"}, {"name": "b", "combines": ["a"]}, {"name": "c", "combines": ["b"]}]
    assert "which combines others" in problem(*nested)
    assert "scenario 'slow' ramp" in problem({"name": "slow", "ramp": 7})


def test_a_file_of_good_scenarios_is_kept_to_the_letter() -> None:
    both = [
        {"name": "launch", "start": date(2026, 12, 1), "end": "never", "uplift": 2},
        {"name": "zone", "lose_zones": 1},
    ]
    config = config_of({"service": [WEB], "scenario": [*both, {"name": "worst", "combines": ["launch", "zone"]}]})
    assert [one.name for one in config.scenario] == ["launch", "zone", "worst"]
    assert config.scenario[0].start == "2026-12-01"
    assert config.scenario[0].event.lasting


def test_every_key_of_a_service_may_be_changed_but_its_name() -> None:
    service = Service(name="web")
    keys = [key for key in Service.model_fields if key != "name"]
    Scenario(name="x", change={key: getattr(service, key) for key in keys if key not in ("zones",)})
