"""`CacheWhatIf`: what each scenario of a cache asks of its origin, in a table, in words and in a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from capacity.config import Goal, Service
from capacity.display import table_html
from capacity.errors import InputError
from capacity.findings import NO_FINDINGS, Findings
from capacity.planning.caching.knowing import Caching, in_percent
from capacity.planning.caching.scenarios import AS_IS, OUTAGE, told_apart
from capacity.planning.words import counted, level_words, percent, share, spoken_time, usd


@dataclass(frozen=True, eq=False)
class CacheWhatIf:
    """What each scenario of a cache asks of its origin, at the busiest moment of the horizon.

    frame     `schema.CACHE_WHAT_IF`: a row a scenario
    curve     origin requests/s and tasks by hit ratio, a row a point: `hit_ratio`, `origin_per_s`, `tasks`,
              `tasks_low`, `tasks_high`
    limit     what the origin may have: the service's max_tasks, or the database's queries/s; NaN where not known
    peak      start of the interval of the highest need, UTC
    findings  scenarios that could not be answered and why, and what is remarkable about the cache's figures
    """

    frame: pd.DataFrame
    curve: pd.DataFrame
    service: Service
    caching: Caching
    goal: Goal
    limit: float
    peak: pd.Timestamp
    findings: Findings = NO_FINDINGS

    def of(self, scenario: str) -> pd.Series:
        """The row of one scenario. Raises InputError, naming those there are."""
        rows = self.frame[self.frame["scenario"] == scenario]
        if rows.empty:
            there = ", ".join(self.frame["scenario"])
            raise InputError(f"scenario {scenario!r} is not in this answer", advice=f"There are: {there}.")
        return rows.iloc[0]

    @cached_property
    def headline(self) -> str:
        """What an outage of the cache would need, in one breath.

        Where the hit ratio is an interval, each future has a multiple of its own. Counts are at the goal's level, so it
        is said that the multiple is the median: it need not be the ratio of the counts.
        """
        today, outage = self.of(AS_IS), self.of(OUTAGE)
        sure, when = level_words(self.goal.level), spoken_time(self.peak, self.service.timezone)
        name, times = self.service.name, f"{outage['times']:.3g} times today's load"
        low, high = self.caching.interval
        grows = f" ({sure} sure), {times} at the median" if low < high else f", {times} ({sure} sure)"
        if self.caching.protects == "database":
            load = f"{outage['origin_per_s']:,.0f} queries/s instead of {today['origin_per_s']:,.0f}"
            end = f" The database carries {self.limit:,.0f}." if np.isfinite(self.limit) else ""
            return f"Without its cache, the database behind `{name}` would get {load}{grows}.{end}"
        need = f"{counted(outage['tasks'])} instead of {today['tasks']:,.0f}"
        missing = outage["tasks"] - self.limit
        end = f"its maximum leaves {missing:,.0f} of them missing" if missing > 0 else "its maximum allows them"
        return f"Without its cache, `{name}` would need {need}{grows}, at its peak about {when}; {end}."

    def explain(self) -> str:
        """The headline, how the hit ratio is known, each scenario in a sentence, and what could not be answered."""
        low, high = self.caching.interval
        known = f"Hit ratio {in_percent(self.caching.hit_ratio)} ({in_percent(low)} to {in_percent(high)})"
        lines = [
            self.headline,
            f"{known}, {self.caching.method}, of the {share(self.caching.cacheable)} of requests that may be cached. "
            f"One point less brings "
            f"{-self.caching.sensitivity:.2g} % more to the origin.",
            *self.caching.evidence,
            *(f"- {_sentence(row, self.caching.protects)}" for row in self.frame.to_dict("records")),
            *(f"- {sentence}" for sentence in self.unanswered),
            *(f"{finding.message} {finding.advice}" for finding in self.findings if finding.check != "scenario"),
        ]
        return "\n".join(lines)

    @property
    def unanswered(self) -> list[str]:
        """What could not be computed and what would bring it, each reason told once."""
        reasons: dict[tuple[str, str], list[str]] = {}
        for finding in self.findings:
            if finding.check == "scenario":
                name, reason = told_apart(finding.message)
                reasons.setdefault((reason, finding.advice), []).append(name)
        return [f"{', '.join(names)}: {reason} {advice}".rstrip() for (reason, advice), names in reasons.items()]

    def plot(self) -> Any:
        """Chart of tasks (or the database's queries/s) by hit ratio, with their band, today's ratio and the limit."""
        from capacity.planning.caching.picture import curve

        column, unit = ("origin_per_s", "queries/s") if self.caching.protects == "database" else ("tasks", "tasks")
        return curve(self.curve, column, unit=unit, today=self.caching.hit_ratio, limit=self.limit)

    def __str__(self) -> str:
        return self.explain()

    def _repr_html_(self) -> str:
        shown = self.frame.drop(columns=["service"]).dropna(axis=1, how="all")
        return table_html(self.headline, shown)


def _sentence(row: dict[str, Any], protects: str) -> str:
    """A scenario in words."""
    parts = [f"{row['scenario']}: {row['times']:.3g} times today's load"]
    if np.isfinite(row["origin_per_s"]):
        parts.append(f"{row['origin_per_s']:,.0f} {'queries' if protects == 'database' else 'requests'}/s")
    if protects == "service":
        parts.append(f"{counted(row['tasks'])} ({row['tasks_low']:,.0f} to {row['tasks_high']:,.0f})")
    if row["exceeded"] > 0:
        limit = "the maximum" if protects == "service" else "what the database carries"
        parts.append(f"past {limit} in {percent(row['exceeded'])} of the futures")
    if np.isfinite(row["refill_seconds"]):
        parts.append(f"full again after {row['refill_seconds']:,.0f} s")
    if np.isfinite(row["usd_per_month"]):
        parts.append(f"{usd(row['usd_per_month'])} a month")
    return "; ".join([*parts, row["note"]] if row["note"] else parts)
