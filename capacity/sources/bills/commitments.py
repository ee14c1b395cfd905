"""How well commitments fit: spend that Savings Plans cover, and commitment that is used. By day, of the account.

Only Compute Savings Plans apply to Fargate; reserved instances do not, so their coverage is not asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import pandas as pd

from capacity.errors import SourceChanged
from capacity.sources.base import Span
from capacity.sources.bills.bill import ACCOUNT, DAY
from capacity.sources.bills.cost_pages import number
from capacity.sources.bills.cost_requests import written


class Measure(NamedTuple):
    """One of the two: the operation, and where its answer has the percentage and what it is a percentage of."""

    metric: str
    operation: str
    days: str
    figures: str
    percentage: str
    of: str
    token: str


MEASURES: Final = (
    Measure(
        "commitment_coverage",
        "get_savings_plans_coverage",
        "SavingsPlansCoverages",
        "Coverage",
        "CoveragePercentage",
        "TotalCost",
        "NextToken",
    ),
    Measure(
        "commitment_utilization",
        "get_savings_plans_utilization",
        "SavingsPlansUtilizationsByTime",
        "Utilization",
        "UtilizationPercentage",
        "TotalCommitment",
        "NextToken",
    ),
)
#: Days on a page of GetSavingsPlansCoverage: "the default is 20" (API reference). Its maximum is not published, so none
#: is asked for. GetSavingsPlansUtilization has no pages.
DAYS_A_PAGE: Final = 20


def request(piece: Span) -> dict[str, Any]:
    """What both operations are asked; hours are in their model, and refused by the service."""
    period = {"Start": written(piece.start, "DAILY"), "End": written(piece.end, "DAILY")}
    return {"TimePeriod": period, "Granularity": "DAILY"}


def percentages(pages: Iterable[Mapping[str, Any]], measure: Measure) -> list[dict[str, Any]]:
    """Rows of observations, one a day. A day without anything to cover or to use is a gap: it has no percentage."""
    rows: dict[pd.Timestamp, dict[str, Any]] = {}
    try:
        for page in pages:
            for day in page.get(measure.days, []):
                start = pd.Timestamp(day["TimePeriod"]["Start"]).tz_localize("UTC")
                figures = day.get(measure.figures, {})
                if measure.percentage in figures and number(figures.get(measure.of, "0")) > 0:
                    rows[start] = _row(start, measure.metric, number(figures[measure.percentage]))
    except (KeyError, TypeError, ValueError) as error:
        raise SourceChanged(
            f"cost-explorer: an answer to {measure.operation} does not have the documented form: {error}"
        ) from error
    return list(rows.values())


def _row(start: pd.Timestamp, metric: str, value: float) -> dict[str, Any]:
    return {
        "service": ACCOUNT,
        "metric": metric,
        "stat": "mean",
        "interval": DAY,
        "timestamp": start,
        "value": value,
    }
