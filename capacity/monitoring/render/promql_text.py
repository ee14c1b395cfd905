"""Small pieces of PromQL: spans of time, numbers, and what joins expressions."""

from __future__ import annotations

from capacity.monitoring.render.profile import HOURS


def span(minutes: int) -> str:
    """A duration of PromQL.

    >>> span(5), span(90), span(360), span(4320)
    ('5m', '90m', '6h', '3d')
    """
    for unit, size in (("d", 1440), ("h", 60)):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


def number(value: float) -> str:
    """
    >>> number(14.4 * 0.001), number(85.0)
    ('0.0144', '85')
    """
    return f"{value:.12g}"


def steps(of: int, minutes: int) -> str:
    """A range of so many steps, at whatever moment; it is open on the left in Prometheus 3 and closed before.

    >>> steps(3, 5)
    '[899s:5m]'
    """
    return f"[{of * minutes * 60 - 1}s:{span(minutes)}]"


def between(hour: str, first: int, end: int) -> str:
    """
    >>> between("h", 8, 9), between("h", 8, 18), between("h", 18, 24)
    ('h == 8', 'h >= 8 < 18', 'h >= 18')
    """
    if end - first == 1:
        return f"{hour} == {first}"
    return f"{hour} >= {first}" + (f" < {end}" if end < HOURS else "")


def either(parts: list[str]) -> str:
    """Joined by `or` in pairs of brackets: of a plain chain Prometheus 2 checks all that is before each `or` again.

    >>> either(["a", "b", "c"])
    '(a or b) or c'
    """
    while len(parts) > 2:
        pairs = [parts[place : place + 2] for place in range(0, len(parts), 2)]
        parts = [f"({' or '.join(pair)})" if len(pair) > 1 else pair[0] for pair in pairs]
    return " or ".join(parts)
