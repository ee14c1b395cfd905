"""Rolling origins inside the past: what was known at each, and how wrong each model's centre was after it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, Protocol

import numpy as np

from capacity.forecasting.prepare import Prepared
from capacity.forecasting.seasons import Seasons
from capacity.forecasting.shifts import Shifts, shifts_in

#: Most rolling origins that one forecast looks back from. More add little: neighbouring windows overlap.
MOST_ORIGINS: Final = 28

#: Origins reach back over this many days beyond the horizon itself.
REACH_DAYS: Final = 182

#: What was measured is moved to a new level only where that lasts with this chance: repeating the last season is a
#: second opinion.
SURE: Final = 0.9


@dataclass(frozen=True, eq=False)
class View:
    """What a model may see at one origin: n intervals of S series on the models' scale, without gaps."""

    fit: np.ndarray  # (S, n) cleaned, and all at the level that is expected next
    filled: np.ndarray  # (S, n) as measured, gaps filled; at that level where it surely lasts
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
    shifts: Shifts
    backs: np.ndarray
    horizon: int

    def view(self, back: int) -> View:
        """What was known `back` intervals before the end."""
        end = self.past.length - back
        fit = self.shifts.levelled(self.past.fit[:, :end])
        filled = self.shifts.levelled(self.past.filled[:, :end], SURE)
        return View(fit, filled, self.past.seasons)

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
    return Windows(past, shifts_in(past, _day(seasons)), backs, reach)


def _day(seasons: Seasons) -> int:
    """Steps over which a level is measured: a day, or one step of anything coarser."""
    return max(1, round(seasons.block / max(seasons.block_days, 1))) if seasons.block_days >= 1 else seasons.block
