"""The guides to dashboards and runbooks are run, from top to bottom."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT


def run(guide: str) -> dict[str, Any]:
    """The names that the guide's Python leaves behind."""
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", text, flags=re.S | re.M):
        exec(compile(block.replace('"build/runbooks"', "out"), f"docs/{guide}", "exec"), names)
    return names


def commands(guide: str) -> list[str]:
    text = (ROOT / "docs" / guide).read_text(encoding="utf-8")
    return re.findall(
        r"capacity (?:dashboard|runbooks)[^\n#)>\"]*", "\n".join(re.findall(r"```sh\n(.*?)```", text, flags=re.S))
    )


def test_the_guide_to_dashboards_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    names = run("dashboards.md")
    said = capsys.readouterr().out
    assert list(names["board"].frame["dashboard"]) == ["capacity-fleet", "capacity-service-wishlist"]
    assert "'Requests', " in said
    assert "'Error budget left: availability'" in said or "'Latency'" in said


def test_the_guide_to_runbooks_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("builtins.out", tmp_path, raising=False)
    names = run("runbooks.md")
    assert "wishlist--silence.md" in names["book"].pages
    assert names["paths"][-1] == tmp_path / "README.md"
    assert capsys.readouterr().out.startswith("# Runbooks")


@pytest.mark.parametrize("guide", ["dashboards.md", "runbooks.md"])
def test_commands_of_the_guides_are_commands_that_there_are(guide: str) -> None:
    from typer.main import get_command

    from capacity.cli import app

    known: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
    found = commands(guide)
    assert found
    for line in found:
        _, name, *arguments = line.split()
        known[name].make_context(name, arguments).close()
