"""The windows of a burn rate, as every monitor reads them."""

from __future__ import annotations

import math
from typing import NamedTuple

from capacity.monitoring.conditions import BurnRate
from capacity.monitoring.render.rendered import CannotSay


class Window(NamedTuple):
    """One of the two windows: `limit` is the share of what came that may be bad, `least` how much bad there is then."""

    name: str
    minutes: int
    limit: float
    least: float

    @property
    def bad_minutes(self) -> int:
        """Fewest bad minutes of the window that are more than `limit` of it, and not fewer than `least`.

        >>> Window("long", 60, 14.4 * 0.01, 0).bad_minutes, Window("short", 5, 14.4 * 0.01, 0).bad_minutes
        (9, 1)
        """
        return max(math.floor(self.limit * self.minutes + 1e-9) + 1, math.ceil(self.least))


def windows(rate: BurnRate) -> tuple[Window, Window]:
    """Long and short. Raises CannotSay where no share of bad ones is as large as the rate asks for."""
    limit = round(rate.factor * (1 - rate.objective), 12)
    if limit >= 1:
        raise CannotSay(
            f"{rate.factor:g} times the budget of {1 - rate.objective:.4g} is more than everything",
            "An objective that lenient has no burn rate that fast: leave this alarm out.",
        )
    return Window("long", rate.long_minutes, limit, rate.least_bad), Window("short", rate.short_minutes, limit, 0.0)
