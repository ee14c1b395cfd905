"""The document in words: every sentence, table and figure a page shows, as strings. Pages only set type.

section  {"name", "title", "new_page", "blocks"}, each block by `sections.blocks`
runs     a sentence as pieces, [{"text", "code"}]: the service's name stands out and is never parsed
figure   {"label", "value", "note"}
table    {"label", "columns": [{"label", "under", "number", "wide"}], "rows": [{"cells", "strong", "total"}]}
cell     {"text", "small", "status", "code", "anchor", "spark", "link", "sort"}
"""

from __future__ import annotations

import re
from typing import Any

from capacity.reporting import sections, words


def view(document: dict[str, Any]) -> dict[str, Any]:
    """All of it, in the order of the page, numbers bound to their units."""
    shown = [(section, section.view(document)) for section in sections.of(document)]
    said: dict[str, Any] = bound(
        {
            "title": document["title"],
            "subtitle": subtitle(document),
            "footer": document.get("footer", ""),
            "version": document["capacity_version"],
            "sections": [
                {"name": one.name, "title": one.title, "new_page": one.new_page, "blocks": blocks}
                for one, blocks in shown
                if blocks
            ],
        }
    )
    return said


#: Keys whose text is a name, to be shown as it is.
NAMES = {"name", "service", "anchor", "link", "picture", "spark", "title", "label", "sort", "owner", "owners", "footer"}

_UNIT = re.compile(r"(?<=[0-9]) ?(?=%(?![0-9A-Za-z]))|(?<=[0-9]) (?=USD\b|vCPU\b|GiB\b|tasks?\b)")


def bound(value: Any) -> Any:
    """No line ends between a number and its unit: between them is a space that does not break.

    >>> bound(["95 % sure, 0.1% short", {"name": "5 % off", "text": "5 % off"}])
    ['95\\xa0% sure, 0.1\\xa0% short', {'name': '5 % off', 'text': '5\\xa0% off'}]
    """
    if isinstance(value, str):
        return _UNIT.sub("\u00a0", value)
    if isinstance(value, list):
        return [bound(part) for part in value]
    if isinstance(value, dict):
        kept = NAMES | ({"text"} if value.get("code") or value.get("anchor") else set())
        return {key: part if key in kept else bound(part) for key, part in value.items()}
    return value


def subtitle(document: dict[str, Any]) -> str:
    period = document["period"]
    written = f" Written {words.date(document['generated_at'])}." if document["generated_at"] else ""
    return (
        f"{words.count(len(document['services']), 'service')}, planned from {words.date(period['horizon_start'])} "
        f"to {words.last_day(period['horizon_end'])}, from history since {words.date(period['history_start'])}."
        f"{written}"
    )
