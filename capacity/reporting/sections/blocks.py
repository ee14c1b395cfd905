"""The blocks a page is made of. Each has one macro in `templates/blocks.html.j2` and one in `templates/blocks.typ`.

Text is text: no block holds markup, and every string is escaped where it is set. A sentence is a string, or the runs
of `tables.runs` where a name in it should stand out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from capacity.reporting.tables import runs

#: Rows from which on a table is worth sorting: fewer are seen at a glance.
SORTED: Final = 8

Runs = list[dict[str, Any]]
Tone = Literal["bad", "good", "plain"]


def heading(text: str) -> dict[str, Any]:
    """A heading inside the section."""
    return {"kind": "heading", "label": text}


def text(said: str | Runs) -> dict[str, Any]:
    """A paragraph; on paper it stays with what follows it.

    >>> text("Costs 12 USD.")
    {'kind': 'text', 'runs': [{'text': 'Costs 12 USD.', 'code': False}]}
    """
    return {"kind": "text", "runs": _runs(said)}


def note(said: str | Runs) -> dict[str, Any]:
    """A paragraph in small type: a source, a doubt, what was left out."""
    return {"kind": "note", "runs": _runs(said)}


def figures(items: Iterable[dict[str, str]]) -> dict[str, Any]:
    """A line of large numbers: each {"label", "value", "note"}."""
    return {"kind": "figures", "figures": list(items)}


def table(grid: dict[str, Any], tools: dict[str, Any] | None = None, *, sortable: bool | None = None) -> dict[str, Any]:
    """A table of `tables.table`: its label is read aloud, so it says what the table is of.

    tools     makes the fleet's table one that is searched: {"statuses", "owners"} to choose from. One a page
    sortable  whether its headings sort it, by the cells' `sort`; when not told, where it has `SORTED` rows or more
    """
    asked = len(grid["rows"]) >= SORTED if sortable is None else sortable
    asked = asked and any(cell["sort"] is not None for row in grid["rows"] for cell in row["cells"])
    return {"kind": "table", "table": grid, "tools": tools, "sortable": asked and not tools}


def picture(name: str, caption: str = "") -> dict[str, Any]:
    """A picture that the section's `pictures` draws; nothing where none of that name was drawn."""
    return {"kind": "picture", "picture": name, "caption": caption}


def bullets(items: Iterable[str | Runs]) -> dict[str, Any]:
    """A list."""
    return {"kind": "bullets", "items": [_runs(item) for item in items]}


def callout(title: str, items: Sequence[str | Runs] = (), tone: Tone = "plain") -> dict[str, Any]:
    """What has to be seen: a sentence, with a list below it."""
    return {"kind": "callout", "heading": title, "items": [_runs(item) for item in items], "tone": tone}


def facts(pairs: Iterable[Sequence[str]]) -> dict[str, Any]:
    """Names with what they are, in two columns."""
    return {"kind": "facts", "facts": [list(pair) for pair in pairs]}


def _runs(said: str | Runs) -> Runs:
    return runs(said, "") if isinstance(said, str) else said
