"""What a task costs by the hour: a dated built-in table, overridden by what the user states."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable
from copy import copy
from functools import cache
from importlib.resources import files
from typing import Any, Final

import pandas as pd

from capacity.config import PriceSettings, Rate, Service
from capacity.errors import ConfigError
from capacity.findings import Finding

#: Hours in AWS's month (reference aws.md 5.2).
HOURS_PER_MONTH = 730

#: GB of task storage that Fargate includes (reference aws.md 4.1).
FREE_STORAGE_GB = 20

#: A price of longer ago than this is to be looked at: AWS changes them every few years, Spot all the time.
OLD = pd.Timedelta(days=365)


@cache
def built_in() -> tuple[Rate, ...]:
    """The rates of `prices.toml`: one a region and architecture, each with its date and source."""
    table = tomllib.loads(files("capacity.planning").joinpath("prices.toml").read_text(encoding="utf-8"))
    spot = {(row["region"], row["architecture"]): row for row in table["spot"]}
    moved = table["spot_date"].isoformat()
    return tuple(
        Rate(
            region=region,
            architecture=row["architecture"],
            vcpu=row["vcpu"],
            memory_gb=row["memory_gb"],
            storage_gb=table["storage_gb"],
            source=table["source"],
            date=table["date"].isoformat(),
            **(_spot_of(spot[place], moved) if (place := (region, row["architecture"])) in spot else {}),
        )
        for row in table["rate"]
        for region in row["regions"]
    )


def _spot_of(row: dict[str, Any], day: str) -> dict[str, Any]:
    """The Spot columns of a rate. Where the table has none they stay unknown, never zero."""
    return {"spot_vcpu": row["vcpu"], "spot_memory_gb": row["memory_gb"], "spot_date": day}


class Prices:
    """The rates in force: built-in ones, replaced where the user states their own, all less the discount.

    >>> rate = Prices().of(Service(name="web", region="eu-west-1"))
    >>> rate.vcpu, rate.date
    (0.04048, '2026-09-11')
    >>> Prices(PriceSettings(discount_percent=50)).of(Service(name="web")).source
    'AWS Price List, AmazonECS, less 50 %'
    >>> Prices().of(Service(name="web", region="mars-1")) is None
    True
    """

    def __init__(self, settings: PriceSettings | None = None) -> None:
        settings = PriceSettings() if settings is None else settings
        stated = [(rate.region, rate.architecture) for rate in settings.rate]
        for region, architecture in sorted({place for place in stated if stated.count(place) > 1}):
            raise ConfigError(f"two rates for {region} {architecture}: keep one")
        rates = {(rate.region, rate.architecture): rate for rate in (*built_in(), *settings.rate)}
        self.settings = settings
        self._rates = {place: less(rate, settings.discount_percent) for place, rate in rates.items()}

    @classmethod
    def of_argument(cls, prices: PriceSettings | Rate | Iterable[Rate] | None) -> Prices:
        """From what `plan(prices=...)` accepts: settings, one rate, several, or nothing for the built-in table."""
        if prices is None or isinstance(prices, PriceSettings):
            return cls(prices)
        rates = (prices,) if isinstance(prices, Rate) else tuple(prices)
        for rate in rates:
            if not isinstance(rate, Rate):
                raise ConfigError(f"{rate!r} is not a Rate", advice="Write Rate(region=..., vcpu=..., memory_gb=...).")
        return cls(PriceSettings(rate=rates))

    def of(self, service: Service) -> Rate | None:
        """The rate of a service's tasks; None where there is no price, and for EC2, which is not priced by task."""
        return self._rates.get((service.region, service.architecture)) if service.launch_type == "FARGATE" else None

    def times(self, factor: float) -> Prices:
        """The same rates, dearer or cheaper by a factor, which their source then names.

        >>> rate = Prices().times(1.1).of(Service(name="web"))
        >>> round(rate.vcpu, 6), rate.source
        (0.044528, 'AWS Price List, AmazonECS, times 1.1')
        """
        found = copy(self)
        found._rates = {place: _times(rate, factor) for place, rate in self._rates.items()}
        return found

    def at(self, rates: Iterable[Rate]) -> Prices:
        """The same settings at rates of another day, discounts included: those that a plan was made at.

        >>> then = Prices().of(Service(name="web")).model_copy(update={"vcpu": 0.05, "date": "2025-06-01"})
        >>> Prices().at([then]).of(Service(name="web")).vcpu
        0.05
        """
        found = copy(self)
        found._rates = {**self._rates, **{(rate.region, rate.architecture): rate for rate in rates}}
        return found


#: The columns of a rate that are money.
_MONEY: Final = ("vcpu", "memory_gb", "storage_gb", "public_ipv4", "spot_vcpu", "spot_memory_gb")


def _times(rate: Rate, factor: float) -> Rate:
    money = {name: value * factor for name in _MONEY if (value := getattr(rate, name)) is not None}
    return rate.model_copy(update={**money, "source": f"{rate.source}, times {factor:g}"})


def less(rate: Rate, discount_percent: float) -> Rate:
    """The rate after a discount, which its source then names. Spot has none: Savings Plans do not apply to it."""
    if discount_percent == 0:
        return rate
    keep = 1 - discount_percent / 100
    return rate.model_copy(
        update={
            "vcpu": rate.vcpu * keep,
            "memory_gb": rate.memory_gb * keep,
            "storage_gb": rate.storage_gb * keep,
            "public_ipv4": rate.public_ipv4 * keep,
            "source": f"{rate.source}, less {discount_percent:g} %",
        }
    )


def billed(service: Service) -> dict[str, float]:
    """What is billed for one task and hour, by item: vCPU, GB, addresses. Fargate bills the configured GiB as GB.

    >>> billed(Service(name="web", task_vcpu=1, task_memory_gib=2))
    {'vcpu': 1.0, 'memory': 2.0}
    """
    sizes = {
        "vcpu": service.task_vcpu,
        "memory": service.task_memory_gib,
        "storage": service.ephemeral_storage_gib - FREE_STORAGE_GB,
        "public_ipv4": float(service.public_ipv4),
    }
    return {item: size for item, size in sizes.items() if size > 0}


def price_of(rate: Rate | None, item: str) -> float:
    """USD per unit and hour of an item; NaN without a rate, never zero."""
    if rate is None:
        return math.nan
    prices = {
        "vcpu": rate.vcpu,
        "memory": rate.memory_gb,
        "spot_vcpu": rate.spot_vcpu,
        "spot_memory": rate.spot_memory_gb,
        "storage": rate.storage_gb,
        "public_ipv4": rate.public_ipv4,
    }
    price = prices[item]
    return math.nan if price is None else price


def usd_per_hour(service: Service, rate: Rate | None) -> float:
    """Price of one running task, on demand; NaN without a rate. On Spot: with the rate of `on_spot`.

    Source: reference aws.md 5.2, with the check value 0.04937 USD/h.

    >>> round(usd_per_hour(Service(name="web", task_vcpu=1, task_memory_gib=2), built_in()[0]), 5)
    0.04937
    """
    return sum(size * price_of(rate, item) for item, size in billed(service).items())


def price_findings(service: Service, rate: Rate | None, today: pd.Timestamp) -> list[Finding]:
    """What is to be known of a service's price: that there is none, none of Spot, or that it is old."""
    if rate is None:
        return [no_price(service)]
    found = [] if service.spot_share == 0 or rate.spot_vcpu is not None else [_no_spot_price(service)]
    dates = {"price": rate.date, **({"Spot price": rate.spot_date} if service.spot_share > 0 else {})}
    return found + [old for what, day in dates.items() if (old := old_price(service, what, day, today)) is not None]


def old_price(service: Service, what: str, day: str, today: pd.Timestamp) -> Finding | None:
    """A price of more than a year ago; None for a younger one, and for one that states no date.

    >>> old_price(Service(name="web"), "price", "2025-01-31", pd.Timestamp("2026-06-01T00:00Z")).message
    'Its price in us-east-1 (x86_64) is of 2025-01-31, more than a year ago.'
    """
    try:
        stated = pd.Timestamp(day, tz="UTC") if day else None
    except ValueError:
        stated = None
    if stated is None or today - stated <= OLD:
        return None
    place = f"{service.region} ({service.architecture})"
    advice = "Compare it with the price list; state today's: [[prices.rate]], with its date."
    return Finding(
        service.name, "cost", "price", "REVIEW", f"Its {what} in {place} is of {day}, more than a year ago.", advice
    )


def _no_spot_price(service: Service) -> Finding:
    return Finding(
        service.name,
        "cost",
        "price",
        "UNKNOWN",
        f"No Spot price is known for {service.architecture} in {service.region}, and {service.spot_share:.0%} of its "
        "tasks run there: this plan has no cost for it.",
        "State one in [[prices.rate]]: spot_vcpu and spot_memory_gb. On the bill it is the cost of the usage type "
        "SpotUsage-Fargate-vCPU-Hours over its quantity.",
    )


def no_price(service: Service) -> Finding:
    """Why a service has no price, and how to state one."""
    if service.launch_type == "EC2":
        return Finding(
            service.name,
            "cost",
            "price",
            "UNKNOWN",
            "EC2 tasks are paid by the instance, so this plan has no cost for it.",
            "Read its cost from the bill of its instances.",
        )
    return Finding(
        service.name,
        "cost",
        "price",
        "UNKNOWN",
        f"No price is known for {service.architecture} in {service.region}, so this plan has no cost for it.",
        f'State one: [[prices.rate]] region = "{service.region}", architecture = "{service.architecture}", '
        "vcpu = ..., memory_gb = ...",
    )
