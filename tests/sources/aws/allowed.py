"""That a door made no call outside of the policies we hand out."""

from __future__ import annotations

from capacity.sources.aws import Door
from capacity.sources.aws.complaints import action_of
from capacity.sources.aws.policies import allowed


def assert_within_policy(door: Door, *parts: str) -> None:
    """Every call of the door is an action of these parts (of any, when none is named), and it made at least one."""
    made = {action_of(service, operation) for service, operation in door.counted}
    assert made, "the door was not used"
    assert made <= allowed(*parts), f"not in the policy: {sorted(made - allowed(*parts))}"
