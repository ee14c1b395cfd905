"""What JMeter writes: samples as CSV or XML, and its own summaries."""

from capacity.loadtest.readers.base import ResultReader
from capacity.loadtest.readers.jmeter.csv import JMeterCsv

READERS: tuple[ResultReader, ...] = (JMeterCsv(),)
