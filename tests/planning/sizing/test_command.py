"""`capacity sizes`, `mix` and `instances`: thin commands over the plan."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.commands import called

SETTINGS = """
[data]
history = "usage.csv"
[goal]
horizon = "2d"
[forecast]
model = "seasonal-naive"
paths = 20
[[service]]
name = "web"
cpu_target = 0.6
min_tasks = 2
max_tasks = 100
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Settings and 16 days of hours of one service."""
    place = tmp_path_factory.mktemp("sizing")
    hours = pd.date_range("2026-11-01", periods=16 * 24, freq="h", tz="UTC")
    cpu = 6 + 3 * np.sin(np.arange(len(hours)) / 24 * 2 * np.pi)
    frame = pd.DataFrame({"service": "web", "metric": "cpu", "timestamp": hours, "value": cpu})
    frame.to_csv(place / "usage.csv", index=False)
    (place / "capacity.toml").write_text(SETTINGS, encoding="utf-8")
    return place


def test_sizes_for_people_and_for_programs(folder: Path) -> None:
    asked = ("sizes", "--service", "web", "--quiet", "--arm-speed", "0.5")
    said = called(*asked, cwd=folder)
    assert said.stdout.startswith("`web` has the cheapest size that keeps its promise: 1 vCPU, 2 GiB, x86_64")
    assert "UNKNOWN web memory" in said.stderr
    answer = json.loads(called(*asked, "--json", cwd=folder).stdout)
    assert len(answer["sizes"]) == 148
    assert answer["sizes"][0]["present"] is True
    assert answer["sizes"][-1]["rejected_because"]


def test_mixes_come_with_the_strategy_to_set(folder: Path) -> None:
    answer = json.loads(called("mix", "--quiet", "--json", "--lost", "0", cwd=folder).stdout)
    assert answer["strategies"] == {"web": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]}
    assert "How often Spot is interrupted is assumed" in called("mix", "--quiet", cwd=folder).stderr


def test_instances_are_those_of_the_settings(folder: Path, tmp_path: Path) -> None:
    refused = called("instances", "--quiet", cwd=folder, code=1)
    assert "[[instance]]" in refused.stderr
    own = SETTINGS.replace("usage.csv", str(folder / "usage.csv"))
    types = '[[instance]]\nname = "m7i.xlarge"\nvcpu = 4\nmemory_gib = 16\nusd_per_hour = 0.2\n'
    (tmp_path / "capacity.toml").write_text(own + types, encoding="utf-8")
    answer = json.loads(called("instances", "--quiet", "--json", cwd=tmp_path).stdout)
    assert answer["instances"][0]["instance"] == "m7i.xlarge"
    assert answer["sentence"].endswith("of the vCPU in use.")
    on_ec2 = (own + types).replace("cpu_target", 'launch_type = "EC2"\ncpu_target')
    (tmp_path / "capacity.toml").write_text(on_ec2, encoding="utf-8")
    for command in ("sizes", "mix"):  # nothing to print but why
        nothing = called(command, "--quiet", cwd=tmp_path)
        assert nothing.stdout == ""
        assert "Ask what they fit on: `capacity instances`" in nothing.stderr
