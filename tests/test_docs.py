"""Every command that README.md and the pages of docs/ show is run: in a small shop, and an account of moto's.

What cannot be run stands in `shell.OTHERS`, with the reason; what can be looked up of it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import shell, small_shop
from tests.conftest import ROOT

pytestmark = pytest.mark.xdist_group("moto")

PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
#: Written for a folder of their own, and run in one by test_tutorial.py.
STORIES = ("docs/from-spreadsheets.md", "docs/tutorial.md")


def blocks(page: str, languages: str = "sh|console") -> list[str]:
    return re.findall(rf"^```(?:{languages})\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), flags=re.S | re.M)


RUN = [page for page in PAGES if page not in STORIES and blocks(page)]


@pytest.fixture(scope="module")
def account() -> Iterator[str]:
    """The address of moto in the place of AWS."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_shop.build(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    """Chains by what was asked of them."""
    return {}


@pytest.fixture
def place(shop: Path, account: str, made: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shop's folder; commands that ask for the same history, settings and services share a chain of stages."""
    for name, value in small_shop.credentials(account).items():
        monkeypatch.setenv(name, value)
    shell.share_chains(monkeypatch, made)
    return shop


@pytest.mark.parametrize("page", RUN)
def test_every_command_of_the_page_runs(page: str, place: Path, account: str) -> None:
    if any(re.search("apply|fetch cloudwatch|--from-aws", block) for block in blocks(page)):
        small_shop.open_account(account)
    ran = []
    for block in blocks(page):
        settings = (place / "capacity.toml").read_text(encoding="utf-8")
        if "capacity diff " in block:
            small_shop.join(account)
        if "capacity init " in block:  # whoever starts has none yet
            (place / "capacity.toml").unlink()
        before, edited, after = block.partition("$EDITOR capacity.toml")
        ran += shell.run(before, place)
        (place / "capacity.toml").write_text(settings, encoding="utf-8")
        ran += shell.run(edited + after, place)
    printed = [one for one in ran if one.words[0] == "capacity"]
    assert [" ".join(one.words) for one in printed if not one.stdout + one.stderr] == []
    assert [" ".join(one.words) for one in printed if "Traceback" in one.stderr] == []


def test_the_notebook_lines_of_how_to_run_in_the_shop(place: Path) -> None:
    (block,) = blocks("docs/how-to.md", "python")
    with pytest.MonkeyPatch.context() as here:
        here.chdir(place)
        names: dict[str, Any] = {}
        exec(compile(block, "docs/how-to.md", "exec"), names)
    assert len(names["plan"].frame) == 7 * 24
