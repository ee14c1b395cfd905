"""A dashboard of Grafana asks a real Prometheus what it can answer, and its model holds together."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from capacity.config.prometheus import PrometheusQuery, PrometheusSettings
from capacity.config.slo import Slo
from capacity.monitoring.dashboards import Dashboard, dashboard
from capacity.monitoring.dashboards.parts import Line
from capacity.monitoring.dashboards.promql import Questions
from capacity.monitoring.profile import legible, promql
from tests.monitoring.dashboards.bodies import overlaps, seen
from tests.monitoring.planned import alarms_of, plan_of, policy_of, service, web_plan
from tests.scaling.any_policy import NASTY
from tests.sources.prometheus.server import Server, backfill

Model = dict[str, Any]

#: Monday, 3 August 2026, 00:00 UTC.
MONDAY = 1_785_715_200

#: A name in which every language along the way finds something of its own.
ODD = 'a"b\\c $1 ${x} [[y]] {{z}} \u2028 服'


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Six hours of two services: one request in fifty fails of `web`, none of the other; `web` slows after four."""
    lines = ["# TYPE http_requests counter"]
    for name, rate in (("web", 10), (escaped(ODD), 3)):
        for code, share in (("200", 0.98), ("500", 0.02)):
            if name == "web" or code == "200":
                share = share if name == "web" else 1.0
                lines += [
                    f'http_requests_total{{service="{name}",code="{code}"}} {second * rate * share} {MONDAY + second}'
                    for second in range(0, 6 * 3600, 15)
                ]
    lines.append("# TYPE seconds_p95 gauge")
    lines += [
        f'seconds_p95{{service="web"}} {0.1 if second < 4 * 3600 else 0.4} {MONDAY + second}'
        for second in range(0, 6 * 3600, 15)
    ]
    one = Server(backfill(tmp_path_factory.mktemp("dashboards"), lines)).start()
    yield one
    one.stop()


def asked(server: Server, expression: str, at: float) -> list[Any]:
    """The answer to an expression, as Grafana sends it: with its own variables filled in."""
    text = expression.replace("$__rate_interval", "1m").replace("$__interval", "1m")
    query = urllib.parse.urlencode({"query": text, "time": at}).encode()
    with urllib.request.urlopen(f"{server.url}/api/v1/query", query, timeout=10) as answer:
        found: list[Any] = json.load(answer)["data"]["result"]
        return found


def value(server: Server, expression: str, at: float) -> float:
    (only,) = asked(server, expression, at)
    assert only["metric"] == {}
    return float(only["value"][1])


def made(**how: Any) -> Dashboard:
    found = web_plan()
    given: dict[str, Any] = {"policy": policy_of(found), "alarms": alarms_of(found)}
    return dashboard(found, **(given | how))


def test_every_question_of_every_page_is_one_that_prometheus_answers(server: Server) -> None:
    services = [service(name) for name in (ODD, *NASTY)]
    found = plan_of(*services, steps=24 * 7)
    shown = dashboard(found, alarms=alarms_of(found))
    expressions = {
        target["expr"]
        for page in shown.render("grafana").values()
        for panel in page["panels"]
        for target in panel.get("targets", ())
    } | {page["annotations"]["list"][0]["expr"] for page in shown.render("grafana").values()}
    assert len(expressions) > 300
    for expression in sorted(expressions, key=len)[::4] + sorted(expressions, key=len)[-3:]:
        asked(server, expression, MONDAY + 5 * 3600)


def test_the_band_is_the_plans_week_at_every_hour_also_of_the_week_to_come(server: Server) -> None:
    profile = tuple(100 + 7.5 * (hour % 24) + (50 if hour >= 120 else 0) for hour in range(168))
    expression = promql(profile)
    query = urllib.parse.urlencode(
        {"query": expression, "start": MONDAY + 1800, "end": MONDAY + 168 * 3600 - 1800, "step": "1h"}
    )
    with urllib.request.urlopen(f"{server.url}/api/v1/query_range", query.encode(), timeout=10) as answer:
        (only,) = json.load(answer)["data"]["result"]
    assert [float(said) for _, said in only["values"]] == pytest.approx(legible(profile))
    assert value(server, expression, MONDAY + 3600 * (52 * 168 + 30)) == pytest.approx(legible(profile)[30])


def test_a_line_is_one_service_and_no_other(server: Server) -> None:
    at = MONDAY + 5 * 3600
    for name, rate in (("web", 10.0), (ODD, 3.0)):
        line = Line(service(name), "requests", "measured")
        assert value(server, Questions().of(line) or "", at) == pytest.approx(rate, rel=0.01)
        own = PrometheusQuery(metric="requests", query="sum by (service) (rate(http_requests_total[5m]))")
        theirs = Questions(PrometheusSettings(query=(own,)))
        assert value(server, theirs.of(line) or "", at) == pytest.approx(rate, rel=0.01)
        milli = own.model_copy(update={"unit": "requests/min"})
        assert value(server, Questions(PrometheusSettings(query=(milli,))).of(line) or "", at) == pytest.approx(
            rate / 60
        )


def test_how_fast_a_budget_burns_and_what_is_left_of_it(server: Server) -> None:
    at, promised = MONDAY + 5 * 3600, Slo(objective=0.99, window_days=1)
    line = Line(service(), "", "burn", measure="burn", slo=promised, minutes=60)
    assert value(server, Questions().of(line) or "", at) == pytest.approx(2.0, rel=0.01)
    left = Line(service(), "", "left", measure="budget", slo=promised)
    assert value(server, Questions().of(left) or "", at) == pytest.approx(-100.0, rel=0.02)
    slow = Slo(kind="latency", objective=0.75, latency_seconds=0.25, window_days=1)
    own = Questions(PrometheusSettings(query=(PrometheusQuery(metric="latency", stat="p95", query="seconds_p95"),)))
    burning = Line(service(), "", "burn", measure="burn", slo=slow, minutes=120)
    assert value(server, own.of(burning) or "", at) == pytest.approx(0.5 / 0.25, rel=0.02)


def test_a_model_holds_together() -> None:
    pages = made().render("grafana")
    assert len({page["uid"] for page in pages.values()}) == len(pages)
    for page in pages.values():
        assert re.fullmatch("[A-Za-z0-9_-]{1,40}", page["uid"])
        assert len({panel["id"] for panel in page["panels"]}) == len(page["panels"])
        places = [panel["gridPos"] for panel in page["panels"]]
        assert not list(overlaps([(one["x"], one["y"], one["w"], one["h"]) for one in places]))
        assert all(one["x"] + one["w"] <= 24 for one in places)
        for panel in page["panels"]:
            names = [target["legendFormat"] for target in panel.get("targets", ())]
            assert len(names) == len(set(names)) == len({target["refId"] for target in panel.get("targets", ())})
            for override in panel.get("fieldConfig", {}).get("overrides", ()):
                properties = {one["id"]: one["value"] for one in override["properties"]}
                assert properties.get("custom.fillBelowTo", names[0]) in names
            assert {target["datasource"]["uid"] for target in panel.get("targets", ())} <= {"${datasource}"}


def test_the_space_between_the_plans_median_and_its_upper_edge_is_filled() -> None:
    panels = made().render("grafana", "web")["panels"]
    requests = next(panel for panel in panels if panel["title"] == "Requests")
    names = [target["legendFormat"] for target in requests["targets"]]
    assert names == ["measured", "plan, median", "plan, 95 %", "alarm: above it for 3 h"]
    filled = {
        override["matcher"]["options"]: one["value"]
        for override in requests["fieldConfig"]["overrides"]
        for one in override["properties"]
        if one["id"] == "custom.fillBelowTo"
    }
    assert filled == {"plan, 95 %": "plan, median"}


def test_the_fleets_page_leads_to_every_services() -> None:
    found = plan_of(service(), service("a" * 60), steps=24 * 7)
    pages = dashboard(found).render("grafana")
    content = pages["capacity-fleet"]["panels"][0]["options"]["content"]
    uids = {page["uid"] for name, page in pages.items() if name != "capacity-fleet"}
    assert set(re.findall(r"\]\(/d/([^)]+)\)", content)) == uids


def test_a_page_links_its_runbooks_and_marks_its_alarms() -> None:
    page = made().render("grafana", "web")
    assert page["links"][0]["url"] == "https://wiki.example.com/runbooks/web--burn_fast.md"
    assert page["annotations"]["list"][0]["expr"] == 'ALERTS{alertstate="firing", service="web"}'
    alarms = next(panel for panel in page["panels"] if panel["type"] == "alertlist")
    assert alarms["options"]["alertInstanceLabelFilter"] == '{service="web"}'


def test_grafana_finds_no_variable_and_markdown_no_markup_in_a_name() -> None:
    name = "$datasource [[datasource]] ${__from} <b>"
    found = plan_of(service(name), steps=24 * 7)
    shown = dashboard(found, alarms=alarms_of(found))
    text = json.dumps(shown.render("grafana"), ensure_ascii=False).replace('"uid": "${datasource}"', "")
    text = text.replace("$__rate_interval", "")
    assert re.findall(r"\$\{?\w+|\[\[\w+", text) == []
    for page in shown.render("grafana").values():
        for panel in page["panels"]:
            if panel["type"] == "text":
                assert seen(panel["options"]["content"])[1] == []
