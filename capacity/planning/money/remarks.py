"""What is to be said of a commitment: why each option is not the one, and what the answer rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pandas as pd

from capacity.config import PriceSettings
from capacity.findings import Finding
from capacity.planning.money.markets import ratio_at
from capacity.planning.money.offers import Offer
from capacity.planning.money.spend import Hourly
from capacity.planning.money.term import Term
from capacity.planning.words import share, usd

if TYPE_CHECKING:
    from capacity.planning.plans import Plan

#: Name of the option for those who do not follow the plan.
TODAY: Final = "tasks as today"

#: Days of running tasks that the plan's own are compared with, and the difference from which on that matters.
TODAY_DAYS: Final = 28
OTHERWISE: Final = 0.10


def with_reasons(frame: pd.DataFrame) -> pd.DataFrame:
    """Why each option is not the one: what it costs more a month, or what else it asks for."""
    chosen = frame.iloc[0]
    words = [""]
    for row in frame.iloc[1:].itertuples():
        more = chosen["saving"] - row.saving
        if row.option == TODAY:
            words.append("while tasks run as they do today, and not as planned")
        elif (row.term_years, row.payment) == (chosen["term_years"], chosen["payment"]):
            words.append(f"saves {usd(more)} a month less" if more > 0 else "as good on these paths alone")
        else:
            bound = "binds three years" if row.term_years > chosen["term_years"] else "binds as long"
            upfront = ", paid in advance" if row.payment != "no upfront" else ""
            words.append(f"{bound}{upfront}; saves {usd(-more)} a month more" if more < 0 else f"{bound}{upfront}")
    return frame.assign(why=words)


def runs_otherwise(today: float, amount: float) -> list[Finding]:
    """The plan's tasks are not those that run: until it is followed, its commitment fits less well."""
    if not abs(today - 1) > OTHERWISE:
        return []
    return [
        Finding(
            "",
            "cost",
            "running tasks",
            "REVIEW",
            f"What ran in the last {TODAY_DAYS} days cost {share(today)} of what they would following load as planned.",
            f"Follow the plan before committing; while tasks run as today, {amount:.3f} USD/h fits.",
        )
    ]


def assumptions(
    plan: Plan, term: Term, settings: PriceSettings, offer: Offer, doubt: float, told: int, horizon: Hourly
) -> list[Finding]:
    """What the answer rests on that was not measured."""
    found = []
    if term.beyond > 0:
        source = f"learnt from {told} quarters" if told else "what such services commonly do"
        found.append(
            Finding(
                "",
                "cost",
                "term",
                "REVIEW",
                f"{share(term.beyond)} of the term lies beyond the forecast: there each path goes on as its last weeks "
                f"went, at a level that wanders by {share(doubt)} in a year ({source}).",
                'Forecast the whole term where more than a year is known (horizon = "365d"), or state growth.',
            )
        )
    elsewhere = sorted({place.region for place in term.usd} - {"us-east-1"} - {s.region for s in settings.savings_plan})
    if elsewhere:
        found.append(
            Finding(
                "",
                "cost",
                "savings plan",
                "REVIEW",
                f"Savings Plans take off as much in {', '.join(elsewhere)} as in us-east-1: assumed.",
                "State their rates in [[prices.savings_plan]].",
            )
        )
    unsold = sorted({place.architecture for place in term.usd if ratio_at(plan, place, offer) is None})
    if unsold:
        found.append(
            Finding(
                "",
                "cost",
                "savings plan",
                "UNKNOWN",
                f"No price is known of a Savings Plan ({offer}) for {', '.join(unsold)}: its spend is left on demand.",
                "State it in [[prices.savings_plan]].",
            )
        )
    if horizon.hours > 1:
        found.append(
            Finding(
                "",
                "cost",
                "interval",
                "REVIEW",
                f"The plan is by intervals of {horizon.hours:g} h, and a commitment is used hour by hour: the quiet "
                "hours of a day are not seen, so less of it may be used.",
                "Plan by hours.",
            )
        )
    return found
