"""What a store asks of a disk: one writer, files that stay, a file replaced whole, and room."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from capacity.errors import StoreError

#: MiB that a file of a few million rows may take.
_ROOM = 32


@contextmanager
def one_writer(lock: Path, wait: float) -> Iterator[None]:
    """Hold the lock of a store while inside. Waits up to `wait` seconds for another writer, then StoreError.

    The lock is SQLite's own file lock, held by an open transaction on an empty database: it works on every system
    Python runs on, and the system lets go of it when its process dies, however it dies. No lock is ever stale, and the
    file itself means nothing, so it may be copied.
    """
    try:
        with closing(sqlite3.connect(lock, timeout=wait, isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            yield
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise StoreError(
                f"{lock.parent}: another process is writing to this store; waited {wait:g} s. Try again later."
            ) from error
        raise StoreError(f"{lock} cannot be locked: {error}. Is the folder writable?") from error


def replace_whole(path: Path, data: bytes) -> None:
    """Write a file so that, whatever happens, it holds either what it held or `data`."""
    beside = path.with_name(f"{path.name}.tmp")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)  # noqa: PTH105 - said with the word everyone knows for it
    sync_folder(path.parent)


def full(folder: Path) -> str:
    """What to add to an error, where a disk has no room for another file of a store; nothing where it has."""
    left = shutil.disk_usage(folder).free / 2**20
    return f". The disk is full: {left:.1f} MiB are left" if left < _ROOM else ""


def sync_file(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk. Windows has no such call, and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
