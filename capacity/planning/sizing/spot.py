"""ECS's split of tasks over FARGATE and FARGATE_SPOT, and what an interruption wave leaves of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from capacity.errors import InputError

#: Weights are told in whole percent of each other.
_PERCENT: Final = 100

#: Largest weight that ECS takes (reference aws.md 4.2).
_MOST_WEIGHT: Final = 1000

#: Most that ECS takes as the base of a capacity provider (reference aws.md 4.2).
MOST_BASE: Final = 100_000


@dataclass(frozen=True)
class Strategy:
    """A capacity provider strategy of two: `base` tasks on FARGATE, of the rest `spot_share` on FARGATE_SPOT.

    >>> Strategy(base=2, spot_share=0.75).provider_strategy
    [{'capacityProvider': 'FARGATE', 'base': 2, 'weight': 1}, {'capacityProvider': 'FARGATE_SPOT', 'weight': 3}]
    """

    base: int
    spot_share: float

    def __post_init__(self) -> None:
        if not 0 <= self.spot_share <= 1:
            raise InputError(f"spot_share {self.spot_share!r} is not a share", advice="0.4 puts 40 % of tasks on Spot.")
        if not 0 <= self.base <= MOST_BASE:
            raise InputError(f"base {self.base!r} is not a count of tasks up to {MOST_BASE:,}")

    @property
    def weights(self) -> tuple[int, int]:
        """Whole weights of FARGATE and FARGATE_SPOT, as small as they can be, to the nearest percent.

        With a base, FARGATE keeps a weight: ECS says both that a base comes first and that a provider of weight 0
        cannot place tasks (botocore, `CapacityProviderStrategyItem`), so 1 in 1,000 stands for none.

        >>> Strategy(0, 0.4).weights, Strategy(0, 1.0).weights, Strategy(5, 0.0).weights, Strategy(5, 1.0).weights
        ((3, 2), (0, 1), (1, 0), (1, 999))
        """
        spot = round(self.spot_share * _PERCENT)
        if self.base and spot == _PERCENT:
            return 1, _MOST_WEIGHT - 1
        common = math.gcd(spot, _PERCENT)
        return (_PERCENT - spot) // common, spot // common

    @property
    def provider_strategy(self) -> list[dict[str, Any]]:
        """`capacityProviderStrategy` as CreateService, UpdateService and RunTask take it.

        A service has either this or a `launchType`: leave that out.
        Source: botocore, ECS `CapacityProviderStrategyItem` (reference aws.md 4.2).
        """
        own, spot = self.weights
        items: list[dict[str, Any]] = []
        if own:
            items.append({"capacityProvider": "FARGATE", "base": self.base, "weight": own})
        if spot:
            items.append({"capacityProvider": "FARGATE_SPOT", "weight": spot})
        return items

    def on_spot(self, tasks: np.ndarray) -> np.ndarray:
        """How many of so many tasks run on Spot: the base first, the rest by weights.

        A task that the weights split goes to Spot: ECS does not say how it rounds, and a wave then takes no less.

        >>> Strategy(base=2, spot_share=0.5).on_spot(np.array([0, 1, 2, 3, 7])).tolist()
        [0, 0, 0, 1, 3]
        """
        own, spot = self.weights
        rest = np.maximum(np.asarray(tasks) - self.base, 0)
        return -(-rest * spot // (own + spot))


@dataclass(frozen=True)
class Interruptions:
    """How Spot is taken to behave. All three are assumptions: AWS publishes no rates. State what you have seen.

    lost_share       of its Spot tasks that a service loses at once
    waves_per_month  how often
    replacement_seconds  until the lost tasks are replaced; None: each service's own start-up time

    FARGATE_SPOT warns two minutes before, and ECS then asks for other tasks by the same weights; while Spot is short
    it does not turn to FARGATE by itself, so a long shortage is a long `replacement_seconds`.
    """

    lost_share: float = 0.5
    waves_per_month: float = 4.0
    replacement_seconds: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.lost_share <= 1:
            raise InputError(f"lost_share {self.lost_share!r} is not a share in [0, 1]")
        if not 0 <= self.waves_per_month < math.inf:
            raise InputError(f"waves_per_month {self.waves_per_month!r} is not a rate")
        if self.replacement_seconds is not None and not 0 <= self.replacement_seconds < math.inf:
            raise InputError(f"replacement_seconds {self.replacement_seconds!r} is not a time")

    def left(self, tasks: np.ndarray, strategy: Strategy) -> np.ndarray:
        """Tasks that a wave leaves; of a task that is lost in part, all.

        >>> Interruptions(lost_share=0.5).left(np.array([1, 2, 10]), Strategy(base=0, spot_share=1.0)).tolist()
        [0, 1, 5]
        """
        spot = strategy.on_spot(tasks)
        return np.asarray(tasks) - np.ceil(spot * self.lost_share - 1e-9).astype(np.int64)

    def chance_a_month(self, breaks: float) -> float:
        """Chance that at least one wave of a month breaks the promise, when one does with chance `breaks`.

        Waves come independently of each other and of the load: a Poisson process.

        >>> round(Interruptions(waves_per_month=2).chance_a_month(0.05), 4)
        0.0952
        """
        return -math.expm1(-self.waves_per_month * breaks)
