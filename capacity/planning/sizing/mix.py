"""`plan.mix()`: how much of a service may run on Spot, and what that saves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from capacity.config import Goal, Rate, Service
from capacity.display import table_html
from capacity.errors import InputError
from capacity.findings import NO_FINDINGS, Finding, Findings
from capacity.planning.cost import spread, usd_of
from capacity.planning.needs import in_full_tasks
from capacity.planning.prices import HOURS_PER_MONTH
from capacity.planning.sizing.spot import Interruptions, Strategy
from capacity.planning.steps import ready_before, tracked_share, whole_tasks
from capacity.planning.words import counted, level_words, listed, percent, share, usd
from capacity.schema import MIXES

if TYPE_CHECKING:
    from capacity.planning.plans import Plan

#: Spot shares that are compared when none are asked for.
SHARES: Final = tuple(number / 10 for number in range(11))

#: Mixes drawn of one service.
DRAWN: Final = 12


@dataclass(frozen=True, eq=False)
class Mix:
    """Mixes of FARGATE and FARGATE_SPOT for some services.

    frame          `schema.MIXES`: a row a service and mix, the cheapest first, those that are ruled out last
    interruptions  how Spot was taken to behave: assumptions
    waiting        services whose work waits in a queue while tasks are replaced
    """

    frame: pd.DataFrame
    interruptions: Interruptions
    findings: Findings = NO_FINDINGS
    waiting: frozenset[str] = frozenset()

    def of(self, service: str) -> pd.DataFrame:
        """The rows of one service. Raises InputError, naming those there are."""
        rows = self.frame[self.frame["service"] == service]
        if rows.empty:
            there = listed(list(dict.fromkeys(self.frame["service"]))) or "none"
            raise InputError(f"no mix of {service!r} was asked for", advice=f"There are: {there}.")
        return rows

    @cached_property
    def best(self) -> pd.DataFrame:
        """The cheapest mix that keeps the promise, a row a service, indexed by it; none where no price is known."""
        allowed = self.frame[self.frame["rejected_because"] == ""]
        return allowed.drop_duplicates("service").set_index("service")

    def strategy(self, service: str) -> list[dict[str, Any]]:
        """The best mix as `capacityProviderStrategy`. Raises InputError where there is none."""
        self.of(service)
        if service not in self.best.index:
            raise InputError(
                f"no mix of {service!r} can be recommended: {self.of(service)['rejected_because'].iloc[0]}"
            )
        best = self.best.loc[service]
        return Strategy(int(best["base"]), float(best["spot_share"])).provider_strategy

    def sentence(self, service: str) -> str:
        """What to do about one service's mix, in one breath."""
        rows = self.of(service)
        if service not in self.best.index:
            return f"No mix of `{service}` can be recommended: {rows['rejected_because'].iloc[0]}."
        best, now = self.best.loc[service], rows[rows["present"]].iloc[0]
        if best["present"]:
            return (
                f"`{service}` runs the cheapest mix that keeps its promise: {_mix(best)}, {usd(best['usd'])} a month."
            )
        risk = f"a wave that takes {share(self.interruptions.lost_share)} of its Spot tasks breaks its promise "
        if service in self.waiting:
            risk += "never, because its work waits"
        elif best["breaks"] == 0:
            risk += "in none of the futures"
        else:
            risk += f"with a chance of {percent(best['breaks'])}"
        if now["rejected_because"]:
            return f"Run `{service}` as {_mix(best)} instead of {_mix(now)}: {now['rejected_because']}; {risk}."
        saved = now["usd"] - best["usd"]
        return f"Run `{service}` as {_mix(best)} and save {usd(saved)} a month ({share(saved / now['usd'])}): {risk}."

    @property
    def sentences(self) -> list[str]:
        """One a service."""
        return [self.sentence(name) for name in dict.fromkeys(self.frame["service"])]

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def plot(self, service: str | None = None) -> Any:
        """A bar of USD a month for each mix of one service, the cheapest first; of the first service unless named.

        Those that are ruled out have no bar, and of many only the first are drawn, and today's.
        """
        from capacity import charts

        rows = self.of(service or str(self.frame["service"].iloc[0]))
        rows = rows[(np.arange(len(rows)) < DRAWN) | rows["present"]]
        labels = [_short(row) for _, row in rows.iterrows()]
        money = rows["usd"].where(rows["rejected_because"] == "").to_numpy(dtype=float)
        title = f"{rows['service'].iloc[0]}: mixes of FARGATE and FARGATE_SPOT"
        return charts.bars(labels, money, "USD a month", title, unknown="ruled out, or at no known price")

    def _repr_html_(self) -> str:
        return table_html(" ".join(self.sentences), self.frame)


def mix(
    plan: Plan,
    service: str | Iterable[str] | None = None,
    *,
    shares: Iterable[float] | None = None,
    bases: Iterable[int] | None = None,
    interruptions: Interruptions | None = None,
) -> Mix:
    """Mixes of FARGATE and FARGATE_SPOT for some services (all of the plan), and which is cheapest and safe enough.

    shares         of the tasks above the base on Spot; None: every 10 %; none at all and today's are always compared
    bases          tasks that stay on FARGATE; None: none, today's, and the plan's fewest and median counts
    interruptions  how Spot behaves; None: `Interruptions()`, whose rates are assumptions, as a finding says

    A mix keeps the promise when a wave at any time leaves enough of the plan's tasks with the goal's probability, each
    as full as it may be after the loss of a zone; so the tasks that a zone's loss keeps spare also cover a wave, but
    not both at once. Queued work (tier "batch") waits while its tasks are replaced: only its cost is compared, with
    the hours that are worked twice. Costs follow each path, as in `plan.cost`. Without a Spot price a mix with Spot
    has no cost and is not recommended. Savings Plans do not apply to Spot, and neither does `discount_percent`.
    Raises InputError for a service that is not planned or runs on EC2, and for shares and bases that cannot be.
    """
    waves = Interruptions() if interruptions is None else interruptions
    names = [service] if isinstance(service, str) else service
    everyone = [one.name for one in plan.services if one.launch_type == "FARGATE"]
    chosen = [plan.service_named(name) for name in dict.fromkeys(everyone if names is None else names)]
    for one in chosen:
        if one.launch_type == "EC2":
            raise InputError(f"{one.name} runs on EC2, and FARGATE_SPOT does not mix with that")
    asked_shares, asked_bases = (
        sorted({*(SHARES if shares is None else shares)}),
        None if bases is None else sorted({*bases}),
    )
    rows, findings = [], [_assumed(waves)] if interruptions is None and chosen else []
    if names is None:
        findings += [_on_instances(one) for one in plan.services if one.launch_type == "EC2"]
    for one in chosen:
        about = Promise.of(plan, one)
        tried = [
            _row(about, Strategy(base, part), waves)
            for base in (_bases(about) if asked_bases is None else asked_bases)
            for part in asked_shares
        ]
        tried += [_row(about, strategy, waves) for strategy in (about.present, Strategy(0, 0.0))]
        rows += sorted(_distinct(tried), key=_order)
        if about.rate is None or about.rate.spot_vcpu is None:
            findings.append(_no_spot_price(one))
    frame = pd.DataFrame(rows, columns=MIXES.names).astype(MIXES.types)
    return Mix(frame, waves, Findings.of(findings), frozenset(one.name for one in chosen if one.tier == "batch"))


@dataclass(frozen=True, eq=False)
class Promise:
    """What one service runs, and how few tasks of it are enough."""

    service: Service
    goal: Goal
    rate: Rate | None
    tasks: np.ndarray  # (H,) the plan's counts, at the goal's level
    enough: np.ndarray  # (P, H) tasks that hold each path's load when as full as they may be
    followed: np.ndarray  # (P, H) counts when tasks follow each path
    interval_hours: float

    @classmethod
    def of(cls, plan: Plan, service: Service) -> Promise:
        goal, need = plan.goal_of(service.name), plan.needs[service.name]
        ready = ready_before(need, service.startup_seconds, plan.forecast.interval / pd.Timedelta(seconds=1))
        rows = plan.of(service.name)
        rate = plan.asked.prices.of(service) if plan.asked is not None else None
        tracked = need / need.dtype.type(tracked_share(service, goal))
        return cls(
            service=service,
            goal=goal,
            rate=rate,
            tasks=(rows["tasks"] + rows["short"]).to_numpy(),
            enough=whole_tasks(ready * need.dtype.type(in_full_tasks(service))),
            followed=np.clip(whole_tasks(tracked), service.min_tasks, service.max_tasks),
            interval_hours=plan.forecast.interval / pd.Timedelta(hours=1),
        )

    @property
    def present(self) -> Strategy:
        """Today's mix."""
        return Strategy(self.service.on_demand_base, self.service.spot_share)

    @property
    def waits(self) -> bool:
        """Whether its work waits in a queue while tasks are replaced."""
        return self.service.tier == "batch"

    def breaks(self, strategy: Strategy, waves: Interruptions) -> float:
        """Chance that a wave at any time of any future leaves fewer tasks than are enough; 0 where it takes none."""
        if self.waits or strategy.spot_share == 0:
            return 0.0
        return float((self.enough > waves.left(self.tasks, strategy)).mean())


def _bases(about: Promise) -> list[int]:
    """None, and as many as the plan runs in its quietest and its median interval."""
    return sorted({0, about.present.base, int(about.tasks.min()), int(np.median(about.tasks))})


def _row(about: Promise, strategy: Strategy, waves: Interruptions) -> dict[str, Any]:
    service = about.service
    month = HOURS_PER_MONTH / (about.followed.shape[1] * about.interval_hours)
    mixed = service.model_copy(update={"on_demand_base": strategy.base, "spot_share": strategy.spot_share})
    above = np.maximum(about.followed - strategy.base, 0).sum(axis=1)
    on = above * strategy.spot_share * about.interval_hours * month  # (P,) Spot task-hours a month
    hours = about.followed.sum(axis=1) * about.interval_hours * month
    seconds = service.startup_seconds if waves.replacement_seconds is None else waves.replacement_seconds
    again = (
        on.mean() / HOURS_PER_MONTH * waves.lost_share * waves.waves_per_month * seconds / 3600 if about.waits else 0
    )
    paid = usd_of(mixed, about.rate, hours + again, on + again)
    breaks = about.breaks(strategy, waves)
    reasons = {
        "promise": f"a wave breaks its promise with a chance of {percent(breaks)}, more than "
        f"{level_words(about.goal.level)} sure allows"
        if breaks > 1 - about.goal.level + 1e-12
        else "",
        "price": "" if np.isfinite(paid).all() else f"no price is known for {_without(about)}",
    }
    bound_by = next((bound for bound, reason in reasons.items() if reason), "")
    return {
        "service": service.name,
        "base": strategy.base,
        "spot_share": strategy.spot_share,
        "present": strategy == about.present,
        "task_hours": hours.mean(),
        "spot_task_hours": on.mean(),
        **spread(paid),
        "breaks": breaks,
        "breaks_a_month": waves.chance_a_month(breaks),
        "short_minutes": waves.waves_per_month * breaks * seconds / 60,
        "bound_by": bound_by,
        "rejected_because": reasons.get(bound_by, ""),
    }


def _without(about: Promise) -> str:
    what = f"{about.service.architecture} in {about.service.region}"
    return what if about.rate is None else f"FARGATE_SPOT, {what}"


def _distinct(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each mix once; without Spot all bases are the same, and the smallest stands for them, today's beside it."""
    seen: dict[tuple[int, float], dict[str, Any]] = {}
    for row in rows:
        base = row["base"] if row["spot_share"] > 0 or row["present"] else 0
        seen.setdefault((base, row["spot_share"]), {**row, "base": base})
    return list(seen.values())


def _order(row: dict[str, Any]) -> tuple[Any, ...]:
    """The cheapest first, those ruled out last; of equals the safest, then today's."""
    cost = round(row["usd"], 9) if row["usd"] == row["usd"] else np.inf
    return (row["rejected_because"] != "", cost, row["breaks"], not row["present"], row["spot_share"], row["base"])


def _mix(row: pd.Series) -> str:
    """In words: 40 % Spot above a base of 4 tasks."""
    if row["spot_share"] == 0:
        return "FARGATE alone"
    base = f" above {counted(row['base'])} on FARGATE" if row["base"] else ""
    return f"{share(row['spot_share'])} Spot{base}"


def _short(row: pd.Series) -> str:
    """A mix as a picture has room for it."""
    base = f", base {row['base']}" if row["base"] else ""
    name = "no Spot" if row["spot_share"] == 0 else f"{share(row['spot_share'])} Spot{base}"
    return f"{name}{', today' if row['present'] else ''}"


def _assumed(waves: Interruptions) -> Finding:
    return Finding(
        "",
        "",
        "spot",
        "UNKNOWN",
        f"How often Spot is interrupted is assumed, not known: {waves.waves_per_month:g} waves a month, each taking "
        f"{share(waves.lost_share)} of a service's Spot tasks, replaced within its start-up time.",
        "AWS publishes no rates for Fargate: pass Interruptions(...) with what you have seen.",
    )


def _on_instances(service: Service) -> Finding:
    message = "Its tasks run on EC2, and FARGATE_SPOT does not mix with that, so no mix was compared."
    return Finding(
        service.name, "", "spot", "UNKNOWN", message, "Ask what they fit on: `capacity instances`, plan.instances(...)."
    )


def _no_spot_price(service: Service) -> Finding:
    return Finding(
        service.name,
        "cost",
        "price",
        "UNKNOWN",
        f"No Spot price is known for {service.architecture} in {service.region}, so no mix with Spot has a cost.",
        f'State it: [[prices.rate]] region = "{service.region}", architecture = "{service.architecture}", vcpu = ..., '
        "memory_gb = ..., spot_vcpu = ..., spot_memory_gb = ...",
    )
