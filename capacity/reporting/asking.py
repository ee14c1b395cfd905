"""What a report says beside its plan, asked where that is quick: scenarios, money, error budgets, alarms.

A fleet can be so large that an answer takes minutes: then it is left out, and the report says how to have it. So is
what cannot be answered, in the words of whoever could not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from capacity.config import Config
from capacity.errors import CapacityError, HistoryError
from capacity.history.history import History
from capacity.planning.plans import Plan
from capacity.reporting import words

if TYPE_CHECKING:
    from capacity.monitoring import Alarms

#: Services up to which each is asked; of scenarios, services times scenarios. All stay below about a minute of one
#: processor. Measured on 400 paths of a quarter of hours, seconds a service: scenarios 0.25 each, alarms on two weeks
#: of minutes 0.12, error budgets and unit costs 0.01; a commitment 5 in all.
MOST: Final = {"commitment": 500, "scenarios": 250, "slos": 1000, "alarms": 200, "unit_costs": 2000}


@dataclass
class Asked:
    """The answers as `report` takes them, by the name of its argument; `left_out` is one of them."""

    nouns: dict[str, Any] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def ask(self, name: str, section: str, answer: Callable[[], Any]) -> None:
        """An answer, or in its section the reason why there is none."""
        try:
            self.nouns[name] = answer()
        except CapacityError as error:
            self.leave_out(section, words.sentence(str(error).split("\n")[0]))

    def leave_out(self, section: str, sentence: str) -> None:
        """One more thing that a section does not hold."""
        self.left_out[section] = " ".join(filter(None, (self.left_out.get(section, ""), sentence)))


def asked(plan: Plan, history: History, config: Config, alarms: Alarms | None = None) -> Asked:
    """What there is to say beside a plan.

    history  for error budgets, past unit costs and the bill
    config   scenarios and budgets that were stated
    alarms   those of the plan, tried on the history; None where they are too many, or were not asked for
    """
    from capacity.monitoring import error_budgets

    found, size = Asked(), len(plan.services)
    if config.scenario:
        if size * len(config.scenario) <= MOST["scenarios"]:
            found.ask("what_if", "scenarios", lambda: plan.what_if(config))
        else:
            found.leave_out("scenarios", _too_many("Scenarios were not asked", size, "capacity what-if"))
    if size <= MOST["unit_costs"]:
        found.ask("unit_costs", "cost", lambda: plan.unit_costs(history))
    if config.budget:
        found.ask("budgets", "cost", lambda: plan.budgets(config.budget))
    if size <= MOST["commitment"]:
        found.ask("commitment", "cost", plan.commitment)
    else:
        found.leave_out("cost", _too_many("No commitment was weighed", size, "capacity cost"))
    if any("cost" in history.metrics(service.name) for service in plan.services if service.name in history.services):
        found.ask("reconciliation", "cost", lambda: _bill(plan, history))
    if any(service.slo for service in plan.services):
        if size <= MOST["slos"]:
            found.ask("error_budgets", "risks", lambda: error_budgets(history, plan.services))
        else:
            found.leave_out("risks", _too_many("Error budgets were not counted", size, "capacity slo"))
    found.nouns["alarms"] = alarms
    if alarms is None and size > MOST["alarms"]:
        found.leave_out("watch", _too_many("Alarms were not tried on history", size, "capacity alarms"))
    return found


def _bill(plan: Plan, history: History) -> Any:
    """The bill beside the price table; None before a month of it is whole."""
    try:
        return plan.reconcile(history)
    except HistoryError:
        return None


def _too_many(what: str, services: int, command: str) -> str:
    """Why an answer is not here, and where it is.

    >>> _too_many("Alarms were not tried on history", 2000, "capacity alarms")
    'Alarms were not tried on history: for 2,000 services that takes minutes. Ask for it: `capacity alarms`.'
    """
    return f"{what}: for {words.count(services, 'service')} that takes minutes. Ask for it: `{command}`."
