"""`capacity cost`: what it prints for people, for programs, and as documents."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.commands import called
from tests.conftest import ROOT
from tests.makers import daily_wave, hourly

SETTINGS = """
[data]
history = "history.csv"

[forecast]
model = "seasonal-naive"
paths = 20

[goal]
horizon = "7d"

[[budget]]
name = "pay"
usd_per_month = 100
notify = ["pay@example.com"]

[[service]]
name = "checkout"
region = "eu-west-1"
requests_per_second_per_task = 26
min_tasks = 4
max_tasks = 34
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Settings beside eleven weeks of one service, 25 August to 9 November, billed at the price of its tasks."""
    folder: Path = tmp_path_factory.mktemp("cost")
    times = hourly(77, "2026-08-25")
    tasks = np.ceil(daily_wave(times, mean=200) / 22)
    metrics = {"requests": daily_wave(times, mean=200), "running_tasks": tasks, "cost": tasks * 0.04937}
    parts = [
        pd.DataFrame({"service": "checkout", "metric": metric, "timestamp": times, "value": values})
        for metric, values in metrics.items()
    ]
    pd.concat(parts).to_csv(folder / "history.csv", index=False)
    path = folder / "capacity.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    return str(path)


def test_programs_get_every_part_and_it_adds_up(config: str) -> None:
    said = json.loads(called("cost", "--config", config, "--quiet", "--json").stdout)
    assert said["prices"] == "AWS Price List, AmazonECS, 2026-09-11"
    assert sum(row["usd"] for row in said["cost"]) == pytest.approx(said["total"][0]["usd"])
    assert sum(row["usd"] for row in said["headroom"]) == pytest.approx(sum(row["planned"] for row in said["cost"]))
    assert said["commitment"]["usd_per_hour"] == said["commitment"]["options"][0]["usd_per_hour"] > 0
    assert {row["budget"] for row in said["budgets"]} == {"pay"}
    assert [row["kind"] for row in said["budget_decisions"]] == ["budget"]
    assert [round(row["of_table"], 3) for row in said["reconciliation"]] == [1, 1]


def test_budgets_alone_are_a_document_on_standard_output(config: str) -> None:
    said = called("cost", "--config", config, "--quiet", "--budgets-as", "cloudformation").stdout
    assert json.loads(said)["Resources"]["Budget1"]["Type"] == "AWS::Budgets::Budget"


def test_the_guides_commands_have_these_options() -> None:
    text = called("cost", "--help").stdout
    shown = re.findall(r"^capacity cost(.*)$", (ROOT / "docs/cost.md").read_text(encoding="utf-8"), flags=re.M)
    assert len(shown) == 3
    for options in shown:
        assert [one for one in re.findall(r"--[a-z-]+", options) if not re.search(rf"{one}\b", text)] == []
