"""All files of a plan in one folder: there whole, or not at all."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from capacity.errors import InputError
from capacity.history.disk import replace_whole
from capacity.loadtest.generate.gatling import SIMULATION, gatling
from capacity.loadtest.generate.jmx import jmx
from capacity.loadtest.generate.readme import readme
from capacity.loadtest.generate.taurus import taurus

if TYPE_CHECKING:
    from capacity.loadtest.generate.plan import LoadPlan

SCRIPT: Final = "loadtest.jmx"


def write(plan: LoadPlan, folder: Path) -> tuple[Path, ...]:
    """The paths written. A folder that is new appears with all files in it; in one that is there, each file is
    replaced whole. Raises InputError where the folder cannot be written."""
    files = {
        SCRIPT: jmx(plan),
        "loadtest.yml": taurus(plan, SCRIPT),
        f"{SIMULATION}.java": gatling(plan),
        "README.md": readme(plan),
    }
    try:
        if not folder.is_dir():
            _appear(folder, files)
        else:
            for name, text in files.items():
                replace_whole(folder / name, text.encode("utf-8"))
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror or error}") from None
    return tuple(folder / name for name in files)


def _appear(folder: Path, files: dict[str, str]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    beside.mkdir()
    try:
        for name, text in files.items():
            replace_whole(beside / name, text.encode("utf-8"))
        beside.rename(folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
