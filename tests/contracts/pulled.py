"""What every source that is pulled promises beside: to ask once, to say what it costs, to go on where it was cut off.

Each of them has its own server, so each runs these from its own folder: `kept` calls one promise of either suite.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from capacity.history import Store, fetch
from capacity.sources import Span
from capacity.sources.coverage import NOTHING, Coverage
from capacity.sources.pulling import Batch, Pulled
from tests.contracts import test_sources as of_every_source
from tests.contracts.test_sources import EXPECTED, HOURS, found

#: What is asked for: all hours that hold something. The sources' clocks stand days after it, so all of it is settled.
SPAN = Span(HOURS[0], HOURS[-1] + pd.Timedelta(hours=1))


def test_it_is_pulled_and_can_say_what_it_spent(source: Pulled) -> None:
    assert isinstance(source, Pulled)
    assert source.spent.usd >= 0


def test_batches_together_are_what_was_measured_and_no_row_comes_twice(source: Pulled) -> None:
    rows: dict[tuple[str, str, pd.Timestamp], float] = {}
    for batch in source.pull(SPAN):
        part = found(batch.observations)
        assert not set(part) & set(rows)
        rows |= part
    assert rows == found(source.read(SPAN))
    assert set(rows) == set(EXPECTED)


def test_what_has_settled_is_not_asked_for_again(source: Pulled) -> None:
    known = _covered(source.pull(SPAN))
    assert len(known) > 0
    assert source.outlay(SPAN, known).total == 0
    assert sum(len(batch.observations) for batch in source.pull(SPAN, known)) == 0


def test_only_what_is_missing_is_asked_for(source: Pulled) -> None:
    first, rest = Span(SPAN.start, HOURS[3]), Span(HOURS[3], SPAN.end)
    known = _covered(source.pull(first))
    rows = [row for batch in source.pull(SPAN, known) for row in found(batch.observations)]
    assert sorted(rows) == sorted(key for key in EXPECTED if rest.start <= key[2] < rest.end)


def test_coverage_lies_inside_what_was_asked(source: Pulled) -> None:
    for asked, span in _covered(source.pull(SPAN)):
        assert SPAN.start <= span.start < span.end <= SPAN.end
        assert asked.seconds == 3600
        assert asked.source


def test_the_estimate_is_what_is_then_spent(source: Pulled) -> None:
    estimate, before = source.outlay(SPAN), source.spent
    assert estimate.total > 0
    assert list(source.pull(SPAN))
    for name, count in estimate.calls.items():
        assert source.spent.calls[name] - before.calls.get(name, 0) == count
        assert count >= estimate.least.get(name, 0)
    assert source.spent.usd - before.usd <= estimate.usd + 1e-12


def test_a_pull_that_is_broken_off_loses_nothing_and_doubles_nothing(source: Pulled, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    for batch in source.pull(SPAN):
        store.append(batch.observations, batch.covered)
        break  # as if killed after the first commit
    fetched = fetch(source, store, SPAN)
    assert fetched.appended.rows_revised == 0
    assert found(store.history()) == found(source.read(SPAN))  # type: ignore[arg-type]


def test_fetching_twice_adds_nothing(source: Pulled, tmp_path: Path) -> None:
    first, second = (fetch(source, tmp_path / "store", SPAN) for _ in range(2))
    assert first.appended.rows_added == len(EXPECTED)
    assert (second.appended.rows_added, second.appended.rows_revised) == (0, 0)
    assert source.outlay(SPAN, Store(tmp_path / "store").coverage()).total == 0


#: Every promise, as (suite, name): what a source's own `test_contract.py` runs.
PROMISES = [
    (suite, name)
    for suite in (of_every_source, sys.modules[__name__])
    for name in dir(suite)
    if name.startswith("test_")
]


def kept(promise: tuple[ModuleType, str], source: Any, tmp_path: Path) -> None:
    """Hold a source to one promise."""
    check = getattr(*promise)
    given = {"source": source, "tmp_path": tmp_path}
    check(**{name: given[name] for name in inspect.signature(check).parameters})


def _covered(batches: Iterable[Batch]) -> Coverage:
    known = NOTHING
    for batch in batches:
        known = known | batch.covered
    return known
