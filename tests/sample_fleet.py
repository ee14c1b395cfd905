"""The whole chain on the sample fleet, once for all tests that look at it: it takes half a minute.

Tests that ask for it carry `ON_ONE_WORKER`, or each worker would compute its own. A chain keeps its stages and changes
nothing it kept, so that nobody sees what another test did with it.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import pytest

from capacity.config import load_config
from capacity.fleet import Chain
from capacity.samples import sample_path

CONFIG: Final = sample_path() / "capacity.toml"
ON_ONE_WORKER: Final = pytest.mark.xdist_group("sample-fleet")


@cache
def chain() -> Chain:
    return Chain(load_config(CONFIG))
