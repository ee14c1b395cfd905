"""Which Compute Savings Plans there are, and what each takes off the on-demand price."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple, cast, get_args

from capacity.config import PriceSettings, Rate
from capacity.config.money import Payment, Years
from capacity.errors import ConfigError, InputError

#: What a Compute Savings Plan covers of a task. Storage, addresses and Spot are never covered (reference aws.md 5.2).
COVERED: Final = ("vcpu", "memory")


class Offer(NamedTuple):
    """One kind of Compute Savings Plan."""

    term_years: Years = 1
    payment: Payment = "no upfront"

    def __str__(self) -> str:
        return f"{self.term_years} y, {self.payment}"

    @classmethod
    def checked(cls, term_years: int, payment: str) -> Offer:
        """From what a caller says. Raises InputError for what AWS does not sell."""
        if term_years not in get_args(Years) or payment not in get_args(Payment):
            raise InputError(
                f"there is no Savings Plan of {term_years} years, {payment!r}",
                advice=f"Years: 1 or 3; payment: {', '.join(get_args(Payment))}.",
            )
        return cls(cast(Years, term_years), cast(Payment, payment))


#: Those with published rates, the one that binds least first.
OFFERS: Final = (Offer(1, "no upfront"), Offer(1, "all upfront"), Offer(3, "no upfront"), Offer(3, "all upfront"))


@cache
def published() -> dict[str, Any]:
    """`savings_plans.toml`."""
    found: dict[str, Any] = tomllib.loads(
        files("capacity.planning.money").joinpath("savings_plans.toml").read_text(encoding="utf-8")
    )
    return found


@cache
def _published_shares() -> dict[tuple[str, Offer], dict[str, float]]:
    shares = {}
    for row in published()["share"]:
        own = {item: row[item]["plan"] / row[item]["on_demand"] for item in COVERED if item in row}
        shares[row["architecture"], Offer(row["term_years"], row["payment"])] = {"memory": own["vcpu"], **own}
    return shares


def ratios(rate: Rate, offer: Offer, settings: PriceSettings) -> dict[str, float] | None:
    """Savings Plans price over on-demand price of each item at one place; None where that plan's price is not known.

    rate  what the place costs on demand. A stated Savings Plans rate is compared with it before any discount: an
          agreement takes as much off both.

    >>> from capacity.planning.prices import built_in
    >>> {item: round(share, 4) for item, share in ratios(built_in()[0], Offer(), PriceSettings()).items()}
    {'memory': 0.8, 'vcpu': 0.8}
    >>> ratios(built_in()[0], Offer(1, "partial upfront"), PriceSettings()) is None
    True
    """
    for stated in settings.savings_plan:
        if (stated.region, stated.architecture, stated.term_years, stated.payment) == (
            rate.region,
            rate.architecture,
            *offer,
        ):
            keep = 1 - settings.discount_percent / 100
            found = {"vcpu": stated.vcpu / (rate.vcpu / keep), "memory": stated.memory_gb / (rate.memory_gb / keep)}
            return _plausible(found, rate, offer)
    return _published_shares().get((rate.architecture, offer))


def _plausible(found: dict[str, float], rate: Rate, offer: Offer) -> dict[str, float]:
    if max(found.values()) >= 1:
        raise ConfigError(
            f"[[prices.savings_plan]] of {rate.region} {rate.architecture} ({offer}) is not below the on-demand price",
            advice=f"On demand a vCPU-hour is {rate.vcpu:g} USD and a GB-hour {rate.memory_gb:g} USD there.",
        )
    return found
