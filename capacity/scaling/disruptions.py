"""What happens to a service beside its load: deployments, and Spot tasks that are taken back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import exp
from typing import Final, Literal
from zlib import crc32

import numpy as np
import pandas as pd

from capacity.errors import InputError

#: What becomes of work that arrives while every task is full.
Late = Literal["shed", "carry"]

#: A Spot task is taken back at most this often an hour: above it the share that is lost in one step is no small one.
MOST_PER_HOUR: Final = 6.0


@dataclass(frozen=True)
class Deployment:
    """A rolling deployment: scale-in is off from its start until every task is replaced.

    start         moment it begins; without a zone: UTC
    hold_minutes  scale-in stays off at least this long: the time until ECS calls the deployment complete (bake time,
                  draining, a pipeline's checks)
    service       whose; None: every service's

    Tasks are replaced within the service's `minimum_healthy_percent` (of the desired count, rounded up) and
    `maximum_percent` (rounded down), as reference aws.md 4.2 has it. Old tasks make room for new ones only as far as
    `maximum_percent` leaves none; where the two percentages leave no room at all (1 task, 100 % and 150 %) the
    deployment does not move, as it would not in ECS. Blue/green is the default 100 and 200 %.
    """

    start: pd.Timestamp | str
    hold_minutes: float = 0.0
    service: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.hold_minutes < 10_000:
            raise InputError(f"a deployment that holds for {self.hold_minutes:g} minutes", advice="Give 0 or more.")
        _ = self.moment

    @property
    def moment(self) -> pd.Timestamp:
        """`start` in UTC."""
        try:
            stamp = pd.Timestamp(self.start)
        except (ValueError, TypeError) as error:
            raise InputError(
                f"a deployment cannot start at {self.start!r}", advice="Write 2026-03-02 14:00."
            ) from error
        if stamp is pd.NaT:
            raise InputError("a deployment needs a start", advice="Write 2026-03-02 14:00.")
        return stamp.tz_localize("UTC") if stamp.tz is None else stamp.tz_convert("UTC")


@dataclass(frozen=True)
class Spot:
    """Tasks on FARGATE_SPOT, and how often AWS takes one back.

    per_hour  chance of a task to be taken back in an hour, 0 to 6. AWS publishes none for Fargate: measure yours
    share     of the tasks above the base, 0 to 1; None: the service's `spot_share`
    base      tasks that always run on demand; None: the service's `on_demand_base`
    together  share of the Spot tasks that goes at once when a pool runs dry, 0 to 1; 0: each goes by itself. The
              mean loss is the same, the risk is not
    warning   seconds it goes on serving; two minutes (reference aws.md 4.2)

    A replacement is launched with the warning and takes the service's start-up time: that Spot capacity is there again
    at once is an assumption, and a kind one.
    """

    per_hour: float
    share: float | None = None
    base: int | None = None
    together: float = 0.0
    warning: int = 120

    def __post_init__(self) -> None:
        wrong = []
        if not 0 <= self.per_hour <= MOST_PER_HOUR:
            wrong.append(f"per_hour {self.per_hour:g} is not from 0 to {MOST_PER_HOUR:g}")
        for name, share in (("share", self.share), ("together", self.together)):
            if share is not None and not 0 <= share <= 1:
                wrong.append(f"{name} {share:g} is not from 0 to 1")
        if self.base is not None and self.base < 0:
            wrong.append(f"base {self.base} is below 0")
        if not 0 <= self.warning <= 3600:
            wrong.append(f"warning {self.warning} is not from 0 to 3600 seconds")
        if wrong:
            raise InputError(f"no such Spot: {'; '.join(wrong)}")

    def chance(self, seconds: int) -> float:
        """That a task, or `together` of them, is taken back within so many seconds.

        >>> round(Spot(per_hour=0.06).chance(60), 6), round(Spot(per_hour=0.06, together=0.5).chance(60), 6)
        (0.001, 0.001998)
        """
        rate = self.per_hour if self.together == 0 else self.per_hour / self.together
        return 1 - exp(-rate * seconds / 3600)


@dataclass(frozen=True)
class Circumstances:
    """All that a replay meets beside its load; by default nothing.

    late         what becomes of work that no task is free for: shed, or carried over to the next step
    deployments  of this service
    spot         None: all tasks run on demand
    seed         of which Spot tasks are taken back
    """

    late: Late = "shed"
    deployments: tuple[Deployment, ...] = ()
    spot: Spot | None = None
    seed: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        if self.late not in ("shed", "carry"):
            raise InputError(f"late work cannot be {self.late!r}", advice='Write late="shed" or late="carry".')

    def of(self, service: str) -> Circumstances:
        """Those of one service, with luck of its own: it depends on seed and name, not on the order of services."""
        deployments = tuple(one for one in self.deployments if one.service in (None, service))
        return replace(self, deployments=deployments, seed=self.seed * 2**32 + crc32(f"{service}\nspot".encode()))

    @property
    def plain(self) -> bool:
        """Nothing but the load."""
        return self.late == "shed" and not self.deployments and self.spot is None


def deployments_of(given: Iterable[Deployment | pd.Timestamp | str], known: Iterable[str]) -> tuple[Deployment, ...]:
    """Deployments, bare moments among them. Raises InputError for a service that there is none of."""
    if isinstance(given, (str, pd.Timestamp, Deployment)):
        given = (given,)
    found = tuple(one if isinstance(one, Deployment) else Deployment(one) for one in given)
    names = set(known)
    strange = sorted({one.service for one in found if one.service is not None and one.service not in names})
    if strange:
        raise InputError(
            f"a deployment of {', '.join(map(repr, strange))}, which the policy does not hold",
            advice=f"There are: {', '.join(sorted(names))}.",
        )
    return found


def beginnings(deployments: tuple[Deployment, ...], times: pd.DatetimeIndex, step: int) -> np.ndarray:
    """(n,) -1, or the steps for which scale-in is off at least, in the step in which a deployment begins.

    Raises InputError when all deployments lie outside the replay: then something was meant that is not there.
    """
    begins = np.full(len(times), -1, dtype=np.int64)
    if not deployments or len(times) == 0:
        return begins
    end = times[-1] + pd.Timedelta(seconds=step)
    inside = [one for one in deployments if times[0] <= one.moment < end]
    if not inside:
        raise InputError(
            f"none of the {len(deployments)} deployments begins between {times[0]:%Y-%m-%d %H:%M} and "
            f"{end:%Y-%m-%d %H:%M} UTC, which is replayed"
        )
    for one in inside:
        place = int(times.searchsorted(one.moment, side="right")) - 1
        begins[place] = max(begins[place], -(-round(one.hold_minutes * 60) // step))
    return begins
