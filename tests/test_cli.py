"""The command line: one thin command per verb, results on standard output, everything else on standard error."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import typer

import capacity
from capacity.cli import app
from capacity.fleet import Chain
from capacity.history import Store
from tests.commands import called, spawned
from tests.conftest import ROOT

SAMPLE = "data/samples/capacity.toml"
#: One service, read from its own file: a tenth of the sample is enough to see a command at work.
WISHLIST = ("--history", "data/samples/wishlist.parquet", "--service", "wishlist")

COMMANDS = [
    *("init", "discover", "iam", "advice", "fetch"),
    *("forecast", "backtest", "plan", "policy", "simulate", "report"),
    *("rerun", "review"),
    *("diff", "apply", "rollback"),
    *("loadtest", "cost", "cache"),
    *("limits", "sizes", "mix", "instances"),
    *("what-if", "explain"),
    *("slo", "alarms", "dashboard", "runbooks"),
]
SOURCES = ["files", "cloudwatch", "cost-explorer", "focus", "prometheus", "azure-monitor"]


def group() -> Any:
    return typer.main.get_command(app)


def test_help_names_every_command_and_the_exit_codes() -> None:
    text = spawned("--help").stdout
    assert [name for name in COMMANDS if f"\n  {name} " not in text] == []
    assert "Exit codes: 0 done" in text
    assert set(group().commands) == set(COMMANDS)
    assert set(group().commands["fetch"].commands) == set(SOURCES)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    assert "Usage:" in called(command, "--help").stdout


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_explains_itself(source: str) -> None:
    text = called("fetch", source, "--help").stdout
    assert "Usage:" in text
    assert "--store" in text


def test_the_version_is_the_packages() -> None:
    assert called("--version").stdout.strip() == capacity.__version__


def test_chances_of_limits_and_the_time_that_starts_take_are_told(tmp_path: Path) -> None:
    settings = f"""
    [data]
    history = "{ROOT.as_posix()}/data/samples/wishlist.parquet"
    [forecast]
    model = "profile"
    interval = "1h"
    [account]
    region = "eu-west-1"
    fargate_vcpu_quota = 8
    [[service]]
    name = "wishlist"
    region = "eu-west-1"
    requests_per_second_per_task = 60
    """
    path = tmp_path / "capacity.toml"
    path.write_text(settings, encoding="utf-8")
    asked = ("limits", "--config", str(path), "--horizon", "15d", "--quiet")
    answer = json.loads(called(*asked, "--limit", "max_tasks", "--json").stdout)
    assert {row["limit"] for row in answer["limits"]} == {row["limit"] for row in answer["chances"]} == {"max_tasks"}
    assert len(answer["chances"]) == 15
    assert answer["limits"][0]["probability"] == answer["chances"][-1]["probability"]
    assert [row["situation"] for row in answer["launches"]] == ["largest rise", "zone loss", "region evacuation"]
    said = called(*asked)
    assert "fargate_vcpu_quota" in said.stdout
    assert "Chance that it is passed by the end of" in said.stdout
    assert f"{pd.Timestamp(answer['chances'][-1]['date']):%d %b}" in said.stdout  # weeks, and the last day
    assert "aws ec2 describe-subnets --region eu-west-1" in said.stderr


def test_what_binds_first_comes_with_the_plan_when_asked_for() -> None:
    asked = ("plan", "--config", SAMPLE, *WISHLIST, "--horizon", "2d", "--quiet", "--bottlenecks")
    answer = json.loads(called(*asked, "--json").stdout)
    first = answer["bottlenecks"][0]
    assert (first["service"], first["binds_at"]) == ("wishlist", 1.0)
    assert first["resource"] in {row["resource"] for row in answer["levers"]}
    assert called(*asked).stdout.startswith("wishlist: At the forecast peak (P95, ")


def test_a_plan_for_programs_is_json_and_nothing_else() -> None:
    done = spawned("plan", "--config", SAMPLE, *WISHLIST, "--horizon", "7d", "--json")
    answer = json.loads(done.stdout)
    assert set(answer) == {"decisions", "limits", "cost", "plan"}
    assert len(answer["plan"]) == 7 * 24
    assert "Planning" in done.stderr
    quiet = called("plan", "--config", SAMPLE, *WISHLIST, "--horizon", "7d", "--json", "--quiet")
    assert quiet.stdout == done.stdout
    assert "Planning" not in quiet.stderr


def test_a_forecast_for_people_is_a_table_by_day() -> None:
    text = called("forecast", "--config", SAMPLE, *WISHLIST, "--horizon", "3d", "--quiet").stdout
    assert "wishlist" in text
    assert "p95" in text


def test_an_event_of_the_settings_is_on_the_forecast_and_what_was_made_of_it_is_said(tmp_path: Path) -> None:
    settings = (ROOT / SAMPLE).read_text(encoding="utf-8")
    event = '[[event]]\nname = "catalogue"\nstart = 2026-11-17\nuplift = 3\n'
    (tmp_path / "capacity.toml").write_text(f"{event}\n{settings}", encoding="utf-8")
    asked = ("forecast", *WISHLIST, "--horizon", "2d", "--json", "--config")
    told, plain = (called(*asked, str(path)) for path in (tmp_path / "capacity.toml", SAMPLE))
    assert "'catalogue': ×3 as stated" in told.stderr
    middle, usual = (sum(row["p50"] for row in json.loads(done.stdout)["forecast"]) for done in (told, plain))
    assert middle > 1.5 * usual


def test_a_policy_document_stands_alone_on_standard_output() -> None:
    arguments = ("policy", "--config", SAMPLE, *WISHLIST, "--horizon", "7d", "--as")
    calls = json.loads(called(*arguments, "boto3").stdout)
    assert {call["operation"] for call in calls} >= {"register_scalable_target", "put_scaling_policy"}
    explained = called(*arguments, "terraform", "--why")
    assert explained.stdout.startswith(("resource", "#", "variable"))
    assert re.search(r"^`wishlist`\n    .*^    Chosen: tracking [\d.,]+/min", explained.stderr, flags=re.M | re.S)


def test_fetching_a_file_twice_changes_nothing(tmp_path: Path) -> None:
    usage = tmp_path / "usage.csv"
    rows = [f"web,2026-01-01T{hour:02}:00:00Z,{hour}" for hour in range(24)]
    usage.write_text("\n".join(["service,timestamp,value", *rows]), encoding="utf-8")
    arguments = ("fetch", "files", str(usage), "--metric", "requests", "--store", str(tmp_path / "store"), "--json")
    none = {"rows_added": 0, "rows_revised": 0, "rows_unchanged": 0, "rows_outdated": 0}
    assert json.loads(spawned(*arguments).stdout) == none | {"rows_added": 24}
    assert json.loads(called(*arguments).stdout) == none | {"rows_unchanged": 24}
    assert len(capacity.read(tmp_path / "store").frame) == 24


def test_init_writes_settings_that_carry_to_a_plan(tmp_path: Path) -> None:
    usage = tmp_path / "usage.csv"
    rows = [
        f'"a ""b"", <i>",2026-01-{day:02}T{hour:02}:00:00Z,{100 + hour}' for day in range(1, 22) for hour in range(24)
    ]
    usage.write_text("\n".join(["service,timestamp,value", *rows]), encoding="utf-8")
    called("init", str(usage), "--metric", "requests", "--out", str(tmp_path / "capacity.toml"))
    done = called("plan", "--config", str(tmp_path / "capacity.toml"), "--horizon", "2d", "--json")
    assert {row["service"] for row in json.loads(done.stdout)["plan"]} == {'a "b", <i>'}
    again = called("init", str(usage), "--metric", "requests", "--out", str(tmp_path / "capacity.toml"), code=1)
    assert "exists already" in again.stderr


def test_what_is_only_on_a_bill_is_no_service_to_plan(tmp_path: Path) -> None:
    """A store that holds usage and bills: `(account)` and `(untagged)` are nobody's tasks."""
    hours, days = pd.date_range("2026-06-01", periods=504, freq="h", tz="UTC"), pd.date_range("2026-06-01", periods=21)
    usage = pd.DataFrame({"service": "web", "metric": "requests", "timestamp": hours, "value": 100.0 + hours.hour})
    for name in ("(account)", "(untagged)", "web"):
        spend = {"service": name, "metric": "cost", "timestamp": days.tz_localize("UTC"), "value": 1.0}
        Store(tmp_path / "bills").append(capacity.read(pd.DataFrame(spend)))
        Store(tmp_path / "store").append(capacity.read(pd.DataFrame(spend)))
    Store(tmp_path / "store").append(capacity.read(usage))
    settings = tmp_path / "capacity.toml"
    done = called("init", str(tmp_path / "store"), "--out", str(settings))
    assert "Left out, because nothing there says what they need: '(account)', '(untagged)'." in done.stderr
    assert "with 1 service, read as requests in requests/s." in done.stderr
    chain = Chain(capacity.load_config(settings))
    assert chain.history.services == ["web"]
    assert [finding.check for finding in chain.quality if finding.status != "PASS"] == []
    none = called("init", str(tmp_path / "bills"), "--out", str(tmp_path / "other.toml"), code=1)
    assert "holds nothing to plan by: cost. A plan comes from one of requests, cpu" in none.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("report", "--config", "absent.toml"), "absent.toml does not exist"),
        (("plan", "--config", SAMPLE, "--service", "chekout"), "no [[service]] named 'chekout'"),
        (("plan", "--config", SAMPLE, *WISHLIST, "--horizon", "soon"), "'soon' is not a duration"),
        (("forecast", "--config", SAMPLE, *WISHLIST, "--model", "oracle"), "oracle"),
        (("policy", "--config", SAMPLE, *WISHLIST, "--horizon", "2d", "--as", "pulumi"), "pulumi"),
        (("plan", "--config", SAMPLE, "--history", "absent.csv"), "absent.csv"),
        (("fetch", "carrier-pigeon", "coop", "--store", "x"), "carrier-pigeon"),
    ],
)
def test_what_cannot_be_done_is_said_in_words_with_exit_code_1(arguments: tuple[str, ...], words: str) -> None:
    done = called(*arguments, code=1)
    assert words in done.stderr
    assert done.stdout == ""


def test_a_process_ends_with_those_codes_too() -> None:
    assert "absent.toml does not exist" in spawned("report", "--config", "absent.toml", code=1).stderr
    spawned("plan", "--no-such-option", code=2)


def test_an_interrupt_ends_a_run_quietly_with_exit_code_130(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "capacity.cli", "report", "--config", SAMPLE, "--out", str(tmp_path / "out")]
    listening = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731 - a shell's `&` is deaf
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT, preexec_fn=listening) as running:
        assert running.stderr is not None
        said = running.stderr.readline()
        running.send_signal(signal.SIGINT)
        said += running.stderr.read()
    assert running.returncode == 130
    assert said.startswith("Reading history")
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


def test_two_overlapping_fetches_are_one_history_and_the_later_values_win(tmp_path: Path) -> None:
    store = str(tmp_path / "my store")
    for name, first, value in (("one", 1, 100), ("two", 8, 200)):
        path = tmp_path / f"{name}.csv"
        rows = [
            f"web,requests,2026-01-{day:02}T{hour:02}:00:00Z,{value + hour}"
            for day in range(first, first + 14)
            for hour in range(24)
        ]
        path.write_text("\n".join(["service,metric,timestamp,value", *rows]), encoding="utf-8")
        os.utime(path, (1.8e9 + first, 1.8e9 + first))  # the second was exported later
        called("fetch", "files", str(path), "--store", store)
    called("init", store, "--out", str(tmp_path / "capacity.toml"))
    history = capacity.read(store).series("web", "requests")
    assert (len(history), history.iloc[0], history.iloc[7 * 24]) == (21 * 24, 100, 200)
    arguments = ("--config", str(tmp_path / "capacity.toml"), "--history", store, "--horizon", "1d", "--quiet")
    out = str(tmp_path / "the report")
    assert len(json.loads(called("report", *arguments, "--out", out, "--json").stdout)["files"]) == 5


#: The program with one command of the test's own, whose body follows.
ONE_COMMAND = """from capacity.cli import app, main
signal.signal(signal.SIGINT, signal.default_int_handler)
app.registered_groups.clear(), app.registered_commands.clear()
app.callback()(lambda: None)
@app.command()
def work():"""


def test_an_interrupt_while_the_store_is_at_work_is_one_too() -> None:
    """DuckDB takes the signal, and raises an error of its own kind."""
    code = f"""
import os, signal, threading, duckdb
{ONE_COMMAND}
    busy = duckdb.connect(config={{"threads": 1}})  # with more, this thread may wait for one that never looks up
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    busy.execute("SELECT max(hash(i)) FROM range(1000000000000) t(i)").fetchall()
main()
"""
    done = subprocess.run([sys.executable, "-c", code, "work"], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stderr) == (130, "")


def test_an_interrupt_during_an_import_waits_until_it_is_done(tmp_path: Path) -> None:
    """Extensions that are interrupted while they start take the process down."""
    importing = (
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nsum(range(10**5))\nprint('imported', flush=True)\n"
    )
    (tmp_path / "slow_to_import.py").write_text(importing, encoding="utf-8")
    code = f"""
import signal, time
{ONE_COMMAND}
    import slow_to_import
    time.sleep(60)
main()
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}
    done = subprocess.run([sys.executable, "-c", code, "work"], capture_output=True, text=True, env=env, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "imported\n", "")
