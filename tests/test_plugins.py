"""Sources that another package brings: `capacity fetch NAME LOCATION`, as people call it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import capacity
from capacity.errors import InputError
from capacity.sources import open_source
from tests.commands import called
from tests.conftest import ROOT

PACKAGE = """
from collections import Counter

import pandas as pd

from capacity.sources import Observations
from capacity.sources.coverage import NOTHING, Asked, Coverage
from capacity.sources.pulling import Batch, Outlay, last_days, pulled

ASKED = Asked("hours", "web", "cpu", "mean", 3600)


def observed(times, value=1.0):
    rows = {"service": "web", "metric": "cpu", "stat": "mean", "interval": 3600, "timestamp": times, "value": value}
    return Observations.of(pd.DataFrame(rows), "hours")


class Whole:
    name = "whole"

    def __init__(self, location, factor="1"):
        self.factor = float(factor)

    def read(self, span=None):
        times = pd.date_range("2020-01-01", periods=3, freq="h", tz="UTC").append(
            pd.date_range(end=pd.Timestamp.now(tz="UTC").floor("h"), periods=3, freq="h")
        )
        return observed(times[times >= span.start] if span else times, self.factor)


class Hours:
    name = "hours"

    def __init__(self, location):
        self._asked = Counter()

    @property
    def spent(self):
        return Outlay(dict(self._asked))

    def outlay(self, span, known=NOTHING):
        return Outlay({"ask": len(known.missing(ASKED, span))})

    def pull(self, span, known=NOTHING):
        for gap in known.missing(ASKED, span):
            self._asked["ask"] += 1
            times = pd.date_range(gap.start.ceil("h"), gap.end.floor("h"), freq="h", inclusive="left")
            yield Batch(observed(times), Coverage.of([(ASKED, gap)]))

    def read(self, span=None):
        return pulled(self, span or last_days(1))


def nothing(location):
    return None
"""
POINTS = """[capacity.sources]
whole = a_plug_in:Whole
hours = a_plug_in:Hours
nothing = a_plug_in:nothing
moved = a_plug_in:Moved
lacking = a_plug_in_that_is_not_there:Source
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder with a package as pip leaves it."""
    folder = tmp_path / "site"
    info = folder / "a_plug_in-1.2.dist-info"
    info.mkdir(parents=True)
    (folder / "a_plug_in.py").write_text(PACKAGE, encoding="utf-8")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: a-plug-in\nVersion: 1.2\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(POINTS, encoding="utf-8")
    return folder


def fetch(package: Path, *arguments: str, code: int = 0) -> str:
    """What `capacity fetch ...` prints, errors included, where that package is installed."""
    with pytest.MonkeyPatch.context() as installed:
        installed.syspath_prepend(str(package))
        said = called("fetch", *arguments, code=code)
    return said.stdout + said.stderr


def fetched_elsewhere(package: Path, *arguments: str) -> str:
    """The same in a process that finds the package by itself."""
    done = subprocess.run(
        [sys.executable, "-m", "capacity.cli", "fetch", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(package)])},
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_source_of_another_package_is_a_command(package: Path, tmp_path: Path) -> None:
    store = str(tmp_path / "store")
    said = fetched_elsewhere(package, "whole", "here", "--store", store, "--set", "factor=2")
    assert said.startswith("6 rows added")
    assert set(capacity.read(store).frame["value"]) == {2.0}
    assert "brought by a plug-in" in fetch(package, "--help")


def test_days_are_heeded_by_a_source_that_is_read_as_a_whole(package: Path, tmp_path: Path) -> None:
    assert fetch(package, "whole", "here", "--store", str(tmp_path / "store"), "--days", "9").startswith("3 rows added")


def test_a_dry_run_stores_nothing_even_of_a_source_that_cannot_estimate(package: Path, tmp_path: Path) -> None:
    said = fetch(package, "whole", "here", "--store", str(tmp_path / "store"), "--dry-run", code=1)
    assert "leave out --dry-run" in said
    assert not (tmp_path / "store").exists()


def test_a_pulled_source_is_asked_only_for_the_rest(package: Path, tmp_path: Path) -> None:
    store = ("--store", str(tmp_path / "store"))
    assert "1 ask call" in fetch(package, "hours", "here", *store, "--days", "2")
    first = len(capacity.read(tmp_path / "store").frame)
    assert "would take" in fetch(package, "hours", "here", *store, "--days", "2", "--dry-run")
    again = fetch(package, "hours", "here", *store, "--days", "2")
    assert "0 rows revised" in again and "0 rows unchanged" in again
    assert first in (47, 48)


@pytest.mark.parametrize("wrong", [("factor",), ("=2",), ("factor=2", "factor=3"), ("fact or=2",)])
def test_a_setting_that_is_not_written_as_one_is_wrong_usage(
    package: Path, tmp_path: Path, wrong: tuple[str, ...]
) -> None:
    options = [part for one in wrong for part in ("--set", one)]
    said = fetch(package, "whole", "here", "--store", str(tmp_path / "store"), *options, code=2)
    assert "--set" in said
    assert not (tmp_path / "store").exists()


def test_a_name_that_no_source_has_names_them_all(package: Path) -> None:
    said = fetch(package, "cloudwach", code=1)
    assert "no source 'cloudwach'" in said
    for name in ("cloudwatch", "azure-monitor", "whole"):
        assert name in said


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("whole", {"facter": "2"}, ("unexpected keyword argument 'facter'", "Its settings: factor.")),
        ("whole", {"factor": "two"}, ("could not convert string to float: 'two'", "Its settings: factor.")),
        ("whole", {"name": "x"}, ("unexpected keyword argument 'name'",)),
        ("whole", {"location": "x"}, ("multiple values for argument 'location'",)),
        ("hours", {"factor": "2"}, ("'factor'", "It has no settings.")),
        ("moved", {}, ("a-plug-in 1.2", "Moved", "another version")),
        ("lacking", {}, ("a-plug-in 1.2", "a_plug_in_that_is_not_there", "Install what that package needs")),
        ("nothing", {}, ("NoneType", "read(span)")),
        ("nobody", {}, ("no source 'nobody'", "Sources: ", " files, ", "hours, lacking, moved, nothing, ", "whole.")),
    ],
)
def test_a_source_that_cannot_be_opened_says_why(
    package: Path, monkeypatch: pytest.MonkeyPatch, name: str, settings: dict[str, str], words: tuple[str, ...]
) -> None:
    monkeypatch.syspath_prepend(str(package))
    with pytest.raises(InputError) as raised:
        open_source(name, "here", **settings)
    for word in words:
        assert word in str(raised.value)
