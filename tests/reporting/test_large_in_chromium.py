"""The page of a fleet of a thousand in a real browser: found, sorted, filtered and unfolded, by keyboard too."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.reporting.browser import Browser, asked, program
from tests.reporting.fleet import NASTY
from tests.reporting.large import OWNERS, large

pytestmark = [
    pytest.mark.xdist_group("report"),
    pytest.mark.skipif(program() is None, reason="no Chromium here: test_page_in_chromium fails in CI without one"),
]

#: Milliseconds in which a page follows a key or a click at once, for whoever presses it (RAIL, web.dev/rail). The least
#: of some tries counts: a machine that is busy with other tests is no fault of the page.
AT_ONCE = 100

ASK = """
<!doctype html><meta charset="utf-8"><title>measuring</title>
<iframe src="report.html#service-20" style="width: 1280px; height: 900px"></iframe><pre id="answer"></pre>
<script>
document.querySelector("iframe").onload = event => {
  const view = event.target.contentWindow, page = event.target.contentDocument, found = {};
  const all = selector => [...page.querySelectorAll(selector)];
  const rows = () => all("table.sorted tbody tr"), shown = () => rows().filter(row => row.offsetParent);
  const told = () => page.querySelector(".found").textContent;
  const names = () => shown().map(row => row.querySelector("th").firstChild.textContent);
  const set = (id, value) => { const field = page.getElementById(id);
    if (field.type === "checkbox") field.checked = value; else field.value = value;
    field.dispatchEvent(new view.Event("input", {bubbles: true})); };
  const timed = act => {
    const start = performance.now();
    act();
    page.body.offsetHeight;
    return performance.now() - start;
  };
  found.unfolded = all("details[open] .unfolds").map(one => one.id);
  found.scripts = page.scripts.length;
  found.title = page.title;
  found.said = told(); found.drawn = shown().length;
  const typed = ["1", "service-02", "", "team", "service-0777"];
  found.searched = Math.min(...typed.map(text => timed(() => set("find", text))));
  found.one = names();
  set("find", NASTY); found.nasty = names();
  set("find", "SEARCH team"); found.owner = told();
  set("find", ""); set("by-status", "FAIL"); found.failed = told();
  set("to-decide", true); found.both = told();
  set("by-status", ""); set("to-decide", false); set("by-owner", NASTY); found.by_owner = told();
  set("by-owner", "");
  const heads = all("table.sorted thead th"), money = heads.findIndex(head => head.textContent.includes("USD"));
  const column = () => rows().map(row => row.cells[money].dataset.sort ?? null);
  const press = place => heads[place].querySelector("button").click();
  const turns = [...Array(12)].map(() => timed(() => press(money)));
  found.up = column(); found.turned = heads[money].ariaSort;
  turns.push(timed(() => press(money))); found.down = column(); found.aria = heads.map(head => head.ariaSort);
  found.sorted = Math.min(...turns);
  press(0); found.names = names();
  found.offered = page.querySelector(".rest").textContent;
  page.querySelector(".rest").click(); found.whole = shown().length;
  const whose = page.querySelector("#decisions table.sortable"), head = whose.tHead.rows[0].cells[3];
  const told_of = () => [...whose.tBodies[0].rows].map(row => row.cells[3].textContent);
  head.querySelector("button").click(); found.whose = told_of();
  head.querySelector("button").click(); found.whose_again = told_of(); found.whose_aria = head.ariaSort;
  const reachable = all("a, button, input, select, summary, .scroll")
    .filter(one => one.checkVisibility() || one.className === "skip");
  const missed = one => { one.focus(); return page.activeElement !== one || one.tabIndex < 0; };
  found.unreached = reachable.filter(missed).map(one => one.outerHTML);
  found.reachable = reachable.length;
  found.unnamed = all("input, select").filter(field => !field.labels.length).map(field => field.id);
  document.getElementById("answer").textContent = JSON.stringify(found);
};
</script>
""".replace("NASTY", json.dumps(NASTY).replace("<", "\\u003c"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    folder = tmp_path_factory.mktemp("large")
    (folder / "report.html").write_bytes(large().render("html"))
    return Browser(str(program()), folder)


@pytest.fixture(scope="module")
def found(browser: Browser) -> dict[str, Any]:
    """Asked once, and in real time: a virtual clock would stand still while the page works."""
    return browser.answer(ASK, "--timeout=30000", "--window-size=1300,950")


def test_decisions_are_sorted_by_any_column_without_moving_the_fleet(found: dict[str, Any]) -> None:
    assert found["whose"] == sorted(found["whose"])
    assert found["whose_again"] == found["whose"][::-1]
    assert found["whose_aria"] == "descending"
    assert len(set(found["whose"])) == len(found["whose"]) == 70


def test_a_name_is_found_in_a_thousand_at_once(found: dict[str, Any]) -> None:
    assert found["said"] == "1,000 of 1,000 services"
    assert found["one"] == ["service-0777"]
    assert found["searched"] < AT_ONCE


def test_services_are_found_by_owner_status_and_what_there_is_to_decide(found: dict[str, Any]) -> None:
    of_an_owner = len([number for number in range(1, 1001) if OWNERS[number % 3] == "search team"])
    assert found["owner"] == f"{of_an_owner} of 1,000 services"
    assert found["failed"] == f"{len(range(2, 1001, 3))} of 1,000 services"
    assert found["both"] == f"{len(range(2, 71, 3))} of 1,000 services"
    assert found["by_owner"] == f"{len(range(2, 1001, 3))} of 1,000 services"


def test_two_hundred_are_laid_out_at_first_and_all_of_them_when_asked_for(found: dict[str, Any]) -> None:
    assert (found["drawn"], found["offered"], found["whole"]) == (200, "Show 800 more", 1000)


def test_a_name_that_is_code_is_found_as_text_and_runs_nothing(found: dict[str, Any]) -> None:
    assert NASTY in found["nasty"]
    assert found["title"] == "Capacity report"
    assert found["scripts"] == 1


def test_a_column_sorts_both_ways_says_so_and_leaves_what_is_not_known_last(found: dict[str, Any]) -> None:
    assert found["sorted"] < 2 * AT_ONCE
    known = [float(value) for value in found["down"] if value is not None]
    assert known == sorted(known, reverse=True)
    assert len(known) == 900
    assert found["down"][900:] == found["up"][900:] == [None] * 100
    assert [float(value) for value in found["up"][:900]] == known[::-1]
    assert [word for word in found["aria"] if word] == ["descending"]
    assert found["turned"] == "ascending"
    assert found["names"] == sorted(found["names"], key=str.lower)


def test_a_link_unfolds_its_service_and_no_other(found: dict[str, Any]) -> None:
    assert found["unfolded"] == ["service-20"]


def test_all_of_it_can_be_reached_by_keyboard_and_every_field_has_a_name(found: dict[str, Any]) -> None:
    assert found["reachable"] > 60
    assert found["unreached"] == []
    assert found["unnamed"] == []


def test_its_script_runs_without_an_error_and_asks_the_network_for_nothing(browser: Browser) -> None:
    opened = browser.run(browser.folder / "report.html", f"--log-net-log={browser.folder}/large.json")
    assert "CONSOLE" not in opened.stderr
    assert asked(browser.folder / "large.json") == set()
    assert 'role="search" aria-label="Fleet overview">' in opened.stdout  # no longer hidden: the script ran
