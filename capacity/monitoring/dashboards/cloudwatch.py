"""A page as the body of a CloudWatch dashboard: what PutDashboard takes, by the rules of aws.md 7.2."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from capacity.config import Account
from capacity.monitoring.alarm import Alarm
from capacity.monitoring.dashboards.parts import COLOURS, AlarmList, Box, Chart, Line, Page, Part, Words, linked, placed
from capacity.monitoring.markdown import code
from capacity.monitoring.measuring import constants, in_cloudwatch
from capacity.monitoring.profile import metric_math
from capacity.monitoring.signals import signal

Row = list[Any]
Widget = dict[str, Any]

#: Seconds of a datapoint: kept for 63 days (aws.md 1.1), and a week of them is 2,016, which a widget draws at once.
PERIOD: Final = 300

#: Stands where the number of the account has to be put, which nothing that is configured tells.
ACCOUNT: Final = "PUT-ACCOUNT-ID-HERE"

#: A dashboard shows a week, as the band of the plan is one.
START: Final = "-P7D"

#: Partition of ARNs, by how a region begins. Source: AWS General Reference, "Amazon Resource Names".
_PARTITIONS: Final = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


def body(page: Page, accounts: Mapping[str, Account], account_id: str = ACCOUNT) -> dict[str, Any]:
    """The body, as a document; PutDashboard takes it as a text of JSON (`text`).

    accounts    region -> its quotas
    account_id  twelve digits, for the ARNs of alarms
    """
    widgets = [_widget(part, box, page, accounts, account_id) for part, box in placed(page)]
    return {"start": START, "periodOverride": "inherit", "widgets": widgets}


def text(document: Mapping[str, Any]) -> str:
    """As PutDashboard takes it: no larger than it has to be, every character itself."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _widget(part: Part, box: Box, page: Page, accounts: Mapping[str, Account], account_id: str) -> Widget:
    place = {"x": box.x, "y": box.y, "width": box.width, "height": box.height}
    if isinstance(part, Words):
        return _words(linked(part.markdown, console(page.region).format), place)
    if isinstance(part, AlarmList):
        arns = [arn(alarm, page.region, account_id) for alarm in part.alarms]
        only = {"states": ["ALARM"]} if part.firing else {}
        return {"type": "alarm", **place, "properties": {"title": part.title, "alarms": arns, **only}}
    rows = _rows(part, accounts)
    if not rows:
        return _words(_unseen(part), place)
    return {"type": "metric", **place, "properties": _properties(part, rows)}


def console(region: str) -> str:
    """Where the console shows a dashboard, with a blank for its name; other partitions have their own consoles.

    >>> console("eu-west-1").format("capacity-fleet")
    'https://console.aws.amazon.com/cloudwatch/home?region=eu-west-1#dashboards/dashboard/capacity-fleet'
    """
    hosts = {"cn-": "console.amazonaws.cn", "us-gov-": "console.amazonaws-us-gov.com"}
    host = next((name for start, name in hosts.items() if region.startswith(start)), "console.aws.amazon.com")
    return f"https://{host}/cloudwatch/home?region={region}#dashboards/dashboard/{{}}"


def _words(markdown: str, place: Mapping[str, int]) -> Widget:
    return {"type": "text", **place, "properties": {"markdown": markdown}}


def _unseen(chart: Chart) -> str:
    """What stands in the place of a chart that CloudWatch cannot draw, and why."""
    service = chart.lines[0].service
    if any(line.measure != "signal" and line.slo is not None and line.slo.kind == "latency" for line in chart.lines):
        why = "CloudWatch has no share of slow minutes over hours: see the latency itself, and the alarms."
    elif not service.alb_resource_label:
        why = f"{code(service.name)} states no `alb_resource_label` in capacity.toml, which names its load balancer."
    else:
        why = "no metric of CloudWatch says it."
    return f"### {chart.title}\n\nNot shown: {why}"


def arn(alarm: Alarm, region: str, account_id: str) -> str:
    """Of an alarm; its region is its own, or that of the page.

    >>> from capacity.monitoring.conditions import Absent, Reading
    >>> one = Alarm("capacity-web-silence", "web", "silence", "page", Absent(Reading("cpu")), "", "", "")
    >>> arn(one, "cn-north-1", "123456789012")
    'arn:aws-cn:cloudwatch:cn-north-1:123456789012:alarm:capacity-web-silence'
    """
    where = alarm.region or region
    partition = next((name for start, name in _PARTITIONS.items() if where.startswith(start)), "aws")
    return f"arn:{partition}:cloudwatch:{where}:{account_id}:alarm:{alarm.name}"


def _properties(chart: Chart, rows: list[Row]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "title": chart.title,
        "region": chart.lines[0].service.region,
        "metrics": rows,
        "period": PERIOD,
    }
    if chart.kind == "number":
        whole = all(line.slo is None or line.slo.kind == "availability" for line in chart.lines)
        return made | {
            "view": "singleValue",
            "start": f"-P{chart.days}D",
            "end": "P0D",
            **({"setPeriodToTimeRange": True} if whole else {}),
        }
    horizontal = [{"value": level.value, "label": level.words, "color": COLOURS[level.role]} for level in chart.levels]
    vertical = [{"value": f"{at.tz_convert('UTC'):%Y-%m-%dT%H:%M:%SZ}", "label": label} for at, label in chart.marks]
    marks = {name: found for name, found in (("horizontal", horizontal), ("vertical", vertical)) if found}
    return made | {
        "view": "timeSeries",
        "stacked": False,
        "yAxis": {"left": {"min": 0, "label": chart.unit, "showUnits": False}},
        "legend": {"position": "bottom"},
        **({"annotations": marks} if marks else {}),
    }


def _rows(chart: Chart, accounts: Mapping[str, Account]) -> list[Row]:
    """The metrics of every line that can be asked, then the edges of the band; none where no line can."""
    rows: list[Row] = []
    clock = ""
    for number, line in enumerate(chart.lines):
        made = _line(line, number, accounts)
        clock = clock or (made[0][-1]["id"] if made else "")
        rows += made
    for number, band in enumerate(chart.bands if clock else ()):
        for name, expression in metric_math(band.profile, clock, f"band{number}"):
            rows.append([{"id": name, "expression": expression, "visible": False}])
        rows[-1][0] |= {"label": band.label, "color": COLOURS[band.role], "visible": True}
    return rows


def _line(line: Line, number: int, accounts: Mapping[str, Account]) -> list[Row]:
    """Its metrics, hidden, and the expression that shows; the metric itself where there is no arithmetic."""
    asked = _asked(line)
    found = in_cloudwatch(asked, line.service, constants(line.service, accounts.get(line.service.region)), _stat(line))
    if found is None or (line.measure == "burn" and line.slo is not None and line.slo.kind == "latency"):
        return []
    ids = {part.id: f"{part.id}{number}" for part in found.parts}
    expression = _meaning(line, _renamed(found.expression, ids))
    period = {"period": line.minutes * 60} if line.measure == "burn" else {}
    rows: list[Row] = []
    for part in found.parts:
        dimensions = part.dimensions(line.service) or ()
        options = {"id": ids[part.id], "stat": part.stat, **period, "visible": False}
        rows.append([part.namespace, part.name, *(text for pair in dimensions for text in pair), options])
    shown = {"label": line.label, "color": line.colour}
    if expression in ids.values():
        rows[0][-1] |= {**shown, "visible": True}
        return rows
    return [*rows, [{"id": f"x{number}", "expression": expression, **shown}]]


def _asked(line: Line) -> str:
    if line.measure == "signal":
        return signal(line.signal).name
    return "latency" if line.slo is not None and line.slo.kind == "latency" else "error_ratio"


def _stat(line: Line) -> str:
    if line.slo is not None and line.slo.kind == "latency":
        return line.slo.percentile
    return line.stat


def _meaning(line: Line, expression: str) -> str:
    """The expression in the chart's unit, or as a burn rate, or as what is left of a budget, in percent."""
    if line.slo is None:
        return expression if line.factor == 1 else f"{line.factor:g} * ({expression})"
    budget = f"{line.slo.budget:.12g}"
    if line.measure == "burn":
        return f"({expression}) / {budget}"
    if line.slo.kind == "availability":
        return f"100 * (1 - ({expression}) / {budget})"
    slow = f"AVG(IF({expression} > {line.slo.latency_seconds:.12g}, 1, 0))"
    return f"TIME_SERIES(100 * (1 - {slow} / {budget}))"


def _renamed(expression: str, ids: Mapping[str, str]) -> str:
    return re.sub(r"\b[a-z]\b", lambda found: ids.get(found[0], found[0]), expression)


def account_of(arns: Iterable[str]) -> str:
    """The account that all ARNs name; the hole to fill where they name none, or several.

    >>> account_of(["arn:aws:sns:eu-west-1:123456789012:pages"]), account_of([])
    ('123456789012', 'PUT-ACCOUNT-ID-HERE')
    """
    named = {found[1] for one in arns if (found := re.match(r"arn:[\w-]+:[\w-]+:[\w-]*:(\d{12}):", one))}
    return named.pop() if len(named) == 1 else ACCOUNT


def unseen(page: Page, accounts: Mapping[str, Account]) -> list[str]:
    """Titles of the charts that CloudWatch cannot draw."""
    return [part.title for part in page.parts if isinstance(part, Chart) and not _rows(part, accounts)]
