"""A policy as a plain table, for a terminal or a ticket."""

from __future__ import annotations

from typing import Final

from capacity.scaling.policy import Policy, PredictiveScaling, ServicePolicy, StepScaling, TrackedMetric

HEAD: Final = ("service", "what", "when", "min", "max")


def table(policy: Policy) -> str:
    """Bounds and target of each service, then its scheduled changes.

    >>> from capacity import Service
    >>> from capacity.scaling.policy import TargetTracking
    >>> print(table(Policy((ServicePolicy(Service(name="web"), 2, 40, TargetTracking("cpu", 60)),))), end="")
    service  what                                           when    min  max
    web      keep cpu at 60 %; cooldown out 60 s, in 300 s  always    2   40
    """
    rows = [HEAD, *(row for one in policy.services for row in _rows(one))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [
        "  ".join(
            cell.rjust(width) if column > 2 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def _rows(one: ServicePolicy) -> list[tuple[str, ...]]:
    name, tracking = printable(one.service.name), one.tracking
    keep = f"keep {_at(tracking.metric, tracking.target)}; cooldown out {tracking.scale_out_cooldown} s"
    keep += ", never in" if tracking.disable_scale_in else f", in {tracking.scale_in_cooldown} s"
    keep += "; every 20 s" if tracking.resolution == 20 else ""
    rows: list[tuple[str, ...]] = [(name, keep, "always", f"{one.min_tasks:,}", f"{one.max_tasks:,}")]
    rows += [(name, what, when, "", "") for what, when in _steps(one.steps)]
    rows += [(name, *foreseen, "", "") for foreseen in _predictive(one.predictive)]
    for step in one.schedule:
        dates = f", from {step.start:%Y-%m-%d}" if step.start is not None else ""
        dates += f", until {step.end:%Y-%m-%d}" if step.end is not None else ""
        when = f"{step.schedule} {step.timezone}{dates}"
        rows.append((name, printable(step.name), printable(when), f"{step.min_tasks:,}", f"{step.max_tasks:,}"))
    return rows


def _at(metric: TrackedMetric, value: float) -> str:
    return f"{metric} at {value:,g} {'requests/min per task' if metric == 'requests' else '%'}"


def _steps(steps: StepScaling | None) -> list[tuple[str, str]]:
    """One row a rung: what it adds, and between which values of the metric."""
    if steps is None:
        return []
    unit = "tasks" if steps.by == "tasks" else f"% (at least {steps.least:,} tasks)"
    whens = []
    for step in steps.steps:
        low, high = steps.threshold + step.lower, steps.threshold + (step.upper or 0)
        between = f"above {low:,g}" if step.upper is None else f"{low:,g} to {high:,g}"
        whens.append(f"{steps.metric} {between} for {steps.minutes} min")
    return [
        (f"add {step.adjustment:,} {unit}; cooldown {steps.cooldown} s", when)
        for step, when in zip(steps.steps, whens, strict=True)
    ]


def _predictive(predictive: PredictiveScaling | None) -> list[tuple[str, str]]:
    if predictive is None:
        return []
    acts = "foresee" if predictive.mode == "ForecastAndScale" else "foresee, without acting,"
    over = "" if predictive.over is None else f", to {predictive.over} % over the maximum"
    return [(f"{acts} {_at(predictive.metric, predictive.target)}{over}", f"{predictive.buffer} s ahead")]


def printable(text: str) -> str:
    r"""Text that stays on its line and sends nothing to the terminal.

    >>> print(printable("a\nb\x1b[31m"))
    a\nb\x1b[31m
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
