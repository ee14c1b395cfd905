"""What is remarkable about a FOCUS export, in words: what was left out, and where it ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from capacity.findings import Finding
from capacity.sources.bills import words as bill_words
from capacity.sources.pulling import nothing_found


@dataclass
class Told:
    """What the files said about themselves, gathered."""

    chosen: bool  # whether only some services are kept
    counts: Counter[str] = field(default_factory=Counter)
    others: set[str] = field(default_factory=set)
    contracts: list[str] = field(default_factory=list)  # files of that dataset
    longer_cost: float = 0.0
    last: pd.Timestamp = field(default_factory=lambda: pd.Timestamp("1970-01-01", tz="UTC"))

    def add(self, facts: dict[str, Any]) -> None:
        """What one more file says: a row of `focus_query.facts`."""
        self.counts.update({name: int(facts[name]) for name in ("rows", "others", "longer", "unpriced", "tags")})
        self.others.update(facts["other_names"] or ())
        self.longer_cost += float(facts["longer_cost"] or 0.0)
        if facts["last"] is not None:
            self.last = max(self.last, pd.Timestamp(facts["last"], tz="UTC"))

    @property
    def whole_until(self) -> pd.Timestamp:
        """The end of the last day that the export has the whole of."""
        return self.last.floor("D")

    def findings(self, frame: pd.DataFrame, tag: str) -> Iterator[Finding]:
        """What is remarkable about the export and the bill made from it."""
        others = sorted(self.others)
        if self.contracts:
            message = f"contract commitments, which are no charges: {bill_words.listed(self.contracts)} not read"
            yield Finding("", "", "datasets", "PASS", message, count=len(self.contracts))
        if self.counts["others"]:
            yield Finding(
                "",
                "",
                "other services",
                "PASS",
                f"{self.counts['others']:,} of {self.counts['rows']:,} charges are of other services and left out: "
                f"{bill_words.listed(others)}",
                "Name what is to be kept: --service-name (in Python, services).",
                count=self.counts["others"],
            )
        if frame.empty:
            yield nothing_found(
                "",
                "cost",
                "the export has no charge of the services asked for that lies inside a day",
                "See what was left out." if self.counts["others"] or self.counts["longer"] else "Is it the right file?",
            )
        if self.counts["longer"]:
            yield Finding(
                "",
                "cost",
                "charge periods",
                "REVIEW",
                f"{self.counts['longer']:,} charges are for more than a day, {self.longer_cost:,.2f} in all: left out",
                "A month's tax or fee is in no interval. If these are usage: export by the hour or day.",
                count=self.counts["longer"],
            )
        if self.counts["unpriced"]:
            message = f"{self.counts['unpriced']:,} charges have no EffectiveCost: what they add to is NaN, not less"
            yield Finding("", "cost", "amounts", "UNKNOWN", message, count=self.counts["unpriced"])
        if self.counts["tags"] and tag:
            message = f"the tags of {self.counts['tags']:,} charges are no JSON: their service is not known"
            yield Finding("", "", "tags", "REVIEW", message, count=self.counts["tags"])
        if self.chosen:
            yield from bill_words.unknown_usage(frame)
        yield from bill_words.untagged(frame, tag)
        yield from bill_words.estimated(frame, "The export ends inside this day. Read it again when there is more.")
