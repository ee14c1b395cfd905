"""`[[service.limit]]`: what more tasks do not lift, or make worse."""

from __future__ import annotations

from typing import Final, Literal, Self

from pydantic import Field, model_validator

from capacity.config.base import Positive, Settings, Share

#: What a limit says beside its kind -> the kinds that listen to it.
_OF_KIND: Final = {
    "total": ("connections", "downstream"),
    "per_task": ("connections",),
    "retries": ("retries",),
}


class Limit(Settings):
    """What more tasks do not lift: a pool of connections, a service behind this one, clients that try again.

    >>> Limit(name="orders-db", kind="connections", total=700, per_task=20).total
    700.0
    >>> Limit(name="payments", kind="downstream", total=900, per_request=1.5).per_request
    1.5
    >>> Limit(name="mobile app", kind="retries", retries=3).error_share
    1.0
    """

    name: str = Field(min_length=1, max_length=255, pattern=r"\S", description="What it is, as people call it.")
    kind: Literal["connections", "downstream", "retries"] = Field(
        description="`connections`: each task holds some of a total. `downstream`: each request asks something that "
        "takes so many a second. `retries`: clients ask again when a request fails."
    )
    total: Positive | None = Field(None, description="Connections in all, or calls a second that downstream takes.")
    others: float = Field(0.0, ge=0, description="Of that total, what others than this service take.")
    per_task: Positive | None = Field(
        None, description="Connections one task holds (its pool); measured where the history has connections."
    )
    per_request: Positive = Field(1.0, description="Calls downstream that one request causes.")
    retries: int | None = Field(None, ge=1, le=100, description="How often a client asks again.")
    error_share: Share = Field(1.0, description="Share of requests that fail in the disturbance to be survived.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind == "retries":
            if self.retries is None:
                raise ValueError("a limit of kind retries states retries: how often a client asks again")
        elif self.total is None:
            raise ValueError(f"a limit of kind {self.kind} states its total")
        elif self.others >= self.total:
            raise ValueError(f"others take {self.others:g} of {self.total:g}: nothing is left for the service")
        unheard = [
            name for name, kinds in _OF_KIND.items() if getattr(self, name) is not None and self.kind not in kinds
        ]
        if unheard:
            raise ValueError(
                f"a limit of kind {self.kind} makes no use of {', '.join(unheard)}: is it of another kind?"
            )
        return self
