"""The list of boto3 calls that `policy.render("boto3")` gives, read as the account would take it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from benchmarks.policy.cron import firings

#: Application Auto Scaling's own default where a call leaves a cooldown out (aws.md 3.2).
DEFAULT_COOLDOWN = 300

ORDER = ("register_scalable_target", "put_scaling_policy", "put_scheduled_action")


@dataclass(frozen=True)
class Action:
    """One scheduled action. Bounds that it does not set are None."""

    name: str
    schedule: str
    timezone: str
    start: datetime | None
    end: datetime | None
    minimum: int | None
    maximum: int | None

    def fires(self, start: datetime, end: datetime) -> list[datetime]:
        """Its firings in [start, end), UTC; StartTime and EndTime of the action count as inside."""
        found = firings(self.schedule, self.timezone, start, end)
        return [at for at in found if (self.start is None or at >= self.start) and (self.end is None or at <= self.end)]


@dataclass(frozen=True)
class Settings:
    """What the account holds for one service once the calls have been made."""

    minimum: int
    maximum: int
    target: float  # requests per task and minute; infinite: nothing tracks
    out_cooldown: int  # s
    in_cooldown: int  # s
    scales_in: bool
    actions: tuple[Action, ...]

    def changes(self, start: datetime, end: datetime) -> list[tuple[datetime, Action]]:
        """Every firing in [start, end), in the order of time and, within a minute, of the calls."""
        fired = [(at, place) for place, action in enumerate(self.actions) for at in action.fires(start, end)]
        return [(at, self.actions[place]) for at, place in sorted(fired)]


def settings(calls: Sequence[dict[str, Any]]) -> Settings:
    """The calls, read one after the other: a later one of the same name replaces an earlier one.

    Raises ValueError for an operation, a policy type, a metric or a field that this judge does not replay: what is
    not understood is not scored.
    """
    target: dict[str, Any] = {}
    policies: dict[str, dict[str, Any]] = {}
    actions: dict[str, Action] = {}
    services: set[tuple[str, str, str]] = set()
    for call in calls:
        operation, given = call["operation"], call["parameters"]
        if call["client"] != "application-autoscaling" or operation not in ORDER:
            raise ValueError(f"{call['client']}.{operation}: this judge replays {', '.join(ORDER)}")
        services.add((given["ServiceNamespace"], given["ResourceId"], given["ScalableDimension"]))
        if operation == "register_scalable_target":
            _only(given, {"MinCapacity", "MaxCapacity", "Tags", "SuspendedState"})
            if any(given.get("SuspendedState", {}).values()):
                raise ValueError("a suspended target does not scale: nothing to judge")
            target |= {key: given[key] for key in ("MinCapacity", "MaxCapacity") if key in given}
        elif not target:
            raise ValueError(f"{operation} comes before register_scalable_target: AWS refuses it")
        elif operation == "put_scaling_policy":
            policies[given["PolicyName"]] = _tracking(given)
        else:
            actions[given["ScheduledActionName"]] = _action(given)
    if len(services) != 1 or len(policies) > 1:
        raise ValueError(f"one service with at most one policy is judged; found {sorted(services)}, {sorted(policies)}")
    tracked = next(iter(policies.values()), None)
    return Settings(
        minimum=target["MinCapacity"],
        maximum=target["MaxCapacity"],
        target=float("inf") if tracked is None else float(tracked["TargetValue"]),
        out_cooldown=DEFAULT_COOLDOWN if tracked is None else tracked.get("ScaleOutCooldown", DEFAULT_COOLDOWN),
        in_cooldown=DEFAULT_COOLDOWN if tracked is None else tracked.get("ScaleInCooldown", DEFAULT_COOLDOWN),
        scales_in=tracked is not None and not tracked.get("DisableScaleIn", False),
        actions=tuple(actions.values()),
    )


def _tracking(given: dict[str, Any]) -> dict[str, Any]:
    _only(given, {"PolicyName", "PolicyType", "TargetTrackingScalingPolicyConfiguration"})
    if given["PolicyType"] != "TargetTrackingScaling":
        raise ValueError(f"{given['PolicyName']} is of {given['PolicyType']}: this judge replays TargetTrackingScaling")
    tracking: dict[str, Any] = given["TargetTrackingScalingPolicyConfiguration"]
    metric = tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
    if metric != "ALBRequestCountPerTarget" or not tracking["TargetValue"] > 0:
        raise ValueError(f"{given['PolicyName']} tracks {metric}: this judge replays ALBRequestCountPerTarget")
    return tracking


def _action(given: dict[str, Any]) -> Action:
    _only(given, {"ScheduledActionName", "Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction"})
    bounds = given["ScalableTargetAction"]
    return Action(
        name=given["ScheduledActionName"],
        schedule=given["Schedule"],
        timezone=given.get("Timezone", "UTC"),
        start=_moment(given.get("StartTime")),
        end=_moment(given.get("EndTime")),
        minimum=bounds.get("MinCapacity"),
        maximum=bounds.get("MaxCapacity"),
    )


def _moment(value: datetime | str | None) -> datetime | None:
    if value is None:
        return None
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _only(given: dict[str, Any], known: set[str]) -> None:
    unknown = set(given) - known - {"ServiceNamespace", "ResourceId", "ScalableDimension"}
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))}: this judge does not know what that does")
