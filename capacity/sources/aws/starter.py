"""A first capacity.toml from what runs in AWS: each value with where it was read, and FILL IN where AWS did not say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from capacity.config import FARGATE_SIZES
from capacity.config.text import toml
from capacity.sources.aws.ecs import Discovery, EcsService

#: Columns before the comment of a line.
_WIDTH = 40
#: Characters of a name in capacity.toml. ECS allows as many for a service, and again for its cluster.
_LONGEST_NAME = 255
#: Of the quotas that a discovery reads, those that capacity.toml has a key for: code -> key, what it is.
_QUOTAS = {
    "L-3032A538": ("fargate_vcpu_quota", "Fargate On-Demand vCPUs"),
    "L-36FBB829": ("fargate_spot_vcpu_quota", "Fargate Spot vCPUs"),
}


def starter_from(discovery: Discovery, history: str) -> str:
    """The text of a capacity.toml for every service found: it loads as it is, and a comment marks what to fill in.

    history  what [data] points to, relative to the file

    Names are those of `Discovery.named`: history has to be stored under the same, which a comment says how to do.
    """
    lines = [
        "# Settings of `capacity`, as discovered in AWS. Every key and its meaning: docs/configuration.md",
        *_naming(discovery),
        *(_comment(str(finding)) for finding in discovery.findings if finding.status == "UNKNOWN"),
        "",
        "[data]",
        f"history = {toml(history)}",
        *_accounts(discovery),
        "",
        "[goal]",
        _line("horizon", "91d", "how far to plan"),
        _line("level", 0.95, "how sure each interval shall be"),
        _line("survive_zone_loss", True),
    ]
    for name, service in discovery.named().items():
        if len(name) > _LONGEST_NAME:
            lines += ["", _comment(f"LEFT OUT: {name}: longer than {_LONGEST_NAME} characters")]
        else:
            lines += ["", "[[service]]", *_service(name, service)]
    return "\n".join(lines) + "\n"


def _naming(discovery: Discovery) -> Iterator[str]:
    """How to fetch history under the names of this file, when they are longer than a service's own."""
    depth = max((name.count("/") for name in discovery.named()), default=0)
    if depth == 1:
        yield "# Some clusters have services of the same name: fetch with --prefix, so that all are cluster/service."
    elif depth > 1:
        yield "# Regions or accounts have the same cluster/service: a history and a file each keeps them apart."


def _accounts(discovery: Discovery) -> Iterator[str]:
    """One [[account]] a region: quotas are a region's own."""
    regions = {service.region for service in discovery.services} | {region for region, _, _ in discovery.quotas}
    for region in sorted(regions):
        yield from ("", "[[account]]", _line("region", region))
        for code, (key, what) in _QUOTAS.items():
            quotas = {value for place, known, value in discovery.quotas if (place, known) == (region, code)}
            if len(quotas) == 1 and min(quotas) > 0:
                yield _line(key, quotas.pop(), f"Service Quotas, {code}: {what}")
            elif quotas:
                both = ", ".join(f"{value:g}" for value in sorted(quotas))
                yield f"# FILL IN: {key}: {both} in several accounts, which one is planned here?"
            else:
                yield f"# FILL IN: {key}: Service Quotas, {code}"


def _service(name: str, service: EcsService) -> Iterator[str]:
    yield _line("name", name)
    yield _line("cluster", service.cluster)
    yield _line("region", service.region)
    yield from _runs_on(service)
    yield from _size(service)
    yield from _range("zones", service.zones, (1, 6), "zones of its subnets", "zones its tasks spread over")
    yield from _bounds(service)
    startup = None if service.startup_seconds is None else round(service.startup_seconds)
    said = "median of running tasks, asked for to running; health checks come on top"
    yield from _range("startup_seconds", startup, (0, 3600), said, "from asking for a task to it serving")
    yield from _targets(service)
    yield from _deployment(service)
    yield from _requests(service)
    yield from _schedule(service)


def _runs_on(service: EcsService) -> Iterator[str]:
    """FARGATE where Fargate has the size; everything else is priced by the instance, which is EC2 to us."""
    says = service.launch_type or ", ".join(
        f"{name} base {base} weight {weight}" for name, base, weight in service.capacity_providers
    )
    unsized = service.task_vcpu is None and service.task_memory_gib is None
    fargate = service.fargate and (unsized or _on_fargate(service))
    odd = "" if fargate or not service.fargate else ", of a size that Fargate does not have"
    yield _line("launch_type", "FARGATE" if fargate else "EC2", (says or "AWS names no launch type") + odd)


def _on_fargate(service: EcsService) -> bool:
    """Whether Fargate has this task size."""
    vcpu, gib = service.task_vcpu or 0, service.task_memory_gib or 0
    return round(gib * 1024) in FARGATE_SIZES.get(round(vcpu * 1024), ())


def _size(service: EcsService) -> Iterator[str]:
    definition = service.task_definition.rsplit("/", 1)[-1]
    if service.architecture in ("x86_64", "arm64"):
        yield _line("architecture", service.architecture)
    else:
        yield f"# FILL IN: architecture: {_comment(service.architecture or 'AWS does not say')[2:]}"
    for key, value, what in (
        ("task_vcpu", service.task_vcpu, "reserved by one task"),
        ("task_memory_gib", service.task_memory_gib, "GiB reserved by one task"),
    ):
        yield _line(key, value, f"task definition {definition}") if value else f"# FILL IN: {key}: {what}"
    if service.storage_gib is not None:
        yield from _range("ephemeral_storage_gib", service.storage_gib, (20, 200), f"task definition {definition}", "")


def _bounds(service: EcsService) -> Iterator[str]:
    """Today's bounds, both or neither: one beside the default of the other could contradict it."""
    least, most = service.min_tasks, service.max_tasks
    if least is None or most is None:
        yield f"# FILL IN: min_tasks and max_tasks: no scalable target was read; {service.desired} tasks are wanted now"
    elif 0 <= least <= most and 1 <= most <= 5000:
        yield _line("min_tasks", least, "scalable target, today")
        yield _line("max_tasks", most)
    else:
        yield f"# FILL IN: min_tasks and max_tasks: today's {least} and {most} are outside of what can be planned"


def _targets(service: EcsService) -> Iterator[str]:
    """Targets of target tracking: the planner has to aim where the policy does, or they would undo each other."""
    shares = {"ECSServiceAverageCPUUtilization": "cpu_target", "ECSServiceAverageMemoryUtilization": "memory_target"}
    written: set[str] = set()
    for policy in service.policies:
        metric, value = _tracked(policy)
        key = shares.get(metric)
        if key and key not in written and 0 < value <= 100:
            written.add(key)
            yield _line(key, value / 100, _policy_words(policy))
            if key == "cpu_target":
                yield _line("target_value", value, "today's target, percent CPU")
        else:
            yield _comment(_policy_words(policy))
    requests = next((value for metric, value in map(_tracked, service.policies) if "RequestCount" in metric), None)
    today = f"; today's policy aims at {requests:g} a minute, {requests / 60:.4g} a second" if requests else ""
    if service.target_groups or requests:
        yield f"# FILL IN: requests_per_second_per_task: what one task serves within the SLO{today}"
    if requests and "cpu_target" not in written:
        yield f"# FILL IN: target_value = {requests:g}, once requests_per_second_per_task is there"


def _tracked(policy: dict[str, Any]) -> tuple[str, float]:
    """(what a target-tracking policy tracks, its target); ("", 0) for a policy of another kind."""
    tracking = policy.get("TargetTrackingScalingPolicyConfiguration")
    if tracking is None:
        return "", 0.0
    predefined = tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
    return predefined or tracking.get("CustomizedMetricSpecification", {}).get("MetricName", ""), tracking[
        "TargetValue"
    ]


def _policy_words(policy: dict[str, Any]) -> str:
    metric, value = _tracked(policy)
    kind = {"TargetTrackingScaling": "target tracking", "StepScaling": "step scaling"}.get(
        policy["PolicyType"], policy["PolicyType"]
    )
    return f"policy {policy['PolicyName']}: {kind}" + (f" {metric} {value:g}" if value else "")


def _deployment(service: EcsService) -> Iterator[str]:
    least, most = service.minimum_healthy_percent, service.maximum_percent
    said = f"deployment configuration, {service.strategy or 'ROLLING'}"
    if least is None or most is None:
        yield "# FILL IN: minimum_healthy_percent and maximum_percent: of the ECS deployment configuration"
    elif 0 <= least <= 100 <= most <= 400 and (least, most) != (100, 100):
        yield _line("minimum_healthy_percent", least, said)
        yield _line("maximum_percent", most)
    else:
        yield f"# FILL IN: minimum_healthy_percent and maximum_percent: {least} and {most} cannot be planned ({said})"


def _requests(service: EcsService) -> Iterator[str]:
    """The target group that a policy names, else the first of a load balancer."""
    labels = [group.resource_label for group in service.target_groups if group.resource_label]
    named = [
        policy["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"].get("ResourceLabel")
        for policy in service.policies
        if _tracked(policy)[0] == "ALBRequestCountPerTarget"
    ]
    labels = list(dict.fromkeys([label for label in named if label] + labels))
    if labels:
        yield _line("alb_resource_label", labels[0])
    yield from (_comment(f"also behind {label}") for label in labels[1:])


def _schedule(service: EcsService) -> Iterator[str]:
    zones = {action.get("Timezone", "UTC") for action in service.scheduled}
    zone = zones.pop() if len(zones) == 1 else ""
    if zone and _is_zone(zone):
        yield _line("timezone", zone, "of its scheduled actions")
    for action in service.scheduled:
        to = action.get("ScalableTargetAction", {})
        bounds = ", ".join(f"{key[:3].lower()} {to[key]}" for key in ("MinCapacity", "MaxCapacity") if key in to)
        when = f"{action['Schedule']} {action.get('Timezone', 'UTC')}"
        yield _comment(f"scheduled action {action['ScheduledActionName']}: {when}: {bounds}")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _range(key: str, value: float | None, bounds: tuple[float, float], said: str, what: str) -> Iterator[str]:
    """A key with a value of AWS's, or what to fill in when there is none or it is out of range."""
    if value is None:
        yield f"# FILL IN: {key}: {what}"
    elif bounds[0] <= value <= bounds[1]:
        yield _line(key, value, said)
    else:
        yield f"# FILL IN: {key}: {value:g} ({said}) is not between {bounds[0]:g} and {bounds[1]:g}"


def _line(key: str, value: Any, comment: str = "") -> str:
    """A key, its value, and why in a comment that cannot end early.

    >>> _line("zones", 3, "of its subnets")
    'zones = 3                               # of its subnets'
    """
    text = f"{key} = {toml(value)}"
    return f"{text:<{_WIDTH - 1}} {_comment(comment)}" if comment else text


def _comment(text: str) -> str:
    """Foreign text as one line of comment: TOML allows no control character there.

    >>> _comment("night" + chr(10) + "min_tasks = 0")
    '# night?min_tasks = 0'
    """
    return "# " + "".join(letter if letter.isprintable() else "?" for letter in text)
