"""Each notebook answers its question from top to bottom, with real pictures, and the committed one is that source."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from notebooks.run import SOURCES, execute


def pictures(notebook: nbformat.NotebookNode) -> list[str]:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output["data"]["image/svg+xml"] for output in outputs if "image/svg+xml" in output.get("data", {})]


def sources(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom_and_the_committed_one_is_that_run(source: Path) -> None:
    fresh = execute(source)
    kept = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    assert sources(kept) == sources(fresh), "run `make notebooks`"
    assert len(pictures(kept)) == len(pictures(fresh)) >= 2
    assert all(picture.lstrip().startswith("<svg") for picture in pictures(fresh))
