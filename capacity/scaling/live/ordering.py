"""In which order calls are made, so that at no moment in between less runs, or less is said, than before or after.

More room first: bounds are raised before, and lowered after, everything else. New actions stand before old ones go, so
that no firing falls between; alarms come after the policies that they act on, and go before them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from capacity.scaling.checks import MOST_ACTIONS
from capacity.scaling.live.changes import Change
from capacity.scaling.live.items import Parameters, metric_of
from capacity.scaling.live.live import LiveService

#: (kind, what is done) -> rank. "more" is a registration that is new or lowers nothing.
_RANKS: Final = {
    ("bounds", "more"): 0,
    ("policy", "put"): 2,
    ("alarm", "put"): 3,
    ("action", "put"): 5,
    ("action", "delete"): 6,
    ("alarm", "delete"): 7,
    ("policy", "delete"): 8,
    ("bounds", "less"): 9,
    ("bounds", "delete"): 10,
}
_FIRST, _ROOM = 1, 4  # a policy in the way of another; actions in the way of a quota


def in_order(changes: Sequence[Change], one: LiveService) -> list[Change]:
    """The changes of one service in the order to make them."""
    return sorted(changes, key=lambda change: _rank(change, changes, one))


def _rank(change: Change, changes: Sequence[Change], one: LiveService) -> int:
    kind = change.item.kind
    if kind == "bounds" and change.verb != "delete":
        return _RANKS["bounds", "less" if _lowers(change.before, change.after) else "more"]
    if change.verb != "delete":
        return _RANKS[kind, "put"]
    if kind == "policy" and any(_in_the_way(change, other) for other in changes):
        return _FIRST
    if kind == "action" and _too_many(changes, one):
        return _ROOM
    return _RANKS[kind, "delete"]


def _lowers(before: Parameters | None, after: Parameters | None) -> bool:
    return (
        before is not None and after is not None and any(after[b] < before[b] for b in ("MinCapacity", "MaxCapacity"))
    )


def _in_the_way(gone: Change, other: Change) -> bool:
    """AWS allows one target-tracking policy a metric: the old one has to go first (reference aws.md 3.2)."""
    metric = metric_of(gone.before or {})
    return (
        other.item.kind == "policy"
        and other.verb == "add"
        and metric is not None
        and metric == metric_of(other.after or {})
    )


def _too_many(changes: Sequence[Change], one: LiveService) -> bool:
    """Whether new actions beside the old ones are more than a target may have."""
    added = sum(change.item.kind == "action" and change.verb == "add" for change in changes)
    return len(one.actions) + added > MOST_ACTIONS
