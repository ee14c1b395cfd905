"""What several rooms' tests share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadGroupScheduling

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


def often(calm: int, thorough: int) -> int:
    """How often to try what is dear, such as killing a process: like examples, few always and many by profile."""
    return thorough if hypothesis.settings().max_examples >= 1000 else calm


class ByFile(LoadGroupScheduling):
    """Tests of one file go to one worker, as those marked `xdist_group` do: what they share is made once."""

    def _split_scope(self, nodeid: str) -> str:
        scope = str(super()._split_scope(nodeid))
        return scope.partition("::")[0] if scope == nodeid else scope


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadGroupScheduling | None:
    """Of `--dist loadgroup`; in the order below, not by the number of tests."""
    if config.getoption("dist") != "loadgroup":
        return None
    config.option.loadscopereorder = False
    return ByFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests marked `xdist_group` first, which are long, and doctests last, which are short: no worker waits at the end.

    pytest-xdist 3.8 writes the group into `item._nodeid`, which pytest 9.2 no longer reads: each worker then made its
    own sample chain, reports and servers.
    """
    if not getattr(config.option, "loadgroup", False):
        return
    groups = {item: "_".join(sorted({mark.args[0] for mark in item.iter_markers("xdist_group")})) for item in items}
    for item, group in groups.items():
        if group and not item.nodeid.endswith(f"@{group}"):
            item._id = type(item._id).parse(f"{item.nodeid}@{group}")
    items.sort(key=lambda item: 0 if groups[item] else 2 if isinstance(item, pytest.DoctestItem) else 1)


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test can reach a cloud account by accident."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
