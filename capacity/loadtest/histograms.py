"""Histograms of latency that can be merged: the counts are exact, the values within a stated share of the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from capacity.errors import InputError

#: Buckets an octave are 2^PRECISION: whole milliseconds have a bucket of their own up to 2.097 s (2^21 microseconds,
#: where buckets are 512 microseconds wide), and no quantile is further than 1/4096 from an order statistic.
PRECISION: Final = 11

#: Largest value, microseconds: beyond it, counting in binary floating point would not be exact.
LARGEST: Final = 2**53

MILLISECOND: Final = 1000  # microseconds


@dataclass(frozen=True, eq=False)
class Histogram:
    """How often which latency was seen. k buckets that hold something, in order.

    buckets   (k,) int64, ascending          counts   (k,) int64, at least 1
    least     smallest value, microseconds   most     largest
    bits      precision: 2^bits buckets an octave; a value is known to within half a bucket, 2^-(bits + 1) of itself
    whole     True if every value is a whole number of milliseconds: then a bucket that holds one such number is exact

    Merging adds counts, so it does not matter in which order, or on which machine, parts were counted.

    >>> fast, slow = Histogram.of([10_000, 20_000]), Histogram.of([30_000])
    >>> (fast + slow).quantile(0.5) == Histogram.of([20_000, 30_000, 10_000]).quantile(0.5) == 20_000.0
    True
    """

    buckets: np.ndarray
    counts: np.ndarray
    least: int
    most: int
    bits: int = PRECISION
    whole: bool = False

    @classmethod
    def of(
        cls, values: Sequence[int] | np.ndarray, counts: np.ndarray | None = None, bits: int = PRECISION
    ) -> Histogram:
        """The histogram of whole microseconds, each seen once, or `counts` times. Raises InputError for negatives."""
        values = np.asarray(values, dtype=np.int64)
        weights = np.ones(len(values), dtype=np.int64) if counts is None else np.asarray(counts, dtype=np.int64)
        values, weights = values[weights > 0], weights[weights > 0]
        if not len(values):
            return EMPTY
        if values.min() < 0 or values.max() > LARGEST:
            raise InputError(f"latencies have to be 0 to 2^53 microseconds, got {values.min()} to {values.max()}")
        buckets, places = np.unique(buckets_of(values, bits), return_inverse=True)
        summed = np.zeros(len(buckets), dtype=np.int64)
        np.add.at(summed, places, weights)
        whole = not np.any(values % MILLISECOND)
        return cls(buckets, summed, int(values.min()), int(values.max()), bits, whole)

    def __len__(self) -> int:
        """How many values were counted."""
        return int(self.counts.sum())

    def __add__(self, other: Histogram) -> Histogram:
        return merged((self, other))

    @property
    def values(self) -> np.ndarray:
        """(k,) microseconds that stand for the buckets: their middle, or the whole milliseconds in them."""
        return np.clip(representatives(self.buckets, self.bits, self.whole), self.least, self.most)

    def quantile(self, level: float) -> float:
        """The latency below which a share `level` of them lies, microseconds; NaN of nothing.

        Rank p(n + 1) with linear interpolation between order statistics, between the smallest and the largest value.
        Source: Hyndman and Fan (1996), definition 6; numpy's `weibull`; what JMeter's reports use.

        >>> Histogram.of([1000, 2000, 3000]).quantile(0.95), Histogram.of([1000, 2000]).quantile(0.5)
        (3000.0, 1500.0)
        """
        return float(self.quantiles((level,))[0])

    def quantiles(self, levels: Sequence[float]) -> np.ndarray:
        """As `quantile`, of several levels."""
        if not len(self.counts):
            return np.full(len(levels), np.nan)
        return ranked(self.values, np.cumsum(self.counts), np.asarray(levels, dtype=float))

    def coarsened(self, bits: int) -> Histogram:
        """The same counts in fewer, wider buckets: exactly what counting with fewer bits would have given."""
        if bits >= self.bits or not len(self.counts):
            return self
        buckets, places = np.unique(coarser(self.buckets, self.bits, bits), return_inverse=True)
        counts = np.zeros(len(buckets), dtype=np.int64)
        np.add.at(counts, places, self.counts)
        return Histogram(buckets, counts, self.least, self.most, bits, self.whole)


#: A histogram of nothing: neutral in merging.
EMPTY: Final = Histogram(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), LARGEST, 0, PRECISION, True)


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """All of them as one, at the precision of the coarsest."""
    parts = [part for part in histograms if len(part.counts)]
    if not parts:
        return EMPTY
    bits = min(part.bits for part in parts)
    parts = [part.coarsened(bits) for part in parts]
    buckets, places = np.unique(np.concatenate([part.buckets for part in parts]), return_inverse=True)
    counts = np.zeros(len(buckets), dtype=np.int64)
    np.add.at(counts, places, np.concatenate([part.counts for part in parts]))
    least, most = min(part.least for part in parts), max(part.most for part in parts)
    return Histogram(buckets, counts, least, most, bits, all(part.whole for part in parts))


def ranked(values: np.ndarray, cumulated: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Quantiles by rank p(n + 1) of ascending `values` (k,) of which `cumulated` (k,) lie at or below; NaN if none."""
    total = cumulated[-1]
    if not total:
        return np.full(len(levels), np.nan)
    rank = np.clip(levels * (total + 1), 1, total)
    below = np.floor(rank)
    low = values[np.searchsorted(cumulated, below)]
    high = values[np.searchsorted(cumulated, np.minimum(below + 1, total))]
    return np.asarray(low + (rank - below) * (high - low), dtype=float)


def buckets_of(values: np.ndarray, bits: int) -> np.ndarray:
    """The bucket of each value: itself below 2^(bits + 1), then 2^bits buckets an octave.

    >>> buckets_of(np.array([0, 4095, 4096, 4097, 4098]), 11).tolist()
    [0, 4095, 4096, 4096, 4097]
    """
    values = np.asarray(values, dtype=np.int64)
    shift = np.maximum(np.frexp(values.astype(float))[1].astype(np.int64) - bits - 1, 0)
    return (shift << bits) + (values >> shift)


def edges(buckets: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Smallest value of each bucket, and how many whole values it holds.

    >>> edges(np.array([4095, 4096]), 11)
    (array([4095, 4096]), array([1, 2]))
    """
    buckets = np.asarray(buckets, dtype=np.int64)
    shift = np.maximum((buckets >> bits) - 1, 0)
    return (buckets - (shift << bits)) << shift, np.int64(1) << shift


def representatives(buckets: np.ndarray, bits: int, whole: bool) -> np.ndarray:
    """The value that stands for each bucket: its middle, or that of the whole milliseconds in it."""
    low, size = edges(buckets, bits)
    last = low + size - 1
    if whole:
        first_whole, last_whole = -(-low // MILLISECOND) * MILLISECOND, last // MILLISECOND * MILLISECOND
        return np.where(first_whole <= last_whole, (first_whole + last_whole) / 2, (low + last) / 2)
    return np.asarray((low + last) / 2)


def coarser(buckets: np.ndarray, bits: int, fewer: int) -> np.ndarray:
    """The buckets of precision `fewer` that hold those of precision `bits`."""
    return buckets_of(edges(buckets, bits)[0], fewer)
