"""Do the alarms catch what goes wrong? `python -m benchmarks.alarms [--services N] [--seed S] [--fast] [--json FILE]`.

A simulated year of each service with five incidents of each kind; the alarms are made anew each quarter from what was
measured until then (`ours`), judged by rules written beforehand (`judging`), and static CPU alarms on the same minutes.
Seeds 1 to 9 are for whoever changes the alarms, those from 101 on for what is claimed.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from joblib import Parallel, delayed

from benchmarks.alarms import ours
from benchmarks.alarms.judging import Judged, judge
from benchmarks.alarms.observed import observed
from benchmarks.alarms.static import static
from benchmarks.alarms.tables import document, first, promises, table
from benchmarks.alarms.world import world

#: Minutes on end of "CPU > 80 %": eager, and patient.
STATIC = (5, 15)
OURS = "capacity.alarms"


def judged(seed: int, number: int) -> dict[str, Judged]:
    """One service's year: what each set of alarms made of it."""
    lived = world(seed, number)
    seen = observed(lived)
    found = {OURS: judge(lived, ours.firings(lived, seen))}
    return found | {f"CPU > 80 %, {minutes} min": judge(lived, static(seen, minutes)) for minutes in STATIC}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=12, help="how many, each of its own nature (default: 12)")
    parser.add_argument("--seed", type=int, default=101, help="1-9 to tune, 101 and more to report (default: 101)")
    parser.add_argument("--fast", action="store_true", help="three services")
    parser.add_argument("--processes", type=int, default=2, help="services judged at once (default: 2)")
    parser.add_argument("--json", type=Path, help="keep what was found in this file")
    asked = parser.parse_args()
    count = 3 if asked.fast else asked.services
    begin = time.perf_counter()
    each = Parallel(n_jobs=asked.processes)(delayed(judged)(asked.seed, number) for number in range(count))
    found = {name: [one[name] for one in each] for name in each[0]}
    side = "report" if asked.seed > 100 else "tune"
    print(f"{count} services, a year each, seed {asked.seed} ({side}), {time.perf_counter() - begin:.0f} s\n")
    print(table(found), promises(found[OURS]), first(found[OURS]), sep="\n\n")
    if asked.json is not None:
        about = {"seed": asked.seed, "services": count}
        asked.json.write_text(json.dumps(document(found, about), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
