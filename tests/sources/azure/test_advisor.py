"""Azure Advisor over the SDK's real transport: pages, amounts as text, keys that depend on the type."""

from __future__ import annotations

import traceback
from typing import Any

import numpy as np
import pandas as pd
import pytest

from capacity.errors import SourceDenied, SourceThrottled
from capacity.schema import ADVICE
from capacity.sources.advice import Advice
from capacity.sources.azure import azure_advisor
from tests.sources.azure.server import SUBSCRIPTION, TOKEN, Azure, Token, error, resource


def recommendation(number: int, about: str, **properties: Any) -> dict[str, Any]:
    """As Azure Resource Manager writes it."""
    return {
        "id": f"{about}/providers/Microsoft.Advisor/recommendations/{number:04}",
        "name": f"{number:04}",
        "type": "Microsoft.Advisor/recommendations",
        "properties": {
            "category": "Cost",
            "impact": "High",
            "impactedField": "Microsoft.Compute/virtualMachines",
            "impactedValue": about.rsplit("/", 1)[-1],
            "lastUpdated": "2026-11-19T04:05:06.789Z",
            "recommendationTypeId": "e10b1381-5f0a-47ff-8c7b-37bd13d7c974",
            "shortDescription": {"problem": "Right-size", "solution": "Right-size or shut down"},
            "resourceMetadata": {"resourceId": about},
            "extendedProperties": properties.pop("extended", {}),
            **properties,
        },
    }


def read(azure: Azure, **options: Any) -> Advice:
    return azure_advisor(SUBSCRIPTION, Token(), azure.url, sleep=lambda seconds: None, **options)


def test_every_page_is_read(azure: Azure) -> None:
    azure.advice = [
        [recommendation(page * 2 + one, resource(f"svc-{page}{one}")) for one in (0, 1)] for page in (0, 1, 2)
    ]
    seen = read(azure)
    assert seen.frame["service"].tolist() == ["svc-00", "svc-01", "svc-10", "svc-11", "svc-20", "svc-21"]
    assert azure.asked[0]["query"]["$filter"] == "Category eq 'Cost'"
    assert list(seen.frame.columns) == ADVICE.names
    assert [str(kind) for kind in seen.frame.dtypes if "datetime" in str(kind)] == ["datetime64[us, UTC]"]


def test_what_it_says_is_kept_and_what_it_does_not_say_is_left_unsaid(azure: Azure) -> None:
    extended = {
        "savingsAmount": "37.25",
        "annualSavingsAmount": "447",
        "savingsCurrency": "EUR",
        "currentSku": "Standard_D4s_v5",
        "targetSku": "Standard_D2s_v5",
        "lookbackPeriod": "14",
        "regionId": "westeurope",
    }
    azure.advice = [[recommendation(1, resource("web"), extended=extended)]]
    (row,) = read(azure).frame.to_dict("records")
    assert (row["service"], row["provider"], row["resource"]) == ("web", "azure-advisor", resource("web"))
    assert (row["finding"], row["risk"], row["currency"]) == ("Right-size", "High", "EUR")
    assert row["saving_month"] == pytest.approx(37.25)
    assert row["reason"] == (
        "Right-size or shut down; now Standard_D4s_v5; better Standard_D2s_v5; judged by 14 days; in westeurope"
    )
    assert row["refreshed_at"] == pd.Timestamp("2026-11-19T04:05:06.789Z")
    assert np.isnan([row["current_vcpu"], row["suggested_memory_gib"], row["saving_percent"]]).all()


def test_a_recommendation_with_almost_nothing_is_still_one(azure: Azure) -> None:
    bare = {
        "id": f"{resource('web')}/providers/Microsoft.Advisor/recommendations/1",
        "properties": {"category": "Cost"},
    }
    azure.advice = [[bare]]
    (row,) = read(azure).frame.to_dict("records")
    assert (row["service"], row["resource"]) == ("web", resource("web"))
    assert np.isnan(row["saving_month"])
    assert row["refreshed_at"] is pd.NaT
    assert (row["finding"], row["reason"], row["currency"]) == ("", "", "")


@pytest.mark.parametrize(
    ("extended", "month"),
    [
        ({"savingsAmount": "12.5"}, 12.5),
        ({"annualSavingsAmount": "120"}, 10.0),
        ({"savingsAmount": "120", "annualSavingsAmount": "120"}, 10.0),  # a reservation: both are the year's
        ({"savingsAmount": "1,234.50"}, 1234.5),
        ({"savingsAmount": "0"}, 0.0),
        ({"savingsAmount": "-3.5"}, -3.5),
        ({"savingsAmount": ""}, np.nan),
        ({}, np.nan),
    ],
)
def test_an_amount_is_that_of_one_month(azure: Azure, extended: dict[str, str], month: float) -> None:
    azure.advice = [[recommendation(1, resource("web"), extended=extended)]]
    seen = read(azure)
    assert seen.frame["saving_month"].iloc[0] == pytest.approx(month, nan_ok=True)
    assert len(seen.findings) == 0


@pytest.mark.parametrize("text", ["12,5", "n/a", "nan", "inf", "1.2.3", "€12", "1,23,456"])
def test_an_amount_that_is_no_number_is_a_finding_not_a_guess(azure: Azure, text: str) -> None:
    azure.advice = [[recommendation(1, resource("web"), extended={"savingsAmount": text})]]
    seen = read(azure)
    assert np.isnan(seen.frame["saving_month"].iloc[0])
    (finding,) = seen.findings
    assert (finding.service, finding.status) == ("web", "REVIEW")
    assert "not an amount" in finding.message


def test_several_about_one_subscription_keep_a_key_each(azure: Azure) -> None:
    about = f"/subscriptions/{SUBSCRIPTION}"
    azure.advice = [[recommendation(number, about, extended={"term": f"P{number}Y"}) for number in (1, 3)]]
    frame = read(azure).frame
    assert frame["resource"].str.startswith(about).all()
    assert not frame.duplicated(list(ADVICE.key)).any()


def test_what_people_dismissed_says_so(azure: Azure) -> None:
    azure.advice = [[recommendation(1, resource("web"), suppressionIds=["b0d2"])]]
    assert "dismissed" in read(azure).frame["reason"].iloc[0]


def test_no_advice_is_an_empty_table(azure: Azure) -> None:
    azure.advice = [[]]
    assert len(read(azure)) == 0


def test_it_waits_and_in_the_end_says_so(azure: Azure) -> None:
    azure.advice = [[recommendation(1, resource("web"))]]
    azure.first = [(429, {"Retry-After": "3"}, error("TooManyRequests", "Slow down."))] * 2
    assert len(read(azure)) == 1
    azure.first = [(429, {}, error("TooManyRequests", "Slow down."))] * 20
    with pytest.raises(SourceThrottled, match="Azure Advisor's recommendations: Azure kept asking to slow down"):
        read(azure)


def test_a_reader_is_named_when_it_is_denied(azure: Azure) -> None:
    azure.first = [(403, {}, error("AuthorizationFailed", f"Not with Bearer {TOKEN}"))]
    with pytest.raises(SourceDenied, match=r"--role 'Reader' --scope /subscriptions/1111") as caught:
        read(azure)
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


def test_reading_never_changes_the_subscription(azure: Azure) -> None:
    """The SDK's own pipeline would answer this by registering the resource provider."""
    azure.first = [(409, {}, error("MissingSubscriptionRegistration", "Not registered to use 'Microsoft.Advisor'."))]
    with pytest.raises(Exception, match="MissingSubscriptionRegistration"):
        read(azure)
    assert len(azure.asked) == 1
