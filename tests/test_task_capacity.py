"""What one task carries is said once, with its interval: in Python, in capacity.toml, and from one to the other."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

import capacity
from capacity.config import carried, config_of
from capacity.errors import ConfigError

rates = st.floats(0.01, 1e5, allow_nan=False).map(lambda value: float(f"{value:.6g}"))


def test_its_rate_stands_for_the_short_form() -> None:
    known = capacity.TaskCapacity(requests_per_second=52, low=47, high=55)
    web = capacity.Service(name="web", task_capacity=known)
    assert web.requests_per_second_per_task == 52
    assert web.model_copy(update={"max_tasks": 30}).requests_per_second_per_task == 52
    assert capacity.Service(**web.model_dump()) == web
    slower = web.model_copy(update={"task_capacity": capacity.TaskCapacity(requests_per_second=40)})
    assert slower.requests_per_second_per_task == 40
    assert capacity.Service(**slower.model_dump()) == slower


def test_two_rates_that_differ_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"requests_per_second_per_task is 50, and task_capacity says 52"):
        capacity.Service(
            name="web", requests_per_second_per_task=50, task_capacity=capacity.TaskCapacity(requests_per_second=52)
        )


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({"requests_per_second": 52, "low": 47}, "low and high are the two ends"),
        ({"requests_per_second": 52, "low": 53, "high": 55}, "52 is outside 53 to 55"),
        ({"requests_per_second": 0}, "greater than 0"),
        ({"requests_per_second": float("nan")}, "finite"),
        ({"requests_per_second": 5, "slo_quantile": 95}, "less than 1"),
        ({"requests_per_second": 5, "rps": 3}, "unknown key"),
    ],
)
def test_what_cannot_be_is_said_in_words(given_: dict[str, float], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        capacity.TaskCapacity(**given_)


def test_a_service_that_says_it_in_one_way_does_not_inherit_the_other() -> None:
    table = {
        "defaults": {"requests_per_second_per_task": 50, "max_tasks": 20},
        "service": [
            {"name": "web", "task_capacity": {"requests_per_second": 80, "low": 70, "high": 90}},
            {"name": "api"},
        ],
    }
    web, api = config_of(table).service
    assert (web.requests_per_second_per_task, web.max_tasks) == (80, 20)
    assert (api.requests_per_second_per_task, api.task_capacity) == (50, None)


def test_a_place_inside_the_table_is_named() -> None:
    table = {"service": [{"name": "web", "task_capacity": {"requests_per_second": -1}}]}
    with pytest.raises(ConfigError, match=r"service 'web' task_capacity requests_per_second: .*greater than 0"):
        config_of(table)


@given(
    middle=rates,
    down=st.floats(0, 0.9),
    up=st.floats(0, 5),
    evidence=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=3),
    measured=st.dates(date(2000, 1, 1), date(2100, 1, 1)) | st.none(),
    at_least=st.booleans(),
)
def test_what_is_written_for_the_settings_reads_back_as_it_was(
    middle: float, down: float, up: float, evidence: list[str], measured: date | None, at_least: bool
) -> None:
    known = capacity.TaskCapacity(
        requests_per_second=middle,
        low=middle * (1 - down),
        high=middle * (1 + up),
        at_least=at_least,
        slo_ms=250,
        base_memory_gib=0.0,
        method="load test",
        evidence=tuple(evidence),
        measured=measured,
    )
    text = f'[[service]]\nname = "web"\n{carried(known, "web")}\n'
    assert config_of(tomllib.loads(text)).service[0].task_capacity == known
