"""A small plan, its policy, and alarms made by hand: for what is made of them, dashboards and runbooks."""

from __future__ import annotations

from functools import cache
from typing import Any

from capacity.config import Account, Goal, Monitoring, Service
from capacity.config.slo import Slo
from capacity.monitoring import Alarm, Alarms, Replayed
from capacity.monitoring.alarm import Kind
from capacity.monitoring.conditions import (
    Absent,
    All,
    Anomaly,
    AnyOf,
    BurnRate,
    Condition,
    OutsideProfile,
    Reading,
    Threshold,
    Trend,
)
from capacity.monitoring.naming import named, page
from capacity.planning import Plan, plan
from capacity.scaling import Policy, ServicePolicy, TargetTracking
from tests.makers import daily_wave, hourly, make_demand, make_forecast

LABEL = "app/front/50dc6c495c0c9188/targetgroup/web/943f017f100becff"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:pages"
TOLD = Monitoring(page=(TOPIC,), runbook_url="https://wiki.example.com/runbooks/")


def service(name: str = "web", **changes: Any) -> Service:
    """50 requests/s a task, two promises, an owner."""
    fields: dict[str, Any] = {
        "name": name,
        "cluster": "prod",
        "region": "eu-west-1",
        "requests_per_second_per_task": 50,
        "min_tasks": 2,
        "max_tasks": 12,
        "owner": "Team Shop",
        "alb_resource_label": LABEL,
        "slo": (Slo(objective=0.999), Slo(kind="latency", objective=0.99, latency_seconds=0.25)),
    }
    return Service(**(fields | changes))


def plan_of(*services: Service, steps: int = 24 * 28, mean: float = 400.0) -> Plan:
    """Four weeks of hours that grow beyond what twelve tasks carry."""
    times = hourly(14)
    series = {}
    for one in services:
        if one.requests_per_second_per_task is not None:
            series[one.name, "requests"] = daily_wave(times, mean)
        series[one.name, "cpu"] = daily_wave(times, mean / 100)
    forecast = make_forecast(make_demand(series, times), steps, paths=20, growth=0.4)
    accounts = [Account(region="eu-west-1", fargate_vcpu_quota=20)]
    return plan(forecast, services, goal=Goal(horizon=f"{steps}h"), accounts=accounts)


@cache
def web_plan() -> Plan:
    return plan_of(service())


def policy_of(found: Plan) -> Policy:
    return Policy(tuple(ServicePolicy(one, 3, 20, TargetTracking("cpu", 55.0)) for one in found.services))


_CPU = Reading("cpu_utilization", "max")
_WEEK = tuple(float(400 + hour % 24) for hour in range(168))

#: One condition for each kind of alarm, of every type there is.
CONDITIONS: dict[Kind, Condition] = {
    "burn_fast": AnyOf(
        (
            BurnRate("availability", "availability", 0.999, 14.4, 60, 5),
            BurnRate("availability", "availability", 0.999, 6, 360, 30),
        )
    ),
    "burn_slow": BurnRate("latency", "latency", 0.99, 1, 4320, 360, Reading("latency", "p95"), 0.25),
    "saturation": Threshold(_CPU, ">", 75.0, at_least=3, of=5),
    "leak": Trend(Reading("memory_utilization"), 100.0, 360, 720),
    "pinned": All((Threshold(Reading("running_tasks"), ">=", 12, at_least=10, of=10), Threshold(_CPU, ">", 75.0))),
    "forecast_breach": OutsideProfile(Reading("requests", minutes=60), _WEEK, 0.95),
    "silence": Absent(Reading("cpu_utilization")),
    "quota": Threshold(Reading("fargate_quota_share", "max", 5), ">", 0.8),
    "anomaly": Anomaly(Reading("requests", minutes=5)),
}


def alarm(kind: Kind, one: Service, **changes: Any) -> Alarm:
    fields: dict[str, Any] = {
        "name": named("capacity", one.name, kind),
        "service": one.name,
        "kind": kind,
        "severity": "page" if kind in ("burn_fast", "pinned", "saturation", "silence") else "ticket",
        "condition": CONDITIONS[kind],
        "summary": f"`{one.name}` {kind.replace('_', ' ')}.",
        "because": "The SLO is 99.9 % over 30 days, the plan carries 12 tasks.",
        "runbook": page(one.name, kind),
        "owner": one.owner,
        "region": one.region,
        "replayed": Replayed(days=90, fired=4, true=3, false=1, lead_minutes=12.0),
    }
    return Alarm(**(fields | changes))


def alarms_of(found: Plan, settings: Monitoring = TOLD) -> Alarms:
    """One of each kind for every service; the quota's is the account's own."""
    made = [alarm(kind, one) for one in found.services for kind in CONDITIONS if kind != "quota"]
    made.append(
        alarm("quota", found.services[0], service="", name="capacity-eu-west-1-quota", runbook="eu-west-1--quota.md")
    )
    return Alarms(tuple(made), found.services, settings)
