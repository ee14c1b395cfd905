"""What a review has to say, a sentence a fact; and which facts are new since the last time.

A fact's state is coarser than its sentence: numbers that moved a little are not news.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.planning.words import counted, level_words, share, spoken_date, usd
from capacity.reviewing.decomposing import PARTS
from capacity.reviewing.wording import FLEET, plus

if TYPE_CHECKING:
    from capacity.reviewing.reviews import Review

#: Sections of a digest, in their order.
SECTIONS: Final = ("A new plan?", "Plan against actual", "Recommendations", "Promises kept")

#: An error of a service is told from this share of what was planned for it; it is news when it moves by as much.
TOLD: Final = 0.10

#: USD planned below which parts are told to the cent.
CENTS: Final = 100.0

#: Reasons for a new plan that a review in a few sentences names.
REASONS: Final = 3

#: Level whose promise is told: where plans are made.
LEVEL: Final = 0.95


class Fact(NamedTuple):
    """One thing to say.

    key    what it is about, the same in every review        state  what of it would be news if it were different
    headline  whether a review in a few sentences says it
    """

    key: str
    section: str
    state: str
    text: str
    headline: bool = False


class News(NamedTuple):
    """What changed between two reviews."""

    changed: tuple[Fact, ...]
    gone: tuple[Fact, ...]
    since: pd.Timestamp | None


def news(facts: Iterable[Fact], previous: Mapping[str, Any] | None) -> News:
    """Facts that are new or have another state, and reasons that are gone; without a last time all are new."""
    facts = tuple(facts)
    if previous is None:
        return News(facts, (), None)
    before = {str(one["key"]): Fact(**{name: one[name] for name in Fact._fields}) for one in previous["facts"]}
    now = {fact.key for fact in facts}
    changed = tuple(fact for fact in facts if fact.key not in before or before[fact.key].state != fact.state)
    gone = tuple(fact for key, fact in before.items() if key not in now and key.startswith(("drift/", "short/")))
    return News(changed, gone, pd.Timestamp(previous["now"]))


def facts_of(review: Review) -> tuple[Fact, ...]:
    """Everything there is to say, in the order of the sections."""
    found = [about(review), *drifting(review), *errors(review), *shortages(review), *recommended(review), *kept(review)]
    return tuple(sorted(found, key=lambda fact: SECTIONS.index(fact.section) if fact.section else -1))


def about(review: Review) -> Fact:
    """Which plan, and how much of it has been seen."""
    past, fleet = review.pasts[-1], review.fleet
    days = pd.Timedelta(hours=past.hours) / pd.Timedelta(days=1)
    whole = (past.promised.end - past.promised.cutoff) / pd.Timedelta(days=1)
    text = (
        f"The plan that began {spoken_date(past.promised.cutoff)}, {_days(days)} of {whole:,.0f} days on, "
        f"{share(float(fleet['share']))} of the intervals compared."
    )
    return Fact("about", "", past.promised.cutoff.isoformat(), text, headline=True)


def _days(number: float) -> str:
    """Whole days; less than one is not none.

    >>> _days(13.9), _days(0.1)
    ('14', 'less than 1')
    """
    return "less than 1" if number < 1 else f"{number:,.0f}"


def drifting(review: Review) -> list[Fact]:
    """Whether a new plan is needed, and every reason."""
    section, drift = SECTIONS[0], review.drift
    found = [Fact("drift", section, "needed" if drift.needed else "not yet", drift.answer, headline=True)]
    for place, one in enumerate(drift.reasons):
        state = f"{one.value:.1g}" if one.reason in ("outside", "growth") else f"{one.value:.2g}"
        key = f"drift/{one.service}/{one.metric}/{one.reason}"
        found.append(Fact(key, section, state, one.sentence, headline=place < REASONS))
    return found


def errors(review: Review) -> list[Fact]:
    """The error of the fleet, and of services where it is not small, the largest first."""
    found = [_error(review.fleet, headline=True, billed=_billed(review))]
    rows = review.frame.set_index("service", drop=False)
    told = review.largest if len(review.splits) > 1 else []  # of a single one the fleet has said it all
    return found + [
        _error(rows.loc[name]) for name in told if size_of(rows.loc[name]) >= TOLD * rows.loc[name, "planned"]
    ]


def size_of(row: pd.Series) -> float:
    """Task-hours that a row of `schema.REVIEW` is wrong by: demand and capacity, or tasks that ran and nothing needed.

    Fewer than the plan's headroom asks for are no error: policies do not hold a zone's loss unless told so.
    """
    return max(abs(float(np.nansum([row["demand"], row["capacity"]]))), float(row["policy"]))


def _billed(review: Review) -> str:
    """Of how many services the fleet's USD are, where a bill is known of some and not of all."""
    rows = review.frame[(review.frame["service"] != FLEET) & (review.frame["hours"] > 0)]
    count = int((rows["usd_planned"].notna() & rows["usd_actual"].notna()).sum())
    return f" A bill is known of {count:,} of {len(rows):,} services:" if 0 < count < len(rows) else ""


def _error(row: pd.Series, *, headline: bool = False, billed: str = "") -> Fact:
    """Planned to actual in one breath."""
    name = "The fleet" if row["service"] == FLEET else f"`{row['service']}`"
    section, key = SECTIONS[1], f"error/{row['service']}"
    if not row["hours"] > 0:
        return Fact(key, section, "unknown", f"{name}: nothing could be compared.", headline)
    parts = ", ".join(f"{part} {plus(row[part])}" for part in PARTS[1:-1])
    text = (
        f"{name}: {row['planned']:,.0f} task-hours planned, {row['expected']:,.0f} expected without the margin, "
        f"{row['actual']:,.0f} ran: {parts}."
    )
    if math.isfinite(row["usd_planned"]):
        known = math.isfinite(row["usd_actual"])
        paid = f"{usd(row['usd_actual'])} paid" if known else "what was paid is not known"
        digits = 2 if abs(row["usd_planned"]) < CENTS else 0
        parts = ", ".join(f"{part} {plus(row[f'usd_{part}'], digits)}" for part in PARTS[1:])
        text += f"{billed} {usd(row['usd_planned'])} planned, {usd(row['usd_expected'])} expected, {paid}: {parts}."
    planned = row["planned"] if row["planned"] > 0 else math.nan
    state = " ".join(_coarse(row[part] / planned) for part in PARTS[1:-1])
    return Fact(key, section, state, text, headline)


def _coarse(part: float) -> str:
    """A share to the nearest TOLD.

    >>> _coarse(0.04), _coarse(0.16), _coarse(float("nan"))
    ('0', '2', '?')
    """
    return "?" if not math.isfinite(part) else str(round(part / TOLD))


def shortages(review: Review) -> list[Fact]:
    """Services that ran fewer tasks than their load filled."""
    rows = review.frame[(review.frame["service"] != FLEET) & (review.frame["short"] >= 0.5)]
    rows = rows.sort_values("short", ascending=False, kind="stable")
    return [
        Fact(
            f"short/{row.service}",
            SECTIONS[1],
            f"{row.short:.1g}",
            f"`{row.service}`: {row.short:,.0f} task-hours were missing for tasks that are no more than full.",
        )
        for row in rows.itertuples()
    ]


def recommended(review: Review) -> list[Fact]:
    """How many recommendations were followed, and what became of each."""
    fates = review.recommendations
    if not fates:
        return []
    counts = pd.Series([fate.status for fate in fates]).value_counts()
    order = ("applied", "changed", "ignored", "not needed", "not due", "cannot be told")
    said = ", ".join(f"{counts[status]} {status}" for status in order if status in counts)
    found = [Fact("fates", SECTIONS[2], said, f"Of {counted(len(fates), 'recommendation')}: {said}.", headline=True)]
    seen: dict[str, int] = {}
    for fate in fates:
        key = f"fate/{fate.decision.service}/{fate.decision.kind}"
        seen[key] = seen.get(key, 0) + 1
        text = f"{fate.status.capitalize()}: {fate.decision.sentence} {fate.evidence}{_cost(fate.usd)}"
        found.append(Fact(f"{key}/{seen[key]}", SECTIONS[2], fate.status, text))
    return found


def _cost(amount: float) -> str:
    if math.isnan(amount) or abs(amount) < 1:
        return ""
    return f" That {'cost' if amount > 0 else 'saved'} {usd(abs(amount))}."


def kept(review: Review) -> list[Fact]:
    """Whether the level that plans are made at was exceeded as often as promised: the fleet, and who broke it.

    Requests speak for the vCPU and the memory that they take, where the verdict is the same.
    """
    table = review.coverage[review.coverage["level"] == LEVEL]
    whole = table["service"].eq(FLEET) | (table.groupby("metric")["service"].transform("size") == 1)
    rows = sorted(
        (row for row, all_ in zip(table.itertuples(), whole, strict=True) if all_ or row.verdict in BROKEN),
        key=lambda row: (row.service != FLEET, row.service, row.metric != "requests", row.metric),
    )
    told: dict[tuple[str, str], Any] = {}
    for row in rows:
        told.setdefault((row.service, row.verdict), row)
    return [_kept(row, len(review.pasts), headline=place == 0) for place, row in enumerate(told.values())]


def _kept(row: Any, plans: int, *, headline: bool) -> Fact:
    name = "the fleet" if row.service == FLEET else f"`{row.service}`"
    over = f" of {plans:,} plans" if plans > 1 else ""
    text = (
        f"Demand ({row.metric}) of {name} was above its {level_words(LEVEL)} quantile in {_whole(row.exceeded)} of the "
        f"intervals{over}, {_whole(row.promised)} promised, {_whole(row.low)} to {_whole(row.high)} in the long run: "
        f"{_SAID[row.verdict]}."
    )
    return Fact(f"kept/{row.service}/{row.metric}", SECTIONS[3], row.verdict, text, headline)


def _whole(part: float) -> str:
    """A share in whole percent."""
    return f"{part * 100:.0f} %"


#: Verdicts that say of a promise that it was not kept.
BROKEN: Final = ("too low", "too high")

_SAID: Final = {
    "kept": "the promise is kept",
    "too low": "the quantile is too low",
    "too high": "the quantile is higher than it has to be",
    "too few": "too few plans to tell whether that is the method or this one",
}
