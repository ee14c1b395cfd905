"""`capacity slo`, and the guide to it, as a reader would run them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from capacity.config import config_of, load_config
from capacity.monitoring.catalogue import catalogue
from tests.commands import called
from tests.conftest import ROOT
from tests.makers import daily_wave, hourly

GUIDE = (ROOT / "docs" / "slos.md").read_text(encoding="utf-8")
SAMPLE = ROOT / "data" / "samples"
#: The end of `history`.
END = "2026-08-24"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, flags=re.S | re.M)


def test_the_guide_runs_and_says_what_it_shows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    for block in blocks("python"):
        exec(compile(block, "docs/slos.md", "exec"), names)
    said = capsys.readouterr().out
    shown = re.findall(r"print\(.*?\)  # (.+)$", GUIDE, flags=re.M)
    assert len(shown) == 3
    assert [comment for comment in shown if comment.removesuffix(" ...").removesuffix("...") not in said] == []
    statuses = {(one.service, one.slo.kind): one.status for one in names["budgets"]}
    assert {statuses["recommendations", kind] for kind in ("availability", "latency")} == {"FAIL"}
    partner = names["budgets"].of("partner-api")
    assert {one.status for one in partner} == {"PASS"}
    assert next(one.spent for one in partner if one.slo.kind == "latency") == pytest.approx(0.75, abs=0.05)


def test_the_commands_of_the_guide_say_of_the_sample_what_the_guide_says() -> None:
    """One service each: test_docs runs the commands as they stand, in a smaller shop."""
    (block,) = blocks("sh")
    fleet, for_programs = (shlex.split(line)[1:] for line in block.strip().splitlines())
    one = ("--history", "data/samples/recommendations.parquet", "--service", "recommendations")
    assert len(re.findall(r"^FAIL +recommendations ", called(*fleet, *one).stdout, flags=re.M)) == 2
    told = json.loads(called(*for_programs).stdout)
    assert {row["service"] for row in told["kpis"]} == {"checkout"}
    assert {row["status"] for row in told["error_budgets"]} == {"PASS"}


def test_the_settings_of_the_guide_are_settings() -> None:
    import tomllib

    (block,) = blocks("toml")
    (service,) = config_of(tomllib.loads(block)).service
    inline = re.search(r"`(slo = \[.*?\])`", GUIDE)
    assert inline
    (again,) = config_of(tomllib.loads(f'[[service]]\nname = "checkout"\n{inline[1]}')).service
    assert service.slo == again.slo


def test_the_catalogue_in_the_guide_is_that_of_the_code() -> None:
    assert catalogue() in GUIDE, "python -m capacity.monitoring.catalogue prints the table that docs/slos.md ends with"


def test_what_the_samples_team_promised_is_what_its_load_tests_were_made_at() -> None:
    stated = dict(
        re.findall(r'name = "([\w-]+)"(?:(?!\[\[).)*?# p95 (\d+) ms', (SAMPLE / "capacity.toml").read_text(), re.S)
    )
    promised = {
        service.name: slo.latency_seconds
        for service in load_config(SAMPLE / "capacity.toml").service
        for slo in service.slo
        if slo.kind == "latency"
    }
    assert promised == {name: int(ms) / 1000 for name, ms in stated.items()}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three weeks of hours of one service; each of its 4 tasks costs 0.05 USD an hour, the last week 0.06."""
    times = hourly(21)
    load = daily_wave(times, 100)
    cost = np.where(np.arange(len(times)) < 14 * 24, 0.2, 0.24)
    measured = {"requests": load, "errors": load / 2000, "cpu": load / 100, "running_tasks": load * 0 + 4, "cost": cost}
    frames = [pd.DataFrame({"metric": name, "timestamp": times, "value": array}) for name, array in measured.items()]
    path = tmp_path_factory.mktemp("slo") / "history.csv"
    pd.concat(frames).assign(service="web").to_csv(path, index=False)
    return path


def settings(folder: Path, history: Path, promise: str = "slo = [{ objective = 0.999 }]") -> Path:
    config = folder / "capacity.toml"
    config.write_text(
        f'[data]\nhistory = "{history.as_posix()}"\n[[service]]\nname = "web"\n{promise}\n', encoding="utf-8"
    )
    return config


def test_programs_get_json_and_nothing_else(tmp_path: Path, history: Path) -> None:
    config = str(settings(tmp_path, history))
    told = json.loads(called("slo", "--config", config, "--json", "--quiet", "--at", END).stdout)
    assert told["at"] == f"{END}T00:00:00+00:00"
    assert set(told) == {"at", "error_budgets", "kpis"}
    (budget,) = told["error_budgets"]
    assert budget["burn_5m"] is None  # of hours, five minutes say nothing
    assert {row["kpi"] for row in told["kpis"]} >= {"requests", "error ratio", "slack"}


def test_a_service_without_a_promise_is_told_how_to_make_one(tmp_path: Path, history: Path) -> None:
    said = called("slo", "--config", str(settings(tmp_path, history, "")), "--quiet")
    assert "no SLO is stated" in said.stderr
    assert "slo = [{ objective = 0.999 }]" in said.stderr
    assert "Error budgets" not in said.stdout
    assert re.search(r"web +cost per million requests +0.6667 +0.5556 +– +USD", said.stdout)


def test_a_time_that_is_none_is_refused_in_words(tmp_path: Path, history: Path) -> None:
    said = called("slo", "--config", str(settings(tmp_path, history)), "--quiet", "--at", "last thursdee", code=1)
    assert "'last thursdee' is no time" in said.stderr
