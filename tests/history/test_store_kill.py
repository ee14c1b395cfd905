"""A kill at any moment of a write loses no committed row and corrupts nothing."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import shutil
import signal
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from capacity.history import Store
from capacity.sources.coverage import Coverage
from tests.conftest import often
from tests.history.rows import contents, covered, observations

MONTH = 31 * 24
WIDTH = 12  # services in a batch


def batch(number: int) -> dict[tuple[str, int], float]:
    """Rows of two months, some of them revising the batch before: whole or absent, by its number alone."""
    rows = {(f"s{place}", number): float(number) for place in range(WIDTH)}
    rows |= {(f"s{place}", MONTH + number): float(number) for place in range(WIDTH)}
    return rows | {("revised", 0): float(number), ("revised", MONTH): float(number)}


def answered(batches: int) -> Coverage:
    """What is covered after so many batches: of each service, all hours up to there."""
    return covered(*((f"s{place}", 0, batches) for place in range(WIDTH)))


def state(batches: int) -> dict[tuple[str, int], float]:
    """What a store holds after so many batches."""
    kept: dict[tuple[str, int], float] = {}
    for number in range(batches):
        kept |= batch(number)
    return kept


def write_for_ever(folder: Path, first: int, log: Connection) -> None:
    """Append batch after batch, and say each number once it is committed."""
    store = Store(folder)
    for number in range(first, 10_000):
        hour = covered(*((f"s{place}", number, number + 1) for place in range(WIDTH)))
        store.append(observations(batch(number), fetched=number), hour)
        log.send(number)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL and forkserver exist on POSIX only")
def test_a_kill_at_any_moment_loses_no_committed_row(tmp_path: Path) -> None:
    """Each life of the writer goes on where the last one was cut off; after each, the store is opened and compared.

    What is covered has to be that of the rows: had it run ahead of them, the next pull would never ask for the rest.
    """
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["duckdb", "capacity.history.store", "tests.history.test_store_kill"])
    kills, chance = often(12, 60), random.Random(7)
    folder, committed = tmp_path / "store", 0
    for life in range(kills):
        log, theirs = processes.Pipe(duplex=False)
        writer = processes.Process(target=write_for_ever, args=(folder, committed, theirs))
        writer.start()
        theirs.close()
        if life % 2:
            log.poll(20)  # half of them live to see their first commit, so that the store grows on any machine
        time.sleep(chance.uniform(0.0, 0.2))
        if writer.pid is not None:
            os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        said = committed
        try:
            while True:
                said = log.recv() + 1
        except EOFError:
            pass
        if not (folder / "manifest.json").exists():
            assert said == 0
            continue
        found = contents(Store(folder).history())
        wholes = [number for number in (said, said + 1) if found == state(number)]
        assert wholes, f"after life {life}: neither {said} nor {said + 1} whole batches"
        committed = wholes[0]
        assert Store(folder).coverage() == answered(committed)
    assert committed >= kills // 2


def test_a_store_copied_while_it_is_written_opens_whole(tmp_path: Path) -> None:
    """File by file, in whatever order, with commits in between: a copy holds whole batches, at least those before."""
    processes = multiprocessing.get_context("forkserver")
    log, theirs = processes.Pipe(duplex=False)
    writer = processes.Process(target=write_for_ever, args=(tmp_path / "store", 0, theirs))
    writer.start()
    try:
        for number in range(often(3, 12)):
            while log.recv() < 2 * number:
                pass
            copied(tmp_path / "store", tmp_path / f"copy-{number}")
            found = contents(Store(tmp_path / f"copy-{number}").history())
            known = Store(tmp_path / f"copy-{number}").coverage()
            assert any(
                (found, known) == (state(batches), answered(batches))
                for batches in range(2 * number + 1, 2 * number + 100)
            )
    finally:
        writer.kill()
        writer.join()


def copied(folder: Path, copy: Path) -> None:
    """Copy every file slowly, the manifest last: the order that is hardest on a reader of the copy."""
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    for name in sorted(names, key=lambda name: name.name == "manifest.json"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        if (folder / name).exists():  # what a commit put aside meanwhile, such as manifest.json.tmp, may be gone
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(folder / name, copy / name)
        time.sleep(0.02)
