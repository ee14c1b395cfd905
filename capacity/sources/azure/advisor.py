"""Azure Advisor: what Azure itself would do about cost."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import pandas as pd

from capacity.errors import CapacityError, MissingExtra
from capacity.findings import Finding
from capacity.sources.advice import Advice
from capacity.sources.azure import access
from capacity.sources.azure.complaints import Doing, ours
from capacity.sources.patience import redacted

PROVIDER: Final = "azure-advisor"
ENDPOINT: Final = "https://management.azure.com"

#: Properties worth a word beside the reason, where a recommendation has them: which it has depends on its type.
_DETAILS: Final = {
    "currentSku": "now {}",
    "targetSku": "better {}",
    "recommendedSkuName": "better {}",
    "term": "term {}",
    "lookbackPeriod": "judged by {} days",
    "regionId": "in {}",
}


def azure_advisor(
    subscription: str,
    credential: Any = None,
    endpoint: str | None = None,
    *,
    sleep: Callable[[float], None] | None = None,
) -> Advice:
    """Cost recommendations of a subscription, as `schema.ADVICE`.

    credential  of azure-identity or alike; None: `DefaultAzureCredential`. The role Reader is enough.
    endpoint    instead of Azure Resource Manager's own: a test server on this machine
    sleep       takes seconds, between attempts; default `time.sleep`

    Advisor does not say vCPU or GiB of a task: those columns are NaN. Savings are those of one month, in the currency
    Advisor says; what is no number stays NaN and becomes a finding. Nothing is changed in the subscription.
    """
    try:
        from azure.mgmt.advisor import AdvisorManagementClient
    except ImportError:
        raise MissingExtra("azure-mgmt-advisor", "azure", "reading Azure Advisor") from None
    address = endpoint or ENDPOINT
    patient = access.options(address)
    with access.signed_in(credential) as signed_in:
        settings = access.policies(signed_in, access.MANAGEMENT_SCOPE, sleep=sleep)
        try:
            with AdvisorManagementClient(signed_in, subscription, address, **settings) as client:
                found = list(client.recommendations.list(filter="Category eq 'Cost'", **patient))
        except Exception as error:
            raise _complaint(error, subscription) from None  # the SDK's error holds the answer whole
    return advice(found)


def advice(found: list[Any]) -> Advice:
    """Advice from the SDK's `ResourceRecommendationBase` objects."""
    subjects = Counter(_subject(one) for one in found)
    rows, remarks = [], []
    for one in found:
        properties: Mapping[str, str] = one.extended_properties or {}
        saving, complaints = saving_month(properties)
        subject = _subject(one)
        service = one.impacted_value or subject.rsplit("/", 1)[-1]
        remarks += [Finding(service, "", "advice", "REVIEW", complaint, _COMPARE) for complaint in complaints]
        rows.append(
            {
                "service": service,
                "provider": PROVIDER,
                # of several about one resource, such as reservations of a subscription, each by its own id
                "resource": subject if subjects[subject] == 1 else one.id,
                "finding": getattr(one.short_description, "problem", None) or "",
                "reason": "; ".join(_reasons(one, properties)),
                "saving_month": saving,
                "currency": properties.get("savingsCurrency", ""),
                "risk": one.impact or "",
                "refreshed_at": one.last_updated if one.last_updated is not None else pd.NaT,
            }
        )
    return Advice.of(rows, remarks)


def saving_month(properties: Mapping[str, str]) -> tuple[float, list[str]]:
    """(Saving of one month, what is odd about it). A year's amount is preferred: its name cannot be misread.

    For some recommendation types `savingsAmount` is that of a month, for others it repeats the year's.

    >>> saving_month({"savingsAmount": "12.50"})
    (12.5, [])
    >>> saving_month({"annualSavingsAmount": "1,200"})
    (100.0, [])
    >>> saving_month({"savingsAmount": "a lot"})
    (nan, ["savingsAmount is 'a lot', which is not an amount"])
    """
    odd: list[str] = []
    amounts = {}
    for name in ("annualSavingsAmount", "savingsAmount"):
        if text := (properties.get(name) or "").strip():
            amount = _amount(text)
            if amount is None:
                odd.append(f"{name} is {redacted(text)[:40]!r}, which is not an amount")
            else:
                amounts[name] = amount
    if "annualSavingsAmount" in amounts:
        return amounts["annualSavingsAmount"] / 12, odd
    return amounts.get("savingsAmount", math.nan), odd


def _amount(text: str) -> float | None:
    """A number as the REST API writes it: a point for decimals, commas at most between thousands."""
    head, point, decimals = text.partition(".")
    groups = head.split(",")
    if any(len(group) != 3 for group in groups[1:]):
        return None
    try:
        amount = float("".join(groups) + point + decimals)
    except ValueError:
        return None
    return amount if math.isfinite(amount) else None


def _reasons(one: Any, properties: Mapping[str, str]) -> Iterator[str]:
    solution = getattr(one.short_description, "solution", None)
    if solution and solution != getattr(one.short_description, "problem", None):
        yield solution
    for name, words in _DETAILS.items():
        if properties.get(name):
            yield words.format(properties[name])
    if one.suppression_ids:
        yield "postponed or dismissed in Advisor"


def _subject(one: Any) -> str:
    """The resource a recommendation is about; else what its own id hangs below."""
    about = getattr(one.resource_metadata, "resource_id", None)
    return about or str(one.id).split("/providers/Microsoft.Advisor/")[0]


def _complaint(error: Exception, subscription: str) -> CapacityError:
    check = "Is this the id of a subscription, and may this identity see it (`az account list`)?"
    return ours(error, Doing("Azure Advisor's recommendations", subscription, "Reader", check))


_COMPARE: Final = "See the recommendation in the Azure portal, under Advisor, Cost."
