"""The page in a real browser, opened from disk with an empty profile: what the HTML promises is what a reader gets.

The page runs no script and lets none in, so it is measured from outside: a page beside it frames it, asks the browser
for computed styles and boxes, and leaves the answers in its own text. Without Chromium the static promises are checked
and the test says that it was skipped; in CI (the variable CI is set) a missing Chromium is a failure.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from capacity.reporting import report
from tests.reporting.browser import DARK, LIGHT, Browser, asked, program
from tests.reporting.fleet import GENERATED_AT, demand_plan, failing, policy_of, scores_of, web

pytestmark = pytest.mark.xdist_group("chromium")

#: A service's name that owns the page if it is ever taken for markup.
OWNER = "<script>document.title='owned'</script>"

#: Asked of the page by its neighbour: every answer is plain data.
MEASURE = """
<!doctype html><meta charset="utf-8"><title>measuring</title>
<style>body { margin: 0 } iframe { border: 0; width: WIDTHpx; height: 900px }</style>
<iframe src="report.html"></iframe><pre id="answer"></pre>
<script>
const shown = element => element.getClientRects().length > 0;
const rgb = text => text.match(/[0-9.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
  .reduce((sum, v, n) => sum + v * [.2126, .7152, .0722][n], 0);
document.querySelector("iframe").onload = event => {
  const page = event.target.contentDocument, view = event.target.contentWindow;
  const all = selector => [...page.querySelectorAll(selector)];
  const paper = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(view.getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const texts = "h1, h2, h3, p, td, th, dt, dd, li, a, small, code, figcaption, .status";
  const contrasts = all(texts).filter(shown).map(e => {
    const pair = [light(rgb(view.getComputedStyle(e).color)), light(paper(e))].sort((a, b) => b - a);
    return {contrast: (pair[0] + .05) / (pair[1] + .05), text: e.textContent.slice(0, 40), tag: e.tagName};
  });
  const reachable = all("a, .scroll").filter(e => shown(e) || e.className === "skip").map(e => {
    e.focus();
    return {reached: page.activeElement === e && e.tabIndex >= 0, text: e.textContent.slice(0, 40), tag: e.tagName};
  });
  const clipped = all("svg[role=img]").filter(shown).flatMap(svg => [...svg.querySelectorAll("text")]
    .map(text => [text.getBoundingClientRect(), svg.getBoundingClientRect(), text.textContent])
    .filter(([text, frame]) => text.right > frame.right + 2 || text.left < frame.left - 2).map(parts => parts[2]));
  const links = all("nav a").map(link => link.getAttribute("href"));
  document.getElementById("answer").textContent = JSON.stringify({
    title: page.title, scripts: page.scripts.length, text: page.body.innerText,
    paper: paper(page.body), least: contrasts.sort((a, b) => a.contrast - b.contrast)[0], measured: contrasts.length,
    unreached: reachable.filter(one => !one.reached), reachable: reachable.length,
    unlinked: all("section").filter(one => !links.includes("#" + one.id)).map(one => one.id),
    across: page.documentElement.scrollWidth, clipped,
    scrolling: all(".scroll").filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.ariaLabel),
  });
};
</script>
"""


@cache
def hostile_page() -> bytes:
    plan = demand_plan(web(OWNER), web("search", max_tasks=12))
    made = report(
        plan, policy=policy_of(plan), findings=failing(OWNER), scores=scores_of(plan), generated_at=GENERATED_AT
    )
    return made.render("html")


@cache
def measured(browser: Browser, *, width: int = 1280, scheme: str = LIGHT) -> dict[str, Any]:
    """What the browser says about the page at this width and in this theme: an answer serves several tests."""
    theme, size = f"--blink-settings=preferredColorScheme={scheme}", f"--window-size={max(width, 600)},900"
    return browser.answer(MEASURE.replace("WIDTH", str(width)), "--virtual-time-budget=20000", theme, size)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    found = program()
    if found is None:
        text = hostile_page().decode()
        assert OWNER not in text
        assert not re.search(r"<(?:script|iframe|object|embed|img|link)\b|\ssrc=|@import|url\((?!#)", text)
        if os.environ.get("CI"):
            pytest.fail("CI has to open the page in a browser: install chromium, as .ci/run does.")
        pytest.skip("no Chromium here: the page was only checked as text. Install chromium to see it opened.")
    folder: Path = tmp_path_factory.mktemp("browser")
    (folder / "report.html").write_bytes(hostile_page())
    return Browser(found, folder)


def test_it_opens_without_an_error_and_asks_the_network_for_nothing(browser: Browser) -> None:
    curious = browser.folder / "curious.html"
    curious.write_text('<img src="http://capacity.invalid/x.png"><script>console.log("heard")</script>')
    heard = browser.run(curious, f"--log-net-log={browser.folder}/curious.json")
    opened = browser.run(browser.folder / "report.html", f"--log-net-log={browser.folder}/page.json")
    assert asked(browser.folder / "curious.json") == {"http://capacity.invalid/x.png"}
    assert asked(browser.folder / "page.json") == set()
    assert "CONSOLE" in heard.stderr
    assert "CONSOLE" not in opened.stderr
    assert "<title>Capacity report</title>" in opened.stdout


def test_a_name_that_is_a_script_stays_text(browser: Browser) -> None:
    found = measured(browser)
    assert found["title"] == "Capacity report"
    assert found["scripts"] == 0
    assert found["text"].count(OWNER) >= 5


def test_everything_can_be_reached_by_keyboard_and_every_section_from_the_index(browser: Browser) -> None:
    found = measured(browser)
    assert found["reachable"] > 10
    assert found["unreached"] == []
    assert found["unlinked"] == []


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_text_stands_out_from_its_paper_in_both_themes(browser: Browser, scheme: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text of any size here."""
    found = measured(browser, scheme=scheme)
    assert (sum(found["paper"]) > 600) == (scheme == LIGHT)
    assert found["measured"] > 100
    assert found["least"]["contrast"] >= 4.5, found["least"]


def test_on_a_desk_no_table_scrolls_and_no_name_in_a_picture_is_cut(browser: Browser) -> None:
    found = measured(browser)
    assert found["across"] <= 1280
    assert found["scrolling"] == []
    assert found["clipped"] == []


def test_on_a_phone_the_page_is_no_wider_than_the_phone(browser: Browser) -> None:
    assert measured(browser, width=390)["across"] <= 390
