"""A hash table of counts that compiled code fills: keys, and a row of values under each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(eq=False)
class Table:
    """keys (places,) int64, -1 where empty; values (places, m) int64. A power of two of places, at most half used."""

    keys: np.ndarray
    values: np.ndarray

    @classmethod
    def empty(cls, places: int, columns: int = 1) -> Table:
        return cls(np.full(places, -1, dtype=np.int64), np.zeros((places, columns), dtype=np.int64))

    @classmethod
    def of(cls, keys: np.ndarray, values: np.ndarray, places: int) -> tuple[Table, int]:
        """A table of these rows, those of equal keys added up, with at least `places`; and how many keys there are."""
        from capacity.loadtest.kernel import insert

        table = cls.empty(places, values.shape[1])
        return table, insert(table.keys, table.values, np.ascontiguousarray(keys), np.ascontiguousarray(values))

    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Keys in ascending order, with their values."""
        used = np.flatnonzero(self.keys >= 0)
        used = used[np.argsort(self.keys[used])]
        return self.keys[used], self.values[used]
