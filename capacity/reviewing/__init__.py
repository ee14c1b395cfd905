"""A stored plan against what happened: were we right, why not, and what do we change?

snapshot   a plan with everything it was made from, in one file that later versions still open and run again
"""

from capacity.reviewing.snapshot import Snapshot

__all__ = ["Snapshot"]
