"""How fast to ask: below the quota, so that nobody else in the account is throttled for us."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple


class Quota(NamedTuple):
    """GetMetricData, per region and second (CloudWatch service quotas); AWS raises them on request.

    recent_points  when the start is at most three hours ago
    """

    calls: float = 50
    points: float = 396_000
    recent_points: float = 180_000


#: What an account has until AWS raises it.
AWS_QUOTA: Final = Quota()


@dataclass
class Pace:
    """Lets each call go as soon as the quota allows: one after the other, each taking its share of a second."""

    quota: Quota = AWS_QUOTA
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _free: float = field(default=0.0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def wait(self, points: int, recent: bool = False) -> None:
        """Until a call for so many points may go.

        >>> waits = []
        >>> pace = Pace(sleep=waits.append, clock=lambda: 100.0)
        >>> pace.wait(99_000), pace.wait(99_000), waits
        (None, None, [0.25])
        """
        share = max(1 / self.quota.calls, points / (self.quota.recent_points if recent else self.quota.points))
        with self._lock:
            now = self.clock()
            start = max(now, self._free)
            self._free = start + share
        if start > now:
            self.sleep(start - now)
