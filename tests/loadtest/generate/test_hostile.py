"""What came from a user stays text: in XML, in JMeter's functions, in YAML, in Java, in Markdown. And no secrets."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.errors import InputError
from capacity.loadtest.generate import Header, LoadPlan, Request, plan_for
from capacity.loadtest.generate.gatling import java
from capacity.loadtest.generate.jmx import literal
from capacity.loadtest.generate.readme import readme
from capacity.loadtest.generate.taurus import quoted
from tests.loadtest.generate.hostile import EVIL_BODY, EVIL_HEADER, EVIL_LABEL, MIX
from tests.loadtest.generate.readings import Ran, java_strings, java_unescaped, jmeter_reads

yaml: Any = importlib.import_module("yaml")

#: Any text that may stand in a document, with more of what is special somewhere than chance would bring.
texts = st.lists(
    st.sampled_from(
        ["${", "#{", "}", "\\", "$", ",", '"', "'", "*/", "//", "\\u000a", "</", "<!--", "]]>", "&", "|", "`"]
    )
    | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5)
    | st.sampled_from(["\n", "\r\n", "\t", "\N{GRINNING FACE}", "\x85", "\u2028"])
).map("".join)


def evil_plan() -> LoadPlan:
    return plan_for(
        100,
        slo_ms=100,
        mix=MIX,
        headers={"X-Test": EVIL_HEADER, "Authorization": None},
        service='shop */ ${__P(x)} \\u002a\\u002f <b>"&',
        evidence=["line\nbreak\x00\x85: */ \\u000a import evil; # |"],
    )


@given(text=texts)
def test_jmeter_reads_every_text_as_it_was_meant(text: str) -> None:
    assert jmeter_reads(literal(text)) == text


def test_the_model_of_jmeter_runs_what_is_not_made_literal() -> None:
    with pytest.raises(Ran, match="__BeanShell"):
        jmeter_reads("${__BeanShell(1)}")
    assert jmeter_reads("a\\,b") == "a\\,b"
    assert jmeter_reads("a\\,b${__char(36)}") == "a,b$"


@given(text=texts)
def test_java_reads_every_text_as_it_was_meant(text: str) -> None:
    source = java(text)
    assert source.isascii()
    assert java_strings(source) == [text]


def test_a_text_too_long_for_a_class_file_is_joined_when_it_runs() -> None:
    text = "\\u" * 50_000
    source = java(text)
    pieces = java_strings(source)
    assert "".join(pieces) == text
    assert max(map(len, pieces)) < 65_535 / 3  # bytes of a constant, three a character at most
    assert source.startswith('String.join("", ')


@given(text=texts)
def test_yaml_reads_every_text_as_it_was_meant(text: str) -> None:
    assert yaml.safe_load(f"a: {quoted(text)}\nb: 1\n") == {"a": text, "b": 1}


@settings(max_examples=40)
@given(body=texts, label=texts, value=texts, expect=texts)
def test_a_plan_of_any_texts_is_a_document_that_holds_them(body: str, label: str, value: str, expect: str) -> None:
    one_line = ["".join(one for one in text if one.isprintable()).strip() for text in (label, value, expect)]
    try:
        request = Request(label=one_line[0] or "a", method="POST", path="/a", body=body, expect=one_line[2])
        headers: dict[str, str | None] = {"X-Test": one_line[1]}
        plan = plan_for(50, slo_ms=100, mix=[request], headers=headers)
    except InputError as error:
        assert "control characters" in str(error) or "at most" in str(error)  # U+FFFE and its like; very long labels
        return
    root = ET.fromstring(plan.jmx())
    values = {
        one.get("name"): jmeter_reads(one.text or "") for one in root.iter("stringProp") if "__P(" not in str(one.text)
    }
    assert values["Argument.value"] == body
    assert values["Header.value"] in (one_line[1], "application/json")
    names = {jmeter_reads(one.get("testname", "")) for one in root.iter("HTTPSamplerProxy")}
    assert request.label in names


def test_an_evil_plan_is_well_formed_and_calls_only_its_own_functions() -> None:
    root = ET.fromstring(evil_plan().jmx())
    told = {"${__P(host,)}", "${__P(port,)}", "${__P(protocol,https)}", "${__P(host,no-target.invalid)}"}
    told.add("${__P(header_authorization,)}")
    for element in root.iter():
        for text in (element.text or "", *element.attrib.values()):
            if text not in told:
                jmeter_reads(text)  # raises what it would run
    bodies = [one.text for one in root.iter("stringProp") if one.get("name") == "Argument.value"]
    assert jmeter_reads(bodies[0] or "") == EVIL_BODY


def test_an_evil_plan_keeps_its_criteria_apart_in_yaml() -> None:
    plan = evil_plan()
    told = yaml.safe_load(plan.taurus())
    criteria = next(one for one in told["reporting"] if one["module"] == "passfail")["criteria"]
    labels = [one["label"] for one in criteria]
    assert labels[::2] == [*(request.label for request in plan.mix), "No target: run with -Jhost=HOST"]
    assert {one["subject"] for one in criteria} == {"p95.0", "fail"}
    assert {one["threshold"] for one in criteria} == {"100ms", "1%", "0%"}
    assert told["scenarios"]["capacity"] == {"script": "loadtest.jmx", "retrieve-resources": False}
    assert set(told["execution"][0]) == {"executor", "scenario"}  # rates stay those of the plan


def test_another_quantile_is_one_that_taurus_is_asked_to_compute() -> None:
    told = yaml.safe_load(plan_for(100, slo_ms=100, quantile=0.975).taurus())
    assert 97.5 in told["modules"]["consolidator"]["percentiles"]
    assert told["reporting"][1]["criteria"][0]["subject"] == "p97.5"


def test_an_evil_plan_is_one_class_in_java_whose_comments_end_where_they_should() -> None:
    source = evil_plan().gatling()
    read = java_unescaped(source)
    remarks = [line for line in read.splitlines() if line.startswith("//")]
    code = [line for line in read.splitlines() if not line.startswith("//")]
    assert any("shop" in line for line in remarks)
    assert [line.split()[0] for line in code if line and not line.startswith((" ", "}"))] == ["import"] * 6 + ["public"]
    strings = java_strings(source)
    assert {EVIL_LABEL, EVIL_BODY, EVIL_HEADER} <= set(strings)
    assert source.count("{") - source.count("}") == sum(one.count("{") - one.count("}") for one in [*strings, *remarks])


def test_gatling_drives_every_stage_of_every_request_in_its_time() -> None:
    plan = plan_for(100, slo_ms=250, mix=MIX, spike=1.5)
    blocks = plan.gatling().split("setUp(")[1].split(".injectOpen(")[1:]
    assert len(blocks) == 2 * len(MIX)  # what is promised, and what is beyond
    for block, request in zip(blocks, [*plan.mix, *plan.mix], strict=True):
        lines = [line.strip() for line in block.splitlines() if "ofSeconds" in line]
        idle = sum(int(line.split("ofSeconds(")[1].split(")")[0]) for line in lines if line.startswith("nothingFor"))
        driven = [line for line in lines if not line.startswith("nothingFor")]
        spans = [int(line.split("ofSeconds(")[1].split(")")[0]) for line in driven]
        ours = [stage for stage in plan.stages if stage.judged == (idle == 0)]
        assert spans == [stage.seconds for stage in ours]
        assert idle in (0, sum(stage.seconds for stage in plan.stages if stage.judged))
        rates = [
            float(line.split("to(")[-1].split("(")[-1].split(")")[0])
            if ".to(" not in line
            else float(line.split(".to(")[1].split(")")[0])
            for line in (one.split(".during")[0] for one in driven)
        ]
        assert rates == [pytest.approx(stage.rate * request.share, rel=1e-6) for stage in ours]
        assert all(line.rstrip(",)").endswith(".randomized(") for line in driven)  # else arrivals are a metronome


def test_gatling_asserts_what_is_promised_of_every_request_and_nothing_beyond() -> None:
    assertions = evil_plan().gatling().split(".assertions(")[1]
    for request in MIX:
        assert f"details({java(request.label)}).responseTime().percentile(95.0).lte(100)" in assertions
        assert f"details({java(request.label)}).failedRequests().percent().lte(1.0)" in assertions
    assert "beyond the promise" not in assertions


def test_no_file_names_a_target() -> None:
    plan = plan_for(100, slo_ms=100)
    domains = {
        one.text for one in ET.fromstring(plan.jmx()).iter("stringProp") if one.get("name") == "HTTPSampler.domain"
    }
    assert domains == {"no-target.invalid", "${__P(host,no-target.invalid)}"}
    assert '+ told("host")' in plan.gatling()
    for text in (plan.jmx(), plan.taurus(), plan.gatling(), readme(plan)):
        assert "://" not in text.replace('"://"', "")
        assert "localhost" not in text
        assert "127.0.0.1" not in text


def test_markdown_shows_names_as_they_are_and_keeps_its_tables() -> None:
    text = readme(evil_plan())
    assert "<b>" not in text
    assert "</stringProp>" not in text
    rows = [line for line in text.splitlines() if line.startswith("| <code>")]
    assert len(rows) == len(MIX)
    assert {row.count("|") for row in rows} == {4}
    assert "line break" in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[(name, "x1") for name in ("Authorization", "Cookie", "X-Api-Key", "x-amz-security-token", "X-Auth-User")],
        *[(name, "x1") for name in ("Proxy-Authorization", "X-CSRF-Token", "Client-Secret", "apikey", "X-Session-Id")],
        ("X-Custom", "Bearer abcdef123456"),
        ("X-Custom", "Basic dXNlcjpwYXNz"),
        ("X-Custom", "AKIAIOSFODNN7EXAMPLE"),
        ("X-Custom", "eyJhbGciOi.eyJzdWIiOi.c2ln"),
        ("Referer", "https://user:pass@example.com/"),
    ],
)
def test_a_header_that_looks_like_a_secret_is_refused_without_repeating_it(name: str, value: str) -> None:
    with pytest.raises(InputError, match="looks like a secret") as refused:
        plan_for(10, slo_ms=100, headers={name: value})
    assert value == "x1" or value not in str(refused.value)


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "/a?access_token=abc"},
        {"path": "/a?x=1&X-Amz-Signature=0f0f"},
        {"path": "/a;jsessionid=0f0f"},
        {"method": "POST", "body": '{"user": "u", "password": "hunter2"}'},
        {"method": "POST", "body": "grant_type=password&client_secret=abc"},
        {"method": "POST", "body": "<login><password>hunter2</password></login>"},
        {"method": "POST", "body": "-----BEGIN RSA PRIVATE KEY-----"},
    ],
)
def test_a_request_that_holds_a_credential_is_refused_without_repeating_it(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="keep it out") as refused:
        Request(**wrong)
    for secret in ("abc", "0f0f", "hunter2"):
        assert secret not in str(refused.value)


@pytest.mark.parametrize(
    "fine",
    [
        {"path": "/oauth/token"},
        {"path": "/tokens?page=2&sort=key"},
        {"method": "POST", "body": '{"max_tokens": 100, "password": null, "secretary": "Ann"}'},
        {"method": "POST", "body": "<password/><token></token>"},
        {"label": "GET /session", "path": "/session"},
    ],
)
def test_words_that_only_sound_like_secrets_are_not(fine: dict[str, Any]) -> None:
    assert Request(**fine).path


def test_a_secret_header_is_told_when_the_test_is_run() -> None:
    plan = plan_for(10, slo_ms=100, headers={"Authorization": None})
    assert "${__P(header_authorization,)}" in plan.jmx()
    assert 'told("header_authorization")' in plan.gatling()
    assert "-Jheader_authorization=..." in readme(plan)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"path": "https://example.com/"}, "to name no host"),
        ({"path": "//example.com/"}, "to name no host"),
        ({"path": "cart"}, "has to start with one /"),
        ({"path": "/a\r\nHost: evil"}, "line breaks"),
        ({"label": "a\nb"}, "line breaks"),
        ({"label": "a\x00b"}, "control characters"),
        ({"method": "POST", "body": "a\x00b"}, "control characters"),
        ({"method": "POST", "body": "a\ud800b"}, "unicode"),
        ({"body": "x"}, "a GET carries no body"),
        ({"method": "BREW"}, "method"),
        ({"share": 0}, "share"),
        ({"share": float("inf")}, "share"),
        ({"colour": "red"}, "unknown key"),
    ],
)
def test_a_request_that_cannot_be_sent_as_text_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Request(**wrong)


@pytest.mark.parametrize("name", ["X Test", "X:Test", "", "X\nY", "Ü"])
def test_a_header_has_a_name_that_http_knows(name: str) -> None:
    with pytest.raises(InputError, match="HTTP header"):
        Header(name=name, value="1")


def test_a_new_folder_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    plan = plan_for(100, slo_ms=100)
    paths = plan.write(tmp_path / "deep" / "plan")
    assert sorted(path.name for path in (tmp_path / "deep" / "plan").iterdir()) == sorted(path.name for path in paths)
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["plan"]

    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be written"):
        plan.write(tmp_path / "file")
    with pytest.raises(InputError, match="cannot be written"):
        plan.write(tmp_path / "file" / "plan")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "file"]
    assert (tmp_path / "file").read_text(encoding="utf-8") == "x"


def test_a_folder_that_is_there_keeps_what_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "loadtest.jmx").write_text("old", encoding="utf-8")
    plan = plan_for(100, slo_ms=100)
    plan.write(tmp_path)
    plan.write(tmp_path)
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert (tmp_path / "loadtest.jmx").read_text(encoding="utf-8") == plan.jmx()
    assert len(list(tmp_path.iterdir())) == 5
