"""Alarms made by hand: one of each condition, and any that there can be."""

from __future__ import annotations

from capacity.config import Monitoring, Service, Slo
from capacity.monitoring.alarm import Alarm, Alarms, Kind, Severity
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

LABEL = "app/front/50dc6c495c0c9188/targetgroup/web/943f017f100becff"
WEB = Service(
    name="web",
    cluster="prod",
    region="eu-west-1",
    max_tasks=40,
    requests_per_second_per_task=50,
    alb_resource_label=LABEL,
    slo=(Slo(), Slo(kind="latency", objective=0.99, latency_seconds=0.25)),
)
TOLD = Monitoring(
    page=("arn:aws:sns:eu-west-1:123456789012:page",),
    ticket=("arn:aws:sns:eu-west-1:123456789012:ticket",),
    azure_page=("/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/actionGroups/page",),
    runbook_url="https://wiki.example.com/runbooks/",
)

CPU, LATENCY = Reading("cpu_utilization"), Reading("latency", "p95")
WEEKDAY = tuple(40.0 + 10 * min(hour, 24 - hour) for hour in range(24))
PROFILE = WEEKDAY * 4 + tuple(2 * value for value in WEEKDAY) + (20.0,) * 48
SATURATED = Threshold(CPU, ">", 85, at_least=3, of=5)
PINNED = Threshold(Reading("tasks_of_max"), ">=", 1, at_least=10, of=10)
FAST = BurnRate("availability", "availability", 0.999, 14.4, 60, 5, least_bad=20)

#: name -> kind, severity and condition.
EACH: dict[str, tuple[Kind, Severity, Condition]] = {
    "burn_fast": ("burn_fast", "page", FAST),
    "burn_slow": ("burn_slow", "ticket", BurnRate("availability", "availability", 0.999, 1, 3 * 1440, 360)),
    "slow": ("burn_fast", "page", BurnRate("latency", "latency", 0.99, 14.4, 60, 5, LATENCY, 0.25, 3)),
    "slower": ("burn_slow", "ticket", BurnRate("latency", "latency", 0.99, 1, 3 * 1440, 360, LATENCY, 0.25)),
    "saturation": ("saturation", "page", SATURATED),
    "low": ("saturation", "ticket", Threshold(Reading("slack_tasks", minutes=5), "<", 0, 2, 3, "breaching")),
    "leak": ("leak", "ticket", Trend(Reading("memory_utilization", "mean", 5), 95, 2880, 720)),
    "pinned": ("pinned", "page", PINNED),
    "short": ("pinned", "page", All((PINNED, AnyOf((SATURATED, Threshold(LATENCY, ">", 1.0)))))),
    "forecast": ("forecast_breach", "ticket", OutsideProfile(Reading("requests", minutes=60), PROFILE, 0.95)),
    "vcpu": ("forecast_breach", "ticket", OutsideProfile(Reading("cpu", minutes=60), PROFILE, 0.95)),
    "silence": ("silence", "ticket", Absent(Reading("requests"), 15)),
    "odd": ("anomaly", "ticket", Anomaly(Reading("requests", minutes=60))),
}
QUOTA = Alarm(
    "capacity-account-quota",
    *("", "quota", "ticket", Threshold(Reading("fargate_quota_share", minutes=5), ">", 0.8)),
    *("The account comes near its quota.", "80 % of 4,000 vCPU.", "account--quota.md"),
    region="eu-west-1",
)


def alarm(name: str, service: str = "web", prefix: str = "capacity") -> Alarm:
    kind, severity, condition = EACH[name]
    because = f"It rests on the plan of {service}."
    return Alarm(
        f"{prefix}-{service}-{name}",
        *(service, kind, severity, condition),
        *(f"{service} is in trouble: {name}.", because, f"{service}--{kind}.md"),
        owner="team",
    )


def of(*alarms: Alarm, services: tuple[Service, ...] = (WEB,), settings: Monitoring = TOLD) -> Alarms:
    return Alarms(alarms, services, settings)


ALL = of(*(alarm(name) for name in EACH), QUOTA)
