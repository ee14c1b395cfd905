"""Files written by hand, as people and tools write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from capacity.errors import InputError
from capacity.sources import Files, Observations

HEADER = "service,metric,timestamp,value\n"
#: Three hours of one service.
PLAIN = HEADER + "".join(f"web,requests,2026-08-03T0{hour}:00:00Z,{hour + 0.5}\n" for hour in range(3))


def read(folder: Path, text: str | bytes, name: str = "usage.csv", **options: Any) -> Observations:
    """What Files makes of a file with this text."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Files(path, **options).read()


def refused(folder: Path, text: str | bytes, name: str = "usage.csv", **options: Any) -> InputError:
    """The error that reading this text raises."""
    with pytest.raises(InputError) as caught:
        read(folder, text, name, **options)
    return caught.value


def values(observations: Observations) -> dict[str, float]:
    """Stamp -> value, for one series."""
    frame = observations.frame
    stamps = frame["timestamp"].dt.strftime("%Y-%m-%dT%H:%MZ")
    return dict(zip(stamps, frame["value"], strict=True))


def checks(observations: Observations) -> dict[str, str]:
    """Check -> status of each finding."""
    return {finding.check: finding.status for finding in observations.findings}


def utc(*stamps: str) -> list[pd.Timestamp]:
    return [pd.Timestamp(stamp, tz="UTC") for stamp in stamps]
