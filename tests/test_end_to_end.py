"""The main job over the sample fleet, whose truth is known: does the report say what was put in?"""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest

from capacity.fleet import Chain
from capacity.samples import sample_path
from tests import sample_fleet
from tests.commands import called, spawned

pytestmark = sample_fleet.ON_ONE_WORKER

#: What is reported: a service with a sale, told in the settings, and one of workers that has no requests.
NAMES = ("storefront", "image-worker")


@pytest.fixture(scope="module")
def chain() -> Chain:
    return sample_fleet.chain()


@pytest.fixture(scope="module")
def arguments(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Of a report on two services of the fleet and three days."""
    history = tmp_path_factory.mktemp("history")
    for name in NAMES:
        (history / f"{name}.parquet").symlink_to(sample_path() / f"{name}.parquet")
    arguments = ["report", "--config", str(sample_fleet.CONFIG), "--history", str(history), "--quiet"]
    return [*arguments, *(word for name in NAMES for word in ("--service", name)), "--horizon", "3d", "--out"]


@pytest.fixture(scope="module")
def folder(arguments: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report, made in this process."""
    folder: Path = tmp_path_factory.mktemp("report")
    called(*arguments, str(folder))
    return folder


def test_the_whole_fleet_gets_a_plan(chain: Chain) -> None:
    services = {service.name for service in chain.config.service}
    assert set(chain.plan.frame["service"]) == services
    assert len(services) >= 8
    assert len(chain.plan.frame) == len(services) * 91 * 24


def test_the_growing_service_is_told_to_raise_its_maximum_in_time(chain: Chain) -> None:
    decision = next(d for d in chain.plan.decisions if d.service == "checkout" and d.kind == "raise_max")
    assert decision.probability > 0.5
    assert decision.before is not None
    assert decision.before > chain.forecast.cutoff
    assert decision.proposed is not None
    assert decision.proposed > chain.config.service_named("checkout").max_tasks


def test_the_service_pinned_at_its_maximum_is_found_out(chain: Chain) -> None:
    assert any(d.service == "recommendations" and d.kind == "raise_max" for d in chain.plan.decisions)
    row = next(i for i, key in enumerate(chain.demand.keys) if key.service == "recommendations")
    assert chain.demand.censored[row].mean() > 0.02


def test_the_sale_that_the_team_named_is_planned_for(chain: Chain) -> None:
    highest = chain.plan.frame.query("service == 'storefront'").set_index("timestamp")["tasks"].resample("D").max()
    assert highest["2026-11-27"] > 1.2 * highest["2026-12-04"]


def test_a_service_with_a_sale_is_scored_as_it_is_forecast(folder: Path) -> None:
    document = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    part = next(one for one in document["services"] if one["name"] == "storefront")
    assert {row["model"] for row in part["accuracy"] if row["used"]} == {"auto, told"}


def test_all_files_are_written_and_the_page_needs_no_network(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        f"report.{kind}" for kind in ("html", "json", "pdf", "plan", "xlsx")
    ]
    html = (folder / "report.html").read_text(encoding="utf-8")
    loading = re.sub(r"<a href=[^>]*>", "", html)  # a link to a runbook loads nothing until someone follows it
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//|@import|url\(\s*["']?(?:https?:)?//""", loading)
    assert all(name in html for name in NAMES)


def test_the_same_run_gives_the_same_bytes(arguments: list[str], folder: Path, tmp_path: Path) -> None:
    """In a process of its own, where words hash otherwise, and in this one, where much else has run before."""
    spawned(*arguments, str(tmp_path))
    texts, parts = [], []
    for run in (tmp_path, folder):
        text = (run / "report.json").read_text(encoding="utf-8")
        assert len(re.findall('"generated_at"', text)) == 1
        texts.append(re.sub(r'"generated_at": ?"[^"]*"', "", text))
        with zipfile.ZipFile(run / "report.plan") as kept:
            parts.append({entry.filename: entry.CRC for entry in kept.infolist() if entry.filename != "about.json"})
    assert texts[0] == texts[1]
    assert parts[0] == parts[1]
    assert '"services"' in texts[0]
