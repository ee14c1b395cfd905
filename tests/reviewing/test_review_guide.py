"""The guide to reviews is run: its Python, and its schedule against the model of the AWS API."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from botocore import loaders, model, validate

import capacity
from capacity.reviewing import Review, Snapshot
from capacity.samples import true_demand
from tests.conftest import ROOT


def section(until: str) -> str:
    return (ROOT / "docs" / "reviewing.md").read_text(encoding="utf-8").split(until)[0]


def test_the_guide_reviews_a_plan_of_then_with_what_happened_since(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", section("## Keeping plans"), flags=re.S | re.M):
        exec(compile(block, "docs/reviewing.md", "exec"), names)
    said = capsys.readouterr().out
    for comment in re.findall(r"print\(.*?\)  # (.*)", section("## Keeping plans")):
        assert comment in said
    found: Review = names["review"]
    truth = true_demand("storefront", "2026-10-05", 42 * 24)["actual"].mean()
    assert found.accuracy.set_index("metric").loc["requests", "actual"] == pytest.approx(truth, rel=0.01)
    median = found.pasts[-1].promised.quantile(found.pasts[-1].promised.keys[0], 0.5).mean()
    wrong = found.fleet["demand"] / (found.fleet["planned"] + found.fleet["margin"])
    assert wrong == pytest.approx(truth / median - 1, abs=0.03)  # of tasks as of requests


def test_a_release_that_makes_requests_dearer_is_blamed_on_what_a_task_carries() -> None:
    search = capacity.load_config(ROOT / "data/samples/capacity.toml").service_named("search")
    history = capacity.read(ROOT / "data/samples/search.parquet")
    release = pd.Timestamp("2026-08-18", tz="UTC")  # truth.json: a fifth more vCPU a request from then on
    known = capacity.estimate_demand(history, [search], interval="1h").until(release)
    forecast = capacity.forecast(known, "21d", model="profile", paths=50, services=[search])
    found = capacity.review(Snapshot.of(capacity.plan(forecast, search)), history)
    carries = found.splits["search"].carries
    assert carries is not None
    assert carries.ratio == pytest.approx(1.2, abs=0.05)
    expected = found.fleet["planned"] + found.fleet["margin"]
    assert found.fleet["capacity"] / expected == pytest.approx(0.2, abs=0.06)
    assert abs(found.fleet["demand"] / expected) < 0.06
    assert "capacity" in {one.reason for one in found.drift.reasons}


def test_the_schedule_of_the_guide_is_what_the_api_takes() -> None:
    (block,) = re.findall(r"^```json\n(.*?)^```", section("## Keeping plans"), flags=re.S | re.M)
    api = model.ServiceModel(loaders.Loader().load_service_model("scheduler", "service-2"))
    report = validate.ParamValidator().validate(json.loads(block), api.operation_model("CreateSchedule").input_shape)
    assert not report.has_errors(), report.generate_report()


def test_make_has_a_target_for_it() -> None:
    assert re.search(r"^review: .*## Was the plan right\?", Path(ROOT / "Makefile").read_text(), flags=re.M)
