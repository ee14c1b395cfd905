"""The noun `Dashboard`: its documents, what is wrong with a question, and the command that prints them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from capacity.config import Monitoring, config_of
from capacity.errors import InputError
from capacity.monitoring.dashboards import Dashboard, dashboard
from capacity.monitoring.dashboards.cloudwatch import text
from tests.commands import called
from tests.makers import daily_wave, hourly
from tests.monitoring.dashboards.bodies import problems
from tests.monitoring.planned import TOLD, alarms_of, plan_of, policy_of, service, web_plan
from tests.scaling.any_policy import NASTY


def made(**how: Any) -> Dashboard:
    found = web_plan()
    given: dict[str, Any] = {"policy": policy_of(found), "alarms": alarms_of(found)}
    return dashboard(found, **(given | how))


def substituted(body: Any, account: str) -> str:
    """What CloudFormation makes of a body: `Fn::Sub`, by its documented rules."""
    if isinstance(body, str):
        return body
    known = {"AWS::AccountId": account}
    return re.sub(
        r"\$\{(!?)([^}]*)\}", lambda found: f"${{{found[2]}}}" if found[1] else known[found[2]], body["Fn::Sub"]
    )


def test_cloudformation_holds_the_same_bodies_and_its_linter_has_nothing_to_say() -> None:
    from cfnlint.api import lint_all  # type: ignore[import-untyped, unused-ignore]

    shown = made()
    template = shown.render("cloudformation")
    mended = json.loads(template)
    mended["Resources"]["Wrong"] = {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"Body": "{}"}}
    said = [match for match in lint_all(json.dumps(mended, indent=2)) if not match.rule.id.startswith("I")]
    assert {match.rule.id[0] for match in said} == {"E"}
    assert {match.path[1] for match in said} == {"Wrong"}  # the linter looked, and says nothing of ours
    resources = json.loads(template)["Resources"].values()
    bodies = {one["Properties"]["DashboardName"]: one["Properties"]["DashboardBody"] for one in resources}
    assert bodies == {name: text(body) for name, body in shown.render("cloudwatch").items()}


def test_cloudformation_puts_its_own_account_in_and_reads_no_name() -> None:
    services = [service(name) for name in (*NASTY, "${AWS::Region} ${!x}")]
    found = plan_of(*services, steps=24 * 7)
    shown = dashboard(found, alarms=alarms_of(found), settings=Monitoring())
    template = json.loads(shown.render("cloudformation"))
    assert "PUT-ACCOUNT" not in json.dumps(template)
    expected = {name: text(body) for name, body in shown.render("cloudwatch").items()}
    for resource in template["Resources"].values():
        name = resource["Properties"]["DashboardName"]
        said = substituted(resource["Properties"]["DashboardBody"], "210987654321")
        assert said == expected[name].replace("PUT-ACCOUNT-ID-HERE", "210987654321")


def test_a_resource_stays_what_it_was_when_another_service_comes() -> None:
    alone, both = plan_of(service(), steps=24 * 7), plan_of(service("new"), service(), steps=24 * 7)
    before = json.loads(dashboard(alone).render("cloudformation"))["Resources"]
    after = json.loads(dashboard(both).render("cloudformation"))["Resources"]
    assert set(before) < set(after)


def test_what_cloudformation_would_resolve_or_cannot_hold_is_refused() -> None:
    found = plan_of(service("{{resolve:ssm:x}}"), steps=24 * 7)
    with pytest.raises(InputError, match="would resolve"):
        dashboard(found).render("cloudformation")
    shown = made()
    many = [replace(shown.pages[1], name=f"capacity-service-{number}") for number in range(60)]
    with pytest.raises(InputError, match=r"(?s)60 dashboards are .* holds 1,048,576 and 500.*--service NAME"):
        Dashboard(tuple(many)).render("cloudformation")


def test_a_question_that_cannot_be_answered_names_what_can() -> None:
    with pytest.raises(InputError, match="There are: cloudwatch, grafana, cloudformation"):
        made().render("pdf")
    with pytest.raises(InputError, match="There are: web"):
        made().render("grafana", "wbe")


def test_the_pages_show_themselves_with_what_cannot_be_drawn() -> None:
    blind = dashboard(plan_of(service(alb_resource_label=""), steps=24 * 7))
    row = blind.frame.set_index("service").loc["web"]
    assert row["not_in_cloudwatch"].split(", ")[:2] == ["Requests", "Requests per task"]
    assert [finding.check for finding in blind.findings] == ["dashboard"]
    assert "2 pages, 1 of them of a service" in blind._repr_html_()
    assert len(blind) == 2
    assert json.loads(str(blind)) == blind.render("cloudwatch")


def test_settings_may_be_the_alarms_own_or_a_whole_configuration() -> None:
    assert made().settings == TOLD
    asked = {"query": [{"metric": "requests", "query": "sum by (service) (mine)"}]}
    config = config_of({"service": [{"name": "web"}], "monitoring": {"prefix": "shop"}, "prometheus": asked})
    shown = made(settings=config)
    assert [page.name for page in shown.pages] == ["shop-fleet", "shop-service-web"]
    assert "sum((sum by (service) (mine)) and on (service)" in json.dumps(shown.render("grafana"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four weeks of one service, as a file, with its settings."""
    place = tmp_path_factory.mktemp("dashboard")
    times = hourly(28)
    rows = ["service,metric,timestamp,value"]
    for metric, values in (("requests", daily_wave(times, 400)), ("cpu", daily_wave(times, 5))):
        rows += [f"web,{metric},{at:%Y-%m-%dT%H:%M:%SZ},{value:.6g}" for at, value in zip(times, values, strict=True)]
    (place / "history.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (place / "capacity.toml").write_text(
        '[data]\nhistory = "history.csv"\n[goal]\nhorizon = "7d"\n[forecast]\nmodel = "seasonal-naive"\npaths = 20\n'
        '[[service]]\nname = "web"\nrequests_per_second_per_task = 50\nassumed_running_tasks = 8\n'
        "[[service.slo]]\nobjective = 0.999\n",
        encoding="utf-8",
    )
    return place


def test_the_command_prints_documents_and_nothing_else(folder: Path) -> None:
    said = called("dashboard", "--config", str(folder / "capacity.toml"), "-q", cwd=folder)
    bodies = json.loads(said.stdout)
    assert list(bodies) == ["capacity-fleet", "capacity-service-web"]
    assert [problem for body in bodies.values() for problem in problems(body)] == []
    assert "alb_resource_label" in said.stderr
    one = called("dashboard", "-c", "capacity.toml", "-q", "--as", "grafana", "--service", "web", cwd=folder)
    assert json.loads(one.stdout)["uid"] == "capacity-service-web"


def test_the_command_refuses_a_kind_that_there_is_not_before_it_reads_anything(folder: Path) -> None:
    said = called("dashboard", "-c", "absent.toml", "--as", "pdf", code=1, cwd=folder)
    assert "no dashboard is rendered as 'pdf'" in said.stderr
    assert said.stdout == ""


def test_runbooks_are_written_and_named(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "runbooks"
    said = called("runbooks", "-c", "capacity.toml", "-q", "--out", str(out), cwd=folder)
    paths = [Path(line) for line in said.stdout.splitlines()]
    assert paths[-1] == out / "README.md"
    assert set(paths) == set(out.iterdir())
    assert "web--silence.md" in {path.name for path in paths}
