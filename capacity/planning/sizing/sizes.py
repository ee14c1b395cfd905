"""`plan.sizes()`: which size of task keeps the same promise for the least money."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from capacity.config import Architecture, Service
from capacity.display import table_html
from capacity.errors import InputError
from capacity.findings import NO_FINDINGS, Finding, Findings
from capacity.planning.matching import Match, match
from capacity.planning.sizing.larger import CPU_BINDS, Task
from capacity.planning.sizing.options import Option, Weighing, options
from capacity.planning.words import counted, share, usd
from capacity.schema import SIZES

if TYPE_CHECKING:
    from capacity.planning.plans import Plan

#: A saving below this share of the spend is not worth another load test.
WORTH_CHANGING: Final = 0.02

#: An `arm_speed` above this is no multiple: 90 is meant as percent.
FASTEST: Final = 10

#: Check and status of the plan's findings that say which price to state.
NO_PRICE: Final = ("price", "UNKNOWN")


@dataclass(frozen=True, eq=False)
class Sizes:
    """Every size of task of some services, at equal promise.

    frame      `schema.SIZES`: a row a service and size, the cheapest first, those that are ruled out last
    arm_speed  work of an ARM vCPU as a multiple of an x86 one's; None: taken to be the same, nobody measured it
    findings   what the comparison takes for granted, and what nobody measured
    """

    frame: pd.DataFrame
    arm_speed: float | None = None
    findings: Findings = NO_FINDINGS

    def of(self, service: str) -> pd.DataFrame:
        """The rows of one service. Raises InputError, naming those there are."""
        rows = self.frame[self.frame["service"] == service]
        if rows.empty:
            there = ", ".join(dict.fromkeys(self.frame["service"])) or "none"
            raise InputError(f"sizes of {service!r} were not compared", advice=f"There are: {there}.")
        return rows

    @cached_property
    def best(self) -> pd.DataFrame:
        """The cheapest size that would do, a row a service, indexed by it. A service of which none would has no row.

        Of equal costs the one most like today's comes first.
        """
        allowed = self.frame[self.frame["rejected_because"] == ""]
        return allowed.drop_duplicates("service").set_index("service")

    @cached_property
    def shortlist(self) -> pd.DataFrame:
        """Today's size and, for each vCPU and architecture, the cheapest memory that would do, the cheapest first."""
        allowed = self.frame["rejected_because"] == ""
        first = ~self.frame[allowed].duplicated(["service", "vcpu", "architecture"])
        chosen = allowed & first.reindex(self.frame.index, fill_value=False)
        return self.frame[chosen | self.frame["present"]].reset_index(drop=True)

    def sentence(self, service: str) -> str:
        """What to do about one service's task size, in one breath."""
        rows = self.of(service)
        now = rows[rows["present"]].iloc[0]
        if service not in self.best.index:
            why = now["rejected_because"]
            return f"No size would do for `{service}`; of today's {_task(now)}: {why}."
        best = self.best.loc[service]
        if best["present"]:
            return (
                f"`{service}` has the cheapest size that keeps its promise: {_task(now)}, {usd(best['usd'])} a month."
            )
        change = f"Give each task of `{service}` {_task(best)} instead of {_task(now)}"
        runs = f"{counted(best['tasks'])} at its peak instead of {now['tasks']:,}"
        if now["rejected_because"]:
            return f"{change}: {runs}, {usd(best['usd'])} a month. Of today's size, {now['rejected_because']}."
        saved = now["usd"] - best["usd"]
        if saved < WORTH_CHANGING * now["usd"]:
            part = f"{_task(best)} would save {usd(saved)} a month, less than {share(WORTH_CHANGING)}"
            return f"`{service}` has about the cheapest size that keeps its promise, {_task(now)}: {part}."
        return f"{change} and save {usd(saved)} a month ({share(saved / now['usd'])}): {runs}{self._pays_from(best)}."

    def _pays_from(self, best: pd.Series) -> str:
        """What has to be true of the other architecture's speed, where that is not known."""
        rows = self.of(str(best.name))
        here = rows[
            (rows["rejected_because"] == "") & (rows["architecture"] == rows[rows["present"]]["architecture"].iloc[0])
        ]
        if self.arm_speed is not None or here.empty or best["architecture"] == here["architecture"].iloc[0]:
            return ""
        least = best["usd"] / here["usd"].min()
        other = here["architecture"].iloc[0]
        return (
            f"; nobody measured the speed of {best['architecture']}: it pays from about {share(least)} of {other}'s on"
        )

    @property
    def sentences(self) -> list[str]:
        """One a service."""
        return [self.sentence(name) for name in dict.fromkeys(self.frame["service"])]

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def plot(self, service: str | None = None) -> Any:
        """A bar of USD a month for each size of the shortlist, of one service; of the first unless named."""
        from capacity import charts

        chosen = self.of(service or str(self.frame["service"].iloc[0]))["service"].iloc[0]
        rows = self.shortlist[self.shortlist["service"] == chosen]
        labels = [_short(row) for _, row in rows.iterrows()]
        title = f"{chosen}: sizes of task at equal promise"
        return charts.bars(labels, rows["usd"].to_numpy(dtype=float), "USD a month", title)

    def _repr_html_(self) -> str:
        return table_html(" ".join(self.sentences), self.shortlist)


def sizes(
    plan: Plan,
    service: str | Iterable[str] | None = None,
    *,
    arm_speed: float | None = None,
    least: int | None = None,
) -> Sizes:
    """Every Fargate size on x86 and ARM for some services (all of the plan, when none is named), at equal promise.

    arm_speed  work of one ARM vCPU as a multiple of one x86 vCPU's; None: compared at the same speed, which a finding
               says, because only a test of your code can tell
    least      fewest tasks of any size; default 2 where the loss of a zone is to be survived, else 1

    Every size is planned on the plan's own paths and taken through the same headroom steps: a few large tasks lose to
    the rounding of zones and to `least`, many small ones to what each takes for itself (`base_vcpu`, memory). What a
    task serves follows its vCPU where the processor binds (`carries`); today's minimum stays as much capacity, and
    today's maximum bounds none. Start-up time is taken to be the same, which tasks of a quarter vCPU seldom keep.
    Raises InputError for a service that is not planned, and for an `arm_speed` or `least` that cannot be.
    """
    if arm_speed is not None and not 0 < arm_speed <= FASTEST:
        raise InputError(f"arm_speed {arm_speed!r} is not a speed", advice="0.9: an ARM vCPU does 90 % of an x86 one.")
    if least is not None and least < 0:
        raise InputError(f"least {least!r} is not a count of tasks")
    rows, findings = [], []
    for found in _asked_for(plan, service):
        if found.service.launch_type == "EC2":
            findings.append(_on_instances(found.service))
            continue
        about = Weighing.of(plan, found)
        present = Task.of(found.service)
        tried = list(options(about, plan, _speeds(found.service, arm_speed), least))
        findings += _taken_for_granted(about, tried, arm_speed)
        findings += [one for one in plan.findings.about(found.service.name) if (one.check, one.status) == NO_PRICE]
        rows += [_row(found.service, option) for option in sorted(tried, key=lambda option: _order(option, present))]
    return Sizes(pd.DataFrame(rows, columns=SIZES.names).astype(SIZES.types), arm_speed, Findings.of(findings))


def _asked_for(plan: Plan, service: str | Iterable[str] | None) -> list[Match]:
    names = (
        [one.name for one in plan.services] if service is None else [service] if isinstance(service, str) else service
    )
    chosen = [plan.service_named(name) for name in dict.fromkeys(names)]
    alone = plan.asked is not None and plan.asked.alone
    found, _ = match(plan.forecast, tuple(chosen), alone)
    return found


def _speeds(service: Service, arm_speed: float | None) -> dict[Architecture, float]:
    x86: dict[Architecture, float] = {"x86_64": 1.0, "arm64": 1.0 if arm_speed is None else arm_speed}
    return {name: speed / x86[service.architecture] for name, speed in x86.items()}


def _order(option: Option, present: Task) -> tuple[Any, ...]:
    """The cheapest first, those ruled out last; of equals today's, then the one most like it."""
    money = option.usd["usd"]
    cost = round(money, 9) if money == money else np.inf
    apart = abs(np.log(option.task.vcpu / present.vcpu)) + abs(np.log(option.task.memory_gib / present.memory_gib))
    return (option.rejected_because != "", cost, option.task.architecture != present.architecture, apart, option.task)


def _row(service: Service, option: Option) -> dict[str, Any]:
    ran = option.counted
    return {
        "service": service.name,
        "vcpu": option.task.vcpu,
        "memory_gib": option.task.memory_gib,
        "architecture": option.task.architecture,
        "present": option.present,
        "worth": option.worth,
        "tasks": pd.NA if ran is None else ran.tasks,
        "least": pd.NA if ran is None else ran.least,
        "task_hours": np.nan if ran is None else ran.month,
        "full_memory_gib": option.memory_gib,
        **option.usd,
        "bound_by": option.bound_by,
        "rejected_because": option.rejected_because,
    }


def _task(row: pd.Series) -> str:
    return str(Task(row["vcpu"], row["memory_gib"], row["architecture"]))


def _short(row: pd.Series) -> str:
    """A size as a picture has room for it."""
    name = f"{row['vcpu']:g} vCPU {row['memory_gib']:g} GiB"
    return f"{name}{' ARM' if row['architecture'] == 'arm64' else ''}{', today' if row['present'] else ''}"


def _on_instances(service: Service) -> Finding:
    message = "Its tasks run on EC2, which has no grid of sizes, so none were compared."
    return Finding(
        service.name,
        "",
        "task size",
        "UNKNOWN",
        message,
        "Ask what they fit on: `capacity instances`, plan.instances(...).",
    )


def _taken_for_granted(about: Weighing, tried: list[Option], arm_speed: float | None) -> list[Finding]:
    """What the comparison of one service rests on."""
    service, found = about.service, []
    name, check = service.name, "task size"
    if arm_speed is None:
        message = "x86 and ARM are compared at the same speed, which nobody measured."
        advice = "Test an image built for the other one, and pass arm_speed."
        found.append(Finding(name, "cpu", check, "UNKNOWN", message, advice))
    if about.busy is not None and about.busy < CPU_BINDS:
        message = (
            f"A task that serves all it can keeps {share(about.busy)} of its vCPU busy, so something else binds: a "
            "larger task is taken to serve no more, a smaller one as much until its processor does bind."
        )
        advice = "Look at pools, threads and what it waits for; test the size before you take it."
        found.append(Finding(name, "requests", check, "REVIEW", message, advice))
    if not service.memory_scales_with_load and all(option.memory_gib != option.memory_gib for option in tried):
        message = "What a task takes of memory is not known: sizes keep today's memory for the load of today's task."
        advice = "Bring memory and running_tasks, or base_memory_gib and memory_gib_per_request of its task_capacity."
        found.append(Finding(name, "memory", check, "UNKNOWN", message, advice))
    return found
