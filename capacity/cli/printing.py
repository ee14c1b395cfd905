"""How results are printed: tables for people, JSON for programs, and all else on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def say(message: str) -> None:
    print(message, file=sys.stderr)


#: Findings printed one by one; a fleet may have thousands of one kind.
SHOWN = 20


def findings(found: Any, least: str = "UNKNOWN") -> None:
    """What a person must know before using the result, on standard error: what is at least this bad, worst first."""
    from capacity.findings import SEVERITY

    serious = [finding for finding in found if SEVERITY[finding.status] <= SEVERITY[least]]
    for finding in serious[:SHOWN]:
        say(str(finding))
    if len(serious) > SHOWN:
        say(f"and {len(serious) - SHOWN:,} more findings")


def table(frame: pd.DataFrame, title: str) -> None:
    import pandas as pd
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(title), title_justify="left", box=None, pad_edge=False, header_style="bold")
    numeric = {column for column in frame.columns if pd.api.types.is_numeric_dtype(frame[column])}
    for column in frame.columns:
        table.add_column(escape(str(column)), justify="right" if column in numeric else "left")
    for row in frame.itertuples(index=False):
        table.add_row(*(escape(_cell(value)) for value in row))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _cell(value: Any) -> str:
    import pandas as pd

    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M}"
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "–"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [record(row) for row in frame.to_dict(orient="records")]


def record(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON can hold it: stamps as ISO 8601, missing values as null."""
    import pandas as pd

    def plain(value: Any) -> Any:
        if isinstance(value, pd.Timestamp):
            return value.isoformat()
        if not isinstance(value, (list, tuple, dict)) and pd.isna(value):
            return None
        return value.item() if hasattr(value, "item") else value

    return {str(key): plain(value) for key, value in row.items()}


def print_json(value: Any) -> None:
    import json

    print(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=None, default=str))
