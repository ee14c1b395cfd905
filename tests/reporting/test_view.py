"""What the page says of many decisions at once."""

from __future__ import annotations

from typing import Any

from capacity.reporting.sections.decisions import decisions


def spend(*changes: float | None) -> list[str]:
    """What the page says under Spend of as many raised minimums, gathered into one decision."""
    told: list[dict[str, Any]] = [
        {
            "kind": "raise_min",
            "service": f"service-{number}",
            "sentence": "",
            "because": "",
            "before": None,
            "current": 1,
            "proposed": 2,
            "owner": "",
            "usd_per_month": change,
        }
        for number, change in enumerate(changes)
    ]
    document = {"decisions": told, "alerts": [], "period": {"horizon_start": "2026-11-16T00:00:00+00:00"}}
    (group,) = decisions(document)
    (one,) = group["items"]
    return [value for name, value in one["facts"] if name == "Spend"]


def test_a_price_that_is_not_known_is_not_a_price_of_zero() -> None:
    assert spend(10.0, 20.0, 30.0) == ["+60 USD a month"]
    assert spend(10.0, None, 30.0) == ["+40 USD a month, not known for 1"]
    assert spend(None, None, None) == []
