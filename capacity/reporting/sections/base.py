"""`Section`: one part of a report, from nouns to data and from data to blocks. `Nouns`: what a report is made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from capacity.findings import NO_FINDINGS, Findings
from capacity.history.history import History
from capacity.planning.plans import Plan
from capacity.reporting.pictures import Picture
from capacity.reporting.sheets import Sheet
from capacity.scaling.policy import Policy

if TYPE_CHECKING:
    from capacity.monitoring import Alarms, ErrorBudgets
    from capacity.planning.money import Budgets, Commitment, Reconciliation, UnitCosts
    from capacity.planning.scenarios import WhatIf
    from capacity.reviewing import Review

Document = dict[str, Any]

#: One piece of a page: plain data whose `kind` names the macro that renders it. `sections.blocks` makes them.
Block = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Nouns:
    """What `capacity.report` was given; None where it was not. A section that needs another noun adds a field here.

    findings  all that are known, of the plan, the forecast, the history and the caller
    scores    `schema.SCORES` of a backtest
    kept      the file that keeps this plan, for a report whose reader would look for it
    left_out  section -> why something is not in it
    """

    plan: Plan
    policy: Policy | None = None
    history: History | None = None
    findings: Findings = NO_FINDINGS
    scores: pd.DataFrame | None = None
    review: Review | None = None
    what_if: WhatIf | None = None
    unit_costs: UnitCosts | None = None
    commitment: Commitment | None = None
    budgets: Budgets | None = None
    reconciliation: Reconciliation | None = None
    error_budgets: ErrorBudgets | None = None
    alarms: Alarms | None = None
    kept: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)


def _none(document: Document) -> Sequence[Any]:
    """No pictures, or no sheets."""
    return ()


@dataclass(frozen=True)
class Section:
    """One part of a report.

    name      key in the document, anchor in the page, and what `[report] sections` says
    title     its heading and its line in the contents; empty: its blocks bring headings of their own
    view      document -> blocks, in the order of the page; no blocks, and the section is left out
    part      nouns and the document so far -> plain data, kept as `document[name]`; None when there is nothing to say.
              Left out: the document holds it already
    pictures  document -> those its blocks name
    sheets    document -> sheets of the workbook
    new_page  whether it begins a page on paper
    """

    name: str
    title: str
    view: Callable[[Document], list[Block]]
    part: Callable[[Nouns, Document], Any] | None = None
    pictures: Callable[[Document], Sequence[Picture]] = _none
    sheets: Callable[[Document], Sequence[Sheet]] = _none
    new_page: bool = True
