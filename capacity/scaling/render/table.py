"""A policy as a plain table, for a terminal or a ticket."""

from __future__ import annotations

from typing import Final

from capacity.scaling.policy import Policy, ServicePolicy

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
    unit = "requests/min per task" if tracking.metric == "requests" else "%"
    keep = f"keep {tracking.metric} at {tracking.target:,g} {unit}; cooldown out {tracking.scale_out_cooldown} s"
    keep += ", never in" if tracking.disable_scale_in else f", in {tracking.scale_in_cooldown} s"
    rows: list[tuple[str, ...]] = [(name, keep, "always", f"{one.min_tasks:,}", f"{one.max_tasks:,}")]
    for step in one.schedule:
        dates = f", from {step.start:%Y-%m-%d}" if step.start is not None else ""
        dates += f", until {step.end:%Y-%m-%d}" if step.end is not None else ""
        when = f"{step.schedule} {step.timezone}{dates}"
        rows.append((name, printable(step.name), printable(when), f"{step.min_tasks:,}", f"{step.max_tasks:,}"))
    return rows


def printable(text: str) -> str:
    r"""Text that stays on its line and sends nothing to the terminal.

    >>> print(printable("a\nb\x1b[31m"))
    a\nb\x1b[31m
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
