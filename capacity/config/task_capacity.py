"""`[service.task_capacity]`: what one task carries within the SLO, how sure that is, and how it is known."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from capacity.config.base import Positive, Probability, Settings

#: Days after which a measured capacity should be measured again: images, mixes and sizes change
#: (reference loadtest.md 8.4: a planner should let a capacity expire; 90 days is one planning quarter).
EXPIRES_DAYS: Final = 90

Method = Literal["stated", "load test", "production", "load test and production"]


class TaskCapacity(Settings):
    """What one task carries: the rate it serves within the SLO, what a request costs it, and the evidence.

    `low` and `high` are a 95 % interval of `requests_per_second`; without them it is taken as exact. `at_least`
    says that no load was seen at which the SLO broke: the truth is this rate or more.

    >>> TaskCapacity(requests_per_second=52, low=47, high=55, slo_ms=250).interval
    (47.0, 55.0)
    >>> TaskCapacity(requests_per_second=52).interval
    (52.0, 52.0)
    """

    requests_per_second: Positive = Field(description="Largest rate that one task serves within the SLO.")
    low: Positive | None = Field(None, description="Lower end of its 95 % interval.")
    high: Positive | None = Field(None, description="Upper end of its 95 % interval.")
    at_least: bool = Field(False, description="True if the SLO held at every load seen: the truth may be more.")
    slo_quantile: Probability = Field(0.95, description="Which quantile of latency the SLO bounds.")
    slo_ms: Positive | None = Field(None, description="Its bound, in milliseconds.")
    vcpu_seconds_per_request: Positive | None = Field(None, description="Processor time that one request costs.")
    base_vcpu: float | None = Field(None, ge=0, description="vCPU that an idle task uses.")
    base_memory_gib: float | None = Field(None, ge=0, description="GiB that an idle task uses.")
    memory_gib_per_request: float | None = Field(None, ge=0, description="GiB that each request in flight adds.")
    method: Method = Field("stated", description="How it is known.")
    model: str = Field("", description="The model behind it with its parameters, in words.")
    evidence: tuple[str, ...] = Field((), description="Sentences: what was measured, when, with what result.")
    measured: date | None = Field(None, description="Day of the measurement (the last one of several).")
    expires_days: int = Field(EXPIRES_DAYS, ge=1, le=3650, description="Days until it should be measured again.")
    task_vcpu: Positive | None = Field(None, description="vCPU of the task that was measured.")
    task_memory_gib: Positive | None = Field(None, description="GiB of the task that was measured.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError("low and high are the two ends of one interval: state both or none")
        low, high = self.interval
        if not low <= self.requests_per_second <= high:
            raise ValueError(f"requests_per_second {self.requests_per_second:g} is outside {low:g} to {high:g}")
        return self

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of `requests_per_second`; both ends are that rate where no interval is known."""
        if self.low is None or self.high is None:
            return self.requests_per_second, self.requests_per_second
        return self.low, self.high

    def __str__(self) -> str:
        """In a sentence.

        >>> print(TaskCapacity(requests_per_second=52, low=47, high=55, slo_ms=250, method="load test"))
        52 requests/s a task (47 to 55) within p95 250 ms, from a load test
        >>> print(TaskCapacity(requests_per_second=52, at_least=True, measured=date(2026, 11, 3)))
        at least 52 requests/s a task, as stated on 2026-11-03
        """
        low, high = self.interval
        sure = f" ({low:.4g} to {high:.4g})" if low < high else ""
        slo = f" within p{100 * self.slo_quantile:g} {self.slo_ms:g} ms" if self.slo_ms is not None else ""
        how = {
            "stated": "as stated",
            "load test": "from a load test",
            "production": "from production",
            "load test and production": "from a load test and production",
        }[self.method]
        when = f" {'on' if self.method == 'stated' else 'of'} {self.measured}" if self.measured is not None else ""
        least = "at least " if self.at_least else ""
        return f"{least}{self.requests_per_second:.4g} requests/s a task{sure}{slo}, {how}{when}"
