"""Sizes and mix: which task, on what, and how sure, for the least money at the same promise.

`plan.sizes()` compares every Fargate size and both architectures (`options`; what a task of another size carries in
`larger`, what it takes of memory in `memory`). `shortage` turns the cost of a missing task into how sure to be.
"""

from capacity.planning.sizing.sizes import Sizes, sizes

__all__ = ["Sizes", "sizes"]
