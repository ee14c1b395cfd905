"""`capacity fetch prometheus`, as people call it, against a real server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import capacity
from tests.commands import Said, called
from tests.sources.prometheus import month
from tests.sources.prometheus.server import Server

pytestmark = pytest.mark.xdist_group("prometheus")

FILE = """
[prometheus]
step = "1h"
max_span = "400d"

[[prometheus.query]]
metric = "cpu"
query = "avg_over_time(vcpu_in_use[$__interval])"

[[prometheus.query]]
preset = "http-requests"
"""


def told(server: Server, folder: Path, code: int = 0) -> Said:
    """What the command says; its exit code is checked."""
    days = (pd.Timestamp.now(tz="UTC") - month.START).days + 1
    command = [*("fetch", "prometheus", "--url", server.url, "--config", str(folder / "capacity.toml"))]
    command += ["--store", str(folder / "store"), "--days", str(days), "--json", "--quiet"]
    return called(*command, code=code)


def fetched(server: Server, folder: Path) -> dict[str, Any]:
    """What the command says it did."""
    said: dict[str, Any] = json.loads(told(server, folder).stdout)
    return said


def test_the_command_fetches_all_and_then_only_what_is_new(server: Server, tmp_path: Path) -> None:
    (tmp_path / "capacity.toml").write_text(FILE, encoding="utf-8")
    first = fetched(server, tmp_path)
    history = capacity.read(tmp_path / "store")
    frame = history.frame[history.frame["metric"] == "cpu"]
    scraped = pd.Series(month.gauge("search"), index=month.STAMPS)[month.SCRAPED]
    hours = scraped.groupby(-(-scraped.index // 3600)).mean()
    found = frame.loc[frame["service"] == "search", "value"]
    assert first["rows_added"] == len(history.frame) > 4 * 700
    assert abs(len(found) - len(hours)) <= 2  # the look-back of an hour reaches one sample into the next
    np.testing.assert_allclose(found.to_numpy()[:200], hours.to_numpy()[:200], rtol=1e-3)
    again = fetched(server, tmp_path)
    assert again["rows_added"] == again["rows_revised"] == 0
    assert first["calls"] == first["least"] == {"query_range": 4}
    assert sum(again.get("calls", {}).values()) <= 2  # none, unless an hour has just ended


def test_an_answer_without_the_label_says_so_when_nothing_is_left(server: Server, tmp_path: Path) -> None:
    query = 'metric = "cpu"\nquery = "avg_over_time(vcpu_in_use[$__interval])"'
    text = FILE.replace(query, f'{query}\nservice_label = "team"').partition("[[prometheus.query]]\npreset")[0]
    (tmp_path / "capacity.toml").write_text(text, encoding="utf-8")
    said = told(server, tmp_path, code=1).stderr
    assert "has no value" in said
    assert "series without the label 'team', such as {" in said
