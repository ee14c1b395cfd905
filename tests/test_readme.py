"""The README is run: its Python as it stands, its commands by name and option, its links by their files."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from capacity.cli import app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.S | re.M)


def test_the_python_example_ends_in_task_counts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = blocks("python")
    monkeypatch.chdir(ROOT)
    exec(compile(example, "README.md", "exec"), {})
    said = capsys.readouterr().out
    assert re.search(r"\d+ (?:tasks|for load)", said), said


COMMANDS = [
    words
    for block in blocks("sh")
    for line in block.splitlines()
    if (words := shlex.split(line, comments=True)) and words[0] in ("make", "capacity", "python")
]


def test_there_are_commands_to_check() -> None:
    assert {words[0] for words in COMMANDS} == {"make", "capacity", "python"}


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_shown_exists_with_its_options(words: list[str]) -> None:
    if words[0] == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        for word in words[1:]:
            name, assigned, _ = word.partition("=")
            pattern = rf"^{name} *\?=" if assigned else rf"^{name}:.*## "
            assert re.search(pattern, makefile, flags=re.M), word
        return
    if words[0] == "python":
        place = ROOT / words[2].replace(".", "/")
        source = place.with_suffix(".py") if place.with_suffix(".py").exists() else place / "__main__.py"
        text = source.read_text(encoding="utf-8")
        assert [word for word in words[3:] if word.startswith("-") and f'"{word}"' not in text] == []
        return
    group = typer.main.get_command(app)
    command: Any = group.commands[words[1]]  # type: ignore[attr-defined]
    if hasattr(command, "commands"):  # `fetch` has one command a source
        command = command.commands[words[2]]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words[2:] if word.startswith("-")} <= known


def test_the_verbs_it_lists_are_the_commands_there_are() -> None:
    lists = re.findall(r"`capacity ((?:[\w-]+ \| )+[\w-]+)`", README)
    listed = [verb for one in lists for verb in one.split(" | ")]
    assert sorted(listed) == sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", README)
    assert [link for link in links if not link.startswith("http") and not (ROOT / link).exists()] == []
