"""A ledger of line items, and the two ways AWS tells of it: Cost Explorer's answers, and a FOCUS export.

Cost Explorer is answered by filtering and grouping the items as its documentation says, so that a wrong question gets
a wrong answer. Savings Plans leave the traces they leave in a real account: covered usage at its on-demand price, a
negation of that price which carries the same quantity and no tag, and an amortized cost that is what the plan charges.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from capacity.sources.aws.door import Door
from capacity.sources.bills.cost_requests import ECS as ECS
from tests.sources.aws.fake import Answers, Asked, Complaint, FakeAws

ACCOUNT, REGION, TAG = "123456789012", "eu-central-1", "Service"
IDENTITY = {("sts", "GetCallerIdentity"): {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/a", "UserId": "A"}}
VCPU, MEMORY, ARM_VCPU, SPOT_VCPU, SPOT_MEMORY, STORAGE, EC2 = (
    "EUC1-Fargate-vCPU-Hours:perCPU",
    "EUC1-Fargate-GB-Hours",
    "EUC1-Fargate-ARM-vCPU-Hours:perCPU",
    "EUC1-SpotUsage-Fargate-vCPU-Hours:perCPU",
    "EUC1-SpotUsage-Fargate-GB-Hours",
    "EUC1-Fargate-EphemeralStorage-GB-Hours",
    "EUC1-ECS-EC2-vCPU-Hours",
)
_PERIOD = {"DAILY": "1D", "HOURLY": "1h"}
_FORM = {"DAILY": "%Y-%m-%d", "HOURLY": "%Y-%m-%dT%H:%M:%SZ"}


class Item(NamedTuple):
    """One line of one hour."""

    hour: pd.Timestamp
    usage_type: str
    tag: str
    record: str
    quantity: Decimal
    unblended: Decimal
    amortized: Decimal
    service: str = ECS


def used(hour: pd.Timestamp, usage_type: str, tag: str, quantity: str, price: str) -> Item:
    cost = Decimal(quantity) * Decimal(price)
    return Item(hour, usage_type, tag, "Usage", Decimal(quantity), cost, cost)


def covered(hour: pd.Timestamp, usage_type: str, tag: str, quantity: str, price: str, rate: str) -> list[Item]:
    """Usage that a Savings Plan covers, at `rate` instead of `price`, and its negation."""
    amount = Decimal(quantity)
    cost = amount * Decimal(price)
    return [
        Item(hour, usage_type, tag, "SavingsPlanCoveredUsage", amount, cost, amount * Decimal(rate)),
        Item(hour, usage_type, "", "SavingsPlanNegation", amount, -cost, Decimal(0)),
    ]


def charge(hour: pd.Timestamp, usage_type: str, tag: str, record: str, amount: str) -> Item:
    return Item(hour, usage_type, tag, record, Decimal(0), Decimal(amount), Decimal(amount))


@dataclass
class CostExplorerOf:
    """GetCostAndUsage over a ledger, in pages of so many groups."""

    items: list[Item]
    estimated_from: pd.Timestamp = field(default_factory=lambda: pd.Timestamp("2100-01-01", tz="UTC"))
    page: int = 1000

    def __call__(self, asked: Asked) -> dict[str, Any]:
        params = asked.params
        assert asked.region == "us-east-1"
        found = list(self._groups(params))
        start = int(params.get("NextPageToken", "0"))
        part = found[start : start + self.page]
        answer: dict[str, Any] = {"GroupDefinitions": params["GroupBy"], "ResultsByTime": self._results(part, params)}
        if start + self.page < len(found):
            answer["NextPageToken"] = str(start + self.page)
        return answer

    def _groups(self, params: dict[str, Any]) -> Iterator[tuple[pd.Timestamp, tuple[str, str] | None, list[Item]]]:
        """(interval, keys, items), in order; an interval without any has keys None."""
        start, end = (pd.Timestamp(params["TimePeriod"][name]) for name in ("Start", "End"))
        step = _PERIOD[params["Granularity"]]
        inside: dict[pd.Timestamp, dict[tuple[str, str], list[Item]]] = defaultdict(lambda: defaultdict(list))
        for item in self.items:
            if matches(params["Filter"], item):
                keys = (_key(params["GroupBy"][0], item), _key(params["GroupBy"][1], item))
                inside[item.hour.floor(step)][keys].append(item)
        for stamp in pd.date_range(start, end, freq=step, inclusive="left"):
            at = stamp if stamp.tzinfo else stamp.tz_localize("UTC")
            groups = inside.get(at)
            if not groups:
                yield at, None, []
            for keys in sorted(groups or {}):
                yield at, keys, (groups or {})[keys]

    def _results(self, part: Iterable[Any], params: dict[str, Any]) -> list[dict[str, Any]]:
        step, form = pd.Timedelta(_PERIOD[params["Granularity"]]), _FORM[params["Granularity"]]
        results: dict[pd.Timestamp, dict[str, Any]] = {}
        for stamp, keys, items in part:
            result = results.setdefault(
                stamp,
                {
                    "TimePeriod": {"Start": stamp.strftime(form), "End": (stamp + step).strftime(form)},
                    "Total": {},
                    "Groups": [],
                    "Estimated": bool(stamp >= self.estimated_from),
                },
            )
            if keys is None:
                result["Total"] = {name: {"Amount": "0", "Unit": "N/A"} for name in params["Metrics"]}
            else:
                result["Groups"].append({"Keys": list(keys), "Metrics": _metrics(items)})
        return list(results.values())


def _metrics(items: list[Item]) -> dict[str, Any]:
    unit = "Hrs" if any(item.quantity for item in items) else "N/A"
    return {
        "UsageQuantity": {"Amount": str(sum(item.quantity for item in items)), "Unit": unit},
        "UnblendedCost": {"Amount": str(sum(item.unblended for item in items)), "Unit": "USD"},
        "AmortizedCost": {"Amount": str(sum(item.amortized for item in items)), "Unit": "USD"},
    }


def matches(expression: dict[str, Any], item: Item) -> bool:
    """A filter, as documented: one root key, `And` and `Or` of two or more."""
    ((root, inner),) = expression.items()
    if root == "Not":
        return not matches(inner, item)
    if root in ("And", "Or"):
        assert len(inner) >= 2
        return (all if root == "And" else any)(matches(each, item) for each in inner)
    assert root == "Dimensions"
    value = {"SERVICE": item.service, "RECORD_TYPE": item.record, "LINKED_ACCOUNT": ACCOUNT, "REGION": REGION}
    return value[inner["Key"]] in inner["Values"]


def _key(group: dict[str, str], item: Item) -> str:
    if group["Type"] == "TAG":
        return f"{group['Key']}${item.tag}"
    return {"USAGE_TYPE": item.usage_type, "RECORD_TYPE": item.record}[group["Key"]]


@contextmanager
def answering(answers: Mapping[tuple[str, str], Answers]) -> Iterator[FakeAws]:
    """The one server of this session, with these answers, and no memory of earlier ones."""
    aws = the_server()
    aws.answers = {**IDENTITY, **answers}
    aws.asked.clear()
    aws._given.clear()
    yield aws
    assert not aws.refused, aws.refused


def serving(items: list[Item], **settings: Any) -> AbstractContextManager[FakeAws]:
    """A server that is asked for the bill of a ledger, and has no Savings Plans to tell of."""
    nothing = Complaint("DataUnavailableException", "no Savings Plans")
    return answering(
        {
            ("ce", "GetCostAndUsage"): CostExplorerOf(items, **settings),
            ("ce", "GetSavingsPlansCoverage"): nothing,
            ("ce", "GetSavingsPlansUtilization"): nothing,
        }
    )


@cache
def the_server() -> FakeAws:
    """Started once, for a start takes longer than most tests; `conftest` ends it."""
    return FakeAws().__enter__()


@cache
def the_door() -> Door:
    """The way to it. A client takes half a second to make."""
    return Door(endpoint=the_server().url, sleep=lambda seconds: None)


FOCUS = [
    *("BillingPeriodStart", "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory", "ChargeClass", "ServiceName"),
    *("SkuMeter", "ConsumedQuantity", "ConsumedUnit", "EffectiveCost", "BilledCost", "BillingCurrency"),
    *("CommitmentDiscountStatus", "PricingCategory", "RegionId", "SubAccountId", "Tags"),
]


def focus_rows(items: list[Item]) -> Iterator[dict[str, str]]:
    """The same ledger as a FOCUS 1.2 export tells it: no negations, covered usage billed 0."""
    for item in items:
        if item.record == "SavingsPlanNegation":
            continue
        is_used = item.record in ("Usage", "SavingsPlanCoveredUsage")
        plan = item.record == "SavingsPlanCoveredUsage"
        spot = "SpotUsage" in item.usage_type
        yield {
            "BillingPeriodStart": f"{item.hour:%Y-%m}-01T00:00:00Z",
            "ChargePeriodStart": f"{item.hour:%Y-%m-%dT%H:%M:%SZ}",
            "ChargePeriodEnd": f"{item.hour + pd.Timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
            "ChargeCategory": "Usage" if is_used else item.record,
            "ServiceName": item.service,
            "SkuMeter": item.usage_type,
            "ConsumedQuantity": str(item.quantity) if is_used else "",
            "ConsumedUnit": "Hours" if is_used else "",
            "EffectiveCost": str(item.amortized),
            "BilledCost": "0" if plan else str(item.unblended),
            "BillingCurrency": "USD",
            "CommitmentDiscountStatus": "Used" if plan else "",
            "PricingCategory": "Committed" if plan else "Dynamic" if spot else "Standard" if is_used else "",
            "RegionId": REGION,
            "SubAccountId": ACCOUNT,
            "Tags": f'{{"{TAG}":"{item.tag}"}}' if item.tag else "{}",
        }


def write_focus(path: Path, rows: Iterable[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FOCUS)
        writer.writeheader()
        writer.writerows(rows)
    return path


def paid(aws: FakeAws) -> list[Mapping[str, Any]]:
    """The requests that cost a cent each, in order; asking whose credentials these are is free."""
    return [each.params for each in aws.asked if each.service == "ce"]
