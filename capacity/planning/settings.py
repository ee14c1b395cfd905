"""Do a service's settings let the goal be kept at all? What no count can repair is a finding."""

from __future__ import annotations

import numpy as np

from capacity.config import Goal, Service
from capacity.findings import Finding


def settings_findings(service: Service, goal: Goal, tasks: np.ndarray) -> list[Finding]:
    """Settings that stand in the way, given the plan's counts (H,)."""
    found = [one_zone(service, goal), no_healthy_minimum(service, goal), stuck_deployment(service, tasks)]
    return [finding for finding in found if finding is not None]


def one_zone(service: Service, goal: Goal) -> Finding | None:
    """The loss of a zone is to be survived, with one zone."""
    if not goal.survive_zone_loss or service.zones > 1 or service.tier == "batch":
        return None
    return _review(
        service,
        "zones",
        "It runs in one zone, so no count of tasks survives the loss of it; the plan does not cover it.",
        "Spread it over two zones or more, or set survive_zone_loss = false.",
    )


def no_healthy_minimum(service: Service, goal: Goal) -> Finding | None:
    """A deployment is to be survived that may stop every task."""
    if not goal.survive_deployment or service.minimum_healthy_percent > 0:
        return None
    return _review(
        service,
        "deployment",
        "minimum_healthy_percent is 0, so a deployment may stop every task; the plan does not cover it.",
        "Raise minimum_healthy_percent, or set survive_deployment = false.",
    )


def stuck_deployment(service: Service, tasks: np.ndarray) -> Finding | None:
    """A rolling deployment can neither stop nor start a task: minimum rounds up, maximum rounds down.

    Source: botocore, ECS CreateService `deploymentConfiguration` (reference aws.md 4.2).

    >>> web = Service(name="web", minimum_healthy_percent=90, maximum_percent=110)
    >>> print(stuck_deployment(web, np.array([4, 20])).message)
    At 4 tasks a deployment cannot move: at least 4 have to stay and at most 4 may run.
    """
    counts = np.unique(tasks[tasks > 0])
    least = -(-counts * service.minimum_healthy_percent // 100)
    most = counts * service.maximum_percent // 100
    stuck = counts[least >= most]
    if len(stuck) == 0:
        return None
    count = stuck[0]
    return _review(
        service,
        "deployment",
        f"At {count:,} task{'' if count == 1 else 's'} a deployment cannot move: at least {count:,} have to stay and "
        f"at most {count:,} may run.",
        "Lower minimum_healthy_percent or raise maximum_percent.",
    )


def _review(service: Service, check: str, message: str, advice: str) -> Finding:
    return Finding(service.name, "", check, "REVIEW", message, advice)
