"""Every error that `capacity` raises on purpose.

    CapacityError
      InputError            what was handed in: unreadable, ambiguous or contradictory values, reported together
        ConfigError         capacity.toml or a Service, Goal, Prices ... built in Python
        UnitMismatch        two quantities that cannot be one
      SourceError           the outside world: SourceDenied, SourceThrottled, SourceChanged
      HistoryError          what we have
        HistoryTooShort     fewer intervals than the question needs
        HistoryHasGaps      too few of the intervals hold a value
        StoreError          the history store: locked, damaged, or from a newer version
      ForecastError         a model declined
        DidNotConverge
      PlanError             what was asked
        GoalUnreachable
      LiveError             a live account was not changed as asked
        ApplyRefused        nothing was changed
        ApplyStopped        some calls were made, then one failed
      MissingExtra          an optional dependency is needed; names the extra that brings it

Each message says what, where, and what to do next, in words that can be pasted. Facts are also fields.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class CapacityError(Exception):
    """Base of everything raised on purpose: catch this one to catch them all."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong in an input, and where.

    >>> str(Problem("value 'n/a' is not a number", where="usage.csv row 17"))
    "usage.csv row 17: value 'n/a' is not a number"
    """

    message: str
    where: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class InputError(CapacityError, ValueError):
    """What was handed in cannot be understood. `problems` lists everything found, not only the first."""

    #: How many problems a message spells out; the rest are counted, and all are in `.problems`.
    SHOWN = 20

    def __init__(self, message: str, problems: Iterable[Problem] = (), advice: str = "") -> None:
        self.problems = tuple(problems)
        self.advice = advice
        lines = [message, *(f"  - {problem}" for problem in self.problems[: self.SHOWN])]
        if len(self.problems) > self.SHOWN:
            lines.append(f"  - and {len(self.problems) - self.SHOWN} more")
        if advice:
            lines.append(advice)
        super().__init__("\n".join(lines))


class ConfigError(InputError):
    """A setting is missing, unknown or out of range."""


class UnitMismatch(InputError):
    """Two quantities that cannot be converted into each other."""


class SourceError(CapacityError):
    """The outside world did not answer as asked."""


class SourceDenied(SourceError):
    """Credentials are missing, expired, or not allowed to read this."""


class SourceThrottled(SourceError):
    """The other side asked us to slow down, and kept asking."""


class SourceChanged(SourceError):
    """The answer does not have the shape that was documented."""


class HistoryError(CapacityError):
    """The history at hand cannot answer the question."""


class HistoryTooShort(HistoryError):
    """Fewer intervals than needed. `have` and `need` are counts of `unit`."""

    def __init__(self, what: str, *, have: float, need: float, unit: str = "intervals", advice: str = "") -> None:
        self.what, self.have, self.need, self.unit = what, have, need, unit
        sentence = f"{what} has {have:g} {unit}, and {need:g} are needed."
        super().__init__(f"{sentence} {advice}".strip())


class HistoryHasGaps(HistoryError):
    """Too many intervals hold no value."""


class StoreError(HistoryError):
    """The history store cannot be read or written: locked, damaged, or from a newer version."""


class ForecastError(CapacityError):
    """A model declined to answer."""


class DidNotConverge(ForecastError):
    """The optimiser of a model gave up."""


class PlanError(CapacityError):
    """What was asked cannot be planned."""


class GoalUnreachable(PlanError):
    """No finite plan reaches the goal."""


class LiveError(CapacityError):
    """A live account was not changed as asked."""


class ApplyRefused(LiveError):
    """Nothing was changed: there was no approval, or what was approved is not what would be done."""


class ApplyStopped(LiveError):
    """Some calls were made, then one failed. `run` is their name in the audit log, `done` how many were made."""

    def __init__(self, message: str, *, run: str, done: int) -> None:
        self.run, self.done = run, done
        super().__init__(message)


class MissingExtra(CapacityError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(f"{purpose} needs the package {package!r} (extra {extra!r}): pip install {package}")
