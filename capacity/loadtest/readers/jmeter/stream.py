"""A result file as a stream: damaged archives end where they end, and the next piece is prepared meanwhile."""

from __future__ import annotations

import queue
import threading
import zlib
from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import BinaryIO, TypeVar

from capacity.errors import InputError
from capacity.loadtest.readers.base import ResultFile

Item = TypeVar("Item")


class Pieces:
    """The bytes of a file, from its start. `damage`: why they end before the file does; "" when they do not."""

    def __init__(self, file: ResultFile) -> None:
        self._file, self._stream = file, file.open()
        self.damage = ""

    def __enter__(self) -> Pieces:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def fill(self, view: memoryview) -> int:
        """Fill the view as far as there are bytes; how many. Raises InputError when the disk fails."""
        filled = 0
        while filled < len(view):
            try:
                count = _readinto(self._stream, view[filled:])
            except (EOFError, zlib.error) as error:  # an archive cut short, or damaged
                self.damage = str(error)
                break
            except OSError as error:  # gzip's BadGzipFile is one without errno
                if error.errno is not None:
                    raise InputError(f"{self._file.path} cannot be read: {error.strerror or error}") from None
                self.damage = str(error)
                break
            if not count:
                break
            filled += count
        return filled

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`; b"" at the end."""
        buffer = bytearray(size)
        return bytes(memoryview(buffer)[: self.fill(memoryview(buffer))])


def _readinto(stream: BinaryIO, view: memoryview) -> int:
    return stream.readinto(view) or 0  # type: ignore[attr-defined]


def ahead(items: Generator[Item, None, None], depth: int = 2) -> Iterator[Item]:
    """The same items, prepared by a thread that is at most `depth` of them ahead of who asks.

    It pays where items are made without the interpreter's lock. What the thread raises is raised here, in its turn;
    a caller that stops asking stops the thread.
    """
    ready: queue.Queue[tuple[bool, Item | BaseException | None]] = queue.Queue(depth)
    stopped = threading.Event()

    def offer(entry: tuple[bool, Item | BaseException | None]) -> None:
        while not stopped.is_set():
            with suppress(queue.Full):
                ready.put(entry, timeout=0.1)
                break

    def work() -> None:
        try:
            for item in items:
                offer((True, item))
                if stopped.is_set():
                    return items.close()
            offer((False, None))
        except BaseException as error:  # handed over, whatever it is
            offer((False, error))

    thread = threading.Thread(target=work, name="capacity-reader", daemon=True)
    thread.start()
    try:
        while True:
            more, entry = ready.get()
            if more:
                yield entry  # type: ignore[misc]
            elif isinstance(entry, BaseException):
                raise entry
            else:
                return
    finally:
        stopped.set()
        thread.join()
