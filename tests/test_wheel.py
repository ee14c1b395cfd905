"""What is installed works without the checkout: templates, fonts, prices, types and the sample fleet come along."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

USED = """
import capacity
assert capacity.__file__.startswith({folder!r}), capacity.__file__
history = capacity.load_sample("shop").select(services="wishlist")
plan = capacity.plan(capacity.forecast(history, "1d", paths=20, model="seasonal-naive"),
                     capacity.Service(name="wishlist", requests_per_second_per_task=50))
print(*sorted(path.name for path in capacity.report(plan).save_all("out")))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def test_data_files_are_in_the_wheel_and_nothing_made_on_the_way(installed: Path) -> None:
    names = {path.relative_to(installed).as_posix() for path in installed.rglob("*") if path.is_file()}
    wanted = [
        *("capacity/py.typed", "capacity/planning/prices.toml", "capacity/reporting/templates/report.html.j2"),
        *("capacity/samples/data/capacity.toml", "capacity/samples/data/checkout.parquet"),
        "capacity/sources/aws/policies/fetch.json",
    ]
    assert [name for name in wanted if name not in names] == []
    assert any(name.startswith("capacity/reporting/fonts/") for name in names)
    assert [name for name in names if "__pycache__" in name or name.startswith("tests/")] == []


def test_the_installed_package_plans_the_sample_from_anywhere(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", USED.format(folder=str(installed))],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed), "NUMBA_DISABLE_JIT": "1"},  # for so little, faster as it is
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["report.html", "report.json", "report.pdf", "report.xlsx"]
