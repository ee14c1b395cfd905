"""Which scheduled action set the bounds that stand: nothing reverts by itself, so it may be an old one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import pandas as pd

from capacity.errors import InputError
from capacity.scaling.bounds import LOOK_BACK
from capacity.scaling.cron import firings, parse
from capacity.scaling.live.items import Parameters

#: After this long at the latest a scheduled action has done its work: a resolution of one minute (reference aws.md
#: 3.5), and one more for what is still under way.
DONE: Final = pd.Timedelta(minutes=2)

BOUNDS: Final = ("MinCapacity", "MaxCapacity")


class Setting(NamedTuple):
    """A bound that a scheduled action set."""

    value: int
    action: str
    moment: pd.Timestamp


def settings(
    actions: Mapping[str, Parameters], now: pd.Timestamp, since: Mapping[str, pd.Timestamp] | None = None
) -> dict[str, Setting]:
    """ "MinCapacity" and "MaxCapacity" as the actions last set them, up to now; a bound that none has set is missing.

    actions  name -> parameters of PutScheduledAction. One that sets one bound leaves the other as it was. Of two in one
             minute the later listed wins, as in `scaling.bounds`
    since    name -> when the action came to be: before that it did not fire

    Schedules that `scaling.cron` does not read (rate, L, W, #) are passed over: see `unread`.

    >>> nights = {"Schedule": "cron(0 20 ? * * *)", "ScalableTargetAction": {"MinCapacity": 2}}
    >>> settings({"nights": nights}, pd.Timestamp("2026-06-02T09:00Z"))["MinCapacity"].moment
    Timestamp('2026-06-01 20:00:00+0000', tz='UTC')
    """
    found: dict[str, Setting] = {}
    for name, action in actions.items():
        moment = _last(action, now, None if since is None else since.get(name))
        if moment is None:
            continue
        for bound in BOUNDS:
            value = action.get("ScalableTargetAction", {}).get(bound)
            if value is not None and (bound not in found or found[bound].moment <= moment):
                found[bound] = Setting(value, name, moment)
    return found


def in_utc(moment: pd.Timestamp) -> pd.Timestamp:
    """The moment in UTC. Raises InputError for one that does not say its time zone: schedules are read at it."""
    if moment.tzinfo is None:
        raise InputError(f"now={moment} has no time zone", advice='Write pd.Timestamp("2026-06-01T12:00", tz="UTC").')
    return moment.tz_convert("UTC")


def unread(actions: Mapping[str, Parameters]) -> list[str]:
    """Actions of which it cannot be said when they fire."""
    return [name for name, action in actions.items() if not _readable(action)]


def over(action: Parameters, now: pd.Timestamp) -> bool:
    """Whether an action will never fire again: its moment, or its end, has passed."""
    end = _stamp(action, "EndTime")
    if end is not None and end <= now:
        return True
    if not action.get("Schedule", "").startswith("at(") or not _readable(action):
        return False
    ages = pd.Timedelta(days=36500)
    return len(firings(action["Schedule"], action.get("Timezone", "UTC"), now, now + ages)) == 0


def _last(action: Parameters, now: pd.Timestamp, since: pd.Timestamp | None) -> pd.Timestamp | None:
    """When it last fired, up to and with now."""
    if not _readable(action):
        return None
    starts = [moment for moment in (since, _stamp(action, "StartTime")) if moment is not None]
    end = min([now] + [moment for moment in (_stamp(action, "EndTime"),) if moment is not None])
    for back in LOOK_BACK:
        first = max([end - back, *starts])
        if first > end:
            return None
        when = firings(action["Schedule"], action.get("Timezone", "UTC"), first, end + pd.Timedelta(microseconds=1))
        if len(when):
            return pd.Timestamp(when[-1])
    return None


def _readable(action: Parameters) -> bool:
    try:
        parse(action.get("Schedule", ""))
        ZoneInfo(action.get("Timezone", "UTC"))
    except (InputError, KeyError, ValueError, OSError):
        return False
    return True


def _stamp(action: Parameters, name: str) -> pd.Timestamp | None:
    return pd.Timestamp(action[name]).tz_convert("UTC") if action.get(name) else None
