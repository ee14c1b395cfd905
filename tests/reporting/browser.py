"""Chromium without a window, opening a report from disk with an empty profile."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

LIGHT, DARK = "1", "0"  # blink's preferredColorScheme

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def program() -> str | None:
    """Chromium's, where there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@dataclass(frozen=True)
class Browser:
    program: str
    folder: Path  # holds report.html

    def run(self, page: Path, *flags: str) -> subprocess.CompletedProcess[str]:
        """Chromium without a window: a profile of its own each time, and no errands of its own on the network."""
        number = sum(1 for _ in self.folder.glob("profile-*"))
        command = [
            *(self.program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--no-first-run", "--disable-extensions", "--disable-sync", "--disable-component-update"),
            *("--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND"),
            *("--enable-logging=stderr", f"--user-data-dir={self.folder}/profile-{number}"),
            *(*flags, "--dump-dom", page.as_uri()),
        ]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    def answer(self, question: str, *flags: str) -> dict[str, Any]:
        """What a page beside the report found out about it, and left as JSON in its own text."""
        beside = self.folder / "measure.html"
        beside.write_text(question, encoding="utf-8")
        dom = self.run(beside, "--allow-file-access-from-files", *flags).stdout
        answer = re.search(r'<pre id="answer">(.+?)</pre>', dom, re.DOTALL)
        assert answer is not None, "the page could not be measured"
        found: dict[str, Any] = json.loads(html.unescape(answer[1]))
        return found


def asked(log: Path) -> set[str]:
    """Every address that a page asked for, from a network log; what the browser does for itself has no origin."""
    events = json.loads(log.read_text(encoding="utf-8"))["events"]
    found = [event["params"] for event in events if "url" in event.get("params", {})]
    return {one["url"] for one in found if one.get("initiator", "not an origin") != "not an origin"}
