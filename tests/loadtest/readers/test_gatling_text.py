"""Gatling's text logs of every generation tell the same test."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capacity.errors import InputError
from capacity.loadtest.samples import REQUEST, TRANSACTION, UNKNOWN
from tests.loadtest.readers.reading import DATA, checks, read_samples, written

OWN = DATA / "gatling" / "own-3.5.0-simulation.log.gz"
T = 1_700_000_000_000  # a start in epoch ms

#: One test in every layout: user 1 of "buyers" asks twice, once in the groups cart and payment; "GET /b" fails.
GENERATIONS = {
    "1.x": (
        f"RUN\t20231114221320\trun1\ta test\n"
        f"SCENARIO\tbuyers\t1\tSTART\t{T}\n"
        f"ACTION\tbuyers\t1\tGET /a\t{T}\t{T + 1}\t{T + 90}\t{T + 100}\tOK\tRequest executed successfully\n"
        f"ACTION\tbuyers\t1\tGET /b\t{T + 200}\t{T + 201}\t{T + 202}\t{T + 203}\tKO\tstatus 500\n"
        f"SCENARIO\tbuyers\t1\tEND\t{T + 300}\n"
    ),
    "2.0": (
        f"Sim\trun1\tRUN\t{T}\ta test\t2.0\n"
        f"buyers\t1\tUSER\tSTART\t{T}\t0\n"
        f"buyers\t1\tREQUEST\t\tGET /a\t{T}\t{T + 1}\t{T + 90}\t{T + 100}\tOK\t \n"
        f"buyers\t1\tREQUEST\tcart,payment\tGET /b\t{T + 200}\t{T + 201}\t{T + 202}\t{T + 203}\tKO\tstatus 500\n"
        f"buyers\t1\tGROUP\tcart,payment\t{T + 190}\t{T + 250}\t3\t0\t1\tKO\n"
        f"buyers\t1\tUSER\tEND\t{T}\t{T + 300}\n"
    ),
    "2.2": (
        f"ASSERTION\tAAEDAAEF\n"
        f"RUN\tSim\t\trun1\t{T}\ta test\t2.0\n"
        f"USER\tbuyers\t1\tSTART\t{T}\t0\n"
        f"REQUEST\tbuyers\t1\t\tGET /a\t{T}\t{T + 100}\tOK\t \n"
        f"REQUEST\tbuyers\t1\tcart,payment\tGET /b\t{T + 200}\t{T + 203}\tKO\tstatus 500\n"
        f"GROUP\tbuyers\t1\tcart,payment\t{T + 190}\t{T + 250}\t3\tKO\n"
        f"USER\tbuyers\t1\tEND\t{T}\t{T + 300}\n"
    ),
    "3.0": (
        f"RUN\tSim\trun1\t{T}\ta test\t2.0\n"
        f"USER\tbuyers\t1\tSTART\t{T}\t0\n"
        f"REQUEST\t1\t\tGET /a\t{T}\t{T + 100}\tOK\t \n"
        f"REQUEST\t1\tcart,payment\tGET /b\t{T + 200}\t{T + 203}\tKO\tstatus 500\n"
        f"GROUP\t1\tcart,payment\t{T + 190}\t{T + 250}\t3\tKO\n"
        f"USER\tbuyers\t1\tEND\t{T}\t{T + 300}\n"
    ),
    "3.4": (
        f"RUN\tSim\trun1\t{T}\ta test\t3.1\n"
        f"USER\tbuyers\tSTART\t{T}\n"
        f"REQUEST\t\tGET /a\t{T}\t{T + 100}\tOK\t \n"
        f"REQUEST\tcart,payment\tGET /b\t{T + 200}\t{T + 203}\tKO\tstatus 500\n"
        f"GROUP\tcart,payment\t{T + 190}\t{T + 250}\t3\tKO\n"
        f"USER\tbuyers\tEND\t{T + 300}\n"
    ),
}


@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_generation_tells_the_same_requests(generation: str, tmp_path: Path) -> None:
    rows, findings = read_samples(written(tmp_path, GENERATIONS[generation]))
    requests = rows[rows["kind"] == REQUEST]
    assert requests["start"].tolist() == [T * 1_000, (T + 200) * 1_000]
    assert requests["elapsed"].tolist() == [100_000, 3_000]
    assert requests["failed"].tolist() == [0, 1]
    assert requests["outcome"].tolist() == ["", "status 500"]
    assert requests["users"].tolist() == [1, 1]
    grouped = generation != "1.x"
    assert requests["label"].tolist() == ["GET /a", "cart / payment / GET /b" if grouped else "GET /b"]
    assert requests["group"].tolist() == (["", ""] if generation == "3.4" else ["buyers", "buyers"])
    assert findings == []


@pytest.mark.parametrize("generation", [name for name in GENERATIONS if name != "1.x"])
def test_a_group_is_no_request_and_takes_the_time_inside_it(generation: str, tmp_path: Path) -> None:
    rows, _ = read_samples(written(tmp_path, GENERATIONS[generation]))
    (group,) = rows[rows["kind"] == TRANSACTION].to_dict("records")
    assert (group["label"], group["elapsed"], group["failed"]) == ("cart / payment", 3_000, 1)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_message_that_was_dropped_at_the_end_changes_nothing_else(generation: str, tmp_path: Path) -> None:
    whole = GENERATIONS[generation]
    short = whole.replace("OK\t \n", "OK\n").replace("\tstatus 500", "").replace("\tRequest executed successfully", "")
    assert short != whole
    rows, findings = read_samples(written(tmp_path, short))
    before, _ = read_samples(written(tmp_path, whole))
    told = ["label", "start", "elapsed", "failed", "kind", "group"]
    assert rows[told].equals(before[told])
    assert rows.loc[rows["failed"] == 1, "outcome"].unique().tolist() == ["KO"]
    assert findings == []


def test_the_first_releases_put_the_end_second_and_called_users_actions(tmp_path: Path) -> None:
    text = (
        f"RUN\t20111114221320\trun1\ta test\n"
        f"ACTION\tbuyers\t1\tStart of scenario\t{T}\t{T}\t{T}\t{T}\tOK\tStart of scenario\n"
        f"ACTION\tbuyers\t1\tGET /a\t{T}\t{T + 100}\t{T + 1}\t{T + 90}\tOK\tRequest executed successfully\n"
        f"ACTION\tbuyers\t1\tGET /b\t{T + 200}\t{T + 203}\t{T + 201}\t{T + 202}\tKO\tstatus 500\n"
        f"ACTION\tbuyers\t1\tEnd of scenario\t{T + 300}\t{T + 300}\t{T + 300}\t{T + 300}\tOK\tEnd of scenario\n"
    )
    rows, findings = read_samples(written(tmp_path, text))
    later, _ = read_samples(written(tmp_path, GENERATIONS["1.x"], "later"))
    assert rows.equals(later)
    assert findings == []


def test_windows_line_ends_are_line_ends(tmp_path: Path) -> None:
    text = GENERATIONS["3.4"].replace("OK\t \n", "OK\n")
    unix, _ = read_samples(written(tmp_path, text))
    windows, findings = read_samples(written(tmp_path, text.replace("\n", "\r\n")))
    assert windows.equals(unix)
    assert findings == []


def test_the_version_in_the_run_record_is_not_believed(tmp_path: Path) -> None:
    """A real log says 3.5.1 over the layout of 2.2 (loadtest.md 3.1)."""
    rows, _ = read_samples(written(tmp_path, GENERATIONS["2.2"].replace("\t2.0\n", "\t3.5.1\n")))
    assert (rows["kind"] == REQUEST).sum() == 2


def test_a_log_that_lost_its_first_lines_is_still_a_log(tmp_path: Path) -> None:
    rows, _ = read_samples(written(tmp_path, GENERATIONS["3.4"].split("\n", 2)[2]))
    assert len(rows) == 3
    assert rows["users"].tolist() == [UNKNOWN] * 3  # no user was seen to come


def test_errors_of_the_simulation_are_found_and_are_no_groups(tmp_path: Path) -> None:
    """From 3.0 an ERROR record; in 2.2 and 2.3, by mistake, a GROUP record with three columns."""
    modern, findings = read_samples(written(tmp_path, GENERATIONS["3.4"] + f"ERROR\tno such attribute\t{T + 400}\n"))
    assert checks(findings) == {"generator errors": 1}
    assert "no such attribute" in findings[0].message
    older, findings = read_samples(written(tmp_path, GENERATIONS["2.2"] + f"GROUP\tno such attribute\t{T + 400}\n"))
    assert checks(findings) == {"generator errors": 1}
    assert len(modern) == len(older) == 3


def test_an_answer_that_ends_before_it_starts_is_no_request(tmp_path: Path) -> None:
    odd = f"REQUEST\t\tws message\t{T + 5}\t-9223372036854775808\tKO\tunmatched\n"
    rows, findings = read_samples(written(tmp_path, GENERATIONS["3.4"] + odd))
    assert len(rows) == 3
    assert checks(findings) == {"unmatched messages": 1}


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(generation=st.sampled_from(sorted(GENERATIONS)), kept=st.floats(0.55, 1))
def test_a_log_cut_anywhere_gives_the_rows_before_the_cut(generation: str, kept: float, tmp_path: Path) -> None:
    whole = GENERATIONS[generation]
    text = whole[: int(len(whole) * kept)]
    told = ["label", "start", "elapsed", "failed", "kind"]
    expected, _ = read_samples(written(tmp_path, whole))
    rows, findings = read_samples(written(tmp_path, text))
    assert rows[told].equals(expected[told].head(len(rows)))
    *before, last = text.split("\n")
    complete = sum(_is_timed(line) for line in before)
    assert complete <= len(rows) <= complete + 1
    assert set(checks(findings)) <= {"truncated"}
    if _is_timed(last) and len(rows) == complete:
        assert checks(findings) == {"truncated": 1}


def _is_timed(line: str) -> bool:
    return bool({"REQUEST", "ACTION", "GROUP"} & set(line.split("\t")))


def test_a_line_that_is_damaged_is_left_out_and_said(tmp_path: Path) -> None:
    lines = GENERATIONS["3.4"].splitlines(keepends=True)
    lines[2:2] = [f"REQUEST\t\tGET /a\t{T}\t12x\tOK\n", "\0\0\0\n"]
    rows, findings = read_samples(written(tmp_path, "".join(lines)))
    assert len(rows) == 3
    assert checks(findings) == {"damaged": 2}
    assert "the first is 3" in findings[0].message


def test_a_log_of_which_no_record_is_understood_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, f"RUN\tSim\trun1\t{T}\t \t9\nREQUEST\tGET /a\t{T}\t{T + 5}\tMAYBE\n")
    with pytest.raises(InputError, match=r"results line 2: not a record.*\n.*tabs included"):
        read_samples(path)


def test_reasons_that_never_repeat_do_not_fill_the_memory(tmp_path: Path) -> None:
    text = "".join(f"REQUEST\t\tGET /a\t{T + i}\t{T + i + 5}\tKO\tport {i}\n" for i in range(3_000))
    rows, _ = read_samples(written(tmp_path, text))
    assert len(rows) == rows["failed"].sum() == 3_000
    assert rows["outcome"].nunique() == 1_001
    assert (rows["outcome"] == "other reasons").sum() == 2_000


def test_a_gzip_log_that_breaks_off_gives_what_can_be_unpacked(tmp_path: Path) -> None:
    packed = OWN.read_bytes()
    rows, findings = read_samples(written(tmp_path, packed[: len(packed) // 2]))
    whole = gzip.decompress(packed)
    requests = rows[rows["kind"] == REQUEST]
    assert 3_000 < len(requests) < whole.count(b"\nREQUEST\t")
    assert "truncated" in checks(findings)


def test_our_run_of_gatling_3_5_agrees_with_its_own_report() -> None:
    """9,796 requests in five steps: counts exactly, percentiles within the 1 % of Gatling's t-digest."""
    rows, findings = read_samples(OWN)
    assert findings == []
    requests, groups = rows[rows["kind"] == REQUEST], rows[rows["kind"] == TRANSACTION]
    assert (len(requests), requests["failed"].sum(), len(groups)) == (9_796, 890, 8_906)
    report = json.loads((DATA / "gatling" / "own-3.5.0-stats.json").read_text())
    reported = [report["contents"][key] for key in report["contents"]]
    api, fail = reported[0], reported[1]
    (get,) = api["contents"].values()
    for rows_of, stats in (
        (requests, report["stats"]),
        (requests[requests["label"] == "api / GET /x"], get["stats"]),
        (requests[requests["label"] == "GET /fail"], fail["stats"]),
        (groups, api["stats"]),
    ):
        ms = rows_of["elapsed"] / 1_000
        assert len(ms) == stats["numberOfRequests"]["total"]
        assert ms.min() == stats["minResponseTime"]["total"]
        assert ms.max() == stats["maxResponseTime"]["total"]
        assert ms.mean() == pytest.approx(stats["meanResponseTime"]["total"], abs=1)  # Gatling's is whole
        for rank, name in ((0.5, "percentiles1"), (0.95, "percentiles3"), (0.99, "percentiles4")):
            assert np.quantile(ms, rank) == pytest.approx(stats[name]["total"], rel=0.01, abs=1)
