"""The document as one HTML page: nothing is loaded from anywhere, every string from data is escaped.

A page of few services runs no script at all. One of many runs `templates/report.js`, which sorts, searches and unfolds
what is there without it, and which the page's policy lets run by its hash: no other script can.
"""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any, Final

from capacity.drawing import DARK, LIGHT
from capacity.errors import MissingExtra
from capacity.reporting.branding import NO_BRAND, Brand
from capacity.reporting.outlines import sparkline, strip
from capacity.reporting.pictures import Picture, demand_described
from capacity.reporting.view import subtitle, view
from capacity.reporting.wording import STATUS_WORDS

#: More services than this are found by the fleet's table; an index of them would be a page of its own.
LISTED: Final = 100


def render(document: dict[str, Any], pictures: dict[str, Picture], own: Brand = NO_BRAND) -> str:
    """The page: `view` says what, `templates/` set it, or those of one's `own`."""
    environment = _environment(own.folder)
    page = view(document)
    blocks = [block for section in page["sections"] for block in section["blocks"]]
    chapters = [block["chapter"] for block in blocks if block["kind"] == "service"]
    script = lined(environment.get_template("report.js").render()) if any(map(_asks_for_script, blocks)) else ""
    text = environment.get_template("report.html.j2").render(
        page=page,
        contents=contents(page),
        listed=chapters if len(chapters) <= LISTED else [],
        anchors=anchors(page),
        first=next(iter(anchors(page)), "report"),
        pictures=pictures,
        sparks={part["anchor"]: sparkline(part["demand"][0]) for part in document["services"] if part["demand"]},
        strips={part["anchor"]: _strip(part) for part in document["services"]},
        status_words=STATUS_WORDS,
        script=script,
        allowed=_allowed(script, own),
        logo=own.logo_uri,
        css=environment.get_template("report.css").render(light=_variables(LIGHT), dark=_variables(DARK)) + own.css,
    )
    return lined(text) + "\n"


def contents(page: dict[str, Any]) -> list[tuple[str, str]]:
    """Anchor and title of each section, in the order of the page."""
    found = [
        (one["name"], one["title"] or block.get("label", "")) for one in page["sections"] for block in one["blocks"][:1]
    ]
    return [(anchor, title) for anchor, title in found if title]


def anchors(page: dict[str, Any]) -> list[str]:
    """What a link on the page can lead to."""
    chapters = [block["chapter"]["anchor"] for one in page["sections"] for block in one["blocks"] if "chapter" in block]
    return [anchor for anchor, _ in contents(page)] + chapters


def _allowed(script: str, own: Brand) -> str:
    """What the page's policy lets in beside its style: its script by hash, a logo that is part of it."""
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return (f"; script-src 'sha256-{digest}'" if script else "") + ("; img-src data:" if own.logo else "")


def _asks_for_script(block: dict[str, Any]) -> bool:
    """Whether there is something to sort, search or unfold."""
    return bool(block.get("tools") or block.get("sortable") or block.get("folded") or block.get("more"))


def _strip(part: dict[str, Any]) -> str:
    """The picture of a service that is not drawn in full."""
    if part.get("drawn", True) or not part["demand"]:
        return ""
    demand = part["demand"][0]
    return strip(demand, f"{part['name']}: {demand['metric']}, past and forecast", demand_described(demand))


def lined(text: str) -> str:
    """Without the spaces that only templates need.

    >>> lined("<p>\\n\\n  <b>x</b>\\n</p>\\n")
    '<p>\\n<b>x</b>\\n</p>'
    """
    return "\n".join(line for line in (line.strip() for line in text.splitlines()) if line)


def notebook(document: dict[str, Any]) -> str:
    """How a report shows itself in a notebook: its title, what to do, and how to keep it."""
    first = document["decisions"][:NOTED]
    items = "".join(f"<li>{escape(one['sentence'])}</li>" for one in first)
    todo = f"<ol>{items}</ol>" if items else "<p>Nothing has to be decided.</p>"
    more = len(document["decisions"]) - len(first)
    rest = f"<p>and {more:,} more</p>" if more else ""
    return (
        f"<h3>{escape(document['title'])}</h3><p>{escape(subtitle(document))}</p>{todo}{rest}"
        "<p>Keep it with <code>.save(&quot;report.html&quot;)</code>: .html, .pdf, .xlsx or .json.</p>"
    )


#: Decisions that a notebook shows.
NOTED: Final = 20


@cache
def _environment(folder: Path | None = None) -> Any:
    """Ours, and what a folder holds in their place. What is not ours runs in a sandbox."""
    try:
        import jinja2
        import jinja2.sandbox
    except ImportError:
        raise MissingExtra("jinja2", "report", "writing the report as HTML") from None
    ours = jinja2.PackageLoader("capacity.reporting")
    loaders = [jinja2.PrefixLoader({"capacity": ours}), ours]
    if folder is not None:
        loaders.insert(0, jinja2.FileSystemLoader(folder))
    kind = jinja2.Environment if folder is None else jinja2.sandbox.ImmutableSandboxedEnvironment
    return kind(
        loader=jinja2.ChoiceLoader(loaders),
        autoescape=lambda name: name is not None and not name.endswith((".css", ".js")),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _variables(palette: dict[str, str]) -> str:
    return " ".join(f"--{role}: {colour};" for role, colour in palette.items())
