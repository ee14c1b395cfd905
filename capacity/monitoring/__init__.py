"""What to watch: signals and promises (SLOs) of a service -> alarms, dashboards and runbooks.

signals      the catalogue: each signal with unit, source and meaning
measuring    a signal in the words of a monitor, and its formula in `formulas`
minutes      the signals of one service on a grid of minutes, as an alarm would have seen them
slos         what became of a promise: error budget, burn rates, and when it is gone
budgets      `ErrorBudgets`: that of every SLO of a fleet
key_figures  `Kpis`: key figures of each service, from `figures`; `lasting` says how long its limits last
conditions   what an alarm waits for, as values: replayed on minutes, and rendered for every monitor
breaches     when a condition is in ALARM, minute by minute, as CloudWatch evaluates it
alarm        the nouns `Alarm` and `Alarms`; `naming` names them
choosing/    which alarms a service needs, one kind a file
choose       `alarms`: chosen, tried on history, re-tuned or refused
replay       how alarms would have done on a history; `truth` says which were right
timeline     that as a picture, and as text
facts        what is known of a service, once for its dashboard and its runbooks; `profile` is a week of 168 hours
dashboards/  `dashboard`: live metrics beside the plan, for CloudWatch and Grafana
runbook_pages/  `runbooks`: a page for each alarm, for whoever is woken
markdown     text from outside, as Markdown that stays text
"""

from capacity.monitoring.alarm import Alarm, Alarms, Replayed
from capacity.monitoring.budgets import ErrorBudgets, error_budgets
from capacity.monitoring.choose import alarms
from capacity.monitoring.dashboards import Dashboard, dashboard
from capacity.monitoring.key_figures import Kpis, kpis
from capacity.monitoring.replay import replay
from capacity.monitoring.runbook_pages import Runbooks, runbooks

__all__ = [
    "Alarm",
    "Alarms",
    "Dashboard",
    "ErrorBudgets",
    "Kpis",
    "Replayed",
    "Runbooks",
    "alarms",
    "dashboard",
    "error_budgets",
    "kpis",
    "replay",
    "runbooks",
]
