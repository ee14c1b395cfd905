"""Run the notebooks from top to bottom and keep their pictures: `python -m notebooks.run [folder]`.

The `.py` file is the source; the `.ipynb` beside it is that source executed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "notebooks").glob("[0-9]*.py"))


@contextmanager
def shared_kernel() -> Iterator[NotebookClient]:
    """A kernel that runs several notebooks: most of what a short one takes is the start and the imports of its own."""
    client = client_of(nbformat.v4.new_notebook())
    with client.setup_kernel():
        yield client


def execute(source: Path, shared: NotebookClient | None = None) -> nbformat.NotebookNode:
    """The notebook of a source, executed in the project's root; raises CellExecutionError where a cell fails.

    In a kernel of its own, or in a shared one, where it finds no names of those before it.
    """
    notebook = jupytext.read(source)
    if shared is None:
        client_of(notebook).execute()
    else:
        notebook.cells.insert(0, nbformat.v4.new_code_cell("%reset -f"))
        shared.nb = notebook
        shared.execute(cleanup_kc=False)
        del notebook.cells[0]
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"  # random ids would make every run a change
        cell.get("metadata", {}).pop("execution", None)
    return notebook


def client_of(notebook: nbformat.NotebookNode) -> NotebookClient:
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    return NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(ROOT)}})


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "notebooks"
    for source in SOURCES:
        print(source.stem, file=sys.stderr)
        nbformat.write(execute(source), folder / f"{source.stem}.ipynb")


if __name__ == "__main__":
    main()
