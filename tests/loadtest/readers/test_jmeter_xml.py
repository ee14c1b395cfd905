"""JMeter's XML: leaves are requests, what is damaged is said, and nothing outside the file is read."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from capacity.errors import InputError
from capacity.loadtest.readers.base import Reading, ResultFile
from capacity.loadtest.readers.jmeter.xml import JMeterXml
from capacity.loadtest.samples import CONTAINER, REQUEST, TRANSACTION, UNKNOWN
from tests.loadtest.readers.jmeter import MARK, RUNS, table, unpacked
from tests.loadtest.readers.reading import written

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<testResults version="1.2">\n'
LEAF = (
    '<httpSample t="20" lt="15" ct="3" ts="1795427642069" s="true" lb="a" rc="200" rm="OK" tn="m 1-1" by="156" na="2"/>'
    "\n"
)
END = "</testResults>\n"


def document(*samples: str) -> str:
    return HEAD + "".join(samples) + END


@pytest.mark.parametrize("name", ["variants-v5.xml.jtl.gz", "variants-v2.xml.jtl"])
def test_leaves_are_the_requests_that_a_tree_has(name: str) -> None:
    rows, findings = table(RUNS / name, JMeterXml())
    names = {"sample", "httpSample"}
    told = [element for element in ElementTree.fromstring(unpacked(RUNS / name)).iter() if element.tag in names]
    kinds = [
        TRANSACTION
        if element.get("rm", "").startswith("Number of samples in transaction")
        else (CONTAINER if any(child.tag in names for child in element) else REQUEST)
        for element in told
    ]
    assert rows["kind"].tolist() == kinds
    for column, attribute, factor in [("start", "ts", 1000), ("elapsed", "t", 1000), ("received", "by", 1)]:
        assert rows[column].tolist() == [int(element.get(attribute, "")) * factor for element in told]
    assert rows["label"].tolist() == [element.get("lb") for element in told]
    assert rows["failed"].tolist() == [int(element.get("s") != "true") for element in told]
    assert findings == {}


def test_the_run_of_the_variants_tells_in_xml_what_it_tells_in_csv() -> None:
    xml, _ = table(RUNS / "variants-v5.xml.jtl.gz", JMeterXml())
    csv, _ = table(RUNS / "variants-v5.csv.jtl.gz")
    count = ["label", "kind", "outcome", "group"]
    assert xml.value_counts(count).to_dict() == csv.value_counts(count).to_dict()
    assert (xml["kind"] == REQUEST).sum() == 360


def test_samples_nest_at_any_depth_and_take_the_thread_around_them(tmp_path: Path) -> None:
    inner = LEAF.replace(' tn="m 1-1"', "")
    page = inner.replace("/>", f">{inner}{inner}</httpSample>")
    transaction = f'<sample t="90" ts="1" s="true" lb="tx" rm="{MARK}" tn="g 2-7">{page}{inner}</sample>'
    rows, _ = table(written(tmp_path, document(transaction, LEAF)), JMeterXml())
    assert rows["kind"].tolist() == [TRANSACTION, CONTAINER, REQUEST, REQUEST, REQUEST, REQUEST]
    assert rows["group"].tolist() == ["g"] * 5 + ["m"]


@pytest.mark.parametrize("blank", ["", "\n\n  ", "\ufeff", "\ufeff\r\n"])
def test_blanks_before_the_declaration_do_not_matter(blank: str, tmp_path: Path) -> None:
    rows, findings = table(written(tmp_path, blank + document(LEAF)), JMeterXml())
    assert len(rows) == 1
    assert findings == {}


def test_a_stopped_test_keeps_what_was_complete(tmp_path: Path) -> None:
    page = LEAF.replace("/>", f">{LEAF}")  # its end is missing
    for cut in ("", LEAF[:40], page, page + LEAF[:40]):
        rows, findings = table(written(tmp_path, HEAD + LEAF + LEAF + cut), JMeterXml())
        assert len(rows) == (3 if cut.startswith(page) else 2)
        assert set(rows["kind"]) == {REQUEST}
        assert "before </testResults>" in findings["truncated"].message


def test_what_is_no_xml_from_some_line_on_is_left_out_and_said(tmp_path: Path) -> None:
    rows, findings = table(written(tmp_path, document(LEAF, "<a></b>\n", LEAF)), JMeterXml())
    assert len(rows) == 1
    assert findings["damaged"].status == "FAIL"
    assert "line 4" in findings["damaged"].message


@pytest.mark.parametrize("forbidden", ["\x00", "\x1b", "&#0;", "&#x1B;", "\ufffe"])
def test_characters_that_xml_forbids_do_not_end_the_file(forbidden: str, tmp_path: Path) -> None:
    odd = LEAF.replace('lb="a"', f'lb="a{forbidden}"')
    rows, findings = table(written(tmp_path, document(LEAF, odd, LEAF)), JMeterXml())
    assert rows["label"].tolist() == ["a", "a?", "a"]
    assert findings["characters"].count == 1


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1252", "UTF-8", "no-such-code", "UTF-16", "zip"])
def test_the_declared_encoding_is_used(encoding: str, tmp_path: Path) -> None:
    text = document(LEAF.replace('lb="a"', 'lb="Zurück"')).replace("UTF-8", encoding)
    codec = encoding if encoding in ("ISO-8859-1", "windows-1252") else "utf-8"
    rows, _ = table(written(tmp_path, text.encode(codec)), JMeterXml())
    assert rows["label"].tolist() == ["Zurück"]


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE testResults [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE testResults SYSTEM "file:///etc/passwd">',
    ],
)
def test_document_types_and_entities_are_refused(declaration: str, tmp_path: Path) -> None:
    text = document(LEAF.replace('lb="a"', 'lb="&b;"')).replace("<testResults", f"{declaration}<testResults", 1)
    with pytest.raises(InputError, match="document type"):
        table(written(tmp_path, text), JMeterXml())


def test_names_of_ancient_files_and_of_samples_written_whole_are_understood(tmp_path: Path) -> None:
    ancient = (
        '<sampleResult timeStamp="1112270706000" dataType="text" threadName="m 1-1" label="a" time="20" '
        'responseMessage="OK" responseCode="200" success="true"/>'
    )
    whole = (
        "<com.example.SampleResultWithSubs><saveConfig><time>true</time><label>true</label></saveConfig><responseCode>500</responseCode><label>b</label><timeStamp>0</timeStamp>"
        "<startTime>1431506202173</startTime><success>false</success><elapsedTime>7</elapsedTime>"
        "<threadName>m 1-2</threadName></com.example.SampleResultWithSubs>"
    )
    older = LEAF.replace(' rc="', ' rs="')
    rows, _ = table(written(tmp_path, document(ancient, whole, older)), JMeterXml())
    assert rows["label"].tolist() == ["a", "b", "a"]
    assert rows["start"].tolist() == [1_112_270_706_000_000, 1_431_506_202_173_000, 1_795_427_642_069_000]
    assert rows["elapsed"].tolist() == [20_000, 7_000, 20_000]
    assert rows["outcome"].tolist() == ["200", "500", "200"]


def test_assertions_are_told_apart_from_what_the_server_said(tmp_path: Path) -> None:
    failed = LEAF.replace('s="true"', 's="false"')
    asserted = failed.replace(
        "/>",
        "><assertionResult><name>n</name><failure>true</failure><error>false</error></assertionResult></httpSample>",
    )
    rows, findings = table(written(tmp_path, document(failed, asserted)), JMeterXml())
    assert rows["outcome"].tolist() == ["200, marked as failed", "200, assertion failed"]
    assert findings["failures only"].status == "FAIL"


def test_a_batch_tells_of_several_requests_and_what_is_missing_is_unknown(tmp_path: Path) -> None:
    batch = '<sample t="400" ts="10000" s="false" lb="a" sc="4" ec="1"/>'
    rows, findings = table(written(tmp_path, document(batch)), JMeterXml())
    assert rows[["start", "elapsed", "count", "failed"]].to_numpy().tolist() == [[9_900_000, 100_000, 4, 1]]
    for column in ("latency", "connect", "received", "users"):
        assert rows[column].tolist() == [UNKNOWN]
    assert findings["batches"].count == 1


@pytest.mark.parametrize(("attribute", "what"), [("ts", "a time stamp"), ("t", "an elapsed time")])
@pytest.mark.parametrize("value", [None, "soon", "2026/01/01 10:00:00"])
def test_samples_without_a_time_are_refused_with_their_line(
    attribute: str, what: str, value: str | None, tmp_path: Path
) -> None:
    known = {"ts": "1795427642069", "t": "20"}[attribute]
    other = "" if value is None else f' {attribute}="{value}"'
    with pytest.raises(InputError, match=rf"line 4: a sample needs {what}"):
        table(written(tmp_path, document(LEAF, LEAF.replace(f' {attribute}="{known}"', other))), JMeterXml())


def test_memory_is_for_a_batch_and_not_for_the_file(tmp_path: Path) -> None:
    file = ResultFile(written(tmp_path, document(LEAF * 30_000)))
    sizes = [len(batch) for batch in JMeterXml().samples(file, Reading())]
    assert sum(sizes) == 30_000
    assert max(sizes) < 28_000


def test_ends_as_stamps_are_noticed(tmp_path: Path) -> None:
    took = [10 + (7 * i) % 50 for i in range(200)]
    ends = [1_795_427_642_069 + sum(took[: i + 1]) for i in range(200)]
    samples = [
        LEAF.replace("1795427642069", str(e)).replace('t="20"', f't="{t}"', 1) for e, t in zip(ends, took, strict=True)
    ]
    rows, findings = table(written(tmp_path, document(*samples)), JMeterXml())
    assert "end stamps" in findings
    assert rows["start"].tolist() == [(end - time) * 1000 for end, time in zip(ends, took, strict=True)]


@pytest.mark.parametrize("text", ["<html></html>", "<FinalStatus/>", "<?xml version='1.0'?><suite/>", "testResults"])
def test_other_xml_is_not_claimed(text: str, tmp_path: Path) -> None:
    assert not JMeterXml().recognises(ResultFile(written(tmp_path, text)))
