"""Each notebook answers its question from top to bottom, with real pictures, and the committed one is that run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from notebooks.run import SOURCES, execute, shared_kernel

pytestmark = pytest.mark.xdist_group("notebooks")


@pytest.fixture(scope="module")
def kernel() -> Iterator[NotebookClient]:
    with shared_kernel() as kernel:
        yield kernel


def pictures(notebook: nbformat.NotebookNode) -> list[str]:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output["data"]["image/svg+xml"] for output in outputs if "image/svg+xml" in output.get("data", {})]


def sources(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells]


def answer(notebook: nbformat.NotebookNode) -> str:
    """What the last cell says."""
    (output,) = notebook.cells[-1].outputs
    return str(output["data"]["text/markdown"])


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_notebook_runs_from_top_to_bottom_and_the_committed_one_is_that_run(
    source: Path, kernel: NotebookClient
) -> None:
    fresh = execute(source, kernel)
    kept = nbformat.read(source.with_suffix(".ipynb"), as_version=4)
    assert sources(kept) == sources(fresh), "run `make notebooks`"
    assert answer(kept) == answer(fresh), "run `make notebooks`"
    assert len(pictures(kept)) == len(pictures(fresh)) >= 2
    assert all(picture.lstrip().startswith("<svg") for picture in pictures(fresh))
    question = fresh.cells[0].source.splitlines()[0].removeprefix("# ")
    assert question.endswith("?")
    assert answer(fresh).startswith("**")


def test_there_is_a_notebook_for_each_question_that_the_readme_names() -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
    assert [path.stem for path in SOURCES] == [
        "01-capacity-review",
        "02-forecast-accuracy",
        "03-load-test-to-plan",
        "04-policy-rehearsal",
        "05-what-if",
    ]
    assert all(f"(notebooks/{path.stem}.ipynb)" in readme for path in SOURCES)
