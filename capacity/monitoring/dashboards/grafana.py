"""A page as Grafana's JSON model of a dashboard, over Prometheus: import it, or provision it from a file.

The "classic" model, which every Grafana since 8 reads and 13 turns into its own. Source: Grafana documentation,
"Dashboard JSON model". What the plan expects is PromQL (`profile.promql`): the days to come have it, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from capacity.config import Account
from capacity.config.monitoring import Monitoring
from capacity.monitoring.alarm import Alarm
from capacity.monitoring.dashboards.naming import uid_of
from capacity.monitoring.dashboards.parts import COLOURS, AlarmList, Box, Chart, Page, Part, Words, linked, placed
from capacity.monitoring.dashboards.promql import Questions, selector
from capacity.monitoring.profile import promql

Panel = dict[str, Any]

#: Of Grafana 11.6 and 12; older ones read it, newer ones migrate it.
SCHEMA: Final = 41

#: A row of Grafana's grid is 30 pixels high, one of CloudWatch's about 40: heights are given for the latter.
TALLER: Final = 4 / 3

#: Every panel asks the Prometheus that is chosen at the top.
SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}

#: Unit of a chart -> Grafana's id of it; others are shown as they are called.
UNITS: Final = {"seconds": "s", "%": "percent", "% of reserved": "percent", "% of requests": "percent"}

#: Grafana puts the value of a variable wherever `$name` or `[[name]]` stands, also in text: a word joiner, which takes
#: no room, keeps a name what it is.
_JOINER: Final = "\N{WORD JOINER}"


def model(
    page: Page,
    accounts: Mapping[str, Account],
    questions: Questions,
    alarms: Sequence[Alarm] = (),
    settings: Monitoring | None = None,
) -> dict[str, Any]:
    """The document. `alarms`: those that the page is about, for annotations and links to runbooks."""
    panels = [
        {"id": number, **_panel(part, accounts, questions), "gridPos": _place(box)}
        for number, (part, box) in enumerate(placed(page, TALLER), start=1)
    ]
    url = settings.runbook_url if settings is not None else ""
    links = [
        {"type": "link", "title": alarm.runbook, "url": url + alarm.runbook, "targetBlank": True, "icon": "doc"}
        for alarm in {alarm.runbook: alarm for alarm in alarms}.values()
        if url and page.service
    ]
    return {
        "uid": uid_of(page.name),
        "title": plain(page.title),
        "tags": ["capacity", "service" if page.service else "fleet"],
        "timezone": "utc",
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "schemaVersion": SCHEMA,
        "time": {"from": "now-7d", "to": "now+1d"},
        "templating": {"list": [_variable()]},
        "annotations": {"list": [_firing(page)]},
        "links": links,
        "panels": panels,
    }


def _variable() -> Panel:
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Prometheus",
        "query": "prometheus",
        "hide": 0,
        "refresh": 1,
        "regex": "",
        "multi": False,
        "includeAll": False,
    }


def _firing(page: Page) -> Panel:
    """A mark wherever an alarm of the service fired: Prometheus keeps that itself, as the metric ALERTS."""
    labels = {"alertstate": "firing", **({"service": page.service} if page.service else {})}
    return {
        "name": "alarms",
        "datasource": SOURCE,
        "enable": True,
        "iconColor": COLOURS["promise"],
        "expr": f"ALERTS{selector(labels)}",
        "titleFormat": "{{alertname}}",
        "textFormat": "{{severity}}",
        "step": "60s",
    }


def _place(box: Box) -> dict[str, int]:
    return {"x": box.x, "y": box.y, "w": box.width, "h": box.height}


def _panel(part: Part, accounts: Mapping[str, Account], questions: Questions) -> Panel:
    if isinstance(part, Words):
        return _text(linked(part.markdown, lambda name: f"/d/{uid_of(name)}"))
    if isinstance(part, AlarmList):
        return _alarms(part)
    account = accounts.get(part.lines[0].service.region)
    asked = [(line, questions.of(line, account)) for line in part.lines]
    targets = [_target(expression, line.label) for line, expression in asked if expression is not None]
    if not targets:
        return _text(f"### {part.title}\n\nNot shown: no `[[prometheus.query]]` of capacity.toml asks for it.")
    if part.kind == "number":
        return _number(part, targets)
    levels = [_target(f"vector({level.value:.12g})", level.words) for level in part.levels]
    bands = [_target(promql(band.profile), band.label) for band in part.bands]
    return {
        "type": "timeseries",
        "title": plain(part.title),
        "datasource": SOURCE,
        "targets": _numbered([*targets, *levels, *bands]),
        "fieldConfig": {"defaults": _defaults(part), "overrides": _overrides(part)},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    }


def _text(markdown: str) -> Panel:
    return {"type": "text", "title": "", "options": {"mode": "markdown", "content": plain(markdown)}}


def _alarms(part: AlarmList) -> Panel:
    """Those of the services that the list is about; of an account's alarms the label is empty."""
    services = list(dict.fromkeys(alarm.service for alarm in part.alarms))
    labels = {"service": services[0]} if len(services) == 1 and services[0] else {}
    return {
        "type": "alertlist",
        "title": plain(part.title),
        "options": {
            "viewMode": "list",
            "groupMode": "default",
            "groupBy": [],
            "maxItems": max(20, len(part.alarms)),
            "sortOrder": 1,
            "dashboardAlerts": False,
            "alertName": "",
            "alertInstanceLabelFilter": selector(labels) if labels else "",
            "stateFilter": {
                **dict.fromkeys(("firing", "pending", "error", "recovering"), True),
                **dict.fromkeys(("noData", "normal"), False),
            },
        },
    }


def _number(part: Chart, targets: list[Panel]) -> Panel:
    steps = [{"color": COLOURS["promise"], "value": None}, {"color": COLOURS["target"], "value": 0}]
    thresholds = {"mode": "absolute", "steps": steps}
    defaults = {"unit": UNITS.get(part.unit, part.unit), "decimals": 1, "thresholds": thresholds}
    return {
        "type": "stat",
        "title": plain(part.title),
        "datasource": SOURCE,
        "targets": _numbered([{**target, "instant": True, "range": False} for target in targets]),
        "fieldConfig": {"defaults": defaults | {"color": {"mode": "thresholds"}}, "overrides": []},
        "options": {
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "colorMode": "value",
            "graphMode": "none",
            "textMode": "auto",
        },
    }


def _target(expression: str, label: str) -> Panel:
    return {"datasource": SOURCE, "expr": expression, "legendFormat": label, "editorMode": "code", "range": True}


def _numbered(targets: list[Panel]) -> list[Panel]:
    """Each with its letter: A to Z, then AA."""
    letters = [chr(ord("A") + n) for n in range(26)]
    names = [*letters, *(f"A{letter}" for letter in letters)]
    return [{"refId": names[n], **target} for n, target in enumerate(targets)]


def _defaults(part: Chart) -> Panel:
    custom = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 0, "showPoints": "never", "spanNulls": False}
    return {"unit": UNITS.get(part.unit, f"suffix: {part.unit}"), "min": 0, "custom": custom}


def _overrides(part: Chart) -> list[Panel]:
    """A colour for each line; levels dashed; the space between the edges of the band filled."""
    found = [_override(line.label, color=_fixed(line.colour)) for line in part.lines]
    dashes = {"fill": "dash", "dash": [8, 6]}
    found += [
        _override(level.words, color=_fixed(COLOURS[level.role]), **{"custom.lineStyle": dashes})
        for level in part.levels
    ]
    for band in part.bands:
        fill = {"custom.fillBelowTo": band.over, "custom.fillOpacity": 20} if band.over else {}
        found.append(_override(band.label, color=_fixed(COLOURS[band.role]), **fill))
    return found


def _override(label: str, **properties: Any) -> Panel:
    listed = [{"id": name, "value": value} for name, value in properties.items()]
    return {"matcher": {"id": "byName", "options": label}, "properties": listed}


def _fixed(colour: str) -> dict[str, str]:
    return {"mode": "fixed", "fixedColor": colour}


def plain(text: str) -> str:
    r"""Text in which Grafana finds no variable.

    >>> plain("$datasource [[x]]").encode("ascii", "backslashreplace").decode()
    '$\\u2060datasource [\\u2060[x]]'
    """
    return text.replace("$", f"${_JOINER}").replace("[[", f"[{_JOINER}[")
