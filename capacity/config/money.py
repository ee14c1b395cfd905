"""`[[budget]]`, `[[prices.commitment]]` and `[[prices.savings_plan]]`: what may be spent, what is bought already."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from capacity.config.base import Positive, Settings
from capacity.config.service import Architecture

Payment = Literal["no upfront", "partial upfront", "all upfront"]
Years = Literal[1, 3]

#: An e-mail address, or the ARN of an SNS topic: what AWS Budgets can tell (API reference, `Subscriber`).
_SUBSCRIBER: Final = r"^([^@ ]+@[^@ ]+\.[^@ ]+|arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]+)$"


class HeldCommitment(Settings):
    """A Savings Plan that is already paid for: what it covers needs no other.

    >>> HeldCommitment(usd_per_hour=2.5, end=date(2027, 3, 1)).term_years
    1
    """

    usd_per_hour: Positive = Field(
        description="Commitment in USD an hour, as the console shows it; of a plan that others share, the part that "
        "these services use."
    )
    end: date = Field(description="The day it expires; from that day on it covers nothing.")
    start: date | None = Field(None, description="The day it begins, when that is still to come.")
    term_years: Years = Field(1, description="1 or 3.")
    payment: Payment = Field("no upfront", description="no upfront, partial upfront or all upfront.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.start is not None and self.start >= self.end:
            raise ValueError(f"it ends on {self.end} and begins on {self.start}: which is wrong?")
        return self


class SavingsPlanRate(Settings):
    """Prices of one region and architecture under one Compute Savings Plan, in USD per hour."""

    region: str
    architecture: Architecture = "x86_64"
    term_years: Years = Field(1, description="1 or 3.")
    payment: Payment = Field("no upfront", description="no upfront, partial upfront or all upfront.")
    vcpu: Positive = Field(description="USD per vCPU-hour under the plan.")
    memory_gb: Positive = Field(description="USD per GB-hour under the plan.")
    source: str = Field("capacity.toml", description="Where the price comes from.")
    date: str = Field("", description="When it was true, YYYY-MM-DD.")


class Budget(Settings):
    """What some services may cost in a calendar month (UTC).

    >>> Budget(name="shop", usd_per_month=5000).services
    ()
    """

    name: str = Field(
        min_length=1,
        max_length=100,
        pattern=r"^[^:\\\x00-\x1f]*[^:\\\s\x00-\x1f][^:\\\x00-\x1f]*$",
        description="Name, as AWS Budgets will show it: no `:` and no `\\`.",
    )
    usd_per_month: Positive = Field(description="USD in a calendar month, UTC.")
    services: tuple[str, ...] = Field((), description="Whose spend counts; empty: of every service that is planned.")
    owner: str = Field("", description="Who answers for it; printed beside the decision.")
    notify: tuple[Annotated[str, Field(pattern=_SUBSCRIBER)], ...] = Field(
        (), max_length=11, description="E-mail addresses (at most 10) and SNS topic ARNs (at most one) to be told."
    )
    tag: str = Field(
        "",
        max_length=128,
        description="Cost-allocation tag that holds the service's name: which part of the bill AWS Budgets watches. "
        "Empty: all of Amazon ECS.",
    )

    @model_validator(mode="after")
    def _as_aws_takes_it(self) -> Self:
        topics = sum(address.startswith("arn:") for address in self.notify)
        if topics > 1 or len(self.notify) - topics > 10:
            raise ValueError("AWS Budgets tells at most 10 e-mail addresses and one SNS topic")
        for name, count in {one: self.services.count(one) for one in self.services}.items():
            if count > 1:
                raise ValueError(f"service {name!r} stands twice in it")
        return self
