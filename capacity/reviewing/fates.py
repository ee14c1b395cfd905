"""What became of each recommendation: applied, changed, ignored, not needed, not due, or unknown. And what that did.

What is in force is seen in what ran (nobody asks for fewer tasks than the minimum, or more than the maximum), or read
from today's settings or the live policy where they are given. What is not seen is not guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import pandas as pd

from capacity.config import Config
from capacity.planning.plans import Decision
from capacity.planning.words import spoken_date
from capacity.reviewing.actuals import Actual
from capacity.reviewing.decomposing import Split
from capacity.reviewing.fate_rules import RULES
from capacity.reviewing.scene import Scene, Status, Told, stands
from capacity.scaling.policy import Policy
from capacity.schema import FATES


@dataclass(frozen=True, eq=False)
class Fate:
    """One decision and what became of it. usd and task_hours_short: until now; below zero is saved, or spared."""

    decision: Decision
    status: Status
    evidence: str
    usd: float = float("nan")
    task_hours_short: float = float("nan")

    @property
    def row(self) -> dict[str, object]:
        """A row of `schema.FATES`."""
        return {
            "service": self.decision.service,
            "kind": self.decision.kind,
            "recommended": self.decision.sentence,
            "status": self.status,
            "evidence": self.evidence,
            "usd": self.usd,
            "task_hours_short": self.task_hours_short,
            "before": pd.NaT if self.decision.before is None else self.decision.before,
            "owner": self.decision.owner,
        }


def fates(
    decisions: Iterable[Decision],
    splits: Mapping[str, Split],
    actual: Actual,
    *,
    config: Config | None = None,
    before: Config | None = None,
    policy: Policy | None = None,
    end: pd.Timestamp | None = None,
) -> tuple[Fate, ...]:
    """The fate of every decision of a plan, in the plan's order.

    config  today's settings        before  those the plan was made with        policy  what is live
    end     of the plan's horizon: what it said to watch and did not happen by then was not needed
    """
    today = {service.name: service for service in config.service} if config is not None else {}
    live = {one.service.name: (one.min_tasks, one.max_tasks) for one in policy.services} if policy is not None else {}
    found = []
    for decision in decisions:
        service = today.get(decision.service)
        bounds = live.get(decision.service) or ((service.min_tasks, service.max_tasks) if service else None)
        split = splits.get(decision.service)
        seen = split if split is not None and split.compared.any() else None
        if seen is None and bounds is not None and decision.kind in BOUNDS:
            told = stated(decision, bounds)
        elif decision.kind in RULES:
            told = RULES[decision.kind](decision, Scene(seen, actual, service, bounds))
        else:
            told = shared(decision, config, before, actual)
        over = end is not None and actual.now >= end
        found.append(Fate(decision, *_due(decision, told, actual.now, over)))
    return tuple(found)


#: Decisions about a bound -> which of (minimum, maximum).
BOUNDS: Final = {"raise_min": 0, "lower_min": 0, "raise_max": 1, "lower_max": 1}


def stated(decision: Decision, bounds: tuple[int, int]) -> Told:
    """By settings alone, for a service of which nothing was compared: what that did is not known."""
    which = BOUNDS[decision.kind]
    said = f"Its {('minimum', 'maximum')[which]} is {bounds[which]:,} today. What that did is not known."
    return Told(stands(decision, bounds[which]), said)


def _due(decision: Decision, told: Told, now: pd.Timestamp, over: bool) -> Told:
    """What was left alone before its day is not ignored yet; what never happened by the end was not needed."""
    if told.status == "not due" and over:
        return told._replace(status="not needed")
    if told.status != "ignored" or decision.before is None or decision.before <= now:
        return told
    return told._replace(
        status="not due", evidence=f"{told.evidence} There is time until {spoken_date(decision.before)}."
    )


def shared(decision: Decision, config: Config | None, before: Config | None, actual: Actual) -> Told:
    """Quotas, commitments and budgets: what today's settings say of them."""
    if config is None or before is None:
        return Told("cannot be told", "Today's settings are not known: pass them.")
    if decision.kind == "commit":
        new, old = config.prices.commitment, before.prices.commitment
        return Told("ignored", "No commitment was added.") if new == old else Told("applied", "Commitments were added.")
    if decision.kind == "raise_quota" and decision.current is not None and decision.proposed is not None:
        for account in before.account:
            for name in ("fargate_vcpu_quota", "fargate_spot_vcpu_quota"):
                if getattr(account, name) == decision.current and account.region in decision.service:
                    return _quota(decision, config, account.region, name)
    return Told("cannot be told", "Neither settings nor actuals show it.")


def _quota(decision: Decision, config: Config, region: str, name: str) -> Told:
    for account in config.account:
        value = getattr(account, name)
        if account.region == region and value is not None:
            return Told(stands(decision, value), f"The quota is {value:,.0f} {decision.unit} today.")
    return Told("cannot be told", "Today's settings do not state the quota.")


def frame(found: Iterable[Fate]) -> pd.DataFrame:
    """`schema.FATES`."""
    table = pd.DataFrame([fate.row for fate in found], columns=FATES.names)
    table["before"] = pd.to_datetime(table["before"], utc=True).astype("datetime64[us, UTC]")
    return table.astype({"usd": "float64", "task_hours_short": "float64"})
