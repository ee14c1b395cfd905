"""Alarms for CloudWatch keep its rules, say one meaning in four formats, and hold any name without reading it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Service
from capacity.errors import InputError
from capacity.monitoring.alarm import Replayed
from capacity.monitoring.conditions import Absent, BurnRate, OutsideProfile, Reading, Threshold, Trend
from capacity.monitoring.render import KINDS, rendered
from capacity.monitoring.render.profile import kindest, outward, week
from tests.monitoring.render.making import ALL, EACH, FAST, LATENCY, PROFILE, QUOTA, WEB, alarm, of
from tests.scaling.any_policy import NASTY, names
from tests.scaling.aws_model import problems
from tests.scaling.hcl import strings


def calls(*which: Any, services: tuple[Service, ...] = (WEB,)) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = rendered(of(*which, services=services), "boto3").document
    return made


def only(condition: Any) -> dict[str, Any]:
    """Parameters of the one call that a condition is."""
    (call,) = calls(replace(alarm("saturation"), condition=condition))
    parameters: dict[str, Any] = call["parameters"]
    return parameters


def expressions(parameters: dict[str, Any]) -> dict[str, str]:
    return {one["Id"]: one["Expression"] for one in parameters["Metrics"] if "Expression" in one}


def test_every_call_passes_botocores_model_and_the_rules_it_does_not_know() -> None:
    made = calls(*ALL)
    assert [problem for call in made for problem in problems(call)] == []
    known: set[str] = set()
    for call in made:
        parameters = call["parameters"]
        assert "Unit" not in json.dumps(parameters)
        if call["operation"] == "put_composite_alarm":
            assert set(re.findall(r'ALARM\("([^"]*)"\)', parameters["AlarmRule"])) <= known, "children come first"
        else:
            check(parameters)
        known.add(parameters["AlarmName"])
    assert len(known) == len(made), "each name is there once"


def check(parameters: dict[str, Any]) -> None:
    """Rules across fields (aws.md 7.1)."""
    queries = parameters.get("Metrics", [])
    periods = {one["MetricStat"]["Period"] for one in queries if "MetricStat" in one} or {parameters["Period"]}
    (period,) = periods
    seconds = period * parameters["EvaluationPeriods"]
    assert period % 60 == 0
    assert seconds <= (7 * 86_400 if period >= 3600 else 86_400)
    assert 1 <= parameters["DatapointsToAlarm"] <= parameters["EvaluationPeriods"]
    assert parameters["TreatMissingData"] in {"breaching", "notBreaching", "ignore", "missing"}
    assert ("Threshold" in parameters) != ("ThresholdMetricId" in parameters)
    assert ("MetricName" in parameters) != bool(queries)
    if queries:
        assert sum("MetricStat" in one for one in queries) <= 10
        assert sum("Expression" in one for one in queries) <= 10
        assert sum(one["ReturnData"] for one in queries) == (2 if "ThresholdMetricId" in parameters else 1)
        assert len({one["Id"] for one in queries}) == len(queries)
        assert all(re.fullmatch("[a-z][A-Za-z0-9_]*", one["Id"]) for one in queries)
    for dimensions in every(parameters, "Dimensions"):
        assert [one["Name"] for one in dimensions] == sorted(one["Name"] for one in dimensions)


def every(value: Any, key: str) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from (value[name] for name in value if name == key)
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from every(item, key)


def test_only_the_alarm_with_the_name_tells_anyone_and_its_runbook_is_linked() -> None:
    *parts, whole = (call["parameters"] for call in calls(alarm("burn_fast")))
    assert [part.get("AlarmActions") for part in parts] == [None, None]
    assert whole["AlarmActions"] == ["arn:aws:sns:eu-west-1:123456789012:page"]
    assert whole["AlarmRule"] == 'ALARM("capacity-web-burn_fast-1") AND ALARM("capacity-web-burn_fast-2")'
    assert whole["AlarmDescription"].endswith("Runbook: https://wiki.example.com/runbooks/web--burn_fast.md")
    (ticket,) = calls(alarm("silence"))
    assert ticket["parameters"]["AlarmActions"] == ["arn:aws:sns:eu-west-1:123456789012:ticket"]


def test_however_long_the_reason_the_runbook_is_not_cut_off() -> None:
    (call,) = calls(replace(alarm("saturation"), because="so " * 2000))
    text = call["parameters"]["AlarmDescription"]
    assert len(text) <= 1024
    assert text.endswith("… Runbook: https://wiki.example.com/runbooks/web--saturation.md")


def test_a_burn_rate_is_the_share_of_bad_requests_in_a_period_as_long_as_its_window() -> None:
    long, short, _ = (call["parameters"] for call in calls(alarm("burn_fast")))
    assert long["Threshold"] == short["Threshold"] == 0.0144
    assert {one["MetricStat"]["Period"] for one in long["Metrics"] if "MetricStat" in one} == {3600}
    assert {one["MetricStat"]["Period"] for one in short["Metrics"] if "MetricStat" in one} == {300}
    assert expressions(short) == {"burning": "FILL(e, 0) / r"}
    assert ">= 20, FILL(e, 0) / r, 0)" in expressions(long)["burning"]


@settings(max_examples=40)
@given(st.floats(0.9, 0.9999), st.floats(1, 9.9), st.integers(5, 1440), st.data())
def test_slow_minutes_are_as_many_as_burn_the_budget_and_one_less_are_not(
    objective: float, factor: float, long: int, data: st.DataObject
) -> None:
    short = data.draw(st.integers(1, long))
    rate = BurnRate("slow", "latency", objective, factor, long, short, LATENCY, 0.25)
    made = calls(replace(alarm("slow"), condition=rate))
    for call, minutes in zip(made, (long, short), strict=False):
        bad, of_all = call["parameters"]["DatapointsToAlarm"], call["parameters"]["EvaluationPeriods"]
        limit = factor * (1 - objective)
        assert of_all == minutes
        assert bad / minutes > limit - 1e-9
        assert (bad - 1) / minutes <= limit + 1e-9


@settings(max_examples=6)
@given(st.lists(st.floats(0.001, 1e7), min_size=168, max_size=168), st.sampled_from([1, 5, 60, 120]), st.booleans())
def test_metric_math_expects_of_every_hour_no_less_than_the_profile_and_hardly_more(
    values: list[float], minutes: int, above: bool
) -> None:
    profile, comparison = tuple(values), ">" if above else "<"
    made = only(OutsideProfile(Reading("requests", minutes=minutes), profile, 0.95, comparison))  # type: ignore[arg-type]
    assert [problem for text in expressions(made).values() for problem in [len(text) > 2048] if problem] == []
    check(made)
    held = kindest(profile, minutes, comparison)
    for hour in range(0, 168, 5):
        computed = metric_math(expressions(made), day=hour // 24 + 1, hour=hour % 24)
        apart = (computed - held[hour]) * (1 if above else -1)
        assert -1e-9 * held[hour] <= apart <= 0.0011 * held[hour]
        assert (held[hour] >= profile[hour]) == above or held[hour] == profile[hour]


def metric_math(known: dict[str, str], day: int, hour: int) -> float:
    """What is expected, by CloudWatch's IF, comparisons and AND / OR, of which Python has the same meaning."""

    def value(text: str) -> float:
        terms = re.sub(r"\bAND\b", "and", re.sub(r"\bOR\b", "or", text))
        scope = {"IF": lambda true, one, other: one if true else other, "day": day, "hour": hour}
        scope |= {name: value(inner) for name, inner in known.items() if re.fullmatch(r"p\d", name) and name in text}
        return float(eval(terms, {"__builtins__": {}}, scope))  # our own text, in a test

    return value(known["apart"].split(" - ", 1)[1])


def test_an_hour_that_nothing_is_expected_of_never_alarms() -> None:
    gap = (float("nan"), *PROFILE[1:])
    made = expressions(only(OutsideProfile(Reading("requests"), gap, 0.95)))
    assert metric_math(made, day=1, hour=0) > 1e12
    assert metric_math(made, day=1, hour=1) == PROFILE[1]


def test_days_of_one_course_are_said_once_and_rounding_is_outward() -> None:
    assert [one.days for one in week((1.0,) * 168, ">")] == [(0, 1, 2, 3, 4, 5, 6)]
    assert outward(1234.5, ">") > 1234.5 > outward(1234.5, "<")


def test_silence_is_a_count_of_samples_that_is_missing() -> None:
    made = only(Absent(Reading("error_ratio"), 15))
    assert (made["MetricName"], made["Statistic"]) == ("RequestCount", "SampleCount")
    assert (made["EvaluationPeriods"], made["TreatMissingData"]) == (15, "breaching")


def test_running_tasks_are_counted_without_container_insights() -> None:
    made = only(Threshold(Reading("running_tasks"), ">=", 40))
    assert made["Metrics"][0]["MetricStat"]["Stat"] == "SampleCount"
    assert expressions(made) == {"watched": "n * 60 / PERIOD(n)"}


def test_a_quota_is_asked_of_cloudwatch_itself() -> None:
    (call,) = calls(QUOTA)
    assert expressions(call["parameters"]) == {"watched": "u / SERVICE_QUOTA(u)"}
    assert call["region"] == "eu-west-1"


def test_two_halves_have_the_slope_of_the_line_that_they_stand_for() -> None:
    made = only(Trend(Reading("memory_utilization"), 95, over_minutes=120, ahead_minutes=360))
    found = re.fullmatch(r"m \+ RATE\(m\) \* (\d+)", expressions(made)["foretold"])
    assert found is not None
    minutes, line = np.arange(120), 40 + 0.1 * np.arange(120)
    before, after = line[:60].mean(), line[60:].mean()
    foretold = after + (after - before) / 3600 * int(found[1])
    assert foretold == pytest.approx(40 + 0.1 * (minutes[-1] + 0.5 + 360))
    assert "compares" in str(rendered(of(alarm("leak")), "boto3").findings.items[0])


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        (Threshold(Reading("cost"), ">", 5), "no metric there is cost"),
        (Threshold(Reading("cpu_utilization", "p95"), ">", 5), "there is no p95 of cpu_utilization"),
        (Threshold(Reading("cpu_utilization"), ">", 5, 1, 1441), "looks back"),
        (replace(FAST, objective=0.9), "more than everything"),
        (BurnRate("slow", "latency", 0.5, 1.9, 4320, 360, LATENCY, 0.25), "do not fit in"),
        (replace(FAST, long_minutes=8 * 1440), "looks back 8 days"),
    ],
)
@pytest.mark.parametrize("kind", ["boto3", "cloudformation", "terraform", "cli"])
def test_what_cloudwatch_cannot_say_is_a_finding_and_nothing_else_is_lost(condition: Any, why: str, kind: str) -> None:
    bad = replace(alarm("saturation"), name="capacity-web-unsaid", condition=condition)
    made = rendered(of(bad, alarm("silence")), kind)
    (finding,) = (one for one in made.findings if one.check == "alarm not said")
    assert why in finding.message
    assert "`capacity-web-unsaid` cannot be said in CloudWatch" in finding.message
    assert "capacity-web-silence" in json.dumps(made.document)


def test_refused_alarms_are_in_no_document_but_the_table_and_the_data() -> None:
    noisy = replace(alarm("saturation"), name="noisy", refused="9 false pages a month")
    both = of(noisy, alarm("silence"))
    shown = {kind: json.dumps(rendered(both, kind).files) for kind in KINDS}
    assert {kind for kind, text in shown.items() if "noisy" in text} == {"table", "json"}
    assert "9 false pages a month" in shown["table"]


def test_moto_keeps_every_metric_alarm_as_it_was_put() -> None:
    import boto3
    from moto import mock_aws

    with mock_aws():
        client = boto3.client("cloudwatch", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
        put = {
            call["parameters"]["AlarmName"]: call["parameters"] for call in calls(*ALL) if "metric" in call["operation"]
        }
        for parameters in put.values():
            client.put_metric_alarm(**parameters)
        pages = client.get_paginator("describe_alarms").paginate()
        kept = {one["AlarmName"]: one for page in pages for one in page["MetricAlarms"]}
    assert set(kept) == set(put)
    for name, parameters in put.items():
        said = {key: value for key, value in parameters.items() if key != "Tags"}
        assert {key: bare(kept[name][key]) for key in said} == bare(said)


def bare(value: Any) -> Any:
    """Without what moto adds where nothing was said."""
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items() if item not in (None, [])}
    return [bare(item) for item in value] if isinstance(value, list) else value


def test_cloudformations_linter_has_nothing_to_say_but_of_what_was_made_wrong() -> None:
    from cfnlint.api import lint_all  # type: ignore[import-untyped, unused-ignore]

    elsewhere = WEB.model_copy(update={"name": "api", "region": "us-east-1", "alb_resource_label": ""})
    shapes = (one for one in ALL if one.name.rsplit("-")[-1] not in {"burn_slow", "slower", "pinned", "vcpu"})
    fleet = of(*shapes, *(alarm(name, "api") for name in ("burn_fast", "low")), services=(WEB, elsewhere))
    made = rendered(fleet, "cloudformation")
    template = json.loads(made.document)
    assert set(template["Conditions"]) == {"InEuWest1", "InUsEast1"}
    assert list(template["Parameters"]) == ["ApiAlbResourceLabel"]
    assert template["Resources"]["CapacityWebBurnFast"]["DependsOn"] == ["CapacityWebBurnFast1", "CapacityWebBurnFast2"]
    assert [str(one).partition(":")[0] for one in made.findings if one.check == "label"] == ["REVIEW api"]
    template["Resources"]["CapacityWebSaturation"]["Properties"]["Period"] = 45
    said = [match for match in lint_all(json.dumps(template)) if not match.rule.id.startswith("I")]
    assert [(match.rule.id, match.path[1]) for match in said] == [("E3615", "CapacityWebSaturation")]


@settings(max_examples=25)
@given(names | st.sampled_from(NASTY))
def test_no_name_breaks_or_enters_a_document(name: str) -> None:
    name = name.strip() or "x"
    named = WEB.model_copy(update={"name": name, "cluster": name})
    few = of(*(alarm(one, name) for one in ("burn_fast", "saturation", "short")), services=(named,))
    title = few.alarms[1].name
    made = rendered(few, "boto3").document
    if len(title) <= 240:
        assert [problem for call in made for problem in problems(call)] == []
        assert title in [call["parameters"]["AlarmName"] for call in made]
        assert all(re.fullmatch(r"[A-Z(\" )a-z0-9._/:-]+", call["parameters"].get("AlarmRule", "A")) for call in made)
        assert title in strings(rendered(few, "terraform").document)
        if "{{resolve:" in name:
            with pytest.raises(InputError, match="would resolve"):
                rendered(few, "cloudformation")
        else:
            template = json.loads(rendered(few, "cloudformation").document)
            assert title in every(template, "AlarmName")
            assert all(re.fullmatch("[A-Za-z0-9]+", logical) for logical in template["Resources"])
    rows = rendered(few, "table").document.splitlines()
    assert sum(row.startswith("page ") for row in rows) == 3
    assert all(row.isprintable() for row in rows)


def test_a_fleet_is_as_many_templates_as_it_takes_with_each_service_in_one(tmp_path: Path) -> None:
    fleet = tuple(WEB.model_copy(update={"name": f"s{number}", "alb_resource_label": ""}) for number in range(14))
    many = of(*(alarm(name, one.name) for one in fleet for name in EACH), services=fleet)
    files = many.save(tmp_path / "new", "cloudformation")
    assert [file.name for file in files] == [f"alarms-{number}.json" for number in range(1, len(files) + 1)]
    with pytest.raises(InputError, match=rf"(?s)takes {len(files)} files: alarms-1.json, .*--out DIR"):
        many.render("cloudformation")
    templates = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    names = [sorted(every(template["Resources"], "AlarmName")) for template in templates]
    together = [name for several in names for name in several]
    assert sorted(together) == sorted(call["parameters"]["AlarmName"] for call in calls(*many, services=fleet))
    for file, template, held in zip(files, templates, names, strict=True):
        assert len(template["Resources"]) <= 500
        assert set(every(template["Resources"], "Ref")) == set(template["Parameters"])
        assert file.stat().st_size <= 1_000_000
        assert set(Counter(name.split("-")[1] for name in held).values()) == {len(together) // 14}, "no service is torn"
    assert len(rendered(of(alarm("silence")), "cloudformation").files) == 1


def test_the_table_says_the_lead_and_the_record_and_stays_as_wide_as_a_screen() -> None:
    record = Replayed(days=60, fired=3, true=2, false=1, lead_minutes=70)
    short = replace(alarm("short"), lead_minutes=60.0, replayed=record)
    head, *rows = rendered(of(short, alarm("silence")), "table").document.splitlines()
    columns = ["ahead", "days", "fired", "right", "false/month"]
    ends = [head.index(column) + len(column) for column in columns]
    first = rows[0]
    told = [first[:end].split("  ")[-1].strip() for end in ends]
    assert told == ["60 min", "60", "3", "2", "0.5"]
    assert "not tried" in next(row for row in rows if "silence" in row)
    assert len(rows) > 2
    assert max(map(len, rows)) <= 160
    when = " ".join(row[head.index("when") :].strip() for row in rows[:-1])
    assert when == "tasks_of_max >= 1 for 10m and (cpu_utilization > 85% in 3 of 5m or latency p95 > 1)"


def test_a_kind_that_there_is_not_names_those_that_there_are() -> None:
    with pytest.raises(InputError, match="There are: azure, boto3, cli"):
        rendered(ALL, "nagios")
    with pytest.raises(InputError, match="no alarm is of a service 'nobody'"):
        rendered(ALL, "boto3", "nobody")
