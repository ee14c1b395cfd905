"""Alarms as rules of Prometheus: what is recorded of all services, then a group of each with its alerts.

Rule files: Prometheus documentation, "Defining recording rules", "Alerting rules". Labels and annotations of alerts
are templates, in which a name of ours stays text; expressions are not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from capacity.config.prometheus import PrometheusSettings
from capacity.findings import Finding
from capacity.monitoring.alarm import Alarm, Alarms
from capacity.monitoring.render.promql import Asking, Recorded, series_name
from capacity.monitoring.render.rendered import Rendered, Telling, service_of
from capacity.monitoring.render.wording import description, runbook_link
from capacity.scaling.render.quoting import yaml
from capacity.scaling.render.table import printable
from capacity.schema import METRICS
from capacity.sources.prometheus.presets import preset
from capacity.sources.prometheus.query import Query
from capacity.sources.prometheus.settings import queries_of
from capacity.timegrid import duration

#: What is asked where no [[prometheus.query]] measures a metric: HTTP servers of the usual names, and services on ECS
#: with an exporter beside each task (docs/prometheus.md).
PRESETS: Final[dict[Recorded, str]] = {
    ("requests", "mean"): "http-requests",
    ("errors", "mean"): "http-errors",
    ("latency", "p50"): "http-p50",
    ("latency", "p95"): "http-p95",
    ("latency", "p99"): "http-p99",
    ("cpu", "mean"): "ecs-cpu",
    ("memory", "mean"): "ecs-memory",
    ("running_tasks", "mean"): "ecs-tasks",
    ("desired_tasks", "mean"): "kube-desired",
}

INTERVAL: Final = "1m"

#: Kinds of recorded series, in the order in which one is made of another: signals as they are measured; windows of
#: error budgets; of each service statistics of periods, and what is made of these; hours and days; and what the plan
#: expects of each hour of a week, which takes Prometheus longer than all the others.
RECORDED: Final = ("signals", "windows", "readings", "made", "clocks", "weeks")

#: The files of rules: those of the plan's weeks apart, since a unit test evaluates every rule of a file.
RULE_FILE: Final = "capacity-rules.yml"
PLAN_FILE: Final = "capacity-plan-rules.yml"

Rule = dict[str, Any]
Group = dict[str, Any]


@dataclass
class Rules:
    """Groups of rules in the making.

    questions  (metric, stat) -> queries: several, where each is of a service of its own
    recorded   kind -> rules of series, each once
    alerts     alarm -> its rule
    asked      alarm -> the recorded series that it reads
    """

    prefix: str
    questions: dict[Recorded, list[Query]]
    recorded: dict[str, list[Rule]] = field(default_factory=lambda: {name: [] for name in RECORDED})
    alerts: list[tuple[Alarm, Rule]] = field(default_factory=list)
    asked: dict[str, Asking] = field(default_factory=dict)

    def groups(self) -> list[Group]:
        """All of them, in the order in which one asks for series of another."""
        return [group for groups in self.files().values() for group in groups]

    def files(self) -> dict[str, list[Group]]:
        """File -> its groups: of all services together, then one of each.

        Rules of a group are evaluated one after the other, groups at moments of their own within the interval. So what
        a service's alerts are made of stands before them in its group, and they lag behind by one minute at most.
        Alerts that ask a week what to expect are beside it.
        """
        own: dict[str, list[Rule]] = {}
        plan: dict[str, list[Rule]] = {}
        for rules, groups in (("readings", own), ("made", own), ("weeks", plan)):
            for rule in self.recorded[rules]:
                groups.setdefault(rule["labels"]["service"], []).append(rule)
        for alarm, rule in self.alerts:
            asking = self.asked[alarm.name]
            (plan if asking.weeks else own).setdefault(asking.service.name, []).append(rule)
        shared = [*self.recorded["signals"], *self.recorded["windows"]]
        signals = [self._group("signals", shared)] if shared else []
        made = {RULE_FILE: [*signals, *(self._group(f"alerts-{service}", rules) for service, rules in own.items())]}
        if plan:
            weekly = (self._group(f"plan-{service}", rules) for service, rules in plan.items())
            made[PLAN_FILE] = [self._group("clocks", self.recorded["clocks"]), *weekly]
        return made

    def _group(self, name: str, rules: list[Rule]) -> Group:
        return {"name": f"{self.prefix}-{name}", "interval": INTERVAL, "rules": rules}


def prometheus(alarms: Alarms) -> Rendered:
    """The text of a rule file, YAML; as files, the rules of the plan's weeks are in one of their own."""
    rules, telling = rules_of(alarms)
    head = ["# Rules written by capacity: series it records in its own units, then what should wake or ticket someone."]
    head += [f"# Not said: {printable(line)}" for line in telling.unsaid]

    def text(groups: list[Group]) -> str:
        return "\n".join([*head, yaml({"groups": groups})]) + "\n"

    return telling.of({name: text(groups) for name, groups in rules.files().items()}, text(rules.groups()))


def rules_of(alarms: Alarms, monitor: str = "Prometheus") -> tuple[Rules, Telling]:
    """Rules of all alarms that can be said, and what there is to tell."""
    questions = questions_of(alarms.prometheus)
    rules = Rules(series_prefix(alarms.settings.prefix), questions)
    telling = Telling(monitor)
    needed: dict[Recorded, None] = {}
    kept: dict[str, dict[str, Rule]] = {name: {} for name in RECORDED}

    def make(alarm: Alarm, remarks: list[str]) -> Rule:
        service = service_of(alarm, alarms)
        asking = Asking(rules.prefix, service, lambda one: one in questions, remarks=remarks)
        expression = asking.expression(alarm.condition)
        needed.update(asking.used)
        own = {"labels": {"service": service.name}}
        for group, series in (("readings", asking.readings), ("made", asking.rules), ("weeks", asking.weeks)):
            kept[group] |= {f"{name} {own}": {"record": name, "expr": text, **own} for name, text in series.items()}
        for group, series in (("windows", asking.shared), ("clocks", asking.clocks)):
            kept[group] |= {name: {"record": name, "expr": text} for name, text in series.items()}
        rules.asked[alarm.name] = asking
        return alert(alarm, alarms, expression, tuple(dict.fromkeys(remarks)))

    rules.alerts = telling.each(alarms, make)
    rules.recorded = {name: list(each.values()) for name, each in kept.items()}
    rules.recorded["signals"] = [rule for one in needed for rule in recording(rules.prefix, one, questions[one])]
    telling.found += _assumed(needed, alarms.prometheus)
    return rules, telling


def questions_of(settings: PrometheusSettings | None) -> dict[Recorded, list[Query]]:
    """What measures each metric: queries of the settings, and ready-made ones where there is none."""
    found: dict[Recorded, list[Query]] = {}
    for query in queries_of(settings) if settings is not None else ():
        found.setdefault((query.metric, query.stat), []).append(query)
    step = scrape = 0
    if settings is not None:
        step, scrape = (int(duration(text).total_seconds()) for text in (settings.step, settings.scrape_interval))
    for recorded, name in PRESETS.items():
        if recorded not in found:
            found[recorded] = [preset(name, step=step or 60, scrape=scrape or 15)]
    return found


def recording(prefix: str, recorded: Recorded, queries: list[Query]) -> list[Rule]:
    """A rule a query: one series a service, under the label `service`, in our unit, without NaN.

    >>> query = Query("latency", "lat", "p95", service_label="app", unit="ms")
    >>> recording("capacity", ("latency", "p95"), [query])[0]["expr"]
    'max by (service) (label_replace(lat, "service", "$1", "app", "(.*)")) * 0.001 >= 0'
    """
    made = []
    for query in queries:
        text = query.text
        if query.service:
            expression = f"max({text})"
        elif query.service_label != "service":
            moved = f'label_replace({text}, "service", "$1", "{query.service_label}", "(.*)")'
            expression = f"max by (service) ({moved})"
        else:
            expression = f"max by (service) ({text})"
        if query.factor != 1:
            expression += f" * {query.factor:.12g}"
        if METRICS[recorded[0]].additivity == "ratio":
            expression += " >= 0"  # a quantile of nothing is NaN, which no comparison lets through
        labels = {"labels": {"service": query.service}} if query.service else {}
        made.append({"record": series_name(prefix, recorded), "expr": expression, **labels})
    return made


def alert(alarm: Alarm, alarms: Alarms, expression: str, remarks: tuple[str, ...]) -> Rule:
    return {
        "alert": alarm.name,
        "expr": expression,
        "labels": {name: untemplated(value) for name, value in labels_of(alarm).items()},
        "annotations": {name: untemplated(value) for name, value in annotations_of(alarm, alarms, remarks).items()},
    }


def labels_of(alarm: Alarm) -> dict[str, str]:
    """Labels by which Alertmanager routes. An empty one would be none."""
    labels = {"service": alarm.service, "severity": alarm.severity, "kind": alarm.kind, "owner": alarm.owner}
    return {name: value for name, value in labels.items() if value}


def annotations_of(alarm: Alarm, alarms: Alarms, remarks: tuple[str, ...]) -> dict[str, str]:
    """Without length limits: the whole reason."""
    said = description(Alarm(**{**vars(alarm), "runbook": "", "summary": ""}), alarms, remarks, longest=10_000)
    found = {"summary": alarm.summary, "description": said, "runbook_url": runbook_link(alarm, alarms)}
    return {name: value for name, value in found.items() if value}


def untemplated(text: str) -> str:
    """Text that a Go template leaves as it is.

    >>> print(untemplated("{{ $value }}"))
    {{"{{"}} $value }}
    """
    return text.replace("{{", '{{"{{"}}')


def series_prefix(prefix: str) -> str:
    """The prefix as a metric's name may begin.

    >>> series_prefix("capacity"), series_prefix("3-shop")
    ('capacity', '_3_shop')
    """
    plain = prefix.replace("-", "_")
    return f"_{plain}" if plain[:1].isdigit() else plain


def _assumed(needed: dict[Recorded, None], settings: PrometheusSettings | None) -> list[Finding]:
    """Metrics that a ready-made query is asked for, because no query of the settings measures them."""
    asked = {(query.metric, query.stat) for query in (queries_of(settings) if settings is not None else ())}
    return [
        Finding(
            "",
            metric,
            "query assumed",
            "REVIEW",
            f"no [[prometheus.query]] measures {metric} ({stat}): the rules ask for it with preset {name!r}",
            "Look whether your server has those series, or add a [[prometheus.query]].",
        )
        for (metric, stat), name in PRESETS.items()
        if (metric, stat) in needed and (metric, stat) not in asked
    ]
