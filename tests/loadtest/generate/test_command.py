"""`capacity loadtest generate`: the same plan, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from capacity.loadtest.generate import plan_for
from capacity.loadtest.generate.mixing import mix_from
from tests.commands import called

FILES = ["CapacitySimulation.java", "README.md", "loadtest.jmx", "loadtest.yml"]


def generated(*arguments: str, code: int = 0) -> Any:
    return called("loadtest", "generate", *arguments, code=code)


def test_a_peak_becomes_the_files_that_python_writes(tmp_path: Path) -> None:
    said = generated(
        *("--for", "1,200", "--tasks", "2", "--planned", "24", "--slo", "250", "--spike", "1.5"),
        *("--mix", "GET /cart=70", "--mix", "POST /orders=30", "--out", str(tmp_path / "plan")),
    )
    assert sorted(path.name for path in (tmp_path / "plan").iterdir()) == FILES
    mix = mix_from(["GET /cart=70", "POST /orders=30"])
    plan = plan_for(1200, slo_ms=250, tasks=2, planned=24, spike=1.5, mix=mix)
    assert (tmp_path / "plan" / "loadtest.jmx").read_text(encoding="utf-8") == plan.jmx()
    assert (tmp_path / "plan" / "loadtest.yml").read_text(encoding="utf-8") == plan.taurus()
    assert plan.arithmetic[0] in said.stdout
    assert "spike07 150rps" in said.stdout


def test_the_results_are_read_back_by_the_promise_that_was_made(tmp_path: Path) -> None:
    """The command that the README names has every number of the promise, the budget of errors among them."""
    budget = ("--error-budget", "0.001", "--quantile", "0.9995", "--slo", "1234567.5", "--tasks", "3")
    generated("--for", "9", *budget, "--out", str(tmp_path))
    text = (tmp_path / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")
    words = next(line for line in text.splitlines() if "loadtest capacity results.jtl" in line).split()
    told = dict(zip(words[4::2], words[5::2], strict=True))
    promise = {"--slo-ms": "1234567.5", "--quantile": "0.9995", "--error-budget": "0.001", "--tasks": "3"}
    assert told == promise


def test_json_is_for_programs_and_an_assumed_slo_is_said_beside_it(tmp_path: Path) -> None:
    said = generated("--for", "100", "--out", str(tmp_path / "plan"), "--json")
    answer = json.loads(said.stdout)
    assert [Path(path).name for path in answer["files"]] == ["loadtest.jmx", "loadtest.yml", *FILES[:2]]
    assert answer["stages"][0] == {
        "name": "step01 40rps",
        "kind": "hold",
        "start": 0,
        "seconds": 240,
        "rate_per_s": 40.0,
        "judged": True,
    }
    assert "250 ms is taken" in said.stderr
    assert "250 ms" in answer["arithmetic"][2]


def test_a_service_of_the_settings_says_its_claim_and_its_slo(tmp_path: Path) -> None:
    config = tmp_path / "capacity.toml"
    config.write_text(
        '[[service]]\nname = "shop"\n'
        "[service.task_capacity]\nrequests_per_second = 50\nslo_ms = 80\nslo_quantile = 0.99\n",
        encoding="utf-8",
    )
    said = generated("--for", "1200", "--service", "shop", "--config", str(config), "--out", str(tmp_path / "plan"))
    assert "Peak of shop 1,200 requests/s over 24 planned tasks is 50 a task" in said.stdout
    assert "p99 at most 80 ms" in said.stdout
    assert said.stderr == ""
    other = generated(
        *("--for", "1200", "--service", "shop", "--config", str(config), "--out", str(tmp_path / "plan")),
        *("--claimed", "60", "--slo-ms", "90"),
    )
    assert "over 20 planned tasks" in other.stdout
    assert "p95 at most 90 ms" in other.stdout  # a quantile belongs to its bound


def test_the_forecast_of_a_service_says_its_own_peak(tmp_path: Path) -> None:
    said = generated(
        *("--for", "forecast", "--service", "wishlist", "--config", "data/samples/capacity.toml"),
        *("--history", "data/samples/wishlist.parquet", "--horizon", "3d", "--slo", "250", "--quiet"),
        *("--out", str(tmp_path / "plan")),
    )
    assert "of the largest interval of the forecast" in said.stdout
    root = ET.parse(tmp_path / "plan" / "loadtest.jmx").getroot()
    assert {one.get("testname", "")[:4] for one in root.iter("ThreadGroup")} == {"step", "ramp", "soak", "spik"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--for", "many"], "--for many: write requests/s"),
        (["--for", "-3"], "peak_per_s: -3 is not a rate"),
        (["--for", "10", "--mix", "foo"], "neither a file nor LABEL=SHARE"),
        (["--for", "10", "--hold", "3parsec"], "hold: '3parsec' is not a duration"),
        (["--for", "10", "--header", "Authorization=Bearer abcdefgh"], "looks like a secret"),
        (["--for", "forecast", "--config", "data/samples/capacity.toml", "--quiet"], "say which one, with --service"),
        (["--for", "10", "--service", "nobody", "--config", "data/samples/capacity.toml"], "nobody"),
    ],
)
def test_what_cannot_be_done_is_said_in_words_and_nothing_is_written(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    answer = generated(*arguments, "--out", str(tmp_path / "plan"), code=1)
    assert said in answer.stderr
    assert "abcdefgh" not in answer.stderr
    assert answer.stdout == ""
    assert not (tmp_path / "plan").exists()


def test_a_header_without_a_value_is_one_that_is_told_later(tmp_path: Path) -> None:
    generated(
        "--for", "10", "--slo", "100", "--header", "Authorization", "--header", "X-Test=a=b", "--out", str(tmp_path)
    )
    text = (tmp_path / "loadtest.jmx").read_text(encoding="utf-8")
    assert "${__P(header_authorization,)}" in text
    assert ">a=b<" in text
