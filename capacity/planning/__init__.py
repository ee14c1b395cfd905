"""Planning: demand paths -> tasks for every interval, the dates limits are reached, what it costs, what to decide.

`plan` is the verb, `Plan` and `Decision` the nouns. Read `planner.py` from top to bottom; each step it names is a
file of its own: needs (demand -> fractional tasks), steps (headroom), limits (dates), prices and cost,
memory (task size), per_task (a capacity that is not known exactly), decisions, explain. Of a plan, `bottlenecks` says
what binds first, `what_if` (scenarios/) plans again with something different, `sizes`, `mix` and `instances` (sizing/)
what else to run on, money/ what to commit to and to budget, why/ what would change a count, caching/ what a cache does.
"""

from capacity.planning.diagnosis import Bottlenecks, bottlenecks
from capacity.planning.limits.launches import launch_seconds, launches
from capacity.planning.limits.over_time import limits_over_time
from capacity.planning.planner import plan
from capacity.planning.plans import Decision, Plan
from capacity.planning.prices import HOURS_PER_MONTH, Prices, usd_per_hour
from capacity.planning.scenarios import WhatIf, what_if
from capacity.planning.sizing import Instances, Interruptions, Mix, Sizes, Strategy, instances, mix, sizes
from capacity.planning.steps import for_deployment, for_zone_loss, ready_before, whole_tasks, within_bounds

__all__ = [
    "HOURS_PER_MONTH",
    "Bottlenecks",
    "Decision",
    "Instances",
    "Interruptions",
    "Mix",
    "Plan",
    "Prices",
    "Sizes",
    "Strategy",
    "WhatIf",
    "bottlenecks",
    "for_deployment",
    "for_zone_loss",
    "instances",
    "launch_seconds",
    "launches",
    "limits_over_time",
    "mix",
    "plan",
    "ready_before",
    "sizes",
    "usd_per_hour",
    "what_if",
    "whole_tasks",
    "within_bounds",
]
