"""Why that many, beyond the steps: the next-best count and its risk, what would change it, what moves it how much.

Files: moment (one interval, kept to be planned again), turning (what would change the count), sensitivity (how much
each input moves it), judging (how right the method was, what a decision rests on), table. `planning/explain.py` says
it in words.
"""

from capacity.planning.why.judging import explain_decision, last_time
from capacity.planning.why.moment import Moment
from capacity.planning.why.sensitivity import sensitivity
from capacity.planning.why.table import table
from capacity.planning.why.turning import Turn, turns

__all__ = ["Moment", "Turn", "explain_decision", "last_time", "sensitivity", "table", "turns"]
