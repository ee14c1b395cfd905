"""The chain over a whole fleet: `capacity.toml` in, any noun out.

    history -> demand -> forecast -> plan -> policy -> report

`Chain` computes a stage when it is first asked for and keeps it, so that `capacity plan` runs three stages and
`capacity report` all of them, from the same settings and with the same numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from capacity.config import Config, Service
from capacity.errors import ConfigError, HistoryTooShort

if TYPE_CHECKING:
    from capacity.demand import Demand
    from capacity.findings import Findings
    from capacity.forecasting import Backtest, Forecast, Forecaster
    from capacity.history import History
    from capacity.monitoring import Alarms, Dashboard, Runbooks
    from capacity.planning import Plan
    from capacity.reporting import Report
    from capacity.reviewing import Review, Snapshot
    from capacity.reviewing.reviewer import Plans
    from capacity.reviewing.snapshot import Moment
    from capacity.scaling import Policy
    from capacity.scaling.search.beside import Beside

#: What each stage does, in words: shown while it runs.
STAGES = {
    "history": "Reading history",
    "quality": "Checking the data",
    "demand": "Deriving demand",
    "forecast": "Forecasting",
    "backtest": "Backtesting",
    "plan": "Planning",
    "policy": "Rehearsing policies",
    "production": "Asking production what a task carries",
    "alarms": "Choosing alarms and trying them on history",
    "dashboard": "Drawing dashboards",
    "runbooks": "Writing runbooks",
    "answers": "Asking scenarios, costs and error budgets",
    "report": "Writing the report",
    "snapshot": "Keeping the plan",
    "review": "Reviewing the plan",
}

#: Rolling origins the report shows, each one week ahead: enough for a percentage with one digit, cheap enough for
#: every run. `capacity backtest` asks for more.
REPORT_WINDOWS = 4
REPORT_HORIZON = "7d"

#: Services of which a report asks production what a task carries: about a third of a second each.
ASKED = 200


@dataclass
class Chain:
    """Every stage of the main job, from one configuration.

    config    what `capacity.load_config` returned
    source    history to read instead of `[data] history`: a file, folder or store
    previous  plan that was kept, or the folder of them, instead of `[report] previous`
    only      names of services to keep; empty keeps all
    beside    what to try beside target tracking and schedules: "steps", "predictive" (`recommend_policy`)
    started   called with a stage's name when it begins
    seconds   how long each stage took, without the stages before it; filled as stages run
    """

    config: Config
    source: Path | None = None
    only: tuple[str, ...] = ()
    beside: tuple[Beside, ...] = ()
    started: Callable[[str], None] = lambda stage: None
    seconds: dict[str, float] = field(default_factory=dict)
    previous: Path | None = None

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """The services to work on. Raises ConfigError for a name in `only` that is not configured."""
        if not self.only:
            return self.config.service
        return tuple(self.config.service_named(name) for name in self.only)

    @cached_property
    def history(self) -> History:
        """The history of the services worked on; others that could be planned are named in one finding."""
        from capacity.history import read
        from capacity.sources.files import is_store

        path = self.source if self.source is not None else self.config.history_path
        if path is None:
            raise ConfigError(
                "no history to read",
                advice="Set [data] history in the settings, or pass a path: --history path, or HISTORY=path with make.",
            )
        data = self.config.data
        if self.source is not None and is_store(Path(self.source)):
            data = type(data)()  # a store speaks our names: what the settings say is of the files it was filled from
        names = [service.name for service in self.services]  # one that is not configured is said before all reading
        with self._stage("history"):
            everything = read(
                path,
                columns=data.columns or None,
                service=data.service or None,
                metric=data.metric or None,
                unit=data.unit or None,
                timezone=data.timezone or None,
                interval_seconds=data.interval_seconds,
            )
            return self._ours(everything, names)

    def _ours(self, history: History, names: list[str]) -> History:
        from capacity.demand.levels import plannable
        from capacity.findings import Finding, Findings

        others = [name for name in plannable(history) if name not in names]
        if not set(names) & set(history.services):
            raise ConfigError(
                "no configured service is in the history",
                advice=f"The history holds {', '.join(map(repr, history.services[:10])) or 'none'}; "
                f"configured are {', '.join(map(repr, names[:10])) or 'none'}. Names must be equal to the letter.",
            )
        ours = history.select(services=[name for name in history.services if name in names])
        absent = [f for f in history.findings if f.service in names and f.service not in history.services]
        ours = replace(ours, findings=Findings.of(ours.findings, absent))
        if self.only or not others:
            return ours
        shown = ", ".join(repr(name) for name in others[:5]) + (" ..." if len(others) > 5 else "")
        finding = Finding(
            "",
            "",
            "unconfigured",
            "REVIEW",
            f"{len(others)} services in the history are not planned: {shown}.",
            "Add a [[service]] table for each that matters.",
            count=len(others),
        )
        return replace(ours, findings=Findings.of(ours.findings, [finding]))

    @cached_property
    def quality(self) -> Findings:
        """Findings about the history: those of reading it, and those of checking it."""
        from capacity.findings import Findings
        from capacity.history import check_quality

        history = self.history
        with self._stage("quality"):
            return Findings.of(history.findings, check_quality(history, self.services))

    @cached_property
    def demand(self) -> Demand:
        """Absolute demand, with every finding about the history it comes from."""
        from capacity.demand import assessed, estimate_demand
        from capacity.timegrid import planning_interval

        history, quality = self.history, self.quality
        asked, horizon = self.config.forecast.interval, self.config.goal.horizon
        interval, at_least = (None, planning_interval(horizon)) if asked == "auto" else (asked, None)
        with self._stage("demand"):
            return assessed(estimate_demand(history, self.services, interval=interval, at_least=at_least), quality)

    @cached_property
    def forecast(self) -> Forecast:
        from capacity.forecasting import forecast

        demand, settings = self.demand, self.config.forecast
        with self._stage("forecast"):
            return forecast(
                demand,
                self.config.goal.horizon,
                model=settings.model,
                paths=settings.paths,
                seed=settings.seed,
                services=self.services,
                events=self.config.event,
                holidays=settings.holidays or None,
            )

    @cached_property
    def backtest(self) -> Backtest | None:
        """How the configured model did on the last weeks, beside seasonal naive; None when history is too short."""
        from capacity.forecasting import backtest

        demand, settings = self.demand, self.config.forecast
        with self._stage("backtest"):
            try:
                return backtest(demand, self.told(settings.model), REPORT_HORIZON, REPORT_WINDOWS, seed=settings.seed)
            except HistoryTooShort:
                return None

    def told(self, model: str) -> str | Forecaster:
        """A model as `forecast` uses it: told of the events and holidays of capacity.toml, where there are any."""
        from capacity.forecasting import Knowing, Knowledge

        known = Knowledge.of(self.config.event, self.config.forecast.holidays or None, self.services)
        return Knowing(model, known) if known else model

    @cached_property
    def plan(self) -> Plan:
        from capacity.planning import plan

        forecast, config = self.forecast, self.config
        with self._stage("plan"):
            return plan(
                forecast,
                self.services,
                goal=config.goal,
                prices=config.prices,
                accounts=config.account,
                budgets=config.budget,
            )

    @cached_property
    def policy(self) -> Policy:
        from capacity.scaling import recommend_policy

        plan = self.plan
        with self._stage("policy"):
            return recommend_policy(plan, demand=self.demand, seed=self.config.forecast.seed, beside=self.beside)

    @cached_property
    def alarms(self) -> Alarms:
        """The alarms of today's settings, tried on the history: what is not yet applied is not yet watched."""
        from capacity.monitoring import alarms

        plan, demand, history = self.plan, self.demand, self.history
        with self._stage("alarms"):
            return alarms(plan, demand=demand, history=history, settings=self.config)

    @cached_property
    def dashboard(self) -> Dashboard:
        """Live metrics beside the plan and today's settings: nothing is rehearsed for it."""
        from capacity.monitoring import dashboard

        plan, alarms, history = self.plan, self.alarms, self.history
        with self._stage("dashboard"):
            return dashboard(plan, alarms=alarms, history=history, settings=self.config)

    @cached_property
    def runbooks(self) -> Runbooks:
        """A page for each alarm, with the numbers of plan and history, and today's settings to go back to."""
        from capacity.monitoring import runbooks

        plan, alarms, history = self.plan, self.alarms, self.history
        with self._stage("runbooks"):
            return runbooks(alarms, plan=plan, history=history)

    @cached_property
    def doubts(self) -> Findings:
        """What production says against the capacities that services state; of the largest fleets, only of some."""
        from capacity.demand.per_task import doubts
        from capacity.findings import Finding, Findings

        history, stating = self.history, [one for one in self.services if one.requests_per_second_per_task is not None]
        with self._stage("production"):
            found = doubts(history, stating[:ASKED])
        if len(stating) <= ASKED:
            return found
        message = f"Production was asked what a task carries for the first {ASKED} of {len(stating)} services."
        advice = "Ask for others with: capacity loadtest production --service NAME"
        return Findings.of(
            found, [Finding("", "", "production", "REVIEW", message, advice, count=len(stating) - ASKED)]
        )

    @cached_property
    def report(self) -> Report:
        from capacity.findings import Findings
        from capacity.reporting import report
        from capacity.reporting.asking import MOST, asked

        last = self.last_plan  # one that is not there is said before the minutes of planning
        plan, policy, scores, doubts = self.plan, self.policy, self.backtest, self.doubts
        alarms = self.alarms if len(self.services) <= MOST["alarms"] else None
        history = replace(self.history, findings=Findings())  # the plan carries them, each once
        with self._stage("answers"):
            beside = asked(plan, history, self.config, alarms)
        if last is not None:
            beside.ask("review", "review", lambda: self.review(last))
        with self._stage("report"):
            said = self.config.report
            return report(
                plan,
                policy=policy,
                history=history,
                findings=doubts,
                scores=scores,
                kept="report.plan, beside this report",
                left_out=beside.left_out,
                **beside.nouns,
                title=said.title,
                sections=said.sections,
                footer=said.footer,
                templates=self.config.templates_path,
            )

    @property
    def last_plan(self) -> Path | None:
        """The plan that was kept last time, or the folder of some; None where none was kept yet.

        A folder that the settings name may be still to come. Raises ConfigError when there is no such file.
        """
        from capacity.reviewing.keeping import SUFFIX

        path = self.previous or self.config.previous_path
        if path is None:
            return None
        if not path.exists():
            if self.previous is None and path.suffix != SUFFIX:
                return None
            advice = "Keep one first: capacity plan --save PATH, or copy report.plan of the last report."
            raise ConfigError(f"the last plan is not there: {path}", advice=advice)
        return path if path.is_file() or any(path.glob(f"*{SUFFIX}")) else None

    def snapshot(self, *, created_at: Moment | None = None, policy: bool = True) -> Snapshot:
        """The plan with everything it was made from, to be kept as one file, opened and run again.

        created_at  now, when left out. Nothing else varies
        policy      whether the recommended policy is kept too: without it nothing is rehearsed
        """
        from capacity.reviewing import Snapshot

        plan, recommended = self.plan, self.policy if policy else None
        config = self.config.model_copy(update={"service": self.services})
        with self._stage("snapshot"):
            return Snapshot.of(
                plan, config, demand=self.demand, policy=recommended, beside=self.beside, created_at=created_at
            )

    def review(self, plan: Plans, *, now: Moment | None = None) -> Review:
        """A plan that was kept, or several, against what happened since by this history; with today's settings."""
        from capacity.reviewing import review

        history = self.history
        with self._stage("review"):
            return review(plan, history, config=self.config, now=now)

    def _repr_html_(self) -> str:
        """Which stages have run, and for how long: nothing is computed to be shown."""
        import pandas as pd

        from capacity.display import table_html

        ran = pd.DataFrame({"stage": list(self.seconds), "seconds": [f"{one:.1f}" for one in self.seconds.values()]})
        todo = "" if len(ran) else "; each stage runs when it is first asked for"
        return table_html(f"Chain of {len(self.services):,} services, {len(ran)} stages done{todo}", ran, rows=len(ran))

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        self.started(name)
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = time.perf_counter() - begin
