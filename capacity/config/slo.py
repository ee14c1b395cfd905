"""`[[service.slo]]`: what was promised to the users of a service."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from capacity.config.base import Positive, Settings


class Slo(Settings):
    """What was promised: a share of requests without error, or a share of minutes with fast enough answers.

    >>> Slo(objective=0.999).budget
    0.001
    >>> Slo(kind="latency", objective=0.99, latency_seconds=0.25).name
    'latency'
    """

    name: str = Field("", max_length=80, description="As people call it; its kind, when left out.")
    kind: Literal["availability", "latency"] = Field(
        "availability",
        description="`availability`: share of requests answered without a server error (5xx). `latency`: share of "
        "minutes in which the percentile of latency is at most latency_seconds.",
    )
    objective: float = Field(0.999, gt=0, lt=1, description="Share that shall be good: 0.999 is three nines.")
    window_days: int = Field(30, ge=1, le=365, description="Rolling window over which the objective holds.")
    latency_seconds: Positive | None = Field(None, description="Slowest answer that is good; for kind `latency`.")
    percentile: Literal["p50", "p95", "p99"] = Field(
        "p95", description="Which answer of a minute is judged; for kind `latency`."
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "latency" and self.latency_seconds is None:
            raise ValueError("an SLO of kind latency states latency_seconds: the slowest answer that is good")
        if self.kind != "latency" and self.latency_seconds is not None:
            raise ValueError(f"an SLO of kind {self.kind} makes no use of latency_seconds: is it of kind latency?")
        if not self.name:
            object.__setattr__(self, "name", self.kind)  # pydantic's own way past `frozen` while a model is built
        return self

    @property
    def budget(self) -> float:
        """The error budget: the share that may be bad."""
        return round(1 - self.objective, 12)
