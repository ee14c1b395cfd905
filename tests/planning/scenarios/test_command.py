"""`capacity what-if` and `capacity explain`, as a user calls them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.commands import called
from tests.makers import daily_wave, hourly

SETTINGS = """
[data]
history = "usage.csv"
metric = "requests"

[goal]
horizon = "2d"

[forecast]
model = "profile"
paths = 40

[defaults]
requests_per_second_per_task = 10
max_tasks = 200
timezone = "Europe/Paris"

[[service]]
name = "web"

[[service]]
name = "api"

[[scenario]]
name = "a good year"
note = "Who knows."
growth = "25%"

[[scenario]]
name = "launch"
services = ["api"]
start = 2026-08-25
end = "never"
uplift = 3

[[scenario]]
name = "much later"
start = 2027-08-25
uplift = 3

[[scenario]]
name = "both"
combines = ["launch", "a good year"]
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Three weeks of two services, and what may be different."""
    folder = tmp_path_factory.mktemp("shop")
    times = hourly(21)
    rows = [
        f"{name},{time:%Y-%m-%dT%H:%M}Z,{value:.1f}"
        for name in ("web", "api")
        for time, value in zip(times, daily_wave(times), strict=True)
    ]
    (folder / "usage.csv").write_text("\n".join(["service,timestamp,value", *rows]), encoding="utf-8")
    (folder / "capacity.toml").write_text(SETTINGS, encoding="utf-8")
    return str(folder / "capacity.toml")


def test_scenarios_of_the_settings_are_asked_and_who_is_left_out_is_said(settings: str) -> None:
    done = called("what-if", "--config", settings, "--quiet")
    assert done.stdout.startswith("As is: ")
    assert re.findall(r"^- ([^:]*): ", done.stdout, flags=re.M) == ["a good year", "launch", "both"]
    assert "Who knows." in done.stdout
    moved = done.stdout.partition("Services of which the count moves")[2]
    assert "api" in moved.partition("launch")[2].splitlines()[0]
    assert done.stderr == "left out: scenario 'much later', the horizon sees nothing of it\n"


def test_scenarios_are_said_on_the_command_line_too_alone_and_together(settings: str) -> None:
    named = ("--scenario", "a good year", "--growth", "50%", "--growth", "2x")
    asked = (*named, "--level", "0.5", "--lose-zones", "1", "--set", "min_tasks=9", "--together", "--json")
    done = called("what-if", "--config", settings, "--service", "web", "--quiet", *asked)
    rows = json.loads(done.stdout)["scenarios"]
    alone = ["a good year", "growth 50%", "growth 2x", "level 0.5", "1 zone lost", "min_tasks=9"]
    assert [row["scenario"] for row in rows] == ["as is", *alone, " + ".join(alone)]
    tasks = {row["scenario"]: row["tasks"] for row in rows}
    assert tasks["growth 2x"] > tasks["growth 50%"] > tasks["a good year"] > tasks["as is"] >= tasks["level 0.5"]
    assert "left out: scenario 'launch', it is of services that are not asked for" in done.stderr
    assert "left out: scenario 'both', it is of services" in done.stderr


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("--growth", "20 percent"), "'20 percent' is not a growth"),
        (("--set", "min_tasks"), "write KEY=VALUE"),
        (("--set", "colour=red"), "change colour: unknown key"),
        (("--scenario", "x"), "no [[scenario]] is called 'x'"),
    ],
)
def test_what_cannot_be_asked_is_said_in_words_with_exit_code_one(
    settings: str, asked: tuple[str, ...], words: str
) -> None:
    assert words in called("what-if", "--config", settings, *asked, code=1).stderr


def test_without_any_scenario_it_is_said_how_to_say_one(settings: str) -> None:
    text = Path(settings).read_text(encoding="utf-8").partition("[[scenario]]")[0]
    bare = Path(settings).with_name("bare.toml")
    bare.write_text(text, encoding="utf-8")
    told = called("what-if", "--config", str(bare), code=1).stderr
    assert "no scenario to ask for" in told
    assert '--growth "20%"' in told


def test_a_count_is_explained_in_words_and_for_programs(settings: str) -> None:
    asked = ("explain", "web", "--config", settings, "--quiet")
    text = called(*asked).stdout
    assert text.startswith("`web`, ")
    assert "What would change it: needs " in text
    answer = json.loads(called(*asked, "--at", "2026-08-24T09:00Z", "--json").stdout)
    assert set(answer) == {"text", "decisions", "why", "sensitivity"}
    assert {row["part"] for row in answer["why"]} == {"step", "option", "turn"}
    assert "24 August 2026, 11:00 Europe/Paris" in answer["text"]
    assert "no [[service]] named 'cart'" in called("explain", "cart", "--config", settings, code=1).stderr
