"""The small shapes pages are made of: runs of text, cells, rows, tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from capacity.reporting import words


def runs(sentence: str, service: str) -> list[dict[str, Any]]:
    """A sentence as runs, with each `service` in backticks as a run of its own, whatever the name holds.

    >>> runs("Raise `a*b` max.", "a*b")
    [{'text': 'Raise ', 'code': False}, {'text': 'a*b', 'code': True}, {'text': ' max.', 'code': False}]

    So is another name in backticks, such as a database's; one that holds a backtick itself is left as it stands.

    >>> [run["text"] for run in runs("Raise the connections of `db` for `web`.", "web") if run["code"]]
    ['db', 'web']
    """
    pieces: list[dict[str, Any]] = []
    for number, part in enumerate(sentence.split(f"`{service}`") if service else [sentence]):
        if number:
            pieces.append({"text": service, "code": True})
        others = part.split("`") if part.count("`") == 2 else [part]
        pieces += [{"text": text, "code": place == 1} for place, text in enumerate(others) if text]
    return pieces


def cell(
    text: str = "",
    small: str = "",
    *,
    status: str = "",
    code: bool = False,
    anchor: str = "",
    spark: str = "",
    link: str = "",
    sort: float | str | None = None,
) -> dict[str, Any]:
    """What stands in one place of a table: text, a smaller line below it, or a status or sparkline by name.

    `sort` is what a page that sorts its rows goes by; None is last either way. `link` is where the text leads outside
    the page: only where a browser would fetch it, for an address may come from anyone's settings.

    >>> cell("runbook", link="javascript:alert(1)")["link"], cell("runbook", link="https://wiki/a.md")["link"]
    ('', 'https://wiki/a.md')
    """
    held = {"text": text, "small": small, "status": status, "code": code, "anchor": anchor, "spark": spark}
    held["link"] = link if link.startswith(("https://", "http://")) else ""
    return held | {"sort": sort if isinstance(sort, str) or sort is None else f"{sort:.9g}"}


def column(label: str, under: str = "", *, number: bool = False, wide: float | None = None) -> dict[str, Any]:
    """A column. `wide` is its share of the width on paper; 0: as wide as its content, which numbers are when not told.

    >>> column("USD", number=True)["wide"], column("Service")["wide"]
    (0, 1)
    """
    return {"label": label, "under": under, "number": number, "wide": int(not number) if wide is None else wide}


def row(
    *cells: dict[str, Any], strong: bool = False, total: bool = False, about: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A row. `about` is what a page that filters its rows goes by."""
    return {"cells": list(cells), "strong": strong, "total": total, "about": about or {}}


def table(label: str, columns: list[dict[str, Any]], rows: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"label": label, "columns": columns, "rows": list(rows)}


def findings_table(label: str, findings: list[dict[str, Any]], *, fleet: bool = False) -> dict[str, Any]:
    """Findings that ask for attention, worst first, each with what to do and when it is about.

    In the fleet's table a finding names its service: one without a chapter of its own has no other place.
    """
    about = column("Service" if fleet else "Metric", "metric" if fleet else "", wide=0)
    columns = [column("Status", wide=0), about, column("What was found, and what to do"), column("When", wide=0)]
    rows = [
        row(
            cell(status=one["status"]),
            cell(one["service"], one["metric"]) if fleet else cell(one["metric"]),
            cell(words.sentence(one["message"]), words.sentence(one["advice"])),
            cell(words.span(one)),
        )
        for one in findings
        if one["status"] != "PASS"
    ]
    return table(label, columns, rows)
