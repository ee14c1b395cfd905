"""Step and predictive scaling: each by itself, and beside target tracking and the schedule."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np

from capacity.findings import Finding
from capacity.scaling.checks.findings import finding
from capacity.scaling.policy import ServicePolicy, StepScaling

#: Steps of one policy (reference aws.md 3.6); minutes that an alarm of one-minute periods may look at, and the longest
#: name of an alarm (7.1).
MOST_STEPS: Final = 20
MOST_MINUTES: Final = 24 * 60
LONGEST_ALARM_NAME: Final = 255

#: Seconds of SchedulingBufferTime, percent of MaxCapacityBuffer (aws.md 3.4).
MOST_BUFFER: Final = 3600
MOST_OVER: Final = 100

_RANGE: Final = "State what target tracking keeps: above 0, and of CPU or memory at most 100 %."


def steps(one: ServicePolicy) -> Iterator[Finding]:
    """What AWS would refuse in a ladder, and rungs that nobody can have meant."""
    if one.steps is None:
        return
    ladder = one.steps
    for message, advice in _refused(ladder):
        yield finding(one, "steps", "FAIL", message, advice)
    name = one.service.resource_id.removeprefix("service/")
    if len(f"capacity-{name}-{ladder.metric}-steps") > LONGEST_ALARM_NAME:
        message = f"cluster and service do not fit into an alarm's name of {LONGEST_ALARM_NAME} characters."
        yield finding(one, "name", "FAIL", message, "Leave its steps out.")
    adjustments = [step.adjustment for step in ladder.steps]
    if any(upper < lower for lower, upper in pairwise(adjustments)):
        yield finding(one, "steps", "REVIEW", "a higher rung of the ladder adds less than the one below it.")
    if ladder.metric != "requests" and ladder.threshold >= 100:
        message = f"a threshold of {ladder.threshold:g} % of {ladder.metric} is not reached where limits are hard."
        yield finding(one, "steps", "REVIEW", message, "Lower it below 100 %.")


def _refused(ladder: StepScaling) -> Iterator[tuple[str, str]]:
    """Rules of PutScalingPolicy and PutMetricAlarm (aws.md 3.3, 7.1): what is wrong, and what to do."""
    rungs = ladder.steps
    bounds = [rung.lower for rung in rungs] + [rung.upper for rung in rungs if rung.upper is not None]
    if not np.isfinite([ladder.threshold, *bounds]).all():
        yield "threshold or a bound of the ladder is not a number.", "An upper end that is open is None."
        return
    if not 1 <= len(rungs) <= MOST_STEPS:
        yield f"a ladder of {len(rungs)} steps, AWS allows 1 to {MOST_STEPS}.", "Join neighbours, or add a first step."
    if any(rung.upper is None for rung in rungs[:-1]):
        yield "a step below the highest has no upper end.", "End it where the next begins, or it overlaps all above it."
    if rungs and rungs[-1].upper is not None:
        advice = "Give it the upper end None: far above the threshold nothing would be added, which AWS refuses."
        yield "the highest step has an upper end.", advice
    for below, above in pairwise(rungs):
        if below.upper is not None and below.upper != above.lower:
            what = "a gap" if below.upper < above.lower else "an overlap"
            advice = "Begin each step where the one below it ends."
            yield f"between {below.upper:g} and {above.lower:g} the steps have {what}.", advice
    if any(rung.upper is not None and rung.upper <= rung.lower for rung in rungs):
        yield "a step ends at or below where it begins.", "List the steps from the lowest to the highest."
    if rungs and rungs[0].lower != 0:
        advice = "Begin it at 0: bounds are relative to the threshold, which says where to begin."
        yield f"the lowest step begins at {rungs[0].lower:+g} of the threshold.", advice
    if any(rung.adjustment <= 0 for rung in rungs):
        yield "a step adds nothing.", "Step scaling scales out here, and target tracking in: add 1 at least."
    if ladder.cooldown < 0 or ladder.least < 1:
        yield "a cooldown below 0 s, or fewer than 1 task at least.", "State both as AWS takes them."
    if not 1 <= ladder.minutes <= MOST_MINUTES:
        advice = "One to three are usual: a ladder is there to be fast."
        yield f"an alarm over {ladder.minutes:,} minutes, AWS allows 1 to {MOST_MINUTES:,}.", advice


def predictive(one: ServicePolicy) -> Iterator[Finding]:
    """AWS's own forecast: its settings."""
    if one.predictive is None:
        return
    part = one.predictive
    if not np.isfinite(part.target) or part.target <= 0 or (part.metric != "requests" and part.target > 100):
        yield finding(
            one, "predictive", "FAIL", f"predictive target {part.target} of {part.metric} is out of range.", _RANGE
        )
    if not 0 <= part.buffer <= MOST_BUFFER:
        yield finding(
            one, "predictive", "FAIL", f"{part.buffer} s ahead, AWS allows 0 to {MOST_BUFFER:,}.", "300 s is usual."
        )
    if part.over is not None and not 0 <= part.over <= MOST_OVER:
        yield finding(
            one, "predictive", "FAIL", f"{part.over} % over the maximum, AWS allows 0 to {MOST_OVER}.", "Or none."
        )


def together(one: ServicePolicy) -> Iterator[Finding]:
    """Parts that would work against each other."""
    tracked = one.tracking
    if one.steps is not None and one.steps.metric == tracked.metric and one.steps.threshold <= tracked.target:
        message = f"steps begin at {one.steps.threshold:g}, at or below the target {tracked.target:g} that is tracked."
        advice = "Put the threshold above the target, or both add tasks for one rise."
        yield finding(one, "together", "REVIEW", message, advice)
    part = one.predictive
    if part is None:
        return
    if part.metric == tracked.metric and part.target != tracked.target:
        message = f"the forecast keeps {part.metric} at {part.target:g}, target tracking at {tracked.target:g}."
        yield finding(one, "together", "REVIEW", message, "State one target: the lower of two decides how many run.")
    if part.mode != "ForecastAndScale":
        return
    if tracked.disable_scale_in:
        message = "predictive scaling only adds tasks, and target tracking takes none away."
        yield finding(one, "together", "REVIEW", message, "Let target tracking scale in.")
    if len({action.min_tasks for action in one.schedule}) > 1:
        message = "a schedule and AWS's forecast both raise the minimum: the higher of the two is paid for."
        advice = 'Keep one of them, or set the mode to "ForecastOnly" and compare.'
        yield finding(one, "together", "REVIEW", message, advice)
