"""A policy beside what stands in an AWS account: the difference, making it go away, and taking that back.

    diff       policy, live, now -> Diff: calls in a safe order, each with what it does to running tasks
    apply      Diff -> calls, each in the audit log before and after it is made; never without `yes`
    rollback   audit log, run -> the Diff that puts back what stood before
    read_live  policy -> Live: what stands, of the services of the policy and of no other

Read `comparing` first. items: the one form that everything is compared in; wanted: policies and calls as items; live
and reading: what stands; firing: which scheduled action set a bound; changes and ordering: the diff; referee: AWS's
model, before a call is made; calling, audit, applying, undoing: the calls, their log, and the way back.

No test of ours has ever touched an account: docs/applying.md says what stands in for one.
"""

from capacity.scaling.live.applying import Applied, apply
from capacity.scaling.live.audit import Run, runs_of
from capacity.scaling.live.changes import Change, Diff
from capacity.scaling.live.comparing import diff
from capacity.scaling.live.live import Live, LiveService
from capacity.scaling.live.reading import read_live
from capacity.scaling.live.undoing import rollback

__all__ = [
    "Applied",
    "Change",
    "Diff",
    "Live",
    "LiveService",
    "Run",
    "apply",
    "diff",
    "read_live",
    "rollback",
    "runs_of",
]
