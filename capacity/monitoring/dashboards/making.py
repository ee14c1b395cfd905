"""`Dashboard`: live metrics beside the plan, a page a service and the fleet's own, as any of three documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import pandas as pd

from capacity.config import Account, Config, Monitoring
from capacity.config.prometheus import PrometheusSettings
from capacity.display import table_html
from capacity.errors import InputError
from capacity.findings import NO_FINDINGS, Finding, Findings
from capacity.history import History
from capacity.monitoring.alarm import NO_ONE_TOLD, Alarm, Alarms
from capacity.monitoring.dashboards import cloudwatch
from capacity.monitoring.dashboards.cloudformation import cloudformation
from capacity.monitoring.dashboards.grafana import model
from capacity.monitoring.dashboards.pages import fleet_pages, service_page
from capacity.monitoring.dashboards.parts import Chart, Page
from capacity.monitoring.dashboards.promql import Questions
from capacity.monitoring.facts import facts_of
from capacity.planning import Plan
from capacity.scaling import Policy
from capacity.schema import DASHBOARDS

#: Kinds of document, in the order in which they are named.
KINDS: Final = ("cloudwatch", "grafana", "cloudformation")


@dataclass(frozen=True, eq=False)
class Dashboard:
    """Pages with what stands on them, the fleet's first: `render` makes documents of them.

    accounts    region -> its quotas
    prometheus  what is asked there, for Grafana
    """

    pages: tuple[Page, ...]
    alarms: tuple[Alarm, ...] = ()
    settings: Monitoring = NO_ONE_TOLD
    prometheus: PrometheusSettings | None = None
    accounts: dict[str, Account] = field(default_factory=dict)
    findings: Findings = NO_FINDINGS

    def render(self, kind: str, service: str | None = None) -> Any:
        """The documents of a kind.

        "cloudwatch"      name -> body, a dict; `json.dumps(body)` is what PutDashboard takes as DashboardBody
        "grafana"         name -> JSON model, a dict: import it, or provision it from a file
        "cloudformation"  a template that holds them all, text

        With `service`, that of its page alone: the body or model itself. Raises InputError for another kind, and for a
        service that has no page.
        """
        make = self._maker(kind)
        if service is None:
            return make(self.pages)
        chosen = [page for page in self.pages if page.service == service]
        if not chosen:
            raise InputError(f"no dashboard is of service {service!r}", advice=f"There are: {self._names()}.")
        made = make(chosen)
        return made if isinstance(made, str) else made[chosen[0].name]

    def _maker(self, kind: str) -> Callable[[Iterable[Page]], Any]:
        makers: dict[str, Callable[[Iterable[Page]], Any]] = {
            "cloudwatch": lambda pages: {one.name: self._body(one) for one in pages},
            "grafana": self._models,
            "cloudformation": lambda pages: cloudformation(list(pages), self.accounts, self.account_id),
        }
        return makers[checked_kind(kind)]

    def _body(self, page: Page) -> dict[str, Any]:
        return cloudwatch.body(page, self.accounts, self.account_id)

    def _models(self, pages: Iterable[Page]) -> dict[str, dict[str, Any]]:
        questions = Questions(self.prometheus)
        return {page.name: model(page, self.accounts, questions, self._about(page), self.settings) for page in pages}

    def _about(self, page: Page) -> list[Alarm]:
        return [alarm for alarm in self.alarms if not page.service or alarm.service == page.service]

    @property
    def account_id(self) -> str:
        """The account of the topics that alarms tell; a hole to fill where [monitoring] names none, or several."""
        return cloudwatch.account_of((*self.settings.page, *self.settings.ticket))

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a page (`schema.DASHBOARDS`), with what CloudWatch cannot draw of it."""
        rows = [
            {
                "dashboard": page.name,
                "service": page.service,
                "widgets": len(page.parts),
                "charts": sum(isinstance(part, Chart) for part in page.parts),
                "not_in_cloudwatch": ", ".join(cloudwatch.unseen(page, self.accounts)),
            }
            for page in self.pages
        ]
        return pd.DataFrame(rows, columns=[column.name for column in DASHBOARDS.columns])

    def _names(self) -> str:
        from capacity.planning.words import first_few

        return first_few([page.service for page in self.pages if page.service], most=10)

    def __len__(self) -> int:
        return len(self.pages)

    def __str__(self) -> str:
        return json.dumps(self.render("cloudwatch"), ensure_ascii=False, indent=2)

    def _repr_html_(self) -> str:
        services = sum(bool(page.service) for page in self.pages)
        sentence = f"Dashboard: {len(self)} pages, {services} of them of a service"
        return table_html(sentence, self.frame)


def checked_kind(kind: str) -> str:
    """The kind itself. Raises InputError, naming those there are."""
    if kind not in KINDS:
        raise InputError(f"no dashboard is rendered as {kind!r}", advice=f"There are: {', '.join(KINDS)}.")
    return kind


def dashboard(
    plan: Plan,
    *,
    policy: Policy | None = None,
    alarms: Alarms | None = None,
    history: History | None = None,
    settings: Monitoring | Config | None = None,
) -> Dashboard:
    """Live metrics beside the plan: a page for each service, and the fleet's, with those that need attention first.

    policy    its bounds and what it tracks are drawn where they differ from today's
    alarms    how they stand, how fast budgets may burn, and links to their runbooks
    history   what was measured last is said beside what is planned
    settings  names and addresses: [monitoring], or the whole configuration, which also knows what Prometheus is asked;
              default: those of the alarms

    What the plan expects is drawn as a week of hours: the forecast itself is a metric of neither monitor.
    """
    from capacity.monitoring.settings import monitoring_of, prometheus_of

    chosen = monitoring_of(settings, alarms)
    facts = facts_of(plan, policy, history)
    used = tuple(alarms or ())
    by_service: dict[str, list[Alarm]] = {}
    for alarm in used:
        by_service.setdefault(alarm.service, []).append(alarm)
    services = [service_page(one, by_service.get(name, []), chosen) for name, one in facts.items()]
    pages = (*fleet_pages(plan, facts, alarms, chosen), *services)
    accounts = {account.region: account for account in plan.accounts}
    made = Dashboard(pages, used, chosen, prometheus_of(settings, alarms), accounts)
    return replace(made, findings=_findings(made, plan))


def _findings(made: Dashboard, plan: Plan) -> Findings:
    """What the documents leave to be done by hand, or cannot show."""
    found = []
    if made.alarms and made.account_id == cloudwatch.ACCOUNT:
        found.append(
            Finding(
                "",
                "",
                "dashboard",
                "REVIEW",
                f"the account is not known: {cloudwatch.ACCOUNT} stands in the ARNs of alarms",
                "Put it there, or set [monitoring] page to topics of one account. CloudFormation knows its own.",
            )
        )
    blind = [service.name for service in plan.services if not service.alb_resource_label]
    if blind:
        found.append(
            Finding(
                blind[0] if len(blind) == 1 else "",
                "requests",
                "dashboard",
                "REVIEW",
                f"{len(blind):,} services state no alb_resource_label: CloudWatch shows them without requests, latency "
                "and errors",
                "State it in capacity.toml: `capacity discover` finds it.",
                count=len(blind),
            )
        )
    return Findings.of(found)
