"""A dashboard of CloudWatch is one that AWS takes: by its documented structure, by its limits, for any name."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Monitoring
from capacity.monitoring.dashboards import Dashboard, dashboard
from capacity.monitoring.dashboards.cloudwatch import ACCOUNT
from capacity.monitoring.dashboards.pages import fleet_pages
from capacity.monitoring.facts import facts_of
from capacity.monitoring.markdown import escaped
from capacity.monitoring.profile import MOST_LETTERS, legible, metric_math
from tests.monitoring.dashboards.bodies import HERE, evaluated, problems, seen
from tests.monitoring.planned import TOLD, alarms_of, plan_of, policy_of, service, web_plan
from tests.scaling.any_policy import NASTY

Body = dict[str, Any]


@cache
def cdk() -> Body:
    body: Body = json.loads((HERE / "cdk.json").read_text(encoding="utf-8"))
    return body


def made(**how: Any) -> Dashboard:
    found = web_plan()
    given: dict[str, Any] = {"policy": policy_of(found), "alarms": alarms_of(found)}
    return dashboard(found, **(given | how))


@cache
def ours() -> Body:
    body: Body = made().render("cloudwatch", "web")
    return body


def charts(body: Body) -> dict[str, Body]:
    return {w["properties"].get("title", ""): w["properties"] for w in body["widgets"] if w["type"] == "metric"}


def test_what_the_cdk_synthesises_passes_the_schema_and_so_does_every_page_of_ours() -> None:
    assert problems(cdk()) == []
    for body in made().render("cloudwatch").values():
        assert problems(body) == []


MUTATIONS: dict[str, Callable[[Body, Body], Any]] = {
    "no widgets": lambda body, widget: body.pop("widgets"),
    "an end without a start": lambda body, widget: (body.pop("start"), body.update(end="P0D")),
    "an unknown key": lambda body, widget: body.update(title="x"),
    "a word for a start": lambda body, widget: body.update(start="yesterday"),
    "an unknown type": lambda body, widget: widget.update(type="graph"),
    "a column that is not there": lambda body, widget: widget.update(x=24),
    "beyond the right edge": lambda body, widget: widget.update(x=23, width=2),
    "no height": lambda body, widget: widget.update(height=0),
    "on top of another": lambda body, widget: widget.update(x=0, y=0),
    "no region": lambda body, widget: widget["properties"].pop("region"),
    "a zone for a region": lambda body, widget: widget["properties"].update(region="eu-west-1a"),
    "an unknown view": lambda body, widget: widget["properties"].update(view="line"),
    "a gauge without ends": lambda body, widget: (
        widget["properties"].update(view="gauge"),
        widget["properties"].pop("yAxis", None),
    ),
    "45 seconds": lambda body, widget: widget["properties"].update(period=45),
    "an unknown option of a row": lambda body, widget: widget["properties"]["metrics"][0].append({"colour": "#000000"}),
    "a colour by name": lambda body, widget: widget["properties"]["metrics"][0].append({"color": "red"}),
    "a name without its value": lambda body, widget: widget["properties"]["metrics"].append(["AWS/ECS", "CPU", "A"]),
    "an id that is not there": lambda body, widget: widget["properties"]["metrics"].append([{"expression": "zz9 + 1"}]),
    "a level without a value": lambda body, widget: widget["properties"].update(
        annotations={"horizontal": [{"label": "x"}]}
    ),
    "a moment that is none": lambda body, widget: widget["properties"].update(
        annotations={"vertical": [{"value": "today"}]}
    ),
}


@pytest.mark.parametrize("body", [cdk, ours])
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_body_with_one_thing_wrong_does_not_pass(body: Callable[[], Body], mutation: str) -> None:
    wrong = copy.deepcopy(body())
    widget = next(w for w in wrong["widgets"] if w["type"] == "metric" and w["properties"]["view"] == "timeSeries")
    MUTATIONS[mutation](wrong, widget)
    assert problems(wrong) != []


@settings(max_examples=5, deadline=None)
@given(st.lists(st.integers(0, 2) | st.floats(0, 1e7), min_size=168, max_size=168))
def test_metric_math_says_the_profile_at_every_hour_of_the_week_in_few_letters(values: list[float]) -> None:
    profile = tuple(map(float, values))
    rows = metric_math(profile, "m0", "band0")
    assert all(len(expression) <= MOST_LETTERS for _, expression in rows)
    assert [evaluated(rows, hour) for hour in range(168)] == pytest.approx(legible(profile))


def test_live_metrics_stand_beside_what_is_planned_of_them() -> None:
    shown = charts(ours())
    labels = [row[-1].get("label") for row in shown["Requests"]["metrics"] if row[-1].get("visible", True)]
    assert labels == ["measured", "plan, median", "plan, 95 %", "alarm: above it for 3 h"]
    assert [one["label"] for one in shown["Tasks"]["annotations"]["horizontal"]] == [
        "minimum today: 2",
        "maximum today: 12",
        "maximum proposed: 30",
    ]
    assert shown["Tasks"]["metrics"][1][0]["expression"] == "n0 * 60 / PERIOD(n0)"
    assert shown["Latency"]["annotations"]["horizontal"][0] | {"color": ""} == {
        "value": 0.25,
        "label": "promised, p95: 0.25",
        "color": "",
    }
    burning = shown["How fast the error budget burns"]["annotations"]["horizontal"]
    assert [one["label"] for one in burning] == ["ticket: 1", "page: 6", "page: 14.4"]
    assert shown["Error budget left: availability"]["start"] == "-P30D"


def test_the_band_of_cloudwatch_is_the_plans_own_quantile() -> None:
    forecast = web_plan().forecast
    expected = forecast.of("web").quantile(0.95)["web", "requests"]
    weeks = expected.to_numpy().reshape(4, 168)  # the forecast begins on a Monday, at midnight
    demand = facts_of(web_plan())["web"].demand["requests"]
    assert demand.high == pytest.approx(np.median(weeks, axis=0))


def test_a_service_without_a_load_balancer_is_told_what_it_does_not_see() -> None:
    one = service(alb_resource_label="", requests_per_second_per_task=None, slo=())
    body = dashboard(plan_of(one)).render("cloudwatch", "web")
    assert problems(body) == []
    texts = [w["properties"]["markdown"] for w in body["widgets"] if w["type"] == "text"]
    assert any("Latency\n\nNot shown: `web` states no `alb_resource_label`" in text for text in texts)
    assert any("Add `[[service.slo]]` to `web`" in text for text in texts)
    assert set(charts(body)) == {"Processor in use", "Tasks", "Processor", "Memory"}


def test_the_fleets_page_shows_what_fires_and_leads_to_every_services() -> None:
    body = made().render("cloudwatch")["capacity-fleet"]
    assert next(w for w in body["widgets"] if w["type"] == "alarm")["properties"]["states"] == ["ALARM"]
    text = body["widgets"][0]["properties"]["markdown"]
    address = "https://console.aws.amazon.com/cloudwatch/home?region=eu-west-1#dashboards/dashboard/"
    assert f"[`capacity-service-web`]({address}capacity-service-web)" in text


def test_alarms_are_named_by_the_account_of_their_topics_and_else_leave_a_hole() -> None:
    arns = next(w for w in ours()["widgets"] if w["type"] == "alarm")["properties"]["alarms"]
    assert arns[0] == "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:capacity-web-burn_fast"
    nobody = made(settings=Monitoring())
    assert f":{ACCOUNT}:" in json.dumps(nobody.render("cloudwatch", "web"))
    assert any("account is not known" in finding.message for finding in nobody.findings)
    assert not made().findings.items


def test_a_fleet_of_hundreds_is_split_where_cloudwatch_would_refuse_it() -> None:
    found = web_plan()
    facts = facts_of(found)["web"]
    many = {name: replace(facts, service=service(name), decisions=()) for name in (f"s{n:04}" for n in range(450))}
    many["s0377"] = replace(facts, service=service("s0377"))
    urgent = [replace(one, service="s0377") for one in found.decisions]
    pages = fleet_pages(replace(found, decisions=tuple(urgent)), many, None, TOLD)
    bodies = Dashboard(tuple(pages)).render("cloudwatch")
    assert list(bodies) == ["capacity-fleet", "capacity-fleet-2"]
    for body in bodies.values():
        assert problems(body) == []
        assert len(body["widgets"]) <= 500
        assert sum(len(w["properties"].get("metrics", ())) for w in body["widgets"]) <= 2500
    drawn = [title for body in bodies.values() for title in charts(body)]
    assert sorted(title for title in drawn if title.startswith("s")) == sorted(many)
    assert next(title for title in drawn if title.startswith("s")) == "s0377"
    assert "part 1 of 2" in bodies["capacity-fleet"]["widgets"][0]["properties"]["markdown"]


def test_any_name_stays_text_and_has_a_dashboard_of_its_own() -> None:
    services = [service(name) for name in NASTY]
    found = plan_of(*services, steps=24 * 7)
    shown = dashboard(found, alarms=alarms_of(found))
    bodies = shown.render("cloudwatch")
    assert len(bodies) == len(NASTY) + 1
    for name, body in bodies.items():
        assert problems(body) == []
        assert name.replace("-", "").replace("_", "").isalnum()
        assert len(name) <= 255
        for widget in body["widgets"]:
            if widget["type"] == "text":
                assert seen(widget["properties"]["markdown"])[1] == []
    for one in services:
        first = shown.render("cloudwatch", one.name)["widgets"][0]["properties"]["markdown"]
        assert first.startswith(f"# {escaped(one.name)}\n\nPlanned on")
        assert seen(first)[0].startswith(" ".join("".join(c if c.isprintable() else " " for c in one.name).split()))


@pytest.fixture(scope="module")
def moto_address() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_what_is_put_is_what_comes_back(moto_address: str) -> None:
    import boto3

    from capacity.monitoring.dashboards.cloudwatch import text

    client = boto3.client(
        "cloudwatch",
        region_name="eu-west-1",
        endpoint_url=moto_address,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    for name, body in made().render("cloudwatch").items():
        client.put_dashboard(DashboardName=name, DashboardBody=text(body))
        assert json.loads(client.get_dashboard(DashboardName=name)["DashboardBody"]) == body
    listed = client.list_dashboards(DashboardNamePrefix="capacity-")["DashboardEntries"]
    assert {one["DashboardName"] for one in listed} == {"capacity-fleet", "capacity-service-web"}
