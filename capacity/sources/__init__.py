"""The outside world -> observations. A source reports; it never fills, smooths or guesses.

`base` holds the contract of a source, `pulling` that of one that is asked only for what is not known yet (`coverage`).
Each further source is one line among the entry points; it is finished when `tests/contracts/test_sources.py` passes.

    files       CSV, Parquet and JSON, one file or a folder
      tables      a file as columns, with row numbers
      exports     tables as CloudWatch's console, Grafana and the AWS command line write them
      columns     which column is which
      translate   words, units and stamps into ours
      stamps      time of any honest form, as UTC
      cells       numbers, units, intervals
      regular     onto a grid, each key once
      problems    everything wrong, collected
    cloudwatch  what CloudWatch keeps about ECS services
    aws         the door into an account, what runs there, rights, and AWS's own advice
    bills       Cost Explorer and FOCUS exports
    prometheus  anything that speaks Prometheus' query API
    azure       Azure Monitor and Azure Advisor
    advice      what a provider recommends, as a table
    patience    asking again, and what never to print
    registry    sources by name, those of other packages included
"""

from capacity.sources.base import Observations, Source, Span
from capacity.sources.files import Files
from capacity.sources.registry import open_source, source_names

__all__ = ["Files", "Observations", "Source", "Span", "open_source", "source_names"]
