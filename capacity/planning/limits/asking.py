"""What to ask for, and by when: a decision for every limit that paths pass."""

from __future__ import annotations

import pandas as pd

from capacity.planning.limits.passage import EARLY, LIKELY
from capacity.planning.limits.weighed import Weighed
from capacity.planning.plans import Decision
from capacity.planning.words import before, passing, percent, sensible, spoken_date


def asking(found: Weighed, times: pd.DatetimeIndex) -> Decision | None:
    """Raise the limit, when at least half of the paths pass it; watch it, when one in twenty does; else nothing.

    What is asked for holds to the end of the horizon, at the goal's level.
    """
    ceiling, row = found.ceiling, found.row
    if row["probability"] < EARLY:
        return None
    unit = "" if ceiling.unit in ceiling.what else f" {ceiling.unit}"
    end, likely = spoken_date(times[-1], ceiling.timezone), percent(row["probability"])
    needed = f"{row['needed']:,.0f}" if row["needed"] >= 100 else f"{row['needed']:,.3g}"
    why = [passing(row, times, ceiling.timezone), f"{needed} {ceiling.unit} hold to {end}.", found.counted]
    facts = {"service": ceiling.name, "current": row["value"], "unit": ceiling.unit, "before": row["act_by"]}
    if row["probability"] < LIKELY:
        return Decision(
            "watch",
            sentence=f"Watch {ceiling.what}: {likely} chance of more than {row['value']:,.10g}{unit} by {end}.",
            because=_said(why),
            probability=row["probability"],
            owner=ceiling.owner,
            **facts,
        )
    proposed = sensible(max(row["needed"], row["value"] + 1))
    reached = row["median"] == times[0]
    when = "now" if reached else before(row["act_by"], times[0], ceiling.timezone)
    change = f"{ceiling.ask} {ceiling.what} from {row['value']:,.10g} to {proposed:,}{unit}"
    if ceiling.fixed:
        change = f"{ceiling.ask} {ceiling.what}"
    ending = ": it is already reached." if reached else f", {likely} sure."
    return Decision(
        "raise_quota",
        sentence=f"{change} {when}{ending}",
        because=_said([*why, ceiling.how]),
        probability=1.0 if reached else row["probability"],
        proposed=None if ceiling.fixed else proposed,
        owner=ceiling.owner,
        **facts,
    )


def _said(sentences: list[str]) -> str:
    return " ".join(sentence for sentence in sentences if sentence)
