"""All limits that services share, weighed on the same paths: what they take is added up as each of them is planned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.blocks import blocks
from capacity.config import Account, Service
from capacity.findings import Finding
from capacity.planning.limits import behind, groups, regions
from capacity.planning.limits.regions import ON_DEMAND, SPOT, account_name, in_quota
from capacity.planning.limits.sharing import Place, SharedUse, Taken, Tasks, Used
from capacity.planning.limits.weighed import Weighed, weighed
from capacity.planning.matching import Asked
from capacity.planning.words import first_few

#: How an account's limits are found out (reference aws.md 4.3 and 8.6): `{}` is the region.
_QUOTA: Final = "aws service-quotas get-service-quota --service-code fargate --quota-code {code} --region {region}"
_SUBNETS: Final = (
    'aws ec2 describe-subnets --region {region} --query "Subnets[].[SubnetId,AvailabilityZone,AvailableIpAddressCount]"'
)


class Shared(NamedTuple):
    """What limits that services share add to a plan."""

    weighed: list[Weighed]
    findings: list[Finding]


class Together:
    """What services take of the limits they share, path by path, added up service by service.

    A limit is weighed, and its sums are dropped, as soon as the last of its services has been added: a fleet with a
    database behind each service would else keep two large arrays for each.
    """

    def __init__(self, ask: Asked, planned: Sequence[Service], times: pd.DatetimeIndex) -> None:
        self._ask, self._times = ask, times
        self._accounts = {account.region: account for account in ask.accounts}
        self._stated = behind.stated_by(ask.services)
        nothing = np.zeros((1, 1), dtype=np.int64)
        self._places = {
            one.name: [_place(taken) for taken in self._takes(Tasks(one, nothing, nothing))] for one in planned
        }
        self._waiting = Counter(place for places in self._places.values() for place in places)
        self._order = {place: number for number, place in enumerate(sorted(self._waiting, key=self._rank))}
        self._uses: dict[Place, SharedUse] = {}
        self._weighed: list[tuple[int, Weighed]] = []

    def add(self, service: Service, counts: np.ndarray, requests: np.ndarray | None = None) -> None:
        """Add a service whose paths need `counts` (P, H) whole tasks, and bring `requests` (P, H) a second."""
        for some in blocks(len(counts)):
            for taken in self._takes(Tasks(service, counts[some], None if requests is None else requests[some])):
                use = self._uses.setdefault(_place(taken), SharedUse())
                if some.start == 0:
                    (use.services if isinstance(taken, Taken) else use.unknown).append(service.name)
                if isinstance(taken, Taken):
                    use.add_some(some, len(counts), taken.running, taken.surge)
        for place in self._places[service.name]:
            self._waiting[place] -= 1
            if self._waiting[place] == 0:
                use = self._uses[place]
                self._weighed += [(self._order[place], found) for found in self._weigh({place: use})]
                use.forget()

    def _takes(self, tasks: Tasks) -> Iterator[Taken | Place]:
        yield from regions.of_region(tasks, self._accounts.get(tasks.service.region), self._ask.goal)
        yield from groups.of_groups(tasks)
        yield from behind.of_behind(tasks)

    def _rank(self, place: Place) -> tuple[int, int, int]:
        """Region by region as accounts are given, then load balancers and clusters, then what stands behind."""
        if place.kind in regions.KINDS:
            regional = [*self._accounts, place.of.split(" ")[0]]
            return 0, regional.index(place.of.split(" ")[0]), regions.KINDS.index(place.kind)
        return (1 if place.kind in groups.KINDS else 2), 0, 0

    def _weigh(self, uses: Mapping[Place, SharedUse]) -> list[Weighed]:
        found = (
            weighed(used.ceiling, used.paths, self._times, self._ask.goal.level, used.counted)
            for used in self._used(uses)
        )
        return [one for one in found if one is not None]

    def _used(self, uses: Mapping[Place, SharedUse]) -> Iterator[Used]:
        yield from regions.ceilings(self._accounts, uses)
        yield from groups.ceilings(self._accounts, uses)
        yield from behind.ceilings(self._stated, uses)

    def result(self) -> Shared:
        """Every shared limit that is known, and findings about those that are not: not known is not endless."""
        found = [one for _, one in sorted(self._weighed, key=lambda pair: pair[0])]
        accounts = (finding for account in self._ask.accounts for finding in self._unknown(account))
        return Shared(found, [*accounts, *behind.findings(self._stated, self._uses)])

    def _unknown(self, account: Account) -> Iterator[Finding]:
        """What the account does not state of limits that its planned services use, and who is missing from its sums."""
        used = self._uses.get(Place(ON_DEMAND, account.region))
        if used is None:
            return
        region = account.region
        if account.fargate_vcpu_quota is None:
            yield _not_stated(
                region,
                "The Fargate vCPU quota is not stated, so nobody checked whether the plan fits in it.",
                f'State fargate_vcpu_quota under [account] region = "{region}" (Service Quotas, L-3032A538): '
                f"{_QUOTA.format(code='L-3032A538', region=region)}",
            )
        if account.fargate_spot_vcpu_quota is None and Place(SPOT, region) in self._uses:
            yield _not_stated(
                region,
                "The Fargate Spot vCPU quota is not stated, so nobody checked whether the tasks on Spot fit in it.",
                f'State fargate_spot_vcpu_quota under [account] region = "{region}" (Service Quotas, L-36FBB829): '
                f"{_QUOTA.format(code='L-36FBB829', region=region)}",
            )
        if not account.subnet:
            yield _not_stated(
                region,
                "The addresses of its subnets are not stated, so nobody checked whether each task gets one.",
                f"State them as [[account.subnet]]: {_SUBNETS.format(region=region)}",
                "subnets",
            )
        missing = [s.name for s in self._ask.services if in_quota(s, account) and s.name not in used.services]
        if missing and account.fargate_vcpu_quota is not None:
            yield _not_counted(region, missing)


def _place(taken: Taken | Place) -> Place:
    return taken.place if isinstance(taken, Taken) else taken


def _not_stated(region: str, message: str, advice: str, check: str = "quota") -> Finding:
    return Finding(account_name(region), "", check, "UNKNOWN", message, advice)


def _not_counted(region: str, missing: list[str]) -> Finding:
    return Finding(
        account_name(region),
        "",
        "quota",
        "UNKNOWN",
        f"The vCPU of services that could not be planned are not counted against the quota: {first_few(missing)}.",
        "Read the date of the quota as no earlier than the true one.",
    )
