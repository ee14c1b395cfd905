"""Cost Explorer and FOCUS keep what every source promises: the contract suite, with hours of a bill for its rows.

A bill has metrics of its own, so the suite sees it through `Renamed`: billed vCPU as cpu, billed GiB as requests.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from capacity.sources import Observations, Source, Span
from capacity.sources.bills.cost_explorer import CostExplorer
from capacity.sources.bills.focus import Focus
from capacity.sources.coverage import NOTHING, Coverage
from capacity.sources.pulling import Batch, Outlay, Pulled
from tests.contracts import test_sources as of_every_source
from tests.contracts.pulled import PROMISES, kept
from tests.contracts.test_sources import EXPECTED, HOURS
from tests.sources.bills.truth import MEMORY, TAG, VCPU, focus_rows, serving, the_door, used, write_focus

USAGE = {"cpu": VCPU, "requests": MEMORY}
LEDGER = [used(hour, USAGE[metric], service, str(value), "0.01") for (service, metric, hour), value in EXPECTED.items()]


def renamed(observations: Observations) -> Observations:
    words = observations.frame.astype({"service": "str", "metric": "str", "stat": "str"})
    words["metric"] = words["metric"].map({"billed_vcpu": "cpu", "billed_memory": "requests"})
    return Observations.of(words.dropna(subset=["metric"]), observations.source, observations.findings)


@dataclass
class Renamed:
    """A source of bills, under the names that the suite knows."""

    bills: Source

    @property
    def name(self) -> str:
        return self.bills.name

    def read(self, span: Span | None = None) -> Observations:
        return renamed(self.bills.read(span))


@dataclass
class PulledRenamed(Renamed):
    bills: Pulled

    @property
    def spent(self) -> Outlay:
        return self.bills.spent

    def outlay(self, span: Span, known: Coverage = NOTHING) -> Outlay:
        return self.bills.outlay(span, known)

    def pull(self, span: Span, known: Coverage = NOTHING) -> Iterator[Batch]:
        for batch in self.bills.pull(span, known):
            yield replace(batch, observations=renamed(batch.observations))


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise[1])
def test_cost_explorer_keeps_the_promise(promise: tuple[ModuleType, str], tmp_path: Path) -> None:
    now = HOURS[-1] + pd.Timedelta(days=7)
    with serving(LEDGER):
        bills = CostExplorer(the_door(), TAG, "HOURLY", clock=lambda: now, savings_plans=False)
        kept(promise, PulledRenamed(bills), tmp_path)


@pytest.mark.parametrize("promise", [each for each in PROMISES if each[0] is of_every_source], ids=lambda each: each[1])
def test_focus_keeps_the_promise(promise: tuple[ModuleType, str], tmp_path: Path) -> None:
    export = write_focus(tmp_path / "hours.csv", focus_rows(LEDGER))
    kept(promise, Renamed(Focus(export, TAG, granularity="HOURLY")), tmp_path)
