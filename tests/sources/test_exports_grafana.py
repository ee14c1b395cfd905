"""Grafana's CSV, and any table with a column a series: labels say what each is, and cells may carry their unit.

Forms: Grafana's own writer, packages/grafana-data/src/utils/csv.ts (toCSV), its display names of fields
(field/fieldState.ts), and pull request grafana/grafana#4041 for the older ones with a column `Series`.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.history import read as read_history
from capacity.sources.exports.labels import told
from capacity.sources.exports.suffixes import SUFFIXES, measured
from tests.sources.test_exports_console import points
from tests.sources.texts import HEADER, read, refused, utc

START = 1785715200  # 2026-08-03T00:00:00Z


def joined(labels: list[str], *rows: Sequence[object], step: int = 60, end: str = "\r\n") -> str:
    """ "Series joined by time", as toCSV writes it: headers quoted, stamps in milliseconds, cells as they are."""
    header = ",".join(['"Time"', *('"' + label.replace('"', '""') + '"' for label in labels)])
    lines = [f"{(START + step * number) * 1000},{','.join(map(str, row))}" for number, row in enumerate(rows)]
    return end.join([header, *lines, "", ""])


def test_series_joined_by_time_are_read_from_their_labels(tmp_path: Path) -> None:
    text = joined(['{pod="a", service="web"}', '{pod="b", service="api"}'], [1, 20.5], [2, ""], [3, 21])
    observations = read(tmp_path, text, metric="requests")
    assert points(observations) == {("web", "requests", "mean"): [1, 2, 3], ("api", "requests", "mean"): [20.5, 21]}
    assert observations.frame["timestamp"].drop_duplicates().sort_values().tolist() == utc(
        "2026-08-03 00:00", "2026-08-03 00:01", "2026-08-03 00:02"
    )
    assert [(each.service, each.check, each.count) for each in observations.findings] == [("api", "missing", 1)]


@pytest.mark.parametrize(
    ("label", "options", "expected"),
    [
        ("web", {"metric": "cpu"}, ("web", "cpu", "mean")),  # a legend {{service}}
        ("cpu", {"service": "web"}, ("web", "cpu", "mean")),
        ("CPU Utilization", {"service": "web"}, ("web", "cpu_utilization", "mean")),
        ("p95 of everything", {"service": "web", "metric": "latency"}, ("web", "latency", "mean")),  # one column only
        ('cpu {service="web"}', {}, ("web", "cpu", "mean")),
        ('{__name__="cpu", service_name="web", stat="max"}', {}, ("web", "cpu", "max")),
        ('{__name__="http_requests_total", service="web"}', {"metric": "requests"}, ("web", "requests", "mean")),
        ('{job="web", q="p99"}', {"metric": "cpu", "columns": {"job": "service", "q": "stat"}}, ("web", "cpu", "p99")),
        ('{dimension_ServiceName="web"}', {"metric": "cpu_utilization"}, ("web", "cpu_utilization", "mean")),
        ('{service="web"}', {"columns": {'{service="web"}': ":cpu:max"}}, ("web", "cpu", "max")),
        ("a: b {c}", {"columns": {"A: b {c}": "web:cpu:p95"}}, ("web", "cpu", "p95")),
        ("CPUUtilization", {"columns": {"CPUUtilization": "web::Maximum"}}, ("web", "cpu_utilization", "max")),
    ],
)  # fmt: skip
def test_a_column_is_what_its_label_the_caller_or_the_options_say(
    tmp_path: Path, label: str, options: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    observations = read(tmp_path, joined([label], [1], [2]), **options)
    assert points(observations) == {expected: [1.0, 2.0]}
    assert len(observations.findings) == 0


@pytest.mark.parametrize(
    ("labels", "options", "words"),
    [
        (['{job="web"}'], {"metric": "cpu"}, "no column for service"),  # a job need not be a service
        (['{series="a", service_name="b"}'], {"metric": "cpu"}, "no column for service"),  # two could be it
        (['{service="a", service="b"}'], {"metric": "cpu"}, "no column for service"),
        (['{service="we"b"}'], {"metric": "cpu"}, "no column for service"),  # where does the value end?
        (['{service="web"'], {"metric": "cpu"}, "no column for service"),
        (['{service="web"}'], {}, "no column for metric"),
        (["web", "api"], {}, "no column for service, metric"),
        (["web", "api"], {"metric": "cpu", "service": "x"}, "no column for service, metric"),
        (['{service="web"}', 'cpu {service="web"}'], {"metric": "cpu"}, "are both web cpu mean"),
        ([str(number) for number in range(9)], {}, "'4' and 4 more"),
        (["web\u202e"], {"metric": "cpu"}, "control character"),
        (["x" * 300], {"metric": "cpu"}, "300 characters"),
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_asked(
    tmp_path: Path, labels: list[str], options: dict[str, Any], words: str
) -> None:
    row = [1] * len(labels)
    assert words in str(refused(tmp_path, joined(labels, row, row), **options))


def test_excels_first_line_and_a_byte_order_mark_are_nothing_to_stumble_over(tmp_path: Path) -> None:
    text = "\ufeffsep=,\r\n" + joined(["web"], [1], ["oops"])
    [problem] = refused(tmp_path, text, metric="cpu").problems
    assert (problem.where, problem.message) == ("usage.csv column 'web' row 4", "value 'oops' is not a number")
    fine = read(tmp_path, text.replace("oops", "2"), metric="cpu")
    assert points(fine) == {("web", "cpu", "mean"): [1.0, 2.0]}


def test_a_tool_of_another_locale_writes_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    text = "sep=;\n" + "Time;web;api\n" + "".join(f"{START + 60 * n};{n},5%;{n},25%\n" for n in range(3))
    assert points(read(tmp_path, text, metric="cpu_utilization")) == {
        ("web", "cpu_utilization", "mean"): [0.5, 1.5, 2.5],
        ("api", "cpu_utilization", "mean"): [0.25, 1.25, 2.25],
    }


def test_series_of_several_intervals_keep_their_own(tmp_path: Path) -> None:
    """Five-minute values stand in every fifth row: the cells between are no gaps, a missing fifth is."""
    coarse = [number if number % 5 == 0 and number != 15 else "" for number in range(31)]
    fine = [number if number not in (7, 8) else "" for number in range(31)]
    observations = read(tmp_path, joined(["web", "api"], *map(list, zip(coarse, fine, strict=True))), metric="cpu")
    frame = observations.frame
    assert frame.groupby("service", observed=True)["interval"].unique().map(list).to_dict() == {
        "api": [60],
        "web": [300],
    }
    assert points(observations)["web", "cpu", "mean"] == [0, 5, 10, 20, 25, 30]
    assert {each.service: each.count for each in observations.findings} == {"web": 1, "api": 2}


def test_sums_without_a_period_are_divided_by_the_distance_of_their_stamps_and_that_is_said(tmp_path: Path) -> None:
    text = joined(["RequestCount_Sum"], [600], [""], [300], [60], step=300)
    columns = {"RequestCount_Sum": "web:requests:sum"}
    observations = read(tmp_path, text, columns=columns)
    assert points(observations) == {("web", "requests", "mean"): [2.0, 1.0, 0.2]}
    assert ("interval", "REVIEW") in [(each.check, each.status) for each in observations.findings]
    said = read(tmp_path, text, columns=columns, interval_seconds=60)
    assert points(said) == {("web", "requests", "mean"): [10.0, 5.0, 1.0]}
    assert [each.check for each in said.findings] == ["missing"]
    assert "one stamp does not show it" in str(refused(tmp_path, joined(["RequestCount_Sum"], [600]), columns=columns))


FORMATTED = {
    "%": ("cpu_utilization", [("0%", 0.0), ("12.5%", 12.5), ("-3.25%", -3.25)]),
    "binary": ("memory", [("512 MiB", 0.5), ("1.50 GiB", 1.5), ("2 TiB", 2048.0), ("1024 KiB", 2**-10)]),
    "decimal": ("memory", [("1.5 GB", 1.5e9 / 2**30), ("2 MB", 2e6 / 2**30), ("1 B", 2**-30), ("1 kB", 1000 / 2**30)]),
    "time": ("latency", [("250 ms", 0.25), ("1.5 s", 1.5), ("2 min", 120.0), ("500 µs", 5e-4), ("1 hour", 3600.0)]),
    "rate": ("requests", [("1.25K reqps", 1250.0), ("2 req/s", 2.0), ("3.1M req/s", 3.1e6), ("30 req/m", 0.5)]),
    "short": ("requests", [("1.1 K", 1100.0), ("2 Mil", 2e6), ("7", 7.0), ("3.3 K", 3300.0)]),
    "bytes": ("network_in", [("1.5 MiB/s", 1.5 * 2**20), ("2 kB/s", 2000.0), ("1 GB/s", 1e9)]),
}


@pytest.mark.parametrize("form", FORMATTED)
def test_formatted_values_are_read_exactly_and_said_to_be_rounded(tmp_path: Path, form: str) -> None:
    metric, cells = FORMATTED[form]
    text = joined(["web"], *([f'"{cell}"'] for cell, _ in cells))
    observations = read(tmp_path, text, metric=metric)
    assert points(observations)["web", metric, "mean"] == pytest.approx([value for _, value in cells], rel=1e-15)
    assert [(each.check, each.status) for each in observations.findings] == [("formatted", "REVIEW")]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["12%", "13%", "14"], "row 4: value '14' has no unit, where other values have one"),
        (["12%", "1.5 GiB"], "cpu_utilization cannot be in 'GiB'"),
        (["12%", "13 widgets"], "row 3: value '13 widgets' is not a number"),
        (["12%", "13 year"], "value '13 year' is not a number"),  # of 365 days, or 365.25?
        (["12%", '"1,234%"'], "value '1,234%' is not a number"),
        (["$12", "$13"], "holds no number, but words such as '$12'"),
        (["12%", "Infinity"], "is infinite"),
    ],
)
def test_formatted_values_that_are_not_clear_are_refused(tmp_path: Path, cells: list[str], words: str) -> None:
    assert words in str(refused(tmp_path, joined(["web"], *([cell] for cell in cells)), metric="cpu_utilization"))


@given(st.decimals(-(10**6), 10**6, places=3), st.sampled_from(sorted(SUFFIXES)), st.sampled_from(["", " "]))
def test_a_suffix_changes_no_digit(number: Decimal, suffix: str, blank: str) -> None:
    found = measured(pd.Series([f"{number}{blank}{suffix}"], dtype=object))
    factor, unit = SUFFIXES[suffix]
    assert found is not None
    assert (found.values.tolist(), found.units.tolist()) == ([float(number * Decimal(factor))], [unit])


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.text(max_size=8)), st.text(max_size=12))
def test_no_label_breaks_the_reading_of_labels(pairs: dict[str, str], noise: str) -> None:
    label = noise + "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(pairs.items())) + "}" + noise
    assert all(isinstance(word, str) for word in told(label, {}).values())
    if not noise.strip() and '"' not in "".join(pairs.values()) and "service" in pairs:
        assert told(label, {}).get("service", "") == pairs["service"]


def test_formatted_stamps_are_of_the_clock_that_is_said(tmp_path: Path) -> None:
    text = "Time,web\n2026-08-03 14:00:00,12%\n2026-08-03 14:01:00,13%\n"
    assert "of which clock" in str(refused(tmp_path, text, metric="cpu_utilization"))
    frame = read(tmp_path, text, metric="cpu_utilization", timezone="Europe/Berlin").frame
    assert frame["timestamp"].tolist() == utc("2026-08-03 12:00", "2026-08-03 12:01")


LONG = {
    "series with labels": '"Series";"Time";"Value"\n'
    + "".join(f'"{{service=""{s}"", pod=""x""}}";{START + 60 * n};{n}\n' for s in ("web", "api") for n in range(3)),
    "series by name": "Series;Time;Value\n"
    + "".join(f"{s};{START + 60 * n};{n}\n" for s in ("web", "api") for n in range(3)),
    "metric with labels": "Time,Metric,Value\n"
    + "".join(f'{START + 60 * n},"cpu {{service=""{s}""}}",{n}\n' for s in ("web", "api") for n in range(3)),
    "a column a label": "Time,service,pod,Value #A\n"
    + "".join(f"{START + 60 * n},{s},x,{n}\n" for s in ("web", "api") for n in range(3)),
    "a column a metric": "Time,service,cpu\n"
    + "".join(f"{START + 60 * n},{s},{n}\n" for s in ("web", "api") for n in range(3)),
    "a column a service": "Time,metric,web,api\n" + "".join(f"{START + 60 * n},cpu,{n},{n}\n" for n in range(3)),
}


@pytest.mark.parametrize("form", LONG)
def test_long_forms_are_read_too(tmp_path: Path, form: str) -> None:
    options = {} if "metric" in form or form == "a column a service" else {"metric": "cpu"}
    expected = {("api", "cpu", "mean"): [0.0, 1.0, 2.0], ("web", "cpu", "mean"): [0.0, 1.0, 2.0]}
    assert points(read(tmp_path, LONG[form], **options)) == expected


def test_long_rows_may_carry_units_in_their_cells(tmp_path: Path) -> None:
    text = HEADER + "web,memory,2026-08-03T00:00Z,512 MiB\nweb,memory,2026-08-03T01:00Z,1 GiB\n"
    observations = read(tmp_path, text)
    assert points(observations) == {("web", "memory", "mean"): [0.5, 1.0]}
    assert [each.check for each in observations.findings] == ["formatted"]
    mixed = refused(tmp_path, text.replace("1 GiB", "1.5"))
    assert [problem.where for problem in mixed.problems] == ["usage.csv row 2"]


def test_sums_of_rows_that_are_named_by_labels_are_divided_too(tmp_path: Path) -> None:
    label = '{service="web", pod="x"}'
    quoted = label.replace('"', '""')
    text = "Series,Time,Value\n" + "".join(f'"{quoted}",{START + 60 * n},{60 * n}\n' for n in range(3))
    observations = read(tmp_path, text, columns={label: ":requests:sum"})
    assert points(observations) == {("web", "requests", "mean"): [0.0, 1.0, 2.0]}
    assert [each.check for each in observations.findings] == ["interval"]
    unnamed = refused(tmp_path, text + f",{START + 180},1\n", columns={label: ":requests:sum"})
    assert [(each.where, each.message) for each in unnamed.problems] == [("usage.csv row 5", "the series has no name")]


def test_a_column_of_words_is_one_problem_with_the_way_to_leave_it_out(tmp_path: Path) -> None:
    text = "Time,web,note\n" + "".join(f"{START + 60 * n},{n},see ticket\n" for n in range(50))
    [problem] = refused(tmp_path, text, metric="cpu").problems
    assert problem.where == "usage.csv column 'note'"
    assert problem.message == "holds no number, but words such as 'see ticket'"
    assert points(read(tmp_path, text, metric="cpu", columns={"note": "-"}))["web", "cpu", "mean"][-1] == 49


def test_two_columns_of_stamps_are_asked_about(tmp_path: Path) -> None:
    text = "date,time,web\n2026-08-03,00:00,1\n2026-08-03,01:00,2\n"
    assert "columns 'date' and 'time' could both be timestamp" in str(refused(tmp_path, text, metric="cpu"))


def test_columns_that_are_said_to_be_ours_stay_that(tmp_path: Path) -> None:
    text = "when,rps,note\n2026-08-03T00:00Z,1,x\n2026-08-03T01:00Z,2,y\n"
    said = {"when": "timestamp", "rps": "web:requests", "note": "-"}
    observations = read(tmp_path, text, columns=said)
    assert points(observations) == {("web", "requests", "mean"): [1.0, 2.0]}
    assert [each.message for each in observations.findings] == ["usage.csv: columns not read: 'note'"]
    as_value = read(tmp_path, text, columns=said | {"rps": "value"}, service="web", metric="requests")
    assert points(as_value) == points(observations)


WIDE = pd.DataFrame(
    {"web": [1.0, 2.0, np.nan], "api": [3.0, 4.0, 5.0]},
    index=pd.date_range("2026-08-03", periods=3, freq="h", tz="UTC"),
)


def test_a_frame_with_a_column_a_service_is_read_when_the_metric_is_said() -> None:
    history = read_history(WIDE, metric="requests", unit="requests/min")
    assert (history.series("web", "requests") * 60).tolist()[:2] == pytest.approx([1, 2], rel=1e-15)
    assert (history.series("api", "requests") * 60).tolist() == pytest.approx([3, 4, 5], rel=1e-15)
    assert {each.check for each in history.findings} >= {"missing"}


def test_a_wide_parquet_file_is_read_when_the_metric_is_said_and_asked_about_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "wide.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT timestamptz '2026-08-03 00:00:00+00' + to_hours(h) AS timestamp, h + 0.5 AS web, h AS api "
            f"FROM range(3) t(h)) TO '{path}' (FORMAT parquet)"
        )
    data = path.read_bytes()
    assert points(read(tmp_path, data, "wide.parquet", metric="cpu")) == {
        ("api", "cpu", "mean"): [0.0, 1.0, 2.0],
        ("web", "cpu", "mean"): [0.5, 1.5, 2.5],
    }
    error = refused(tmp_path, data, "wide.parquet")
    assert "no column for service, metric, and the names of the series do not say it: 'web', 'api'" in str(error)
    assert 'metric="requests" (--metric requests)' in str(error)
