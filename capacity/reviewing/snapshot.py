"""`Snapshot`: a plan with everything it was made from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from capacity.config import Config, Rate
from capacity.demand import Demand
from capacity.display import table_html
from capacity.findings import NO_FINDINGS, Findings
from capacity.forecasting.knowledge.overrides import Override
from capacity.planning.plans import Decision, Plan
from capacity.scaling.policy import Policy
from capacity.scaling.search.beside import Beside

#: A moment: text of ISO 8601, a datetime or Timestamp; read as UTC when it names no zone.
Moment = str | datetime


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A plan as it was: what went in, what came out, and who said so when.

    about      format, capacity_version, packages, created_at (when it was saved), fingerprint of the inputs, seed
    config     settings in force: services, goal, prices, accounts, events, budgets
    demand     what was forecast from
    plan       `schema.PLAN`, a row a service and interval
    limits     `schema.LIMITS`
    cost       `schema.COST`
    decisions  what was recommended, most urgent first
    quantiles  of the forecast, a row a service, metric and interval: mean and a column a level (p1 ... p99)
    peaks      of its paths, a row a service, metric and window (day, horizon): quantiles of the largest value
    counts     a row a service and interval: quantiles over paths of the tasks needed
    policies   service -> the recommended policy as plain data; empty where none was made
    rates      the prices it was made at, discounts included
    overrides  what experts changed on the forecast, in the order they did
    """

    about: Mapping[str, Any]
    config: Config
    demand: Demand
    plan: pd.DataFrame
    limits: pd.DataFrame
    cost: pd.DataFrame
    decisions: tuple[Decision, ...]
    quantiles: pd.DataFrame
    peaks: pd.DataFrame
    counts: pd.DataFrame
    policies: Mapping[str, Any] = field(default_factory=dict)
    findings: Findings = NO_FINDINGS
    rates: tuple[Rate, ...] = ()
    overrides: tuple[Override, ...] = ()

    @classmethod
    def of(
        cls,
        plan: Plan,
        config: Config | None = None,
        *,
        demand: Demand | None = None,
        policy: Policy | None = None,
        beside: Iterable[Beside] = (),
        created_at: Moment | None = None,
    ) -> Snapshot:
        """What there is to keep of a plan; `Chain.snapshot` knows all of it by itself.

        config      settings that it follows from. Without them it can be opened and reviewed, not run again
        demand      what was handed to `forecast`; its own past when not given
        policy      what `recommend_policy` gave, if it is to be kept
        beside      what was tried beside tracking and schedules, as `recommend_policy` was told
        created_at  now when not given. Nothing else varies: same plan, same file

        Raises InputError for settings or demand of another plan, naming what differs.
        """
        from capacity.reviewing.taking import taken

        return taken(plan, config, demand=demand, policy=policy, beside=tuple(beside), created_at=created_at)

    @property
    def created_at(self) -> pd.Timestamp:
        """When it was kept, UTC."""
        return pd.Timestamp(self.about["created_at"])

    @property
    def cutoff(self) -> pd.Timestamp:
        """End of what was known, UTC: where the plan begins."""
        return self.demand.end

    @property
    def end(self) -> pd.Timestamp:
        """End of the horizon, UTC."""
        return pd.Timestamp(self.about["horizon_end"])

    @property
    def policy(self) -> Policy:
        """The recommended policy as a noun: to render, to compare, to apply. Of no service where none was made."""
        from capacity.reviewing.plain import policy_of

        return policy_of(self.policies, {one.name: one for one in self.config.service})

    def save(self, path: str | Path) -> Path:
        """Write it as one file, which ends in .plan and appears whole or not at all. Same plan, same bytes."""
        from capacity.reviewing.keeping import save

        return save(self, Path(path))

    def rerun(self, *, created_at: Moment | None = None) -> Snapshot:
        """The same demand and settings through forecast, plan and policy again, by the packages that are here now.

        Made at the prices that it was made at, whatever they are today. With the same packages the file is the same, to
        the byte, but for `created_at` (now, when not given). With others a finding names them, and says which numbers
        moved. Raises InputError where something that it was made with could not be kept.
        """
        from capacity.reviewing.rerunning import rerun

        return rerun(self, created_at)

    def differs(self, other: Snapshot) -> pd.DataFrame:
        """What another snapshot has otherwise, `schema.DIFFERENCES`: inputs, packages, numbers. Empty: nothing."""
        from capacity.reviewing.differing import differences

        return differences(self, other)

    def plot(self, service: str | None = None, metric: str | None = None) -> Any:
        """Chart of one series, the first unless named: the history it was made from, and the band that was expected."""
        from capacity.reviewing.picture import fan

        return fan(self, service, metric)

    def __str__(self) -> str:
        services, open_ = len(self.config.service), len(self.decisions)
        return (
            f"Plan of {self.created_at:%Y-%m-%d %H:%M} UTC for {self.cutoff:%Y-%m-%d} to {self.end:%Y-%m-%d}: "
            f"{services:,} service{'' if services == 1 else 's'}, {open_:,} decision{'' if open_ == 1 else 's'}, "
            f"by capacity {self.about['capacity_version']}"
        )

    def _repr_html_(self) -> str:
        return table_html(str(self), self.plan)
