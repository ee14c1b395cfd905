"""What a million requests cost, and what of a plan's spend works: unit costs, and the price of each headroom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.demand.demand import Key
from capacity.display import table_html
from capacity.findings import Finding, Findings
from capacity.planning.matching import Match
from capacity.planning.money.spend import matches_of, rate_of, running
from capacity.planning.needs import full_tasks
from capacity.planning.prices import usd_per_hour
from capacity.planning.words import share, usd

if TYPE_CHECKING:
    from capacity.history.history import History
    from capacity.planning.plans import Plan

#: Name of the row of all services together.
FLEET: Final = "(fleet)"

#: Days of the past that a unit cost is compared with.
PAST_DAYS: Final = 28

#: Share of a day that has to be known before it is compared.
KNOWN: Final = 0.9

#: Steps of a plan, in order: what each adds is idle until it is needed.
_STEPS: Final = (
    ("rounding", "need", "for_load"),
    ("start-up", "for_load", "for_startup"),
    ("deployment", "for_startup", "for_deployment"),
    ("zone room", "for_deployment", "for_zone_loss"),
)


@dataclass(frozen=True, eq=False)
class UnitCosts:
    """Unit costs of a plan's services and of the fleet, with their interval over the paths.

    frame     one row a service, then `(fleet)`: `requests` (millions over the horizon), `usd` over the horizon,
              `usd_per_million` with p5, p50, p95, `task_hours`, `usd_per_task_hour`; and what a million cost lately:
              `past_usd_per_million`, `past_from` (`bill` or `running tasks`), NaN where not known
    headroom  one row a service and part of the plan's own counts: `task_hours`, `usd` and `share` of it. `working` is
              what the load uses, `target` what full tasks leave free by their target, then what each step adds, and
              what the bounds add (`minimum`) or take (`maximum`, negative). The parts add up to the planned cost.
    """

    frame: pd.DataFrame
    headroom: pd.DataFrame
    findings: Findings

    @property
    def idle(self) -> float:
        """Share of the planned spend of all services that does not work for load; NaN without a price."""
        usd = self.headroom.groupby("part")["usd"].sum(min_count=1)
        return float(1 - usd["working"] / usd.sum(min_count=1))

    @property
    def sentence(self) -> str:
        """What a million requests will cost, of the fleet or the only service, and how much of the spend is idle."""
        row, alone = self.frame.iloc[-1], self.headroom["service"].unique()
        idle = "" if np.isnan(self.idle) else f" {share(self.idle)} of the spend is headroom and idle time."
        if np.isnan(row["usd_per_million"]):
            return f"What a million requests cost is not known.{idle}"
        whole = "the fleet's" if len(alone) > 1 else f"`{alone[0]}`'s"
        between = f"90 % between {usd(row['p5'])} and {usd(row['p95'])}"
        return f"A million of {whole} requests cost {usd(row['usd_per_million'])}, {between}.{idle}"

    def __str__(self) -> str:
        return self.sentence

    def plot(self) -> Any:
        """A bar of USD per million requests for each service and the fleet, with the central 90 % of the futures."""
        from capacity import charts

        cost, low, high = (self.frame[name].to_numpy(dtype=float) for name in ("usd_per_million", "p5", "p95"))
        names, unit = list(self.frame["service"]), "USD per million requests; line: 90 % of the futures"
        return charts.bars(names, cost, unit, "What a million requests cost", low=low, high=high)

    def _repr_html_(self) -> str:
        return table_html(self.sentence, self.frame)


def unit_costs(plan: Plan, history: History | None = None) -> UnitCosts:
    """What a million requests cost on each path when tasks follow load, and which headroom costs what.

    history  where it holds the bill (`cost`), the past is told from it, else from the tasks that ran

    A service that is planned without requests has a cost per task-hour only, and is not in the fleet's unit cost.
    """
    rows, parts, findings = [], [], []
    fleet: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    past: list[tuple[float, float, str]] = []
    for found in matches_of(plan):
        service = found.service
        requests, usd = requests_of(plan, found), plan.path_usd[service.name]
        hours = running(plan, service).sum(axis=1) * _interval_hours(plan)
        before = lately(plan, found, history)
        rows.append(_row(service.name, requests, usd, hours, before))
        parts.append(headroom(plan, service))
        if requests is None:
            findings.append(_no_requests(service))
        elif np.isfinite(usd).all():
            fleet.append((requests, usd, hours))
            past.append(before)
    if fleet:
        served, spent, ran = (np.sum(part, axis=0) for part in zip(*fleet, strict=True))
        rows.append(_row(FLEET, served, spent, ran, _together(past)))
    return UnitCosts(pd.DataFrame(rows), pd.concat(parts, ignore_index=True), Findings.of(findings))


def requests_of(plan: Plan, found: Match) -> np.ndarray | None:
    """(P,) millions of requests over the horizon; None where requests are not forecast."""
    key = Key(found.name, "requests")
    if key not in found.keys:
        return None
    paths = plan.forecast.paths[plan.forecast.keys.index(key)]
    return np.asarray(paths.sum(axis=1, dtype=float) * _interval_hours(plan) * 3600 / 1e6)


def headroom(plan: Plan, service: Service) -> pd.DataFrame:
    """Task-hours of the plan's own counts by what they are for: columns service, part, task_hours, usd, share."""
    rows = plan.of(service.name)
    full = {resource: each.target for resource, each in full_tasks(service).items()}
    targets = rows["load_bound_by"].map(full).to_numpy(dtype=float)
    need, bounded = rows["need"].to_numpy(), (rows["tasks"] - rows["for_zone_loss"]).to_numpy()
    parts = {"working": need * targets, "target": need * (1 - targets)}
    parts |= {part: (rows[after] - rows[before]).to_numpy() for part, before, after in _STEPS}
    parts |= {"minimum": np.maximum(bounded, 0), "maximum": np.minimum(bounded, 0)}
    hours = {part: float(counts.sum()) * _interval_hours(plan) for part, counts in parts.items()}
    planned, total = plan.cost.loc[plan.cost["service"] == service.name, "planned"], sum(hours.values())
    each = planned.sum(min_count=len(planned)) / total if total > 0 else np.nan
    table = [(service.name, part, own, own * each, own / total if total > 0 else np.nan) for part, own in hours.items()]
    return pd.DataFrame(table, columns=["service", "part", "task_hours", "usd", "share"])


def lately(plan: Plan, found: Match, history: History | None) -> tuple[float, float, str]:
    """Millions of requests of the last weeks and what they cost in USD, where both are known; and who says so."""
    past, key = plan.forecast.past.select(found.keys), Key(found.name, "requests")
    unknown = (np.nan, np.nan, "")
    if key not in found.keys:
        return unknown
    past = past.since(past.end - pd.Timedelta(days=PAST_DAYS))
    served = past.series(*key)
    billed = _bill(history, found.name, served)
    if billed is not None and billed.notna().any():
        return (*_both(served, billed, past.interval), "bill")
    rate = rate_of(plan, found.service)
    if found.name not in past.tasks or rate is None:
        return unknown
    spent = pd.Series(past.tasks[found.name] * usd_per_hour(found.service, rate), index=past.times)
    return (*_both(served, spent, past.interval), "running tasks") if (served * spent).notna().any() else unknown


def _bill(history: History | None, name: str, served: pd.Series) -> pd.Series | None:
    """USD an hour as billed, at the intervals of what was served; NaN where too few in a bill's interval are known."""
    if history is None or name not in history.services or "cost" not in history.metrics(name):
        return None
    bill = history.series(name, "cost")
    length = max(history.intervals(name, "cost")[-1], served.index[1] - served.index[0])
    days = served.index.floor(length)
    known = served.notna().groupby(days).transform("mean") >= KNOWN
    return pd.Series(bill.reindex(days).to_numpy(), index=served.index).where(known)


def _both(served: pd.Series, spent: pd.Series, interval: pd.Timedelta) -> tuple[float, float]:
    both = served.notna() & spent.notna()
    hours = interval / pd.Timedelta(hours=1)
    return float(served[both].sum() * hours * 3600 / 1e6), float(spent[both].sum() * hours)


def _together(past: list[tuple[float, float, str]]) -> tuple[float, float, str]:
    """The fleet's past, where that of each service is known, and is known alike."""
    sources = {source for _, _, source in past}
    requests, usd = sum(one for one, _, _ in past), sum(one for _, one, _ in past)
    return (requests, usd, sources.pop()) if len(sources) == 1 else (np.nan, np.nan, "")


def _row(
    name: str,
    requests: np.ndarray | None,
    usd: np.ndarray,
    hours: np.ndarray,
    before: tuple[float, float, str],
) -> dict[str, Any]:
    unit = np.full(len(usd), np.nan) if requests is None else usd / np.where(requests > 0, requests, np.nan)
    levels = np.quantile(unit, (0.05, 0.5, 0.95))
    return {
        "service": name,
        "requests": np.nan if requests is None else float(requests.mean()),
        "usd": float(usd.mean()),
        "usd_per_million": float(unit.mean()),
        **dict(zip(("p5", "p50", "p95"), map(float, levels), strict=True)),
        "task_hours": float(hours.mean()),
        "usd_per_task_hour": float(usd.sum() / hours.sum()) if hours.sum() > 0 else np.nan,
        "past_usd_per_million": before[1] / before[0] if before[0] > 0 else np.nan,
        "past_from": before[2],
    }


def _no_requests(service: Service) -> Finding:
    return Finding(
        service.name,
        "requests",
        "unit cost",
        "UNKNOWN",
        "Its requests are not forecast, so what one costs is not known; it is not in the fleet's unit cost.",
        "Bring requests (or jobs) to know it.",
    )


def _interval_hours(plan: Plan) -> float:
    return float(plan.forecast.interval / pd.Timedelta(hours=1))
