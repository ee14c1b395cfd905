"""What every rule of this room shares."""

from __future__ import annotations

from capacity.findings import Finding, Status
from capacity.scaling.policy import ServicePolicy


def finding(one: ServicePolicy, check: str, status: Status, message: str, advice: str = "") -> Finding:
    """Of a service. FAIL: AWS would refuse it; REVIEW: it would do what nobody meant."""
    return Finding(one.service.name, "", check, status, message, advice)
