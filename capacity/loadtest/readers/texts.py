"""Codes of texts that come as bytes, by the million, and are mostly the same few."""

from __future__ import annotations

from typing import Final

from capacity.loadtest.samples import Vocabulary

#: Different reasons of failure that one file keeps apart. Messages that hold a port or an id never repeat: without a
#: bound they would fill the memory, and no person reads more.
MOST_REASONS: Final = 1_000
OTHER_REASONS: Final = "other reasons"


class Codes:
    """Bytes -> code in a vocabulary; `most`: from so many on, new texts share one code. Blanks around do not count.

    >>> words = Vocabulary()
    >>> codes = Codes(words, most=2)
    >>> [codes[b"a"], codes[b" b"], codes[b"c"], codes[b"d"], codes[b"a"]], words.texts
    ([0, 1, 2, 2, 0], ['a', 'b', 'other reasons'])
    """

    def __init__(self, words: Vocabulary, most: int | None = None) -> None:
        self._words = words
        self._most = most
        self._known: dict[bytes, int] = {}

    def __getitem__(self, text: bytes) -> int:
        known = self._known.get(text)
        if known is not None:
            return known
        if self._most is not None and len(self._known) >= self._most:
            return self._words.code(OTHER_REASONS)
        code = self._known[text] = self._words.code(readable(text))
        return code


def readable(text: bytes) -> str:
    """The text that the bytes say in UTF-8, without blanks around."""
    return text.decode("utf-8", errors="replace").strip()
