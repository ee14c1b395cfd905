"""The metrics of CloudWatch behind a reading, as an alarm names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from capacity.config import Service
from capacity.monitoring.conditions import Reading
from capacity.monitoring.measuring import constants, in_cloudwatch
from capacity.monitoring.render.rendered import CannotSay
from capacity.monitoring.signals import CloudWatch, Part, signal
from capacity.scaling.render.configurations import PLACEHOLDER

Parameters = dict[str, Any]

#: What else PutMetricAlarm calls a statistic.
_PLAIN: Final = frozenset({"SampleCount", "Average", "Sum", "Minimum", "Maximum"})

#: Of a service that does not state its load balancer: cut in two by `Part.dimensions`.
_ANY_LABEL: Final = f"{PLACEHOLDER}/targetgroup/{PLACEHOLDER}"


@dataclass(frozen=True)
class Asked:
    """Metrics and the expression over their ids, of one service."""

    of: CloudWatch
    service: Service

    @property
    def expression(self) -> str:
        return self.of.expression

    @property
    def plain(self) -> bool:
        """Whether it is one metric as it is."""
        return self.of.expression == self.of.parts[0].id

    @property
    def always(self) -> Part:
        """A metric that is there in every minute in which the service is: no count of errors."""
        return next((part for part in self.of.parts if not part.name.startswith("HTTPCode")), self.of.parts[0])

    def stats(self, minutes: int) -> list[Parameters]:
        """An entry of `Metrics` for each metric."""
        return [
            {
                "Id": part.id,
                "MetricStat": {
                    "Metric": {
                        "Namespace": part.namespace,
                        "MetricName": part.name,
                        "Dimensions": dimensions(part, self.service),
                    },
                    "Period": minutes * 60,
                    "Stat": part.stat,
                },
                "ReturnData": False,
            }
            for part in self.of.parts
        ]

    def watched(self, minutes: int) -> Parameters:
        """What a metric alarm says of what it watches: a metric, or metric math."""
        if not self.plain:
            return {"Metrics": [*self.stats(minutes), math("watched", self.expression, watched=True)]}
        return one_metric(self.of.parts[0], self.service, minutes)


def one_metric(part: Part, service: Service, minutes: int) -> Parameters:
    """A metric without arithmetic."""
    return {
        "Namespace": part.namespace,
        "MetricName": part.name,
        "Dimensions": dimensions(part, service),
        "Statistic" if part.stat in _PLAIN else "ExtendedStatistic": part.stat,
        "Period": minutes * 60,
    }


def math(name: str, expression: str, *, watched: bool = False) -> Parameters:
    """An entry of `Metrics` that computes."""
    return {"Id": name, "Expression": expression, "Label": name, "ReturnData": watched}


def asked(reading: Reading, service: Service, remarks: list[str]) -> Asked:
    """The metrics behind a reading. Raises CannotSay where CloudWatch has none."""
    one = signal(reading.signal)
    known = constants(service)
    found = in_cloudwatch(reading.signal, service, known, reading.stat)
    if found is None and not service.alb_resource_label:
        labelled = service.model_copy(update={"alb_resource_label": _ANY_LABEL})
        found = in_cloudwatch(reading.signal, labelled, known, reading.stat)
    if found is None and reading.stat not in one.stats:
        raise CannotSay(f"there is no {reading.stat} of {one.name}", f"There is: {', '.join(one.stats)}.")
    if found is None:
        raise CannotSay(f"no metric there is {one.name}, and it follows from none", "Watch it where it is measured.")
    if found.insights:
        remarks.append("it needs Container Insights, which the cluster has to have on")
    return Asked(found, service)


def dimensions(part: Part, service: Service) -> list[dict[str, str]]:
    """In the order of the alphabet; holes where the load balancer is not known."""
    named = part.dimensions(service) or (("LoadBalancer", PLACEHOLDER), ("TargetGroup", PLACEHOLDER))
    return [{"Name": name, "Value": value} for name, value in named]
