"""`capacity fetch cloudwatch`, with nothing set but an address and keys that open nothing.

As a process once it pulls and once it finds no keys; what else it says is the same in this one, two seconds sooner.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import capacity
from tests.commands import Said, called, spawned
from tests.sources.cloudwatch.seeding import seed, service

pytestmark = pytest.mark.xdist_group("moto")

COUNT = 90
SECRET = "t0p-s3cret"


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


def surroundings(address: str, *, keys: bool = True) -> dict[str, str]:
    """All that is set of AWS's own."""
    secrets = {"AWS_ACCESS_KEY_ID": "AKIATESTINGTESTING12", "AWS_SECRET_ACCESS_KEY": SECRET} if keys else {}
    nowhere = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }
    return {**secrets, **nowhere, "AWS_ENDPOINT_URL": address}


def run(address: str, *arguments: str, code: int = 0, keys: bool = True, by: Callable[..., Said] = called) -> Said:
    with pytest.MonkeyPatch.context() as here:
        for name in [name for name in os.environ if name.startswith("AWS_")]:  # the server for tests sets keys, too
            here.delenv(name)
        for name, value in surroundings(address, keys=keys).items():
            here.setenv(name, value)
        done = by(*arguments, code=code)
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stdout + done.stderr
    return done


def test_what_was_put_in_is_kept_and_the_second_run_adds_nothing(
    moto_address: str, minutes: pd.DatetimeIndex, tmp_path: Path
) -> None:
    store = str(tmp_path / "store")
    arguments = ("fetch", "cloudwatch", "--cluster", "prod", "--service", "web", "--days", "0.5", "--store", store)
    dry = json.loads(run(moto_address, *arguments, "--dry-run", "--json").stdout)
    assert dry["calls"] == dry["least"] == {"GetMetricData": 1}
    assert not (tmp_path / "store").exists()
    first = json.loads(run(moto_address, *arguments, "--json", by=spawned).stdout)
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
        by=spawned,
    )
    assert "there are no AWS credentials" in done.stderr
    assert "aws sso login" in done.stderr


def test_a_server_that_does_not_run_is_named(tmp_path: Path) -> None:
    done = run(
        "http://127.0.0.1:9", "fetch", "cloudwatch", "--cluster", "prod", "--store", str(tmp_path / "store"), code=1
    )
    assert "127.0.0.1:9" in done.stderr
    assert "AWS_ENDPOINT_URL" in done.stderr
