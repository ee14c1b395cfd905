"""Unit tests for the rules, for `promtool test rules`: for each alert a case in which it fires, and one in which not.

promtool evaluates every rule of a file at every step of a case. So cases that stand the same steps are a file, and one
test holds a case of each service: the work grows with the services, not with their square.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import Any, Final

from capacity.monitoring.alarm import Alarm, Alarms
from capacity.monitoring.render.prometheus import PLAN_FILE, RULE_FILE, Rules, annotations_of, labels_of, rules_of
from capacity.monitoring.render.prometheus_cases import Story, every
from capacity.monitoring.render.promql import Asking
from capacity.monitoring.render.promql_text import span
from capacity.monitoring.render.rendered import Rendered, Telling
from capacity.scaling.render.quoting import yaml
from capacity.scaling.render.table import printable

#: Alarms that the name of a test spells out; of more it says how many.
NAMED: Final = 3


@dataclass(frozen=True)
class Case:
    """Whether one alert fires in one story of its service.

    alert   what promtool shall find: labels and annotations; None where nothing fires
    series  name of a series -> its values, one every `interval` minutes
    """

    alarm: Alarm
    alert: dict[str, Any] | None
    minutes: int
    interval: int
    series: dict[str, str]

    @property
    def name(self) -> str:
        return f"{self.alarm.name} {'stays quiet' if self.alert is None else 'fires'}"


def prometheus_tests(alarms: Alarms) -> Rendered:
    """Files of tests, YAML, for the files of rules that `prometheus` makes, beside them."""
    rules, telling = rules_of(alarms)
    untold = Telling("a unit test")
    cases: dict[tuple[bool, int], list[Case]] = {}
    for alarm, _ in rules.alerts:
        steps, asking = every(alarm.condition), rules.asked[alarm.name]
        for fires in (True, False):
            told = partial(_case, alarms=alarms, asking=asking, steps=steps, fires=fires)
            made = [one for _, one in untold.each([alarm], told)]
            cases.setdefault((bool(asking.weeks), steps), []).extend(made)
    head = [f"# Not tested: {printable(line)}" for line in untold.unsaid]
    telling.found += untold.found
    files = {}
    for (weekly, steps), several in cases.items():
        name = f"capacity-{'plan-' if weekly else ''}tests-{span(steps)}.yml"
        beside = [RULE_FILE, PLAN_FILE] if weekly else [RULE_FILE]
        lines = [f"# Unit tests of the rules in {' and '.join(beside)}: promtool test rules {name}", *head]
        files[name] = "\n".join([*lines, yaml(_document(rules, beside, steps, several))]) + "\n"
    return telling.of(files)


def _case(alarm: Alarm, _: list[str], *, alarms: Alarms, asking: Asking, steps: int, fires: bool) -> Case:
    """Raises CannotSay where no series make the condition hold."""
    story = Story(asking, steps)
    series = {asking.series(one): values for one, values in story.told(alarm.condition, fires=fires).items()}
    remarks = tuple(dict.fromkeys(asking.remarks))
    alert = {"exp_labels": labels_of(alarm), "exp_annotations": annotations_of(alarm, alarms, remarks)}
    return Case(alarm, alert if fires else None, story.minutes, story.interval, series)


def _document(rules: Rules, beside: list[str], steps: int, cases: list[Case]) -> dict[str, Any]:
    groups = rules.files()
    return {
        "rule_files": beside,
        "evaluation_interval": span(steps),
        "group_eval_order": [group["name"] for name in beside for group in groups[name]],
        "tests": [_test(several) for several in _together(cases)],
    }


def _together(cases: list[Case]) -> list[list[Case]]:
    """One case of each service, long ones with long ones; samples as far apart."""
    queues: dict[tuple[int, str], list[Case]] = {}
    for case in sorted(cases, key=lambda one: -one.minutes):
        queues.setdefault((case.interval, case.alarm.service), []).append(case)
    made = []
    for interval in sorted({interval for interval, _ in queues}):
        own = [queue for (of, _), queue in queues.items() if of == interval]
        made += [[case for case in together if case is not None] for together in zip_longest(*own)]
    return made


def _test(cases: list[Case]) -> dict[str, Any]:
    """Services do not touch each other: each series and each alert is of one."""
    named = [case.name for case in cases[:NAMED]]
    named += [f"and {len(cases) - NAMED:,} more"] if len(cases) > NAMED else []
    return {
        "name": ", ".join(named),
        "interval": span(cases[0].interval),
        "input_series": [{"series": name, "values": values} for case in cases for name, values in case.series.items()],
        "alert_rule_test": [
            {
                "eval_time": span(case.minutes),
                "alertname": case.alarm.name,
                "exp_alerts": [] if case.alert is None else [case.alert],
            }
            for case in cases
        ],
    }
