"""Rolling origins inside the past: what was known at each, and how wrong each model's centre was after it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, Protocol

import numpy as np

from capacity.forecasting.prepare import Prepared, complete, usual_values
from capacity.forecasting.seasons import Seasons

#: Most rolling origins that one forecast looks back from. More add little: neighbouring windows overlap.
MOST_ORIGINS: Final = 28

#: Origins reach back over this many days beyond the horizon itself.
REACH_DAYS: Final = 182

#: A late shift of level: days it must have lasted, days after which it is simply the level, and how far it must stand
#: out, in robust standard deviations of a day and in log units.
SHIFT_DAYS, OLD_SHIFT_DAYS, SHIFT_SIGMAS, SHIFT_SIZE = 2, 20, 4.0, 0.10

#: The same in steps, where a day is one: two low days are a weekend or a feast, a week of them is a change.
SHIFT_STEPS: Final = 7


@dataclass(frozen=True, eq=False)
class View:
    """What a model may see at one origin: n intervals of S series on the models' scale, without gaps."""

    fit: np.ndarray  # (S, n) cleaned, and brought to the present level when that shifted lately
    filled: np.ndarray  # (S, n) as measured, gaps filled
    seasons: Seasons
    kept: dict[Any, Any] = field(default_factory=dict, repr=False)

    def once(self, key: Hashable, work: Callable[[], np.ndarray]) -> np.ndarray:
        """What `work` gives, done once for all the models that look at this view."""
        if key not in self.kept:
            self.kept[key] = work()
        found: np.ndarray = self.kept[key]
        return found


class Centred(Protocol):
    """A model that says where the middle is, on the models' scale; its errors in the past say how sure that is."""

    @property
    def name(self) -> str: ...

    def centre(self, view: View, horizon: int) -> np.ndarray:
        """(S, H) what is expected in the H intervals after the view."""
        ...


class CentredTogether(Protocol):
    """A model for which fitting is dear: it answers for all origins at once, the last being the present."""

    def centres(self, views: Sequence[View], horizon: int) -> list[np.ndarray]: ...


@dataclass(frozen=True, eq=False)
class Windows:
    """Origins within a prepared past, newest first.

    backs    (O,) how many intervals before the end each origin lies
    horizon  how many leads are compared: whole blocks, and no more than the past can show
    """

    past: Prepared
    surplus: np.ndarray  # (S, days) how far each day stood from the usual, for shifts of level
    backs: np.ndarray
    horizon: int

    @property
    def blocks(self) -> int:
        return self.horizon // self.past.seasons.block

    def rows(self, part: slice) -> Windows:
        """Only these series."""
        past = self.past
        names = ("fit", "filled", "seen", "bound", "scale", "offset", "largest")
        return replace(
            self,
            past=replace(past, **{name: getattr(past, name)[part] for name in names}),
            surplus=self.surplus[part],
        )

    def view(self, back: int) -> View:
        """What was known `back` intervals before the end."""
        end = self.past.length - back
        day = _day(self.past.seasons)
        fit = self.past.fit[:, :end]
        return View(levelled(fit, self.surplus[:, : end // day], day), self.past.filled[:, :end], self.past.seasons)

    @cached_property
    def views(self) -> list[View]:
        """What was known at each origin, and what is known now, last."""
        return [self.view(int(k)) for k in (*self.backs, 0)]

    def truth(self) -> np.ndarray:
        """(O, S, horizon) what was seen after each origin; NaN where nothing was, or where it is still to come."""
        length = self.past.length
        padded = np.pad(self.past.seen, ((0, 0), (0, self.horizon)), constant_values=np.nan)
        return np.stack([padded[:, length - k : length - k + self.horizon] for k in self.backs])

    def saturated(self) -> np.ndarray:
        """(O, S, horizon) True where what was seen is only a lower bound."""
        length = self.past.length
        padded = np.pad(self.past.bound, ((0, 0), (0, self.horizon)))
        return np.stack([padded[:, length - k : length - k + self.horizon] for k in self.backs])

    def centres(self, model: Centred, horizon: int) -> tuple[np.ndarray, np.ndarray]:
        """(O, S, self.horizon) the model's centre after each origin, and (S, H) after the end."""
        reach = max(horizon, self.horizon)
        views = self.views
        together = getattr(model, "centres", None)
        if together is not None:
            found = together(views, reach)
        else:
            found = [model.centre(view, self.horizon) for view in views[:-1]] + [model.centre(views[-1], horizon)]
        return np.stack([one[:, : self.horizon] for one in found[:-1]]), found[-1][:, :horizon]


def windows(past: Prepared, horizon: int) -> Windows:
    """Origins for a horizon: evenly spread over the last half of the past, at most 28 of them.

    The newest lies one block before the end, so that the latest behaviour counts; it has no evidence for longer leads.
    """
    seasons, length = past.seasons, past.length
    block = seasons.block
    unit = block if seasons.day else 1
    span = round(REACH_DAYS / seasons.block_days * block)
    wanted = -(-horizon // block) * block
    furthest = max(block, min(length // 2, wanted + span))
    spacing = -(-furthest // (MOST_ORIGINS * unit)) * unit
    backs = np.arange(block, furthest + 1, spacing)
    reach = max(block, min(wanted, int(backs[-1]) // block * block))
    day = _day(seasons)
    usual = np.log(complete(usual_values(_natural(past), seasons), _natural(past)) + 1e-12)
    return Windows(past, _daily(past.fit - usual, day), backs, reach)


def _natural(past: Prepared) -> np.ndarray:
    return np.exp(past.fit)


def _daily(surplus: np.ndarray, day: int) -> np.ndarray:
    """(S, days) median of each day, days counted from the first whole one so that the last ends at the end."""
    days = surplus.shape[1] // day
    return np.median(surplus[:, surplus.shape[1] - days * day :].reshape(len(surplus), days, day), axis=2)


def _day(seasons: Seasons) -> int:
    """Steps over which a level is measured: a day, or one step of anything coarser."""
    return max(1, round(seasons.block / max(seasons.block_days, 1))) if seasons.block_days >= 1 else seasons.block


def levelled(fit: np.ndarray, surplus: np.ndarray, day: int) -> np.ndarray:
    """`fit` with the history before a late, lasting shift of level moved to the new level.

    A shift is at least two days in a row that stand at least four robust standard deviations from the usual, on one
    side, and at most 20 days old. The longer it lasted, the more of it is believed: days / (days + 1).
    """
    if surplus.shape[1] < 14:
        return fit
    recent = surplus[:, -OLD_SHIFT_DAYS - 1 :]
    noise = 1.4826 * np.median(np.abs(surplus[:, -90:]), axis=1)
    size = np.median(recent[:, -SHIFT_DAYS:], axis=1)
    stands = np.sign(size)[:, None] * recent >= 0.5 * np.abs(size)[:, None]
    lasted = np.cumprod(stands[:, ::-1], axis=1).sum(axis=1)  # (S,) days in a row, up to the last
    need = SHIFT_DAYS if day > 1 else SHIFT_STEPS
    believed = (lasted >= need) & (lasted <= OLD_SHIFT_DAYS)
    believed &= np.abs(size) >= np.maximum(SHIFT_SIGMAS * noise, SHIFT_SIZE)
    if not believed.any():
        return fit
    moved = fit.copy()
    for row in np.flatnonzero(believed):
        days = int(lasted[row])
        shift = np.median(recent[row, -days:]) * days / (days + 1)
        moved[row, : fit.shape[1] - days * day] += shift
    return moved
