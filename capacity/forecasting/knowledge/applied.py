"""What is known of special days, applied to some series of one clock: history without it, and what to put back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final, NamedTuple

import numpy as np

from capacity.config.event import Event
from capacity.forecasting.knowledge.calendars import Known
from capacity.forecasting.knowledge.effects import Effects, learn, seen
from capacity.forecasting.knowledge.lasting import change_of_level, raised
from capacity.forecasting.knowledge.places import Grid, Piece, pieces_of, without_overlap
from capacity.forecasting.knowledge.usual import Usual, rest_day, rest_day_ahead, usual

#: How sure a stated uplift is beside what was measured, and on the paths when nothing was: log units, about 10 %.
STATED: Final = 0.10

#: From this many past times on, an event that no ordinary week lies beside is part of the usual week.
REGULAR: Final = 3


class Put(NamedTuple):
    """An effect to come: on K intervals of the horizon, for S series."""

    event: str
    number: int  # of the occurrence: all its days share one draw, and so do all series
    columns: np.ndarray  # (K,) from the cutoff
    expected: np.ndarray  # (S, K) log factor of the median
    spread: np.ndarray  # (S,) its standard deviation, for all hours alike
    swing: np.ndarray  # (S, K) another, hour by hour, of a draw of its own


@dataclass
class Account:
    """What is to be told of one event: filled series by series, told once."""

    past: int = 0
    ahead: int = 0
    learnt: list[float] = field(default_factory=list)  # factors, one a series
    used: list[float] = field(default_factory=list)
    borrowed: bool = False
    regular: bool = False
    unmeasured: bool = False
    older: bool = False  # a lasting change that all of the history comes after


@dataclass(frozen=True, eq=False)
class Applied:
    """S series: by which log factor each past interval is divided, where nothing can be said, and what is to come."""

    divide: np.ndarray  # (S, n)
    gap: np.ndarray  # (S, n)
    puts: tuple[Put, ...]
    accounts: dict[str, Account]


def applied(values: np.ndarray, stated: np.ndarray, known: Sequence[Known], grid: Grid) -> Applied:
    """Events and calendars, for (S, n) values that all of them concern.

    stated  (S, E) whether a given uplift is for this series too
    """
    divide, gap = np.zeros_like(values), np.zeros(values.shape, dtype=bool)
    accounts = {one.event.name: Account() for one in known}
    puts: list[Put] = []
    place = {one.event.name: number for number, one in enumerate(known)}
    families = _families([one for one in known if not one.event.lasting], grid)
    special = np.zeros(len(grid.wall), dtype=bool)
    for piece in (piece for _, _, pieces in families for piece in pieces):
        special[piece.columns] = True
    special = special[: grid.known]
    for one in sorted((one.event for one in known if one.event.lasting), key=lambda event: event.start):
        ordinary = np.where(special, np.nan, values)
        moved, more = _lasting(one, ordinary * np.exp(-divide), stated[:, place[one.name]], grid, accounts[one.name])
        divide -= moved
        puts += more
    if not families:
        return Applied(divide, gap, tuple(puts), accounts)
    level = usual(values * np.exp(-divide), special, grid)
    sunday = np.concatenate([rest_day(level, grid), rest_day_ahead(level, grid)], axis=1)
    for events, calendar, pieces in families:
        past = [piece for piece in pieces if piece.columns[0] < grid.known]
        effects = _learnt(level, values * np.exp(-divide), past, sunday, [event.name for event in events])
        level = _taken_out(past, effects, values, divide, gap, level, grid, accounts)
        ahead = [piece for piece in pieces if piece.columns[-1] >= grid.known]
        for piece in ahead:
            event = next(event for event in events if event.name == piece.event)
            put = _put(piece, event, effects, sunday, stated[:, place[event.name]], grid, accounts[event.name])
            accounts[event.name].borrowed |= bool(calendar) and put is not None and not accounts[event.name].past
            puts += [put] if put is not None else []
    return Applied(divide, gap, tuple(puts), accounts)


def _families(known: Sequence[Known], grid: Grid) -> list[tuple[list[Event], str, list[Piece]]]:
    """Events that learn from each other, their calendar, and their pieces of one day: calendars first, then the rest.

    Of a calendar all holidays are one family, and the days before and after them one each.
    """
    found = []
    by_calendar: dict[tuple[str, str], list[Event]] = {}
    for one in known:
        by_calendar.setdefault((one.calendar, "" if one.calendar else one.event.name), []).append(one.event)
    for (calendar, _), events in sorted(by_calendar.items(), key=lambda item: not item[0][0]):
        pieces = list(without_overlap([piece for event in events for piece in pieces_of(event, grid)], len(grid.wall)))
        for offset in sorted({piece.offset for piece in pieces}, key=lambda offset: (offset < 0, offset)):
            found.append((events, calendar, [piece for piece in pieces if piece.offset == offset]))
    return found


def _learnt(
    level: Usual, values: np.ndarray, past: Sequence[Piece], sunday: np.ndarray, events: list[str]
) -> Effects | None:
    """What past pieces did; None when nothing can be said of any."""
    if not past:
        return None
    found = seen(level, values, past, sunday)
    if not np.isfinite(found.ratio).any():
        return None
    length = min(found.ratio.shape[2], values.shape[1])
    return learn(found, *level.noise(length), events)


def _taken_out(
    past: Sequence[Piece],
    effects: Effects | None,
    values: np.ndarray,
    divide: np.ndarray,
    gap: np.ndarray,
    level: Usual,
    grid: Grid,
    accounts: dict[str, Account],
) -> Usual:
    """In place: past pieces divided out of history, or made gaps. What is left of the surplus comes back."""
    surplus = level.surplus.copy()
    for number, piece in enumerate(past):
        columns = piece.columns[piece.columns < grid.known]
        account = accounts[piece.event]
        if effects is None:
            regular = sum(one.event == piece.event for one in past) >= REGULAR
            account.regular |= regular
            account.unmeasured |= not regular
            gap[:, columns] |= not regular
            continue
        account.past += int(piece.core and effects.counts[:, effects.events.index(piece.event)].any())
        own = effects.own[:, number, piece.hours[: len(columns)]]
        told = effects.told[:, None]
        divide[:, columns] += np.where(told, own, 0.0)
        surplus[:, columns] -= np.where(told, own, 0.0)
        gap[:, columns] |= ~told | ((values[:, columns] == 0) & (own < -1.0))
    return replace(level, surplus=surplus)


def _put(
    piece: Piece,
    event: Event,
    effects: Effects | None,
    sunday: np.ndarray,
    stated: np.ndarray,
    grid: Grid,
    account: Account,
) -> Put | None:
    """What a piece to come will do, as learnt, as stated, or as both say; None when neither says anything."""
    ahead = piece.columns >= grid.known
    columns, share = piece.columns[ahead], piece.share[ahead]
    expected, spread = np.zeros((len(stated), len(columns))), np.zeros(len(stated))
    swing = np.zeros_like(expected)
    told = np.zeros(len(stated), dtype=bool)
    account.ahead += int(piece.core)
    if effects is not None:
        number = effects.events.index(piece.event)
        told = effects.told
        whole = effects.expected(piece, sunday[:, piece.columns])
        expected, swing = whole[:, ahead], effects.swing(piece, whole)[:, ahead]
        spread = np.where(told, effects.spread[:, number], 0.0)
        if piece.core:
            account.learnt += list(np.exp(expected.mean(axis=1))[told])
    if event.uplift is not None and piece.core:
        given = np.log1p((event.uplift - 1) * share)[None, :]
        counts = np.maximum(effects.counts[:, effects.events.index(piece.event)], 1) if effects is not None else 1
        doubt = spread**2 / counts
        weight = np.where(told, doubt / (doubt + STATED**2), 1.0)
        pull = weight[:, None] * (given - expected).mean(axis=1, keepdims=True)
        blended = np.where(told[:, None], expected + pull, given)
        expected = np.where(stated[:, None], blended, expected)
        spread = np.where(stated & ~told, STATED, spread)
        told = told | stated
    if not told.any():
        return None
    if piece.core:
        account.used += list(np.exp(expected.mean(axis=1))[told])
    return Put(piece.event, piece.number, columns - grid.known, expected, spread, swing)


def _lasting(
    event: Event, values: np.ndarray, stated: np.ndarray, grid: Grid, account: Account
) -> tuple[np.ndarray, list[Put]]:
    """(S, n) log factors that bring older history to the new level; and what a change to come puts on the paths."""
    start = grid.place(event.occurrences(date.min, date.max)[0].start)
    given = np.log(event.uplift) if event.uplift is not None else np.nan
    account.older = start <= 0
    if start <= 0 or start >= len(grid.wall):
        return np.zeros_like(values), []
    if start >= grid.known:
        account.ahead += 1
        if not (stated.any() and np.isfinite(given)):
            return np.zeros_like(values), []
        columns = np.arange(int(start), len(grid.wall))
        share = np.clip(columns + 1 - start, 0.0, 1.0)
        expected = np.where(stated[:, None], np.log1p((np.exp(given) - 1) * share), 0.0)
        account.used += [float(np.exp(given))] * int(stated.sum())
        return np.zeros_like(values), [
            Put(event.name, 0, columns - grid.known, expected, np.where(stated, STATED, 0.0), np.zeros_like(expected))
        ]
    with np.errstate(divide="ignore"):
        logs = np.log(np.where(values > 0, values, np.nan))
    size, doubt = change_of_level(logs, start, grid)
    account.past += 1
    account.learnt += list(np.exp(size[np.isfinite(size)]))
    if np.isfinite(given):
        weight = np.where(np.isfinite(size), doubt**2 / (doubt**2 + STATED**2), 1.0)
        size = np.where(stated, weight * given + (1 - weight) * np.nan_to_num(size), size)
    account.used += list(np.exp(size[np.isfinite(size)]))
    return raised(values, start, np.nan_to_num(size)), []
