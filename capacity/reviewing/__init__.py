"""A stored plan against what happened: were we right, why not, and what do we change?

snapshot   a plan with everything it was made from, in one file that later versions still open and run again:
           taking it from a plan, keeping and opening it (container, tables, plain, formats), rerunning, differing
reviewer   the verb: read it from top to bottom; reviews is the noun
           actuals and promised: what happened and what was said, on one grid; asked: what users asked for
           decomposing: the error in parts that add up; coverage: promises kept; fates (fate_rules, scene): what became
           of each recommendation; drift (departing): whether a new plan is needed; remarks: what is not known
digest     the same in a few sentences, and only what changed (facts), in pictures
"""

from capacity.reviewing.opening import open_snapshot, open_snapshots
from capacity.reviewing.reviewer import review
from capacity.reviewing.reviews import Review
from capacity.reviewing.snapshot import Snapshot

__all__ = ["Review", "Snapshot", "open_snapshot", "open_snapshots", "review"]
