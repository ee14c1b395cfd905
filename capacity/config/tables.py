"""The tables of `capacity.toml` beside `[[service]]`: data, quotas, goal, prices, forecast and report."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from capacity.config.base import Positive, Probability, Settings
from capacity.config.money import HeldCommitment, SavingsPlanRate
from capacity.config.service import HOLIDAYS, Architecture


class Goal(Settings):
    """How sure, against what, and how far.

    >>> Goal(level=0.99).level
    0.99
    """

    level: Probability = Field(0.95, description="Probability that an interval's tasks suffice for its demand.")
    survive_zone_loss: bool = Field(True, description="Keep serving after one zone is lost.")
    shortage_usd_per_task_hour: Positive | None = Field(
        None,
        description="What an hour with one task too few costs you, beyond what that task would have cost. When stated, "
        "each service is planned as sure as is cheapest, and `level` counts where no price is known.",
    )
    survive_deployment: bool = Field(True, description="Keep serving while a rolling deployment has tasks out.")
    horizon: str = Field("91d", description="How far to plan: a duration, or a count of intervals.")


class Rate(Settings):
    """Prices of one region and architecture, in USD per hour."""

    region: str
    architecture: Architecture = "x86_64"
    vcpu: float = Field(ge=0, description="USD per vCPU-hour.")
    memory_gb: float = Field(ge=0, description="USD per GB-hour.")
    storage_gb: float = Field(0.000111, ge=0, description="USD per GB-hour of task storage above 20 GB.")
    public_ipv4: float = Field(0.005, ge=0, description="USD per hour of a task's public IPv4 address.")
    spot_vcpu: Positive | None = Field(None, description="USD per vCPU-hour on FARGATE_SPOT; leave out if not known.")
    spot_memory_gb: Positive | None = Field(None, description="USD per GB-hour on FARGATE_SPOT, likewise.")
    source: str = Field("capacity.toml", description="Where the price comes from.")
    date: str = Field("", description="When it was true, YYYY-MM-DD.")
    spot_date: str = Field("", description="When the Spot price was true: it moves.")

    @model_validator(mode="after")
    def _both_of_spot(self) -> Self:
        if (self.spot_vcpu is None) != (self.spot_memory_gb is None):
            raise ValueError("spot_vcpu and spot_memory_gb are one price: state both or none")
        return self


class PriceSettings(Settings):
    """Overrides of the built-in price table."""

    rate: tuple[Rate, ...] = Field((), description="Rates that replace the built-in ones of their region.")
    discount_percent: float = Field(
        0.0, ge=0, lt=100, description="Off the list price, by agreement. Savings Plans: see [[prices.commitment]]."
    )
    commitment: tuple[HeldCommitment, ...] = Field((), description="Savings Plans there are already.")
    savings_plan: tuple[SavingsPlanRate, ...] = Field(
        (), description="Savings Plans rates that replace the built-in ones of their region."
    )


class Data(Settings):
    """Where history comes from, and how to read what does not speak our names."""

    history: str = Field("", description="CSV or Parquet file, folder, or store; relative to this file.")
    columns: dict[str, str] = Field({}, description="Their column -> ours, e.g. series_id = 'service'.")
    service: str = Field("", description="Service of every row, when the file has no service column.")
    metric: str = Field("", description="Metric of every row, when the file has no metric column.")
    unit: str = Field("", description="Unit of the values, when it is not the metric's own.")
    timezone: str = Field("", description="IANA zone of stamps without an offset; empty: such stamps are refused.")
    interval_seconds: int | None = Field(None, gt=0, description="Interval, when it cannot be seen from the stamps.")


class ForecastSettings(Settings):
    """How to forecast."""

    model: str = Field(
        "auto", description="auto, seasonal-naive, harmonic, profile, last-year, ets, sarimax, prophet, boosting."
    )
    interval: str = Field(
        "auto",
        description="Length of an interval: a duration, or auto: the history's own, up to 1h for a long horizon.",
    )
    paths: int = Field(400, ge=20, le=100_000, description="Sample paths a series.")
    seed: int = Field(0, ge=0, description="Makes sampled results repeatable.")
    holidays: str = Field(
        "",
        pattern=HOLIDAYS,
        description="Public holidays of services that do not say their own: DE, DE-BY. Empty: none.",
    )


class ReportSettings(Settings):
    """What the report is called and where it goes."""

    title: str = Field("Capacity report", description="Heading of the first page.")
    out: str = Field("build/report", description="Folder for report.html, .pdf, .xlsx and .json.")
    footer: str = Field(
        "", description="Last line of the page, and of each page on paper, where the title is otherwise."
    )
    previous: str = Field(
        "",
        description="Plan that was kept last time, or the folder of them: the report opens with what became of it; "
        "relative to this file.",
    )
    sections: tuple[str, ...] = Field(
        (),
        description="Sections to show, in their order; all when empty. JSON holds every part.",
    )
    templates: str = Field(
        "", description="Folder with your logo.svg, brand.css and templates (see report.md); relative to this file."
    )
