"""A runbook can be followed at three in the morning: its commands run, are what AWS takes, and are undone exactly."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from capacity.config.prometheus import PrometheusQuery, PrometheusSettings
from capacity.errors import InputError
from capacity.monitoring import Alarms, Replayed, Runbooks, runbooks
from capacity.monitoring.runbook_pages.runbook import INDEX
from tests.monitoring.dashboards.bodies import seen
from tests.monitoring.pasted import blocks, called, faults
from tests.monitoring.planned import CONDITIONS, TOLD, alarm, alarms_of, plan_of, policy_of, service, web_plan
from tests.scaling.any_policy import NASTY

PARTS = ["What it means", "Numbers", "First checks", "Safe actions", "When to escalate"]


@pytest.fixture(scope="module")
def book() -> Runbooks:
    found = web_plan()
    return runbooks(alarms_of(found), plan=found, policy=policy_of(found))


@pytest.fixture(scope="module")
def calls(book: Runbooks, tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """Every call that the commands of all pages make, when a shell runs them."""
    scripts = [script for page in book.pages.values() for script in blocks(page)]
    return called(scripts, tmp_path_factory.mktemp("pasted"))


def section(page: str, title: str) -> str:
    """What stands under a heading of the second level."""
    return page.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_each_alarm_has_its_page_and_the_index_leads_to_all(book: Runbooks) -> None:
    expected = {one.runbook for one in alarms_of(web_plan())}
    assert set(book.pages) == {INDEX, *expected}
    assert set(re.findall(r"\]\(([^)]+)\)", book[INDEX])) == expected
    rows = [line for line in book[INDEX].splitlines() if line.startswith("| ") and "`" in line]
    severities = [re.split(r"(?<!\\)\|", row)[3].strip() for row in rows]
    assert severities == sorted(severities)  # pages before tickets


@pytest.mark.parametrize("kind", CONDITIONS)
def test_a_page_of_every_kind_says_all_that_it_should(book: Runbooks, kind: str) -> None:
    page = next(text for name, text in book.pages.items() if name.endswith(f"--{kind}.md"))
    assert re.findall(r"^## (.*)$", page, flags=re.M) == PARTS
    assert len(section(page, "What it means").split()) > 30
    assert page.count("**Undo:**") == page.count("**When:**") == page.count("**What it costs:**") >= 1
    assert "nan" not in page.lower().replace("finance", "")
    assert ("Whom: Team Shop" in page) == (kind != "quota" or "Team Shop" in section(page, "When to escalate"))


def test_every_command_is_one_that_a_shell_runs_and_aws_takes(calls: list[list[str]]) -> None:
    assert len(calls) > 100
    assert {arguments[0] for arguments in calls} == {"aws", "capacity"}
    distinct = {tuple(arguments) for arguments in calls if arguments[0] == "aws"}
    assert [fault for arguments in distinct for fault in faults(list(arguments))] == []
    changing = {arguments[2] for arguments in distinct if not re.match("describe|list|get", arguments[2])}
    assert changing == {"register-scalable-target", "update-service", "request-service-quota-increase"}


def test_the_referee_finds_what_is_wrong() -> None:
    good = ["aws", "ecs", "describe-services", "--region=eu-west-1", "--cluster=prod", '--services=["web"]']
    assert faults(good) == []
    for wrong in (
        [*good[:2], "describe-service", *good[3:]],
        [*good, "--everything=yes"],
        good[:-1],
    ):
        assert faults(wrong) != []


def test_commands_of_capacity_are_commands_that_there_are(calls: list[list[str]]) -> None:
    from typer.main import get_command

    from capacity.cli import app

    commands: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
    ours = {tuple(arguments) for arguments in calls if arguments[0] == "capacity"}
    assert {arguments[1] for arguments in ours} == {"plan", "diff", "apply", "rollback"}
    for _, name, *arguments in ours:
        commands[name].make_context(name, arguments).close()  # raises for an option that there is not


def test_first_checks_change_nothing(book: Runbooks, tmp_path: Path) -> None:
    checks = [section(text, "First checks") for name, text in book.pages.items() if name != INDEX]
    for arguments in called([script for check in checks for script in blocks(check)], tmp_path):
        assert re.match("describe|list|get", arguments[2]), arguments


def test_a_bound_is_raised_to_the_plans_number_and_put_back_to_todays(book: Runbooks, tmp_path: Path) -> None:
    action = section(book["web--pinned.md"], "Safe actions").split("### ")[1]
    done, undone = called(blocks(action), tmp_path)
    assert done[-1] == "--max-capacity=30"  # the plan's, and below the policy's 20 nobody goes
    assert undone == [*done[:-1], "--max-capacity=12"]
    assert "--resource-id=service/prod/web" in done
    assert "stops tasks at once" in action
    assert "all 30 are more than it holds" in action  # the account's 20 vCPU


def test_a_rollback_keeps_what_runs_now_to_go_back_to(book: Runbooks, tmp_path: Path) -> None:
    action = section(book["web--burn_fast.md"], "Safe actions").split("### ")[1]
    *_, rolled_back, undone = called(blocks(action), tmp_path)
    assert rolled_back[-1] == "--task-definition=PUT-THE-ARN-BEFORE-HERE"
    assert undone[-1] == "--task-definition=arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7"
    assert "--family-prefix=web" in called(blocks(action), tmp_path)[1]


def test_no_name_leaves_its_quotes_or_becomes_markup(tmp_path: Path) -> None:
    services = [service(name, cluster="a'b $(touch gone)") for name in (*NASTY, "``` \n\n\n# x", "`` ` <img src=x>")]
    found = plan_of(*services, steps=24 * 7)
    few = [one for one in alarms_of(found) if one.kind in ("burn_fast", "pinned")]
    book = runbooks(Alarms(tuple(few), found.services, TOLD), plan=found)
    assert set(book.pages) == {INDEX, *(one.runbook for one in few)}
    links = {f"#{title.lower().replace(' ', '-')}" for title in PARTS} | set(book.pages)
    assert {odd for page in book.pages.values() for odd in seen(page)[1]} <= links
    for name, page in book.pages.items():
        assert name == INDEX or re.findall(r"^## (.*)$", page, flags=re.M) == PARTS
    calls = called([script for page in book.pages.values() for script in blocks(page)], tmp_path)
    described = [arguments for arguments in calls if arguments[2:3] == ["describe-services"]]
    assert {word for arguments in described for word in arguments if word.startswith("--cluster=")} == {
        "--cluster=a'b $(touch gone)"
    }
    named = {word for arguments in calls for word in arguments if word.startswith("--resource-id=")}
    assert named == {f"--resource-id=service/a'b $(touch gone)/{one.name}" for one in services}


def test_what_prometheus_is_asked_stands_beside_what_cloudwatch_is(tmp_path: Path) -> None:
    found = web_plan()
    asked = PrometheusSettings(query=(PrometheusQuery(preset="http-requests"), PrometheusQuery(preset="http-errors")))
    own = Alarms(alarms_of(found).alarms, found.services, TOLD, asked)
    page = runbooks(own, plan=found)["web--burn_fast.md"]
    questions = blocks(page, "promql")
    assert len(questions) == 2  # the share of errors now, and what is left of the budget
    assert all('http_requests_total{service="web"' in question for question in questions)
    assert not any("$__" in question for question in questions)
    assert blocks(runbooks(alarms_of(found), plan=found)["web--burn_fast.md"], "promql") == []


def test_without_a_plan_a_maximum_is_raised_by_a_quarter() -> None:
    found = web_plan()
    page = runbooks(alarms_of(found))["web--pinned.md"]
    assert "Raise the maximum from 12 to 16 tasks (a quarter more: the plan asks for none)" in page
    assert "look at the quota first" in page


def test_numbers_have_no_exponent_and_what_came_late_is_said_so() -> None:
    found = plan_of(service(), steps=24 * 7, mean=90_000.0)
    late = alarm("pinned", service(), replayed=Replayed(14, 2, 2, 0, lead_minutes=-6.0))
    page = runbooks(Alarms((late,), found.services), plan=found)["web--pinned.md"]
    assert re.findall(r"\de[+-]\d", page) == []
    assert "2 times, 2 of them true, 6 minutes after trouble began" in page


def test_a_refused_alarm_has_no_page_and_one_of_an_unknown_service_is_refused() -> None:
    found = web_plan()
    refused = Alarms((alarm("leak", service(), refused="it would go off each night"),), found.services)
    assert list(runbooks(refused).pages) == [INDEX]
    assert "No alarm is in use" in runbooks(refused)[INDEX]
    stray = Alarms((alarm("leak", service("other")),), found.services)
    with pytest.raises(InputError, match="which the alarms do not know"):
        runbooks(stray)


def test_pages_are_written_whole_the_index_last(book: Runbooks, tmp_path: Path) -> None:
    paths = book.save(tmp_path / "new" / "runbooks")
    assert paths[-1].name == INDEX
    assert {path.name: path.read_text(encoding="utf-8") for path in paths} == book.pages
    assert {path.name for path in paths[0].parent.iterdir()} == set(book.pages)  # no half of a file is left
    assert [path.read_bytes() for path in book.save(paths[0].parent)] == [path.read_bytes() for path in paths]


def test_a_page_that_there_is_not_is_named_with_those_there_are(book: Runbooks) -> None:
    with pytest.raises(InputError, match=r"README\.md"):
        book["no.md"]


def test_the_pages_show_themselves(book: Runbooks) -> None:
    html = book._repr_html_()
    assert "Runbooks: 9 pages" in html
    assert "web: no data" in html
    assert str(book).startswith("# Runbooks")


def test_an_accounts_page_names_who_takes_most_of_the_quota() -> None:
    services = [
        service(),
        service("batch", tier="batch", task_vcpu=4, task_memory_gib=8, requests_per_second_per_task=None),
    ]
    found = plan_of(*services, steps=24 * 7)
    page = runbooks(alarms_of(found), plan=found)["eu-west-1--quota.md"]
    rows: list[Any] = re.findall(r"^\| at most: (\w+) \|.*tier (\w+)", page, flags=re.M)
    assert sorted(rows) == [("batch", "batch"), ("web", "standard")]
    assert "--desired-value" in page
