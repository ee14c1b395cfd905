"""How services scale: a plan becomes target tracking and scheduled minimums, rehearsed before they are recommended.

recommend_policy  plan -> Policy: searched (search/), replayed on weeks it was not made from; risk first, then cost
simulate          Policy and demand -> Simulation: minute by minute, with ECS's clocks
replay_many       thousands of candidate policies at once, totals only
elasticity        SPEC's metrics of how well a supply followed a demand
check_policy      what AWS would refuse, and what would surprise, as findings
Policy.render     CloudFormation, Terraform, boto3 calls, AWS CLI; Kubernetes HPA and KEDA, Azure; or a plain table
Policy.diff       what stands in the account beside it; `Diff.apply` makes it stand, `rollback` takes that back
"""

from capacity.scaling.batch import Candidates, Totals, replay_many
from capacity.scaling.checks import check_policy
from capacity.scaling.clocks import Clocks
from capacity.scaling.disruptions import Deployment, Spot
from capacity.scaling.live import Diff, Live, apply, diff, read_live, rollback
from capacity.scaling.policy import (
    Policy,
    PredictiveScaling,
    ScheduledAction,
    ServicePolicy,
    Step,
    StepScaling,
    TargetTracking,
)
from capacity.scaling.recommend import recommend_policy
from capacity.scaling.simulation import Simulation, simulate
from capacity.scaling.spec import Elasticity, elasticity

__all__ = [
    "Candidates",
    "Clocks",
    "Deployment",
    "Diff",
    "Elasticity",
    "Live",
    "Policy",
    "PredictiveScaling",
    "ScheduledAction",
    "ServicePolicy",
    "Simulation",
    "Spot",
    "Step",
    "StepScaling",
    "TargetTracking",
    "Totals",
    "apply",
    "check_policy",
    "diff",
    "elasticity",
    "read_live",
    "recommend_policy",
    "replay_many",
    "rollback",
    "simulate",
]
