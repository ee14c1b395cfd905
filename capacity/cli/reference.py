"""Every command with its options as Markdown: what `docs/commands.md` holds (`python -m capacity.cli.reference`)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import typer


def reference() -> str:
    """The commands in the order of `capacity --help`, each with its words, arguments and options."""
    from capacity.cli import HELP, app

    lines = [
        "# Commands",
        "",
        "Generated from `capacity/cli` by `make docs`. The same words stand in `--help` of each command.",
        "",
        HELP.partition("\n\n")[2].strip(),
        "",
    ]
    root = typer.main.get_command(app)
    for path, command, context in _walk(root, _context(root, "capacity", None)):
        lines += _section(path, command, context)
    return "\n".join(lines).rstrip() + "\n"


def _walk(group: Any, context: Any) -> Iterator[tuple[str, Any, Any]]:
    """Each command below a group, groups before what they hold."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        inner = _context(command, name, context)
        yield inner.command_path, command, inner
        if hasattr(command, "list_commands"):
            yield from _walk(command, inner)


def _context(command: Any, name: str, parent: Any) -> Any:
    return command.context_class(command, info_name=name, parent=parent, terminal_width=10_000)


def _section(path: str, command: Any, context: Any) -> list[str]:
    lines = [f"## `{path}`", "", _words(command.help), ""]
    if hasattr(command, "list_commands"):
        return lines
    usage = " ".join(command.collect_usage_pieces(context))
    lines += ["```text", f"{path} {usage}", "```", ""]
    records = [record for one in command.get_params(context) if (record := one.get_help_record(context))]
    told = [(name, meaning) for name, meaning in records if name != "--help"]
    if told:
        lines += ["| Option | Meaning |", "| --- | --- |"]
        lines += [f"| `{_TYPE.sub('', _cell(name))}` | {_prose(meaning)} |" for name, meaning in told]
        lines.append("")
    return lines


def _words(text: str | None) -> str:
    """Help as paragraphs: a line break inside one is only where the source broke."""
    paragraphs = (text or "").strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


#: A type's name at the end of an argument that names itself already.
_TYPE: Final = re.compile(r"(?<=\.\.\.) <list\[\w+\]>$")


def _prose(text: str) -> str:
    """A sentence of help in a cell: what looks like a tag of HTML or a link stays text."""
    return _cell(text).replace("<", "\\<").replace("[", "\\[").replace("*", "\\*")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    print(reference(), end="")
