"""The sections of a report, in the order of its pages. One file a section; adding one is one file and one line below.

A section is a `Section`: its `part` turns nouns into plain data, kept as `document[name]`; its `view` turns the
document into blocks of `blocks`; its `pictures` and `sheets` draw what the blocks name and fill the workbook. HTML,
PDF and workbook render blocks and sheets by one macro each, so a section knows nothing of formats:

    def part(nouns: Nouns, document: Document) -> dict[str, Any] | None:
        return None if nouns.review is None else {"parts": [...]}     # plain data; None: nothing to say

    def view(document: Document) -> list[Block]:
        said = document.get("review")
        return [] if said is None else [text("..."), figures([...]), table(grid("Label", columns, rows)), note("...")]

    SECTION: Final = Section("review", "Last plan against actual", view, part)

Then: its line in `SECTIONS`, where its place is the place on the page; a field in `base.Nouns` for a noun that is new;
the argument in `reports.report`; its keys in docs/report-json.md. Parts are made in the order of `SECTIONS`, and see
`document["services"]` (a chapter a service, `chapter.py`), `["period"]`, `["accounts"]`, `["alerts"]` and the parts
before them. `view`, `pictures` and `sheets` are functions of the document alone. What an older report's document does
not hold is asked for with `.get`. A picture is `pictures.pictured(name, title, description, chart)`, with `name`
beginning with the section's.

    base  Section, Nouns    blocks  what pages are made of    plainly  tables of nouns as plain rows
    review decisions fleet (fleet_sheets) scenarios cost (money) risks watch services quality method
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from capacity.errors import InputError
from capacity.reporting.pictures import Picture
from capacity.reporting.sections import (
    cost,
    decisions,
    fleet,
    method,
    quality,
    review,
    risks,
    scenarios,
    services,
    watch,
)
from capacity.reporting.sections.base import Block, Document, Nouns, Section
from capacity.reporting.sheets import Sheet

#: In the order in which a reader acts on them, which `[report] sections` may change.
SECTIONS: Final = (
    review.SECTION,
    decisions.SECTION,
    fleet.SECTION,
    scenarios.SECTION,
    cost.SECTION,
    risks.SECTION,
    watch.SECTION,
    services.SECTION,
    quality.SECTION,
    method.SECTION,
)

NAMES: Final = tuple(section.name for section in SECTIONS)


def chosen(names: Sequence[str] = ()) -> list[str]:
    """The names in the order asked for; all of them when none is. Raises InputError for one that is no section's.

    >>> chosen(["cost", "decisions"])
    ['cost', 'decisions']
    """
    if unknown := [name for name in names if name not in NAMES]:
        raise InputError(
            f"A report has no section {unknown[0]!r}",
            advice=f"[report] sections takes, in any order: {', '.join(NAMES)}.",
        )
    if len(set(names)) < len(names):
        raise InputError(
            "[report] sections names one of them twice", advice="Name each once, in the order of the page."
        )
    return list(names) or list(NAMES)


def of(document: Document) -> list[Section]:
    """The sections a document shows, in its order."""
    known = {section.name: section for section in SECTIONS}
    return [known[name] for name in document.get("sections", NAMES) if name in known]


def parts(nouns: Nouns, document: Document) -> Document:
    """The document with the part of every section that makes one, whether or not it is shown: JSON holds them all."""
    for section in SECTIONS:
        if section.part is not None:
            document = document | {section.name: section.part(nouns, document)}
    return document


def pictures(document: Document) -> dict[str, Picture]:
    """Every picture of what is shown, by name. About 30 ms each."""
    return {picture.name: picture for section in of(document) for picture in section.pictures(document)}


def sheets(document: Document) -> list[Sheet]:
    """Every sheet of what is shown, in the order of the sections."""
    return [sheet for section in of(document) for sheet in section.sheets(document)]


__all__ = ["SECTIONS", "Block", "Document", "Nouns", "Section", "chosen", "of", "parts", "pictures", "sheets"]
