"""How long the report of a fleet takes, and how heavy it is: `python -m benchmarks.report --services 1000`.

The plan and a policy are in hand (`benchmarks.planning` makes the plan; every service gets the same policy with a
rehearsal, so that each has all a chapter can hold). Measured: the document, the pictures, and each of the four files;
their sizes; and, in Chromium where there is one, when the page first shows something and how long a search and a sort
of the fleet's table take, layout included. Beside the seconds stand those of the processor, which other work on the
machine does not lengthen. The promise: 1,000 services in 90 s on 2 cores, and a page below 15 MB.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.planning import accounts, fleet
from capacity.planning import plan
from capacity.planning.plans import Plan
from capacity.reporting import Report, report
from capacity.scaling.policy import Policy, ScheduledAction, ServicePolicy, TargetTracking

#: In hand, in seconds and megabytes.
MOST_SECONDS, MOST_MB = 90.0, 15.0

#: Asked of the page in a frame: when it painted, and how long the table takes to follow.
ASK = """<!doctype html><meta charset="utf-8"><iframe src="report.html" style="width:1280px;height:900px"></iframe>
<pre id="answer"></pre><script>
document.querySelector("iframe").onload = event => {
  const view = event.target.contentWindow, page = event.target.contentDocument, took = {};
  const paint = view.performance.getEntriesByName("first-contentful-paint")[0];
  const timed = (name, act) => { const start = view.performance.now(); act(); page.body.offsetHeight;
    took[name] = view.performance.now() - start; };
  const find = page.getElementById("find"), typed = text => { find.value = text;
    find.dispatchEvent(new view.Event("input", {bubbles: true})); };
  timed("search", () => typed("service-05"));
  timed("all again", () => typed(""));
  timed("sort", () => page.querySelectorAll("table.sorted th button")[2].click());
  took.paint = paint ? paint.startTime : null;
  took.rows = page.querySelectorAll("table.sorted tbody tr").length;
  document.getElementById("answer").textContent = JSON.stringify(took);
};</script>"""


def policy_of(made: Plan) -> Policy:
    """A policy with everything a chapter shows of one."""
    rehearsal = pd.DataFrame(
        {
            "candidate": ["today", "tracking", "recommended"],
            "short_minutes": [310, 42, 3],
            "short_share": [0.0077, 0.001, 0.00007],
            "task_hours": [18000.0, 15100.0, 15400.0],
            "usd": [888.66, 745.49, 760.3],
            "changes": [120, 410, 388],
            "theta_u": [1.2, 0.3, 0.02],
            "theta_o": [41.0, 22.5, 24.1],
        }
    )
    schedule = (
        ScheduledAction("morning", "cron(30 7 ? * MON-FRI *)", 12, 64, "Europe/Paris"),
        ScheduledAction("evening", "cron(0 20 ? * MON-FRI *)", 4, 64, "Europe/Paris"),
    )
    tracking = TargetTracking("requests", 2550.0)
    reasons = ("CPU and requests rise together; requests are seen a minute earlier.",)
    return Policy(
        tuple(
            ServicePolicy(
                service=service,
                min_tasks=4,
                max_tasks=64,
                tracking=tracking,
                schedule=schedule,
                reasons=reasons,
                rehearsal=rehearsal,
                per_task=50.0,
            )
            for service in made.services
        )
    )


def timed(name: str, act: Callable[[], Any]) -> tuple[Any, np.ndarray]:
    """What came of it and the seconds it took, by the clock and of the processor, which are printed."""
    start, busy = time.perf_counter(), time.process_time()
    result = act()
    took, busy = time.perf_counter() - start, time.process_time() - busy
    size = f"{len(result) / 1e6:8.2f} MB" if isinstance(result, bytes) else ""
    print(f"{name:12}{took:8.1f} s, {busy:6.1f} of the processor {size}", flush=True)
    return result, np.array([took, busy])


def in_browser(folder: Path) -> dict[str, Any] | None:
    """Milliseconds the page takes in Chromium; None where there is none."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        return None
    (folder / "ask.html").write_text(ASK, encoding="utf-8")
    command = [
        *(program, "--headless=new", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"),
        *(f"--user-data-dir={folder}/profile", "--timeout=20000", "--dump-dom", (folder / "ask.html").as_uri()),
    ]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    found = re.search(r'<pre id="answer">(.+?)</pre>', dom)
    return json.loads(found[1]) if found else None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--services", type=int, default=1000)
    parser.add_argument("--out", type=Path, help="Keep the files here.")
    asked = parser.parse_args()
    ahead, services = fleet(asked.services, paths=100, days=91, metrics=2)
    made = plan(ahead, services, accounts=accounts())
    policy = policy_of(made)
    first = plan(ahead.of(services[0].name), services[0])
    report(first, policy=policy_of(first)).render("html")  # compiled once, outside the clock
    print(f"{asked.services:,} services, {len(made.decisions):,} decisions")
    whole, spent = timed("document", lambda: report(made, policy=policy, generated_at="2026-11-23T09:30Z"))
    drawn, took = timed("pictures", lambda: whole.pictures)
    spent += took
    files = {}
    for kind in ("html", "pdf", "xlsx", "json"):
        files[kind], took = timed(kind, lambda kind=kind: Report.render(whole, kind))  # type: ignore[misc]
        spent += took
    print(f"{'together':12}{spent[0]:8.1f} s, {spent[1]:6.1f} of the processor; {MOST_SECONDS:.0f} s are allowed")
    print(f"{len(drawn)} pictures, page of {len(files['html']) / 1e6:.1f} MB of {MOST_MB:.0f}")
    with tempfile.TemporaryDirectory() as held:
        folder = asked.out or Path(held)
        folder.mkdir(parents=True, exist_ok=True)
        for kind, content in files.items():
            (folder / f"report.{kind}").write_bytes(content)
        for name, value in (in_browser(folder.resolve()) or {}).items():
            print(f"in Chromium, {name:12}{value!s:.8}{'' if name == 'rows' else ' ms'}")


if __name__ == "__main__":
    main()
