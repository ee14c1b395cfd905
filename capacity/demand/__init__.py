"""Absolute demand: what the users of a service need, whatever the autoscaler made of it last quarter.

Utilisation and task counts are outputs of the autoscaler; forecasting them forecasts last quarter's policy. This room
turns them into requests/s, vCPU and GiB on one regular grid (`estimate_demand`, `demand_from`), says which intervals
were saturated (the real need was more), and puts the minutes back into coarse intervals for rehearsal (`to_minutes`).
"""

from capacity.demand.demand import Demand, Key
from capacity.demand.estimate import assessed, estimate_demand
from capacity.demand.inputs import demand_from
from capacity.demand.minutes import to_minutes

__all__ = ["Demand", "Key", "assessed", "demand_from", "estimate_demand", "to_minutes"]
