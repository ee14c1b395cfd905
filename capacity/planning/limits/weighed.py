"""One limit and what the paths use of it: a row, the passage of each path, and what it takes to ask for more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from capacity.planning.limits.passage import first_passages, limit_row, passage_of
from capacity.planning.limits.published import NEAR


@dataclass(frozen=True)
class Ceiling:
    """A limit: whose it is, how much it is, and how people speak of it.

    name    as rows name it: a service, "(account eu-west-1)", "(shared orders-db)"
    limit   as rows name it: fargate_vcpu_quota, subnet_addresses ...
    what    as a sentence names it: "the Fargate Spot vCPU quota of eu-west-1"
    ask     how a request for more begins: "Raise"
    fixed   whether nobody raises it: then `ask` and `what` say what to do instead
    how     where more is asked for, in a sentence of its own
    stated  whether somebody stated it; what AWS publishes is worth a row only when it comes near
    whole   whether it is of things that are counted
    """

    name: str
    limit: str
    value: float
    unit: str
    change_days: int
    what: str
    ask: str = "Raise"
    how: str = ""
    owner: str = ""
    timezone: str = "UTC"
    stated: bool = True
    fixed: bool = False
    whole: bool = True


@dataclass(frozen=True, eq=False)
class Weighed:
    """A limit on P paths: its row of `schema.LIMITS`, and (P,) the interval in which each path passes it, H if never.

    counted  what the figures count, in a sentence: "Counted: 10 services, the one with the largest surge deploying."
    """

    ceiling: Ceiling
    row: dict[str, Any]
    passed: np.ndarray
    counted: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """(service, limit): what tells rows apart."""
        return self.ceiling.name, self.ceiling.limit


def weighed(
    ceiling: Ceiling, paths: np.ndarray, times: pd.DatetimeIndex, level: float, counted: str = ""
) -> Weighed | None:
    """What (P, H) paths use of a limit. None for a limit that nobody stated and that does not come near.

    >>> times = pd.date_range("2026-11-23", periods=2, freq="h", tz="UTC")
    >>> quota = Ceiling("(account eu-west-1)", "fargate_vcpu_quota", 6, "vCPU", 14, "the Fargate vCPU quota")
    >>> found = weighed(quota, np.array([[5.0, 7.0], [5.0, 6.0]]), times, level=0.95)
    >>> found.row["probability"], found.passed.tolist()
    (0.5, [1, 2])
    """
    passed = first_passages(paths, ceiling.value)
    found = passage_of(passed, paths, level)
    if not ceiling.stated and found.needed < NEAR * ceiling.value:
        return None
    found = found.whole if ceiling.whole else found
    row = limit_row(ceiling.name, ceiling.limit, ceiling.value, ceiling.unit, found, times, ceiling.change_days)
    return Weighed(ceiling, row, passed, counted)
