"""`capacity fetch cloudwatch` as a process, with nothing set but an address and keys that open nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import capacity
from tests.conftest import ROOT
from tests.sources.cloudwatch.seeding import seed, service

pytestmark = pytest.mark.xdist_group("moto")

COUNT = 90


@pytest.fixture(scope="module")
def minutes(moto_address: str) -> pd.DatetimeIndex:
    """The minutes before now, in which `web` had three tasks; `idle` stands beside it and measures nothing."""
    last = pd.Timestamp.now(tz="UTC").floor("min") - pd.Timedelta("10min")
    stamps = pd.date_range(end=last, periods=COUNT, freq="min")
    (balancer,) = service(moto_address, "prod", "web", groups=1)
    service(moto_address, "prod", "idle")
    place = {"ClusterName": "prod", "ServiceName": "web"}
    seed(moto_address, "AWS/ECS", "CPUUtilization", place, stamps, lambda n: (3, 3 * (20 + n / 4), 10, 70))
    seed(moto_address, "AWS/ApplicationELB", "RequestCount", balancer, stamps, lambda n: (60 + n, 60 + n, 1, 1))
    return stamps


def run(address: str, *arguments: str, code: int = 0, keys: bool = True) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    secrets = {"AWS_ACCESS_KEY_ID": "AKIATESTINGTESTING12", "AWS_SECRET_ACCESS_KEY": "t0p-s3cret"} if keys else {}
    nowhere = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }
    done = subprocess.run(
        [sys.executable, "-m", "capacity.cli", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**known, **secrets, **nowhere, "AWS_ENDPOINT_URL": address, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    return done


def test_what_was_put_in_is_kept_and_the_second_run_adds_nothing(
    moto_address: str, minutes: pd.DatetimeIndex, tmp_path: Path
) -> None:
    store = str(tmp_path / "store")
    arguments = ("fetch", "cloudwatch", "--cluster", "prod", "--service", "web", "--days", "0.5", "--store", store)
    dry = json.loads(run(moto_address, *arguments, "--dry-run", "--json").stdout)
    assert dry["calls"] == dry["least"] == {"GetMetricData": 1}
    assert not (tmp_path / "store").exists()
    first = json.loads(run(moto_address, *arguments, "--json").stdout)
    assert first["rows_added"] == 5 * COUNT  # CPU in three statistics, running tasks, requests
    assert first["calls"]["GetMetricData"] == first["least"]["GetMetricData"] == 1
    history = capacity.read(store)
    for metric, expected in {
        "cpu_utilization": [20 + n / 4 for n in range(COUNT)],
        "running_tasks": [3.0] * COUNT,
        "requests": [(60 + n) / 60 for n in range(COUNT)],
    }.items():
        series = history.series("web", metric)
        assert list(series.index) == list(minutes)
        assert series.tolist() == pytest.approx(expected, rel=1e-12)
    again = json.loads(run(moto_address, *arguments, "--json").stdout)
    assert (again["rows_added"], again["rows_revised"]) == (0, 0)
    assert 0 < again["rows_unchanged"] < first["rows_added"]  # what had not settled is read again, and nothing else
    assert again["calls"]["GetMetricData"] == again["least"]["GetMetricData"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--cluster", "pord"), ("pord", "prod")),
        (("--cluster", "prod", "--service", "wbe"), ("wbe", "web")),
        (("--cluster", "prod", "--region", "eu-west-3"), ("eu-west-3", "region")),
        (("--cluster", "prod", "--service", "idle"), ("has no value at all", "Is it the right region")),
        (("--cluster", "prod", "--profile", "nobody"), ("nobody", "aws configure list-profiles")),
    ],
    ids=["unknown cluster", "unknown service", "wrong region", "nothing measured", "unknown profile"],
)
def test_what_cannot_be_fetched_is_one_paragraph_that_says_what_to_do(
    moto_address: str, minutes: pd.DatetimeIndex, arguments: tuple[str, ...], words: tuple[str, ...], tmp_path: Path
) -> None:
    store = ("--store", str(tmp_path / "store"), "--days", "0.2", "--quiet")
    done = run(moto_address, "fetch", "cloudwatch", *arguments, *store, code=1)
    assert done.stdout == ""
    assert done.stderr.startswith("capacity: ")
    assert "\n\n" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_without_credentials_it_says_how_to_get_some(moto_address: str, tmp_path: Path) -> None:
    done = run(
        moto_address,
        *("fetch", "cloudwatch", "--cluster", "prod", "--store", str(tmp_path / "store")),
        code=1,
        keys=False,
    )
    assert "there are no AWS credentials" in done.stderr
    assert "aws sso login" in done.stderr


def test_a_server_that_does_not_run_is_named(tmp_path: Path) -> None:
    done = run(
        "http://127.0.0.1:9", "fetch", "cloudwatch", "--cluster", "prod", "--store", str(tmp_path / "store"), code=1
    )
    assert "127.0.0.1:9" in done.stderr
    assert "AWS_ENDPOINT_URL" in done.stderr
