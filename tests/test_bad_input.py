"""Bad input, one by one, from the file to the report: a clear error, or a finding that reaches the plan and the report.

Each case is three weeks of one service with one thing wrong. `REFUSED` says which words the error holds, `FOUND` which
check has to have which status in the plan and in every page; `FINE` is odd in form only and plans as if it were not.
"""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import capacity
from capacity.config import Config, Service, config_of
from capacity.errors import CapacityError, ConfigError
from capacity.fleet import Chain
from tests.commands import called
from tests.makers import daily_wave, hourly

HOURS = hourly(21)
WAVE = np.round(daily_wave(HOURS) * np.exp(0.05 * np.random.default_rng(3).standard_normal(len(HOURS))), 3)
WEB = {"requests_per_second_per_task": 50, "min_tasks": 1, "max_tasks": 500}


def table(values: Any = WAVE, times: Any = HOURS, service: str = "web", **more: Any) -> pd.DataFrame:
    return pd.DataFrame({"service": service, "metric": "requests", "timestamp": times, "value": values, **more})


def with_values(places: Any, values: Any) -> pd.DataFrame:
    changed = WAVE.copy()
    changed[places] = values
    return table(changed)


def local(start: str, zone: str | None) -> pd.DataFrame:
    times = pd.date_range(start, periods=len(HOURS), freq="h", tz=zone)
    return table(times=times.tz_localize(None))


def minutes(days: int, start: pd.Timestamp, every: int = 1) -> pd.DataFrame:
    times = pd.date_range(start, periods=days * 1440 // every, freq=f"{every}min")
    return table(daily_wave(times), times)


def csv(frame: pd.DataFrame, **options: Any) -> bytes:
    return frame.to_csv(index=False, **options).encode()


GAPS = np.r_[0:60, len(HOURS) - 60 : len(HOURS)]
HEADER = b"service,metric,timestamp,value\n"

#: What is refused: bytes of the file, how it is read, words of the error.
REFUSED: dict[str, tuple[bytes, dict[str, Any], str]] = {
    "empty file": (b"", {}, "is empty"),
    "header only": (HEADER, {}, "has a header and no rows"),
    "one row": (csv(table()[:1]), {}, "one stamp only"),
    "one row of known interval": (csv(table(interval=3600)[:1]), {}, "4 are needed"),
    "two rows": (csv(table()[:2]), {}, "4 are needed"),
    "all NaN": (csv(table(np.nan)), {}, "none of the 504 rows holds a value"),
    "all negative": (csv(table(-WAVE)), {}, "504 of 504 values are negative"),
    "every second negative": (csv(table(WAVE * np.resize([1, -1], 504))), {}, "252 of 504 values are negative"),
    "infinite": (csv(table([*WAVE[:-1], "inf"])), {}, "row 505: value inf is infinite"),
    "too large for any unit": (csv(table(WAVE * 1e300)), {}, "504 of 504 values are above 1e+18"),
    "words for numbers": (csv(table([*WAVE[:-2], "12%", "-"])), {}, "row 504: value '12%' is not a number"),
    "two clusters": (
        csv(pd.concat([table(cluster="blue"), table(WAVE * 2, cluster="green")])),
        {},
        "two services with one name",
    ),
    "two values": (csv(pd.concat([table(), table()[:3].assign(value=1)])), {}, "row 506"),
    "hours and minutes of one key": (
        csv(pd.concat([table(), minutes(2, HOURS[-48])])),
        {},
        "give each row its own in a column `interval`",
    ),
    "no time zone": (csv(local("2026-10-10", None)), {}, "504 stamps have no offset"),
    "an hour that happened twice": (csv(local("2026-10-10", None)), {"timezone": "Europe/Paris"}, "happened twice"),
    "an hour that never was": (csv(local("2026-03-20", None)), {"timezone": "Europe/Paris"}, "never happened"),
    "no such zone": (csv(local("2026-03-20", None)), {"timezone": "Paris"}, "not an IANA zone"),
    "days and months": (csv(table(times=HOURS.strftime("%d/%m/%Y %H:%M"))), {}, "is not understood"),
    "unknown metric": (csv(table().assign(metric="Sessions")), {}, "unknown metric 'Sessions' (and 503 rows more)"),
    "mixed kinds of units": (csv(table(unit=np.resize(["requests/s", "GiB"], 504))), {}, "cannot be in 'GiB'"),
    "a name with a line break": (csv(table(service="a\nb")), {}, "control character"),
    "a name that moves the cursor": (csv(table(service="\x1b[2Jb")), {}, "control character"),
    "a name too long for ECS": (csv(table(service="x" * 256)), {}, "ECS allows 255"),
    "no name": (csv(table(service="")), {}, "service has no name"),
    "other columns": (b"foo,bar\n1,2\n", {}, "no column for service; there are: 'foo', 'bar'"),
    "binary": (bytes(range(256)) * 8, {}, "is not UTF-8 text"),
}

#: What is planned with a finding: the table or bytes, how it is read, check and status.
FOUND: dict[str, tuple[bytes, dict[str, Any], str, str]] = {
    "four rows": (csv(table()[:4]), {}, "short", "FAIL"),
    "two days of five minutes": (csv(minutes(2, HOURS[0], 5)), {}, "short", "REVIEW"),
    "all zero": (csv(table(0.0)), {}, "zero", "FAIL"),
    "one negative": (csv(with_values(100, -5)), {}, "negative", "FAIL"),
    "one outlier": (csv(with_values(100, 1e11)), {}, "outliers", "FAIL"),
    "an outlier at the end": (csv(with_values(-1, 1e11)), {}, "outliers", "FAIL"),
    "a block of outliers": (csv(with_values(slice(200, 248), WAVE[200:248] * 1e9)), {}, "outliers", "FAIL"),
    "a block of outliers at the end": (csv(with_values(slice(-24, None), WAVE[-24:] * 1e9)), {}, "outliers", "FAIL"),
    "a block in another unit": (csv(with_values(slice(200, 248), WAVE[200:248] * 1e5)), {}, "outliers", "FAIL"),
    "a counter": (csv(table(np.cumsum(WAVE))), {}, "resets", "FAIL"),
    "weeks of gaps": (csv(table()[lambda frame: frame.index.isin(GAPS)]), {}, "gaps", "FAIL"),
    "all in the future": (csv(table(times=HOURS + pd.Timedelta(days=3650))), {}, "future", "FAIL"),
    "a service without values beside": (csv(pd.concat([table(), table(np.nan, service="api")])), {}, "gaps", "FAIL"),
    "a negative service beside": (csv(pd.concat([table(), table(-WAVE, service="api")])), {}, "negative", "FAIL"),
    "the clock went back": (csv(local("2026-10-10", "Europe/Paris")), {"timezone": "Europe/Paris"}, "clock", "REVIEW"),
}

#: What is odd in form only.
FINE: dict[str, tuple[bytes, dict[str, Any]]] = {
    "as it should be": (csv(table()), {}),
    "milliseconds since 1970": (csv(table(times=HOURS.as_unit("ms").asi8)), {}),
    "semicolons and decimal commas": (csv(table(), sep=";", decimal=","), {}),
    "a byte order mark": (b"\xef\xbb\xbf" + csv(table()), {}),
    "UTF-16": (csv(table()).decode().encode("utf-16"), {}),
    "compressed": (gzip.compress(csv(table()), mtime=0), {}),
    "unsorted": (csv(table().sample(frac=1, random_state=1)), {}),
    "rows twice": (csv(pd.concat([table(), table()[:50]])), {}),
    "two units of one kind": (
        csv(table(np.where(np.arange(504) % 2, WAVE * 60, WAVE), unit=np.resize(["requests/s", "requests/min"], 504))),
        {},
    ),
}


def config(path: Path, reading: dict[str, Any], names: list[str]) -> Config:
    services = [{"name": name, **WEB} for name in names]
    return config_of(
        {"data": {"history": str(path), **reading}, "goal": {"horizon": "1d"}, "forecast": {"paths": 20}}
        | {"service": services}
    )


def written(folder: Path, content: bytes, name: str = "usage.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_understood_is_refused_in_words(case: str, tmp_path: Path) -> None:
    content, reading, words = REFUSED[case]
    path = written(tmp_path, content)
    with pytest.raises(CapacityError) as python:
        capacity.forecast(capacity.read(path, **reading), "1d", paths=20)
    assert words in str(python.value)
    with pytest.raises(CapacityError) as configured:
        _ = Chain(config(path, reading, ["web"])).plan
    assert words in str(configured.value)


@pytest.mark.parametrize("case", FOUND)
def test_what_is_remarkable_is_in_the_plan_and_in_the_report(case: str, tmp_path: Path) -> None:
    content, reading, check, status = FOUND[case]
    path = written(tmp_path, content)
    history = capacity.read(path, **reading)
    plan = capacity.plan(capacity.forecast(history, 24, paths=20), [Service(name="web", **WEB)])
    assert (check, status) in {(finding.check, finding.status) for finding in plan.findings}
    if status == "FAIL":
        assert any(decision.kind == "fix_data" for decision in plan.decisions)
    names = ["web", "api"] if "beside" in case else ["web"]
    document = json.loads(Chain(config(path, reading, names)).report.render("json"), parse_constant=_no_constant)
    said = document["fleet_findings"] + [row for part in document["services"] for row in part["findings"]]
    assert (check, status) in {(row["check"], row["status"]) for row in said}
    failed = [(row["service"], row["metric"], row["check"]) for row in said if row["status"] == "FAIL"]
    assert len(failed) == len(set(failed)), "a failure is said twice"


def _no_constant(name: str) -> float:
    raise AssertionError(f"{name} is not JSON")


@pytest.fixture(scope="module")
def expected() -> list[int]:
    plan = capacity.plan(capacity.forecast(capacity.read(table()), 24, paths=20), Service(name="web", **WEB))
    return [int(count) for count in plan.frame["tasks"]]


@pytest.mark.parametrize("case", FINE)
def test_what_is_odd_in_form_only_is_planned_the_same(case: str, tmp_path: Path, expected: list[int]) -> None:
    content, reading = FINE[case]
    history = capacity.read(written(tmp_path, content), **reading)
    plan = capacity.plan(capacity.forecast(history, 24, paths=20), Service(name="web", **WEB))
    assert plan.frame["tasks"].tolist() == expected


def test_a_block_of_damage_does_not_plan_a_million_tasks() -> None:
    damaged = with_values(slice(200, 248), WAVE[200:248] * 1e9)
    plan = capacity.plan(capacity.forecast(capacity.read(damaged), 24, paths=20), Service(name="web", **WEB))
    assert plan.frame["tasks"].max() < 20
    assert plan.frame["short"].max() == 0


def test_a_folder_is_read_with_its_data_files_only_and_says_what_it_left(tmp_path: Path) -> None:
    written(tmp_path, csv(table()), "a.csv")
    written(tmp_path, b"PK", "b.xlsx")
    written(tmp_path, b"nothing", ".hidden.csv")
    written(tmp_path, b"# words", "README.md")
    history = capacity.read(tmp_path)
    plan = capacity.plan(capacity.forecast(history, 24, paths=20), Service(name="web", **WEB))
    assert [f.message for f in plan.findings if f.check == "files"] == ["not read, though it looks like data: b.xlsx"]


def test_two_services_of_one_name_in_the_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="two services are called 'web'"):
        config(Path("usage.csv"), {}, ["web", "web"])
    with pytest.raises(CapacityError, match="2 services are called 'web'"):
        capacity.plan(capacity.forecast(table(), 24, paths=20), [Service(name="web", **WEB)] * 2)


NAMES = ['a`b"c', "<script>alert(1)</script>", "=cmd()", "../../etc/passwd", "x" * 255, "🛒", "{{7*7}}", "#[sys]", "%s"]


def test_any_name_goes_from_init_to_a_report_and_never_becomes_code(tmp_path: Path) -> None:
    """All names at once, in a folder with a blank, by relative paths from another folder."""
    folder = tmp_path / "my usage"
    folder.mkdir()
    written(folder, csv(pd.concat([table(service=name)[:72] for name in NAMES])))
    settings = "my usage/capacity.toml"
    err = called("init", "my usage/usage.csv", "--out", settings, cwd=tmp_path).stderr
    assert "9 services, read as requests in requests/s." in err
    assert "--config 'my usage/capacity.toml'" in err
    text = (folder / "capacity.toml").read_text(encoding="utf-8")
    small = text.replace('"91d"', '"1d"') + "\n[forecast]\npaths = 20\nmodel = 'seasonal-naive'\n"
    (folder / "capacity.toml").write_text(small, encoding="utf-8")
    out = called("report", "-c", settings, "-o", "out here", "--json", "-q", cwd=tmp_path).stdout
    assert [Path(path).parent.name for path in json.loads(out)["files"]] == ["out here"] * 5
    html = (tmp_path / "out here/report.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in re.sub(r"<script[^>]*>\s*[^a].*?</script>", "", html, flags=re.S)
    assert "49" not in re.findall(r"`(.*?)`", html)
    assert {path.name for path in tmp_path.iterdir()} == {"my usage", "out here"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["init", "absent.csv"], "absent.csv"),
        (["init", "empty.csv"], "empty.csv: is empty"),
        (["init", "local.csv"], "--timezone UTC"),
        (["init", "usage.csv", "--column", "service"], "write THEIRS=OURS"),
        (["plan"], "capacity.toml does not exist"),
        (["plan", "-c", "broken.toml"], "broken.toml is not valid TOML"),
        (["plan", "-c", "other.toml"], "no configured service is in the history"),
        (["fetch", "files", "empty.csv", "--store", "store"], "empty.csv: is empty"),
    ],
)
def test_the_command_line_says_what_is_wrong_with_exit_code_1(arguments: list[str], words: str, tmp_path: Path) -> None:
    written(tmp_path, csv(table()))
    written(tmp_path, b"", "empty.csv")
    written(tmp_path, csv(local("2026-10-10", None)), "local.csv")
    written(tmp_path, b"[goal", "broken.toml")
    written(tmp_path, b'[data]\nhistory = "usage.csv"\n[[service]]\nname = "wob"\n', "other.toml")
    said = called(*arguments, code=1, cwd=tmp_path)
    assert said.stdout == ""
    assert words in said.stderr
    assert not (tmp_path / "store").exists()


def test_what_the_command_line_says_about_a_file_is_kept_in_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"when": HOURS.tz_localize(None), "hits": WAVE * 60})
    written(tmp_path, csv(frame))
    said = ["--column", "when=timestamp", "--column", "hits=value", "--service", "web", "--timezone", "UTC"]
    called("init", "usage.csv", *said, "--metric", "requests", "--unit", "requests/min", cwd=tmp_path)
    history = Chain(capacity.load_config("capacity.toml")).history
    np.testing.assert_allclose(history.series("web", "requests"), WAVE)
