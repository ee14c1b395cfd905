"""Locust's CSV files."""

from __future__ import annotations

from capacity.loadtest.readers.base import ResultReader

READERS: tuple[ResultReader, ...] = ()
