"""Our policies against target tracking tuned in hindsight: `python -m benchmarks.policy [--fast] [--side tune]`.

One row a trace: task-hours over a clairvoyant's, under-provisioned minutes, theta_u, and the ratios of `score.py`
against plain target tracking (every target, chosen in hindsight) and against the crude schedule. Re-planned weekly by
the public road, judged by a simulator that shares no code with `capacity.scaling`.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import get_args

import numpy as np
from joblib import Parallel, delayed

from benchmarks.policy.judge import BASES, Rules
from benchmarks.policy.run import Outcome, Recommend, ours, run
from benchmarks.policy.score import Score, best_accepted, best_weighed
from benchmarks.policy.traces import Side, Trace, traces
from benchmarks.policy.upsampling import Minutes
from benchmarks.real_data import real_data

HEADINGS = (
    f"{'':42}{'ours':>30}   {'best target weighed':>20} {'accepted':>14}   {'ours / tracking':>30}   {'/ crude':>12}\n"
    f"{'trace':<38}{'days':>4}{'H/clair':>8}{'short':>8}{'theta_u':>8}{'ch/d':>6}"
    f"   {'at':>5}{'H/clair':>8}{'short':>7} {'H/clair':>7}{'short':>7}"
    f"   {'U@H':>7}{'theta@H':>8}{'H@U':>7}{'H@theta':>8}   {'U@H':>6}{'H@U':>6}{'s/plan':>7}"
)


LEGEND = """
H task-hours, U under-provisioned minutes, ch/d scheduled changes a day. Best target, in hindsight: least task-hours
+ 20 x missing ones; and the cheapest that is short in at most 1 % of minutes. U@H: our U over the front's at our H;
H@U: our H over the front's at our U. *: at most 0.50 and 0.90. ?: outside the front, whose nearest end stands in."""


def table(found: list[Outcome]) -> str:
    """The rows, and how many of them meet what issue 6 asks."""
    lines = [HEADINGS, *(row(one) for one in found)]
    for name, part in (("all", found), ("measured at 5 minutes", [one for one in found if one.trace.measured])):
        if part:
            lines.append(_summary(name, part))
    return "\n".join(lines)


def row(one: Outcome) -> str:
    weighed, accepted = best_weighed(one.front), best_accepted(one.front)
    plain, crude, clair = one.against_tracking, one.against_crude, one.clairvoyant_hours
    mark = " *" if plain.wins else "" if plain.reached else " ?"
    return (
        f"{one.trace.name.split('/')[1][-38:]:<38}{len(one.load) / 1440:>4.0f}{one.point.task_hours / clair:>8.3f}"
        f"{one.point.short_share:>8.2%}{one.point.theta_u:>8.3f}{one.verdict.scheduled_a_day:>6.1f}"
        f"   {weighed.share:>5.2f}{weighed.task_hours / clair:>8.3f}{weighed.short_share:>7.2%}"
        f" {accepted.task_hours / clair:>7.3f}{accepted.short_share:>7.2%}"
        f"   {plain.at_hours_u:>7.2f}{plain.at_hours_theta:>8.2f}{plain.at_short:>7.3f}{plain.at_theta:>8.3f}"
        f"   {crude.at_hours_u:>6.2f}{crude.at_short:>6.3f}{one.plan_seconds:>7.1f}{mark}"
    )


def _summary(name: str, part: list[Outcome]) -> str:
    scores = [one.against_tracking for one in part]
    met = sum(one.wins for one in scores)
    halved = sum(np.nan_to_num(one.at_hours_u) <= 0.5 and np.nan_to_num(one.at_hours_theta) <= 0.5 for one in scores)
    cheaper = sum(one.at_short <= 0.9 for one in scores)
    most = max(one.verdict.most_scheduled_a_day for one in part)
    return (
        f"{name}: {met} of {len(part)} meet both halves (*); shortage halved at no more task-hours: {halved}; "
        f"at most 90 % of the task-hours at the same shortage: {cheaper}. "
        f"Median U@H {_median(scores, 'at_hours_u'):.2f}, theta@H {_median(scores, 'at_hours_theta'):.2f}, "
        f"H@U {_median(scores, 'at_short'):.3f}. "
        f"Scheduled changes in a day: at most {most}."
    )


def _median(scores: list[Score], field: str) -> float:
    """Of the traces on which there is something to compare."""
    known = [ratio for one in scores if not np.isnan(ratio := getattr(one, field))]
    return float(np.median(known)) if known else float("nan")


def outcomes(
    found: list[Trace],
    recommend: Recommend = ours,
    *,
    minutes: Minutes = "step",
    rules: Rules | None = None,
    processes: int = 2,
) -> list[Outcome]:
    """`run` over traces, two at a time; the processes, and the opponents judged in them, are kept for the next call."""
    jobs = (delayed(run)(one, recommend, minutes=minutes, rules=rules) for one in found)
    return list(Parallel(n_jobs=processes)(jobs))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="six traces instead of all")
    parser.add_argument("--side", choices=get_args(Side), default="report", help="tune while you change the policy")
    parser.add_argument("--minutes", choices=get_args(Minutes), default="step", help="minutes inside five-minute means")
    parser.add_argument("--base", choices=BASES, default=Rules().base, help="the count that metric / target multiplies")
    parser.add_argument("--delay", type=int, default=1, help="minutes until a metric can be read")
    parser.add_argument("--only", default="", help="part of a trace's name")
    asked = parser.parse_args()
    if not real_data().is_dir():
        print(f"No real traces at {real_data()}: set CAPACITY_REAL_DATA to the folder that holds them. Generated only.")
    rules = replace(Rules(), base=asked.base, metric_delay=asked.delay)
    found = [one for one in traces(asked.side, fast=asked.fast) if asked.only in one.name]
    print(f"{len(found)} traces to {asked.side}; minutes: {asked.minutes}; {rules}\n")
    print(table(outcomes(found, minutes=asked.minutes, rules=rules)))
    print(LEGEND)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
