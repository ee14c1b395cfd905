"""What benchmarks found, kept as JSON in benchmarks/results/, of which `python -m benchmarks.how_right` makes a page.

A result is of one version on one day; running its command again replaces it. Nothing is written by hand.

    python -m benchmarks.kept usl --repetitions 20      runs that benchmark, and keeps what it printed
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import capacity

FOLDER: Final = Path(__file__).parent / "results"

#: Benchmarks that ask how right something is, rather than how fast; those that kept no result are named as such.
ASKED: Final = {
    "past_plans": "Were plans of the past right?",
    "forecast": "How accurate are forecasts on real traces, beside others?",
    "steps": "How soon is a step of the level followed?",
    "events": "What is naming an event worth?",
    "usl": "Do intervals of the Universal Scalability Law hold the truth?",
    "per_task": "Is a release that makes requests dearer seen, and how often in vain?",
    "commitments": "Do commitments sized on paths save more than looking back?",
    "policy": "Are policies better than target tracking tuned in hindsight?",
    "totals": "Is the sum of services as right as a forecast of the sum?",
    "alarms": "Do alarms catch incidents, in time, and how often in vain?",
}


@dataclass(frozen=True)
class Table:
    """Figures as they are printed: a row has a text for each column."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Result:
    """What one command found.

    question  what it answers, as a heading
    about     on what it was measured, and how to read the figures
    text      what the command printed, where it keeps no tables of its own
    """

    name: str
    question: str
    command: str
    about: str
    tables: Sequence[Table] = ()
    text: str = ""
    version: str = capacity.__version__
    day: str = ""

    def keep(self) -> Path:
        """Write it to its file."""
        FOLDER.mkdir(exist_ok=True)
        path = FOLDER / f"{self.name}.json"
        kept = {**asdict(self), "day": f"{datetime.now(UTC):%Y-%m-%d}"}
        path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        return path


def results() -> list[Result]:
    """All that were kept, by name."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        said = json.loads(path.read_text(encoding="utf-8"))
        found.append(Result(**{**said, "tables": [Table(**table) for table in said["tables"]]}))
    return found


def main() -> None:
    """Run a benchmark in a process of its own, show what it prints, and keep that."""
    name, *options = sys.argv[1:] or ["--help"]
    if name not in ASKED:
        raise SystemExit(f"usage: python -m benchmarks.kept NAME [OPTIONS]; NAME is one of: {', '.join(ASKED)}")
    words = ["-m", f"benchmarks.{name}", *options]
    done = subprocess.run([sys.executable, *words], stdout=subprocess.PIPE, text=True, encoding="utf-8", check=True)
    print(done.stdout, end="")
    about = (importlib.import_module(words[1]).__doc__ or "").split("\n\n")
    said = " ".join(" ".join(about[1:2]).split())
    print(Result(name, ASKED[name], " ".join(["python", *words]), said, text=done.stdout.rstrip()).keep())


if __name__ == "__main__":
    main()
