"""Strict in meaning: what cannot be understood is said, all of it, with file and row."""

from __future__ import annotations

import gzip
import math
from pathlib import Path
from typing import Any

import pytest

from capacity.errors import InputError
from capacity.sources import Files
from tests.sources.texts import HEADER, PLAIN, checks, read, refused, values


def hour(hour: int, value: object, service: str = "web", metric: str = "requests") -> str:
    return f"{service},{metric},2026-08-03T{hour:02}:00:00Z,{value}\n"


def test_everything_wrong_is_said_at_once_with_rows(tmp_path: Path) -> None:
    text = (
        "service,metric,stat,unit,timestamp,value\n"
        "web,requests,mean,requests/s,2026-08-03T00:00Z,1\n"
        "web,requests,mean,requests/s,2026-08-03T01:00Z,12 apples\n"
        "web,requests,mean,requests/s,yesterday,1\n"
        "web,temperature,mean,,2026-08-03T03:00Z,1\n"
        "web,requests,Sum,requests/s,2026-08-03T04:00Z,1\n"
        "web,requests,mean,furlongs,2026-08-03T05:00Z,1\n"
        "web,requests,mean,GiB,2026-08-03T06:00Z,1\n"
        ",requests,mean,requests/s,2026-08-03T07:00Z,1\n"
        "web,requests,mean,requests/s,2026-08-03T08:00Z,inf\n"
        "web,requests,mean,requests/s,03/08/2026 09:00,1\n"
        "web,requests,mean,requests/s,,1\n"
    )
    error = refused(tmp_path, text)
    complaints = {problem.where.rpartition("row ")[2]: problem.message for problem in error.problems}
    for row, word in {
        "3": "12 apples",
        "4": "yesterday",
        "5": "temperature",
        "6": "Sum",
        "7": "furlongs",
        "8": "GiB",
        "9": "no name",
        "10": "infinite",
        "11": "03/08/2026",
        "12": "is missing",
    }.items():
        assert word in complaints[row]
    assert list(complaints) == [str(row) for row in range(3, 13)]  # in order of rows
    assert all("usage.csv" in problem.where for problem in error.problems)
    assert "requests/s" in str(error)  # the known units are listed


def test_blank_lines_do_not_shift_row_numbers(tmp_path: Path) -> None:
    text = HEADER + "\n" + hour(0, 1) + "\n\n" + hour(1, "oops")
    assert [problem.where for problem in refused(tmp_path, text).problems] == ["usage.csv row 6"]


@pytest.mark.parametrize(
    "word", ["1,5 apples", "1.234.567", "0x1F", "twelve", "1 000", "--3", "true", "-", "1e", "12%", "$3"]
)
def test_what_is_no_number_is_never_guessed(tmp_path: Path, word: str) -> None:
    error = refused(tmp_path, HEADER + hour(0, 1) + hour(1, f'"{word}"'))
    assert [problem.where for problem in error.problems] == ["usage.csv row 3"]


def test_points_among_decimal_commas_are_not_guessed(tmp_path: Path) -> None:
    text = (HEADER + hour(0, "999_5") + hour(1, "1.234")).replace(",", ";").replace("_", ",")
    assert [problem.where for problem in refused(tmp_path, text).problems] == ["usage.csv row 3"]


def test_a_comma_that_may_group_thousands_is_not_guessed(tmp_path: Path) -> None:
    def text(*words: str) -> str:
        rows = "".join(hour(at, word.replace(",", "_")) for at, word in enumerate(words))
        return (HEADER + rows).replace(",", ";").replace("_", ",")

    error = refused(tmp_path, text("1,500", "7", "12,250"))
    assert [problem.where for problem in error.problems] == ["usage.csv row 2", "usage.csv row 4"]
    assert "'1,500' has a decimal comma, or one that groups thousands" in str(error)
    for telling, number in (("0,250", 0.25), ("7,5", 7.5), ("1500,125", 1500.125)):  # no group of thousands
        assert list(values(read(tmp_path, text("1,500", telling))).values()) == [1.5, number]


def test_another_column_tells_what_a_comma_is(tmp_path: Path) -> None:
    text = "timestamp;web;api\n2026-08-03T00:00Z;1,500;0,5\n2026-08-03T01:00Z;2,500;0,75\n"
    found = read(tmp_path, text, metric="requests").frame
    assert found.loc[found["service"] == "web", "value"].tolist() == [1.5, 2.5]


@pytest.mark.parametrize(
    "stamp",
    ["now", "today", "2026", "2026-08", "3 Aug 2026", "08/03/2026", "2026-13-01T00:00Z", "12", "9999-01-01T00:00Z"],
)
def test_what_is_no_stamp_is_never_guessed(tmp_path: Path, stamp: str) -> None:
    error = refused(tmp_path, HEADER + f"web,requests,{stamp},1\n" + hour(1, 2) + hour(2, 3))
    assert repr(stamp) in str(error)
    assert error.problems[0].where == "usage.csv row 2"


def test_stamps_without_offset_are_refused_with_the_way_out(tmp_path: Path) -> None:
    text = PLAIN.replace("Z", "")
    error = refused(tmp_path, text)
    assert len(error.problems) == 1
    assert 'timezone="UTC"' in str(error)
    assert "3 stamps" in str(error)
    assert values(read(tmp_path, text, timezone="UTC")) == values(read(tmp_path, PLAIN))


def test_an_offset_wins_over_the_zone_that_is_said(tmp_path: Path) -> None:
    assert values(read(tmp_path, PLAIN, timezone="Asia/Tokyo")) == values(read(tmp_path, PLAIN))


def test_missing_values_are_gaps_and_counted(tmp_path: Path) -> None:
    words = ["", "NaN", "NA", "null", "None", "n/a"]
    text = HEADER + "".join(hour(h, word) for h, word in enumerate(words, start=1)) + hour(0, 1) + hour(7, 2)
    observations = read(tmp_path, text)
    assert values(observations) == {"2026-08-03T00:00Z": 1.0, "2026-08-03T07:00Z": 2.0}
    assert set(observations.frame["interval"]) == {3600}  # rows without a value still show the grid
    [finding] = observations.findings
    assert (finding.check, finding.count) == ("missing", 6)


def test_a_series_that_is_all_gaps_fails_and_the_others_stay(tmp_path: Path) -> None:
    text = HEADER + "".join(hour(h, h) + hour(h, "NaN", service="api") for h in range(3))
    observations = read(tmp_path, text)
    assert observations.frame["service"].unique().tolist() == ["web"]
    assert [(f.service, f.check, f.status) for f in observations.findings] == [("api", "gaps", "FAIL")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        (HEADER, "has a header and no rows"),
        (HEADER + hour(0, "") + hour(1, "NaN"), "none of the 2 rows holds a value"),
        (HEADER + hour(0, 5), "one stamp only"),
        ("timestamp,web,api\n2026-08-03T00:00Z,1,2\n", "no column for service"),
        (b"PK\x03\x04 a workbook", "spreadsheet"),
        ('{"values": []}', "is JSON"),
        (b"PAR1 broken", "Parquet"),
        (b"\x1f\x8b broken", "cannot be read"),
        (gzip.compress(PLAIN.encode(), mtime=0)[:-9], "cannot be read"),
        (PLAIN.replace("web", "caf\xe9").encode("latin-1"), "UTF-8"),
        ("service,metric,timestamp,value\nweb,requests,2026-08-03T00:00Z,1,2,3\n", "6 fields"),
        ('service,metric,timestamp,value\n"web,requests,2026-08-03T00:00Z,1\n', "CSV"),
        ("service,metric,date,time,value\nweb,requests,2026-08-03,00:00,1\n", "'date' and 'time'"),
        ('service,metric,timestamp,value\n"we\nb",requests,2026-08-03T00:00Z,1\n', "line break"),
        (PLAIN.replace("web", "we\0b"), "control character"),
        (PLAIN.replace("web", "\x1b[2Jweb"), "control character"),  # a terminal would clear its screen
        (PLAIN.replace("web", "a\tb"), "control character"),
        (PLAIN.replace("web", "gnp.\u202eweb"), "control character"),  # shown as bew.png
        (PLAIN.replace("web", "x" * 256), "256 characters; ECS allows 255"),
    ],
)
def test_what_cannot_be_a_history_is_refused_in_words(tmp_path: Path, text: str | bytes, words: str) -> None:
    assert words in str(refused(tmp_path, text))


def test_one_row_is_enough_when_its_interval_is_said(tmp_path: Path) -> None:
    assert values(read(tmp_path, HEADER + hour(0, 5), interval_seconds=3600)) == {"2026-08-03T00:00Z": 5.0}


def test_a_new_service_with_one_row_takes_the_interval_of_the_others_and_says_so(tmp_path: Path) -> None:
    observations = read(tmp_path, PLAIN + hour(2, 9, service="new"))
    assert observations.frame.set_index("service").loc["new", "interval"] == 3600
    assert [(f.service, f.status) for f in observations.findings] == [("new", "REVIEW")]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"metric": "temperature"}, "unknown metric 'temperature'"),
        ({"metric": "cpu", "unit": "requests/s"}, "cpu cannot be in 'requests/s'"),
        ({"unit": "furlongs"}, "unknown unit 'furlongs'"),
        ({"timezone": "Mars/Olympus"}, "'Mars/Olympus' is not an IANA zone"),
        ({"interval_seconds": 0}, "0 is not a positive"),
        ({"columns": {"value": "price"}}, "maps 'value' to 'price'"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    assert words in str(refused(tmp_path, PLAIN, **options))


def test_a_row_said_twice_is_kept_once(tmp_path: Path) -> None:
    observations = read(tmp_path, PLAIN + hour(1, 1.5) + hour(1, "1.50"))
    assert values(observations) == values(read(tmp_path, PLAIN))
    assert [(f.check, f.count) for f in read(tmp_path, PLAIN + hour(1, 1.5)).findings] == [("duplicates", 1)]


def test_a_row_said_twice_with_two_values_is_refused_with_both_rows(tmp_path: Path) -> None:
    error = refused(tmp_path, PLAIN + hour(1, 7))
    [problem] = error.problems
    assert problem.where == "usage.csv row 3"
    assert "usage.csv row 5" in problem.message
    assert "1.5 here and 7" in problem.message


def test_two_services_of_one_name_are_refused_not_mixed(tmp_path: Path) -> None:
    (tmp_path / "blue.csv").write_text(HEADER + "".join(hour(h, h + 1) for h in range(24)))
    (tmp_path / "green.csv").write_text(HEADER + "".join(hour(h, 2 * h + 5) for h in range(24)))
    with pytest.raises(InputError) as caught:
        Files(tmp_path).read()
    assert "blue.csv row 2" in str(caught.value)
    assert "green.csv row 2" in str(caught.value)
    assert "service_prefix" in str(caught.value)


def test_thousands_of_problems_are_counted_not_listed(tmp_path: Path) -> None:
    text = HEADER + "".join(f"web,requests,2026-08-03T00:00Z,x{row}\n" for row in range(5000))
    error = refused(tmp_path, text)
    assert any("4,000 further rows" in problem.message for problem in error.problems)
    assert len(str(error).splitlines()) < 30


def test_negative_values_are_kept_by_the_source(tmp_path: Path) -> None:
    assert values(read(tmp_path, HEADER + hour(0, -1) + hour(1, 2))) == {
        "2026-08-03T00:00Z": -1.0,
        "2026-08-03T01:00Z": 2.0,
    }


def test_a_gap_is_left_a_gap(tmp_path: Path) -> None:
    observations = read(tmp_path, HEADER + hour(0, 1) + hour(1, 2) + hour(2, 3) + hour(9, 4))
    assert len(observations) == 4
    assert checks(observations) == {}
    assert all(math.isfinite(value) for value in observations.frame["value"])
