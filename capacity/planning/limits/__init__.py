"""Limits: what holds the fleet back, when each is reached with what probability, and by when to ask for more.

Every limit is weighed alike: what each path uses of it, its first passage (`passage`), a row of `schema.LIMITS`. A
service's own limits are in `own`; what services share is added up path by path in `together`: quotas of a region
(`regions`, with launch rate and subnets), load balancers and clusters (`groups`), what stands behind the services
(`behind`). `asking` says what to ask for; `over_time` draws the chances, `launches` tells how long starts take. AWS's
published numbers stand in `published`.

This file imports nothing that speaks (`capacity.planning.words` imports it).
"""

from capacity.planning.limits.own import service_limits
from capacity.planning.limits.passage import EARLY, LIKELY, Passage, first_passages, limit_row, limits_frame, passage
from capacity.planning.limits.published import ECS_TASKS_PER_SERVICE

__all__ = [
    "EARLY",
    "ECS_TASKS_PER_SERVICE",
    "LIKELY",
    "Passage",
    "first_passages",
    "limit_row",
    "limits_frame",
    "passage",
    "service_limits",
]
