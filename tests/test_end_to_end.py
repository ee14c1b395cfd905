"""The main job over the sample fleet, whose truth is known: does the report say what was put in?"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from capacity.config import load_config
from capacity.fleet import Chain

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "data/samples/capacity.toml"
WISHLIST = ROOT / "data/samples/wishlist.parquet"

pytestmark = pytest.mark.xdist_group("end-to-end")


@pytest.fixture(scope="module")
def chain() -> Chain:
    return Chain(load_config(CONFIG))


@pytest.fixture(scope="module")
def folder(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("report")
    chain.report.save_all(folder)
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


def test_all_four_files_are_written_and_the_page_needs_no_network(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == [
        f"report.{kind}" for kind in ("html", "json", "pdf", "xlsx")
    ]
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//|@import|url\(\s*["']?(?:https?:)?//""", html)
    assert html.index("checkout") < len(html)


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    texts = []
    for run in ("one", "two"):
        arguments = [
            "--service",
            "wishlist",
            "--service",
            "image-worker",
            "--horizon",
            "3d",
            "--out",
            str(tmp_path / run),
        ]
        command = [sys.executable, "-m", "capacity.cli", "report", "--config", str(CONFIG), "--quiet", *arguments]
        subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
        text = (tmp_path / run / "report.json").read_text(encoding="utf-8")
        assert len(re.findall('"generated_at"', text)) == 1
        texts.append(re.sub(r'"generated_at": ?"[^"]*"', "", text))
        json.loads(text)
    assert texts[0] == texts[1]
