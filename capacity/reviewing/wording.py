"""Numbers of a review as people say them."""

from __future__ import annotations

import math
from typing import Final

import pandas as pd

from capacity.config.service import SUMS
from capacity.planning.words import counted

#: The row of all services together.
FLEET: Final = SUMS[1]


def plus(amount: float, digits: int = 0) -> str:
    """A difference as a number with its sign, with so many digits after the point.

    >>> plus(1234.4), plus(-0.4), plus(-12), plus(0.154, 2), plus(float("nan"))
    ('+1,234', '0', '-12', '+0.15', 'not known')
    """
    if math.isnan(amount):
        return "not known"
    return "0" if abs(amount) < 0.5 * 10.0**-digits else f"{amount:+,.{digits}f}"


def change(ratio: float) -> str:
    """A ratio as a change in percent.

    >>> change(1.2), change(0.95), change(1.0)
    ('20 % above', '5 % below', 'as planned')
    """
    points = round((ratio - 1) * 100)
    return "as planned" if points == 0 else f"{abs(points)} % {'above' if points > 0 else 'below'}"


def spoken_length(interval: pd.Timedelta) -> str:
    """How long an interval is, in the longest unit that it is a whole number of.

    >>> spoken_length(pd.Timedelta("1h")), spoken_length(pd.Timedelta("90min")), spoken_length(pd.Timedelta("1D"))
    ('1 hour', '90 minutes', '1 day')
    """
    seconds = interval / pd.Timedelta(seconds=1)
    length, unit = next((length, unit) for length, unit in _UNITS if seconds % length == 0 or length == 1)
    return counted(seconds / length, unit)


_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
