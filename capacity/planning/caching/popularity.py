"""What is asked for how often: Zipf's law, the counts of a log, and what a law fitted to them says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from capacity.display import table_html
from capacity.errors import HistoryTooShort, InputError
from capacity.findings import NO_FINDINGS, Findings

#: A key asked for so often about keeps its rank: its count is known to 10 % (1 / sqrt(100)). What sorting by counts
#: still does to a fitted exponent, a thousandth or so, is measured and taken off.
KNOWN_RANK: Final = 100
#: Logs drawn from the fitted law to measure that: their mean adds 2.5 % to the variance of the result.
REDRAWN: Final = 20
#: Keys of known rank that a fit needs: over fewer, a straight line on log paper is not told from a bend.
FEWEST_KEYS: Final = 20
#: 97.5 % quantile of the normal distribution: half a 95 % interval.
Z95: Final = 1.959964


def zipf(n: int, alpha: float) -> np.ndarray:
    """(n,) probabilities of n keys, most popular first: the r-th is asked for in proportion to r to the power -alpha.

    Web popularity is like that, with alpha of 0.6 to 0.9 (Breslau 1999); 0 is level. Raises InputError for less than
    one key, and for an alpha that is negative or not finite.

    >>> zipf(4, 1.0).round(2).tolist()
    [0.48, 0.24, 0.16, 0.12]
    """
    if n < 1 or not np.isfinite(alpha) or alpha < 0:
        raise InputError(f"zipf(n={n}, alpha={alpha:g}): n has to be 1 or more, and alpha finite and not negative")
    weights = np.arange(1, n + 1, dtype=float) ** -alpha
    return np.asarray(weights / weights.sum())


def shares(popularity: npt.ArrayLike) -> np.ndarray:
    """Counts, rates or probabilities as probabilities of the keys that are asked for at all, in the order given.

    Raises InputError for what is no popularity: negative, not finite, or nothing at all.

    >>> shares([6, 0, 2]).tolist()
    [0.75, 0.25]
    """
    weights = np.asarray(popularity, dtype=float).ravel()
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise InputError("popularity holds NaN, infinite or negative values: pass counts, rates or probabilities")
    weights = weights[weights > 0]
    if not len(weights):
        raise InputError("popularity is empty: no key is asked for")
    return np.asarray(weights / weights.sum())


@dataclass(frozen=True, eq=False)
class Popularity:
    """How often each key was asked for, as a log tells, or as a law says.

    counts     (n,) requests of each key, most popular first; of a law: its probabilities
    seconds    time the log spans; NaN where it has no stamps (then rates have to be said)
    requests   rows read, cacheable or not
    cacheable  share of them that a cache may keep by default: GET and HEAD, answered 2xx, 3xx, 404 or 410
    hits       share of the cacheable that the log itself says were hits, with its 95 % interval; None: it does not say
    sampled    True for counts of a log, of which rare keys are only a sample; False for a law
    """

    counts: np.ndarray
    seconds: float = np.nan
    requests: int = 0
    cacheable: float = np.nan
    hits: tuple[float, float, float] | None = None
    sampled: bool = True
    findings: Findings = NO_FINDINGS
    source: str = ""

    @classmethod
    def of_zipf(cls, n: int, alpha: float) -> Popularity:
        """n keys whose popularity follows Zipf's law."""
        return cls(zipf(n, alpha), sampled=False, source=f"Zipf's law with {n:,} keys and alpha {alpha:g}")

    @property
    def probabilities(self) -> np.ndarray:
        """(n,) share of each key, most popular first."""
        return shares(self.counts)

    @property
    def once(self) -> float:
        """Share of requests that went to keys asked for once: about the chance that the next key is a new one.

        No cache hits a key it has never seen, so this is what the best of them misses. Source: Good (1953), Turing's
        estimate of unseen mass. 0 for a law, whose keys are all known.
        """
        return float((self.counts == 1).sum() / self.counts.sum()) if self.sampled else 0.0

    @property
    def rate(self) -> float:
        """Cacheable requests/s over the time of the log; NaN where it has no stamps."""
        return float(self.counts.sum() / self.seconds) if self.sampled and self.seconds > 0 else np.nan

    def plot(self) -> Any:
        """A bar for the most popular 1, 10, 100 ... keys: the percent of the requests that went to them."""
        from capacity import charts

        sizes = [10**power for power in range(len(str(len(self.counts) - 1)))] + [len(self.counts)]
        held = 100 * np.cumsum(self.probabilities)[np.array(sizes) - 1]
        labels = [f"most popular {size:,}" for size in sizes[:-1]] + [f"all {sizes[-1]:,} keys"]
        return charts.bars(labels, held, "% of the requests", "How many keys take how many requests")

    def __str__(self) -> str:
        return f"Popularity: {len(self.counts):,} keys, {self.source}"

    def _repr_html_(self) -> str:
        import pandas as pd

        top = pd.DataFrame({"rank": np.arange(1, min(len(self.counts), 12) + 1), "count": self.counts[:12]})
        return table_html(str(self), top)


@dataclass(frozen=True)
class ZipfFit:
    """Zipf's exponent of a log, with a 95 % interval.

    keys        how many of the most popular keys it was fitted to: those of known rank
    misfit      by how much counts scatter about the law, times what chance does; 1 is chance alone. The interval is
                widened by it
    """

    alpha: float
    low: float
    high: float
    keys: int
    requests: int
    misfit: float

    def __str__(self) -> str:
        return (
            f"alpha {self.alpha:.3f} ({self.low:.3f} to {self.high:.3f}), from the {self.keys:,} most popular keys"
            f" with {self.requests:,} requests"
        )


def fit_zipf(counts: npt.ArrayLike) -> ZipfFit:
    """Zipf's exponent by maximum likelihood, from counts by key: of a log, never of a hit ratio.

    counts  requests of each key, in any order

    Only keys asked for `KNOWN_RANK` times or more are used: further down, the order of the counts is chance. The law is
    fitted to how requests share out among those, so that keys nobody asked for yet do not matter. What sorting does to
    the fit is measured on logs drawn from the law itself, and taken off (indirect inference, Gourieroux, Monfort,
    Renault 1993; the same draw every time). Where the counts do not follow the law, the interval is widened by their
    scatter about it (quasi-likelihood, McCullagh and Nelder 1989, 9.2).

    Raises HistoryTooShort with fewer than `FEWEST_KEYS` such keys.

    >>> requests = np.random.default_rng(7).poisson(1e6 * zipf(1000, 0.8))
    >>> round(fit_zipf(requests).alpha, 2)
    0.8
    """
    values = np.asarray(counts, dtype=float).ravel()
    shares(values)  # says what is wrong with them
    ordered = np.sort(values)[::-1]
    known = ordered[ordered >= KNOWN_RANK]
    if len(known) < FEWEST_KEYS:
        raise HistoryTooShort(
            "the log",
            have=len(known),
            need=FEWEST_KEYS,
            unit=f"keys with {KNOWN_RANK} requests or more",
            advice="Read a longer log, or say what is known of it: zipf(n, alpha) with 0.6 to 0.9.",
        )
    raw = _fitted(known)
    alpha = max(raw - _sorting(known, raw), 0.0)
    depth = np.log(np.arange(1, len(known) + 1))  # log of the rank
    misfit = max(1.0, _scatter(known, depth, raw))
    error = Z95 * np.sqrt(misfit * (1 + 1 / REDRAWN) / (known.sum() * _spread(depth, alpha)))
    return ZipfFit(alpha, max(alpha - error, 0.0), alpha + error, len(known), int(known.sum()), misfit)


def _fitted(known: np.ndarray) -> float:
    """The exponent of counts in order of rank."""
    depth = np.log(np.arange(1, len(known) + 1))
    return _solved(depth, float(known @ depth / known.sum()))


def _sorting(known: np.ndarray, alpha: float) -> float:
    """By how much the exponent of sorted counts is off: the mean over logs drawn from the law itself.

    The law goes on below the keys of known rank, down to half their count: chance lifts some of those into them.
    """
    depth = np.log(np.arange(1, len(known) + 1))
    law = np.exp(-alpha * depth)
    level = known.sum() / law.sum()
    ranks = np.arange(1, min(int(len(known) * 2 ** (1 / max(alpha, 0.2))) + 1, 4 * len(known)) + 1)
    random = np.random.default_rng(len(known))
    found = []
    for _ in range(REDRAWN):
        drawn = np.sort(random.poisson(level * ranks**-alpha))[::-1]
        drawn = drawn[drawn >= KNOWN_RANK]
        found.append(_fitted(drawn.astype(float)) if len(drawn) > 1 else alpha)
    return float(np.mean(found)) - alpha


def _solved(depth: np.ndarray, mean_depth: float) -> float:
    """The exponent under which the mean log rank is what it is: the maximum of the likelihood, by Newton's method."""
    alpha = 1.0
    for _ in range(100):
        law = np.exp(-alpha * depth)
        law /= law.sum()
        expected = law @ depth
        step = (expected - mean_depth) / (law @ (depth - expected) ** 2)
        alpha = max(alpha + float(np.clip(step, -1, 1)), 0.0)
        if abs(step) < 1e-12:
            break
    return alpha


def _spread(depth: np.ndarray, alpha: float) -> float:
    """Variance of the log rank under the law: what one request tells of the exponent."""
    law = np.exp(-alpha * depth)
    law /= law.sum()
    return float(law @ (depth - law @ depth) ** 2)


def _scatter(known: np.ndarray, depth: np.ndarray, alpha: float) -> float:
    """Pearson's chi-squared over its degrees of freedom, in bins of ranks that grow like the ranks do.

    Sorting makes neighbours more alike than chance does; bins see the bend of the whole.
    """
    law = np.exp(-alpha * depth)
    law *= known.sum() / law.sum()
    edges = np.unique(np.r_[np.arange(10), np.geomspace(10, len(known), 20).astype(int)])
    edges = edges[edges < len(known)]
    seen, wanted = (np.add.reduceat(values, edges) for values in (known, law))
    return float((((seen - wanted) ** 2) / wanted).sum() / (len(edges) - 2))


def static_bound(popularity: npt.ArrayLike, size: float) -> float:
    """Hit ratio of a cache that always holds the `size` most popular keys: no cache that cannot see ahead does better.

    popularity  counts, rates or probabilities of the keys, in any order

    >>> static_bound([5, 3, 2], size=2)
    0.8
    """
    _checked_size(size)
    ordered = np.sort(shares(popularity))[::-1]
    whole = int(min(size, len(ordered)))
    part = (size - whole) * ordered[whole] if whole < len(ordered) else 0.0
    return float(min(ordered[:whole].sum() + part, 1.0))


def _checked_size(size: float | Sequence[float]) -> None:
    if not np.all(np.isfinite(size)) or np.any(np.asarray(size) < 0):
        raise InputError(f"size {size} is no size of a cache: say how many keys it holds, 0 or more")
