"""The guides are run: their Python from top to bottom, their settings as capacity.toml.

Their commands are run by test_docs.py, their links followed by test_site.py.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import capacity
from capacity.config import config_of

ROOT = Path(__file__).parent.parent


def text(guide: str) -> str:
    return (ROOT / "docs" / guide).read_text(encoding="utf-8")


def blocks(guide: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text(guide), flags=re.S | re.M)


def run(guide: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The names that the guide's Python leaves behind."""
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    for block in blocks(guide, "python"):
        exec(compile(block, f"docs/{guide}", "exec"), names)
    return names


def test_forecasting_runs_and_says_what_was_made_of_what_is_known(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = run("forecasting.md", monkeypatch)
    said = capsys.readouterr().out
    assert re.search(r"'Black Friday': ×[\d.]+, learnt from once in the past; once to come", said), said
    assert "'app 4.0': ×2.5 as stated" in said
    assert "driver 'customers'" in said
    assert "by A. Rao" in said
    assert set(names["scores"].verdicts["model"]) == {"auto", "profile"}


def test_load_tests_runs_from_a_result_file_to_a_plan_and_back_to_a_test(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = run("load-tests.md", monkeypatch)
    said = capsys.readouterr().out
    for comment in re.findall(r"print\(.*?\)  # (\d.*|a request costs.*)", text("load-tests.md")):
        assert comment.removesuffix(" ...") in said
    assert names["test"].summary.loc["Total", "samples"] == 22_659
    assert names["law"].table["model"].iloc[0] == "ceiling"
    assert "connections of orders-db" in said
    assert "Without its cache, `storefront` would need" in said
    assert names["proof"].frame["rate_per_s"].max() == pytest.approx(1.4 * 2 * 90)


def test_planning_runs_and_says_what_it_shows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = run("planning.md", monkeypatch)
    said = capsys.readouterr().out
    for comment in re.findall(r"print\(.*?\)  # (Give each.*|Run `.*|\[\{.*)", text("planning.md")):
        assert comment.removesuffix("...").strip() in said
    assert "0.976\n" in said
    assert names["packed"].best["instances"] >= 3
    assert re.search(r"^As is: \d+ tasks hold, 95 % sure, ", said, flags=re.M)
    assert re.search(r"^- launch \+ a zone lost: \d+ tasks \(\+\d+\), ", said, flags=re.M)
    assert re.search(
        r"^Raise the connections of `orders-db` from 340 to \d+ (now|before .*), .* sure\.$", said, flags=re.M
    )
    assert re.search(r"^\d +region evacuation +\d+ +0.0 +60.0 +1$", said, flags=re.M)
    assert re.search(r"^What would change it: needs \d+ from ", said, flags=re.M)


def test_policies_runs_and_its_documents_are_those_it_shows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run("policies.md", monkeypatch)
    said = capsys.readouterr().out
    (shown,) = blocks("policies.md", "yaml")
    assert "".join(f"  {line}\n" for line in shown.splitlines()) in said  # under `spec:`
    assert "True\naws application-autoscaling register-scalable-target --region=eu-west-1 " in said
    assert "FAIL checkout: between 10 and 12 the steps have a gap." in said
    assert said.count("REVIEW checkout: ") == 4
    assert "FAIL checkout: a minimum of 12 tasks needs 12 vCPU" in said


@pytest.mark.xdist_group("moto")
def test_applying_runs_against_moto_and_leaves_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "set by the guide, and taken back with this")
    names = run("applying.md", monkeypatch)
    said = capsys.readouterr().out
    for comment in re.findall(r"print\(.*?\)  # (.*)", text("applying.md")):
        assert comment in said
    assert "+ action capacity-web-daily-0600: Schedule cron(0 6 ? * * *), Timezone UTC, MinCapacity 12" in said
    assert [each.sentence for each in names["back"]][-1] == "- bounds: there was no scalable target before"


def test_cost_runs_and_its_figures_add_up(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    names = run("cost.md", monkeypatch)
    said = capsys.readouterr().out
    assert "AWS Price List, AmazonECS 2026-09-11" in said
    assert re.search(r"^Commit to 0\.\d+ USD/h in a Compute Savings Plan", said, flags=re.M)
    assert names["units"].headroom["usd"].sum() == pytest.approx(names["plan"].cost["planned"].sum())
    assert names["bill"].frame["of_table"].between(0.99, 1.01).all()
    assert names["again"].cost["usd"].sum() == pytest.approx(names["plan"].cost["usd"].sum(), rel=0.001)


def test_its_settings_are_settings() -> None:
    (settings,) = blocks("cost.md", "toml")
    stated = config_of(tomllib.loads(settings))
    assert (stated.prices.commitment[0].usd_per_hour, stated.budget[0].tag) == (0.25, "Service")
    (settings,) = blocks("forecasting.md", "toml")
    assert [event.lasting for event in config_of(tomllib.loads(settings)).event] == [False, False, True]
    (settings,) = blocks("load-tests.md", "toml")
    assert [one.service for one in config_of(tomllib.loads(settings)).cloudwatch.distribution] == ["storefront"]
    sizing, *others = (config_of(tomllib.loads(settings)) for settings in blocks("planning.md", "toml"))
    assert (sizing.service[0].spot_share, sizing.instance[0].free_memory_gib) == (0.4, 31)
    assert all(others)


def test_rehearsing_runs_and_a_batch_finds_what_a_replay_does(monkeypatch: pytest.MonkeyPatch) -> None:
    names = run("rehearsing.md", monkeypatch)
    busy = names["busy"].metrics.iloc[0]
    assert busy["deploying_minutes"] >= 5 * 15
    assert busy["interrupted"] > 0
    assert busy["max_late_seconds"] > 0
    best = names["best"].iloc[0]
    alone = replace(names["policy"], tracking=replace(names["policy"].tracking, target=60 * best["target"]))
    row = capacity.simulate(alone, names["demand"]).metrics.iloc[0]
    assert (row["short_share"], row["task_hours"]) == pytest.approx((best["short_share"], best["task_hours"]))
