"""Which law the points speak for, where the knee is, the laws of any queue, and memory by requests in flight."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.errors import InputError
from capacity.loadtest.models.ceiling import Ceiling, Linear
from capacity.loadtest.models.choice import Amdahl, fit_scaling
from capacity.loadtest.models.laws import fit_memory, little, most_throughput, service_demand, utilisation
from capacity.loadtest.models.points import Points, aicc
from capacity.loadtest.models.usl import UniversalScalability
from tests.loadtest.usl_data import BOUNDED, CISCO


def test_a_server_of_four_workers_is_a_ceiling_and_no_usl() -> None:
    """Values: loadtest.md 6.2: lam 48.2, C 195.9, RMSE 2.4, AICc 30 against 80 of the USL (lam 73, RMSE 16.1)."""
    found = fit_scaling(*BOUNDED)
    assert isinstance(found.best, Ceiling)
    assert (found.best.lam, found.best.limit) == pytest.approx((48.2, 195.9), abs=0.05)
    table = found.table.set_index("model")
    assert table.index.tolist() == ["ceiling", "USL", "Amdahl", "linear"]
    assert table.loc["ceiling", ["rmse", "aicc"]].tolist() == pytest.approx([2.4, 30], abs=0.1)
    assert table.loc["USL", ["rmse", "aicc"]].tolist() == pytest.approx([16.1, 80], abs=0.4)
    assert table["weight"].sum() == pytest.approx(1)
    law = found.curves["USL"]
    assert isinstance(law, UniversalScalability)
    assert (law.lam, law.sigma, law.kappa) == pytest.approx((73, 0.25, 0.003), rel=0.07)


def test_the_knee_of_the_bounded_server_is_at_its_four_workers_by_every_definition() -> None:
    knees = fit_scaling(*BOUNDED).knees.set_index("definition")
    assert knees["concurrency"].tolist() == pytest.approx([4, 4], abs=0.1)  # 4.02 in loadtest.md 6.4, truth 4
    assert knees["measured"].all()


def test_cisco_speaks_for_the_usl_whose_peak_was_not_measured() -> None:
    found = fit_scaling(*CISCO)
    assert isinstance(found.best, UniversalScalability)
    peak = found.knees.set_index("definition").loc["peak"]
    assert peak["concurrency"] == pytest.approx(35.57, abs=0.01)
    assert not peak["measured"]
    # the largest X/R of a USL solves 3 kappa N^2 + (sigma - kappa) N - (1 - sigma) = 0
    sigma, kappa = found.best.sigma, found.best.kappa
    root = np.roots([3 * kappa, sigma - kappa, -(1 - sigma)]).max()
    assert found.knees.set_index("definition").loc["maximum power", "concurrency"] == pytest.approx(root, abs=0.02)


def test_points_on_a_line_speak_for_the_line() -> None:
    noise = 1 + 0.01 * np.array([1, -1, 0.5, -0.5, 1, -1, 0.3, -0.4])
    n = np.arange(1.0, 9.0)
    found = fit_scaling(n, 12 * n * noise)
    assert isinstance(found.best, Linear)
    assert found.best.lam == pytest.approx(12, rel=0.01)


def test_contention_alone_speaks_for_amdahl() -> None:
    n = np.array([1.0, 2, 4, 8, 16, 32, 64])
    x = 12 * n / (1 + 0.05 * (n - 1)) * (1 + 0.002 * np.array([1, -1, 1, -1, 1, -1, 1]))
    found = fit_scaling(n, x)
    assert isinstance(found.best, Amdahl)
    assert found.best.sigma == pytest.approx(0.05, abs=0.002)


def test_nothing_is_promised_beyond_twice_what_was_measured() -> None:
    found = fit_scaling(*BOUNDED)
    assert found.throughput(96) == pytest.approx(195.9, abs=0.1)
    with pytest.raises(InputError, match=r"N = 97 is more than twice the largest concurrency measured \(48\)"):
        found.throughput([4, 97])


def test_a_law_the_points_do_not_identify_stays_in_the_table_with_its_reason() -> None:
    found = fit_scaling([40, 41, 42, 43, 44, 45, 46], [99, 101, 100, 98, 102, 100, 99])
    last = found.table.iloc[-1]
    assert last["model"] == "USL"
    assert np.isnan(last["aicc"])
    assert "do not identify" in last["law"]


def test_a_choice_shows_itself() -> None:
    found = fit_scaling(*BOUNDED)
    assert str(found).startswith("ceiling: min(48.24 N, 195.9), reached at N = 4.06 (100%")
    assert "Amdahl" in found._repr_html_()
    assert len(found.plot().to_dict()["layer"]) == 5  # four curves and the points


@given(st.floats(1, 500), st.floats(1.5, 20), st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_the_ceiling_fits_better_than_any_other_line_with_a_limit(lam: float, knee: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = np.array([1.0, 2, 3, 4, 6, 8, 12, 16, 24])
    x = np.minimum(lam * n, lam * knee) * (1 + 0.05 * rng.normal(size=9))
    found = Ceiling.fit(Points(n, x))
    least = np.sum((x - found.throughput(n)) ** 2)
    for _ in range(200):
        other = Ceiling(found.lam * np.exp(0.1 * rng.normal()), found.limit * np.exp(0.1 * rng.normal()))
        assert np.sum((x - other.throughput(n)) ** 2) >= least * (1 - 1e-9)


def test_too_few_points_for_a_criterion_make_it_infinite() -> None:
    assert aicc(1.0, points=4, parameters=3) == np.inf


# --- laws of any queue ------------------------------------------------------------------------------------------------


def test_demand_and_utilisation_undo_each_other_and_bound_throughput() -> None:
    demand = service_demand(0.6, cores=2, throughput=40)
    assert utilisation(40, demand, cores=2) == pytest.approx(0.6)
    assert most_throughput([demand / 2]) == pytest.approx(40 / 0.6)  # where utilisation is 1
    assert most_throughput([0.01, 0.02], in_flight=2, thinking=0.97) == pytest.approx(2)
    with pytest.raises(InputError, match="cost of a request needs requests"):
        service_demand(0.5, 1, 0.0)
    with pytest.raises(InputError, match="at least one above 0"):
        most_throughput([0.0])


def test_threads_are_not_requests_in_flight_and_littles_law_says_so() -> None:
    assert little(1.73, 80.5, 0.0214).status == "PASS"  # the bounded server at 80/s (loadtest.md 5.1)
    found = little(95, 80.5, 0.0214)
    assert found.status == "FAIL"
    assert "not requests in flight" in found.advice


# --- memory -----------------------------------------------------------------------------------------------------------


def test_memory_by_load_is_found_among_points_that_do_not_belong() -> None:
    rng = np.random.default_rng(7)
    load = rng.uniform(1, 60, 40)
    used = 0.6 + 0.012 * load + rng.normal(0, 0.01, 40)
    used[:6] += 1.5  # a deploy was running
    memory = fit_memory(load, used)
    assert memory.base_gib == pytest.approx(0.6, abs=0.03)
    assert memory.gib_per_request == pytest.approx(0.012, rel=0.05)
    assert memory.base_interval[0] <= memory.base_gib <= memory.base_interval[1]
    assert memory.at(100) == pytest.approx(1.8, abs=0.1)
    assert not len(memory.findings)


def test_the_interval_of_memory_covers_its_truth() -> None:
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(100):
        load = rng.uniform(1, 60, 20)
        low, high = fit_memory(load, 0.6 + 0.01 * load + 0.02 * rng.standard_t(3, 20)).per_request_interval
        inside.append(low <= 0.01 <= high)
    assert 0.91 < np.mean(inside) < 0.99


def test_memory_that_does_not_follow_load_is_a_finding() -> None:
    memory = fit_memory([1, 5, 2, 9, 3, 8, 4, 7], [1.00, 1.01, 1.02, 1.00, 1.01, 1.02, 1.00, 1.01])
    assert [finding.check for finding in memory.findings] == ["memory by load"]


def test_memory_from_too_few_loads_is_refused() -> None:
    with pytest.raises(InputError, match="needs 6 points at 3 loads, and there are 6 at 2"):
        fit_memory([1, 2, 1, 2, 1, 2], [1, 1, 1, 1, 1, 1])
    with pytest.raises(InputError, match="3 loads and 2 amounts"):
        fit_memory([1, 2, 3], [1, 2])


def test_one_user_in_a_closed_loop_is_a_point() -> None:
    """Its requests are in flight a little less than all of the time: between two of them the client thinks."""
    law = fit_scaling([0.97, 1.97, 3.97, 7.97, 15.9, 31.8], [48, 97, 195, 196, 195, 197])
    assert law.points["concurrency"].min() == 0.97
    assert law.table["model"].iloc[0] == "ceiling"
