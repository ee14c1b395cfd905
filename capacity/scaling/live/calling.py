"""One call that changes an account: made patiently, and failing with words that say what to do."""

from __future__ import annotations

import json
import time
from typing import Any, Final

from capacity.errors import CapacityError, LiveError, SourceDenied
from capacity.scaling.live.items import Call
from capacity.sources.aws import Door
from capacity.sources.aws.complaints import action_of, code_of, may_pass, ours
from capacity.sources.aws.policies import statement_for
from capacity.sources.patience import patiently

#: Attempts while something else changes the same target: each is short.
CONCURRENT: Final = 8
#: Seconds between two calls that write alarms: CloudWatch takes 3 a second (reference aws.md 1.2).
ALARM_PACE: Final = 1 / 3

_GONE: Final = frozenset({"ObjectNotFoundException", "ResourceNotFound", "ResourceNotFoundException"})


def make(door: Door, call: Call) -> dict[str, Any]:
    """The answer to a call. Throttling and concurrent updates are waited for; every put may be made twice.

    What is to be deleted and is gone is deleted. Raises SourceDenied with the IAM statement that is missing, LiveError
    for what AWS refuses, and the errors of every other source of ours.
    """
    client, operation, parameters = call["client"], call["operation"], call["parameters"]

    def ask() -> dict[str, Any]:
        door.counted[client, operation] += 1
        answer: dict[str, Any] = getattr(door.client(client), operation)(**parameters)
        return answer

    try:
        answer = patiently(ask, _again, sleep=door.sleep)
    except Exception as error:
        if operation.startswith(("delete_", "deregister_")) and code_of(error)[0] in _GONE:
            return {}
        raise _told(error, client, operation, door) from error
    if client == "cloudwatch":
        (door.sleep or time.sleep)(ALARM_PACE)
    return answer


def _again(error: BaseException, attempt: int) -> bool:
    code = code_of(error)[0]
    if code == "ConcurrentUpdateException":
        return attempt < CONCURRENT
    return code != "LimitExceededException" and may_pass(error, attempt)  # a quota, here, not a throttle


def _told(error: Exception, client: str, operation: str, door: Door) -> CapacityError:
    """What went wrong, and what to do."""
    code, place = code_of(error)[0], f"{action_of(client, operation)} in {door.where}"
    said = str(ours(error, client, operation, door.where))
    if code == "LimitExceededException":
        return LiveError(
            f"{place}: a quota of Application Auto Scaling is used up: 3,000 targets a region, 50 policies and 200 "
            f"scheduled actions a target. Delete what is no longer needed, or ask for more. {said.partition(': ')[2]}"
        )
    if code == "ConcurrentUpdateException":
        return LiveError(f"{place}: something else kept changing this target, {CONCURRENT} times. Try again later.")
    if code == "FailedResourceAccessException":
        return LiveError(
            f"{place}: Application Auto Scaling may not reach the service. Its service-linked role, "
            "AWSServiceRoleForApplicationAutoScaling_ECSService, is missing or was changed: the first registration "
            f"creates it, if you may (iam:CreateServiceLinkedRole). {said.partition(': ')[2]}"
        )
    complaint = ours(error, client, operation, door.where)
    if isinstance(complaint, SourceDenied):
        statement = statement_for(action_of(client, operation), door.where)
        if statement is not None:
            return SourceDenied(f"{complaint} This statement allows it: {json.dumps(statement)}")
    return complaint
