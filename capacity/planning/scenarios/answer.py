"""`WhatIf`: scenarios side by side, in one table, in words and in one picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.display import table_html
from capacity.errors import InputError
from capacity.findings import NO_FINDINGS, Findings
from capacity.planning.limits import LIKELY
from capacity.planning.plans import Plan
from capacity.planning.scenarios.cases import AS_IS, Case
from capacity.planning.words import counted, level_words, listed, percent, spoken_date, usd

#: The row of all services together.
ALL: Final = "(all)"

#: Limits told one by one in a sentence; the rest is counted.
TOLD: Final = 3


@dataclass(frozen=True, eq=False)
class WhatIf:
    """What each scenario asks for, from the same futures, so that differences are of the scenarios alone.

    frame     `schema.WHAT_IF`: a row a scenario and service, "as is" first
    plans     scenario -> its whole plan, with decisions, limits and cost; "as is" is the plan that was asked
    cases     what was asked, in order
    findings  what scenarios take for granted that nobody measured
    """

    frame: pd.DataFrame
    plans: dict[str, Plan]
    cases: tuple[Case, ...]
    findings: Findings = NO_FINDINGS

    def of(self, scenario: str) -> pd.DataFrame:
        """The rows of one scenario, by service. Raises InputError, naming those there are."""
        if scenario not in self.plans:
            there = ", ".join(self.plans)
            raise InputError(f"scenario {scenario!r} is not in this answer", advice=f"There are: {there}.")
        return self.frame[self.frame["scenario"] == scenario].set_index("service")

    @property
    def whole(self) -> str:
        """The row that stands for the whole plan: of all services together, or the only one."""
        return ALL if (self.frame["service"] == ALL).any() else str(self.frame["service"].iloc[0])

    @property
    def headline(self) -> str:
        """What the plan asks for as it is, and what moves it most, in one breath."""
        rows = self.frame[self.frame["service"] == self.whole].set_index("scenario")
        today = rows.loc[AS_IS]
        sure = level_words(self.plans[AS_IS].goal.level)
        text = f"As is: {counted(today['tasks'])} hold, {sure} sure{_priced(today)}."
        others = rows.drop(index=AS_IS)
        if others.empty:
            return text
        moved = others[["more_tasks", "more_usd_per_month"]].abs().fillna(0.0)
        most = moved.sort_values(list(moved), ascending=False, kind="stable").index[0]
        if not moved.loc[most].any():
            return f"{text} {'It does not move that' if len(others) == 1 else f'None of {len(others)} moves that'}."
        return f"{text} What moves that most of {len(others)} is {sentence(most, others.loc[most])}"

    def explain(self) -> str:
        """The headline, and each scenario in a sentence with the service that it moves most."""
        lines = [self.headline]
        for case in self.cases[1:]:
            rows = self.of(case.name)
            parts = [sentence(case.name, rows.loc[self.whole]), _most_moved(rows, self.whole)]
            lines.append("- " + " ".join(filter(None, [*parts, self._newly_in_words(case.name), case.note])))
        lines += [f"{finding.message} {finding.advice}" for finding in self.findings]
        return "\n".join(lines)

    def newly(self, scenario: str) -> pd.DataFrame:
        """Limits that a scenario passes in half of the futures or more, and the plan as it is in fewer.

        Rows of `schema.LIMITS`, the first passed on top.
        """
        self.of(scenario)
        place = ["service", "limit"]
        before = self.plans[AS_IS].limits.set_index(place)["probability"]
        found = self.plans[scenario].limits
        found = found[found["probability"] >= LIKELY]
        were = before.reindex(pd.MultiIndex.from_frame(found[place])).fillna(0.0).to_numpy()
        return found[were < LIKELY].sort_values("first", kind="stable").reset_index(drop=True)

    def _newly_in_words(self, scenario: str) -> str:
        rows = self.newly(scenario)
        if rows.empty:
            return ""
        told = [
            f"{row.limit} {row.value:,.10g} of {row.service} ({percent(row.probability)}, from "
            f"{spoken_date(row.first)} on)"
            for row in rows.head(TOLD).itertuples()
        ]
        more = [f"{len(rows) - TOLD:,} more"] if len(rows) > TOLD else []
        return f"Then likely passed: {listed([*told, *more])}."

    def __str__(self) -> str:
        return self.explain()

    def plot(self, service: str | None = None) -> Any:
        """Two charts side by side, a bar a scenario: tasks that hold and USD a month, each with its central 90 %.

        Of the whole plan, or of one service.
        """
        from capacity.planning.scenarios.picture import side_by_side

        chosen = self.whole if service is None else service
        rows = self.frame[self.frame["service"] == chosen]
        if rows.empty:
            there = ", ".join(dict.fromkeys(self.frame["service"]))
            raise InputError(f"no service {service!r} is in this answer", advice=f"There are: {there}.")
        return side_by_side(rows, chosen)

    def _repr_html_(self) -> str:
        first = self.frame["service"] == self.whole
        return table_html(self.headline, pd.concat([self.frame[first], self.frame[~first]]), rows=max(12, sum(first)))


def sentence(name: str, row: pd.Series) -> str:
    """A scenario in words.

    >>> row = pd.Series({"tasks": 50.0, "more_tasks": 8.0, "usd_per_month": 4700.0, "more_usd_per_month": 700.0,
    ...                  "more_usd_p5": 650.0, "more_usd_p95": 760.0})
    >>> print(sentence("launch", row))
    launch: 50 tasks (+8), 4,700 USD a month (+700, +650 to +760).
    """
    text = f"{name}: {counted(row['tasks'])}"
    text += f" ({row['more_tasks']:+,.0f}){_priced(row)}"
    if np.isfinite(row["more_usd_per_month"]) and row["more_usd_per_month"] != 0:
        low, high = row["more_usd_p5"], row["more_usd_p95"]
        text += f" ({_signed(row['more_usd_per_month'])}, {_signed(low)} to {_signed(high)})"
    return f"{text}."


def _priced(row: pd.Series) -> str:
    return f", {usd(row['usd_per_month'])} a month" if np.isfinite(row["usd_per_month"]) else ""


def _signed(amount: float) -> str:
    return f"{'+' if amount > 0 else ''}{usd(amount).removesuffix(' USD')}"


def _most_moved(rows: pd.DataFrame, whole: str) -> str:
    """Of several services, whose count moves most."""
    own = rows.drop(index=whole)["more_tasks"]
    if own.empty or not own.abs().max() > 0:
        return ""
    name = own.abs().idxmax()
    return f"Most of it is `{name}`: {rows.loc[name, 'tasks']:,.0f} ({own[name]:+,.0f})."
