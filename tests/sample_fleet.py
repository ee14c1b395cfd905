"""The sample fleet for all tests that look at it: each file is read once, and the whole chain runs once, half a minute.

Tests that ask for them carry `ON_ONE_WORKER`, or each worker would make its own. A history and a chain change nothing
of what they hold, so that nobody sees what another test did with it.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import pytest

from capacity.config import load_config
from capacity.fleet import Chain
from capacity.history import History, read
from capacity.samples import sample_path

CONFIG: Final = sample_path() / "capacity.toml"
ON_ONE_WORKER: Final = pytest.mark.xdist_group("sample-fleet")


@cache
def chain() -> Chain:
    return Chain(load_config(CONFIG))


@cache
def history(service: str) -> History:
    """What monitoring saw of one service: fourteen months of hours, two weeks of minutes."""
    return read(sample_path() / f"{service}.parquet")
