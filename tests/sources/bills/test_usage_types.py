"""Names of usage in bills of real accounts, and names that look like them."""

from __future__ import annotations

import pytest

from capacity.sources.bills.usage_types import usage_of

FARGATE = {
    "USE1-Fargate-vCPU-Hours:perCPU": ("vcpu", "x86_64", "on-demand"),
    "USE1-Fargate-GB-Hours": ("memory", "x86_64", "on-demand"),
    "USE1-Fargate-ARM-vCPU-Hours:perCPU": ("vcpu", "arm64", "on-demand"),
    "USE1-Fargate-ARM-GB-Hours": ("memory", "arm64", "on-demand"),
    "USE1-SpotUsage-Fargate-vCPU-Hours:perCPU": ("vcpu", "x86_64", "spot"),
    "USE1-SpotUsage-Fargate-GB-Hours": ("memory", "x86_64", "spot"),
    "EUC1-SpotUsage-Fargate-ARM-vCPU-Hours:perCPU": ("vcpu", "arm64", "spot"),
    "USE1-Fargate-Windows-vCPU-Hours:perCPU": ("vcpu", "x86_64", "on-demand"),
    "USE1-Fargate-Windows-GB-Hours": ("memory", "x86_64", "on-demand"),
    "USE1-Fargate-Windows-OS-Hours:perCPU": ("os", "x86_64", "on-demand"),
    "USE1-Fargate-EphemeralStorage-GB-Hours": ("storage", "", "on-demand"),
    "EU-Fargate-GB-Hours": ("memory", "x86_64", "on-demand"),
    "Fargate-GB-Hours": ("memory", "x86_64", "on-demand"),
    "USE1-ECS-EC2-vCPU-Hours": ("", "", ""),
}


@pytest.mark.parametrize("usage_type", FARGATE)
@pytest.mark.parametrize("unit", ["Hrs", "Hours", "N/A", ""])
def test_every_name_of_fargate_says_resource_architecture_and_purchase(usage_type: str, unit: str) -> None:
    usage = usage_of(usage_type, unit)
    assert usage is not None and (usage.resource, usage.architecture, usage.purchase) == FARGATE[usage_type]
    assert usage.hours == 1.0 and usage.unit in ("vCPU-hours", "GB-hours")


@pytest.mark.parametrize(
    ("usage_type", "unit"),
    [
        ("USE1-Fargate-GB-Hours-Extra", "Hrs"),
        ("XFargate-GB-Hours", "Hrs"),
        ("use1-fargate-gb-hours", "Hrs"),
        ("USE1-Fargate-GPU-Hours", "Hrs"),
        ("USE1-Fargate-GB-Hours", "GB"),  # a unit that is no time: who knows what is counted
        ("USE1-Fargate-GB-Hours\n", "Hrs"),
        ("USE1-BoxUsage:m5.large", "Hrs"),
        ("Standard vCPU Active Usage", ""),  # the name of this one says no unit
        ("Standard vCPU Active Usage", "100 Hours"),  # hours, or hundreds of them
        ("Standard Requests", "1M"),
        ("", ""),
    ],
)
def test_what_only_looks_like_one_is_not_known(usage_type: str, unit: str) -> None:
    assert usage_of(usage_type, unit) is None


@pytest.mark.parametrize(
    ("usage_type", "unit", "resource", "seconds"),
    [
        ("Standard vCPU Active Usage", "1 Second", "vcpu", 1),
        ("Standard vCPU Idle Usage", "Seconds", "vcpu", 1),
        ("Standard Memory Active Usage", "1 GiB Second", "memory", 1),
        ("Standard Memory Active Usage - Free", "GB-Seconds", "memory", 1),
        ("Dedicated vCPU Usage", "1 Hour", "vcpu", 3600),
    ],
)
def test_azure_counts_in_seconds_or_hours(usage_type: str, unit: str, resource: str, seconds: int) -> None:
    usage = usage_of(usage_type, unit)
    assert usage is not None and usage.resource == resource and usage.hours * 3600 == seconds
