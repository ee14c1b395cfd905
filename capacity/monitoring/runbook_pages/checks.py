"""First checks: what to look at before anything is done. Each only reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from capacity.config.slo import Slo
from capacity.monitoring.alarm import Kind
from capacity.monitoring.conditions import All, AnyOf, BurnRate, Condition, Reading
from capacity.monitoring.dashboards.parts import Line
from capacity.monitoring.measuring import constants, in_cloudwatch
from capacity.monitoring.runbook_pages.commands import NOW, Aws, Command, PromQL, ago
from capacity.monitoring.runbook_pages.subject import Subject
from capacity.monitoring.signals import signal

#: Minutes that are looked back over, in steps of five.
LOOK_BACK: Final = 180
STEP: Final = 300  # seconds


@dataclass(frozen=True)
class Check:
    """Something to look at, and what it tells."""

    title: str
    tells: str
    commands: tuple[Command, ...]


def alarm_itself(about: Subject) -> Check:
    names = {"AlarmNames": [about.alarm.name], "AlarmTypes": ["MetricAlarm", "CompositeAlarm"]}
    shown = "[MetricAlarms,CompositeAlarms][].{alarm:AlarmName,state:StateValue,since:StateUpdatedTimestamp}"
    asked = Aws("cloudwatch", "describe_alarms", about.region, names, query=shown)
    return Check(
        "Is it still so?", "An alarm that is OK again may have been a short peak: read on before acting.", (asked,)
    )


def measured(about: Subject) -> Check | None:
    """What the alarm reads, over the last three hours: from CloudWatch, and from Prometheus where it is asked."""
    commands: list[Command] = []
    for number, reading in enumerate(dict.fromkeys(readings(about.alarm.condition))):
        commands += _values(about, reading, number)
    if not commands:
        return None
    return Check(
        "What does it measure?", "The last three hours, in steps of five minutes, newest first.", tuple(commands)
    )


def _values(about: Subject, reading: Reading, number: int) -> Iterator[Command]:
    found = in_cloudwatch(reading.signal, about.service, constants(about.service, about.account), reading.stat)
    if found is not None:
        queries = [
            {
                "Id": part.id,
                "MetricStat": {
                    "Metric": {
                        "Namespace": part.namespace,
                        "MetricName": part.name,
                        "Dimensions": [{"Name": n, "Value": v} for n, v in part.dimensions(about.service) or ()],
                    },
                    "Period": STEP,
                    "Stat": part.stat,
                },
                "ReturnData": False,
            }
            for part in found.parts
        ]
        label = f"{reading.signal} {reading.stat}, {signal(reading.signal).unit}"
        queries.append({"Id": f"shown{number}", "Expression": found.expression, "Label": label, "ReturnData": True})
        yield Aws(
            "cloudwatch",
            "get_metric_data",
            about.region,
            {"MetricDataQueries": queries},
            {"start-time": ago(LOOK_BACK), "end-time": NOW},
            query="MetricDataResults[0].[Timestamps,Values]",
        )
    line = Line(about.service, reading.signal, reading.signal, reading.stat)
    if about.questions.settings is not None and (asked := about.questions.of(line, about.account, STEP)) is not None:
        yield PromQL(asked)


def readings(condition: Condition) -> Iterator[Reading]:
    """Every signal that an alarm reads."""
    if isinstance(condition, All | AnyOf):
        for part in condition.parts:
            yield from readings(part)
    elif isinstance(condition, BurnRate):
        yield condition.reading or Reading("error_ratio")
    else:
        yield condition.reading


def budget(about: Subject) -> Check | None:
    """What is left of the error budget, where Prometheus is asked: it looks back as far as the promise does."""
    if about.questions.settings is None:
        return None
    promised: tuple[Slo, ...] = about.service.slo
    lines = [Line(about.service, "", slo.name, measure="budget", slo=slo) for slo in promised]
    asked = [text for line in lines if (text := about.questions.of(line, about.account, STEP)) is not None]
    if not asked:
        return None
    return Check(
        "How much of the error budget is left?",
        "In percent; below zero, the promise is broken.",
        tuple(map(PromQL, asked)),
    )


def service_state(about: Subject) -> Check:
    named = {"cluster": about.service.cluster, "services": [about.ecs_name]}
    counts = "running:runningCount,desired:desiredCount,pending:pendingCount,failed:failedTasks"
    rolled = (
        f"services[0].deployments[].{{status:status,{counts},state:rolloutState,task:taskDefinition,since:createdAt}}"
    )
    return Check(
        "Tasks, deployments and events",
        "A deployment that began shortly before the alarm is the first suspect. Pending tasks wait for room, an "
        "address or an image; the events say which.",
        (
            Aws("ecs", "describe_services", about.region, named, query=rolled),
            Aws("ecs", "describe_services", about.region, named, query="services[0].events[:8].[createdAt,message]"),
        ),
    )


def stopped_tasks(about: Subject) -> Check:
    where = {"cluster": about.service.cluster}
    none = ('"$STOPPED" = "[]"', "no task stopped within the hour")
    listed = {**where, "serviceName": about.ecs_name, "desiredStatus": "STOPPED"}
    shown = (
        "tasks[].{stopped:stoppedAt,why:stoppedReason,code:stopCode,exits:join(',',containers[].to_string(exitCode))}"
    )
    return Check(
        "Why did tasks stop?",
        "Exit code 137 is memory; health checks and failed starts are said in words. ECS keeps stopped tasks an hour.",
        (
            Aws("ecs", "list_tasks", about.region, listed, query="taskArns[:10]", keep="STOPPED", kept_as="json"),
            Aws("ecs", "describe_tasks", about.region, where, {"tasks": "$STOPPED"}, shown, unless=none),
        ),
    )


def bounds(about: Subject) -> Check:
    target = {"ServiceNamespace": "ecs", "ResourceIds": [about.service.resource_id]}
    activities = {"ServiceNamespace": "ecs", "ResourceId": about.service.resource_id}
    shown = "ScalableTargets[].{min:MinCapacity,max:MaxCapacity,suspended:SuspendedState.DynamicScalingOutSuspended}"
    client = "application-autoscaling"
    return Check(
        "What may the autoscaler do, and what did it do?",
        f"The plan was made with {about.service.min_tasks} to {about.service.max_tasks} tasks. Activities that failed "
        "say why; none at all while the load rises means that scaling is suspended, or that its metric is silent.",
        (
            Aws(client, "describe_scalable_targets", about.region, target, query=shown),
            Aws(
                client,
                "describe_scaling_activities",
                about.region,
                {**activities, "MaxResults": 10},
                query="ScalingActivities[].[StartTime,StatusCode,Description,StatusMessage]",
            ),
            Aws(
                client,
                "describe_scheduled_actions",
                about.region,
                activities,
                query="ScheduledActions[].[ScheduledActionName,Schedule,ScalableTargetAction.MinCapacity]",
            ),
        ),
    )


def targets(about: Subject) -> Check | None:
    """Which tasks the load balancer holds for healthy."""
    _, found, group = about.service.alb_resource_label.partition("/targetgroup/")
    if not found:
        return None
    named = {"Names": [group.split("/")[0]]}
    shown = "TargetHealthDescriptions[].{task:Target.Id,state:TargetHealth.State,why:TargetHealth.Description}"
    return Check(
        "Which tasks does the load balancer hold for healthy?",
        "Fewer healthy than running: tasks start but fail their check.",
        (
            Aws(
                "elbv2",
                "describe_target_groups",
                about.region,
                named,
                query="TargetGroups[0].TargetGroupArn",
                keep="GROUP",
            ),
            Aws("elbv2", "describe_target_health", about.region, {}, {"target-group-arn": "$GROUP"}, query=shown),
        ),
    )


def quota(about: Subject) -> Check:
    asked = {"ServiceCode": "fargate", "QuotaCode": "L-3032A538"}
    usage = [{"Name": n, "Value": v} for n, v in signal("fargate_vcpu").cloudwatch.parts[0].fixed]  # type: ignore[union-attr]
    used = {"Namespace": "AWS/Usage", "MetricName": "ResourceCount", "Dimensions": usage, "Period": STEP}
    return Check(
        "How much of the quota is in use?",
        "vCPU of Fargate On-Demand, of all services of the account in this region.",
        (
            Aws("service-quotas", "get_service_quota", about.region, asked, query="Quota.{name:QuotaName,value:Value}"),
            Aws(
                "cloudwatch",
                "get_metric_statistics",
                about.region,
                {**used, "Statistics": ["Maximum"]},
                {"start-time": ago(LOOK_BACK), "end-time": NOW},
                query="sort_by(Datapoints,&Timestamp)[-6:].[Timestamp,Maximum]",
            ),
            Aws(
                "service-quotas",
                "list_requested_service_quota_change_history_by_quota",
                about.region,
                asked,
                query="RequestedQuotas[:3].[Created,Status,DesiredValue]",
            ),
        ),
    )


def metrics_there(about: Subject) -> Check:
    dimensions = [
        {"Name": "ClusterName", "Value": about.service.cluster},
        {"Name": "ServiceName", "Value": about.ecs_name},
    ]
    asked = {"Namespace": "AWS/ECS", "Dimensions": dimensions, "RecentlyActive": "PT3H"}
    return Check(
        "Does anything still report?",
        "Nothing here while tasks run: CloudWatch is late, or the service was renamed. Nothing here and no task runs: "
        "the service is down, and that is the news.",
        (Aws("cloudwatch", "list_metrics", about.region, asked, query="Metrics[].MetricName"),),
    )


_Maker = Callable[[Subject], Check | None]

#: Kind of alarm -> what to look at, in this order.
CHECKS: Final[dict[Kind, tuple[_Maker, ...]]] = {
    "burn_fast": (alarm_itself, service_state, measured, targets, stopped_tasks, budget, bounds),
    "burn_slow": (alarm_itself, measured, budget, service_state, targets, bounds),
    "saturation": (alarm_itself, measured, bounds, service_state, targets),
    "leak": (alarm_itself, measured, stopped_tasks, service_state),
    "pinned": (alarm_itself, bounds, measured, service_state, quota),
    "forecast_breach": (alarm_itself, measured, bounds),
    "silence": (service_state, metrics_there, measured, stopped_tasks, alarm_itself),
    "quota": (alarm_itself, quota),
    "anomaly": (alarm_itself, measured, service_state, targets),
}


def checks_of(about: Subject) -> list[Check]:
    """Those of the alarm's kind that can be made."""
    made = (make(about) for make in CHECKS[about.alarm.kind])
    return [check for check in made if check is not None]
