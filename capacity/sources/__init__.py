"""The outside world -> observations. A source reports; it never fills, smooths or guesses.

`base` holds the contract. Each further source is one file, and one line among the entry points; it is finished when
`tests/contracts/test_sources.py` passes for it.

    files      CSV and Parquet, one file or a folder
      tables     a file as columns, with row numbers
      columns    which column is which
      translate  words, units and stamps into ours
      stamps     time of any honest form, as UTC
      cells      numbers, units, intervals
      regular    onto a grid, each key once
      problems   everything wrong, collected
    registry    sources by name, those of other packages included
"""

from capacity.sources.base import Observations, Source, Span
from capacity.sources.files import Files
from capacity.sources.registry import open_source, source_names

__all__ = ["Files", "Observations", "Source", "Span", "open_source", "source_names"]
