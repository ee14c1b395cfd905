"""Outlines made shorter are the same outlines; small drawings keep gaps and peaks."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from capacity.reporting.outlines import shorter, sparkline, strip
from tests.reporting.fleet import NASTY
from tests.reporting.rendered import ON_ONE_WORKER, full

pytestmark = ON_ONE_WORKER

Points = list[tuple[int, int]]

STEP = re.compile(r"([MlhvZ])(-?[0-9.]*),?(-?[0-9.]*)")


def corners(points: Points) -> Points:
    """The points at which a line turns, or turns back: those along a row or a column in between are left out."""
    kept: Points = []
    for point in points:
        if kept and kept[-1] == point:
            continue
        while len(kept) > 1 and any(
            kept[-2][axis] == kept[-1][axis] == point[axis]
            and (kept[-1][1 - axis] - kept[-2][1 - axis]) * (point[1 - axis] - kept[-1][1 - axis]) >= 0
            for axis in (0, 1)
        ):
            kept.pop()
        kept.append(point)
    return kept


def read(path: str) -> Points:
    """Where a path of one piece goes, in tenths: a reader of `M l h v` of its own."""
    at, found = (0, 0), []
    for command, first, second in STEP.findall(path):
        x = round(10 * float(first or 0))
        y = round(10 * float(second or 0))
        if command == "v":
            x, y = 0, x
        at = (x, y) if command == "M" else (at[0] + x, at[1] + y)
        found.append(at)
    return found


@given(st.lists(st.tuples(st.integers(-40, 40), st.integers(-40, 40)), min_size=2, max_size=30))
def test_an_outline_made_shorter_turns_where_it_turned_and_is_no_longer(points: Points) -> None:
    written = "M" + "L".join(f"{x / 10},{y / 10}" for x, y in points)
    svg = f'<svg><path d="{written}" stroke="red"/></svg>'
    made = shorter(svg)
    assert len(made) <= len(svg)
    (path,) = re.findall(r'd="([^"]*)"', made)
    assert read(path) == corners(points)


def test_paths_of_other_commands_stay_as_they_are() -> None:
    svg = '<path d="M0,0C1,1,2,2,3,3"/><path transform="translate(1,2)" d="M-4,0h9v3"/><text>M1,1L2,2</text>'
    assert shorter(svg) == svg


def demand(**overview: Any) -> dict[str, Any]:
    held = full().document["services"][0]["demand"][0]
    return held | {"overview": held["overview"] | overview}


def test_a_gap_stays_a_gap_in_a_row_of_the_fleet() -> None:
    past = demand()["overview"]["past"]
    gap = past | {"high": [None if -20 < place <= -10 else 5.0 for place in range(-len(past["high"]), 0)]}
    lines = re.findall(r'd="([^"]*)" stroke="var\(--muted\)"', sparkline(demand(past=gap)))
    assert lines[0].count("M") == 2


def test_what_is_all_zero_or_unknown_is_drawn_without_a_word_of_warning() -> None:
    past, future = (demand()["overview"][name] for name in ("past", "future"))
    for value in (0.0, None):
        empty = {
            name: values if isinstance(values, (str, float)) else [value] * len(values) for name, values in past.items()
        }
        flat = {
            name: values if isinstance(values, (str, float)) else [value] * len(values)
            for name, values in future.items()
        }
        for svg in (sparkline(demand(past=empty, future=flat)), strip(demand(past=empty, future=flat), "a", "b")):
            assert "nan" not in svg
            assert "inf" not in svg


def test_a_small_picture_says_what_it_shows_and_takes_no_name_for_markup() -> None:
    svg = strip(demand(), NASTY, "Up to 9.")
    assert "<script" not in svg
    assert 'role="img" aria-label="' in svg
    top = float(np.nanmax(np.array(demand()["overview"]["future"]["p95"], dtype=float)))
    assert f"up to {top:,.0f} requests/s" in svg
