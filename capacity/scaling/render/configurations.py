"""The parts of a policy in Application Auto Scaling's words: what each kind of scaling policy is configured with.

Property names are those of the API, which CloudFormation shares. Source: reference aws.md 3.2-3.4 and 7.1.
"""

from __future__ import annotations

from typing import Any, Final

from capacity.scaling.policy import PredictiveScaling, ServicePolicy, Step, StepScaling

#: Predefined metrics of target tracking for ECS (aws.md 3.2).
METRIC_TYPES: Final = {
    "cpu": "ECSServiceAverageCPUUtilization",
    "memory": "ECSServiceAverageMemoryUtilization",
    "requests": "ALBRequestCountPerTarget",
}

#: Pairs of a load metric and a scaling metric of predictive scaling (aws.md 3.4). Free strings in botocore's model.
PAIR_TYPES: Final = {
    "cpu": "ECSServiceCPUUtilization",
    "memory": "ECSServiceMemoryUtilization",
    "requests": "ALBRequestCount",
}

#: Namespace, name, statistic of what an alarm watches (aws.md 1.5, 1.7: requests per target are read with Sum only),
#: and what a silent minute means: no task runs, which is no reason to act; or no request came, which is no load.
ALARM_METRICS: Final = {
    "cpu": ("AWS/ECS", "CPUUtilization", "Average", "missing"),
    "memory": ("AWS/ECS", "MemoryUtilization", "Average", "missing"),
    "requests": ("AWS/ApplicationELB", "RequestCountPerTarget", "Sum", "notBreaching"),
}

#: Stands where a resource label has to be put: AWS refuses it, so that it cannot be overlooked.
PLACEHOLDER: Final = "PUT-ALB-RESOURCE-LABEL-HERE"


def tracking(one: ServicePolicy) -> dict[str, Any]:
    """`TargetTrackingScalingPolicyConfiguration`, nothing left to a default."""
    return {
        "TargetValue": float(one.tracking.target),
        "PredefinedMetricSpecification": predefined(tracked_type(one), one),
        "ScaleOutCooldown": one.tracking.scale_out_cooldown,
        "ScaleInCooldown": one.tracking.scale_in_cooldown,
        "DisableScaleIn": one.tracking.disable_scale_in,
    }


def tracked_type(one: ServicePolicy) -> str:
    """The predefined metric that is tracked; of 20 seconds where the policy says so (aws.md 3.2)."""
    plain = METRIC_TYPES[one.tracking.metric]
    return f"{plain}HighResolution" if one.tracking.resolution == 20 else plain


def predefined(kind: str, one: ServicePolicy) -> dict[str, str]:
    """A predefined metric; of a load balancer's, at which target group it is counted."""
    label = {"ResourceLabel": one.service.alb_resource_label or PLACEHOLDER} if kind.startswith("ALB") else {}
    return {"PredefinedMetricType": kind, **label}


def stepping(steps: StepScaling) -> dict[str, Any]:
    """`StepScalingPolicyConfiguration`: bounds of the steps are relative to the alarm's threshold (aws.md 3.3).

    >>> stepping(StepScaling("cpu", 80, (Step(0, 10, 20), Step(10, None, 50)), least=2))["StepAdjustments"][1]
    {'MetricIntervalLowerBound': 10.0, 'ScalingAdjustment': 50}
    """
    percent = steps.by == "percent"
    return {
        "AdjustmentType": "PercentChangeInCapacity" if percent else "ChangeInCapacity",
        "StepAdjustments": [step_adjustment(step) for step in steps.steps],
        **({"MinAdjustmentMagnitude": steps.least} if percent else {}),  # AWS refuses it beside a count of tasks
        "Cooldown": steps.cooldown,
        "MetricAggregationType": "Average",
    }


def step_adjustment(step: Step) -> dict[str, float]:
    """One rung."""
    upper = {} if step.upper is None else {"MetricIntervalUpperBound": float(step.upper)}
    return {"MetricIntervalLowerBound": float(step.lower), **upper, "ScalingAdjustment": step.adjustment}


def predicting(predictive: PredictiveScaling, one: ServicePolicy) -> dict[str, Any]:
    """`PredictiveScalingPolicyConfiguration`: exactly one metric specification (aws.md 3.4)."""
    over = predictive.over
    breach: dict[str, str | int] = {"MaxCapacityBreachBehavior": "HonorMaxCapacity"}
    if over is not None:
        breach = {"MaxCapacityBreachBehavior": "IncreaseMaxCapacity", "MaxCapacityBuffer": over}
    return {
        "MetricSpecifications": [
            {
                "TargetValue": float(predictive.target),
                "PredefinedMetricPairSpecification": predefined(PAIR_TYPES[predictive.metric], one),
            }
        ],
        "Mode": predictive.mode,
        "SchedulingBufferTime": predictive.buffer,
        **breach,
    }


def alarm(one: ServicePolicy, steps: StepScaling) -> dict[str, Any]:
    """What calls a step policy: `PutMetricAlarm` without its action, for a step policy makes no alarm of its own.

    Missing data is no reason to act where no task runs; where no request came it is no load.
    """
    namespace, name, statistic, missing = ALARM_METRICS[steps.metric]
    return {
        "AlarmName": alarm_name(one, steps),
        "AlarmDescription": f"Calls the step scaling of {steps.metric}; written by capacity.",
        "Namespace": namespace,
        "MetricName": name,
        "Dimensions": dimensions(one, steps),
        "Statistic": statistic,
        "Period": 60,
        "EvaluationPeriods": steps.minutes,
        "DatapointsToAlarm": steps.minutes,
        "Threshold": float(steps.threshold),
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": missing,
    }


def alarm_name(one: ServicePolicy, steps: StepScaling) -> str:
    """Alarms share one space of names in a region, so that this one holds cluster and service as they are."""
    return f"capacity-{one.service.resource_id.removeprefix('service/')}-{steps.metric}-steps"


def dimensions(one: ServicePolicy, steps: StepScaling) -> list[dict[str, str]]:
    """Of which service, or at which target group of which load balancer."""
    if steps.metric == "requests":
        balancer, group = label_parts(one.service.alb_resource_label)
        return [{"Name": "LoadBalancer", "Value": balancer}, {"Name": "TargetGroup", "Value": group}]
    cluster = one.service.cluster
    own = one.service.resource_id.removeprefix(f"service/{cluster}/")
    return [{"Name": "ClusterName", "Value": cluster}, {"Name": "ServiceName", "Value": own}]


def label_parts(label: str) -> tuple[str, str]:
    """Load balancer and target group as CloudWatch names them (aws.md 1.8).

    >>> label_parts("app/front/50dc6c495c0c9188/targetgroup/web/943f017f100becff")
    ('app/front/50dc6c495c0c9188', 'targetgroup/web/943f017f100becff')
    """
    if not label:
        return PLACEHOLDER, PLACEHOLDER
    parts = label.split("/")
    return "/".join(parts[:3]), "/".join(parts[3:])
