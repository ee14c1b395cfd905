"""`[azure]` and `[[azure.metric]]`: what to read from Azure Monitor, and which of its metrics is which of ours."""

from __future__ import annotations

from collections import Counter
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from capacity.config.base import Settings
from capacity.errors import UnitMismatch
from capacity.schema import METRICS
from capacity.units import factor

#: Our statistic -> the aggregations of Azure that can be it.
AGGREGATIONS: Final = {"mean": ("average", "total", "count"), "max": ("maximum",), "min": ("minimum",)}

#: Time grains of Azure Monitor that we take, as it spells them -> seconds (REST reference, `interval`).
GRAINS: Final = {"PT1M": 60, "PT5M": 300, "PT15M": 900, "PT30M": 1800, "PT1H": 3600}

#: The resource type for which metrics come ready-made.
CONTAINER_APPS: Final = "Microsoft.App/containerApps"


class AzureMetric(Settings):
    """One metric of Azure Monitor, and which of ours it is.

    Azure's average runs over the samples of all replicas: of ten that use half a core each it says half a core. With
    `each = "podName"` every replica is asked for by itself and their averages are added: five cores.

    >>> AzureMetric(name="UsageNanoCores", metric="cpu", each="podName").query
    "podName eq '*'"
    """

    name: str = Field(min_length=1, pattern=r"^[^,\s]+$", description="As Azure's REST API spells it: RxBytes.")
    metric: str = Field(description="Ours: a name of docs/data-dictionary.md. Azure says its unit; we convert.")
    stat: Literal["mean", "max", "min"] = Field("mean", description="Ours.")
    aggregation: Literal["average", "total", "count", "maximum", "minimum"] = Field(
        "average", description="Azure's. A total or count is divided by the seconds of the interval."
    )
    each: str = Field(
        "", pattern=r"^\w*$", description="Dimension whose parts add up: podName, revisionName. Only at PT1M."
    )
    filter: str = Field("", description="Condition on other dimensions: statusCodeCategory eq '5xx'.")
    unit: str = Field("", description="Unit of the values, where Azure says `Unspecified`: one of ours.")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.metric not in METRICS:
            raise ValueError(f"metric {self.metric!r} is unknown: {', '.join(METRICS)}")
        ours = METRICS[self.metric]
        if self.aggregation not in AGGREGATIONS[self.stat]:
            fitting = " or ".join(AGGREGATIONS[self.stat])
            raise ValueError(f"stat {self.stat!r} is not Azure's {self.aggregation!r}: use aggregation {fitting}")
        if self.aggregation in ("total", "count") and ours.additivity != "rate":
            raise ValueError(f"a {self.aggregation} over an interval is a rate, and {ours.name} is not: use average")
        if self.each and self.stat != "mean":
            raise ValueError("each: the largest sum is not the sum of the largest values: use stat 'mean'")
        if self.each and ours.additivity == "ratio":
            raise ValueError(f"each: {ours.name} is a ratio, and ratios do not add up")
        if self.unit:
            try:
                factor(self.unit, into=ours.unit)
            except UnitMismatch as error:
                raise ValueError(f"unit: {error}") from None
        return self

    @property
    def query(self) -> str:
        """The filter to send; empty for none."""
        return " and ".join(part for part in (self.filter, f"{self.each} eq '*'" if self.each else "") if part)


class AzureSettings(Settings):
    """Resources of one subscription, region and type, to be read from Azure Monitor."""

    subscription: str = Field(
        pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
        description="Id of the subscription: `az account show --query id`.",
    )
    region: str = Field(
        pattern=r"^[a-z][a-z0-9]*$", description="Where the resources are, as `az account list-locations` spells it."
    )
    resources: tuple[str, ...] = Field(
        min_length=1, description="Resource ids: `az containerapp list --query [].id`. The last part is the service."
    )
    namespace: str = Field(
        CONTAINER_APPS, pattern=r"^[\w.]+(/\w+)+$", description="Resource type. Others need [[azure.metric]]."
    )
    names: dict[str, str] = Field({}, description="Resource id -> name of the service, where it is not the last part.")
    interval: Literal["PT1M", "PT5M", "PT15M", "PT30M", "PT1H"] = Field("PT1M", description="Length of an interval.")
    settle_minutes: int = Field(15, ge=0, le=1440, description="How long values may still change: read again.")
    metric: tuple[AzureMetric, ...] = Field(
        (), description="Beside the ready-made ones of Container Apps, or in place of one for the same metric and stat."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        counts = Counter((metric.metric, metric.stat) for metric in self.metric)
        for (name, stat), count in counts.items():
            if count > 1:
                raise ValueError(f"{count} [[azure.metric]] are the {stat} of {name}: keep one")
        if not self.metric and self.namespace.lower() != CONTAINER_APPS.lower():
            raise ValueError(f"namespace {self.namespace!r} has no ready-made metrics: list some as [[azure.metric]]")
        return self
