"""The page in a real browser, opened from disk with an empty profile: what the HTML promises is what a reader gets.

The page runs no script and lets none in, so it is measured from outside: a page beside it frames it, asks the browser
for computed styles and boxes, and leaves the answers in its own text. Without Chromium the static promises are checked
and the test says that it was skipped; in CI (the variable CI is set) a missing Chromium is a failure.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from capacity.reporting import report
from tests.reporting.fleet import GENERATED_AT, demand_plan, failing, policy_of, scores_of, web

pytestmark = pytest.mark.xdist_group("chromium")

#: A service's name that owns the page if it is ever taken for markup.
OWNER = "<script>document.title='owned'</script>"

LIGHT, DARK = "1", "0"  # blink's preferredColorScheme

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


@dataclass(frozen=True)
class Browser:
    program: str
    folder: Path  # holds report.html

    def run(self, page: Path, *flags: str) -> subprocess.CompletedProcess[str]:
        """Chromium without a window: a profile of its own each time, and no errands of its own on the network."""
        number = sum(1 for _ in self.folder.glob("profile-*"))
        command = [
            *(self.program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
            *("--no-first-run", "--disable-extensions", "--disable-sync", "--disable-component-update"),
            *("--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND"),
            *("--enable-logging=stderr", f"--user-data-dir={self.folder}/profile-{number}"),
            *(*flags, "--dump-dom", page.as_uri()),
        ]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)

    @cache  # noqa: B019 - one browser a run: a start takes two seconds, and an answer serves several tests
    def measured(self, *, width: int = 1280, scheme: str = LIGHT) -> dict[str, Any]:
        """What the browser says about the page at this width and in this theme."""
        beside = self.folder / "measure.html"
        beside.write_text(MEASURE.replace("WIDTH", str(width)), encoding="utf-8")
        theme = f"--blink-settings=preferredColorScheme={scheme}"
        size = f"--window-size={max(width, 600)},900"
        dom = self.run(beside, "--allow-file-access-from-files", "--virtual-time-budget=20000", theme, size).stdout
        answer = re.search(r'<pre id="answer">(.+?)</pre>', dom, re.DOTALL)
        assert answer is not None, "the page could not be measured"
        found: dict[str, Any] = json.loads(html.unescape(answer[1]))
        return found


@cache
def hostile_page() -> bytes:
    plan = demand_plan(web(OWNER), web("search", max_tasks=12))
    made = report(
        plan, policy=policy_of(plan), findings=failing(OWNER), scores=scores_of(plan), generated_at=GENERATED_AT
    )
    return made.render("html")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        text = hostile_page().decode()
        assert OWNER not in text
        assert not re.search(r"<(?:script|iframe|object|embed|img|link)\b|\ssrc=|@import|url\((?!#)", text)
        if os.environ.get("CI"):
            pytest.fail("CI has to open the page in a browser: install chromium, as .ci/run does.")
        pytest.skip("no Chromium here: the page was only checked as text. Install chromium to see it opened.")
    folder: Path = tmp_path_factory.mktemp("browser")
    (folder / "report.html").write_bytes(hostile_page())
    return Browser(program, folder)


def asked(log: Path) -> set[str]:
    """Every address that a page asked for, from a network log; what the browser does for itself has no origin."""
    events = json.loads(log.read_text(encoding="utf-8"))["events"]
    found = [event["params"] for event in events if "url" in event.get("params", {})]
    return {one["url"] for one in found if one.get("initiator", "not an origin") != "not an origin"}


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
    found = browser.measured()
    assert found["title"] == "Capacity report"
    assert found["scripts"] == 0
    assert found["text"].count(OWNER) >= 5


def test_everything_can_be_reached_by_keyboard_and_every_section_from_the_index(browser: Browser) -> None:
    found = browser.measured()
    assert found["reachable"] > 10
    assert found["unreached"] == []
    assert found["unlinked"] == []


@pytest.mark.parametrize("scheme", [LIGHT, DARK])
def test_text_stands_out_from_its_paper_in_both_themes(browser: Browser, scheme: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text of any size here."""
    found = browser.measured(scheme=scheme)
    assert (sum(found["paper"]) > 600) == (scheme == LIGHT)
    assert found["measured"] > 100
    assert found["least"]["contrast"] >= 4.5, found["least"]


def test_on_a_desk_no_table_scrolls_and_no_name_in_a_picture_is_cut(browser: Browser) -> None:
    found = browser.measured()
    assert found["across"] <= 1280
    assert found["scrolling"] == []
    assert found["clipped"] == []


def test_on_a_phone_the_page_is_no_wider_than_the_phone(browser: Browser) -> None:
    assert browser.measured(width=390)["across"] <= 390
