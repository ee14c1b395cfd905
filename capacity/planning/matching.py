"""Which series plans which service. Whatever cannot be planned is listed, with what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import numpy as np

from capacity.config import Account, Budget, Config, Goal, PriceSettings, Rate, Service
from capacity.demand.demand import Key
from capacity.errors import ConfigError, GoalUnreachable, PlanError, Problem
from capacity.findings import Finding
from capacity.forecasting.forecasts import Forecast
from capacity.planning.needs import defect, unsizeable
from capacity.planning.prices import Prices

#: Name of the check that a service fails which cannot be planned at all.
NOT_PLANNED: Final = "series"

#: From a forecast of S series to (S, P, H): the largest need inside each interval of each path.
Peaks = Callable[[Forecast], np.ndarray]


class Asked(NamedTuple):
    """What `plan` was asked: arguments win over what a Config says."""

    services: tuple[Service, ...]
    alone: bool  # one bare Service: its name need not be that of the series
    goal: Goal
    prices: Prices
    accounts: tuple[Account, ...]
    peaks: Peaks | None = None
    budgets: tuple[Budget, ...] = ()
    drawn: Peaks | None = None  # by whose order paths draw what a task carries; None: by their own largest needs


class Match(NamedTuple):
    """A service and the name under which its series are forecast."""

    service: Service
    name: str
    keys: tuple[Key, ...]


def asked(
    service: Service | Iterable[Service] | Config,
    goal: Goal | None,
    prices: PriceSettings | Rate | Iterable[Rate] | None,
    accounts: Account | Iterable[Account],
    peaks: Peaks | None = None,
    budgets: Budget | Iterable[Budget] = (),
) -> Asked:
    """The arguments of `plan`, checked. Raises ConfigError for none, strangers, or two of one name."""
    config = service if isinstance(service, Config) else Config()
    alone = isinstance(service, Service)
    if isinstance(service, Service):
        services: tuple[Service, ...] = (service,)
    else:
        services = config.service if isinstance(service, Config) else tuple(service)
    own_accounts = (accounts,) if isinstance(accounts, Account) else tuple(accounts)
    own_budgets = (budgets,) if isinstance(budgets, Budget) else tuple(budgets)
    return Asked(
        services=_distinct(services),
        alone=alone,
        goal=config.goal if goal is None else goal,
        prices=Prices.of_argument(config.prices if prices is None else prices),
        accounts=_one_a_region(own_accounts or config.account),
        peaks=peaks,
        budgets=own_budgets or config.budget,
    )


def _distinct(services: tuple[Service, ...]) -> tuple[Service, ...]:
    if not services:
        raise ConfigError("no service to plan", advice='Pass Service(name=...), or add [[service]] name = "...".')
    for service in services:
        if not isinstance(service, Service):
            raise ConfigError(f"{service!r} is not a Service", advice="Write Service(name=..., ...).")
    counts = Counter(service.name for service in services)
    problems = [Problem(f"{count} services are called {name!r}") for name, count in counts.items() if count > 1]
    if problems:
        raise ConfigError("services cannot be told apart:", problems, "Give each its own name, as in the history.")
    return services


def _one_a_region(accounts: tuple[Account, ...]) -> tuple[Account, ...]:
    for account in accounts:
        if not isinstance(account, Account):
            raise ConfigError(f"{account!r} is not an Account", advice="Write Account(region=..., ...).")
    for region, count in Counter(account.region for account in accounts).items():
        if count > 1:
            raise ConfigError(f"{count} accounts for region {region!r}: keep one")
    return accounts


def match(forecast: Forecast, services: tuple[Service, ...], alone: bool) -> tuple[list[Match], list[Finding]]:
    """Services that can be planned, in the order asked, and findings about everything that cannot.

    Raises GoalUnreachable when nothing is left because no capacity per task is known, PlanError when nothing is left
    because there is no usable series.
    """
    wrong = {key: defect(paths) for key, paths in zip(forecast.keys, forecast.paths, strict=True)}
    series: dict[str, list[Key]] = {}
    for key in forecast.keys:
        series.setdefault(key.service, []).append(key)
    names = list(series)
    findings: list[Finding] = []
    matches: list[Match] = []
    reasons: list[tuple[bool, str]] = []  # per service that cannot be planned: is a capacity missing, and why
    for service in services:
        name = names[0] if alone and len(names) == 1 else service.name
        keys = series.get(name, [])
        usable = tuple(key for key in keys if not wrong[key])
        findings += [_unusable(service, key.metric, wrong[key]) for key in keys if wrong[key]]
        reason = unsizeable(service, {key.metric for key in usable}) if usable else "no usable series of it is forecast"
        if reason:
            reasons.append((bool(usable), f"{service.name}: {reason}."))
            findings.append(_unplanned(service, reason))
        else:
            matches.append(Match(service, name, usable))
    if not matches:
        kind = GoalUnreachable if any(capacity for capacity, _ in reasons) else PlanError
        there = ", ".join(sorted(names)) or "none"
        raise kind("\n".join(["Nothing can be planned.", *(text for _, text in reasons), f"Forecast are: {there}."]))
    taken = {found.name for found in matches} | {service.name for service in services}
    findings += [_nobody(name) for name in names if name not in taken]
    return matches, findings


def _unusable(service: Service, metric: str, wrong: str) -> Finding:
    advice = "Look at its history and forecast again."
    return Finding(service.name, metric, "forecast", "FAIL", f"The forecast {wrong}, so it is not used.", advice)


def _unplanned(service: Service, reason: str) -> Finding:
    advice = "Until then it is missing from the plan's tasks, limits and cost."
    return Finding(service.name, "", NOT_PLANNED, "FAIL", f"Not planned: {reason}.", advice)


def _nobody(name: str) -> Finding:
    return Finding(
        name, "", "service", "UNKNOWN", "Forecast but not planned: no Service of that name.", f"Add one named {name!r}."
    )
