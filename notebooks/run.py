"""Run the notebooks from top to bottom and keep their pictures: `python -m notebooks.run [folder]`.

The `.py` file is the source; the `.ipynb` beside it is that source executed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "notebooks").glob("[0-9]*.py"))


def execute(source: Path) -> nbformat.NotebookNode:
    """The notebook of a source, executed in the project's root; raises CellExecutionError where a cell fails."""
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    notebook = jupytext.read(source)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(ROOT)}}).execute()
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # random ids would make every run a change
        cell.get("metadata", {}).pop("execution", None)
    return notebook


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "notebooks"
    for source in SOURCES:
        print(source.stem, file=sys.stderr)
        nbformat.write(execute(source), folder / f"{source.stem}.ipynb")


if __name__ == "__main__":
    main()
