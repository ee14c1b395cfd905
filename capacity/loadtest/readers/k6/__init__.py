"""k6's CSV, JSON lines and end-of-test summary."""

from capacity.loadtest.readers.base import ResultReader
from capacity.loadtest.readers.k6.lines import K6JsonLines
from capacity.loadtest.readers.k6.summary import K6Summary
from capacity.loadtest.readers.k6.table import K6Csv

READERS: tuple[ResultReader, ...] = (K6Csv(), K6JsonLines(), K6Summary())
