"""The pages that tell a story are lived through: each in an empty folder, from top to bottom, as a stranger would."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests import shell
from tests.conftest import ROOT

#: A page's block and its language, as far as a reader acts on it.
BLOCK = re.compile(r"^```(python|sh|toml|text)\n(.*?)^```", flags=re.S | re.M)


@pytest.mark.parametrize("page", ["tutorial.md", "from-spreadsheets.md"])
def test_a_stranger_gets_to_the_end(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shell.share_chains(monkeypatch, {})
    names: dict[str, Any] = {}
    printed, shown = "", 0
    for language, block in BLOCK.findall((ROOT / "docs" / page).read_text(encoding="utf-8")):
        if language == "python":
            exec(compile(block, f"docs/{page}", "exec"), names)
        elif language == "toml":
            (tmp_path / "capacity.toml").write_text(block, encoding="utf-8")
        elif language == "sh":
            printed = "".join(ran.stdout + ran.stderr for ran in shell.run(block, tmp_path))
        else:
            shown += 1
            assert missing(block, printed) == []
    assert shown


def missing(block: str, printed: str) -> list[str]:
    """Lines that a page shows and the commands did not print, in this order; figures may differ, and `...` is any text.

    >>> missing("3 tasks ...\\n", "11 tasks for load\\n"), missing("b\\na\\n", "a\\nb\\n")
    ([], ['a'])
    """
    told = [shape(line) for line in printed.splitlines()]
    absent = []
    for line in filter(None, map(shape, block.splitlines())):
        words = line.removesuffix("...").strip()
        at = next((n for n, one in enumerate(told) if one == words or (line != words and one.startswith(words))), None)
        if at is None:
            absent.append(line)
        else:
            del told[: at + 1]
    return absent


def shape(line: str) -> str:
    """A line without what differs from machine to machine: figures, and the spaces that make room for them."""
    return re.sub(r"\d[\d,.]*", "0", " ".join(line.split()))
