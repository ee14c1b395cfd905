"""What another system cannot say of a policy, in sentences that stand in its document: nothing is silently dropped."""

from __future__ import annotations

from collections.abc import Iterator

from capacity.scaling.policy import ScheduledAction, ServicePolicy
from capacity.scaling.render.table import printable
from capacity.scaling.render.week import weekly


def unsaid_schedule(one: ServicePolicy, *, windows: bool, maximum: bool) -> Iterator[str]:
    """Of the schedule. `windows`: weekly actions are said, others never; `maximum`: so is a maximum of their own."""
    said = weekly(one) if windows else ()
    for action in one.schedule:
        if action not in said:
            yield f"Not said: {_sentence(action)}."
        elif not maximum and action.max_tasks != one.max_tasks:
            yield f"Not said: the maximum of {action.max_tasks:,} that {_name(action)} sets."
    starts = sorted({f"{action.start:%Y-%m-%d %H:%M} UTC" for action in said if action.start is not None})
    ends = sorted({f"{action.end:%Y-%m-%d %H:%M} UTC" for action in said if action.end is not None})
    if starts:
        yield f"Not said: the schedule begins on {', '.join(starts)}. Apply it then."
    if ends:
        yield f"Not said: the schedule ends on {', '.join(ends)}. Plan again before, or take it out then."


def _sentence(action: ScheduledAction) -> str:
    dates = f", from {action.start:%Y-%m-%d}" if action.start is not None else ""
    dates += f", until {action.end:%Y-%m-%d}" if action.end is not None else ""
    return (
        f"{_name(action)} sets {action.min_tasks:,} to {action.max_tasks:,} tasks, "
        f"{printable(action.schedule)} {printable(action.timezone)}{dates}"
    )


def _name(action: ScheduledAction) -> str:
    return f"'{printable(action.name)}'"


def unsaid_parts(one: ServicePolicy, *, steps: bool) -> Iterator[str]:
    """Of step and predictive scaling, and of metrics of 20 seconds. `steps`: those are said."""
    if one.steps is not None and not steps:
        yield f"Not said: step scaling of {one.steps.metric} above {one.steps.threshold:,g}."
    if one.predictive is not None:
        yield f"Not said: predictive scaling of {one.predictive.metric} at {one.predictive.target:,g}, an AWS service."
    if one.tracking.resolution == 20:
        yield "Not said: metrics of 20 seconds, a setting of ECS."
