"""Diff, apply and rollback against moto over real HTTP: a server that others wrote.

docs/applying.md, which is run, applies to an empty account there; here something of ours stands already.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from capacity.scaling import Policy, TargetTracking
from capacity.scaling.live import Live, apply, diff, read_live, rollback
from tests.scaling.live.fleet import NAMES, by_hand, fleet, scheduled, with_services

pytestmark = pytest.mark.xdist_group("moto")


def standing(live: Live) -> dict[str, Any]:
    """What stands, without when it was made and by which ARN."""
    return {
        place[1]: (one.bounds, dict(one.policies), dict(one.actions), dict(one.alarms))
        for place, one in live.services.items()
    }


def test_calls_made_by_hand_stand_and_another_policy_follows_them_and_goes_back(moto: str, tmp_path: Path) -> None:
    policy, entering = fleet(), with_services(moto, *NAMES, "api")
    by_hand(entering, policy.render("boto3"))
    before = read_live(policy, door=entering)
    assert len(diff(policy, before)) == 0
    assert len(diff(json.loads(json.dumps(policy.render("boto3"))), before)) == 0
    assert {place[1]: len(one.policies) for place, one in before.services.items()} == {
        f"service/prod/{name}": 2 for name in NAMES
    }

    changed = replace(scheduled(high=16, most=50), tracking=TargetTracking("cpu", 55), steps=None)
    found = diff(Policy((changed,)), read_live(Policy((changed,)), door=entering))
    assert {change.item.resource_id for change in found} == {"service/prod/web"}
    assert {change.item.name for change in found if change.verb == "delete"} == {
        *("capacity-web-requests", "capacity-web-cpu-steps", "capacity-prod/web-cpu-steps"),
    }
    log = tmp_path / "log"
    done = apply(found, yes=True, log=log, door=entering, say=lambda words: None)
    assert len(done.left) == 0
    back = apply(rollback(log, done.run, door=entering), yes=True, log=log, door=entering, say=lambda words: None)
    assert len(back.left) == 0
    assert standing(read_live(policy, door=entering)) == standing(before)
