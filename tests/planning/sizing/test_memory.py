"""Memory of one task, parted into what every task takes and what follows its load."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Service, TaskCapacity
from capacity.planning.memory import MemoryPerTask
from capacity.planning.sizing.memory import FEWEST, KnownMemory, Parted, parted, too_little

LOAD = 0.4 + 0.2 * np.sin(np.arange(24 * 14) * 2 * np.pi / 24)
SMALL = Service(name="web", task_vcpu=0.25, task_memory_gib=1)


@given(fixed=st.floats(0.05, 4), slope=st.floats(0, 5), noise=st.floats(0, 0.01), seed=st.integers(0, 99))
@settings(max_examples=30)
def test_both_parts_are_read_off_and_no_interval_lies_above(
    fixed: float, slope: float, noise: float, seed: int
) -> None:
    seen = (fixed + slope * LOAD) * np.exp(noise * np.random.default_rng(seed).standard_normal(len(LOAD)))
    found = parted(seen, LOAD)
    assert found is not None
    whole = fixed + slope * LOAD.max()
    assert found.fixed == pytest.approx(fixed, abs=0.05 * whole)
    assert found.per_load * found.load == pytest.approx(slope * LOAD.max(), abs=0.05 * whole)
    assert found.of(1.0) >= seen.max() - 1e-9
    assert found.of(2.0) >= found.of(1.0) >= found.of(0.5) >= 0


def test_units_of_load_do_not_matter() -> None:
    by_vcpu, by_requests = parted(0.5 + LOAD, LOAD), parted(0.5 + LOAD, 80 * LOAD)
    assert by_vcpu is not None
    assert by_requests is not None
    assert by_requests.of(3.0) == pytest.approx(by_vcpu.of(3.0))


def test_gaps_are_left_out_and_too_little_tells_nothing() -> None:
    memory = np.where(np.arange(len(LOAD)) % 3 == 0, np.nan, 0.5 + LOAD)
    found = parted(memory, LOAD)
    assert found is not None
    assert found.fixed == pytest.approx(0.5)
    assert parted(memory[: FEWEST - 1], LOAD[: FEWEST - 1]) is None
    assert parted(np.full(100, 1.0), np.full(100, 0.4)) is None  # no load but one
    assert parted(np.full(100, 1.0), np.zeros(100)) is None
    assert parted(np.array([]), np.array([])) is None


def test_memory_that_grows_with_age_is_not_parted() -> None:
    leak = 0.5 + LOAD + np.linspace(0, 2, len(LOAD))
    assert parted(leak, LOAD) is None


def test_memory_that_falls_with_load_is_taken_not_to_follow_it() -> None:
    found = parted(1.0 - 0.3 * LOAD, LOAD)
    assert found is not None
    assert found.per_load == 0
    assert found.of(9.0) == pytest.approx(found.of(1.0)) == pytest.approx((1.0 - 0.3 * LOAD).max())


def test_what_is_measured_and_what_a_load_test_says_are_taken_together() -> None:
    known = KnownMemory(MemoryPerTask(0.9, 0.9), Parted(fixed=0.5, per_load=1.0, above=0.0, load=0.4))
    assert known.at(SMALL, SMALL, 1.0) == MemoryPerTask(0.9, 0.9)
    assert known.at(SMALL, SMALL, 2.0) == MemoryPerTask(1.3, 1.3)
    tested = TaskCapacity(requests_per_second=50, base_memory_gib=1.5, memory_gib_per_request=0.0)
    full = SMALL.model_copy(update={"task_capacity": tested})
    assert known.at(full, SMALL, 1.0) == MemoryPerTask(1.5, 1.5, "both")
    assert KnownMemory(None, None).at(SMALL, SMALL, 1.0) is None


def test_why_memory_does_not_do_is_said_with_what_is_known() -> None:
    assert too_little(SMALL, MemoryPerTask(0.8, 0.8), SMALL, 1.0) == ""
    surely = too_little(SMALL, MemoryPerTask(0.9, 1.2), SMALL, 1.0)
    assert surely == "a full task takes at least 0.9 GiB, which does not fit 80 % of 1 GiB"
    perhaps = too_little(SMALL, MemoryPerTask(0.5, 1.2), SMALL, 1.0)
    assert perhaps == "a full task may take 1.2 GiB (at least 0.5 GiB), which does not fit 80 % of 1 GiB"
    assert too_little(SMALL, None, SMALL, 1.0) == ""  # today's does, as far as anyone knows
    twice = too_little(SMALL, None, SMALL, 2.0)
    assert twice == "what a task takes of memory is not known, so no less than 2 GiB is tried"
    open_ended = too_little(SMALL, MemoryPerTask(1.2, np.inf), SMALL, 1.0)
    assert open_ended == "what a task takes of memory is not known, so no less than 1.5 GiB is tried"
