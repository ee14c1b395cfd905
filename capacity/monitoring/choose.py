"""`alarms`: those that a plan's services need, each tried on history before it may wake someone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.config import Account, Config, Monitoring, Service
from capacity.demand import Demand
from capacity.errors import InputError
from capacity.findings import Finding, Findings
from capacity.history import History
from capacity.monitoring.alarm import Alarm, Alarms
from capacity.monitoring.breaches import Watch
from capacity.monitoring.choosing import Known, Proposal, of_service, quota
from capacity.monitoring.choosing.quota import PERIOD as QUOTA_PERIOD
from capacity.monitoring.conditions import Reading
from capacity.monitoring.lasting import on_demand
from capacity.monitoring.minutes import Minutes
from capacity.monitoring.replay import Tried, fine_enough, firings_frame, newest, on_history, told, watched
from capacity.monitoring.settings import monitoring_of
from capacity.planning import Plan
from capacity.planning.words import first_few
from capacity.scaling import Policy
from capacity.sources.base import Span

#: Days of minutes from which false pages are counted; fewer prove nothing, and the alarm stays as it was chosen.
ENOUGH: Final = 7.0
#: Fewer than these are told of: two weeks hold each day of the week twice.
FEW: Final = 14.0

#: What to do where history does not tell.
KEEP: Final = "Keep minutes: capacity fetch writes them to a store that outlives CloudWatch's fifteen days."

#: Tickets in 30 days that are still read: two a week of one alarm. More are refused.
TICKETS: Final = 8.0

#: Pages in 30 days that are all right and still too many: twice a week the promise is not kept, whoever is woken.
BROKEN: Final = 8.0


def alarms(
    plan: Plan,
    *,
    policy: Policy | None = None,
    demand: Demand | None = None,
    history: History | None = None,
    settings: Monitoring | Config | None = None,
) -> Alarms:
    """What should wake someone and what opens a ticket, for every service of a plan; tried on history, where there is.

    policy    whose maximum and target are watched; default: today's of each service
    demand    what usual traffic is read from; default: what the plan was made from
    history   minutes in it tell how often each alarm would have gone off, and whether it was right
    settings  [monitoring], or all of capacity.toml: who is told, how many false pages are borne

    A page that would have been false more often than `false_pages_per_month` is tried over longer windows and at
    higher thresholds, as its kind says (`monitoring.choosing`); else it becomes a ticket, or is refused where it would
    be one too often. One false page alone proves nothing. `because` tells what was changed, `refused` why not.

    >>> import numpy as np, pandas as pd, capacity
    >>> hours = pd.date_range("2026-03-02", periods=24 * 21, freq="h")
    >>> load = 100 + 50 * np.sin(np.arange(24 * 21) * 2 * np.pi / 24)
    >>> web = capacity.Service(name="web", requests_per_second_per_task=50, slo=[{"objective": 0.999}])
    >>> plan = capacity.plan(capacity.forecast(pd.Series(load, hours, name="web"), "7d", paths=20), web)
    >>> [alarm.name for alarm in alarms(plan).pages]
    ['capacity-web-burn_fast', 'capacity-web-pinned-short', 'capacity-web-saturation', 'capacity-web-leak']
    """
    made = _Made(plan, policy, demand or plan.forecast.past, history, monitoring_of(settings))
    for service in plan.services:
        made.add(service)
    whole = settings if isinstance(settings, Config) else None
    made.add_quotas(whole.service if whole is not None else ())
    return Alarms(
        alarms=_told_apart(made.alarms),
        services=plan.services,
        settings=made.settings,
        prometheus=whole.prometheus if whole is not None else None,
        azure=whole.azure if whole is not None else None,
        findings=Findings.of(made.findings),
        about=made.about,
        firings=firings_frame(made.firings),
    )


@dataclass
class _Made:
    """What has been chosen so far."""

    plan: Plan
    policy: Policy | None
    demand: Demand
    history: History | None
    settings: Monitoring
    alarms: list[Alarm] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    firings: list[tuple[object, ...]] = field(default_factory=list)
    vcpu: dict[str, np.ndarray] = field(default_factory=dict)  # region -> (n,) of what runs on Fargate On-Demand
    unseen: dict[str, list[str]] = field(default_factory=dict)  # region -> services of which that is not known
    times: pd.DatetimeIndex | None = None

    @property
    def about(self) -> dict[str, Any]:
        about: dict[str, Any] = {"cutoff": self.plan.forecast.cutoff}
        if self.history is not None and len(self.history):
            about["replayed_from"], about["replayed_to"] = self.span
        return about

    @cached_property
    def span(self) -> Span:
        assert self.history is not None
        return newest(self.history)

    def add(self, service: Service) -> None:
        watch = None if self.history is None else watched(self.history, service, self.span)
        scaling = None
        if self.policy is not None:
            scaling = next((one for one in self.policy if one.service.name == service.name), None)
        known = Known(service, self.plan, self.demand, self.settings, scaling, watch)
        proposals, findings = of_service(known)
        self.findings += findings
        tried = [self._settle(proposal, watch) for proposal in proposals]
        self.findings += _unjudged(service, self.history, [alarm for alarm, _ in tried])
        self.findings += [_broken(alarm) for alarm, _ in tried if _too_often_right(alarm)]
        if self.history is not None and service.launch_type == "FARGATE":
            self._take_of_quota(service, watch)

    def _take_of_quota(self, service: Service, watch: Watch | None) -> None:
        """What it takes of its region's quota, minute by minute; where that is not known, neither is the region's."""
        tasks = None if watch is None else fine_enough(watch, Reading("running_tasks", minutes=QUOTA_PERIOD))
        if tasks is None:
            self.unseen.setdefault(service.region, []).append(service.name)
            return
        assert watch is not None  # its tasks are known
        self.times = watch.minutes.times
        running = on_demand(service, tasks) * service.task_vcpu
        self.vcpu[service.region] = self.vcpu.get(service.region, 0.0) + running

    def add_quotas(self, fleet: Iterable[Service]) -> None:
        """fleet: all services there are, of which the plan may hold a few: what the others use is not known."""
        planned = {one.name for one in self.plan.services}
        for service in fleet:
            if service.name not in planned and service.launch_type == "FARGATE" and self.history is not None:
                self.unseen.setdefault(service.region, []).append(service.name)
        regions = [one.region for one in self.plan.services if one.launch_type == "FARGATE"]
        proposals, findings = quota(self.plan.accounts, regions, self.settings)
        self.findings += findings
        for account, proposal in proposals:
            unseen = self.unseen.get(account.region, [])
            alarm, tried = self._settle(proposal, None if unseen else self._of_account(account))
            if unseen or (tried is None and account.region in self.vcpu):
                self.findings.append(_quota_unjudged(alarm, unseen))

    def _of_account(self, account: Account) -> Watch | None:
        if self.times is None or account.region not in self.vcpu:
            return None
        whole = Service(name=f"account {account.region}", region=account.region)
        known = {"fargate_vcpu_quota": float(account.fargate_vcpu_quota or 0)}
        return Watch(Minutes.of(whole, self.times, {"fargate_vcpu": self.vcpu[account.region]}, known))

    def _settle(self, proposal: Proposal, watch: Watch | None) -> tuple[Alarm, Tried | None]:
        alarm, tried = settled(proposal, watch, self.settings, self.plan.forecast.cutoff)
        self.alarms.append(alarm)
        if watch is not None and tried is not None:
            self.firings += told(alarm, watch, tried.firings)
        return alarm, tried


def settled(
    proposal: Proposal, watch: Watch | None, settings: Monitoring, cutoff: pd.Timestamp
) -> tuple[Alarm, Tried | None]:
    """An alarm as history leaves it: as proposed, calmer, a ticket, or refused; and what it was judged on."""
    alarm = proposal.alarm
    first = None if watch is None else on_history(alarm, watch, cutoff=cutoff)
    if watch is None or first is None:
        return alarm, first
    borne = settings.false_pages_per_month if alarm.severity == "page" else TICKETS
    if not _false_too_often(first, borne):
        return replace(alarm, replayed=first.replayed, because=f"{alarm.because} {_record(first)}"), first
    steps = []
    for condition, how in proposal.calmer:
        steps.append(how)
        tried = on_history(alarm, watch, condition, cutoff=cutoff)
        if tried is not None and not _false_too_often(tried, borne):
            why = (
                f"As proposed it would have been false {_rate(first)}; so it waits {' '.join(steps)}. {_record(tried)}"
            )
            calm = replace(alarm, condition=condition, lead_minutes=None, replayed=tried.replayed)
            return replace(calm, because=f"{alarm.because} {why}"), tried
    more = f", and {_rate(tried)} {' '.join(steps)}" if steps and tried is not None else ""
    why = f"It would have been false {_rate(first)}{more}; {borne:g} in 30 days are borne."
    left = replace(alarm, replayed=first.replayed)
    if alarm.severity == "page" and not _false_too_often(first, TICKETS):
        return replace(left, severity="ticket", because=f"{alarm.because} {why} So it is a ticket."), first
    return replace(left, refused=why), first


def _false_too_often(tried: Tried, borne: float) -> bool:
    """More false ones than are borne in that time; one alone, or a few days, prove nothing."""
    done = tried.replayed
    return done.days >= ENOUGH and done.false > max(1.0, borne * done.days / 30)


def _record(tried: Tried) -> str:
    done = tried.replayed
    days = f"On {done.days:.0f} days of history" if done.days >= ENOUGH else f"On {done.days:.1f} days of history"
    few = "" if done.days >= ENOUGH else " So few days prove little."
    if not done.fired:
        return f"{days} it would not have gone off.{few}"
    return f"{days} it would have gone off {_times(done.fired)}, {done.false} of them false.{few}"


def _rate(tried: Tried) -> str:
    return f"{_times(tried.replayed.false)} in {tried.replayed.days:.0f} days"


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count:,} times")


def _unjudged(service: Service, history: History | None, alarms: list[Alarm]) -> list[Finding]:
    """What history could not tell about the alarms of a service."""
    if history is None:
        return []
    if service.name not in history.services:
        message = f"The history holds nothing of it: none of its {len(alarms)} alarms was tried. They are as chosen."
        return [Finding(service.name, "", "not_replayed", "REVIEW", message, KEEP, count=len(alarms))]
    unseen = [alarm for alarm in alarms if alarm.replayed is None and alarm.kind != "forecast_breach"]
    found = []
    if unseen:
        message = (
            f"{len(unseen)} of {len(alarms)} alarms could not be tried on history: it holds no data fine enough for "
            f"{', '.join(alarm.name for alarm in unseen[:3])}{' ...' if len(unseen) > 3 else ''}. They are as chosen."
        )
        found.append(Finding(service.name, "", "not_replayed", "REVIEW", message, KEEP, count=len(unseen)))
    short = [alarm.replayed.days for alarm in alarms if alarm.replayed is not None and alarm.severity == "page"]
    if short and round(min(short)) < FEW:
        message = (
            f"Its pages were tried on {min(short):.1f} days of minutes: {FEW:.0f} hold each day of the week twice."
        )
        found.append(Finding(service.name, "", "short_replay", "REVIEW", message, KEEP))
    return found


def _quota_unjudged(alarm: Alarm, unseen: list[str]) -> Finding:
    why = "all tasks are never known at once"
    if unseen:
        why = f"of {first_few(unseen, 3)} no tasks are known by five minutes"
    message = f"{alarm.name} could not be tried on history: {why}, and a part of what is in use proves nothing."
    return Finding("", "", "not_replayed", "REVIEW", message, KEEP, count=max(1, len(unseen)))


def _too_often_right(alarm: Alarm) -> bool:
    done = alarm.replayed
    return alarm.severity == "page" and done is not None and done.true > BROKEN * max(done.days, ENOUGH) / 30


def _broken(alarm: Alarm) -> Finding:
    done = alarm.replayed
    assert done is not None  # `_too_often_right` said so
    message = f"{alarm.name} would have gone off {_times(done.true)} in {done.days:.0f} days, and rightly so."
    advice = "The service does not keep what the alarm guards: give it capacity (capacity plan), or promise less."
    return Finding(alarm.service, "", "broken_promise", "REVIEW", message, advice, count=done.true)


def _told_apart(made: list[Alarm]) -> tuple[Alarm, ...]:
    """Raises InputError for two alarms of one name: one would overwrite the other in every monitor."""
    names = [alarm.name for alarm in made]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise InputError(
            f"two alarms are called {twice[0]!r}: services or SLOs are named so much alike",
            advice="Rename a service or an SLO.",
        )
    return tuple(made)
