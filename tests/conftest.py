"""What several rooms' tests share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).parent.parent

# Where Jupyter is installed, so is this optional part of jsonschema, which altair and nbformat import: it compiles 39
# grammars, two to three seconds in each worker, to check international addresses in schemas. None of ours has any.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

# Images of machines often tell Python to keep no bytecode. Then every process that a test starts compiles the package
# anew, two of its eight seconds, and every run rewrites the assertions of every file, in each worker.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Machines are noisy and share cores: a property is about values, not about time. The same few examples each time tell
# what a change broke; `pytest --hypothesis-profile=thorough` looks for what nobody has met yet.
hypothesis.settings.register_profile("calm", deadline=None, derandomize=True, max_examples=30)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=1000)
hypothesis.settings.load_profile("calm")


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test can reach a cloud account by accident."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
