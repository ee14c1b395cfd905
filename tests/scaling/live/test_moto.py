"""Diff, apply and rollback against moto over real HTTP: a server that others wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from capacity.scaling.live import Live, apply, diff, read_live, rollback, runs_of
from tests.scaling.live.fleet import NAMES, fleet, with_services

pytestmark = pytest.mark.xdist_group("moto")


def quiet(words: str) -> None:
    """Nothing: tests look at results."""


def standing(live: Live) -> dict[str, Any]:
    """What stands, without when it was made and by which ARN."""
    return {
        place[1]: (one.bounds, dict(one.policies), dict(one.actions), dict(one.alarms))
        for place, one in live.services.items()
    }


def test_apply_then_nothing_differs_then_rollback_and_all_is_as_before(moto: str, tmp_path: Path) -> None:
    policy, entering = fleet(), with_services(moto, *NAMES, "api")
    before = read_live(policy, door=entering)
    found = diff(policy, before)
    done = apply(found, yes=True, log=tmp_path / "log", door=entering, say=quiet)
    assert done.done == len(found) == 2 * 7
    assert len(done.left) == 0
    assert len(policy.diff(door=entering)) == 0
    back = rollback(tmp_path / "log", done.run, door=entering)
    assert {change.verb for change in back} == {"delete"}
    apply(back, yes=True, log=tmp_path / "log", door=entering, say=quiet)
    assert standing(read_live(policy, door=entering)) == standing(before)
    assert len(rollback(tmp_path / "log", done.run, door=entering)) == 0
    assert [run.whole for run in runs_of(tmp_path / "log")] == [True, True]
