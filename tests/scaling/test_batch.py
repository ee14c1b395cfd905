"""Many candidates at once come out as each of them does alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.errors import InputError
from capacity.scaling import Clocks, PredictiveScaling, ServicePolicy, Step, StepScaling, TargetTracking, elasticity
from capacity.scaling.batch import Candidates, replay_many
from capacity.scaling.replay import NOISE, Replay
from tests.scaling.policies import minutes, tracking, web
from tests.scaling.test_replay import loads

SIZE = 400
COUNTED = (
    "known_minutes",
    "task_minutes",
    "short_minutes",
    "missing_task_minutes",
    "over_minutes",
    "at_max_minutes",
    "changes",
    "max_running",
)


def policy_of(rng: np.random.Generator) -> ServicePolicy:
    """Any tracking of requests or CPU."""
    service = web(startup_seconds=int(rng.integers(0, 400)), max_tasks=5000)
    metric = ("requests", "cpu")[int(rng.integers(2))]
    target = float(rng.uniform(500, 3000) if metric == "requests" else rng.uniform(10, 100))
    out, back = rng.integers(0, 900, 2).tolist()
    tracked = TargetTracking(metric, target, out, back, disable_scale_in=bool(rng.random() < 0.2))  # type: ignore[arg-type]
    return ServicePolicy(service, 1, 5000, tracked)


@settings(deadline=None, max_examples=12)
@given(seed=st.integers(0, 2**32 - 1), delay=st.integers(0, 4), workers=st.sampled_from([1, 3]))
def test_totals_are_those_of_each_candidate_replayed_alone(seed: int, delay: int, workers: int) -> None:
    rng = np.random.default_rng(seed)
    clocks = Clocks(metric_delay=delay)
    rows = np.stack([loads(rng, SIZE, scale) for scale in (60.0, 2000.0)])
    least = rng.integers(0, 20, (3, SIZE // 40)).repeat(40, axis=1)
    most = least + rng.integers(0, 300, (3, SIZE // 40)).repeat(40, axis=1)
    policies = [policy_of(rng) for _ in range(20)]
    row, bound = rng.integers(0, 2, 20), rng.integers(0, 3, 20)
    totals = replay_many(rows, Candidates.of(policies, row, bound), (least, most), clocks, workers=workers)
    for one, policy in enumerate(policies):
        load, limits = rows[row[one]], (least[bound[one]], most[bound[one]])
        run = Replay.of(policy, minutes(load).index, load, clocks, limits=limits)
        counted = {name: int(getattr(totals, name)[one]) for name in COUNTED}
        needed = np.ceil(run.need - NOISE)
        assert counted == {
            "known_minutes": int(run.known.sum()),
            "task_minutes": int(run.launched.sum()),
            "short_minutes": int(run.short.sum()),
            "missing_task_minutes": round(60 * run.missing_task_hours),
            "over_minutes": int((run.running > needed).sum()),
            "at_max_minutes": int((run.desired >= limits[1]).sum()),
            "changes": run.changes,
            "max_running": int(run.running.max()),
        }
        spec = elasticity(needed, run.running)
        assert totals.theta_u[one] == pytest.approx(spec.theta_u, rel=1e-12)
        assert totals.theta_o[one] == pytest.approx(spec.theta_o, rel=1e-12)


def test_a_number_stands_for_all_candidates_and_no_candidates_give_no_totals() -> None:
    load = np.repeat([100.0, 400.0], 60)
    limits = np.full(120, 2), np.full(120, 40)
    alone = Replay.of(tracking(), minutes(load).index, load, limits=limits)
    totals = replay_many(load, Candidates(target=40.0, full=50.0, out_cooldown=6, startup=2), limits)
    assert totals.task_hours.tolist() == [alone.task_hours]
    assert len(replay_many(load, Candidates.of([]), limits).frame) == 0
    assert totals.frame["short_minutes"].tolist() == [int(alone.short.sum())]


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"steps": StepScaling("requests", 2600, (Step(0, None, 10),))}, "a step policy"),
        ({"tracking": TargetTracking("cpu", 60, resolution=20)}, "20-second metrics"),
        ({"predictive": PredictiveScaling("requests", 2400, "ForecastAndScale")}, "predictive scaling"),
    ],
)
def test_a_policy_that_the_batch_would_replay_without_a_part_is_refused(part: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"web: {message} cannot be replayed in a batch"):
        Candidates.of([tracking(), tracking(**part)])
    assert len(np.asarray(Candidates.of([tracking(predictive=PredictiveScaling("requests", 2400))]).target)) == 1


def test_a_candidate_without_a_known_minute_has_no_share_rather_than_none_short() -> None:
    nothing = np.full(30, np.nan)
    totals = replay_many(nothing, Candidates(target=40.0, full=50.0), (np.full(30, 2), np.full(30, 40)))
    assert totals.known_minutes.tolist() == [0]
    assert np.isnan(totals.short_share).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": 0.0}, "target: must be above zero"),
        ({"full": np.nan}, "full: must be above zero"),
        ({"load": 1}, "load: names rows from 1 to 1 of 1"),
        ({"bounds": -1}, "bounds: names rows from -1 to -1 of 1"),
        ({"startup": -1}, "startup: must be whole minutes"),
        ({"target": [40.0, 30.0], "full": [50.0] * 3}, "rows of one length"),
    ],
)
def test_candidates_that_do_not_fit_are_refused_by_name(changes: dict[str, object], message: str) -> None:
    fine = Candidates(target=40.0, full=50.0)
    limits = np.full(10, 2), np.full(10, 40)
    with pytest.raises(InputError, match=message):
        replay_many(np.ones(10), replace(fine, **changes), limits)  # type: ignore[arg-type]


def test_loads_and_bounds_of_different_minutes_are_refused() -> None:
    fine = Candidates(target=40.0, full=50.0)
    with pytest.raises(InputError, match="must hold the same minutes"):
        replay_many(np.ones(10), fine, (np.full(9, 2), np.full(9, 40)))
    with pytest.raises(InputError, match="a minimum is below zero or above its maximum"):
        replay_many(np.ones(10), fine, (np.full(10, 5), np.full(10, 4)))
    with pytest.raises(InputError, match="negative or infinite"):
        replay_many(-np.ones(10), fine, (np.full(10, 2), np.full(10, 4)))
