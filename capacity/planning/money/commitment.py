"""`Commitment`: how much of a Savings Plan to buy, sized on the paths of a plan, beside what looking back says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from capacity.display import table_html
from capacity.errors import InputError, PlanError
from capacity.findings import Findings
from capacity.planning.money.covering import best_commitment
from capacity.planning.money.ladder import ladder
from capacity.planning.money.markets import BELIEFS, best_amount, market_of, remembered
from capacity.planning.money.offers import OFFERS, Offer, published
from capacity.planning.money.options import Market, outcome
from capacity.planning.money.remarks import OTHERWISE, TODAY, TODAY_DAYS, assumptions, runs_otherwise, with_reasons
from capacity.planning.money.shape import SHAPE_DAYS
from capacity.planning.money.spend import Hourly, ahead, as_it_runs, asked_of, behind
from capacity.planning.money.term import over_term, yearly_doubt
from capacity.planning.prices import HOURS_PER_MONTH
from capacity.planning.words import percent, share, usd
from capacity.timegrid import duration

if TYPE_CHECKING:
    from capacity.planning.plans import Decision, Plan

#: Look-back periods of AWS's own recommendation, in days (reference aws.md 2.5).
LOOK_BACKS: Final = (7, 30, 60)

#: A saving below this share of the spend is not worth being bound for.
WORTH: Final = 0.01

#: Buying in steps is advised from this gain on, as a share of the saving.
WORTH_WAITING: Final = 0.02


@dataclass(frozen=True, eq=False)
class Commitment:
    """A Compute Savings Plan for the spend of a plan. Money is in USD, over the term that is named.

    usd_per_hour  what to commit to, beside what is held already; 0: none pays
    frame         every option that was weighed, the advised one first: term, payment, USD an hour, saving a month with
                  its 5 and 95 % quantiles over the paths, share of paths that lose, utilization, coverage, regret (what
                  is spent above the best commitment of each path), and why it is not the one
    ladder        what buying it in steps would save instead; empty where the term is too short for steps
    doubt         standard deviation of the logarithm of the level, one year past the horizon
    beyond        share of the term that lies past the plan's horizon, and is drawn rather than forecast
    """

    usd_per_hour: float
    offer: Offer
    length: pd.Timedelta
    start: pd.Timestamp
    frame: pd.DataFrame
    ladder: pd.DataFrame
    doubt: float
    beyond: float
    findings: Findings

    @property
    def advised(self) -> pd.Series:
        """The row of `frame` that is advised."""
        return self.frame.iloc[0]

    @property
    def way(self) -> str:
        """How to buy it: `all at once`, `two halves` or `four quarters`."""
        if self.ladder.empty:
            return "all at once"
        at_once, best = self.ladder["saving"].iloc[0], self.ladder["saving"].idxmax()
        gain = self.ladder["saving"].max() - at_once
        return str(self.ladder["way"][best]) if gain > WORTH_WAITING * abs(at_once) else "all at once"

    @cached_property
    def sentence(self) -> str:
        """What to do, in one sentence."""
        if self.usd_per_hour == 0:
            return f"Buy no Savings Plan ({self.offer}) beyond what is held: none is expected to pay."
        first = "" if self.way == "all at once" else f", in {self.way}"
        return (
            f"Commit to {self.usd_per_hour:.3f} USD/h in a Compute Savings Plan ({self.offer}){first}: "
            f"it saves {usd(self.advised['saving'])} a month."
        )

    @cached_property
    def because(self) -> str:
        """The reason, with its doubt."""
        row = self.advised
        if self.usd_per_hour == 0:
            return "Of the spend that a plan could cover, too little is there for long enough."
        return (
            f"90 % between {usd(row['saving_p5'])} and {usd(row['saving_p95'])}; used to {share(row['utilization'])}, "
            f"it covers {share(row['coverage'])} of the spend, and in {percent(row['loses'])} of the futures it loses. "
            f"{share(self.beyond)} of the term lies beyond the forecast."
        )

    @property
    def decision(self) -> Decision | None:
        """The purchase as a decision; None where there is nothing to buy."""
        from capacity.planning.plans import Decision

        if self.usd_per_hour == 0:
            return None
        return Decision(
            kind="commit",
            service="",
            sentence=self.sentence,
            because=self.because,
            probability=float(1 - self.advised["loses"]),
            proposed=self.usd_per_hour,
            unit="USD/h",
            usd_per_month=float(-self.advised["saving"]),
        )

    def __str__(self) -> str:
        return f"{self.sentence}\n{self.because}"

    def plot(self) -> Any:
        """A bar of USD a month for each option, the advised one first."""
        from capacity import charts

        title = f"What is paid with each Savings Plan ({self.offer})"
        return charts.bars(list(self.frame["option"]), self.frame["usd_per_month"].to_numpy(), "USD a month", title)

    def _repr_html_(self) -> str:
        return table_html(f"{self.sentence} {self.because}", self.frame)


def commitment(
    plan: Plan,
    *,
    term_years: int = 1,
    payment: str = "no upfront",
    over: str | None = None,
    growth: float = 0.0,
    doubt: float | None = None,
) -> Commitment:
    """The Compute Savings Plan of least expected cost for what the plan will run.

    term_years, payment  which plan: 1 or 3, `no upfront` or `all upfront`; others are weighed beside it
    over                 the time it is weighed over, as "91d"; its whole term when not given
    growth               yearly growth past the plan's horizon that is certain: 0.2 for a fifth more
    doubt                standard deviation of the logarithm of the level a year past the horizon; None: learnt

    Covered are vCPU and memory of Fargate on demand, at the prices of the plan; Spot, storage and addresses are not.
    The amount is where the next dollar is used just often enough (newsvendor): for two thirds over the paths' weeks in
    the shape of the last 28 days, for one over all hours of the paths and, for two fifths, of the past itself. What
    [[prices.commitment]] holds is taken off first, until it expires. Upfront payments are compared as if money cost
    nothing. Raises PlanError where nothing has a price.
    """
    offer, ask = Offer.checked(term_years, payment), asked_of(plan)
    if growth <= -1 or not np.isfinite(growth):
        raise InputError(f"growth {growth!r} is not a yearly growth above -1", advice="A fifth more is written 0.2.")
    if doubt is not None and not 0 <= doubt < 5:
        raise InputError(f"doubt {doubt!r} is not between 0 and 5", advice="30 % up or down in a year is written 0.3.")
    horizon = ahead(plan)
    if not horizon.usd:
        raise PlanError(
            "nothing that is planned could be covered by a Savings Plan: it has no price, or all runs on Spot or EC2"
        )
    past = {days: behind(plan, days) for days in {*LOOK_BACKS, *BELIEFS, SHAPE_DAYS}}
    learnt, told = yearly_doubt(behind(plan, 3 * 365))
    doubt = learnt if doubt is None else doubt
    length = pd.Timedelta(days=365 * offer.term_years) if over is None else duration(over)
    term = over_term(horizon, length, doubt=doubt, growth=growth, seed=plan.forecast.seed)
    settings = ask.prices.settings
    market = market_of(plan, term, offer)
    if market is None:
        raise InputError(
            f"no price of a Savings Plan ({offer}) is known",
            advice="State it in [[prices.savings_plan]]; published ones are "
            f"{', '.join(map(str, OFFERS))} ({published()['date']}).",
        )
    best = best_amount(plan, term, market, past, growth)
    rows = [{"option": "advised", **outcome(market, best), "why": ""}]
    rows += _others(plan, horizon, past, market, over, doubt=doubt, growth=growth)
    today = as_it_runs(plan, TODAY_DAYS)
    if abs(today - 1) > OTHERWISE:
        scaled = Market(offer, market.spend._replace(usd=market.spend.usd * today), market.rest * today)
        rows.append({"option": TODAY, **outcome(scaled, best * today)})
    frame = with_reasons(pd.DataFrame(rows))
    if rows[0]["saving"] <= WORTH * market.mean(market.spend.total).mean() * HOURS_PER_MONTH:
        best, frame = 0.0, with_reasons(pd.DataFrame([{**rows[0], **outcome(market, 0.0)}, *rows[1:]]))
    steps = ladder(market, term.starts, best) if best > 0 and length >= pd.Timedelta(days=300) else pd.DataFrame()
    return Commitment(
        usd_per_hour=best,
        offer=offer,
        length=length,
        start=plan.forecast.times[0],
        frame=frame,
        ladder=steps,
        doubt=doubt,
        beyond=term.beyond,
        findings=Findings.of(
            assumptions(plan, term, settings, offer, doubt, told, horizon), runs_otherwise(today, best * today)
        ),
    )


def _others(
    plan: Plan,
    horizon: Hourly,
    past: dict[int, Hourly],
    market: Market,
    over: str | None,
    *,
    doubt: float,
    growth: float,
) -> list[dict[str, Any]]:
    """The look-back rule's answers, none at all, and the other plans that are sold."""
    rows = []
    for days, spend in remembered(plan, {days: past[days] for days in LOOK_BACKS}, market.offer).items():
        amount = best_commitment([(spend, 1.0)])
        rows.append({"option": f"look-back {days} d", **outcome(market, amount)})
    rows.append({"option": "none", **outcome(market, 0.0)})
    for offer in OFFERS:
        if offer == market.offer:
            continue
        length = pd.Timedelta(days=365 * offer.term_years) if over is None else duration(over)
        term = over_term(horizon, length, doubt=doubt, growth=growth, seed=plan.forecast.seed)
        other = market_of(plan, term, offer)
        if other is not None:
            amount = best_amount(plan, term, other, past, growth)
            rows.append({"option": str(offer), **outcome(other, amount)})
    return rows
