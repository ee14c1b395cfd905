"""How answers of Cost Explorer are read: text becomes numbers, groups become rows of a bill. A pure function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite, nan
from typing import Any, Final, NamedTuple

import pandas as pd

from capacity.errors import SourceChanged
from capacity.sources.bills.bill import ACCOUNT, UNTAGGED
from capacity.sources.bills.cost_requests import COVERED, NEGATION, USED, Part
from capacity.sources.bills.usage_types import usage_of

#: Units and currencies of Cost Explorer where there is nothing to say.
_NONE: Final = ("", "N/A")


class Answered(NamedTuple):
    """What one question brought: rows of a bill, and of each interval whether it may still change."""

    rows: list[dict[str, Any]]
    estimated: dict[pd.Timestamp, bool]


def answered(pages: Iterable[Mapping[str, Any]], part: Part, tag: str = "") -> Answered:
    """Rows and intervals of all pages of one answer, as they come.

    A group that pages repeat is one row. An interval that is `Estimated` on one page is so as a whole. An interval
    without groups brings no row: nothing was used, and nothing is written down.
    Raises SourceChanged for an answer that does not have the documented form.
    """
    rows: dict[tuple[pd.Timestamp, str, str], dict[str, Any]] = {}
    estimated: dict[pd.Timestamp, bool] = {}
    try:
        for page in pages:
            for period in page["ResultsByTime"]:
                start = pd.Timestamp(period["TimePeriod"]["Start"]).tz_localize(None).tz_localize("UTC")
                estimated[start] = estimated.get(start, False) or bool(period.get("Estimated", False))
                for group in period.get("Groups", []):
                    usage_type, second = group["Keys"]
                    rows[start, usage_type, second] = _row(start, usage_type, second, group["Metrics"], part, tag)
    except (KeyError, TypeError, ValueError) as error:
        raise SourceChanged(
            f"cost-explorer: an answer does not have the documented form: {type(error).__name__} {error}. Is this an "
            "endpoint of another kind? Otherwise, please report it."
        ) from error
    return Answered(list(rows.values()), estimated)


def _row(
    start: pd.Timestamp, usage_type: str, second: str, metrics: Mapping[str, Any], part: Part, tag: str
) -> dict[str, Any]:
    """One group as a row. In an answer to `all`, the second key says which part it is; else it is the tag."""
    kind = _kind(second) if part == "all" else part
    amount, billed = metrics["AmortizedCost"], metrics["UnblendedCost"]
    row: dict[str, Any] = {
        "service": _service(second, tag) if tag else ACCOUNT,
        "timestamp": start,
        "usage_type": usage_type,
        "amount": number(amount["Amount"]),
        "billed": number(billed["Amount"]) if kind in ("used", "charges") else 0.0,
        "currency": "" if amount["Unit"] in _NONE else amount["Unit"],
        "purchase": "committed" if kind in ("covered", "negation") else "",
    }
    return row | _quantity(usage_type, metrics["UsageQuantity"], kind)


def _quantity(usage_type: str, said: Mapping[str, str], kind: str) -> dict[str, Any]:
    """The columns that say what was used: of a usage type that is not known, as the provider says it."""
    if kind not in ("used", "covered"):
        return {"quantity": nan, "unit": "", "resource": "", "architecture": ""}
    known = usage_of(usage_type, said["Unit"])
    if known is None:
        return {"quantity": number(said["Amount"]), "unit": said["Unit"] or "N/A", "resource": "", "architecture": ""}
    columns: dict[str, Any] = {
        "quantity": number(said["Amount"]) * known.hours,
        "unit": known.unit,
        "resource": known.resource,
        "architecture": known.architecture,
    }
    return columns if kind == "covered" else columns | {"purchase": known.purchase}


def _kind(record_type: str) -> str:
    """The part a record type belongs to; the console writes the same names with spaces."""
    name = record_type.replace(" ", "")
    if name in USED:
        return "used"
    if name in COVERED:
        return "covered"
    return "negation" if name == NEGATION else "charges"


def _service(key: str, tag: str) -> str:
    """The value behind `tag$value`; values may hold a `$` themselves.

    >>> _service("Service$web", "Service"), _service("Service$", "Service")
    ('web', '(untagged)')
    """
    start = f"{tag}$"
    if not key.startswith(start):
        raise ValueError(f"group {key!r} is not one of tag {tag!r}")
    return key.removeprefix(start) or UNTAGGED


def number(text: str) -> float:
    """The double nearest to a decimal number; ValueError for anything else, also for `NaN`.

    >>> number("0.1"), number("1E-7")
    (0.1, 1e-07)
    """
    value = float(text)
    if not isfinite(value):
        raise ValueError(f"{text!r} is not a number")
    return value
