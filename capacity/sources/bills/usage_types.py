"""What a provider calls a kind of usage -> which resource, which processor, how it was bought."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

#: Quantities of these resources are kept in these units, whatever the provider counts in.
#: A GB of Fargate memory is a GiB: task sizes are given in MiB, "512 (0.5 GB), 1024 (1 GB)" (Amazon ECS task
#: definition parameters), and Azure Container Apps bills GiB-seconds (Azure retail prices, meter units).
UNITS: Final = {"vcpu": "vCPU-hours", "memory": "GB-hours", "storage": "GB-hours", "os": "vCPU-hours"}


class Usage(NamedTuple):
    """What one usage type stands for. `hours`: multiply a quantity by this, to have it in `unit`."""

    resource: str  # vcpu, memory, storage, os; empty for metering that costs nothing
    architecture: str  # x86_64, arm64; empty where it is neither
    purchase: str  # on-demand or spot; empty where the name does not say
    unit: str
    hours: float


#: Usage types of AWS Fargate, as they stand in bills of real accounts. The whole name has to match: `Fargate-GB-Hours`
#: is a part of several others. The prefix is opaque (eu-west-1 is `EU`), and may be missing.
_FARGATE: Final = re.compile(
    r"(?:[A-Z]{2,4}\d*-)?(?P<spot>SpotUsage-)?Fargate-(?P<kind>ARM-|Windows-|EphemeralStorage-)?"
    r"(?P<what>vCPU|GB|OS)-Hours(?::perCPU)?"
)
#: What ECS reports of tasks on EC2 instances: metered, and free of charge. The instances are billed as EC2.
_METERED: Final = re.compile(r"(?:[A-Z]{2,4}\d*-)?ECS-EC2-(?P<what>vCPU|GB)-Hours(?::perCPU)?")
#: Meters of Azure Container Apps (Azure retail prices): `Standard vCPU Active Usage`, `Dedicated Memory Usage` ...
_CONTAINER_APPS: Final = re.compile(r"(?:\w+ )*(?P<what>vCPU|Memory)(?: Active| Idle)? Usage(?: - Free)?")
#: `Hrs` (Cost Explorer, also for GB-hours), `Hours` (AWS exports), `1 GiB Second`, `Seconds` (Azure). A unit of more
#: than one (`100 Hours`) leaves open whether the quantity counts hours or hundreds of them, and is not known.
_UNIT: Final = re.compile(r"(?:1 )?(?:(?:vCPU|GB|GiB)[- ]?)?(?P<length>hours?|hrs?|seconds?)", re.IGNORECASE)


def usage_of(usage_type: str, unit: str = "") -> Usage | None:
    """What a usage type stands for; None when it, or its unit, is none of those known here.

    unit  as the provider says it; empty or `N/A` where it does not: then what the name says

    >>> usage_of("EUC1-SpotUsage-Fargate-ARM-vCPU-Hours:perCPU", "Hrs")
    Usage(resource='vcpu', architecture='arm64', purchase='spot', unit='vCPU-hours', hours=1.0)
    >>> usage_of("EU-Fargate-GB-Hours").resource, usage_of("Fargate-EphemeralStorage-GB-Hours").resource
    ('memory', 'storage')
    >>> usage_of("USE1-ECS-EC2-GB-Hours", "Hrs").resource, usage_of("USE1-DataTransfer-Out-Bytes", "GB")
    ('', None)
    >>> usage_of("Standard Memory Active Usage", "1 GiB Second").hours * 3600
    1.0
    """
    metered, fargate = _METERED.fullmatch(usage_type), _FARGATE.fullmatch(usage_type)
    azure = _CONTAINER_APPS.fullmatch(usage_type)
    hours = _hours(unit, said_by_name=azure is None)
    if hours is None:
        return None
    if metered is not None:
        return Usage("", "", "", f"{metered['what']}-hours", hours)
    if fargate is not None:
        resource, architecture = _fargate(fargate["kind"] or "", fargate["what"])
        return Usage(resource, architecture, "spot" if fargate["spot"] else "on-demand", UNITS[resource], hours)
    if azure is not None:
        resource = "vcpu" if azure["what"] == "vCPU" else "memory"
        return Usage(resource, "x86_64", "on-demand", UNITS[resource], hours)
    return None


def _fargate(kind: str, what: str) -> tuple[str, str]:
    """(resource, architecture). Windows runs on x86_64 only; its `OS` hours are licences, one for each vCPU-hour."""
    if kind == "EphemeralStorage-":
        return "storage", ""
    resource = {"vCPU": "vcpu", "GB": "memory", "OS": "os"}[what]
    return resource, "arm64" if kind == "ARM-" else "x86_64"


def _hours(unit: str, said_by_name: bool) -> float | None:
    """Hours in one of `unit`; None when it is no time."""
    if unit in ("", "N/A"):
        return 1.0 if said_by_name else None
    found = _UNIT.fullmatch(unit.strip())
    if found is None:
        return None
    return 1 / 3600 if found["length"].lower().startswith("s") else 1.0
