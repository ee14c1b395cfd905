"""`capacity` as a user calls it: in a process of its own where that matters, and else in this one.

A process takes two seconds of imports. Those that show that it starts, what it prints beside the result, and how it
ends on a signal, have one; what a command says is the same in this process, where warnings are errors, too.
"""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from capacity.cli import main
from tests.conftest import ROOT


class Said(NamedTuple):
    """What a command printed."""

    stdout: str
    stderr: str


def called(*arguments: str, code: int = 0, cwd: Path = ROOT) -> Said:
    """The command in this process, from its arguments to its exit code, which is checked; nothing else is raised."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as place, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        place.setattr(sys, "argv", ["capacity", *arguments])
        place.chdir(cwd)
        with pytest.raises(SystemExit) as ended:
            main()
    assert (ended.value.code or 0) == code, err.getvalue()
    return Said(out.getvalue(), err.getvalue())


def spawned(*arguments: str, code: int = 0, cwd: Path = ROOT) -> Said:
    """The command in its own process; the exit code is checked."""
    done = subprocess.run(
        [sys.executable, "-m", "capacity.cli", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error::FutureWarning"},
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return Said(done.stdout, done.stderr)
