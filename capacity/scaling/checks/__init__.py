"""What AWS would refuse in a policy, and what would surprise: our own cross-field rules.

botocore checks types and required members only; not cron text, time zones, enums, patterns, or how fields fit together
(reference aws.md 3.1-3.6 and 8.7). Each rule is a function from a ServicePolicy to findings: `own` looks at bounds,
names and target, `schedule` at scheduled actions, `parts` at step and predictive scaling and at how parts go together;
`fleet` at what services share.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from capacity.config import Account
from capacity.demand import Demand
from capacity.errors import InputError, Problem
from capacity.findings import Finding, Findings
from capacity.scaling.checks import fleet, own, parts, schedule
from capacity.scaling.checks.schedule import MOST_ACTIONS
from capacity.scaling.policy import Policy, ServicePolicy

__all__ = ["MOST_ACTIONS", "check_policy", "refuse_broken", "refuse_senseless"]

#: What breaks these says nothing that could be replayed. AWS's own limits a rehearsal may well go beyond.
_SENSE = (own.order, own.target, schedule.schedules)

_RULES = (
    *_SENSE,
    *(own.bounds, own.tracking, own.names),
    *(schedule.count, schedule.pairs, schedule.distance, schedule.clocks),
    *(parts.steps, parts.predictive, parts.together),
)


def check_policy(
    policy: Policy | ServicePolicy, *, accounts: Sequence[Account] = (), demand: Demand | None = None
) -> Findings:
    """Everything remarkable about a policy. FAIL: AWS would refuse it; REVIEW: it would do what nobody meant.

    accounts  quotas of regions, which minimums have to fit in
    demand    of the past: shows whether a schedule keeps tasks that target tracking would have taken away

    >>> from capacity import Service
    >>> from capacity.scaling.policy import TargetTracking
    >>> print(*check_policy(ServicePolicy(Service(name="web"), 5, 2, TargetTracking("cpu", 60))))
    FAIL web: minimum 5 is above maximum 2.
    """
    each = (policy,) if isinstance(policy, ServicePolicy) else policy.services
    findings = [finding for one in each for rule in _RULES for finding in rule(one)]
    findings += fleet.names(each)
    sound = [one for one in each if not any(f.status == "FAIL" for f in findings if f.service == one.service.name)]
    findings += fleet.quotas(sound, accounts)
    if demand is not None:
        findings += fleet.pinned(sound, demand)
    return Findings.of(findings)


def refuse_broken(policy: Policy) -> None:
    """Raises InputError, listing all that AWS would refuse."""
    _refuse("this policy cannot be rendered:", check_policy(policy))


def refuse_senseless(policy: Policy) -> None:
    """Raises InputError for bounds out of order, a target that is none, and schedules that nobody can read."""
    _refuse("this policy cannot be replayed:", (found for one in policy for rule in _SENSE for found in rule(one)))


def _refuse(what: str, findings: Iterable[Finding]) -> None:
    failed = [finding for finding in findings if finding.status == "FAIL"]
    if failed:
        raise InputError(what, [Problem(finding.message, where=finding.service) for finding in failed])
