"""What holds the house up: rooms import only from rooms before them, and importing the package stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import capacity

PACKAGE = Path(capacity.__file__).parent
ROOMS = [
    "sources",
    "history",
    "loadtest",
    "demand",
    "forecasting",
    "planning",
    "scaling",
    "monitoring",
    "reviewing",
    "reporting",
]
ABOVE_ALL = {"fleet", "cli", "samples"}  # may use every room; no room uses them


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__main__.py")


def imported_rooms(path: Path) -> set[str]:
    """First-level names under `capacity.` that a file imports, wherever in the file, type checking included."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("capacity."):
            names.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("capacity.")}
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_room_imports_only_from_rooms_before_it(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room in ABOVE_ALL or room == "__init__":
        return
    allowed = set(ROOMS[: ROOMS.index(room) + 1]) if room in ROOMS else set()
    forbidden = (set(ROOMS) | ABOVE_ALL) - allowed
    assert not imported_rooms(path) & forbidden


def test_every_public_name_is_found_and_none_is_hidden() -> None:
    assert sorted(capacity.__all__) == capacity.__all__ == sorted(set(capacity._HOMES) - capacity._ANSWERS)
    for name in capacity.__all__:
        assert getattr(capacity, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'forecats'"):
        capacity.forecats  # noqa: B018


HEAVY = [
    "pandas",
    "numpy",
    "statsmodels",
    "sklearn",
    "prophet",
    "boto3",
    "altair",
    "duckdb",
    "numba",
    "typst",
    "holidays",
]


@pytest.mark.parametrize(
    ("what", "heavy"),
    [
        ("import capacity", HEAVY),
        ("import capacity.cli", HEAVY),
        ("import capacity; capacity.Service(name='web')", HEAVY),
        ("import capacity; capacity.TaskCapacity(requests_per_second=50)", HEAVY),
        ("import capacity; capacity.forecast, capacity.plan, capacity.recommend_policy", [*HEAVY[2:8], *HEAVY[9:]]),
    ],
)
def test_heavy_packages_are_imported_only_when_used(what: str, heavy: list[str]) -> None:
    code = f"import sys; {what}; print([m for m in {heavy!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.strip() == "[]"
