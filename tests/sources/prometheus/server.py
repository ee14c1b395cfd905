"""A real Prometheus server for tests: found, filled with `promtool`, started on a free port, ended by its own id."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

INSTALL = "apt-get install --yes --no-install-recommends prometheus (or CAPACITY_PROMETHEUS=FOLDER_OF_ITS_PROGRAMS)"
#: promtool's own blocks of two hours make 360 files of a month, and take forty times as long.
ONE_BLOCK = "--max-block-duration=1536h"


@cache
def program(name: str) -> str:
    """`prometheus` or `promtool`. Where neither is, a test fails in CI and is skipped elsewhere, with what to do."""
    folder = os.environ.get("CAPACITY_PROMETHEUS")
    found = shutil.which(name, path=folder) if folder else shutil.which(name)
    if found is not None:
        return found
    if os.environ.get("CI"):
        pytest.fail(f"CI has to ask a real Prometheus server: {INSTALL}, as .ci/run does.")
    pytest.skip(f"no {name} here: {INSTALL}")


def backfill(folder: Path, lines: Iterable[str]) -> Path:
    """A server's data folder holding these OpenMetrics lines, in one block."""
    text, data = folder / "backfill.om", folder / "data"
    with text.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
        file.write("# EOF\n")
    command = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", ONE_BLOCK, "-q", str(text), str(data)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    text.unlink()
    return data


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@dataclass
class Server:
    """A Prometheus server over a data folder. `flags` as on its command line, without the dashes."""

    data: Path
    flags: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, wait: bool = True) -> Server:
        settings = self.data.parent / "prometheus.yml"
        settings.write_text("global: {}\n", encoding="utf-8")
        flags = {
            "config.file": str(settings),
            "storage.tsdb.path": str(self.data),
            "storage.tsdb.retention.time": "10y",  # without it, what is older than 15 days is deleted at once
            "web.listen-address": f"127.0.0.1:{self.port}",
            "log.level": "error",
        } | dict(self.flags)
        command = [program("prometheus"), *(f"--{name}={value}" for name, value in flags.items())]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while wait and not self._ready():
            assert self._process.poll() is None, f"prometheus ended by itself: {command}"
            assert time.monotonic() < deadline, "prometheus is not ready after 30 s"
            time.sleep(0.05)
        return self

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=30)
            self._process = None

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5):
                return True
        except urllib.error.HTTPError as error:
            return error.code == 401  # it asks who we are: it is there
        except OSError:
            return False
