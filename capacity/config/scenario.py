"""`[[scenario]]` and `Scenario`: what may be different from the forecast and from today's settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, model_validator

from capacity.config.base import Positive, Settings, Share
from capacity.config.event import NEVER, Event, Moment
from capacity.config.service import Service
from capacity.config.tables import Goal, PriceSettings
from capacity.errors import ConfigError

#: A bare factor below this may be meant as percent: 0.2 as 20 % more.
DOUBTFUL: Final = 0.5

_PERCENT: Final = re.compile(r"^([+-]?\d+(?:\.\d+)?)\s*%$")
_TIMES: Final = re.compile(r"^[x×]?\s*(\d+(?:\.\d+)?)\s*[x×]?$")


def as_factor(value: Any) -> Any:
    """ "+20%" and "1.2x" as 1.2; anything else as it is, for the type to judge.

    >>> as_factor("20%"), as_factor("-10 %"), as_factor("2x"), as_factor(1.5)
    (1.2, 0.9, 2.0, 1.5)
    """
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} is not a growth")
    if isinstance(value, (int, float)):
        if 0 < value < DOUBTFUL:
            raise ValueError(
                f"{value:g} reads as {100 * value:g} % of the load or as {100 * value:g} % more: write "
                f'"{100 * value - 100:+g}%" or "{100 * value:+g}%"'
            )
        return value
    if not isinstance(value, str):
        return value
    text = value.strip()
    if found := _PERCENT.match(text):
        if float(found[1]) <= -100:
            raise ValueError(f"{value!r} leaves no load at all: write [[scenario.move]] for load that goes elsewhere")
        return (100 + float(found[1])) / 100
    if found := _TIMES.match(text):
        return float(found[1])
    raise ValueError(f'{value!r} is not a growth: write "20%", "-10%" or a factor such as 1.2')


Factor = Annotated[float, Field(gt=0, allow_inf_nan=False), BeforeValidator(as_factor)]


class Move(Settings):
    """Load of one service that another takes over: of a region that is lost, of a system that is retired.

    >>> Move(source="checkout-eu", target="checkout-us").share
    1.0
    """

    source: str = Field(min_length=1, description="Service whose load moves away.")
    target: str = Field(min_length=1, description="Service that takes it over.")
    share: Share = Field(1.0, description="Which share of it moves.")

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.source == self.target:
            raise ValueError(f"source and target are both {self.source!r}: load moves from one service to another")
        return self


class Scenario(Settings):
    """What may be different: more load, a launch, a worse cache, faster code, other settings, prices, a lost zone.

    What is not said stays as it is. Load is told relative to the forecast, and all its futures are kept, so that a
    difference between two scenarios is of the scenarios alone. Without `start` load is different all the time; a
    moment without an offset is on the local clock of each service (`Service.timezone`), a date its midnight.

    >>> Scenario(name="a good year", growth="20%").growth
    1.2
    >>> Scenario(name="launch", start="2026-12-01", end="never", uplift=1.5, ramp="14d").windowed
    True
    """

    name: str = Field(min_length=1, pattern=r"\S", description="What it is called in tables.")
    note: str = Field("", description="Why it is asked: printed beside it.")
    services: tuple[str, ...] = Field((), description="Whom it concerns; empty: all.")
    combines: tuple[str, ...] = Field((), description="Names of other scenarios that happen together; nothing else.")
    growth: Factor | None = Field(None, description='Load over the forecast, all the time: 1.2, or "20%" more.')
    growth_percent_per_month: float | None = Field(
        None, gt=-100, le=1000, description="Or on top of the forecast, compounding month by month (730 h)."
    )
    uplift: Positive | None = Field(None, description="Load from `start` to `end` over the forecast.")
    start: Moment = Field("", description="When uplift, hit ratio and moves begin; empty: with the plan.")
    end: Moment = Field(
        "", description='When they are over, exclusive; "never"; empty: with the day on which they start.'
    )
    ramp: str = Field("", description="How long they take to come, and before `end` to go: a duration such as 2h.")
    hit_ratio_from: float | None = Field(None, ge=0, lt=1, description="Of the cache in front of the service, today.")
    hit_ratio_to: float | None = Field(None, ge=0, lt=1, description="And then.")
    cacheable: Share = Field(1.0, description="Share of all requests that this cache may answer.")
    vcpu_per_request_times: Positive | None = Field(
        None, description="Processor time of a request over today's: 0.8 is code that takes a fifth less."
    )
    requests_per_task_times: Positive | None = Field(
        None, description="What one task serves within the SLO over today's: 1.25 is a quarter more."
    )
    slo_ms: Positive | None = Field(
        None, description="A stricter or looser SLO, where task_capacity says today's and the cost of a request."
    )
    lose_zones: int = Field(
        0, ge=0, le=5, description="Zones that are gone, the goal kept on the rest; together they add up."
    )
    lose_region: str = Field("", description="Region that is gone: its load moves to the same services elsewhere.")
    move: tuple[Move, ...] = Field((), description="Load that moves, one [[scenario.move]] each.")
    price_times: Positive | None = Field(None, description="All prices over today's.")
    prices: PriceSettings | None = Field(None, description="Instead of [prices], as [scenario.prices].")
    change: dict[str, Any] = Field({}, description="Keys of [[service]] and what they are instead.")
    goal: dict[str, Any] = Field({}, description="Keys of [goal] and what they are instead; not horizon.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = [*self._windows(), *self._pairs(), *_wrong_keys(self.change, Service, "change", ("name",))]
        problems += _wrong_keys(self.goal, Goal, "goal", ("horizon",))
        if self.combines and set(self.model_fields_set) - {"name", "note", "combines"}:
            problems.append("combines: what happens together is said in those scenarios, nothing beside it")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _windows(self) -> list[str]:
        found = []
        moved = self.uplift is not None or self.hit_ratio_to is not None or bool(self.move or self.lose_region)
        if self.uplift is not None and not self.start:
            found.append("uplift without start: say when, or growth for all the time")
        if self.start and not moved:
            found.append("start without what begins then: uplift, hit_ratio_to, move or lose_region")
        for name in ("end", "ramp"):
            if getattr(self, name) and not self.start:
                found.append(f"{name} without start")
        if self.start and not found:
            try:
                self.event  # noqa: B018 - built to be checked
                self._ramp_fits()
            except ConfigError as error:
                found += [problem.message for problem in error.problems]
            except ValueError as error:
                found.append(str(error))
        return found

    def _ramp_fits(self) -> None:
        if not self.ramp:
            return
        from capacity.timegrid import duration  # pandas, which a Scenario without a ramp does not need

        ramp: timedelta = duration(self.ramp).to_pytimedelta()
        if self.end == NEVER:
            return
        start = datetime.fromisoformat(self.start)
        length = datetime.fromisoformat(self.end) - start if self.end else timedelta(days=1)
        if 2 * ramp > length:
            raise ValueError(f"ramp {self.ramp}: coming and going take longer than from start to end")

    def _pairs(self) -> list[str]:
        found = []
        if (self.hit_ratio_from is None) != (self.hit_ratio_to is None):
            found.append("hit_ratio_from and hit_ratio_to are two ends of one change: state both")
        if self.requests_per_task_times is not None and self.slo_ms is not None:
            found.append("requests_per_task_times and slo_ms both change what a task serves: state one")
        for own, keys in _SAID_TWICE.items():
            if getattr(self, own) and (twice := [key for key in keys if key in self.change]):
                found.append(f"{own} and change {', '.join(twice)} say one thing twice: state one")
        return found

    @property
    def windowed(self) -> bool:
        """Whether it begins and ends."""
        return bool(self.start)

    @property
    def event(self) -> Event:
        """From when to when, as an `Event` tells it."""
        uplift = 1.0 if self.uplift is None else self.uplift
        return Event(name=self.name, start=self.start, end=self.end, uplift=uplift, services=self.services)


#: What a field of its own changes of a service.
_SAID_TWICE: Final = {
    "lose_zones": ("zones",),
    "requests_per_task_times": ("requests_per_second_per_task", "task_capacity"),
    "slo_ms": ("requests_per_second_per_task", "task_capacity"),
    "vcpu_per_request_times": ("task_capacity",),
}


def _wrong_keys(said: Mapping[str, Any], model: type[Settings], where: str, fixed: tuple[str, ...]) -> list[str]:
    """What is wrong with keys and values of another table, one by one; what several mean together is seen later.

    >>> _wrong_keys({"zones": 9, "colour": 1, "name": "x"}, Service, "change", ("name",))
    ['change zones: Input should be less than or equal to 6', 'change colour: unknown key', 'change name cannot change']
    """
    found = []
    for key, value in said.items():
        field = model.model_fields.get(key)
        if key in fixed:
            found.append(f"{where} {key} cannot change")
        elif field is None or field.exclude:
            found.append(f"{where} {key}: unknown key")
        else:
            try:
                adapter: TypeAdapter[Any] = TypeAdapter(Annotated[field.annotation, field])  # type: ignore[arg-type]
                adapter.validate_python(value)
            except ValidationError as error:
                found += [f"{where} {key}: {item['msg'].removeprefix('Value error, ')}" for item in error.errors()]
            except ConfigError as error:
                found += [f"{where} {key} {problem}" for problem in error.problems]
    return found


def scenario_problems(scenarios: tuple[Scenario, ...], services: set[str]) -> list[str]:
    """What is wrong between scenarios, and with the services they name; nothing about services where none is known."""
    names = [one.name for one in scenarios]
    twice = sorted({name for name in names if names.count(name) > 1})
    found = [f"two [[scenario]] tables are called {name!r}: give each its own name" for name in twice]
    combining = {one.name for one in scenarios if one.combines}
    for one in scenarios:
        for other in one.combines:
            if other not in names:
                found.append(f"scenario {one.name!r} combines {other!r}, and no [[scenario]] is called so")
            elif other in combining:
                found.append(f"scenario {one.name!r} combines {other!r}, which combines others: name those")
        named = [*one.services, *(name for move in one.move for name in (move.source, move.target))]
        unknown = [name for name in dict.fromkeys(named) if services and name not in services]
        found += [f"scenario {one.name!r} names {name!r}, and no [[service]] is called so" for name in unknown]
    return found
