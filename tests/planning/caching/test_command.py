"""`capacity cache`: the same answer as from Python, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.commands import called

#: Three weeks of hours: a daily wave at the CDN, of which three in ten requests reach the service.
HOURS = np.arange(21 * 24)
EDGE = 1000 * (1 + 0.4 * np.cos(2 * np.pi * (HOURS - 14) / 24))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("cache")
    stamps = np.datetime64("2026-10-05T00:00") + HOURS.astype("timedelta64[h]")
    rows = [
        f"web,{metric},{stamp}Z,{value:.3f}"
        for metric, values in (("requests", 0.3 * EDGE), ("cdn_requests", EDGE))
        for stamp, value in zip(stamps, values, strict=True)
    ]
    (folder / "usage.csv").write_text("\n".join(["service,metric,timestamp,value", *rows]), encoding="utf-8")
    (folder / "capacity.toml").write_text(
        '[data]\nhistory = "usage.csv"\n[goal]\nhorizon = "2d"\n[forecast]\nmodel = "seasonal-naive"\npaths = 50\n'
        '[[service]]\nname = "web"\nrequests_per_second_per_task = 20\nmax_tasks = 60\n',
        encoding="utf-8",
    )
    return str(folder / "capacity.toml")


def answer(settings: str, *more: str) -> dict[str, object]:
    done = called("cache", "--config", settings, "--service", "web", "--json", "--quiet", *more)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def rows(found: dict[str, object]) -> dict[str, dict[str, float]]:
    return {row["scenario"]: row for row in found["scenarios"]}  # type: ignore[attr-defined]


def test_without_a_word_the_ratio_is_measured_in_the_history(settings: str) -> None:
    done = called("cache", "--config", settings, "--service", "web", "--quiet")
    assert done.stdout.startswith("Without its cache, `web` would need ")
    assert "3.33 times today's load" in done.stdout
    assert "70.0 % (70.0 % to 70.0 %) never reach the service" in done.stdout
    assert "not answered: TTL halved, TTL doubled, Origin Shield off" in done.stderr
    assert "How many of the requests may be cached is not known" in done.stderr


def test_a_stated_ratio_is_answered_as_json(settings: str) -> None:
    found = answer(settings, "--hit-ratio", "0.9", "--between", "0.85", "0.93", "--cacheable", "0.8", "--nodes", "4")
    assert set(found) == {"headline", "caching", "scenarios", "curve"}
    about = found["caching"]
    assert isinstance(about, dict)
    assert (about["hit_ratio"], about["low"], about["high"], about["method"]) == (0.9, 0.85, 0.93, "stated")
    assert rows(found)["cache outage"]["times"] == pytest.approx(1 / (1 - 0.72), rel=0.01)
    assert "cache node lost" in rows(found)


def test_a_log_and_a_time_to_live_answer_the_rest(settings: str, tmp_path: Path) -> None:
    keys = np.random.default_rng(0).zipf(1.8, size=5_000)
    (tmp_path / "keys.log").write_text("\n".join(f"/p/{key}" for key in keys), encoding="utf-8")
    found = answer(
        settings, "--log", str(tmp_path / "keys.log"), "--ttl", "60", "--rate", "900", "--shield", "--edges", "9"
    )
    assert {"TTL halved", "TTL doubled", "Origin Shield off"} <= set(rows(found))
    only = answer(settings, "--objects", "1000", "--size", "50", "--scenario", "hit ratio -1 point")
    assert set(rows(only)) == {"as is", "hit ratio -1 point", "cache outage"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--hit-ratio", "90"), "95 % is 0.95"),
        (("--ttl", "60", "--size", "5", "--hit-ratio", "0.9"), "two kinds of cache"),
        (("--objects", "5", "--log", "x"), "two answers to one question"),
        (("--protects", "database"), "cache_hits and cache_misses"),
        (("--hit-ratio", "0.9", "--scenario", "flood"), "no scenario is called 'flood'"),
        (("--between", "0.8", "0.9"), "said alone, it changes nothing: --between, the interval of --hit-ratio"),
        (("--hit-ratio", "0.9", "--shield", "--limit", "9"), "--edges and --shield, of a cache with --ttl or --size; "),
        (("--protects", "databse"), "a cache protects a 'service' or a 'database'"),
        (("--objects", "5"), "(--ttl, --size), or state the hit ratio (--hit-ratio)"),
    ],
)
def test_what_cannot_be_is_one_paragraph(settings: str, more: tuple[str, ...], said: str) -> None:
    done = called("cache", "--config", settings, "--service", "web", "--quiet", *more, code=1)
    assert done.stderr.startswith("capacity: ")
    assert said in done.stderr
