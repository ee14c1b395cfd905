"""The text of an XML file as a stream that expat takes, whatever a server once put into it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Final

from capacity.loadtest.readers.base import ResultFile
from capacity.loadtest.readers.jmeter.stream import Pieces

#: What XML 1.0 does not allow; JMeter writes what a server sent.
_FORBIDDEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|&#(?:x0*(?:[0-8bcef]|1[0-9a-f])|0*(?:[0-8]|1[124-9]|2[0-9]|3[01]));",
    re.IGNORECASE,
)
_ENCODING: Final = re.compile(rb"""^\s*<\?xml[^>]*encoding=["']([\w.-]+)["']""")

_PIECE: Final = 2**20  # bytes read at a time


def texts(pieces: Pieces, file: ResultFile) -> Iterator[tuple[str, int]]:
    """The file's text in pieces, each with the count of characters in it that XML forbids and that are now "?".

    Leading blanks are left out, and references to characters are never cut.
    """
    decoder = codecs.getincrementaldecoder(_encoding(file.head))(errors="replace")
    held, begun = "", False
    while True:
        piece = pieces.read(_PIECE)
        text = held + decoder.decode(piece, final=not piece)
        if not begun:
            text = text.removeprefix("\ufeff").lstrip()
            begun = bool(text)
        cut = text.rfind("&", max(0, len(text) - 12)) if piece else -1
        held, text = (text[cut:], text[:cut]) if cut >= 0 else ("", text)
        text, count = _FORBIDDEN.subn("?", text)
        if text:
            yield text, count
        if not piece:
            return


def _encoding(head: bytes) -> str:
    """The encoding that is declared; UTF-8 for none, for one that does not exist, and for one of wide characters, which
    would have hidden the declaration."""
    declared = _ENCODING.match(head.removeprefix(codecs.BOM_UTF8))
    name = declared[1].decode() if declared else "utf-8"
    try:
        return name if "<".encode(name) == b"<" else "utf-8"
    except (LookupError, UnicodeError):  # codecs from bytes to bytes are a LookupError here
        return "utf-8"
