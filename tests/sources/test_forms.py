"""Forgiving in form: the same three hours, however they are written, are the same observations."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from tests.sources.texts import HEADER, PLAIN, read, refused, values

EXPECTED = {"2026-08-03T00:00Z": 0.5, "2026-08-03T01:00Z": 1.5, "2026-08-03T02:00Z": 2.5}


def rows(template: str, header: str = HEADER) -> str:
    return header + "".join(template.format(hour=hour, value=hour + 0.5) for hour in range(3))


FORMS: dict[str, str | bytes] = {
    "plain": PLAIN,
    "windows line ends": PLAIN.replace("\n", "\r\n"),
    "no last line end": PLAIN.rstrip("\n"),
    "byte order mark": b"\xef\xbb\xbf" + PLAIN.encode(),
    "utf-16 from a spreadsheet": PLAIN.encode("utf-16"),
    "tabs": PLAIN.replace(",", "\t"),
    "bars": PLAIN.replace(",", "|"),
    "semicolons and decimal commas": PLAIN.replace(",", ";").replace(".", ","),
    "semicolons and points": PLAIN.replace(",", ";"),
    "a line that names the separator": "sep=;\n" + PLAIN.replace(",", ";"),
    "quoted": "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in PLAIN.split()) + "\n",
    "gzip": gzip.compress(PLAIN.encode(), mtime=0),
    "blank lines": PLAIN.replace("\n", "\n\n") + "\n,,,\n",
    "outer blanks": rows(
        " web , requests , 2026-08-03T0{hour}:00:00Z , {value}\n", " service , metric , timestamp , value \n"
    ),
    "capital names": PLAIN.replace("service,metric,timestamp,value", "Service,METRIC,Timestamp,Value"),
    "names of forecasting tools": PLAIN.replace("service,metric,timestamp,value", "unique_id,metric,ds,y"),
    "metric in words": PLAIN.replace("requests", "Requests"),
    "any order of rows": HEADER + "".join(reversed(PLAIN.splitlines(keepends=True)[1:])),
    "a comma at the end of each row": PLAIN.replace("5\n", "5,\n"),
    "offsets": rows("web,requests,2026-08-03T0{hour}:30:00+00:30,{value}\n"),
    "offsets without colon": rows("web,requests,2026-08-03 0{hour}:30:00 +0030,{value}\n"),
    "offsets that change": HEADER
    + "web,requests,2026-08-03T02:00+02:00,0.5\nweb,requests,2026-08-03T02:00+01:00,1.5\n"
    + "web,requests,2026-08-03T02:00Z,2.5\n",
    "the word UTC": rows("web,requests,2026-08-03 0{hour}:00:00 UTC,{value}\n"),
    "slashes, year first": rows("web,requests,2026/08/03 0{hour}:00Z,{value}\n"),
    "compact": rows("web,requests,20260803T0{hour}00Z,{value}\n"),
    "epoch seconds": HEADER + "".join(f"web,requests,{1785715200 + 3600 * h},{h + 0.5}\n" for h in range(3)),
    "epoch milliseconds": HEADER + "".join(f"web,requests,{1785715200000 + 3600000 * h},{h + 0.5}\n" for h in range(3)),
    "epoch nanoseconds": HEADER
    + "".join(f"web,requests,{1785715200 + 3600 * h}000000000,{h + 0.5}\n" for h in range(3)),
    "epoch seconds with a fraction": HEADER
    + "".join(f"web,requests,{1785715200 + 3600 * h}.0,{h + 0.5}\n" for h in range(3)),
    "exponents": HEADER + "".join(f"web,requests,2026-08-03T0{h}:00Z,{(h + 0.5) * 1000}e-3\n" for h in range(3)),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_hours_are_read_from_every_form(tmp_path: Path, form: str) -> None:
    observations = read(tmp_path, FORMS[form])
    assert values(observations) == EXPECTED
    assert observations.frame["service"].unique().tolist() == ["web"]
    assert observations.frame["interval"].unique().tolist() == [3600]
    assert observations.frame["stat"].unique().tolist() == ["mean"]


SQL_FORMS = {
    "stamps with zone": "timestamptz '2026-08-03 00:00:00+00' + to_hours(h)",
    "epoch integers": "1785715200 + 3600 * h",
    "epoch floats": "(1785715200 + 3600 * h)::DOUBLE",
    "text": "'2026-08-03T0' || h || ':00:00Z'",
}


@pytest.mark.parametrize("form", SQL_FORMS)
@pytest.mark.parametrize("number", ["DOUBLE", "DECIMAL(9, 3)", "FLOAT", "VARCHAR"])
def test_parquet_of_any_type_is_read(tmp_path: Path, form: str, number: str) -> None:
    path = tmp_path / "usage.parquet"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'America/New_York'")
        connection.execute(
            f"COPY (SELECT 'web' AS service, 'requests' AS metric, {SQL_FORMS[form]} AS time, (h + 0.5)::{number} AS y "
            f"FROM range(3) t(h)) TO '{path}' (FORMAT parquet)"
        )
    assert values(read(tmp_path, path.read_bytes(), "usage.parquet")) == EXPECTED


def test_parquet_stamps_without_zone_need_one_said(tmp_path: Path) -> None:
    path = tmp_path / "usage.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT 'web' AS service, 'requests' AS metric, timestamp '2026-08-03' + to_hours(h) AS ds, "
            f"h + 0.5 AS y FROM range(3) t(h)) TO '{path}' (FORMAT parquet)"
        )
    assert 'timezone="UTC"' in str(refused(tmp_path, path.read_bytes(), "usage.parquet"))
    assert values(read(tmp_path, path.read_bytes(), "usage.parquet", timezone="UTC")) == EXPECTED


def test_columns_are_what_the_caller_says(tmp_path: Path) -> None:
    text = PLAIN.replace("service,metric,timestamp,value", "app,kind,when,rps")
    said = {"app": "service", "kind": "metric", "when": "timestamp", "RPS": "value"}
    assert values(read(tmp_path, text, columns=said)) == EXPECTED


def test_what_holds_for_every_row_needs_no_column(tmp_path: Path) -> None:
    text = "time,value\n" + "".join(f"2026-08-03T0{h}:00Z,{(h + 0.5) * 60}\n" for h in range(3))
    said = read(tmp_path, text, service="web", metric="requests", unit="requests/min")
    assert values(said) == pytest.approx(EXPECTED, rel=1e-15)


def test_units_and_statistics_of_each_row_are_converted_exactly(tmp_path: Path) -> None:
    text = (
        "service,metric,stat,unit,interval,timestamp,value\n"
        "web,cpu,Average,CPU units,1h,2026-08-03T00:00Z,512\n"
        "web,cpu,Maximum,vCPU,3600,2026-08-03T00:00Z,0.75\n"
        "web,memory,,MiB,3600,2026-08-03T00:00Z,1536\n"
        "web,cpu_utilization,mean,fraction,3600,2026-08-03T00:00Z,0.25\n"
        "web,latency,p99,Milliseconds,60min,2026-08-03T00:00Z,250\n"
    )
    frame = read(tmp_path, text).frame
    found = {(row.metric, row.stat): row.value for row in frame.itertuples()}
    assert found == {
        ("cpu", "mean"): 0.5,
        ("cpu", "max"): 0.75,
        ("memory", "mean"): 1.5,
        ("cpu_utilization", "mean"): 25.0,
        ("latency", "p99"): 0.25,
    }
    assert set(frame["interval"]) == {3600}


def test_a_number_is_read_to_its_last_digit(tmp_path: Path) -> None:
    numbers = [0.1 + 0.2, 1 / 3, 2**-1074, 1.7976931348623157e308, 123456789.123456789]
    text = HEADER + "".join(f"web,requests,2026-08-03T0{h}:00Z,{number!r}\n" for h, number in enumerate(numbers))
    assert read(tmp_path, text).frame["value"].tolist() == numbers


STRANGE = ['=cmd()|"x"!A1', "<script>alert(1)</script>", 'it\'s "quoted"', "../../etc/passwd", "🛒", "日本", "x" * 255]


@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_name_is_a_name(tmp_path: Path, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    assert read(tmp_path, PLAIN.replace("web", quoted)).frame["service"].unique().tolist() == [name]


def test_services_of_two_clusters_stay_two(tmp_path: Path) -> None:
    header = "cluster,service,metric,timestamp,value\n"
    text = header + "".join(
        f"{cluster},web,requests,2026-08-03T0{hour}:00Z,{value}\n"
        for cluster, value in (("blue", 1), ("green", 2))
        for hour in range(3)
    )
    error = refused(tmp_path, text)
    assert "'blue', 'green'" in str(error)
    assert "columns={'cluster': 'service_prefix'}" in str(error)
    frame = read(tmp_path, text, columns={"cluster": "service_prefix"}).frame
    assert frame.groupby("service", observed=True)["value"].unique().map(list).to_dict() == {
        "blue/web": [1.0],
        "green/web": [2.0],
    }


def test_one_cluster_needs_no_prefix(tmp_path: Path) -> None:
    text = PLAIN.replace(HEADER, "service,metric,timestamp,value,cluster\n").replace("5\n", "5,blue\n")
    assert values(read(tmp_path, text)) == EXPECTED


def test_rows_know_their_file_and_when_it_was_written(tmp_path: Path) -> None:
    frame = read(tmp_path, PLAIN).frame
    assert frame["source"].unique().tolist() == ["files:usage.csv"]
    written = pd.Timestamp((tmp_path / "usage.csv").stat().st_mtime_ns, tz="UTC").as_unit("us")
    assert set(frame["fetched_at"]) == {written}
