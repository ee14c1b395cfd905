"""Files that were cut short, appended to, or are not what they seem."""

from __future__ import annotations

import gzip
import random
import re
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capacity.errors import InputError
from capacity.loadtest.readers.base import Reading, ResultFile, SampleReader
from capacity.loadtest.readers.jmeter import READERS
from capacity.loadtest.readers.jmeter.csv import JMeterCsv
from tests.loadtest.readers.jmeter import HEADER, RUNS, table, unpacked
from tests.loadtest.readers.reading import written
from tests.loadtest.readers.test_damage import damaged
from tests.loadtest.readers.test_jmeter_csv import ROW, plain
from tests.loadtest.readers.test_jmeter_summaries import AGGREGATE, CONSOLE

QUOTED = ROW.replace("GET /x", '"GET /x, y"')


@pytest.mark.parametrize("cut", range(len(QUOTED)))
def test_the_last_row_may_break_off_anywhere(cut: int, tmp_path: Path) -> None:
    path = written(tmp_path, "\n".join([HEADER, ROW, ROW, QUOTED[:cut]]))
    rows, findings = table(path)
    whole = cut >= QUOTED.rindex(",") + 1  # its last cell has begun: nothing tells that it is not at its end
    assert len(rows) == 3 if whole else 2
    assert (findings["truncated"].count if "truncated" in findings else 0) == (0 if whole or not cut else 1)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("1795427364220,74,GET /x, y,200,OK,main 1-1,text,true,,156,119,1,1,null,72,0,31", "18 cells, the header 17"),
        (ROW.replace("1795427364220", "soon"), "timeStamp cannot be read"),
        (ROW.replace(",74,", ",fast,"), "elapsed is not a number"),
        (ROW.replace("true", "maybe"), "success is neither true nor false"),
        (ROW.replace("GET /x", '"GET" /x'), "a quote stands within a quoted cell"),
    ],
)
def test_a_damaged_row_in_the_middle_is_left_out_and_said(bad: str, why: str, tmp_path: Path) -> None:
    spanning = ROW.replace("GET /x", '"GET\n/x"')
    rows, findings = table(plain(tmp_path, spanning, bad, ROW))
    assert rows["label"].tolist() == ["GET\n/x", "GET /x"]
    assert "1 of 3 rows" in findings["damaged"].message
    assert re.search(rf"line 4: .*{why}", findings["damaged"].message)
    assert (findings["damaged"].count, findings["damaged"].status) == (1, "FAIL")
    assert "truncated" not in findings
    _, findings = table(written(tmp_path, "\n".join([HEADER, *[ROW] * 999, bad, ROW]), "a trace"))
    assert findings["damaged"].status == "REVIEW"


def test_a_file_of_which_most_rows_are_damaged_is_refused_with_the_first_places(tmp_path: Path) -> None:
    bad = ROW.replace("true", "maybe")
    rows, findings = table(plain(tmp_path, *[bad, ROW] * 30))
    assert len(rows) == 30
    assert "line 2: success" in findings["damaged"].message
    assert "; and 27 more" in findings["damaged"].message
    with pytest.raises(InputError, match="32 rows are damaged, and 30 are whole") as raised:
        table(plain(tmp_path, *[bad, ROW] * 30, bad, "1795427364220"))
    assert [problem.where for problem in raised.value.problems] == [f"line {line}" for line in range(2, 42, 2)]


def test_places_are_the_same_whatever_is_read_at_a_time(tmp_path: Path) -> None:
    stray = ROW.replace("GET /x", '"GET /x')
    path = plain(tmp_path, ROW, ROW.replace("true", "maybe"), ROW, stray, ROW, stray.replace("x", 'x" '), ROW, ROW)
    for chunk in (1, 50, 200, 5_000):
        rows, findings = table(path, JMeterCsv(chunk))
        assert len(rows) == 5
        assert re.findall(r"line \d+", findings["damaged"].message) == ["line 3", "line 5", "line 7"]


@pytest.mark.parametrize("chunk", [1, 8 * 2**20])
def test_a_stray_quote_costs_one_row_and_not_those_below(chunk: int, tmp_path: Path) -> None:
    stray = ROW.replace("GET /x", '"GET /x')
    for between in (1, 3):  # an even number of stray quotes close each other, an odd one stays open
        rows, findings = table(plain(tmp_path, ROW, *[stray, ROW, ROW] * between), JMeterCsv(chunk))
        assert len(rows) == 1 + 2 * between
        assert findings["damaged"].count == between
        assert "truncated" not in findings
    rows, findings = table(plain(tmp_path, ROW, stray, ROW, ROW, stray, ROW), JMeterCsv(chunk))
    assert (len(rows), findings["damaged"].count) == (4, 2)


def test_a_file_that_ends_within_a_cell_of_many_lines_lacks_one_row(tmp_path: Path) -> None:
    cut = ROW.replace("true,", 'false,"expected\nto be, but\nwas')
    rows, findings = table(plain(tmp_path, ROW, ROW, cut))
    assert len(rows) == 2
    assert findings["truncated"].count == 1
    assert "damaged" not in findings


def test_a_time_beyond_all_clocks_is_damage(tmp_path: Path) -> None:
    rows, findings = table(plain(tmp_path, ROW, ROW.replace(",74,", ",9200000000000000,"), ROW))
    assert len(rows) == 2
    assert "elapsed is not a number of milliseconds" in findings["damaged"].message


def test_nothing_but_a_bad_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 rows are damaged, and 0 are whole"):
        table(plain(tmp_path, "1795427364220,74,GET /x"))


def test_runs_appended_to_one_file_are_read_and_said(tmp_path: Path) -> None:
    rows, findings = table(plain(tmp_path, ROW, HEADER, ROW, ROW, HEADER, ROW))
    assert len(rows) == 4
    assert findings["several runs"].count == 2


def test_a_header_alone_is_no_sample(tmp_path: Path) -> None:
    rows, findings = table(plain(tmp_path))
    assert rows.empty
    assert "no samples" in findings["empty"].message


def test_an_archive_cut_short_gives_the_rows_before(tmp_path: Path) -> None:
    packed = (RUNS / "steps-open-v5.jtl.gz").read_bytes()
    rows, findings = table(written(tmp_path, packed[: len(packed) // 2]))
    whole, _ = table(RUNS / "steps-open-v5.jtl.gz")
    assert 0 < len(rows) < len(whole)
    assert rows["start"].tolist() == whole["start"].tolist()[: len(rows)]
    assert "truncated" in findings


def test_a_log_of_errors_only_is_not_taken_for_the_whole_run(tmp_path: Path) -> None:
    failed = ROW.replace("200,OK", "503,No").replace("true", "false")
    _, findings = table(plain(tmp_path, failed, failed))
    assert findings["failures only"].status == "FAIL"
    _, findings = table(plain(tmp_path, failed, ROW), JMeterCsv())
    assert "failures only" not in findings


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("elapsed,label,responseCode,threadName,success\n5,a,200,main 1-1,true\n", "timestamp_format=ms"),
        ("timeStamp,label,responseCode,threadName,success\n5,a,200,main 1-1,true\n", "time=true"),
        ("a,200,OK,main 1-1,text,true,1,1,1,0\nb,200,,main 1-1,text,true,1,1,1,0\n", "timestamp_format=ms"),
        ("timeStamp,elapsed,label,label\n1,2,a,b\n", "'label' stands in the header twice"),
        ("timeStamp,elapsed,label\n23.11.2026 um 9,2,a\n", "'23.11.2026 um 9' is neither a number nor a date"),
    ],
)
def test_a_file_that_cannot_tell_rates_is_refused_with_what_to_do(text: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=what):
        table(written(tmp_path, text))


def test_an_archive_is_read_as_what_it_holds(tmp_path: Path) -> None:
    text = unpacked(RUNS / "variants-v5.csv.jtl.gz")
    packed = written(tmp_path, gzip.compress(text.encode()), "results.jtl")
    assert table(packed)[0].equals(table(written(tmp_path, text, "plain.jtl"))[0])


WHOLE: Final = {
    "csv": unpacked(RUNS / "variants-v5.csv.jtl.gz")[:3_000].encode(),
    "no header": (RUNS / "variants-v2.csv.jtl").read_bytes(),
    "dates": (RUNS / "variants-v2.semi-date.jtl").read_bytes(),
    "xml": (RUNS / "variants-v2.xml.jtl").read_bytes(),
    "statistics.json": (RUNS / "variants-v5.csv.statistics.json").read_bytes()[-1_500:].replace(b"},", b"{", 1),
    "aggregate": AGGREGATE.encode(),
    "console": CONSOLE.encode(),
}


@given(name=st.sampled_from(sorted(WHOLE)), seed=st.integers(0, 2**32))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_was_done_to_a_file_it_is_read_or_refused_in_words(name: str, seed: int, tmp_path: Path) -> None:
    path = written(tmp_path, damaged(WHOLE[name], random.Random(seed)))
    for reader in READERS:
        file, reading = ResultFile(path), Reading()
        try:
            if not reader.recognises(file):
                continue
            if isinstance(reader, SampleReader):
                assert all(len(batch) > 0 for batch in reader.samples(file, reading))
            else:
                assert reader.summary(file, reading).labels.index[-1] == "Total"
        except InputError as error:
            assert str(path) in str(error)
