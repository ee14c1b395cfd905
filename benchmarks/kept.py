"""What benchmarks found, kept as JSON in benchmarks/results/, of which `python -m benchmarks.how_right` makes a page.

A result is of one version on one day; running its command again replaces it. Nothing is written by hand.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import capacity

FOLDER: Final = Path(__file__).parent / "results"


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
    """

    name: str
    question: str
    command: str
    about: str
    tables: Sequence[Table]
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
