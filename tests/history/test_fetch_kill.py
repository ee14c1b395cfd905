"""A pull that is killed at any moment: the store opens, holds whole batches only, and the next run completes it."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from capacity.history import Store, fetch
from capacity.sources import Span
from capacity.sources.aws import Door
from capacity.sources.aws.ecs import Discovery
from capacity.sources.base import microseconds
from capacity.sources.cloudwatch import CloudWatch
from capacity.sources.files import is_store
from tests.conftest import often
from tests.sources.cloudwatch.fake import FakeCloudWatch, Faults
from tests.sources.cloudwatch.fleet import ecs_service, fill, now

SERVICES = [ecs_service(f"s{number}") for number in range(10)]
#: Minutes of the span: long enough that a call holds few series, so that a pull has many batches.
LENGTH, EVERY = pd.Timedelta(days=12), 157


@pytest.fixture
def fake() -> Iterator[FakeCloudWatch]:
    """A server that throttles, answers partly and fails now and then, with a fleet's minutes in it."""
    with FakeCloudWatch(faults=Faults(throttle=0.1, partial=0.1)) as fake:
        end = int(fake.now) // 60 * 60 - 600
        for seed, service in enumerate(SERVICES):
            fill(fake, service, range(end - int(LENGTH.total_seconds()) + 3600, end, EVERY * 60), seed)
        yield fake


def pulling(address: str, moment: float) -> CloudWatch:
    """The source: a batch for each answer, on a clock that stands, and with waits that take no time."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    door = Door("us-east-1", endpoint=address, sleep=lambda seconds: None)
    there = pd.Timestamp(moment, unit="s", tz="UTC").as_unit("us")
    return CloudWatch("shop", door=door, found=Discovery(tuple(SERVICES)), clock=lambda: there, batch_rows=1)


def fetch_all(folder: Path, address: str, moment: float, log: Connection) -> None:
    """What the process does that is killed: it says after each commit that there was one."""
    here = pulling(address, moment)
    span = Span(here.clock() - LENGTH, here.clock())
    fetch(here, folder, span, progress=lambda appended, outlay: log.send(appended.rows_added))


def rows_of(store: Store) -> pd.DataFrame:
    return store.history().frame.drop(columns=["fetched_at"])


def series_of(frame: pd.DataFrame) -> dict[tuple[str, str, str], np.ndarray]:
    """Stamps of each series."""
    stamps = frame.groupby(["service", "metric", "stat"], observed=True)["timestamp"]
    return {key: part.array.asi8 for key, part in stamps}


def checked(store: Store, whole: pd.DataFrame) -> int:
    """Rows. Only what CloudWatch said is there, and what is said to be covered is there to the last row."""
    frame = rows_of(store)
    assert len(frame.merge(whole, on=list(frame.columns))) == len(frame)
    mine, truth = series_of(frame), series_of(whole)
    for asked, covered in store.coverage():
        key, inside = (asked.service, asked.metric, asked.stat), [microseconds(stamp) for stamp in covered]
        found, expected = (np.searchsorted(stamps[key], inside) for stamps in (mine, truth))
        assert found[1] - found[0] == expected[1] - expected[0] > 0
    return len(frame)


def test_a_pull_killed_at_any_moment_is_completed_by_the_next(tmp_path: Path, fake: FakeCloudWatch) -> None:
    here = pulling(fake.address, fake.now)
    span = Span(now(fake) - LENGTH, now(fake))
    fetch(replace(here, batch_rows=2**20), tmp_path / "truth", span)  # in one commit: nothing of batches is in it
    whole = rows_of(Store(tmp_path / "truth"))
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["duckdb", "tests.history.test_fetch_kill", "tests.history.warm"])
    kills = often(12, 50)
    chance, number, before, grew = random.Random(5), 0, 0, 0
    for life in range(kills):
        store = Store(tmp_path / f"store-{number}")
        log, theirs = processes.Pipe(duplex=False)
        running = processes.Process(target=fetch_all, args=(Path(store.path), fake.address, fake.now, theirs))
        running.start()
        theirs.close()
        if life % 2:
            log.poll(20)  # half of them live to see a commit, so that the pull comes on, on any machine
        time.sleep(chance.uniform(0.0, 0.2))
        running.kill()
        running.join()
        if not is_store(Path(store.path)):
            continue
        rows = checked(store, whole)
        assert rows >= before
        grew, before = grew + (rows > before), rows
        if rows == len(whole):  # complete: the next lives begin another
            number, before = number + 1, 0
    assert grew >= kills // 4
    store = Store(tmp_path / f"store-{number}")
    assert fetch(pulling(fake.address, fake.now), store, span).appended.rows_revised == 0
    pd.testing.assert_frame_equal(rows_of(store), whole)
    again = fetch(pulling(fake.address, fake.now), store, span)
    assert again.appended.rows_added == again.appended.rows_revised == 0
