"""The guide to forecasting is run: its Python from top to bottom, its settings as capacity.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from capacity.config import config_of

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs" / "forecasting.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, flags=re.S | re.M)


def test_its_python_runs_and_says_what_was_made_of_what_is_known(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    for block in blocks("python"):
        exec(compile(block, "docs/forecasting.md", "exec"), names)
    said = capsys.readouterr().out
    assert re.search(r"'Black Friday': ×[\d.]+, learnt from once in the past; once to come", said), said
    assert "'app 4.0': ×2.5 as stated" in said
    assert "driver 'customers'" in said
    assert "by A. Rao" in said
    assert set(names["scores"].verdicts["model"]) == {"auto", "profile"}


def test_its_settings_are_settings() -> None:
    (settings,) = blocks("toml")
    assert [event.lasting for event in config_of(tomllib.loads(settings)).event] == [False, False, True]


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", GUIDE)
    assert links
    assert [link for link in links if not link.startswith("http") and not (ROOT / "docs" / link).exists()] == []
