"""A stored plan against what happened: were we right, why not, and what do we change?

snapshot   a plan with everything it was made from, in one file that later versions still open and run again:
           taking it from a plan, keeping and opening it (container, tables, plain, formats), rerunning, differing
"""

from capacity.reviewing.opening import open_snapshot, open_snapshots
from capacity.reviewing.snapshot import Snapshot

__all__ = ["Snapshot", "open_snapshot", "open_snapshots"]
