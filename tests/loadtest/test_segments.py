"""A load is cut where it changed, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from capacity.loadtest.segments import Segment, segments


def noisy(rates: np.ndarray, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).poisson(rates).astype(float)


def edges(parts: list[Segment]) -> list[int]:
    return [part.begin for part in parts]


@pytest.mark.parametrize("seed", range(5))
def test_a_constant_poisson_load_is_one_level_stretch(seed: int) -> None:
    assert segments([noisy(np.full(600, 80.0), seed)]) == [Segment(0, 600, False)]


@pytest.mark.parametrize("seed", range(5))
def test_a_staircase_is_cut_at_its_steps(seed: int) -> None:
    parts = segments([noisy(np.repeat([40.0, 80.0, 120.0, 160.0], 60), seed)])
    assert edges(parts) == pytest.approx([0, 60, 120, 180], abs=2)
    assert not any(part.ramp for part in parts)


@pytest.mark.parametrize("seed", range(5))
def test_a_ramp_is_a_ramp_and_what_it_leads_to_is_level(seed: int) -> None:
    parts = segments([noisy(np.concatenate([np.linspace(5, 200, 120), np.full(120, 200.0)]), seed)])
    rising = sum(part.end - part.begin for part in parts if part.ramp)
    assert rising == pytest.approx(120, abs=25)
    assert not parts[-1].ramp
    assert parts[-1].begin == pytest.approx(120, abs=25)


def test_a_spike_is_a_stretch_of_its_own_between_equal_ones() -> None:
    rates = np.full(180, 50.0)
    rates[90:110] = 400
    assert edges(segments([noisy(rates)])) == pytest.approx([0, 90, 110], abs=1)


def test_users_that_rise_while_throughput_stands_still_part_the_test() -> None:
    """Past its ceiling a closed loop delivers the same, whoever asks."""
    users = np.repeat([4.0, 8.0, 16.0, 32.0], 30)
    parts = segments([noisy(np.full(120, 196.0)), users])
    assert edges(parts) == [0, 30, 60, 90]


def test_a_second_in_which_the_generator_stood_still_is_no_step() -> None:
    rates = noisy(np.full(120, 100.0))
    rates[60] = 0
    rates[61] = 200
    assert segments([rates]) == [Segment(0, 120, False)]


def test_a_metronome_is_level_and_its_steps_are_seen() -> None:
    parts = segments([np.repeat([100.0, 120.0], 40)])
    assert [(part.begin, part.end) for part in parts] == [(0, 40), (40, 80)]


def test_a_test_of_days_is_cut_as_well() -> None:
    parts = segments([noisy(np.repeat([40.0, 80.0], 50_000))])
    assert parts[0].end == pytest.approx(50_000, abs=70)
    assert parts[-1].begin == pytest.approx(50_000, abs=400)  # a point that spans the change may stand between
    assert parts[-1].end == 100_000


@pytest.mark.parametrize("n", [1, 2, 4, 5, 9, 10, 11])
def test_any_length_is_covered_without_holes(n: int) -> None:
    parts = segments([noisy(np.full(n, 30.0))])
    assert parts[0].begin == 0
    assert parts[-1].end == n
    assert [part.end for part in parts[:-1]] == edges(parts)[1:]
