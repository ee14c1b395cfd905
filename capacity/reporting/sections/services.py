"""Each service's own part: what it needs, until when, what it costs, how it scales, how sure we are."""

from __future__ import annotations

from typing import Final

from capacity.reporting.chapter_view import chapter_view
from capacity.reporting.pictures import Picture, service_pictures
from capacity.reporting.sections.base import Block, Document, Section


def view(document: Document) -> list[Block]:
    """A block a service, which brings its own heading."""
    return [{"kind": "service", "chapter": chapter_view(part)} for part in document["services"]]


def pictures(document: Document) -> list[Picture]:
    """All pictures of all services."""
    return [one for part in document["services"] for one in service_pictures(part)]


SECTION: Final = Section("services", "", view, pictures=pictures)
