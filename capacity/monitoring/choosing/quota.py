"""An account's quota of Fargate vCPU that comes near: shared by all services of a region, and no service's alarm."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from capacity.config import Account, Monitoring
from capacity.findings import Finding
from capacity.monitoring.alarm import Alarm
from capacity.monitoring.choosing.known import Proposal
from capacity.monitoring.conditions import Reading, Threshold
from capacity.monitoring.naming import named, page

#: All of a quarter of an hour: AWS publishes usage every five minutes, and a deployment's surge is over by then.
MINUTES: Final = 15
PERIOD: Final = 5
TIMES: Final = MINUTES // PERIOD


def quota(
    accounts: Iterable[Account], regions: Iterable[str], settings: Monitoring
) -> tuple[list[tuple[Account, Proposal]], list[Finding]]:
    """One for each region whose quota is stated; a finding for a region that services run in and none is stated for."""
    stated = {account.region: account for account in accounts if account.fargate_vcpu_quota is not None}
    proposals = [(account, _of(account, settings)) for account in stated.values()]
    findings = [
        Finding(
            "",
            "",
            "quota",
            "REVIEW",
            f"The quota of Fargate vCPU in {region} is not stated, so that no alarm watches it.",
            f'Add [[account]] region = "{region}", fargate_vcpu_quota = ... (L-3032A538).',
        )
        for region in dict.fromkeys(regions)
        if region not in stated
    ]
    return proposals, findings


def _of(account: Account, settings: Monitoring) -> Proposal:
    whole, share = account.fargate_vcpu_quota or 0.0, settings.quota_share
    ending = f"quota-{account.region}"
    alarm = Alarm(
        name=named(settings.prefix, "", ending),
        service="",
        kind="quota",
        severity="ticket",
        condition=Threshold(Reading("fargate_quota_share", minutes=PERIOD), ">=", share, TIMES, TIMES),
        summary=f"{share * 100:.0f} % of the Fargate vCPU quota in {account.region} is in use.",
        because=f"{share * whole:,.0f} of {whole:,.0f} vCPU (L-3032A538) for {MINUTES} minutes. At the quota no task "
        f"starts, of any service. To have it raised takes about {account.quota_change_days} days.",
        runbook=page("", ending),
        region=account.region,
    )
    return Proposal(alarm)
