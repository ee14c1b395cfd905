"""What BlazeMeter's API and its exports tell of a finished test."""

from capacity.loadtest.readers.base import ResultReader
from capacity.loadtest.readers.blazemeter.answers import BlazeMeterJson
from capacity.loadtest.readers.blazemeter.export import BlazeMeterCsv

READERS: tuple[ResultReader, ...] = (BlazeMeterJson(), BlazeMeterCsv())
