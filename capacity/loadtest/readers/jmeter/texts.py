"""The texts of one file as the kernel keeps them, each once, and what they are called in the vocabularies."""

from __future__ import annotations

import re
from typing import Final

import numpy as np

from capacity.loadtest.readers.jmeter import columns
from capacity.loadtest.readers.jmeter.words import group_and_host, outcome
from capacity.loadtest.samples import Names

_ROLE: Final = 15  # the bits of `extra` that name the role
_DOUBLED_QUOTES: Final = re.compile('""')


class Texts:
    """Bytes of texts, their hashes and their codes. `arrays` go to the kernel; `told` follows with the codes."""

    def __init__(self, names: Names, entries: int = 1024, pool: int = 65_536) -> None:
        self.names = names
        self.slots = np.full(4 * entries, -1, dtype=np.int64)
        self.keys = np.zeros(entries, dtype=np.int64)
        self.ends = np.zeros(entries, dtype=np.int64)
        self.extras = np.zeros(entries, dtype=np.int64)
        self.bases = np.zeros(entries, dtype=np.int64)
        self.pool = np.zeros(pool, dtype=np.uint8)
        self.codes = np.zeros(0, dtype=np.int32)  # of text i in the vocabulary of its role
        self.hosts = np.zeros(0, dtype=np.int32)  # of a group's text: the host in front of it; -1 for none
        self.odd = 0  # texts that were not UTF-8

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        return self.slots, self.keys, self.ends, self.extras, self.bases, self.pool

    def grow(self, longest: int) -> None:
        """Twice the room, and for one more text of `longest` bytes."""
        count = len(self.keys)
        self.slots = np.full(2 * len(self.slots), -1, dtype=np.int64)
        for name in ("keys", "ends", "extras", "bases"):
            setattr(self, name, np.concatenate([getattr(self, name), np.zeros(count, dtype=np.int64)]))
        self.pool = np.concatenate([self.pool, np.zeros(max(len(self.pool), longest), dtype=np.uint8)])

    def told(self, count: int) -> None:
        """Give codes to the first `count` texts, those that have none yet."""
        if count == len(self.codes):
            return
        codes, hosts = [], []
        for entry in range(len(self.codes), count):
            code, host = self._code(entry)
            codes.append(code)
            hosts.append(host)
        self.codes = np.concatenate([self.codes, np.array(codes, dtype=np.int32)])
        self.hosts = np.concatenate([self.hosts, np.array(hosts, dtype=np.int32)])

    def parts(self, count: int) -> np.ndarray:
        """Which of the first `count` texts are another label and a number: (count,) bool."""
        labels = {self._raw(entry) for entry in range(count) if self.extras[entry] & _ROLE == columns.LABEL}
        named = [self._raw(entry)[: max(0, int(self.bases[entry]))] for entry in range(count)]
        return np.array([self.bases[entry] > 0 and name in labels for entry, name in enumerate(named)], dtype=bool)

    def _raw(self, entry: int) -> bytes:
        start = int(self.ends[entry - 1]) if entry else 0
        return self.pool[start : int(self.ends[entry])].tobytes()

    def _code(self, entry: int) -> tuple[int, int]:
        extra = int(self.extras[entry])
        text = self._decoded(self._raw(entry))
        if extra & columns.DOUBLED:
            text = _DOUBLED_QUOTES.sub('"', text)
        role = extra & _ROLE
        if role == columns.LABEL:
            return self.names.labels.code(text), -1
        if role == columns.HOST:
            return self.names.hosts.code(text), -1
        if role == columns.CODE:
            flags = (columns.FAILED, columns.SAID_WHY, columns.WHOLE, columns.EMBEDDED)
            return self.names.outcomes.code(outcome(text, *(bool(extra & flag) for flag in flags))), -1
        group, host = group_and_host(text)
        return self.names.groups.code(group), self.names.hosts.code(host) if host else -1

    def _decoded(self, raw: bytes) -> str:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            self.odd += 1
            return raw.decode("cp1252", errors="replace")
