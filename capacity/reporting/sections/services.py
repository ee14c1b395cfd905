"""Each service's own part: what it needs, until when, what it costs, how it scales, how sure we are."""

from __future__ import annotations

from typing import Final

from capacity.reporting import words
from capacity.reporting.chapter_view import chapter_view
from capacity.reporting.pictures import Picture, service_pictures
from capacity.reporting.sections.base import Block, Document, Section

#: More services than this are folded away until asked for, by name, by a link or by a search.
UNFOLDED: Final = 12


def view(document: Document) -> list[Block]:
    """A block a service, which brings its own heading; before many of them, how to find one."""
    chapters = document["services"]
    folded = len(chapters) > UNFOLDED
    blocks = [{"kind": "service", "folded": folded, "chapter": chapter_view(part)} for part in chapters]
    return [{"kind": "folding", "label": "Services", "text": _folding(document)}, *blocks] if folded else blocks


def _folding(document: Document) -> str:
    chapters = document["services"]
    full = sum(part.get("drawn", True) for part in chapters)
    if full == len(chapters):
        return "Each opens at its name, here or in the fleet's table."
    return (
        f"Drawn in full: {full} of {words.count(len(chapters), 'service')}, those that decisions are about, most "
        "urgent first. Of the others the page draws demand alone, and paper has their line in the fleet's table; their "
        "numbers are in the page and in report.xlsx. To draw some of them in full, ask for them alone: capacity report "
        "--service NAME."
    )


def pictures(document: Document) -> list[Picture]:
    """All pictures of all services."""
    return [one for part in document["services"] for one in service_pictures(part)]


SECTION: Final = Section("services", "", view, pictures=pictures)
