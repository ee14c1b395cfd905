"""The document as one HTML page: nothing is loaded from anywhere, no script runs, every string from data is escaped."""

from __future__ import annotations

from functools import cache
from html import escape
from typing import Any

from capacity.drawing import DARK, LIGHT
from capacity.errors import MissingExtra
from capacity.reporting.pictures import Picture, sparkline
from capacity.reporting.view import subtitle, view
from capacity.reporting.wording import STATUS_WORDS


def render(document: dict[str, Any], pictures: dict[str, Picture]) -> str:
    """The page: `view` says what, `templates/` set it."""
    environment = _environment()
    page = view(document)
    text = environment.get_template("report.html.j2").render(
        page=page,
        chapters=[
            block["chapter"] for section in page["sections"] for block in section["blocks"] if "chapter" in block
        ],
        pictures=pictures,
        sparks={part["anchor"]: sparkline(part["demand"][0]) for part in document["services"] if part["demand"]},
        status_words=STATUS_WORDS,
        css=environment.get_template("report.css").render(light=_variables(LIGHT), dark=_variables(DARK)),
    )
    return "\n".join(line for line in (line.strip() for line in text.splitlines()) if line) + "\n"


def notebook(document: dict[str, Any]) -> str:
    """How a report shows itself in a notebook: its title, what to do, and how to keep it."""
    items = "".join(f"<li>{escape(one['sentence'])}</li>" for one in document["decisions"])
    todo = f"<ol>{items}</ol>" if items else "<p>Nothing has to be decided.</p>"
    return (
        f"<h3>{escape(document['title'])}</h3><p>{escape(subtitle(document))}</p>{todo}"
        "<p>Keep it with <code>.save(&quot;report.html&quot;)</code>: .html, .pdf, .xlsx or .json.</p>"
    )


@cache
def _environment() -> Any:
    try:
        import jinja2
    except ImportError:
        raise MissingExtra("jinja2", "report", "writing the report as HTML") from None
    return jinja2.Environment(
        loader=jinja2.PackageLoader("capacity.reporting"),
        autoescape=lambda name: name is not None and not name.endswith(".css"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _variables(palette: dict[str, str]) -> str:
    return " ".join(f"--{role}: {colour};" for role, colour in palette.items())
