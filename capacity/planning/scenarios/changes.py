"""What becomes of settings: services, goal and prices of a case, checked as any others are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from capacity.config import Goal, Scenario, Service
from capacity.demand.demand import Demand, Key
from capacity.errors import ConfigError, InputError, Problem
from capacity.findings import Finding
from capacity.forecasting.forecasts import Forecast
from capacity.planning.matching import Asked
from capacity.planning.prices import Prices
from capacity.planning.scenarios.cases import Case
from capacity.planning.scenarios.loads import series_names
from capacity.planning.scenarios.slo import carrying, under_slo
from capacity.planning.sizing.larger import Task, busy_share, carries, resized
from capacity.planning.steps import Survives
from capacity.planning.words import first_few

#: Two ways to say what a task serves: a change of one replaces the other.
_ONE_RATE: Final = ("requests_per_second_per_task", "task_capacity")


def settings(case: Case, ask: Asked, forecast: Forecast) -> Asked:
    """What is asked in a case. Raises InputError, naming everything, for settings that cannot be."""
    names = series_names(ask, forecast)
    services, problems = [], []
    for service in ask.services:
        try:
            parts = case.concerning(service.name)
            services.append(_carrying(_resized(service, _changed(service, parts), parts, forecast.past, names), parts))
        except ConfigError as error:
            told = error.problems or (Problem(str(error)),)
            problems += [Problem(problem.message, where=f"{service.name} {problem.where}".strip()) for problem in told]
        except InputError as error:
            problems.append(Problem(". ".join(str(error).split("\n")), where=service.name))
    unheard = [part.name for part in case.parts if not _heard(part, ask.services, names, forecast)]
    problems += [Problem(f"{name!r} changes what is known of no service it concerns") for name in unheard]
    if problems:
        raise InputError(f"scenario {case.name!r} cannot be planned:", problems)
    goal = {key: value for part in case.parts for key, value in part.goal.items()}
    return ask._replace(
        services=tuple(services),
        goal=Goal(**{**_fields(ask.goal), **goal}) if goal else ask.goal,
        prices=_prices(case.parts, ask.prices),
    )


def _fields(model: Goal | Service) -> dict[str, Any]:
    """What was said of it; defaults stay defaults."""
    return {name: getattr(model, name) for name in type(model).model_fields if name in model.model_fields_set}


def _changed(service: Service, parts: list[Scenario]) -> Service:
    """One service with what all parts say of it."""
    change: dict[str, Any] = {key: value for part in parts for key, value in part.change.items()}
    if lost := sum(part.lose_zones for part in parts):
        if lost >= service.zones:
            raise InputError(f"{lost} of its {service.zones} zones are lost: nothing is left to run it")
        change["zones"] = service.zones - lost
    if any(part.lose_region == service.region and not part.windowed for part in parts):
        change["min_tasks"] = 0
    if change:
        stated = _fields(service)
        for said, other in (_ONE_RATE, _ONE_RATE[::-1]):
            if said in change and other not in change:
                stated.pop(other, None)
        service = Service(**{**stated, **change})
    return service


def _resized(service: Service, changed: Service, parts: list[Scenario], past: Demand, names: dict[str, str]) -> Service:
    """What a task of another size serves, where nobody says: by its vCPU as far as that is what binds."""
    if _said(parts) or Task.of(changed) == Task.of(service) or service.requests_per_second_per_task is None:
        return changed
    worth = carries(service, Task.of(changed), 1.0, busy_share(service, past, names[service.name]))
    if isinstance(worth, str):
        raise InputError(worth)
    if worth["requests"] == 0:
        raise InputError(f"a task of {Task.of(changed)} would serve nothing")
    return resized(changed, Task.of(changed), 1.0, worth)


def _carrying(service: Service, parts: list[Scenario]) -> Service:
    """What a task carries and what a request costs it, changed."""
    capacity = service.task_capacity
    for slo_ms in sorted({part.slo_ms for part in parts if part.slo_ms is not None}):
        capacity = under_slo(service, slo_ms)
    times = _product(part.requests_per_task_times for part in parts)
    cost = _product(part.vcpu_per_request_times for part in parts)
    if capacity is not None:
        if times != 1:
            capacity = carrying(capacity, times)
        if cost != 1 and capacity.vcpu_seconds_per_request is not None:
            each = capacity.vcpu_seconds_per_request * cost
            capacity = capacity.model_copy(update={"vcpu_seconds_per_request": each})
        return service if capacity is service.task_capacity else service.model_copy(update={"task_capacity": capacity})
    rate = service.requests_per_second_per_task
    if times == 1 or rate is None:
        return service
    return service.model_copy(update={"requests_per_second_per_task": rate * times})


def _product(factors: Iterable[float | None]) -> float:
    """In order of size: the same for any order of the parts."""
    return float(np.prod(sorted(factor for factor in factors if factor is not None)))


def _heard(part: Scenario, services: tuple[Service, ...], names: dict[str, str], forecast: Forecast) -> bool:
    """Whether a change of what a task serves, or a request costs, meets any service of which that is known."""
    own = [one for one in services if not part.services or one.name in part.services]
    serves = any(one.requests_per_second_per_task is not None for one in own)
    costs = any(
        Key(names[one.name], "cpu") in forecast.keys
        or (one.task_capacity is not None and one.task_capacity.vcpu_seconds_per_request is not None)
        for one in own
    )
    return (part.requests_per_task_times is None or serves) and (part.vcpu_per_request_times is None or costs)


def _prices(parts: tuple[Scenario, ...], prices: Prices) -> Prices:
    for part in parts:
        if part.prices is not None:
            prices = Prices(part.prices)
    times = _product(part.price_times for part in parts)
    return prices if times == 1 else prices.times(times)


def assumptions(case: Case, ask: Asked, then: Asked) -> list[Finding]:
    """What a case takes for granted that nobody measured: one finding for all services of which it is the same."""
    sized, bounded, alone = [], [], []
    for service, changed in zip(ask.services, then.services, strict=True):
        if Survives.of(service, ask.goal).zone_loss and changed.zones == 1 and then.goal.survive_zone_loss:
            alone.append(service.name)
        rate, serves = service.requests_per_second_per_task, changed.requests_per_second_per_task
        if rate is None or serves is None:
            continue
        parts = case.concerning(service.name)
        told = f"{service.name} {serves:.4g}, {'as today' if serves == rate else f'instead of {rate:.4g}'}"
        if Task.of(service)[::2] != Task.of(changed)[::2] and not _said(parts):
            sized.append(told)
        if any(part.slo_ms is not None for part in parts):
            bounded.append(told)
    how = "Measure it (capacity loadtest capacity), or state requests_per_task_times in the scenario."
    found = []
    if alone:
        message = f"{case.name!r} leaves {first_few(alone)} one zone, so the loss of another is not planned for."
        found.append(
            Finding("", "", "scenario", "REVIEW", message, "Fewer tasks there are less safety, not less need.")
        )
    if sized:
        reason = "by the vCPU of a task, at the same speed, as far as that is what binds"
        found.append(_assumed(case, f"{reason}: {'; '.join(sized)}", how))
    if bounded:
        reason = "by the law of a shared processor, as if no time were spent elsewhere"
        found.append(_assumed(case, f"{reason}: {'; '.join(bounded)}", how))
    return found


def _said(parts: list[Scenario]) -> bool:
    """Whether the parts say themselves what a task serves."""
    return any(part.requests_per_task_times is not None or set(_ONE_RATE) & set(part.change) for part in parts)


def _assumed(case: Case, reason: str, advice: str) -> Finding:
    message = f"{case.name!r} takes requests/s of a task for granted, {reason}."
    return Finding("", "", "scenario", "REVIEW", message, advice)
