"""What JMeter writes: samples as CSV or XML, and its own summaries."""

from capacity.loadtest.readers.base import ResultReader
from capacity.loadtest.readers.jmeter.aggregate import JMeterAggregate
from capacity.loadtest.readers.jmeter.console import JMeterConsole
from capacity.loadtest.readers.jmeter.csv import JMeterCsv
from capacity.loadtest.readers.jmeter.report import JMeterStatistics
from capacity.loadtest.readers.jmeter.xml import JMeterXml

READERS: tuple[ResultReader, ...] = (
    JMeterXml(),
    JMeterStatistics(),
    JMeterCsv(),
    JMeterAggregate(),
    JMeterConsole(),
)
