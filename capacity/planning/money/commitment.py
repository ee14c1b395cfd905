"""`Commitment`: how much of a Savings Plan to buy, sized on the paths of a plan, beside what looking back says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from capacity.config import HeldCommitment, PriceSettings
from capacity.display import table_html
from capacity.errors import InputError, PlanError
from capacity.findings import Finding, Findings
from capacity.planning.money.covering import Eligible, best_commitment, paid
from capacity.planning.money.ladder import ladder
from capacity.planning.money.offers import OFFERS, Offer, published, ratios
from capacity.planning.money.options import Market, outcome
from capacity.planning.money.spend import Hourly, Place, ahead, as_it_runs, asked_of, behind
from capacity.planning.money.term import Term, over_term, yearly_doubt
from capacity.planning.prices import HOURS_PER_MONTH
from capacity.planning.words import percent, share, usd
from capacity.timegrid import duration

if TYPE_CHECKING:
    from capacity.planning.plans import Decision, Plan

#: Look-back periods of AWS's own recommendation, in days (reference aws.md 2.5).
LOOK_BACKS: Final = (7, 30, 60)

#: Name of the option for those who do not follow the plan.
TODAY: Final = "tasks as today"

#: How much the past is believed beside the paths: its last days, and its last year. Chosen on the tuning traces of
#: `python -m benchmarks.commitments`: models are surer than they may be, and what has been comes again.
BELIEFS: Final = {60: 0.2, 365: 0.2}

#: Days that have to be known before the past says anything.
ENOUGH_DAYS: Final = 7

#: A saving below this share of the spend is not worth being bound for.
WORTH: Final = 0.01

#: Days of running tasks that the plan's own are compared with, and the difference from which on that matters.
TODAY_DAYS: Final = 28
OTHERWISE: Final = 0.10

#: Share of a spend that is rounding and not money.
DUST: Final = 1e-9

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
    The amount is where the next dollar is used just often enough (newsvendor), over all hours of the paths and, for two
    fifths, of the past itself. What [[prices.commitment]] holds is taken off first, until it expires. Upfront payments
    are compared as if money cost nothing. Raises PlanError where nothing has a price.
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
    past = {days: behind(plan, days) for days in {*LOOK_BACKS, *BELIEFS}}
    learnt, told = yearly_doubt(behind(plan, 3 * 365))
    doubt = learnt if doubt is None else doubt
    length = pd.Timedelta(days=365 * offer.term_years) if over is None else duration(over)
    term = over_term(horizon, length, doubt=doubt, growth=growth, seed=plan.forecast.seed)
    settings = ask.prices.settings
    market = _market(plan, term, offer)
    if market is None:
        raise InputError(
            f"no price of a Savings Plan ({offer}) is known",
            advice="State it in [[prices.savings_plan]]; published ones are "
            f"{', '.join(map(str, OFFERS))} ({published()['date']}).",
        )
    best = _best(plan, term, market, past, growth)
    rows = [{"option": "advised", **outcome(market, best), "why": ""}]
    rows += _others(plan, horizon, past, market, over, doubt=doubt, growth=growth)
    today = as_it_runs(plan, TODAY_DAYS)
    if abs(today - 1) > OTHERWISE:
        scaled = Market(offer, market.spend._replace(usd=market.spend.usd * today), market.rest * today)
        rows.append({"option": TODAY, **outcome(scaled, best * today)})
    frame = _reasons(pd.DataFrame(rows), best)
    if rows[0]["saving"] <= WORTH * market.mean(market.spend.total).mean() * HOURS_PER_MONTH:
        best, frame = 0.0, _reasons(pd.DataFrame([{**rows[0], **outcome(market, 0.0)}, *rows[1:]]), 0.0)
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
            _findings(plan, term, settings, offer, doubt, told, horizon), _runs_otherwise(today, best * today)
        ),
    )


def _best(plan: Plan, term: Term, market: Market, past: dict[int, Hourly], growth: float) -> float:
    """The amount of least expected cost. Where growth is stated, the past is no way it may go."""
    held = sum((_amount(one, term.starts) for one in asked_of(plan).prices.settings.commitment), start=np.zeros(1))
    mean = float((held * term.hours).sum() / term.hours.sum())
    return best_commitment(believed(market.spend, _remembered(plan, past, market.offer, mean) if growth == 0 else {}))


def believed(spend: Eligible, past: dict[int, Eligible]) -> list[tuple[Eligible, float]]:
    """The paths beside the past: ways the spend may go, each with how much it is believed."""
    known = [(past[days], belief) for days, belief in BELIEFS.items() if days in past]
    return [(spend, 1 - sum(belief for _, belief in known)), *known]


def _market(plan: Plan, term: Term, offer: Offer) -> Market | None:
    """The term's spend that nothing covers yet, with what this offer takes off; None where no price of it is known."""
    usd = term.usd
    for held in asked_of(plan).prices.settings.commitment:
        usd = _uncovered(plan, term._replace(usd=usd), held)
    spend = _eligible(plan, usd, term.hours, offer)
    if spend is None:
        return None
    unsold = [own for place, own in usd.items() if _ratio(plan, place, offer) is None]
    rest = sum(float((own.mean(axis=0) * term.hours).sum() / term.hours.sum()) for own in unsold)
    return Market(offer, spend, rest)


def _eligible(plan: Plan, usd: dict[Place, np.ndarray], hours: np.ndarray, offer: Offer) -> Eligible | None:
    known = {place: ratio for place in usd if (ratio := _ratio(plan, place, offer)) is not None}
    if not known:
        return None
    groups: dict[float, np.ndarray] = {}
    for place, ratio in known.items():
        groups[ratio] = groups[ratio] + usd[place] if ratio in groups else usd[place]
    return Eligible(np.stack(list(groups.values())), tuple(groups), hours)


def _ratio(plan: Plan, place: Place, offer: Offer) -> float | None:
    rate = next(one for one in plan.rates if (one.region, one.architecture) == (place.region, place.architecture))
    found = ratios(rate, offer, asked_of(plan).prices.settings)
    return None if found is None else found[place.item]


def _uncovered(plan: Plan, term: Term, held: HeldCommitment) -> dict[Place, np.ndarray]:
    """What remains on demand beside a commitment that is held, while it lasts.

    Where the price of what is held is not published, it is taken to cover what one without upfront payment does.
    """
    kinds = (Offer(held.term_years, held.payment), Offer(held.term_years))
    own = [next(ratio for kind in kinds if (ratio := _ratio(plan, place, kind)) is not None) for place in term.usd]
    spend = Eligible(np.stack(list(term.usd.values())), tuple(own), term.hours)
    left = spend.usd - paid(spend, _amount(held, term.starts)).covered
    return dict(zip(term.usd, np.where(left > DUST * spend.usd, left, 0.0), strict=True))


def _amount(held: HeldCommitment, starts: pd.DatetimeIndex) -> np.ndarray:
    """(T,) USD an hour: what it is while it lasts, and nothing before and after."""
    lasts = starts < pd.Timestamp(held.end, tz="UTC")
    if held.start is not None:
        lasts &= starts >= pd.Timestamp(held.start, tz="UTC")
    return np.where(lasts, held.usd_per_hour, 0.0)


def _remembered(plan: Plan, past: dict[int, Hourly], offer: Offer, held: float = 0.0) -> dict[int, Eligible]:
    """What was spent, as ways it may go again, beside a commitment of `held` USD an hour; none of too few days."""
    found = {}
    for days, hourly in past.items():
        spend = _eligible(plan, hourly.usd, np.full(len(hourly.starts), hourly.hours), offer)
        if spend is not None and spend.hours.sum() >= ENOUGH_DAYS * 24:
            found[days] = spend if held == 0 else spend._replace(usd=spend.usd - paid(spend, held).covered)
    return found


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
    for days, spend in _remembered(plan, {days: past[days] for days in LOOK_BACKS}, market.offer).items():
        amount = best_commitment([(spend, 1.0)])
        rows.append({"option": f"look-back {days} d", **outcome(market, amount)})
    rows.append({"option": "none", **outcome(market, 0.0)})
    for offer in OFFERS:
        if offer == market.offer:
            continue
        length = pd.Timedelta(days=365 * offer.term_years) if over is None else duration(over)
        term = over_term(horizon, length, doubt=doubt, growth=growth, seed=plan.forecast.seed)
        other = _market(plan, term, offer)
        if other is not None:
            amount = _best(plan, term, other, past, growth)
            rows.append({"option": str(offer), **outcome(other, amount)})
    return rows


def _reasons(frame: pd.DataFrame, best: float) -> pd.DataFrame:
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


def _runs_otherwise(today: float, amount: float) -> list[Finding]:
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


def _findings(
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
    unsold = sorted({place.architecture for place in term.usd if _ratio(plan, place, offer) is None})
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
