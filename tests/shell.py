"""As much of a shell as the documentation needs: `capacity` in this process, folders, redirections, `&&` and `$(...)`.

A shell of its own would start Python for each command, two seconds each. What else stands on a page (make, pip, other
people's programs) is not run here: `OTHERS` says why.
"""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

import capacity.fleet
from tests.commands import called

#: First word of what is not run -> why not, and what looks after it instead.
OTHERS: Final = {
    ".": "an environment of its own: the one that tests run in stands for it",
    "make": "it makes an environment and runs the tests themselves; its targets are looked up in the Makefile",
    "pip": "an installation: test_wheel.py makes one",
    "python": "benchmarks take minutes; their names and options are looked up",
    "$EDITOR": "it waits for a person; the settings of the small shop stand for what is filled in",
    "cd": "only the first step of a line of cron: the folder that the test runs in stands for it",
    "aws": "it needs an account; its calls are held against AWS's own model",
    "az": "it needs an account with Azure",
    "curl": "it needs a webhook",
    "promtool": "what it makes of our rules is tested beside them",
}
#: Exit codes that are not 0 and yet as they should be: something differs, and is shown.
CODES: Final = {"diff": 3}
#: When cron runs a line, before the line.
_CRON: Final = re.compile(r"^(?:[\d*/,]+ ){4}[\w*]+ +(?=\w)")


class Ran(NamedTuple):
    """A command, and what it printed; nothing for those that were not run."""

    words: list[str]
    stdout: str
    stderr: str


def statements(block: str) -> list[str]:
    """The lines of a block as a shell would see them: no prompt, no schedule, continued lines as one."""
    lines = re.sub(r"\\\n\s*", " ", block).splitlines()
    bare = [_CRON.sub("", line.removeprefix("$ ").strip()) for line in lines]
    return [line for line in bare if line and not line.startswith("#")]


def run(block: str, place: Path) -> list[Ran]:
    """Run a block from top to bottom in a folder. A command that fails, or that nobody knows, fails the test."""
    return [ran for line in statements(block) for ran in _line(line, place)]


def words_of(line: str) -> list[list[str]]:
    """The commands of a line, joined by `&&` or `|`, each as its words with `>` and `>>` among them."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&|>")
    lexer.whitespace_split = True
    commands: list[list[str]] = [[]]
    for word in lexer:
        if word in ("&&", "|"):
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


def _line(line: str, place: Path) -> list[Ran]:
    inner = [ran for command in re.findall(r"\$\((capacity .*?)\)", line) for ran in _line(command, place)]
    return inner + [_command(words, place) for words in words_of(line)]


def _command(words: list[str], place: Path) -> Ran:
    name, *arguments = words
    if name == "cp":
        source, copy = (place / each for each in arguments)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
    elif name == "mkdir":
        (place / arguments[-1]).mkdir(parents=True, exist_ok=True)
    elif name != "capacity":
        assert name in OTHERS, f"nobody knows how to run: {' '.join(words)}"
    if name != "capacity":
        return Ran(words, "", "")
    mode, target = _redirected(arguments)
    said = called(*arguments, code=CODES.get(arguments[0], 0), cwd=place)
    if target:
        with (place / target).open(mode, encoding="utf-8") as file:
            file.write(said.stdout)
    return Ran(words, said.stdout, said.stderr)


def _redirected(arguments: list[str]) -> tuple[str, str]:
    """Take `> file` or `>> file` off the end: how to open it, and its name, empty if the result goes to the screen."""
    for sign, mode in ((">", "w"), (">>", "a")):
        if sign in arguments:
            at = arguments.index(sign)
            target = arguments[at + 1]
            del arguments[at:]
            return mode, target
    return "", ""


def share_chains(place: pytest.MonkeyPatch, made: dict[str, Any]) -> None:
    """Commands that ask for the same history, settings and services get one chain of stages, kept in `made`.

    Each would else read, forecast and plan anew. `--beside` is the one option that a chain learns later.
    """
    whole = capacity.fleet.Chain

    def chain(config: Any, source: Path | None = None, only: tuple[str, ...] = ()) -> Any:
        read = source if source is not None else config.history_path
        settings = config.model_dump_json(exclude={"data": {"history"}})
        asked = f"{settings} {Path(read).resolve() if read else read} {only}"
        return made.setdefault(asked, whole(config, source=source, only=only))

    place.setattr(capacity.fleet, "Chain", chain)
