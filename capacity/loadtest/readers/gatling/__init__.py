"""What Gatling writes: its log as text or bytes, and its own statistics."""

from capacity.loadtest.readers.base import ResultReader

READERS: tuple[ResultReader, ...] = ()
