"""What Gatling writes: its log as text or bytes, and its own statistics."""

from capacity.loadtest.readers.base import ResultReader
from capacity.loadtest.readers.gatling.binary import GatlingBinaryLog
from capacity.loadtest.readers.gatling.page import GatlingPage
from capacity.loadtest.readers.gatling.statistics import GatlingStatistics
from capacity.loadtest.readers.gatling.text import GatlingTextLog

READERS: tuple[ResultReader, ...] = (GatlingBinaryLog(), GatlingTextLog(), GatlingStatistics(), GatlingPage())
