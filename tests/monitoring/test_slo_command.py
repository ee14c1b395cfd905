"""`capacity slo`, and the guide to it, as a reader would run them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from capacity.config import config_of, load_config
from capacity.monitoring.catalogue import catalogue
from tests.commands import called
from tests.conftest import ROOT

GUIDE = (ROOT / "docs" / "slos.md").read_text(encoding="utf-8")
SAMPLE = ROOT / "data" / "samples"


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


def test_the_commands_of_the_guide_are_commands() -> None:
    (block,) = blocks("sh")
    for_people, for_programs = (called(*shlex.split(line)[1:]).stdout for line in block.strip().splitlines())
    assert len(re.findall(r"^FAIL +recommendations ", for_people, flags=re.M)) == 2
    assert len(re.findall(r"^PASS ", for_people, flags=re.M)) == 14
    assert {row["service"] for row in json.loads(for_programs)["kpis"]} == {"checkout"}


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


def settings(folder: Path, promise: str = "slo = [{ objective = 0.999 }]") -> Path:
    config = folder / "capacity.toml"
    history = (SAMPLE / "partner-api.parquet").as_posix()
    config.write_text(
        f'[data]\nhistory = "{history}"\n[[service]]\nname = "partner-api"\n{promise}\n', encoding="utf-8"
    )
    return config


def test_programs_get_json_and_nothing_else(tmp_path: Path) -> None:
    config = str(settings(tmp_path))
    told = json.loads(called("slo", "--config", config, "--json", "--quiet", "--at", "2026-10-01").stdout)
    assert told["at"] == "2026-10-01T00:00:00+00:00"
    assert set(told) == {"at", "error_budgets", "kpis"}
    (budget,) = told["error_budgets"]
    assert budget["burn_5m"] is None  # of hours, five minutes say nothing
    assert {row["kpi"] for row in told["kpis"]} >= {"requests", "error ratio", "slack"}


def test_a_service_without_a_promise_is_told_how_to_make_one(tmp_path: Path) -> None:
    said = called("slo", "--config", str(settings(tmp_path, "")), "--quiet")
    assert "no SLO is stated" in said.stderr
    assert "slo = [{ objective = 0.999 }]" in said.stderr
    assert "Error budgets" not in said.stdout
    assert re.search(r"partner-api +cost per million requests +2.815 +2.889 +3.208 +USD", said.stdout)


def test_a_time_that_is_none_is_refused_in_words(tmp_path: Path) -> None:
    said = called("slo", "--config", str(settings(tmp_path)), "--quiet", "--at", "last thursdee", code=1)
    assert "'last thursdee' is no time" in said.stderr
