"""What became of one recommendation: a rule for each kind, from what is known of its service since to what is told.

A cost is until now, in USD: below zero it is saved. Hours short are those that were missing because of it; below zero
they were spared.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from capacity.planning.plans import Decision
from capacity.planning.words import counted, share, usd
from capacity.reviewing.scene import SAME, Scene, Status, Told, stands


def raised_max(decision: Decision, scene: Scene) -> Told:
    """A higher maximum: seen when more tasks ran than the old one allows; missed when demand asked for more."""
    old, proposed, split = decision.current, decision.proposed, scene.split
    if split is None or old is None or proposed is None:
        return Told("cannot be told", "Nothing is known of the service since.")
    wanted = scene.hours_above(split.full, old)
    ran = scene.hours_above(split.tasks["ran"], old)
    most = scene.most
    asked = (
        f"Load asked for {wanted:,.0f} task-hours above {old:,.0f}."
        if wanted > 0
        else f"Load never asked for more than {counted(old)}."
    )
    if scene.bounds is not None:
        status = stands(decision, scene.bounds[1])
        said = f"Its maximum is {scene.bounds[1]:,} today. {asked}"
    elif most > old:
        status, said = "applied", f"It ran {counted(most)}, more than the old maximum of {old:,.0f}. {asked}"
    elif wanted > 0:
        status, said = "ignored", f"It never ran more than {counted(old)}. {asked}"
    else:
        return Told("cannot be told", f"{asked} Today's maximum is not known: pass the settings.", short=0.0)
    if status == "ignored":
        missing = float(np.nansum(np.where(split.tasks["ran"] >= old - 0.5, split.lacking, 0))) * split.hours
        return Told(
            status, f"{said} {missing:,.0f} task-hours were missing while it stood at its maximum.", 0.0, missing
        )
    return Told(status, said, ran * scene.price(), -ran)


def lowered_max(decision: Decision, scene: Scene) -> Told:
    """A lower maximum: only settings tell; had it been needed, tasks above it ran."""
    proposed, split = decision.proposed, scene.split
    if split is None or proposed is None:
        return Told("cannot be told", "Nothing is known of the service since.")
    above = scene.hours_above(split.tasks["ran"], proposed)
    never = f"It never ran more than {counted(proposed)}: the lower maximum would have held."
    ran = f"It ran {above:,.0f} task-hours above {proposed:,.0f}: the lower maximum would have been short."
    said = never if above == 0 else ran
    if scene.bounds is None:
        return (
            Told("ignored", said, short=-above)
            if above > 0
            else Told("cannot be told", f"{said} Today's is not known.")
        )
    return Told(stands(decision, scene.bounds[1]), f"Its maximum is {scene.bounds[1]:,} today. {said}", 0.0, 0.0)


def raised_min(decision: Decision, scene: Scene) -> Told:
    """A higher minimum: not in force when fewer tasks were kept; in force when they were kept and not needed."""
    current, proposed, split, fewest = decision.current, decision.proposed, scene.split, scene.fewest
    if split is None or current is None or proposed is None or (scene.bounds is None and math.isnan(fewest)):
        return Told("cannot be told", "How few tasks were kept is not known.")
    ran, kept = split.tasks["ran"], f"It was kept at {counted(fewest)} or more"
    if scene.bounds is not None:
        status, kept = stands(decision, scene.bounds[0]), f"Its minimum is {scene.bounds[0]:,} today"
    elif fewest < proposed:
        status = "changed" if fewest > current and scene.held_up(fewest) else "ignored"
    elif scene.held_up(fewest):
        status = "applied"
    else:
        return Told(
            "cannot be told", f"{kept}, which its load asks for anyway. Today's minimum is not known.", 0.0, 0.0
        )
    if status == "applied":
        idle = np.where(ran <= proposed + 0.5, np.maximum(proposed - np.maximum(split.need, current), 0), 0)
        return Told(status, f"{kept}.", float(np.nansum(idle)) * split.hours * scene.price(), 0.0)
    below = np.maximum(proposed - ran, 0)
    short = float(np.nansum(np.minimum(split.lacking, below))) * split.hours
    said = f"{kept}; {short:,.0f} task-hours were missing that the higher minimum would have had."
    return Told(status, said, -float(np.nansum(below)) * split.hours * scene.price(), short)


def lowered_min(decision: Decision, scene: Scene) -> Told:
    """A lower minimum: in force when fewer tasks were kept; not when tasks were kept that nothing needed."""
    current, proposed, split, fewest = decision.current, decision.proposed, scene.split, scene.fewest
    if split is None or current is None or proposed is None or (scene.bounds is None and math.isnan(fewest)):
        return Told("cannot be told", "How few tasks were kept is not known.")
    ran, kept = split.tasks["ran"], f"It was kept at {counted(fewest)} or more"
    if scene.bounds is not None:
        status, kept = stands(decision, scene.bounds[0]), f"Its minimum is {scene.bounds[0]:,} today"
    elif fewest >= current and not scene.held_up(current):
        return Told(
            "cannot be told", f"{kept}, which its load asks for anyway. Today's minimum is not known.", 0.0, 0.0
        )
    else:
        status = stands(decision, fewest)
    if status == "ignored":
        idle = np.where(ran <= current + 0.5, np.maximum(ran - np.maximum(proposed, split.need), 0), 0)
        hours = float(np.nansum(idle)) * split.hours
        return Told(status, f"{kept}; {hours:,.0f} task-hours ran that nothing needed.", hours * scene.price(), 0.0)
    below = np.maximum(current - ran, 0)
    hours, short = (float(np.nansum(part)) * split.hours for part in (below, np.minimum(split.lacking, below)))
    missing = f", and {short:,.0f} were missing then" if short >= 0.5 else ""
    said = f"{kept}; {hours:,.0f} task-hours fewer ran than the old minimum{missing}."
    return Told(status, said, -hours * scene.price(), short)


def resized(decision: Decision, scene: Scene) -> Told:
    """Another size of task: what each reserved."""
    current, proposed, split = decision.current, decision.proposed, scene.split
    if split is None or current is None or proposed is None:
        return Told("cannot be told", "Nothing is known of the service since.")
    each = scene.actual.reserved(split.service.name, "memory_reserved")
    if math.isnan(each) and scene.today is not None:
        each = scene.today.task_memory_gib
    if math.isnan(each):
        return Told("cannot be told", "What a task reserved is not known: bring memory_reserved, or pass the settings.")
    more = proposed > current
    status: Status = "ignored"
    if abs(each - proposed) <= SAME * proposed:
        status = "applied"
    elif abs(each - current) > SAME * current:
        status = "changed"
    price = split.prices.get("memory", math.nan)
    moved = (each - current if status != "ignored" else 0.0) * split.task_hours("ran") * price
    spared = (current - proposed) * split.task_hours("ran") * price
    said = f"Each task reserves {each:.3g} GiB."
    if status == "ignored" and not more:
        return Told(
            status, f"{said} That cost {usd(spared)} more than needed." if np.isfinite(spared) else said, spared
        )
    return Told(status, said, moved)


def measured(decision: Decision, scene: Scene) -> Told:
    """A closer measurement of what a task carries: only settings tell."""
    split, today = scene.split, scene.today
    old = split.service.task_capacity if split is not None else None
    if today is None or old is None:
        return Told("cannot be told", "Today's settings are not known: pass them.")
    new = today.task_capacity
    if new is None or new == old:
        return Told("ignored", "What a task carries is stated as it was.")
    low, high = new.interval
    spread, was = (high - low) / new.requests_per_second, (old.interval[1] - old.interval[0]) / old.requests_per_second
    status: Status = "applied" if spread < was else "changed"
    return Told(
        status, f"It is now known as {low:.4g} to {high:.4g} requests/s, {share(spread)} wide and not {share(was)}."
    )


def fixed(decision: Decision, scene: Scene) -> Told:
    """Data that failed: whether they still do."""
    own = [one for one in scene.actual.findings if one.status == "FAIL" and one.service == decision.service]
    if scene.split is None:
        return Told("ignored", "It is still not measured well enough to be planned.")
    if own:
        return Told("ignored", f"The data of the plan's time fail too: {own[0].message}")
    return Told("applied", "The data of the plan's time pass their checks.")


def watched(decision: Decision, scene: Scene) -> Told:
    """Something to keep an eye on: whether it happened."""
    split, limit = scene.split, decision.current
    if split is None or limit is None or decision.unit != "tasks":
        return Told("cannot be told", "What it used of the limit is not measured.")
    passed = scene.hours_above(split.full, limit)
    if passed == 0:
        return Told("not due", f"It did not happen: load asked for no more than {counted(limit)}.", 0.0, 0.0)
    if scene.most > limit:
        return Told(
            "applied", f"It happened, and {counted(scene.most)} ran: the limit of {limit:,.0f} had been raised."
        )
    return Told("ignored", f"It happened: load asked for {passed:,.0f} task-hours above {limit:,.0f}.", 0.0, passed)


#: Rules by kind; what several services share is judged by `shared`.
RULES: Final[dict[str, Callable[[Decision, Scene], Told]]] = {
    "raise_max": raised_max,
    "lower_max": lowered_max,
    "raise_min": raised_min,
    "lower_min": lowered_min,
    "resize": resized,
    "measure": measured,
    "fix_data": fixed,
    "watch": watched,
}
