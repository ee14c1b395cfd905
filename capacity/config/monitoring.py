"""`[monitoring]`: who is woken, who gets a ticket, and how often a false page is borne."""

from __future__ import annotations

from pydantic import Field

from capacity.config.base import Settings


class Monitoring(Settings):
    """Who is told, where the runbooks are, and how many false pages are borne."""

    page: tuple[str, ...] = Field((), max_length=5, description="What a page notifies: ARNs of SNS topics, up to five.")
    ticket: tuple[str, ...] = Field((), max_length=5, description="What a ticket notifies: ARNs of SNS topics.")
    azure_page: tuple[str, ...] = Field((), description="Resource ids of Azure action groups that a page notifies.")
    azure_ticket: tuple[str, ...] = Field((), description="Resource ids of Azure action groups that a ticket notifies.")
    runbook_url: str = Field(
        "",
        description="Where the runbooks are published, e.g. https://wiki.example.com/runbooks/; a file name follows.",
    )
    prefix: str = Field(
        "capacity", pattern=r"^[A-Za-z0-9_-]{1,40}$", description="Every alarm and dashboard is named PREFIX-..."
    )
    false_pages_per_month: float = Field(
        1.0,
        gt=0,
        description="Pages a service and 30 days on a history without incidents: more are re-tuned or refused.",
    )
    breach_hours: int = Field(
        3, ge=1, le=24, description="Hours beyond the plan's P95 before a ticket asks to re-plan."
    )
    quota_share: float = Field(
        0.8, gt=0, lt=1, description="Share of a quota in use from which a ticket asks for more."
    )
