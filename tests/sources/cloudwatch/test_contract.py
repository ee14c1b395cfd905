"""CloudWatch keeps what every source promises: the contract suite, with a server that holds its rows."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from tests.contracts.pulled import PROMISES, kept
from tests.contracts.test_sources import EXPECTED
from tests.sources.cloudwatch.contract import holding


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise[1])
def test_it_keeps_the_promise(promise: tuple[ModuleType, str], tmp_path: Path) -> None:
    kept(promise, holding(EXPECTED), tmp_path)
