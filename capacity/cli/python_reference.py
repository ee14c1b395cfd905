"""The public names with their signatures and words as Markdown: what `docs/python-api.md` holds.

`python -m capacity.cli.python_reference`, as `make docs` runs it. Functions first, then nouns with what they can do.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final

import capacity

#: What every dataclass and pydantic model has of its own, and nobody calls.
_INHERITED: Final = re.compile(
    r"^(_|model_|dict$|json$|copy$|parse_|schema|construct$|from_orm$|validate$|update_forward)"
)


def reference() -> str:
    """The page: functions in alphabetical order, then nouns, then `capacity.loadtest`."""
    names = sorted({*capacity.__all__, *capacity._ANSWERS})
    things = {name: getattr(capacity, name) for name in names}
    lines = [
        "# Python",
        "",
        "Generated from `capacity.__all__` by `make docs`. `import capacity` is light: a name is loaded when it is",
        "first used. Nouns show themselves in notebooks; their tables: [data dictionary](data-dictionary.md).",
        "",
        "## Functions",
        "",
    ]
    for name, thing in things.items():
        if inspect.isfunction(thing):
            lines += _function(f"capacity.{name}", thing)
    lines += ["## Nouns", ""]
    for name, thing in things.items():
        if inspect.isclass(thing):
            lines += _noun(name, thing)
    lines += ["## `capacity.loadtest`", "", *_words(capacity.loadtest.__doc__)]
    for name in sorted(capacity.loadtest.__all__):
        thing = getattr(capacity.loadtest, name)
        if inspect.isfunction(thing):
            lines += _function(f"capacity.loadtest.{name}", thing)
    return "\n".join(lines).rstrip() + "\n"


def _function(name: str, function: Any) -> list[str]:
    return [f"### `{name}`", "", *_fenced(f"{name}{_signature(function)}"), *_words(function.__doc__)]


def _noun(name: str, noun: type) -> list[str]:
    lines = [f"### `capacity.{name}`", "", *_words(noun.__doc__)]
    rows = [f"| `{call}` | {meaning} |" for call, meaning in _members(noun)]
    return [*lines, "| has | is |", "| --- | --- |", *rows, ""] if rows else lines


def _members(noun: type) -> Iterator[tuple[str, str]]:
    """Public methods and computed values of a noun, its own and those of its base in this package, by name."""
    for name, member in sorted(inspect.getmembers_static(noun)):
        if _INHERITED.match(name):
            continue
        if isinstance(member, (classmethod, staticmethod)):
            member = member.__func__
        if isinstance(member, cached_property):
            member = property(member.func)
        if isinstance(member, property):
            call, told = f".{name}", member.__doc__
        elif inspect.isfunction(member) and member.__module__.startswith("capacity"):
            call, told = f".{name}{_signature(member)}", member.__doc__
        else:
            continue
        if told:
            yield call.replace("|", "\\|"), _prose(told.strip().partition("\n\n")[0])


def _signature(function: Any) -> str:
    """The arguments as they are called: without `self`, and without the types, which the docstring says in words."""
    parameters = []
    for name, one in inspect.signature(function).parameters.items():
        if name not in ("self", "cls"):
            parameters.append(one.replace(annotation=inspect.Parameter.empty))
    return re.sub(r"<function .*? at 0x[0-9a-f]+>|<[^<>]*>", "...", str(inspect.Signature(parameters)))


def _words(text: str | None) -> list[str]:
    """The first paragraph as prose, the rest as it was written: its columns and examples stand in lines."""
    first, _, rest = inspect.cleandoc(text or "").partition("\n\n")
    return [_prose(first), "", *(_fenced(rest) if rest.strip() else [])]


def _fenced(text: str) -> list[str]:
    return ["```text", *text.rstrip().splitlines(), "```", ""]


def _prose(text: str) -> str:
    """Words in which what looks like Markdown or HTML stays text, but for what stands in backticks."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()).replace("|", "\\|"))
    return "".join(part if part.startswith("`") else re.sub(r"([<\[*_$])", r"\\\1", part) for part in parts)


if __name__ == "__main__":
    print(reference(), end="")
