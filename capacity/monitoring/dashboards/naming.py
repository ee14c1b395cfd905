"""Names of dashboards: plain enough for AWS, told apart, and the same tomorrow whatever other services there are."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from capacity.config import Service
from capacity.scaling.schedule import slug_of

#: Letters of a digest that tell apart what looks alike once it is plain: one in 16 million.
DIGEST: Final = 6


def page_name(prefix: str, service: Service) -> str:
    """Of a service's dashboard: PutDashboard takes letters, digits, - and _, at most 255 (aws.md 7.2).

    A name that cannot stand as it is gets a digest of what it was.

    >>> page_name("capacity", Service(name="web"))
    'capacity-service-web'
    >>> page_name("capacity", Service(name="web api")) == page_name("capacity", Service(name="web-api"))
    False
    """
    slug = slug_of(service.name)
    ending = "" if slug == service.name else f"-{digest(service.name)}"
    return f"{prefix}-service-{slug}{ending}"


def fleet_name(prefix: str, number: int = 1) -> str:
    """Of the fleet's dashboard, or of one of several.

    >>> fleet_name("capacity"), fleet_name("capacity", 2)
    ('capacity-fleet', 'capacity-fleet-2')
    """
    return f"{prefix}-fleet" + (f"-{number}" if number > 1 else "")


def uid_of(name: str) -> str:
    """Grafana's own key of a dashboard: at most 40 letters, digits, - and _, the same each time.

    >>> uid_of("capacity-fleet"), len(uid_of("a" * 255))
    ('capacity-fleet', 40)
    """
    return name if len(name) <= 40 else f"{name[:27]}-{digest(name, 12)}"


def digest(text: str, letters: int = DIGEST) -> str:
    """The first letters of a text's digest."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:letters]
