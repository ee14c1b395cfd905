"""`Review`: were we right, why not, what became of what was recommended, and is a new plan needed?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd

from capacity.display import table_html
from capacity.errors import InputError
from capacity.findings import NO_FINDINGS, Findings
from capacity.planning.words import first_few
from capacity.reviewing import fates as fate_tables
from capacity.reviewing.coverage import Past
from capacity.reviewing.decomposing import PARTS, STATES, Split
from capacity.reviewing.drift import Drift
from capacity.reviewing.facts import Fact, facts_of, size_of
from capacity.reviewing.fates import Fate
from capacity.reviewing.snapshot import Snapshot
from capacity.reviewing.wording import FLEET

#: The last review: itself, what its `to_dict` gave, or the file that holds that.
Last: TypeAlias = "Review | Mapping[str, Any] | str | Path | None"


@dataclass(frozen=True, eq=False)
class Review:
    """A plan against what happened, up to `now`.

    frame      `schema.REVIEW`: planned, parts of the error and actual, a row a service and one `(fleet)`
    coverage   `schema.REVIEW_COVERAGE`: promises kept, over all plans
    peaks      the same of the highest interval of days and horizons
    accuracy   `schema.REVIEW_ACCURACY`        pit  `schema.REVIEW_PIT`
    recommendations  what became of each; as a table `fates`, `schema.FATES`
    drift      whether a new plan is needed, and why
    """

    frame: pd.DataFrame
    coverage: pd.DataFrame
    peaks: pd.DataFrame
    accuracy: pd.DataFrame
    pit: pd.DataFrame
    recommendations: tuple[Fate, ...]
    drift: Drift
    pasts: tuple[Past, ...] = field(repr=False)
    splits: Mapping[str, Split] = field(repr=False)
    findings: Findings = NO_FINDINGS

    @property
    def snapshot(self) -> Snapshot:
        """The plan whose error this is: the latest of those given."""
        return self.pasts[-1].promised.snapshot

    @property
    def now(self) -> pd.Timestamp:
        """Up to when."""
        return self.pasts[-1].actual.now

    @property
    def services(self) -> list[str]:
        """Names of the services that were compared."""
        return list(self.splits)

    @cached_property
    def largest(self) -> list[str]:
        """Services that could be compared, those of the largest error first."""
        rows = self.frame[(self.frame["service"] != FLEET) & (self.frame["hours"] > 0)]
        sizes = [size_of(row) for _, row in rows.iterrows()]
        order = sorted(zip(sizes, rows["service"], strict=True), key=lambda pair: (-pair[0], pair[1]))
        return [name for _, name in order]

    @cached_property
    def fates(self) -> pd.DataFrame:
        """`schema.FATES`."""
        return fate_tables.frame(self.recommendations)

    @cached_property
    def parts(self) -> pd.DataFrame:
        """From planned to actual, long: service, part, task_hours, usd. Parts of one service add up to its actual."""
        hours = self.frame.melt("service", ["planned", *PARTS[:-1], "actual"], "part", "task_hours")
        money = self.frame.melt("service", [f"usd_{part}" for part in ("planned", *PARTS, "actual")], "part", "usd")
        money["part"] = money["part"].str.removeprefix("usd_")
        both = money.merge(hours, how="left", on=["service", "part"])
        order = {part: place for place, part in enumerate(("planned", *PARTS, "actual"))}
        names = {name: place for place, name in enumerate(self.frame["service"])}
        both = both.assign(_at=both["service"].map(names) * len(order) + both["part"].map(order)).sort_values("_at")
        return both[["service", "part", "task_hours", "usd"]].reset_index(drop=True)

    def split_of(self, service: str) -> Split:
        """The error of one service. Raises InputError, naming some of those that were compared."""
        if service not in self.splits:
            raise InputError(
                f"no service {service!r} was compared", advice=f"Compared are: {first_few(self.services, most=10)}."
            )
        return self.splits[service]

    def of(self, service: str) -> pd.DataFrame:
        """One service by interval: planned, expected, wanted, carried, ran (tasks), full (full tasks of its load)."""
        one = self.split_of(service)
        columns = {state: one.tasks[state] for state in STATES}
        return pd.DataFrame({**columns, "full": one.full, "censored": one.censored}, index=one.times)

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        """What there is to say, each with a state that tells whether it has changed."""
        return facts_of(self)

    def to_dict(self) -> dict[str, Any]:
        """What the next digest compares with, as JSON can hold it: `digest(previous=...)`."""
        facts = [fact._asdict() for fact in self.facts]
        plan = str(self.snapshot.about.get("fingerprint", ""))
        return {"format": 1, "now": self.now.isoformat(), "plan": plan, "facts": facts}

    def digest(self, kind: str = "markdown", previous: Last = None) -> str | dict[str, Any]:
        """A short digest: "markdown" text; "slack" blocks; "email" as subject, text and html.

        previous  the last review, what `to_dict` gave of it, or the file that holds that: only what changed is said
        """
        from capacity.reviewing.digest import digest

        return digest(self, kind, previous)

    def plot(self, service: str | None = None, of: str = "parts") -> Any:
        """A chart: "parts", from planned to actual, of the fleet or one service; "demand" over its band; "tasks".

        The last two are of one service, the first when none is named.
        """
        from capacity.reviewing.pictures import plot

        return plot(self, service, of)

    def __str__(self) -> str:
        return "\n".join(fact.text for fact in self.facts if fact.headline)

    def _repr_html_(self) -> str:
        return table_html(" ".join(fact.text for fact in self.facts if fact.headline), self.frame)

    @property
    def fleet(self) -> pd.Series:
        """The row of all services together."""
        return self.frame[self.frame["service"] == FLEET].iloc[0]
