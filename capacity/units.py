"""The few conversions we need, each exact or refused.

A metric has one unit for good (`schema.METRICS`). Readers convert into it here; nothing else multiplies by 1024.
"""

from __future__ import annotations

from typing import Final

from capacity.errors import UnitMismatch

#: unit -> (dimension, factor into the dimension's base unit). Factors are exact by definition:
#: IEC 80000-13 for binary prefixes, 1024 CPU units = 1 vCPU (Amazon ECS task definition parameters).
UNITS: Final[dict[str, tuple[str, float]]] = {
    "requests/s": ("rate", 1.0),
    "requests/min": ("rate", 1 / 60),
    "requests/h": ("rate", 1 / 3600),
    "requests/d": ("rate", 1 / 86400),
    "vCPU": ("cpu", 1.0),
    "mCPU": ("cpu", 1e-3),
    "CPU units": ("cpu", 1 / 1024),
    "GiB": ("memory", 1.0),
    "MiB": ("memory", 1 / 1024),
    "KiB": ("memory", 1 / 1024**2),
    "bytes": ("memory", 1 / 1024**3),
    "GB": ("memory", 1e9 / 1024**3),
    "MB": ("memory", 1e6 / 1024**3),
    "%": ("share", 1.0),
    "fraction": ("share", 100.0),
    "tasks": ("tasks", 1.0),
    "seconds": ("time", 1.0),
    "ms": ("time", 1e-3),
    "minutes": ("time", 60.0),
    "USD": ("money", 1.0),
    "USD/h": ("spend", 1.0),
    "connections": ("connections", 1.0),
    "messages": ("messages", 1.0),
    "bytes/s": ("throughput", 1.0),
    "KiB/s": ("throughput", 1024.0),
    "MiB/s": ("throughput", 1024.0**2),
    "1": ("number", 1.0),
}


def factor(unit: str, into: str) -> float:
    """What to multiply a quantity in `unit` by, to have it `into` another unit of the same dimension.

    Raises UnitMismatch when either is unknown or the two measure different things: percent never becomes vCPU
    without a task size, and a count per interval never becomes a rate without the interval.

    >>> factor("CPU units", into="vCPU")
    0.0009765625
    >>> factor("requests/min", into="requests/s") * 120
    2.0
    >>> factor("%", into="vCPU")
    Traceback (most recent call last):
        ...
    capacity.errors.UnitMismatch: '%' measures share and 'vCPU' measures cpu: one cannot be converted into the other
    """
    for name in (unit, into):
        if name not in UNITS:
            raise UnitMismatch(f"unknown unit {name!r}", advice=f"Known units: {', '.join(UNITS)}.")
    (dimension, size), (other, base) = UNITS[unit], UNITS[into]
    if dimension != other:
        raise UnitMismatch(
            f"{unit!r} measures {dimension} and {into!r} measures {other}: one cannot be converted into the other"
        )
    return size / base
