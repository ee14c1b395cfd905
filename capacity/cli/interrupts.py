"""Ctrl-C while packages are being imported waits until they are there.

An extension that is interrupted while it starts gives an ImportError, or takes the process down with it. Of 25 commands
interrupted in the first second after they began to read, five did not end with 130: one was aborted, one had a
traceback out of `import duckdb`, and three were ended by the signal.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

#: Seconds until an interrupt that came during an import is tried again: a person does not notice, an import goes on.
AGAIN: Final = 0.05


@contextmanager
def interrupts_between_imports() -> Iterator[None]:
    """While the block runs, SIGINT raises KeyboardInterrupt, but not inside an import.

    Where somebody else decides about SIGINT, as a shell does for what runs in its background, or where this is not the
    main thread, nothing changes.
    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if not _importing(frame):
        raise KeyboardInterrupt
    again = threading.Timer(AGAIN, _send, (number,))
    again.daemon = True
    again.start()


def _send(number: int) -> None:
    """A signal for the main thread, which wakes it where it waits, as one from outside would."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident or 0, number)
    else:  # Windows, where nothing waits for long
        signal.raise_signal(number)


def _importing(frame: FrameType | None) -> bool:
    """Whether one of the callers is Python's import."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
