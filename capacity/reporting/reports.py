"""`Report`: what a plan says, on paper and in files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from capacity.errors import InputError
from capacity.files import write_whole
from capacity.findings import NO_FINDINGS, Findings
from capacity.history.history import History
from capacity.planning.plans import Plan
from capacity.reporting import html, json, pdf, xlsx
from capacity.reporting import sections as parts
from capacity.reporting.accuracy import scores_frame
from capacity.reporting.branding import NO_BRAND, Brand, brand
from capacity.reporting.document import document
from capacity.reporting.pictures import Picture
from capacity.reporting.sections.base import Nouns
from capacity.scaling.policy import Policy

if TYPE_CHECKING:
    from capacity.monitoring import Alarms, ErrorBudgets
    from capacity.planning.money import Budgets, Commitment, Reconciliation, UnitCosts
    from capacity.planning.scenarios import WhatIf
    from capacity.reviewing import Review


@dataclass(frozen=True, eq=False)
class Report:
    """A report: `document` holds everything it says, and every format shows the same document."""

    document: dict[str, Any]
    brand: Brand = NO_BRAND

    @cached_property
    def pictures(self) -> dict[str, Picture]:
        """Every picture by name, drawn once and used by all formats."""
        return parts.pictures(self.document)

    def render(self, kind: str) -> bytes:
        """The report as the bytes of a file of this kind: html, pdf, xlsx or json."""
        if kind not in FORMATS:
            raise InputError(f"{kind!r} is not a kind of report", advice=f"Choose one of: {', '.join(FORMATS)}.")
        return FORMATS[kind](self)

    def save(self, path: str | Path) -> Path:
        """Write one file; its suffix says which kind. It appears whole or not at all, also after a crash."""
        path = Path(path)
        kind = path.suffix.lower().removeprefix(".")
        if kind not in FORMATS:
            known = ", ".join(f".{name}" for name in FORMATS)
            raise InputError(f"{path.name!r} does not say which kind of report it is", advice=f"End it in {known}.")
        return write_whole(path, self.render(kind))

    def save_all(self, folder: str | Path) -> list[Path]:
        """Write report.html, report.pdf, report.xlsx and report.json into a folder, which is made if absent."""
        return [self.save(Path(folder) / f"report.{kind}") for kind in FORMATS]

    def _repr_html_(self) -> str:
        return html.notebook(self.document)


def report(
    plan: Plan,
    *,
    policy: Policy | None = None,
    history: History | None = None,
    findings: Findings | None = None,
    scores: Any = None,
    review: Review | None = None,
    what_if: WhatIf | None = None,
    unit_costs: UnitCosts | None = None,
    commitment: Commitment | None = None,
    budgets: Budgets | None = None,
    reconciliation: Reconciliation | None = None,
    error_budgets: ErrorBudgets | None = None,
    alarms: Alarms | None = None,
    kept: str = "",
    left_out: Mapping[str, str] | None = None,
    title: str = "Capacity report",
    generated_at: datetime | pd.Timestamp | str | None = None,
    sections: Sequence[str] = (),
    footer: str = "",
    templates: str | Path | None = None,
) -> Report:
    """The page a capacity review acts on: the last plan against actual, decisions, fleet, what may be different, cost,
    risks, what is watched, then each service with its reasons and its doubts, the data and the method.

    policy        what `recommend_policy` gave; without it the report says that nothing was rehearsed
    history       adds the tasks that ran before the plan begins, and its findings
    findings      more findings than those the plan carries
    scores        a Backtest, or `schema.SCORES`; the forecast's own when left out
    review        of the last plan (`capacity.review`): what the report opens with
    what_if, unit_costs, commitment, budgets, reconciliation, error_budgets, alarms
                  what `plan.what_if(...)` and its sisters gave; a report without one says nothing of it
    kept          file that keeps this plan, to be named for the next report
    left_out      section -> a sentence on what is not in it, and how to have it
    generated_at  moment to print, read as UTC when it names no zone; now, when left out. Nothing else varies
    sections      names of `reporting.sections`, in the order of the pages; all when left out. JSON holds every part
    footer        last line of the page, and of each page on paper
    templates     folder with a logo, style and templates of your own: `reporting.branding`
    """
    moment = pd.Timestamp(datetime.now(UTC)) if generated_at is None else pd.Timestamp(generated_at)
    moment = moment.tz_localize("UTC") if moment.tz is None else moment.tz_convert("UTC")
    return Report(
        document(
            Nouns(
                plan,
                policy=policy,
                history=history,
                findings=NO_FINDINGS if findings is None else findings,
                scores=scores_frame(scores),
                review=review,
                what_if=what_if,
                unit_costs=unit_costs,
                commitment=commitment,
                budgets=budgets,
                reconciliation=reconciliation,
                error_budgets=error_budgets,
                alarms=alarms,
                kept=kept,
                left_out=left_out or {},
            ),
            title=title,
            generated_at=moment.floor("s").isoformat(),
            shown=sections,
            footer=footer,
        ),
        brand(templates),
    )


FORMATS: Final[dict[str, Callable[[Report], bytes]]] = {
    "html": lambda report: html.render(report.document, report.pictures, report.brand).encode(),
    "pdf": lambda report: pdf.render(report.document, report.pictures, report.brand),
    "xlsx": lambda report: xlsx.render(report.document),
    "json": lambda report: json.render(report.document).encode(),
}
