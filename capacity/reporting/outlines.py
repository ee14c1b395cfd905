"""Drawings of our own, small enough for one on each line of a table, and the outlines of others made shorter."""

from __future__ import annotations

import re
from html import escape
from typing import Any, Final

import numpy as np

from capacity.reporting import words
from capacity.reporting.series import array, grid_of

#: Points of a line in a row of the fleet, and in the picture of a service that is not drawn in full: one a few pixels.
SPARK_POINTS: Final = 40
STRIP_POINTS: Final = 72

_OUTLINE: Final = re.compile(r' d="(M[-0-9.]+,[-0-9.]+(?:[MLZ][-0-9.,]*)+)"')
_STEP: Final = re.compile(r"([MLZ])(?:(-?[0-9.]+),(-?[0-9.]+))?")


def sparkline(demand: dict[str, Any], width: int = 120, height: int = 26) -> str:
    """The last quarter, the median ahead and its 90 % band in a line of text; the table beside it says the numbers."""
    lines = _lines(demand, SPARK_POINTS, (1.0, 1.0, width - 1.0, height - 2.0))
    return (
        f'<svg class="spark" xmlns="http://www.w3.org/2000/svg" aria-hidden="true" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" fill="none" stroke-width="1.3" stroke-linejoin="round">{lines}</svg>'
    )


def strip(demand: dict[str, Any], title: str, described: str, width: int = 640, height: int = 118) -> str:
    """The same with its top value and its dates: the picture of a service of a large fleet."""
    box = (1.0, 16.0, width - 1.0, height - 18.0)
    lines = _lines(demand, STRIP_POINTS, box)
    ahead = grid_of(demand["overview"]["future"], "p50")
    behind = grid_of(demand["overview"]["past"], "high")[-max(2, len(ahead)) :]
    middle = box[0] + (box[2] - box[0]) * len(behind) / max(1, len(behind) + len(ahead) - 1)
    said = [(box[0], 11.0, "start", f"up to {words.quantity(_top(demand), demand['unit'])}")]
    for x, where, moments in (
        (box[0], "start", behind[:1]),
        (middle, "middle", ahead[:1]),
        (box[2], "end", ahead[-1:]),
    ):
        said += [(x, height - 4.0, where, words.day(moment)) for moment in moments]
    texts = "".join(
        f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{where}">{escape(text)}</text>' for x, y, where, text in said
    )
    spoken = escape(f"{title}. {described}")
    return (
        f'<svg class="strip" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{spoken}" '
        f'viewBox="0 0 {width} {height}" fill="none" stroke-width="1.6" stroke-linejoin="round">'
        f'<g fill="var(--muted)" stroke="none" font-size="11">{texts}</g>{lines}'
        f'<path d="M{box[0]:.0f},{box[3]:.0f}H{box[2]:.0f}" stroke="var(--grid)" stroke-width="1"/></svg>'
    )


def _lines(demand: dict[str, Any], most: int, box: tuple[float, float, float, float]) -> str:
    """Band, past and median inside (left, top, right, bottom); as much past as there is future."""
    past, future = demand["overview"]["past"], demand["overview"]["future"]
    ahead, high, low = (array(future, name) for name in ("p50", "p95", "p5"))
    behind = array(past, "high")[-max(2, len(ahead)) :]
    each = max(1, -(-(len(behind) + len(ahead)) // most))
    behind, ahead, high, low = (_highest(values, each) for values in (behind, ahead, high, low))
    left, top, right, bottom = box
    step = (right - left) / max(1, len(behind) + len(ahead) - 1)
    scale = (bottom - top) / (_top(demand) or 1.0)

    def placed(values: np.ndarray, offset: int) -> list[tuple[float, float]]:
        return [(left + (offset + place) * step, bottom - value * scale) for place, value in enumerate(values)]

    behind_, ahead_ = placed(behind, 0), placed(ahead, len(behind))
    around = [*placed(high, len(behind)), *reversed(placed(low, len(behind)))]
    return (
        f'<path d="{outline(around)}Z" fill="var(--band-2)" stroke="none"/>'
        f'<path d="{outline(behind_)}" stroke="var(--muted)"/><path d="{outline(ahead_)}" stroke="var(--series-1)"/>'
    )


def _top(demand: dict[str, Any]) -> float:
    """The highest value drawn: the past's and that of the 95 % quantile."""
    past, future = demand["overview"]["past"], demand["overview"]["future"]
    high = array(future, "p95")
    behind = array(past, "high")[-max(2, len(high)) :]
    return float(max(np.nanmax(behind, initial=0), np.nanmax(high, initial=0)))


def _highest(values: np.ndarray, each: int) -> np.ndarray:
    """The highest of every `each` values; NaN where none is known.

    >>> _highest(np.array([1.0, 3.0, np.nan, np.nan, 2.0]), 2).tolist()
    [3.0, nan, 2.0]
    """
    if each == 1 or not len(values):
        return values
    return np.fmax.reduceat(values, np.arange(0, len(values), each))


def outline(points: list[tuple[float, float]]) -> str:
    """Straight lines through known points, broken at gaps, in tenths and from point to point.

    >>> outline([(0, 1), (2, 1), (3, 1.5), (4, float("nan")), (5, 2)])
    'M0,1h2l1,.5M5,2'
    """
    parts, at = [], None
    for x, y in points:
        if not np.isfinite(y):
            at = None
            continue
        here = round(10 * x), round(10 * y)
        parts.append(f"M{_tenth(here[0])},{_tenth(here[1])}" if at is None else _line(here[0] - at[0], here[1] - at[1]))
        at = here
    return "".join(parts)


def shorter(svg: str) -> str:
    """The same drawing with outlines written from point to point: half as long, and not a tenth of a pixel elsewhere.

    Steps along one axis are joined, so that a line of whole tasks takes a corner and not two points a quarter-hour.

    >>> shorter('<path d="M0,63.7L1.2,63.7L1.2,65.7L2.4,65.7L3.6,65.7Z"/>')
    '<path d="M0,63.7h1.2v2h2.4Z"/>'
    """
    return _OUTLINE.sub(lambda found: f' d="{_shorter(found[1])}"', svg)


def _shorter(path: str) -> str:
    parts: list[str] = []
    at, dx, dy, start = (0, 0), 0, 0, (0, 0)
    for command, x, y in _STEP.findall(path):
        if command != "L" or not x:
            parts.append(_line(dx, dy))
            dx = dy = 0
            if command == "Z":
                parts.append("Z")
                at = start
            else:
                at = start = round(10 * float(x)), round(10 * float(y))
                parts.append(f"M{_tenth(at[0])},{_tenth(at[1])}")
            continue
        here = round(10 * float(x)), round(10 * float(y))
        by, down = here[0] - at[0], here[1] - at[1]
        along = (down == 0 and dy == 0 and by * dx >= 0) or (by == 0 and dx == 0 and down * dy >= 0)
        if along:
            dx, dy = dx + by, dy + down
        else:
            parts.append(_line(dx, dy))
            dx, dy = by, down
        at = here
    parts.append(_line(dx, dy))
    return "".join(parts)


def _line(dx: int, dy: int) -> str:
    """A line by so many tenths: the shortest command for it."""
    if dx == 0 and dy == 0:
        return ""
    if dy == 0:
        return f"h{_tenth(dx)}"
    if dx == 0:
        return f"v{_tenth(dy)}"
    down = _tenth(dy)
    return f"l{_tenth(dx)}{'' if down.startswith('-') else ','}{down}"


def _tenth(tenths: int) -> str:
    """
    >>> _tenth(5), _tenth(-25), _tenth(120), _tenth(-3)
    ('.5', '-2.5', '12', '-.3')
    """
    whole, rest = divmod(abs(tenths), 10)
    return f"{'-' if tenths < 0 else ''}{whole or ('' if rest else '0')}{f'.{rest}' if rest else ''}"
