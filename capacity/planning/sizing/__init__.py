"""Sizes and mix: which task, on what, and how sure, for the least money at the same promise.

`plan.sizes()` compares every Fargate size and both architectures (`options`; what a task of another size carries in
`larger`, what it takes of memory in `memory`). `plan.mix()` says how much may run on Spot (`spot`). `plan.instances()`
packs tasks onto EC2 instances (`packing`). `shortage` turns the cost of a missing task into how sure to be.
"""

from capacity.planning.sizing.instances import Instances, instances
from capacity.planning.sizing.mix import Mix, mix
from capacity.planning.sizing.sizes import Sizes, sizes
from capacity.planning.sizing.spot import Interruptions, Strategy

__all__ = ["Instances", "Interruptions", "Mix", "Sizes", "Strategy", "instances", "mix", "sizes"]
