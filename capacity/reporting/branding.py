"""A folder of one's own files that a report is set with: a logo, style, and templates in the place of ours.

    brand.css      added after `templates/report.css`, whose variables (--accent, --text ...) are meant to be changed
    logo.svg       stands above the title, on page and paper; one that holds a script or asks for a file is refused
    NAME.html.j2   in the place of the template of that name; it extends or imports ours as "capacity/NAME.html.j2"
    report.typ     in the place of the setting on paper; reads view.json as ours does

Templates are run in Jinja's sandbox, and the page's policy stays as it is: nothing is loaded from anywhere.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from capacity.errors import InputError

#: Files of ours that a folder may replace; anything else in it is a mistyped name.
PAGES: Final = ("report.html.j2", "blocks.html.j2", "macros.html.j2", "service.html.j2")
KNOWN: Final = ("brand.css", "logo.svg", *PAGES, "report.typ")

#: What a logo has no need of: scripts, handlers of events, other documents, anything fetched. Inside an <img> a browser
#: runs none of it; a reader's other program might.
_UNSAFE: Final = re.compile(
    r"<\s*(script|foreignobject|iframe|object|embed|use|image)\b|<!entity|\son[a-z]+\s*=|javascript:"
    r"|(?:href|src)\s*=\s*[\"'](?!#)|@import|url\(\s*[\"']?(?!#)",
    re.IGNORECASE,
)

#: Bytes of a logo that still is one.
LARGEST_LOGO: Final = 200_000


@dataclass(frozen=True)
class Brand:
    """What a folder adds. Without one, nothing: `Brand()`."""

    folder: Path | None = None
    css: str = ""
    logo: str = ""

    @property
    def logo_uri(self) -> str:
        """The logo as a data URI; empty without one."""
        return f"data:image/svg+xml;base64,{b64encode(self.logo.encode()).decode()}" if self.logo else ""

    @property
    def typst(self) -> bytes | None:
        """The setting on paper, where it is one's own."""
        file = self.folder / "report.typ" if self.folder is not None else None
        return file.read_bytes() if file is not None and file.exists() else None


#: As a report is set without a folder.
NO_BRAND: Final = Brand()


def brand(folder: str | Path | None) -> Brand:
    """Read a folder. Raises InputError for one that is not there, for a file of an unknown name and an unsafe logo."""
    if folder is None:
        return NO_BRAND
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(
            f"[report] templates: there is no folder {folder}", advice="Make it, or leave the setting out."
        )
    names = sorted(file.name for file in folder.iterdir() if not file.name.startswith("."))
    if unknown := [name for name in names if name not in KNOWN]:
        raise InputError(
            f"[report] templates: {folder / unknown[0]} replaces nothing",
            advice=f"A report is set with {', '.join(KNOWN)}.",
        )
    css, logo = (_text(folder / name) for name in ("brand.css", "logo.svg"))
    if "</" in css:
        raise InputError(f"{folder / 'brand.css'} holds </, which would end the page's style", advice="Take it out.")
    if logo and ("<svg" not in logo or len(logo.encode()) > LARGEST_LOGO):
        raise InputError(f"{folder / 'logo.svg'} is no SVG of at most {LARGEST_LOGO // 1000} kB", advice="Simplify it.")
    if found := _UNSAFE.search(logo):
        raise InputError(
            f"{folder / 'logo.svg'} holds {found[0].strip()!r}: a logo is shapes, without scripts, links and files",
            advice="Export it as plain SVG, with text as paths.",
        )
    return Brand(folder, css, logo)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8") if file.exists() else ""
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 text", advice="Save it as UTF-8.") from error
