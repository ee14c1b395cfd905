"""What one task carries, learnt from production: telemetry by task, cost of a request by deploy, and the reconciliation
with a load test.

measuring     rate, vCPU and GiB of one task, interval by interval; which intervals tell something
blocks        stretches of a constant task count, blocks of time
costing       what a request costs: a robust line, under an autoscaler that answers
changes       when that cost changed for good: dated, sized, found within a day
latency       production as a free load test: latency against the rate, and where it crosses the SLO
carrying      requests/s of one task from both
epochs, production   all of it, deploy by deploy
by_type       cost by type of request
reconciling   a load test and production, side by side and as one
doubts        what production says against a stated capacity
"""

from capacity.demand.per_task.by_type import TypeCosts, cost_by_type
from capacity.demand.per_task.changes import Change
from capacity.demand.per_task.doubts import doubts
from capacity.demand.per_task.measuring import PerTask, per_task
from capacity.demand.per_task.production import ProductionEvidence, from_production
from capacity.demand.per_task.reconciling import Reconciled, reconcile

__all__ = [
    "Change",
    "PerTask",
    "ProductionEvidence",
    "Reconciled",
    "TypeCosts",
    "cost_by_type",
    "doubts",
    "from_production",
    "per_task",
    "reconcile",
]
