"""`capacity loadtest`: result files and an SLO in; what one task carries out, for people, programs and settings."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest

import capacity
from capacity.config import config_of
from tests.commands import called

SAMPLE = "data/samples/load-tests/one-task.jtl.gz"
SETTINGS = ("--config", "data/samples/capacity.toml")


def test_a_test_is_told_label_by_label_and_load_point_by_load_point() -> None:
    said = called("loadtest", "read", SAMPLE)
    assert re.search(r"GET /x +22,659 +0 ", said.stdout)
    assert "step06 185rps" in said.stdout
    assert "saturated" in said.stderr
    answer = json.loads(called("loadtest", "read", SAMPLE, "--json").stdout)
    assert [row["label"] for row in answer["summary"]] == ["GET /x", "Total"]
    assert [row["asked_per_s"] for row in answer["steps"]] == [40, 80, 120, 150, 170, 185, 200, 220]
    assert {finding["status"] for finding in answer["findings"]} == {"REVIEW"}


def test_what_one_task_carries_goes_from_the_result_file_into_the_settings_and_the_plan() -> None:
    """The server's four workers take 20.4 ms each; reference loadtest.md 11 reads about 162/s, a queueing model 152."""
    carries = json.loads(called("loadtest", "capacity", SAMPLE, "--slo-ms", "60", "--json").stdout)
    assert 150 < carries["requests_per_second"] < 170
    table = called("loadtest", "capacity", SAMPLE, "--slo-ms", "60", "--toml").stdout
    (web,) = config_of(tomllib.loads(f'[[service]]\nname = "web"\n{table}')).service
    assert web.task_capacity == capacity.TaskCapacity(**carries)
    load = pd.Series(400.0, index=pd.date_range("2026-11-23", periods=14 * 24, freq="h", tz="UTC"), name="web")
    plan = capacity.plan(capacity.forecast(load, "1d", model="seasonal-naive", paths=50), web)
    assert plan.frame["for_load"].max() >= -(-400 // (0.85 * web.task_capacity.requests_per_second))


def test_an_slo_that_no_load_point_met_is_refused_in_words() -> None:
    said = called("loadtest", "capacity", SAMPLE, "--slo-ms", "5", code=1)
    assert "5 ms" in said.stderr


def test_the_law_of_the_points_is_named_with_those_it_was_compared_with(tmp_path: Path) -> None:
    answer = json.loads(called("loadtest", "fit", SAMPLE, "--json").stdout)
    assert answer["best"] == "ceiling"
    assert {row["model"] for row in answer["models"]} == {"ceiling", "Amdahl", "USL", "linear"}
    points = tmp_path / "points.csv"
    points.write_text("Concurrency,Throughput\n1,100\n2,200\n3,300\n4,400\n6,600\n8,800\n", encoding="utf-8")
    assert json.loads(called("loadtest", "fit", str(points), "--json").stdout)["best"] == "linear"
    points.write_text("concurrency,throughput\n1,100\n2,\n", encoding="utf-8")
    assert "capacity:" in called("loadtest", "fit", str(points), code=1).stderr


def test_production_tells_of_the_release_that_made_a_request_dearer() -> None:
    """data/samples/README.md: a release of `search` on 18 August 2026 makes a request a fifth dearer in CPU."""
    arguments = ("loadtest", "production", *SETTINGS, "--service", "search")
    said = called(*arguments, "--history", "data/samples/search.parquet", "--slo-ms", "300", "--test", SAMPLE, "--json")
    assert "a request costs 20% more vCPU" in said.stderr
    assert "2026-08-18" in said.stderr
    carries = json.loads(said.stdout)
    assert carries["method"] == "load test and production"
    assert any(sentence.startswith("load test: ") for sentence in carries["evidence"])
    assert any(sentence.startswith("production: ") for sentence in carries["evidence"])


def test_a_test_beside_production_needs_the_slo_it_is_read_by() -> None:
    arguments = ("loadtest", "production", *SETTINGS, "--service", "search", "--test", SAMPLE)
    assert "--slo-ms" in called(*arguments, "--history", "data/samples/search.parquet", code=2).stderr


@pytest.mark.parametrize("command", ["read", "capacity", "production", "fit", "generate"])
def test_every_command_explains_itself(command: str) -> None:
    assert "Usage:" in called("loadtest", command, "--help").stdout


def test_a_file_that_is_no_result_is_refused_with_what_it_began_with(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("remember the milk", encoding="utf-8")
    said = called("loadtest", "read", str(tmp_path / "notes.txt"), code=1)
    assert "remember the milk" in said.stderr
    assert "JMeter CSV" in said.stderr
