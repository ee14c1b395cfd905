"""From a peak to the stages that would prove it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from capacity.errors import InputError, Problem
from capacity.loadtest.generate.plan import Kind, LoadPlan, Slo, Stage, rounded
from capacity.loadtest.generate.requests import Header, Request
from capacity.timegrid import duration

#: Load points, as shares of what the tasks under test are said to carry (reference loadtest.md 2.4).
STEPS: Final = (0.4, 0.6, 0.8, 1.0, 1.2, 1.4)

#: Where a ramp starts and a spike comes from, as a share of the peak: the lowest load point.
CALM: Final = 0.4

#: A spike less than this above the peak is a jump from the calm to it, not from the peak.
_ABOVE: Final = 1.05

#: More than this in one test is a slip of the hand: a million requests/s, two days (JMeter's own limit is far lower).
_MOST_RATE: Final = 1e6
_MOST_SECONDS: Final = 2 * 86_400


def plan_for(
    peak_per_s: float,
    *,
    slo_ms: float,
    tasks: int = 1,
    planned: int | None = None,
    claimed: float | None = None,
    mix: Iterable[Request] = (),
    quantile: float = 0.95,
    error_share: float = 0.01,
    spike: float = 1.0,
    steps: Sequence[float] = STEPS,
    settle: str | float = "60s",
    hold: str | float = "3min",
    ramp: str | float = "2min",
    soak: str | float = "30min",
    spike_for: str | float = "60s",
    headers: Mapping[str, str | None] | None = None,
    service: str = "",
    evidence: Iterable[str] = (),
) -> LoadPlan:
    """The load test that would prove that `tasks` tasks carry their share of a peak within the SLO.

    peak_per_s  requests/s of the whole service, as the mean of its busiest interval
    slo_ms      bound of the latency's `quantile`; `error_share` of requests may fail
    tasks       tasks behind the target while the test runs
    planned     tasks that are to carry the whole peak: `tasks` of them carry `tasks / planned` of it. Where not said,
                as many as the claim needs for the peak with its spike, or the tasks under test if those are more
    claimed     requests/s that one task is said to carry; where not said, its share of the peak with its spike
    mix         requests with their shares; a GET of / where none are given
    spike       the busiest moment over the mean around it, at least 1
    steps       load points as shares of the claim, ascending; those above 1 come last and are not judged
    settle, hold, ramp, soak, spike_for
                how long a load point settles and is then held, the rise to the peak takes, the peak lasts, and the
                spike: seconds, or durations such as "3min"
    headers     of every request; None for a value that is told when the test is run (secrets: only so)
    service     its name, for the words in the files
    evidence    sentences: where the peak comes from

    The stages: load points up to the claim; a ramp to the peak and a soak there; a spike, and what comes after it;
    load points beyond the claim. Raises InputError for what cannot be driven, with all that is wrong.

    Source: reference loadtest.md 2.4 (40 to 140 % of the claim, 3 minutes each after 60 s, then a soak at the peak).

    >>> plan = plan_for(100, slo_ms=250, tasks=1, planned=4, claimed=30)
    >>> [stage.name for stage in plan.stages][:5]
    ['step01 12rps', 'step02 18rps', 'step03 24rps', 'step04 30rps', 'ramp05 25rps']
    >>> [(stage.name, stage.judged) for stage in plan.stages][5:]  # doctest: +NORMALIZE_WHITESPACE
    [('soak06 25rps', True), ('step07 10rps', True), ('spike08 25rps', True), ('step09 10rps', True),
     ('step10 36rps', False), ('step11 42rps', False)]
    """
    lengths = {"settle": settle, "hold": hold, "ramp": ramp, "soak": soak, "spike_for": spike_for}
    seconds, problems = _seconds(lengths)
    problems += _wrong(peak_per_s, tasks, planned, claimed, spike, steps)
    if problems:
        raise InputError("no load plan can be made of this:", problems)
    busiest = peak_per_s * spike
    if planned is None:
        planned = tasks if claimed is None else max(tasks, math.ceil(busiest / claimed - 1e-9))
    share = peak_per_s * tasks / planned
    full = claimed * tasks if claimed is not None else share * spike
    plan = LoadPlan(
        stages=_stages(share, spike, full, steps, seconds),
        mix=tuple(mix) or (Request(),),
        slo=Slo(ms=slo_ms, quantile=quantile, error_share=error_share),
        peak_per_s=float(peak_per_s),
        tasks=tasks,
        planned=planned,
        claimed=full / tasks,
        spike=float(spike),
        headers=tuple(Header(name=name, value=value) for name, value in (headers or {}).items()),
        service=service,
        evidence=tuple(evidence),
    )
    _drivable(plan)
    return plan


def _stages(
    share: float, spike: float, full: float, steps: Sequence[float], seconds: Mapping[str, int]
) -> tuple[Stage, ...]:
    promised = max(full, share * spike) * (1 + 1e-9)
    points = [(rounded(full * step), full * step <= promised) for step in steps]
    held = seconds["settle"] + seconds["hold"]
    top, calm = rounded(share), rounded(CALM * share)
    around = top if spike >= _ABOVE else calm  # what a spike comes from and goes back to
    stages: list[Stage] = []

    def add(kind: Kind, rate: float, length: int, judged: bool = True, rate_from: float | None = None) -> None:
        stages.append(Stage(len(stages) + 1, kind, rate, length, judged, rate_from))

    for rate, judged in points:
        if judged:
            add("hold", rate, held)
    add("ramp", top, seconds["ramp"], rate_from=calm)
    add("soak", top, seconds["soak"])
    if around < top:
        add("hold", around, seconds["settle"])
    add("spike", rounded(share * spike), seconds["spike_for"])
    add("hold", around, seconds["settle"])
    for rate, judged in points:
        if not judged:
            add("hold", rate, held, judged=False)
    return tuple(stages)


def _seconds(lengths: Mapping[str, str | float]) -> tuple[dict[str, int], list[Problem]]:
    """Durations in whole seconds, rounded up; and what is wrong with them."""
    known: dict[str, int] = {}
    problems = []
    for name, length in lengths.items():
        try:
            value = duration(length).total_seconds() if isinstance(length, str) else float(length)
        except InputError as error:
            problems.append(Problem(str(error).replace("\n", ". "), where=name))
            continue
        if not 1 <= value <= _MOST_SECONDS:
            problems.append(Problem(f"{value:g} s is not between 1 s and two days", where=name))
            continue
        known[name] = math.ceil(value)
    return known, problems


def _wrong(
    peak: float, tasks: int, planned: int | None, claimed: float | None, spike: float, steps: Sequence[float]
) -> list[Problem]:
    problems = []
    for name, rate in (("peak_per_s", peak), ("claimed", claimed)):
        if rate is not None and not (math.isfinite(rate) and 0 < rate <= _MOST_RATE):
            problems.append(Problem(f"{rate:g} is not a rate between 0 and {_MOST_RATE:,.0f} requests/s", where=name))
    if tasks < 1:
        problems.append(Problem(f"{tasks} tasks serve nothing", where="tasks"))
    if planned is not None and planned < max(1, tasks):
        problems.append(Problem(f"{planned} tasks are fewer than the {tasks} under test", where="planned"))
    if not (math.isfinite(spike) and 1 <= spike <= 1000):
        problems.append(
            Problem(f"{spike:g} is not the ratio of a busiest moment to its mean, 1 or more", where="spike")
        )
    if not steps or any(not (math.isfinite(step) and 0 < step <= 10) for step in steps):
        problems.append(Problem("are shares of the claim, such as 0.4 to 1.4", where="steps"))
    elif list(steps) != sorted(set(steps)):
        problems.append(Problem("have to ascend", where="steps"))
    return problems


def _drivable(plan: LoadPlan) -> None:
    """Raises InputError for a plan that sends nothing, or more than a team of generators can."""
    slowest = min(level.rate * level.seconds for level in plan.levels)
    if slowest < 1:
        raise InputError(
            f"a stage of {min(level.rate for level in plan.levels):g} requests/s is over before its first request",
            advice="Hold the stages for longer, or test with more tasks.",
        )
    if max(stage.rate for stage in plan.stages) > _MOST_RATE:
        raise InputError(f"more than {_MOST_RATE:,.0f} requests/s cannot be driven: test fewer tasks")
