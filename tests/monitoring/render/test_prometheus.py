"""Prometheus' own tool accepts the rules and their unit tests; Azure's template says what metric alerts cannot."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]
from hypothesis import given, settings

from capacity.config import Monitoring
from capacity.config.azure import AzureSettings
from capacity.config.prometheus import PrometheusQuery, PrometheusSettings
from capacity.monitoring.alarm import Alarms
from capacity.monitoring.conditions import Reading, Threshold
from capacity.monitoring.render import rendered
from capacity.monitoring.render.azure import WINDOWS
from capacity.monitoring.render.prometheus import RULE_FILE
from tests.monitoring.render.making import ALL, TOLD, WEB, alarm, of
from tests.scaling.any_policy import NASTY, names
from tests.sources.prometheus.server import program


def promtool(folder: Path, alarms: Alarms) -> subprocess.CompletedProcess[str]:
    """Rules and their tests as files of a folder, tested."""
    alarms.save(folder, "prometheus")
    return judged(alarms.save(folder, "prometheus-tests"))


def judged(files: list[Path]) -> subprocess.CompletedProcess[str]:
    command = [program("promtool"), "test", "rules", *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def cases(files: list[Path]) -> list[tuple[str, bool]]:
    """(alert, whether it is to fire) of every case of these files."""
    tests = [test for file in files for test in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]]
    return [(one["alertname"], bool(one["exp_alerts"])) for test in tests for one in test["alert_rule_test"]]


def rules(alarms: Alarms) -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(rendered(alarms, "prometheus").document)["groups"]
    return {rule.get("alert", rule.get("record")): rule for group in groups for rule in group["rules"]}


def test_prometheus_takes_the_rules_of_every_condition_and_each_fires_when_it_should(tmp_path: Path) -> None:
    few = of(*(one for one in ALL if one.kind != "anomaly"))  # two days of steps: it is tested alone, below
    ran = promtool(tmp_path, few)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = rules(few)
    checked = [program("promtool"), "check", "rules", *map(str, tmp_path.glob("*rules.yml"))]
    assert subprocess.run(checked, capture_output=True, timeout=60).returncode == 0
    assert sorted(cases(list(tmp_path.glob("*tests*.yml")))) == sorted(
        (alert, fires) for alert in found if alert.startswith("capacity-") for fires in (False, True)
    )


def test_the_files_of_rules_are_the_document_in_two(tmp_path: Path) -> None:
    whole = yaml.safe_load(rendered(ALL, "prometheus").document)["groups"]
    parts = [
        group
        for file in ALL.save(tmp_path, "prometheus")
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
    ]
    assert parts == whole


def test_two_services_are_tested_in_as_many_steps_as_one(tmp_path: Path) -> None:
    other = WEB.model_copy(update={"name": "api"})
    two = of(*(alarm(name, one) for name in ("burn_fast", "silence") for one in ("web", "api")), services=(WEB, other))
    files = two.save(tmp_path, "prometheus-tests")
    (tests,) = (yaml.safe_load(file.read_text(encoding="utf-8"))["tests"] for file in files)
    assert [len(test["alert_rule_test"]) for test in tests] == [2] * 4
    assert len(cases(files)) == 8
    assert promtool(tmp_path, two).returncode == 0


@pytest.mark.parametrize(
    ("name", "written", "others"),
    [
        ("saturation", "> bool 85", ("> bool 1000", "> bool 10")),
        ("leak", ">= 95", (">= 1000", ">= 10")),
        ("odd", "> bool 2)", ("> bool 1000)", "> bool -20)")),
    ],
)
def test_a_limit_that_is_changed_in_the_rules_fails_their_tests(
    name: str, written: str, others: tuple[str, str], tmp_path: Path
) -> None:
    one = of(alarm(name))
    one.save(tmp_path, "prometheus")
    files = one.save(tmp_path, "prometheus-tests")
    text = (tmp_path / RULE_FILE).read_text(encoding="utf-8")
    assert written in text
    assert judged(files).returncode == 0
    for other in others:
        (tmp_path / RULE_FILE).write_text(text.replace(written, other), encoding="utf-8")
        assert judged(files).returncode == 1


def test_rules_ask_the_questions_of_the_settings_and_say_which_they_assume() -> None:
    asks = PrometheusSettings(
        query=(
            PrometheusQuery(metric="requests", query="sum by (app) (rate(hit[$__rate_interval]))", service_label="app"),
            PrometheusQuery(metric="latency", stat="p95", query="lat", service="web", unit="ms"),
        )
    )
    made = replace(of(alarm("burn_fast"), alarm("slow")), prometheus=asks)
    found = rules(made)
    assert found["capacity:requests:mean"]["expr"] == (
        'max by (service) (label_replace(sum by (app) (rate(hit[60s])), "service", "$1", "app", "(.*)"))'
    )
    assert found["capacity:latency:p95"]["expr"] == "max(lat) * 0.001 >= 0"
    assert found["capacity:latency:p95"]["labels"] == {"service": "web"}
    assumed = [one.metric for one in rendered(made, "prometheus").findings if one.check == "query assumed"]
    assert assumed == ["errors"]


def test_a_rule_says_who_is_told_and_where_the_runbook_is() -> None:
    found = rules(ALL)["capacity-web-burn_fast"]
    assert found["labels"] == {"service": "web", "severity": "page", "kind": "burn_fast", "owner": "team"}
    assert found["annotations"]["runbook_url"] == "https://wiki.example.com/runbooks/web--burn_fast.md"
    assert "capacity-account-quota" not in rules(ALL), "no query of Prometheus knows a quota of AWS"
    unsaid = [one.message for one in rendered(ALL, "prometheus").findings if one.check == "alarm not said"]
    assert [message.split("`")[1] for message in unsaid] == ["capacity-account-quota"]
    assert "# Not said: `capacity-account-quota`" in rendered(ALL, "prometheus").document


@settings(max_examples=12)
@given(names)
def test_a_name_is_read_back_from_the_rules_as_it_is(name: str) -> None:
    named = WEB.model_copy(update={"name": name})
    few = of(*(alarm(one, name) for one in ("burn_fast", "low", "forecast")), services=(named,))
    groups = yaml.safe_load(rendered(few, "prometheus").document)["groups"]
    alerts = {group["name"]: [rule["alert"] for rule in group["rules"] if "alert" in rule] for group in groups}
    assert alerts[f"capacity-alerts-{name}"] == [few.alarms[0].name, few.alarms[1].name]
    assert alerts[f"capacity-plan-{name}"] == [few.alarms[2].name]
    files = [yaml.safe_load(text) for text in rendered(few, "prometheus-tests").files.values()]
    found = [one for file in files for test in file["tests"] for one in test["alert_rule_test"]]
    assert [alert["exp_labels"]["service"] for one in found for alert in one["exp_alerts"]] == [name] * 3
    template = json.loads(rendered(few, "azure").document)
    assert len(template["resources"]) == len(groups)


def test_hostile_names_stay_data_for_promtool(tmp_path: Path) -> None:
    services = [WEB.model_copy(update={"name": name}) for name in (*NASTY, '{{ $value }} "a\\b"') if name.strip()]
    few = of(*(alarm("saturation", one.name) for one in services), services=tuple(services))
    ran = promtool(tmp_path, few)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_prefix_that_no_metric_may_have_is_changed_there_only() -> None:
    found = rules(of(alarm("saturation", prefix="3-shop"), settings=Monitoring(prefix="3-shop")))
    assert "_3_shop:cpu:mean" in found
    assert "3-shop-web-saturation" in found


def test_azure_says_a_plain_threshold_as_a_metric_alert_and_the_rest_as_prometheus_rules() -> None:
    resource = "/subscriptions/s/resourceGroups/g/providers/Microsoft.App/containerApps/web"
    hot = replace(alarm("saturation"), condition=Threshold(Reading("cpu_utilization", minutes=5), ">", 85))
    busy = replace(alarm("pinned"), condition=Threshold(Reading("errors", minutes=5), ">", 2))
    subscription = "00000000-0000-0000-0000-000000000000"
    known = AzureSettings(subscription=subscription, region="westeurope", resources=(resource,))
    made = rendered(replace(of(hot, busy, alarm("odd"), alarm("burn_fast")), azure=known), "azure")
    template = json.loads(made.document)
    alerts = [one for one in template["resources"] if one["type"] == "Microsoft.Insights/metricAlerts"]
    groups = [one for one in template["resources"] if one["type"].endswith("prometheusRuleGroups")]
    criteria = [one["properties"]["criteria"]["allOf"][0] for one in alerts]
    assert [one["metricName"] for one in criteria] == ["CpuPercentage", "Requests", "Requests"]
    assert [one.get("threshold") for one in criteria] == [85.0, 600.0, None], "errors are a total of five minutes"
    assert criteria[1]["dimensions"] == [{"name": "statusCodeCategory", "operator": "Include", "values": ["5xx"]}]
    assert criteria[2]["failingPeriods"] == {"numberOfEvaluationPeriods": 3, "minFailingPeriodsToAlert": 3}
    assert template["parameters"]["webApp"]["defaultValue"] == resource
    assert all(one["properties"]["windowSize"] in WINDOWS.values() for one in alerts)
    assert alerts[0]["properties"]["severity"] == 1
    assert alerts[0]["properties"]["actions"] == [{"actionGroupId": TOLD.azure_page[0]}]
    rules_there = [rule for group in groups for rule in group["properties"]["rules"]]
    assert [rule["alert"] for rule in rules_there if "alert" in rule] == ["capacity-web-burn_fast"]
    assert "one window against one value" in str(
        next(one for one in made.findings if one.check == "not a metric alert")
    )


def test_azure_holds_twenty_rules_a_group_and_reads_no_expression_of_its_own() -> None:
    many = of(*(replace(alarm("saturation"), name=f"[{number}]") for number in range(45)))
    template = json.loads(rendered(many, "azure").document)
    groups = [one["properties"]["rules"] for one in template["resources"]]
    assert max(map(len, groups)) == 20
    alerts = [rule["alert"] for group in groups for rule in group if "alert" in rule]
    assert alerts == [f"[[{number}]" for number in range(45)]
    assert all(not re.search(r"[#<>%&:\\?/]", one["name"]) for one in template["resources"])


def test_azure_takes_as_many_templates_as_its_parameters_ask_for() -> None:
    fleet = tuple(WEB.model_copy(update={"name": f"s{number}"}) for number in range(300))
    hot = replace(alarm("saturation"), condition=Threshold(Reading("cpu_utilization", minutes=5), ">", 85))
    each = (replace(hot, name=f"hot-{one.name}", service=one.name) for one in fleet)
    made = rendered(of(*each, services=fleet), "azure")
    templates = [json.loads(text) for text in made.files.values()]
    assert list(made.files) == ["alarms-1.json", "alarms-2.json"]
    assert [one["name"] for template in templates for one in template["resources"]] == [f"hot-{s.name}" for s in fleet]
    for template in templates:
        asked = set(re.findall(r"parameters\('(\w+)'\)", json.dumps(template["resources"])))
        assert asked == set(template["parameters"]) - {"location"}
        assert len(template["parameters"]) <= 256
