"""Budgets: how likely a calendar month's spend passes what it may be, when, and what AWS Budgets should tell whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from capacity.config import Budget
from capacity.display import table_html
from capacity.errors import ConfigError
from capacity.findings import Finding, Findings
from capacity.planning.limits import EARLY, LIKELY
from capacity.planning.money.months import Month, months
from capacity.planning.money.spend import asked_of
from capacity.planning.words import level_words, listed, percent, spoken_date, usd

if TYPE_CHECKING:
    from capacity.planning.plans import Decision, Plan

#: Columns of `Budgets.frame`.
_FRAME = (
    *("budget", "month", "whole", "limit", "so_far", "usd", "p5", "p50", "p95"),
    *("probability", "first", "median"),
)


@dataclass(frozen=True, eq=False)
class Budgets:
    """What becomes of each budget in each month that a plan touches.

    frame      one row a budget and month: `limit`, `so_far` (USD before the plan begins), `usd` with p5, p50 and p95
               over the paths, `probability` that it is passed, and when 5 % (`first`) and half (`median`) of the paths
               have passed it, NaT where fewer do. Where the plan ends inside the month (`whole` is False) all of that
               is of the part it reaches. NaN where spend is not known
    over_time  one row a budget and day: `probability` that its month has been passed by the end of that day
    decisions  what to decide about them
    """

    budgets: tuple[Budget, ...]
    frame: pd.DataFrame
    over_time: pd.DataFrame
    decisions: tuple[Decision, ...]
    findings: Findings

    def render(self, kind: str, account_id: str = "") -> Any:
        """As AWS Budgets: `boto3`, `cloudformation` or `cli`; thresholds come from the forecast.

        account_id  twelve digits; CloudFormation needs none
        """
        from capacity.planning.money.budget_documents import render

        return render(self, kind, account_id)

    def __str__(self) -> str:
        if not self.budgets:
            return "No budget is stated: add [[budget]] to the settings, or pass Budget(name=..., usd_per_month=...)."
        said = [*(one.sentence for one in self.decisions), *map(str, self.findings)]
        return "\n".join(said) or f"No budget is passed in as many as {100 * EARLY:g} % of the futures."

    def plot(self) -> Any:
        """How likely each budget is passed by each day of its month: it begins anew with the next.

        Raises InputError where no budget is stated, or nothing is known of its spend.
        """
        from capacity import charts

        table = self.over_time.pivot_table(index="day", columns="budget", values="probability", sort=False).sort_index()
        lines = {str(name): table[name].to_numpy(dtype=float) for name in table.columns}
        return charts.probability(pd.DatetimeIndex(table.index), lines, "Budgets passed, each in its month")

    def _repr_html_(self) -> str:
        return table_html(f"{len(self.budgets)} budgets, and what becomes of them", self.frame)


def budgets(plan: Plan, stated: Iterable[Budget] | None = None) -> Budgets:
    """Each budget beside the plan's paths, month by month (UTC), at the plan's prices.

    stated  the budgets; those the plan was asked for when None

    A month that began before the plan counts what was spent until then. Savings Plans that are held are not taken off.
    """
    chosen = asked_of(plan).budgets if stated is None else tuple(stated)
    for one in chosen:
        if not isinstance(one, Budget):
            raise ConfigError(f"{one!r} is not a Budget", advice="Write Budget(name=..., usd_per_month=...).")
    rows, curves, decisions, findings = [], [], [], []
    for budget in chosen:
        names = [service.name for service in plan.services]
        strangers = [name for name in budget.services if name not in names]
        unpriced = [name for name in budget.services or names if name not in strangers and _unpriced(plan, name)]
        if strangers or unpriced:
            findings.append(_unknown(budget, strangers, unpriced))
        if strangers:
            continue
        looked = months(plan, budget.services or names)
        own = [_row(budget, month) for month in looked]
        rows += own
        curves += [_curve(budget, month) for month in looked]
        decision = _decide(plan, budget, looked, own)
        decisions += [] if decision is None else [decision]
        findings += [_not_so_far(budget, month) for month in looked if np.isnan(month.so_far) and not unpriced]
    return Budgets(
        budgets=chosen,
        frame=pd.DataFrame(rows, columns=list(_FRAME)),
        over_time=pd.concat(curves, ignore_index=True)
        if curves
        else pd.DataFrame(columns=["budget", "month", "day", "probability"]),
        decisions=tuple(decisions),
        findings=Findings.of(findings),
    )


def _unpriced(plan: Plan, name: str) -> bool:
    return not np.isfinite(plan.path_usd[name]).all()


def _row(budget: Budget, month: Month) -> dict[str, Any]:
    total = month.total
    p5, p50, p95 = (float(np.quantile(total, level)) for level in (0.05, 0.5, 0.95))
    passed = _passed(budget, month)
    return {
        "budget": budget.name,
        "month": month.start,
        "whole": month.whole,
        "limit": budget.usd_per_month,
        "so_far": month.so_far,
        "usd": float(total.mean()),
        "p5": p5,
        "p50": p50,
        "p95": p95,
        "probability": float(passed[-1]),
        "first": _when(month, passed, EARLY),
        "median": _when(month, passed, LIKELY),
    }


def _passed(budget: Budget, month: Month) -> np.ndarray:
    """(T,) share of paths that have passed the budget by the end of each interval; NaN where spend is not known."""
    share = (month.spent > budget.usd_per_month).mean(axis=0)
    return np.where(np.isfinite(month.spent).all(axis=0), share, np.nan)


def _when(month: Month, passed: np.ndarray, share: float) -> pd.Timestamp:
    at = np.flatnonzero(passed >= share)
    return month.ends[at[0]] if len(at) else pd.NaT


def _curve(budget: Budget, month: Month) -> pd.DataFrame:
    days = (month.ends - pd.Timedelta(microseconds=1)).normalize()
    last = np.flatnonzero(np.append(days[1:] != days[:-1], True))
    return pd.DataFrame(
        {
            "budget": budget.name,
            "month": month.start,
            "day": days[last],
            "probability": _passed(budget, month)[last],
        }
    )


def _decide(plan: Plan, budget: Budget, looked: list[Month], rows: list[dict[str, Any]]) -> Decision | None:
    """About the first month that probably passes the budget, else the first that may."""
    from capacity.planning.plans import Decision

    passing = [
        (month, row)
        for least in (LIKELY, EARLY)
        for month, row in zip(looked, rows, strict=True)
        if row["probability"] >= least
    ]
    if not passing:
        return None
    month, row = passing[0]
    name = spoken_date(month.start).split(" ", 1)[1]  # of "1 December 2026"
    likely = row["probability"] >= LIKELY
    needed = float(np.quantile(month.total, plan.goal.level))
    when = f", half of the futures by {spoken_date(row['median'])}" if row["median"] is not pd.NaT else ""
    sentence = (
        f"Raise the budget `{budget.name}` above {usd(budget.usd_per_month)} or spend less: {name} passes it, "
        f"{percent(row['probability'])} sure."
        if likely
        else f"Watch the budget `{budget.name}`: {percent(row['probability'])} chance that {name} passes "
        f"{usd(budget.usd_per_month)}."
    )
    part = "" if month.whole else " until the plan ends"
    return Decision(
        kind="budget" if likely else "watch",
        service="",
        sentence=sentence,
        because=f"Expected{part} are {usd(row['usd'])}, 90 % between {usd(row['p5'])} and {usd(row['p95'])}; the first "
        f"{percent(EARLY)} pass it by {spoken_date(row['first'])}{when}. {usd(needed)} would hold, "
        f"{level_words(plan.goal.level)} sure.",
        probability=row["probability"],
        before=row["first"],
        current=budget.usd_per_month,
        proposed=float(np.ceil(needed / 10) * 10),
        unit="USD/month",
        owner=budget.owner,
    )


def _unknown(budget: Budget, strangers: list[str], unpriced: list[str]) -> Finding:
    reasons = [f"{listed(strangers)} not planned"] if strangers else []
    reasons += [f"{listed(unpriced)} without a price"] if unpriced else []
    return Finding(
        "",
        "cost",
        "budget",
        "UNKNOWN",
        f"Whether the budget {budget.name!r} holds is not known: {' and '.join(reasons)}.",
        "Plan every service that it names, and state the prices that are missing in [[prices.rate]].",
    )


def _not_so_far(budget: Budget, month: Month) -> Finding:
    return Finding(
        "",
        "cost",
        "budget",
        "UNKNOWN",
        f"What counts for the budget {budget.name!r} has no known cost from {spoken_date(month.start)} to the plan's "
        "beginning, so that month is left open.",
        "Bring the history of the whole month.",
    )
