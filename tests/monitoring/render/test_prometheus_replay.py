"""A second opinion: rules in Prometheus fire, minute by minute, when the replay on arrays says that alarms do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import yaml  # type: ignore[import-untyped, unused-ignore]

from capacity.monitoring.alarm import Alarms
from capacity.monitoring.breaches import breaches
from capacity.monitoring.minutes import Minutes
from tests.monitoring.render.making import WEB, alarm, of
from tests.sources.prometheus.server import program

UNITS = {"d": 1440, "h": 60, "m": 1}


def fired(alarms: Alarms, series: dict[str, np.ndarray], steps: int, folder: Path) -> dict[str, set[int]]:
    """Alert -> minutes at which it is there, looked at every so many minutes: promtool is told that none ever is."""
    rules = alarms.save(folder, "prometheus")
    groups = [group["name"] for path in rules for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]]
    (length,) = {len(values) for values in series.values()}
    asked = [
        {"eval_time": f"{minute}m", "alertname": one.name, "exp_alerts": []}
        for one in alarms
        for minute in range(0, length, steps)
    ]
    fed = [
        {"series": f'capacity:{name}{{service="web"}}', "values": " ".join(f"{value:.12g}" for value in values)}
        for name, values in series.items()
    ]
    test = {"interval": "1m", "input_series": fed, "alert_rule_test": asked}
    document = {
        "rule_files": [path.name for path in rules],
        "evaluation_interval": f"{steps}m",
        "group_eval_order": groups,
        "tests": [test],
    }
    (folder / "tests.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    command = [program("promtool"), "test", "rules", str(folder / "tests.yml")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    found: dict[str, set[int]] = {one.name: set() for one in alarms}
    for name, time in re.findall(r"alertname: (\S+), time: (\w+)", ran.stdout + ran.stderr):
        found[name].add(sum(int(count) * UNITS[unit] for count, unit in re.findall(r"(\d+)([dhm])", time)))
    return found


def replayed(alarms: Alarms, series: dict[str, np.ndarray], steps: int) -> dict[str, set[int]]:
    length = len(next(iter(series.values())))
    times = pd.date_range("1970-01-01", periods=length, freq="min", tz="UTC")
    values: dict[str | tuple[str, str], object] = {}
    for name, array in series.items():
        signal, _, stat = name.partition(":")
        values[signal if stat == "mean" else (signal, stat)] = array
    minutes = Minutes.of(WEB, times, values)
    return {
        one.name: {int(minute) for minute in np.flatnonzero(breaches(one.condition, minutes)) if minute % steps == 0}
        for one in alarms
    }


def test_alerts_are_there_in_the_minutes_in_which_the_replay_has_them(tmp_path: Path) -> None:
    random, length = np.random.default_rng(7), 200
    bad = np.where((np.arange(length) // 40) % 3 == 2, 1.0, 0.0)
    series = {
        "requests:mean": 100 + random.normal(0, 5, length),
        "errors:mean": random.uniform(0, 0.1, length) + 8 * bad * random.uniform(0, 1, length),
        "running_tasks:mean": np.where(np.arange(length) % 100 < 60, 40.0, 20.0),
        "cpu:mean": 26 + 16 * random.uniform(0, 1, length),
        "latency:p95": 0.2 + 0.5 * bad * random.uniform(0, 1, length),
    }
    alarms = of(*(alarm(name) for name in ("burn_fast", "slow", "saturation", "pinned", "short")))
    seen, expected = fired(alarms, series, 1, tmp_path), replayed(alarms, series, 1)
    known = set(range(60, length))  # a replay waits until half of a window is known
    for one in alarms:
        there = expected[one.name] & known
        assert 0 < len(there) < len(known), f"{one.name} is tried both ways"
        # Prometheus 2 counts both ends of a window: one sample more
        edge = 2 if one.kind == "burn_fast" else 0
        for minute in (seen[one.name] & known) ^ there:
            around = {near in there for near in range(minute - edge, minute + edge + 1)}
            assert len(around) == 2, f"{one.name} in minute {minute}"


def test_a_leak_is_told_of_within_two_hours_of_the_replay(tmp_path: Path) -> None:
    random, length = np.random.default_rng(7), 3 * 1440
    used = np.clip(50 + np.maximum(0, np.arange(length) - 1000) * 0.02 + random.normal(0, 1, length), 0, 99)
    series = {"memory:mean": used / 100 * 10, "running_tasks:mean": np.full(length, 10 / WEB.task_memory_gib)}
    leak = of(alarm("leak"))
    (seen,), (expected,) = fired(leak, series, 60, tmp_path).values(), replayed(leak, series, 60).values()
    assert expected
    assert abs(min(seen) - min(expected)) <= 120
    assert max(seen) == max(expected) == length - 60
