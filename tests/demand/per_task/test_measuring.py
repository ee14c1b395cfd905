"""What one task did, from whatever monitoring knows."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.config import Service
from capacity.demand.per_task import per_task
from capacity.demand.per_task.alignment import shifts_of
from capacity.demand.per_task.measuring import stable
from capacity.errors import HistoryError, InputError
from capacity.history import History, read
from tests.demand.per_task.serving import START, Served, history_of, served

WEB = Service(name="web", max_tasks=100)


@cache
def day() -> Served:
    return served(1, 1, 3)


def rows(
    metric: str, values: np.ndarray, *, interval: int = 60, start: pd.Timestamp = START, stat: str = "mean"
) -> pd.DataFrame:
    times = pd.date_range(start, periods=len(values), freq=f"{interval}s")
    table = pd.DataFrame({"service": "web", "metric": metric, "stat": stat, "interval": interval, "timestamp": times})
    return table.assign(value=values)


def history(*tables: pd.DataFrame) -> History:
    return read(pd.concat(tables, ignore_index=True))


def test_rate_processor_and_tasks_are_those_that_were_put_in() -> None:
    life = day()
    found = per_task(history_of(life, 0), WEB).frame
    np.testing.assert_allclose(found["requests_per_s"], life.rate[:, 0], rtol=1e-12)
    np.testing.assert_allclose(found["vcpu"], life.vcpu[:, 0], rtol=1e-12)
    np.testing.assert_allclose(found["latency_p95_ms"], life.p95_ms[:, 0], rtol=1e-12)
    assert (found["seconds"] == 60).all() and str(found.index.tz) == "UTC"


def test_a_gap_is_no_row_and_never_a_zero() -> None:
    frame = history_of(day(), 0).to_frame()
    hole = (frame["timestamp"] >= START + pd.Timedelta("6h")) & (frame["timestamp"] < START + pd.Timedelta("7h"))
    found = per_task(read(frame[~(hole & (frame["metric"] == "requests"))]), WEB).frame
    assert len(found) == 1440 - 60
    assert not ((found.index >= START + pd.Timedelta("6h")) & (found.index < START + pd.Timedelta("7h"))).any()
    assert (found["requests_per_s"] > 0).all()


def test_minutes_that_ran_no_request_are_rows_of_zero_requests() -> None:
    found = per_task(
        history(
            *(
                rows(name, values)
                for name, values in {
                    "requests": np.array([0.0, 5, 5]),
                    "cpu_utilization": np.full(3, 2.0),
                    "running_tasks": np.ones(3),
                }.items()
            )
        ),
        WEB,
    ).frame
    assert found["requests_per_s"].tolist() == [0.0, 5.0, 5.0]


def test_hours_tell_what_minutes_no_longer_do() -> None:
    """CloudWatch keeps minutes for two weeks and hours for longer: each time is told once, by its finest interval."""
    hours = np.arange(48.0)
    minutes = np.repeat(hours[24:], 60)
    later = START + pd.Timedelta(days=1)
    values = {"requests": (100 + hours, 100 + minutes), "cpu_utilization": (40 + hours / 10, 40 + minutes / 10)}
    values["running_tasks"] = np.full(48, 4.0), np.full(1440, 4.0)
    tables = [
        table
        for name, (coarse, fine) in values.items()
        for table in (rows(name, coarse, interval=3600), rows(name, fine, start=later))
    ]
    found = per_task(history(*tables), WEB).frame
    assert found["seconds"].value_counts().to_dict() == {60: 1440, 3600: 24}
    assert found.index.is_monotonic_increasing and not found.index.has_duplicates
    assert found["requests_per_s"].iloc[0] == 25.0
    hourly = per_task(history(*tables), WEB, interval="1h").frame
    assert len(hourly) == 48 and hourly["requests_per_s"].iloc[-1] == pytest.approx(147 / 4)


def test_a_percentage_needs_no_count_of_tasks_but_the_rate_does() -> None:
    counted = {"requests": np.full(60, 80.0), "cpu_utilization": np.full(60, 50.0), "cpu_reserved": np.full(60, 8.0)}
    found = per_task(
        history(*(rows(name, values) for name, values in counted.items())),
        Service(name="web", task_vcpu=2, task_memory_gib=4),
    )
    assert found.frame["requests_per_s"].unique().tolist() == [20.0]  # 8 vCPU reserved are 4 tasks of 2
    assert found.frame["vcpu"].unique().tolist() == [1.0]
    assert [finding.check for finding in found.findings] == ["tasks"]


def test_what_is_missing_is_named() -> None:
    with pytest.raises(HistoryError, match=r"lacks requests .*There are: cpu_utilization, running_tasks"):
        per_task(history(rows("cpu_utilization", np.ones(9)), rows("running_tasks", np.ones(9))), WEB)
    with pytest.raises(HistoryError, match="lacks running_tasks"):
        per_task(history(rows("requests", np.ones(9)), rows("cpu_utilization", np.ones(9))), WEB)
    apart = rows("cpu_utilization", np.ones(9), start=START + pd.Timedelta(days=3))
    with pytest.raises(HistoryError, match="never have a value at the same time"):
        per_task(history(rows("requests", np.ones(9)), rows("running_tasks", np.ones(9)), apart), WEB)
    with pytest.raises(InputError, match="divides"):
        per_task(history_of(day(), 0), WEB, interval="90s")


@pytest.mark.parametrize("lag", [1, 2, -1])
def test_stamps_that_run_behind_are_moved_together_and_it_is_said(lag: int) -> None:
    found = per_task(history_of(day(), 0, lag=lag), WEB)
    assert [finding.check for finding in found.findings] == ["alignment"]
    assert f"{abs(lag)} min {'after' if lag > 0 else 'before'}" in str(found.findings.items[0])
    place = np.asarray((found.frame.index - START) / pd.Timedelta("1min")).astype(int)
    inside = (place >= 5) & (place < 1435)  # at the ends the test's own shift wraps around
    np.testing.assert_allclose(found.frame["vcpu"][inside], day().vcpu[place[inside], 0], rtol=1e-12)


def test_stamps_that_agree_are_left_alone() -> None:
    noise = np.random.default_rng(0)
    load = np.repeat(noise.uniform(50, 100, 300), 2)
    assert shifts_of(load, load * np.exp(0.2 * noise.standard_normal(600)), pd.Timedelta("1min")) == 0
    assert shifts_of(load, np.full(600, 3.0), pd.Timedelta("1min")) == 0


def test_full_minutes_are_marked_and_no_longer_usable() -> None:
    life = served(1, 2, 9, full_share=0.05)
    found = per_task(history_of(life, 0), WEB).frame
    full = life.vcpu[:, 0] > 0.99
    assert 0.01 < full.mean() < 0.10
    assert found["saturated"].to_numpy()[full].all()
    assert not (found["usable"] & found["saturated"]).any()


def test_bursts_over_the_reservation_have_no_ceiling() -> None:
    """On EC2 without a hard limit a task uses what its neighbours leave: 140 % is no measure of fullness."""
    use = np.concatenate([np.full(200, 60.0), np.full(100, 140.0)])
    tables = [rows("requests", use), rows("cpu_utilization", use), rows("running_tasks", np.ones(300))]
    found = per_task(history(*tables), WEB)
    assert not found.frame["saturated"].any() and found.frame["usable"].mean() > 0.9
    assert [finding.check for finding in found.findings] == ["no limit"]


def test_minutes_full_of_errors_do_not_count() -> None:
    flat = np.full(60, 10.0)
    tables = [rows("requests", flat), rows("cpu_utilization", flat), rows("running_tasks", np.ones(60))]
    found = per_task(history(*tables, rows("errors", np.where(np.arange(60) < 20, 2.0, 0.1))), WEB).frame
    assert found["usable"].tolist() == [False] * 20 + [True] * 40


@given(
    tasks=st.lists(st.integers(1, 30), min_size=1, max_size=40),
    minutes=st.sampled_from([1, 5, 60]),
)
def test_an_interval_is_stable_only_if_the_count_stays_around_it(tasks: list[int], minutes: int) -> None:
    """Against the obvious loop: two minutes (one interval of more) after a change, one before."""
    after = {1: 2, 5: 1, 60: 1}[minutes]
    least = 0.5 if minutes == 60 else 0.02
    found = stable(np.array(tasks, dtype=float), pd.Timedelta(minutes=minutes))
    for place, own in enumerate(tasks):
        around = tasks[max(0, place - after) : place + 2]
        assert found[place] == all(abs(count - own) <= least * own for count in around)


def test_it_shows_itself() -> None:
    found = per_task(history_of(day(), 0), WEB)
    assert "web, per task: 1,440 intervals" in found._repr_html_()
    assert "What one task served" in str(found.plot().to_dict())
