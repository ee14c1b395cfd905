"""Fargate's vCPU quota: one for all services of an account and region, with one deployment at its peak."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from capacity.config import Account, Service
from capacity.findings import Finding
from capacity.planning.limits import EARLY, LIKELY, limit_row, passage
from capacity.planning.matching import Asked
from capacity.planning.plans import Decision
from capacity.planning.words import before, passing, percent, sensible, spoken_date


class Quotas(NamedTuple):
    """What the quotas add to a plan: rows of `schema.LIMITS`, decisions, findings."""

    rows: list[dict[str, Any]]
    decisions: list[Decision]
    findings: list[Finding]


class RegionUse:
    """Fargate vCPU of one region, path by path, while one service deploys: what the account's quota has to hold.

    The running sum counts what each path needs, at least each service's minimum and not clipped by its maximum: the
    plan asks for maxima to be raised, and the quota has to hold what it asks for. On top comes the surge of the one
    service whose rolling deployment adds most, floor(n x maximum_percent / 100) - n tasks (reference aws.md 4.2):
    deployments of different services are taken not to be at full height in the same interval.

    >>> use = RegionUse()
    >>> use.add(Service(name="web", task_vcpu=1), np.array([[3, 5]]))
    >>> use.add(Service(name="api", task_vcpu=2, task_memory_gib=4, maximum_percent=150), np.array([[4, 1]]))
    >>> use.peak.tolist()  # 3 + 8 running and 4 more for api, then 5 + 2 running and 5 more for web
    [[15.0, 12.0]]
    """

    def __init__(self) -> None:
        self.services: list[str] = []
        self._running: np.ndarray = np.zeros((1, 1))
        self._surge: np.ndarray = np.zeros((1, 1))

    def add(self, service: Service, counts: np.ndarray) -> None:
        """Add a service whose paths need `counts` (P, H) whole tasks."""
        tasks = np.maximum(counts, service.min_tasks)
        extra = tasks * service.maximum_percent // 100 - tasks
        self._running = self._running + tasks * service.task_vcpu
        self._surge = np.maximum(self._surge, extra * service.task_vcpu)
        self.services.append(service.name)

    @property
    def peak(self) -> np.ndarray:
        """(P, H) vCPU while the largest of the deployments runs."""
        return self._running + self._surge


def weigh_quotas(asked: Asked, use: dict[str, RegionUse], times: pd.DatetimeIndex) -> Quotas:
    """The quota of every account that services use. Without a stated quota nothing is known, and that is said."""
    found = Quotas([], [], [])
    for account in asked.accounts:
        region = use[account.region]
        if not region.services:
            continue
        if account.fargate_vcpu_quota is None:
            found.findings.append(_not_stated(account))
            continue
        row = quota_row(account, account.fargate_vcpu_quota, region, times, asked.goal.level)
        found.rows.append(row)
        decision = quota_decision(account, row, times, len(region.services))
        found.decisions.extend([decision] if decision is not None else [])
        missing = [s.name for s in asked.services if in_quota(s, account) and s.name not in region.services]
        found.findings.extend([_not_counted(account, missing)] if missing else [])
    return found


def in_quota(service: Service, account: Account) -> bool:
    """Does the service use the account's Fargate quota?"""
    return service.launch_type == "FARGATE" and service.region == account.region


def quota_row(account: Account, quota: float, use: RegionUse, times: pd.DatetimeIndex, level: float) -> dict[str, Any]:
    """The row of a region's Fargate On-Demand vCPU quota (L-3032A538)."""
    found = passage(use.peak, quota, level)
    name = account_name(account.region)
    return limit_row(name, "fargate_vcpu_quota", quota, "vCPU", found, times, account.quota_change_days)


def account_name(region: str) -> str:
    """How a region's account-wide rows are named.

    >>> account_name("eu-west-1")
    '(account eu-west-1)'
    """
    return f"(account {region})"


def quota_decision(account: Account, row: dict[str, Any], times: pd.DatetimeIndex, services: int) -> Decision | None:
    """The region's quota will be, or may be, too low for the fleet's deployment peak."""
    if row["probability"] < EARLY:
        return None
    quota, end, likely = row["value"], spoken_date(times[-1]), percent(row["probability"])
    counted = f"Counted: {services} service{'' if services == 1 else 's'}, the one with the largest surge deploying."
    facts = {"service": row["service"], "current": quota, "unit": "vCPU", "before": row["act_by"]}
    why = f"{passing(row, times, 'UTC')} {row['needed']:,.0f} vCPU hold to {end}. {counted}"
    if row["probability"] < LIKELY:
        text = (
            f"Watch the Fargate quota of {account.region}: {likely} chance that it needs more than {quota:,.10g} vCPU"
        )
        return Decision("watch", sentence=f"{text} by {end}.", because=why, probability=row["probability"], **facts)
    proposed = sensible(max(row["needed"], quota + 1))
    reached = row["median"] == times[0]
    when = "now: it is already reached." if reached else f"{before(row['act_by'], times[0], 'UTC')}, {likely} sure."
    return Decision(
        "raise_quota",
        sentence=f"Raise the Fargate vCPU quota of {account.region} from {quota:,.10g} to {proposed:,} {when}",
        because=f"{why} Quota code L-3032A538.",
        probability=1.0 if reached else row["probability"],
        proposed=proposed,
        **facts,
    )


def _not_stated(account: Account) -> Finding:
    return Finding(
        account_name(account.region),
        "",
        "quota",
        "UNKNOWN",
        "The Fargate vCPU quota is not stated, so nobody checked whether the plan fits in it.",
        f'State fargate_vcpu_quota under [account] region = "{account.region}" (Service Quotas, L-3032A538).',
    )


def _not_counted(account: Account, missing: list[str]) -> Finding:
    names = ", ".join(missing[:5]) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
    return Finding(
        account_name(account.region),
        "",
        "quota",
        "UNKNOWN",
        f"The vCPU of services that could not be planned are not counted against the quota: {names}.",
        "Read the date of the quota as no earlier than the true one.",
    )
