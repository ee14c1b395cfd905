"""The arithmetic of a plan, in sentences: they stand in every file that is written."""

from __future__ import annotations

from capacity.loadtest.generate.plan import PROOF_SECONDS, LoadPlan
from capacity.loadtest.generate.threads import cycle_seconds


def arithmetic(plan: LoadPlan) -> tuple[str, ...]:
    """Where the rates come from, what is promised, what JMeter needs for it, how long it takes.

    >>> from capacity.loadtest.generate import plan_for
    >>> print(arithmetic(plan_for(1200, slo_ms=250, tasks=2, planned=24, spike=1.5))[0])
    Peak 1,200 requests/s over 24 planned tasks is 50 a task: the 2 under test are to carry 100, and 150 in a spike.
    """
    cycle, slo = cycle_seconds(plan.slo.ms), f"{plan.slo.ms:g}"
    most = max(stage.rate for stage in plan.stages)
    threads = plan.threads(most)
    part = f"1/{plan.generators} of " if plan.generators > 1 else ""
    sentences = [
        _peak(plan),
        *plan.evidence,
        f"The claim is that one task carries {plan.claimed:,.4g} requests/s; load points are shares of "
        f"{plan.claimed * plan.tasks:,.4g}.",
        f"Promised is {plan.slo}, at every rate up to {_promised(plan):,.4g} requests/s; stages above it are looked at "
        "for the capacity, come last, and are not judged.",
        f"JMeter: a thread comes round every C = max(0.4 s, 4 × {slo} ms) = {cycle:g} s, "
        f"so X requests/s take N = X · C threads: {threads.count:,} for {part}{most:,.4g}.",
        f"It takes {_span(plan.seconds)} and sends about {plan.requests:,} requests.",
    ]
    if plan.generators > 1:
        sentences.append(
            f"It needs {plan.generators} JMeter generators at once, each running the same file: each drives "
            f"1/{plan.generators} of the rates in the names. Read all their results together."
        )
    if any(stage.kind == "hold" and stage.judged and stage.seconds < PROOF_SECONDS for stage in plan.stages[:1]):
        sentences.append(
            f"Load points shorter than {PROOF_SECONDS // 60} minutes show that the plan runs: they prove no capacity."
        )
    return tuple(sentences)


def _peak(plan: LoadPlan) -> str:
    name = f" of {plan.service}" if plan.service else ""
    whole = f"{plan.share_per_s:,.4g}"
    spike = f", and {plan.share_per_s * plan.spike:,.4g} in a spike" if plan.spike > 1 else ""
    each = f"{plan.peak_per_s / plan.planned:,.4g}"
    under = "the one under test is" if plan.tasks == 1 else f"the {plan.tasks:,} under test are"
    tasks = "1 planned task" if plan.planned == 1 else f"{plan.planned:,} planned tasks"
    return (
        f"Peak{name} {plan.peak_per_s:,.4g} requests/s over {tasks} is {each} a task: {under} to carry {whole}{spike}."
    )


def _promised(plan: LoadPlan) -> float:
    return max(stage.rate for stage in plan.stages if stage.judged)


def _span(seconds: int) -> str:
    """
    >>> _span(45), _span(2460), _span(7260)
    ('45 s', '41 min', '2 h 1 min')
    """
    if seconds < 120:
        return f"{seconds} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
