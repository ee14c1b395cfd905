"""What a test comes to once all of its rows were counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capacity.loadtest.cells import Cells
from capacity.loadtest.histograms import EMPTY, Histogram


@dataclass(frozen=True, eq=False)
class Kept:
    """What was kept of one label or group, over all of its rows. Times in microseconds."""

    samples: int
    failed: int
    requests: int
    total: int  # sum of elapsed
    least: int
    most: int
    first: int  # earliest start
    last: int  # latest end
    last_start: int
    histogram: Histogram = EMPTY  # of labels only


@dataclass(frozen=True, eq=False)
class Order:
    """What the order of one file's rows tells about its stamps, counted over requests."""

    file: str
    rows: int  # of any kind
    earliest: int
    latest: int
    start_falls: int  # rows that start before the one above
    end_falls: int  # rows that end before the one above
    backwards: int  # rows that end long before some row above
    odd_starts: int  # starts that are no whole second
    odd_ends: int
    too_long: int  # rows that say they lasted longer than a day
    work: int  # sum of elapsed
    hosts: int
    jmeter: bool
    window: np.ndarray  # elapsed of the last rows that are no transactions, microseconds
    countable: int  # rows that are no transactions

    @property
    def fingerprint(self) -> tuple[int, int, int, int]:
        """Equal for two files that tell of the same requests."""
        return self.rows, self.earliest, self.latest, self.work


@dataclass(frozen=True, eq=False)
class Tallied:
    """All that is known of a test once its files were read. Codes are those of the reading's `Names`."""

    labels: dict[int, Kept]  # all rows of each label; MOST_LABELS stands for those beyond
    requests: Kept
    failures: Kept
    groups: dict[int, Kept]
    hosts: dict[int, int]  # generator -> its requests
    errors: dict[tuple[int, int], int]  # label, outcome -> failed
    orders: tuple[Order, ...]
    cells: Cells
