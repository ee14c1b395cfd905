"""What JMeter writes: samples as CSV or XML, and its own summaries."""

from capacity.loadtest.readers.base import ResultReader

READERS: tuple[ResultReader, ...] = ()
