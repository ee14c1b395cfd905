"""Five-minute request rates out of coarser ones, and minutes out of these: what nobody measured, said openly.

Inside a coarse interval the rate follows the smooth curve that keeps every interval's mean; on it lies noise as large
and as lasting as that of real five-minute request rates. That noise is ours: figures on upsampled series say more
about levels and seasons than about surges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

STEP_SECONDS = 300

Minutes = Literal["step", "linear", "noisy"]


@dataclass(frozen=True)
class Noise:
    """Log-noise that lasts: AR(1) with Student innovations, as real rates have it.

    Levels from the ten series of ms_service_rps_5min: log residual about the smooth curve through their half-hourly
    means. Standard deviation 0.02 to 0.11 (middle 0.07, of which outliers are half), correlation of neighbours 0.14
    to 0.63 (middle 0.46), with tails of which 1 % pass 2.5 standard deviations.
    """

    sd: float = 0.05
    correlation: float = 0.45
    freedom: float = 4.0

    def factors(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """(count,) positive factors with a mean near 1."""
        from scipy.signal import lfilter

        shocks = rng.standard_t(self.freedom, count) * np.sqrt((self.freedom - 2) / self.freedom)
        scale = self.sd * np.sqrt(1 - self.correlation**2)
        logs = lfilter([1.0], [1.0, -self.correlation], scale * np.clip(shocks, -8, 8))
        return np.asarray(np.exp(logs - self.sd**2 / 2))


CALM, USUAL, ROUGH = Noise(0.02), Noise(0.05), Noise(0.10, 0.55)


def finer(means: np.ndarray, times: int) -> np.ndarray:
    """(n * times,) smooth, never negative, with each interval's mean kept.

    The running total is interpolated by a monotone cubic (Fritsch and Carlson 1980); its increments are the answer.

    >>> fine = finer(np.array([10.0, 20.0, 60.0, 30.0]), 6)
    >>> fine.reshape(-1, 6).mean(axis=1).round(9).tolist()
    [10.0, 20.0, 60.0, 30.0]
    """
    from scipy.interpolate import PchipInterpolator

    edges = np.arange(len(means) + 1) * times
    total = PchipInterpolator(edges, np.concatenate([[0.0], np.cumsum(means * times)]))
    return np.maximum(np.diff(total(np.arange(edges[-1] + 1))), 0.0)


def counted(rates: np.ndarray, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Rates as counting requests that arrive at random for `seconds` would show them (Poisson)."""
    return rng.poisson(rates * seconds) / seconds


def minutes_of(rates: np.ndarray, within: Minutes, seed: int) -> np.ndarray:
    """(5 n,) requests/s of each minute from five-minute means.

    step    the mean, five times
    linear  the line between the middles of neighbouring intervals
    noisy   that line, with the noise of single minutes: a fifth of the sd of five-minute noise, and Poisson counts

    >>> minutes_of(np.array([10.0, 20.0]), "linear", seed=0).tolist()
    [10.0, 10.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 20.0, 20.0]
    """
    if within == "step":
        return np.repeat(rates, 5)
    line = np.interp(np.arange(5 * len(rates)), np.arange(len(rates)) * 5 + 2, rates)
    if within == "linear":
        return line
    rng = np.random.default_rng(seed)
    return counted(line * Noise(sd=0.02, correlation=0.3).factors(len(line), rng), 60, rng)
