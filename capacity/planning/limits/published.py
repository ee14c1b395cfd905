"""What AWS publishes of its limits. Each stands until an account states its own; a row says which of the two it is."""

from __future__ import annotations

from typing import Final

from capacity.config import Service

#: Tasks in one service (reference aws.md 4.3, quota L-92E49DE3).
ECS_TASKS_PER_SERVICE: Final = 5000

#: Tasks in one service that uses Service Connect or Cloud Map (reference aws.md 4.3).
TASKS_WITH_SERVICE_CONNECT: Final = 1000

#: Tasks of one service that Fargate starts in a minute; not adjustable. Source: Amazon ECS Developer Guide, service
#: quotas, "Rate of tasks launched by a service on AWS Fargate".
LAUNCHES_PER_MINUTE: Final = 500

#: Tasks of one cluster in PROVISIONING; for capacity providers of EC2 only (reference aws.md 4.3, quota L-B7718569:
#: the value is not verified; Amazon ECS Developer Guide, "Handle service quotas and API throttling limits").
PROVISIONING_TASKS: Final = 500

#: Targets of one Application Load Balancer, and of one target group (quotas L-7E6692B2 and L-A0D0B863). Source: Elastic
#: Load Balancing User Guide, "Quotas for your Application Load Balancers".
TARGETS: Final = 1000

#: Share of a published limit from which it is worth a row; what an account states always has one.
NEAR: Final = 0.8


def tasks_of_service(service: Service) -> int:
    """How many tasks ECS runs of the service.

    >>> tasks_of_service(Service(name="web")), tasks_of_service(Service(name="web", service_connect=True))
    (5000, 1000)
    """
    return TASKS_WITH_SERVICE_CONNECT if service.service_connect else ECS_TASKS_PER_SERVICE
