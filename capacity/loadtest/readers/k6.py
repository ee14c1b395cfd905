"""k6's CSV, JSON lines and end-of-test summary."""

from __future__ import annotations

from capacity.loadtest.readers.base import ResultReader

READERS: tuple[ResultReader, ...] = ()
