"""The document on paper, set by Typst. Text and pictures travel as files, so nothing from data is ever markup.

The bytes depend on the document alone: no clock is read, and the typeface comes with the package.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from capacity.drawing import FONTS, LIGHT
from capacity.errors import MissingExtra
from capacity.reporting.branding import NO_BRAND, Brand
from capacity.reporting.html import anchors
from capacity.reporting.outlines import sparkline
from capacity.reporting.pictures import Picture
from capacity.reporting.view import view
from capacity.reporting.wording import STATUS_WORDS


def render(document: dict[str, Any], pictures: dict[str, Picture], own: Brand = NO_BRAND) -> bytes:
    """The PDF, tagged, with a text alternative for each picture."""
    try:
        import typst
    except ImportError:
        raise MissingExtra("typst", "report", "writing the report as PDF") from None
    sparks = {part["anchor"]: sparkline(part["demand"][0]) for part in document["services"] if part["demand"]}
    page = _on_paper(view(document))
    said = {
        **page,
        "anchors": anchors(page),
        "logo": bool(own.logo),
        "colours": LIGHT,
        "status_words": STATUS_WORDS,
        "pictures": {name: f"{one.title}. {one.description}" for name, one in pictures.items()},
        "sparks": list(sparks),
    }
    template = own.typst or files("capacity.reporting").joinpath("templates", "report.typ").read_bytes()
    sources = {"main.typ": template, "view.json": json.dumps(said, ensure_ascii=False).encode()}
    sources |= {f"pictures/{name}.svg": one.svg("light").encode() for name, one in pictures.items()}
    sources |= {f"sparks/{name}.svg": _light(svg).encode() for name, svg in sparks.items()}
    sources |= {"logo.svg": own.logo.encode()} if own.logo else {}
    # typst 0.15 takes several sources in memory, its type stub does not know yet
    return bytes(typst.compile(sources, format="pdf", font_paths=[str(FONTS)], timestamp=0))  # type: ignore[call-overload]


def _on_paper(page: dict[str, Any]) -> dict[str, Any]:
    """Without the chapters that nobody would leaf through: of a large fleet, those that are not drawn in full."""

    def kept(block: dict[str, Any]) -> bool:
        return "chapter" not in block or bool(block["chapter"]["drawn"])

    shown = [one | {"blocks": [block for block in one["blocks"] if kept(block)]} for one in page["sections"]]
    return page | {"sections": shown}


def _light(svg: str) -> str:
    """A sparkline in colours of its own: on paper there is no page to ask."""
    for role, colour in LIGHT.items():
        svg = svg.replace(f"var(--{role})", colour)
    return svg
