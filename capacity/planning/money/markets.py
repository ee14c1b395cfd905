"""What a Savings Plan meets: a term's spend beside what is held already, and the past as another way it may go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from capacity.config import HeldCommitment
from capacity.planning.money.covering import Eligible, best_commitment, paid
from capacity.planning.money.offers import Offer, ratios
from capacity.planning.money.options import Market
from capacity.planning.money.shape import SHAPE_DAYS, in_recent_shape
from capacity.planning.money.spend import Hourly, Place, asked_of
from capacity.planning.money.term import Term

if TYPE_CHECKING:
    from capacity.planning.plans import Plan

#: How much the past is believed beside the paths: its last days, and its last year. Chosen on the tuning traces of
#: `python -m benchmarks.commitments`: models are surer than they may be, and what has been comes again.
BELIEFS: Final = {60: 0.2, 365: 0.2}

#: How much of the amount is sized on the paths' weeks in the past's recent shape; the rest on all ways pooled. Chosen
#: on the same traces: pooling guards against a fall, and alone is too low where the level is right.
RESHAPED: Final = 2 / 3

#: Days that have to be known before the past says anything.
ENOUGH_DAYS: Final = 7

#: Share of a spend that is rounding and not money.
DUST: Final = 1e-9


def market_of(plan: Plan, term: Term, offer: Offer) -> Market | None:
    """The term's spend that nothing covers yet, with what this offer takes off; None where no price of it is known."""
    usd = term.usd
    for held in asked_of(plan).prices.settings.commitment:
        usd = uncovered(plan, term._replace(usd=usd), held)
    spend = eligible(plan, usd, term.hours, offer)
    if spend is None:
        return None
    unsold = [own for place, own in usd.items() if ratio_at(plan, place, offer) is None]
    rest = sum(float((own.mean(axis=0) * term.hours).sum() / term.hours.sum()) for own in unsold)
    return Market(offer, spend, rest)


def eligible(plan: Plan, usd: dict[Place, np.ndarray], hours: np.ndarray, offer: Offer) -> Eligible | None:
    known = {place: ratio for place in usd if (ratio := ratio_at(plan, place, offer)) is not None}
    if not known:
        return None
    groups: dict[float, np.ndarray] = {}
    for place, ratio in known.items():
        groups[ratio] = groups[ratio] + usd[place] if ratio in groups else usd[place]
    return Eligible(np.stack(list(groups.values())), tuple(groups), hours)


def ratio_at(plan: Plan, place: Place, offer: Offer) -> float | None:
    rate = next(one for one in plan.rates if (one.region, one.architecture) == (place.region, place.architecture))
    found = ratios(rate, offer, asked_of(plan).prices.settings)
    return None if found is None else found[place.item]


def uncovered(plan: Plan, term: Term, held: HeldCommitment) -> dict[Place, np.ndarray]:
    """What remains on demand beside a commitment that is held, while it lasts.

    Where the price of what is held is not published, it is taken to cover what one without upfront payment does.
    """
    kinds = (Offer(held.term_years, held.payment), Offer(held.term_years))
    own = [next(ratio for kind in kinds if (ratio := ratio_at(plan, place, kind)) is not None) for place in term.usd]
    spend = Eligible(np.stack(list(term.usd.values())), tuple(own), term.hours)
    left = spend.usd - paid(spend, amount_of(held, term.starts)).covered
    return dict(zip(term.usd, np.where(left > DUST * spend.usd, left, 0.0), strict=True))


def amount_of(held: HeldCommitment, starts: pd.DatetimeIndex) -> np.ndarray:
    """(T,) USD an hour: what it is while it lasts, and nothing before and after."""
    lasts = starts < pd.Timestamp(held.end, tz="UTC")
    if held.start is not None:
        lasts &= starts >= pd.Timestamp(held.start, tz="UTC")
    return np.where(lasts, held.usd_per_hour, 0.0)


def remembered(plan: Plan, past: dict[int, Hourly], offer: Offer, held: float = 0.0) -> dict[int, Eligible]:
    """What was spent, as ways it may go again, beside a commitment of `held` USD an hour; none of too few days."""
    found = {}
    for days, hourly in past.items():
        spend = eligible(plan, hourly.usd, np.full(len(hourly.starts), hourly.hours), offer)
        if spend is not None and spend.hours.sum() >= ENOUGH_DAYS * 24:
            found[days] = spend if held == 0 else spend._replace(usd=spend.usd - paid(spend, held).covered)
    return found


def best_amount(plan: Plan, term: Term, market: Market, past: dict[int, Hourly], growth: float) -> float:
    """The amount of least expected cost, on the mean of two views. Where growth is stated, the paths alone decide."""
    if growth != 0:
        return market.best
    held = sum((amount_of(one, term.starts) for one in asked_of(plan).prices.settings.commitment), start=np.zeros(1))
    mean = float((held * term.hours).sum() / term.hours.sum())
    pooled = best_commitment(believed(market.spend, remembered(plan, past, market.offer, mean)))
    reshaped = in_recent_shape(term, past[SHAPE_DAYS])
    seen = None if reshaped is None else market_of(plan, reshaped, market.offer)
    return pooled if seen is None else RESHAPED * seen.best + (1 - RESHAPED) * pooled


def believed(spend: Eligible, past: dict[int, Eligible]) -> list[tuple[Eligible, float]]:
    """The paths beside the past: ways the spend may go, each with how much it is believed."""
    known = [(past[days], belief) for days, belief in BELIEFS.items() if days in past]
    return [(spend, 1 - sum(belief for _, belief in known)), *known]
