"""What is asked, one case at a time: scenarios alone or together, checked against each other and the plan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from capacity.config import Config, Scenario
from capacity.errors import InputError, Problem
from capacity.planning.words import first_few

#: The plan itself, planned again with nothing changed: what all others are compared with.
AS_IS: Final = "as is"

#: One scenario, or several that happen together.
Given = Scenario | Iterable[Scenario]


@dataclass(frozen=True)
class Case:
    """One column of the question: a name, and the scenarios that happen together in it."""

    name: str
    parts: tuple[Scenario, ...] = ()
    note: str = ""

    def concerning(self, service: str) -> list[Scenario]:
        """The parts that concern a service."""
        return [part for part in self.parts if not part.services or service in part.services]


def cases(scenarios: Scenario | Iterable[Given] | Config, among: Iterable[Scenario] = ()) -> list[Case]:
    """What was asked as cases, "as is" first. A tuple of scenarios happens together, and is called "a + b".

    among  scenarios that `combines` may name, beside those asked for

    Raises InputError for what is no scenario, two of one name, and combinations of what is not there.

    >>> launch, more = Scenario(name="launch", growth=1.5), Scenario(name="more", growth="10%")
    >>> [case.name for case in cases([launch, (launch, more)])]
    ['as is', 'launch', 'launch + more']
    """
    if isinstance(scenarios, Config):
        among, scenarios = (*among, *scenarios.scenario), scenarios.scenario
    asked: list[Given] = [scenarios] if isinstance(scenarios, Scenario) else list(scenarios)
    for one in asked:
        for part in one if isinstance(one, Iterable) and not isinstance(one, (Scenario, str)) else (one,):
            if not isinstance(part, Scenario):
                raise InputError(f"{part!r} is not a Scenario", advice='Write Scenario(name="launch", growth="20%").')
    known = {one.name: one for one in (*among, *(one for one in asked if isinstance(one, Scenario)))}
    found = [Case(AS_IS), *(_case(one, known) for one in asked)]
    names = [case.name for case in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        said = "that is the plan itself" if twice[0] == AS_IS else "give each its own name"
        raise InputError(f"two scenarios are called {twice[0]!r}: {said}")
    return found


def _case(given: Given, known: dict[str, Scenario]) -> Case:
    if isinstance(given, Scenario):
        return Case(given.name, tuple(_parts(given, known)), given.note)
    together = tuple(given)
    if not together:
        raise InputError("an empty combination: nothing happens in it", advice="Name one scenario or more.")
    parts = tuple(part for one in together for part in _parts(one, known))
    notes = dict.fromkeys(one.note for one in together if one.note)
    return Case(" + ".join(one.name for one in together), parts, "; ".join(notes))


def _parts(scenario: Scenario, known: dict[str, Scenario]) -> list[Scenario]:
    """What a scenario is made of: itself, or those it combines."""
    if not scenario.combines:
        return [scenario]
    missing = [name for name in scenario.combines if name not in known]
    if missing:
        there = ", ".join(map(repr, known))
        raise InputError(
            f"scenario {scenario.name!r} combines {missing[0]!r}, which is not there", advice=f"There are: {there}."
        )
    return [known[name] for name in scenario.combines]


def check(case: Case, services: Iterable[str]) -> None:
    """Raises InputError, naming everything, for services that are not planned and for parts that contradict."""
    planned = set(services)
    problems = []
    for part in case.parts:
        named = (*part.services, *(name for move in part.move for name in (move.source, move.target)))
        problems += [
            Problem(f"no service {name!r} is planned", where=f"scenario {part.name!r}")
            for name in dict.fromkeys(named)
            if name not in planned
        ]
    problems += [Problem(text) for text in dict.fromkeys(_contradictions(case, sorted(planned)))]
    if problems:
        there = first_few(sorted(planned), most=10)
        raise InputError(f"scenario {case.name!r} cannot be planned:", problems, f"Planned are: {there}.")


def _contradictions(case: Case, services: list[str]) -> list[str]:
    """What two parts set to different values, for one service or for the whole plan."""
    found = []
    for service in services:
        own = case.concerning(service)
        found += _differing({part.name: {**part.change, **_own_settings(part)} for part in own}, f" of {service}")
    everywhere = {part.name: {f"[goal] {key}": value for key, value in part.goal.items()} for part in case.parts}
    for part in case.parts:
        if part.prices is not None:
            everywhere[part.name]["prices"] = part.prices
    return found + _differing(everywhere, "")


def _own_settings(part: Scenario) -> dict[str, Any]:
    """What a part says of a service beside `change`, and cannot be said twice."""
    return {} if part.slo_ms is None else {"slo_ms": part.slo_ms}


def _differing(said: dict[str, dict[str, Any]], of: str) -> list[str]:
    first: dict[str, tuple[str, Any]] = {}
    found = []
    for name, settings in said.items():
        for key, value in settings.items():
            other, earlier = first.setdefault(key, (name, value))
            if earlier != value:
                found.append(f"{other!r} and {name!r} set {key}{of} to different values: {earlier!r} and {value!r}")
    return found
