"""The recommended policy, replayed on some of the forecast's paths: do bounds and schedule hold for what may come?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from capacity.demand import to_minutes
from capacity.forecasting.forecasts import Forecast
from capacity.scaling.bounds import bounds
from capacity.scaling.policy import ServicePolicy
from capacity.scaling.simulation import Replay

#: Paths replayed, evenly spaced from the quietest to the busiest, both ends left out.
PATHS: Final = 5

#: Days replayed: those in which the mean of the paths is busiest.
DAYS: Final = 28


def short_in(share: float) -> str:
    """How much of the time too few tasks serve; what is not nothing is never said as 0.

    >>> short_in(0.0), short_in(0.00004), short_in(0.0012)
    ('never short', 'short in less than 0.01 % of minutes', 'short in 0.12 % of minutes')
    """
    if share == 0:
        return "never short"
    return f"short in {'less than 0.01' if share < 0.0001 else f'{100 * share:.2f}'} % of minutes"


@dataclass(frozen=True)
class Ahead:
    """How the policy did on paths of the forecast."""

    paths: int
    start: pd.Timestamp
    end: pd.Timestamp
    short_share: tuple[float, ...]  # one a path
    at_max_share: float  # of all minutes
    task_hours: float  # mean over the paths
    missing_task_hours: float

    @property
    def mean_short(self) -> float:
        return float(np.mean(self.short_share))

    def sentence(self, accepted: float) -> str:
        """For the reasons."""
        mean, worst = self.mean_short, max(self.short_share)
        text = (
            f"On {self.paths} paths of the forecast, {self.start:%d %b %Y} to {self.end:%d %b %Y}: "
            f"{short_in(mean)}{f', {worst:.2%} on the worst path' if worst > 0 else ''}"
        )
        text += f"; at its maximum in {self.at_max_share:.2%}." if self.at_max_share > 0 else "; never at its maximum."
        return text if mean <= accepted else f"{text} That is more than the accepted {accepted:.1%}: watch it."


@dataclass(frozen=True, eq=False)
class Futures:
    """Some paths of one series, as minutes: what policies are replayed on."""

    times: pd.DatetimeIndex  # (n,)
    loads: np.ndarray  # (paths, n) in the metric's unit

    @classmethod
    def of(cls, about: Forecast, seed: int, peaks: Callable[[Forecast], np.ndarray] | None = None) -> Futures:
        """From a forecast of one series.

        peaks  largest need inside each interval; `forecasting.within_interval_peaks` when not given
        """
        steps = slice(*busiest(about))
        paths = spread(about.paths[0])
        tops = (_within_interval_peaks if peaks is None else peaks)(about)[0]
        means = about.paths[0][paths, steps]
        return cls(*to_minutes(about.times[steps], about.interval, means, tops[paths, steps], seed))

    def replay(self, policy: ServicePolicy) -> Ahead:
        """How the policy does on these paths."""
        limits = bounds(policy, self.times)
        runs = [Replay.of(policy, self.times, load, limits=limits) for load in self.loads]
        return Ahead(
            paths=len(runs),
            start=self.times[0],
            end=self.times[-1] + pd.Timedelta(minutes=1),
            short_share=tuple(float(run.short.mean()) for run in runs),
            at_max_share=float(np.mean([(run.desired >= limits[1]).mean() for run in runs])),
            task_hours=float(np.mean([run.task_hours for run in runs])),
            missing_task_hours=float(np.mean([run.missing_task_hours for run in runs])),
        )


def busiest(about: Forecast) -> tuple[int, int]:
    """First and last (exclusive) step of the busiest stretch of DAYS; all steps when there are fewer."""
    length, size = len(about.times), round(pd.Timedelta(days=DAYS) / about.interval)
    if size >= length:
        return 0, length
    total = np.concatenate([[0.0], about.paths[0].mean(axis=0).cumsum()])
    start = int(np.argmax(total[size:] - total[:-size]))
    return start, start + size


def spread(paths: np.ndarray, count: int = PATHS) -> np.ndarray:
    """Rows of `count` paths, evenly spaced by their sum over the horizon.

    >>> spread(np.array([[3.0], [1.0], [2.0]]), count=1)
    array([2])
    """
    order = np.argsort(paths.sum(axis=1), kind="stable")
    places = (np.arange(min(count, len(order))) + 0.5) / min(count, len(order)) * len(order)
    return order[places.astype(int)]


def _within_interval_peaks(about: Forecast) -> np.ndarray:
    from capacity.forecasting import within_interval_peaks

    return within_interval_peaks(about)
