"""What a service states about one task is held against its own production."""

from __future__ import annotations

from capacity.config import Service, TaskCapacity
from capacity.demand.per_task import doubts
from tests.sample_fleet import ON_ONE_WORKER, history

pytestmark = ON_ONE_WORKER

SEARCH = {"name": "search", "task_vcpu": 1, "task_memory_gib": 2}


def test_a_release_of_this_quarter_and_a_rate_beyond_the_processor_are_told() -> None:
    """data/samples/README.md: a release of `search` on 18 August 2026 makes a request a fifth dearer in CPU."""
    released, overfull = doubts(history("search"), [Service(**SEARCH, requests_per_second_per_task=90)])
    assert (released.check, str(released.start)) == ("cost change", "2026-08-18 14:00:00+00:00")
    assert overfull.check == "stated capacity"
    assert "of its 1 vCPU" in overfull.message


def test_a_capacity_measured_since_the_release_and_within_the_processor_is_not_doubted() -> None:
    known = TaskCapacity(requests_per_second=46, measured="2026-09-01")
    assert len(doubts(history("search"), [Service(**SEARCH, task_capacity=known)])) == 0


def test_services_that_state_nothing_or_are_not_in_the_history_are_not_asked() -> None:
    asked: list[str] = []
    silent, absent = Service(**SEARCH), Service(name="gone", requests_per_second_per_task=5)
    assert len(doubts(history("search"), [silent, absent], asked.append)) == 0
    assert asked == []
