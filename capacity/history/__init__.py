"""Observations -> history: read from anywhere, kept for good, checked before anyone relies on them.

history     the noun
reader      files, folders, stores and frames, as a History
store       the folder that outlives CloudWatch's retention; `manifest`, `migrations` and `disk` are its parts
fetching    a source into a store, batch by batch, only what is not known yet
quality     gaps, resets, flat lines, clocks, outliers, shifts, saturation, too little: as findings
export      a history as one file
"""

from capacity.history.fetching import Fetched, fetch
from capacity.history.history import History, SeriesKey
from capacity.history.quality import check_quality
from capacity.history.reader import read
from capacity.history.store import Appended, Store, StoreInfo

__all__ = ["Appended", "Fetched", "History", "SeriesKey", "Store", "StoreInfo", "check_quality", "fetch", "read"]
