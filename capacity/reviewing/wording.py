"""Numbers of a review as people say them."""

from __future__ import annotations

import math
from typing import Final

from capacity.config.service import SUMS

#: The row of all services together.
FLEET: Final = SUMS[1]


def plus(amount: float) -> str:
    """A difference as a number with its sign.

    >>> plus(1234.4), plus(-0.4), plus(-12), plus(float("nan"))
    ('+1,234', '0', '-12', 'not known')
    """
    if math.isnan(amount):
        return "not known"
    return "0" if abs(amount) < 0.5 else f"{amount:+,.0f}"


def change(ratio: float) -> str:
    """A ratio as a change in percent.

    >>> change(1.2), change(0.95), change(1.0)
    ('20 % above', '5 % below', 'as planned')
    """
    points = round((ratio - 1) * 100)
    return "as planned" if points == 0 else f"{abs(points)} % {'above' if points > 0 else 'below'}"
