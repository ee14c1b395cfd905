"""Reading, applying and putting back in an account that behaves as AWS documents it, over real HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from capacity.errors import ApplyRefused, ApplyStopped, InputError, LiveError, SourceDenied
from capacity.scaling import Policy
from capacity.scaling.live import Applied, Diff, apply, diff, read_live, rollback, runs_of
from capacity.sources.aws import Door
from capacity.sources.aws.complaints import action_of
from capacity.sources.aws.policies import allowed
from tests.conftest import ROOT
from tests.scaling.live.account import WHO, Changing
from tests.scaling.live.fleet import ONE, OTHER, door, fleet, noon, scheduled
from tests.scaling.policies import tracking, web
from tests.sources.aws.allowed import assert_within_policy
from tests.sources.aws.conftest import KEY, SECRET, TOKEN
from tests.sources.aws.fake import Answer, Complaint, FakeAws

TARGET = "arn:aws:application-autoscaling:us-east-1:123456789012:scalable-target/web"
DENIED = Complaint("AccessDeniedException", "User: me is not authorized to perform it")


class Place:
    """An account, the way into it, and a log."""

    def __init__(self, account: Changing, door: Door, log: Path) -> None:
        self.account, self.door, self.log = account, door, log

    def diff(self, policy: Policy) -> Diff:
        return diff(policy, read_live(policy, door=self.door), noon())

    def apply(self, what: Policy | Diff) -> Applied:
        found = self.diff(what) if isinstance(what, Policy) else what
        return apply(found, yes=True, log=self.log, door=self.door, say=lambda words: None)

    def back(self, run: str) -> Diff:
        return rollback(self.log, run, door=self.door, now=noon())


@pytest.fixture(scope="module")
def _aws() -> Iterator[tuple[FakeAws, Door]]:
    """One server and one door, whose clients take longer to make than most tests take."""
    with FakeAws() as aws:
        yield aws, door(aws.url)


@pytest.fixture
def place(keys: None, _aws: tuple[FakeAws, Door], tmp_path: Path) -> Place:
    """Two services, one's name a beginning of the other's; 20 tasks run of each."""
    account = Changing()
    account.running("web", "web-2", desired=20)
    aws, entering = _aws
    aws.answers = account.answers
    entering.counted.clear()
    return Place(account, entering, tmp_path / "log" / "audit.jsonl")


def test_one_policy_follows_another_and_is_put_back(place: Place) -> None:
    place.apply(ONE)
    first = place.account.standing()
    done = place.apply(OTHER)
    assert len(done.left) == 0 and place.account.standing() != first
    back = place.apply(place.back(done.run))
    assert place.account.standing() == first
    assert len(place.diff(ONE)) == 0
    forth = place.apply(place.back(back.run))  # a rollback is a run like any
    assert len(forth.left) == 0 and len(place.diff(OTHER)) == 0


def test_cut_off_after_any_call_it_is_put_back_or_gone_on_with(place: Place) -> None:
    place.apply(ONE)
    first, calls = place.account.standing(), len(place.diff(OTHER))
    assert calls >= 6
    for stop in range(calls):
        left = iter([None] * stop)
        place.account.before = lambda operation, left=left: next(left, DENIED)  # type: ignore[misc]
        with pytest.raises(ApplyStopped) as stopped:
            place.apply(OTHER)
        assert stopped.value.done == stop
        place.account.before = lambda operation: None
        place.apply(place.back(stopped.value.run))
        assert place.account.standing() == first
    some = iter([None] * 5)
    place.account.before = lambda operation: next(some, DENIED)
    with pytest.raises(ApplyStopped, match=r"5 of \d+ calls were made"):
        place.apply(OTHER)
    place.account.before = lambda operation: None
    place.apply(OTHER)
    assert len(place.diff(OTHER)) == 0


HELPER = """
import os, sys
from tests.scaling.live.fleet import OTHER, door, noon
from capacity.scaling.live import apply, diff, read_live
url, log = sys.argv[1:]
for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        entering = door(url)
        apply(diff(OTHER, read_live(OTHER, door=entering), noon()), yes=True, log=log, door=entering, say=len)
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has neither fork nor SIGKILL")
def test_killed_while_a_call_is_under_way_it_is_put_back_whether_the_call_came_through_or_not(place: Place) -> None:
    place.apply(ONE)
    first = place.account.standing()
    command = [sys.executable, "-c", HELPER, place.door.endpoint or "", str(place.log)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, text=True, stdin=pipe, stdout=pipe) as helper:
        assert helper.stdin is not None and helper.stdout is not None

        def kill(operation: str) -> Answer | None:
            if operation == "PutScheduledAction":
                os.kill(victim, signal.SIGKILL)
            return None

        for moment in ("before", "after"):
            setattr(place.account, moment, kill)
            helper.stdin.write("go\n")
            helper.stdin.flush()
            victim = int(helper.stdout.readline())
            assert int(helper.stdout.readline()) == -signal.SIGKILL
            setattr(place.account, moment, lambda operation: None)
            run = runs_of(place.log)[-1]
            assert not run.whole and run.made[-1].outcome == "unknown" and run.done == len(run.made) - 1
            assert place.account.standing() != first
            place.apply(place.back(run.name))
            assert place.account.standing() == first
        helper.stdin.close()


def test_interrupted_it_says_how_to_go_back(place: Place) -> None:
    said: list[str] = []

    def interrupt(seconds: float) -> None:  # the wait between two alarms, after four calls
        raise KeyboardInterrupt

    entering = replace(place.door, sleep=interrupt)
    found = diff(ONE, read_live(ONE, door=entering), noon())
    with pytest.raises(KeyboardInterrupt):
        apply(found, yes=True, log=place.log, say=said.append)
    run = runs_of(place.log)[-1]
    assert said[-1].startswith(f"Interrupted in the middle of run {run.name}.") and not run.whole
    assert {change.verb for change in place.back(run.name)} == {"delete"}


def test_a_torn_line_of_a_log_is_a_call_that_was_not_made(place: Place) -> None:
    done = place.apply(ONE)
    with place.log.open("ab") as file:
        file.write(b'{"entry": "call", "run": "' + done.run.encode() + b'", "nu')
    place.apply(OTHER)
    assert [run.whole for run in runs_of(place.log)] == [True, True]


def test_a_log_with_a_call_cut_out_is_not_believed(place: Place) -> None:
    done = place.apply(ONE)
    lines = place.log.read_text(encoding="utf-8").splitlines(keepends=True)
    place.log.write_text("".join(line for line in lines if '"number": 3' not in line), encoding="utf-8")
    with pytest.raises(InputError, match=f"lines of run {done.run} are missing"):
        place.back(done.run)
    with pytest.raises(InputError, match="there is no audit log"):
        rollback(place.log.with_name("other"), done.run, door=place.door)


def test_the_log_says_who_did_what_to_what_and_nothing_secret(place: Place) -> None:
    done = place.apply(ONE)
    text = place.log.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["entry"] for line in lines] == ["run", *["call", "outcome"] * 7, "end"]
    assert {line["run"] for line in lines} == {done.run}
    assert lines[0]["who"] == WHO and lines[0]["account"] == "123456789012"
    calls = [line for line in lines if line["entry"] == "call"]
    assert all(line["region"] == "us-east-1" and line["service"] == "service/prod/web" for line in calls)
    alarm = next(line for line in calls if line["kind"] == "alarm")
    assert alarm["parameters"]["AlarmActions"][0].startswith(
        "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:"
    )
    assert not any(secret in text for secret in (KEY, SECRET, TOKEN))
    assert place.log.stat().st_mode & 0o077 == 0


def test_without_a_log_nothing_is_changed(place: Place) -> None:
    place.log.parent.mkdir()
    place.log.mkdir()
    with pytest.raises(InputError, match="Nothing was changed: without a log there is no way back"):
        place.apply(ONE)
    assert place.account.made == []


def test_without_yes_the_diff_is_printed_and_nothing_is_changed(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    found = place.diff(ONE)
    with pytest.raises(ApplyRefused, match="--yes"):
        found.apply(log=place.log)
    assert capsys.readouterr().out == f"{found}\n"
    assert place.account.made == [] and not place.log.exists()


Meddle = Callable[[Changing], Any]
MEDDLED: list[Meddle] = [
    lambda account: account.targets[0][1].update(MinCapacity=7),
    lambda account: account.policies[0][1]["TargetTrackingScalingPolicyConfiguration"].update(TargetValue=9.0),
    lambda account: account.actions.pop(),
    lambda account: account.alarms[0][1].update(Threshold=1.0),
]


def test_what_changed_since_the_diff_was_made_has_to_be_looked_at_first(place: Place) -> None:
    place.apply(ONE)
    for meddle in MEDDLED:
        found, made = place.diff(OTHER), len(place.account.made)
        meddle(place.account)
        with pytest.raises(ApplyRefused, match="no longer what it was"):
            place.apply(found)
        assert len(place.account.made) == made


def test_more_tasks_than_it_said_are_not_stopped(place: Place) -> None:
    place.apply(Policy((scheduled(most=40),)))
    found = place.diff(Policy((scheduled(most=15),)))
    assert found.stops == 5
    place.account.services[0][1]["desiredCount"] = 30
    with pytest.raises(ApplyRefused, match="would stop 15 of them at once, and said 5"):
        place.apply(found)
    place.account.services[0][1]["desiredCount"] = 18
    place.apply(found)
    assert place.account.desired("web") == 15


def test_a_diff_of_one_account_is_not_applied_to_another(place: Place) -> None:
    found = place.diff(ONE)
    done = place.apply(ONE)
    place.account.number = "999999999999"
    with pytest.raises(ApplyRefused, match="these credentials are of 999999999999"):
        place.apply(found)
    with pytest.raises(ApplyRefused, match="these credentials are of 999999999999"):
        place.back(done.run)


def test_what_has_failed_a_check_is_not_applied(place: Place) -> None:
    policy = Policy((scheduled("nowhere"),))
    with pytest.raises(ApplyRefused, match="there is no ECS service service/prod/nowhere in us-east-1"):
        place.apply(policy)
    assert place.account.made == []


def test_an_alarm_of_that_name_that_acts_on_something_else_is_not_overwritten(place: Place) -> None:
    alarm = {
        "AlarmName": "capacity-prod/web-cpu-steps",
        "AlarmActions": ["arn:aws:sns:us-east-1:1:ops"],
        "Threshold": 1.0,
    }
    place.account.alarms.append(("us-east-1", alarm))
    with pytest.raises(ApplyRefused, match="acts on something else"):
        place.apply(ONE)


def test_an_alarm_of_ours_to_which_someone_added_a_page_is_a_difference_that_tells_of_it(place: Place) -> None:
    place.apply(ONE)
    place.account.alarms[0][1]["AlarmActions"].append("arn:aws:sns:us-east-1:1:ops")
    (change,) = place.diff(ONE)
    assert (
        change.item.kind == "alarm"
        and "arn:aws:sns:us-east-1:1:ops -> policy capacity-web-cpu-steps" in change.sentence
    )


def test_what_calls_say_of_suspending_is_done(place: Place) -> None:
    calls = ONE.render("boto3")
    place.apply(ONE)
    calls[0]["parameters"]["SuspendedState"] = {"DynamicScalingInSuspended": True}
    found = diff(calls, read_live(calls, door=place.door), noon())
    (change,) = found
    assert change.call["parameters"]["SuspendedState"] == {"DynamicScalingInSuspended": True}
    assert "MinCapacity" not in change.call["parameters"] and len(place.apply(found).left) == 0


def test_a_denial_names_the_statement_that_is_missing(place: Place) -> None:
    place.account.before = lambda operation: DENIED if operation == "PutScalingPolicy" else None
    with pytest.raises(
        ApplyStopped, match=r"1 of 7 calls were made.*application-autoscaling:PutScalingPolicy"
    ) as stopped:
        place.apply(ONE)
    assert isinstance(stopped.value.__cause__, SourceDenied)
    statement = json.loads(str(stopped.value).partition("This statement allows it: ")[2].partition("\n")[0])
    assert "application-autoscaling:PutScalingPolicy" in statement["Action"]
    assert statement["Resource"].startswith("arn:aws:application-autoscaling:us-east-1:")
    assert f"capacity rollback {stopped.value.run} --log {place.log}" in str(stopped.value)


@pytest.mark.parametrize("code", ["ConcurrentUpdateException", "ThrottlingException"])
def test_what_passes_is_waited_for(place: Place, code: str) -> None:
    answers: Iterator[Complaint | None] = iter([Complaint(code), Complaint(code), None, Complaint(code)])
    place.account.before = lambda operation: next(answers, None)
    done = place.apply(ONE)
    assert done.done == 7 and len(done.left) == 0


@pytest.mark.parametrize(
    ("code", "words", "calls"),
    [
        ("LimitExceededException", "a quota of Application Auto Scaling is used up", 1),
        ("FailedResourceAccessException", "AWSServiceRoleForApplicationAutoScaling_ECSService", 1),
        ("ConcurrentUpdateException", "something else kept changing this target, 8 times", 8),
    ],
)
def test_what_does_not_pass_is_explained(place: Place, code: str, words: str, calls: int) -> None:
    place.account.before = lambda operation: Complaint(code)
    with pytest.raises(ApplyStopped, match=words) as stopped:
        place.apply(ONE)
    assert isinstance(stopped.value.__cause__, LiveError)
    assert place.door.counted["application-autoscaling", "register_scalable_target"] == calls


def test_what_is_gone_already_is_deleted(place: Place) -> None:
    done = place.apply(ONE)
    back = place.back(done.run)
    gone: list[str] = []

    def lost(operation: str) -> Answer | None:  # the call comes through, its answer does not, and it is made again
        if operation == "DeleteScheduledAction" and not gone:
            gone.append(operation)
            return Complaint("InternalFailure", status=500)
        return None

    place.account.after = lost
    assert len(place.apply(back).left) == 0 and gone


def test_what_someone_changed_after_us_is_named_and_left(place: Place) -> None:
    place.apply(ONE)
    done = place.apply(Policy((scheduled(high=16),)))
    action = next(each for _, each in place.account.actions if each["ScheduledActionName"].endswith("0600"))
    action["ScalableTargetAction"]["MinCapacity"] = 30
    place.account.targets[0][1]["MinCapacity"] = 33
    back = place.back(done.run)
    assert [str(finding).partition(":")[0] for finding in back.findings] == ["REVIEW prod/web"] * 2
    words = " ".join(finding.message for finding in back.findings)
    assert "action capacity-web-daily-0600 was changed by someone after" in words and "bounds was changed" in words
    assert len(back) == 0


def test_a_later_run_goes_back_first(place: Place) -> None:
    first = place.apply(ONE)
    second = place.apply(Policy((scheduled(high=16),)))
    back = place.back(first.run)
    assert any(f"changed by run {second.run}" in finding.message for finding in back.findings)
    place.apply(place.back(second.run))
    back = place.back(first.run)
    assert len(back) == 7 and back.findings.status == "PASS"


def test_a_target_on_which_something_else_stands_by_now_stays(place: Place) -> None:
    done = place.apply(ONE)
    place.account.policy("us-east-1", "prod", "web", "theirs", TargetValue=70.0)
    back = place.back(done.run)
    assert not any(change.item.kind == "bounds" for change in back)
    assert any("it stays: 'theirs'" in finding.message for finding in back.findings)
    place.apply(back)
    assert [each["PolicyName"] for _, each in place.account.policies] == ["theirs"]


def test_bounds_go_back_to_where_the_old_schedule_would_have_them_by_now(place: Place) -> None:
    place.apply(ONE)
    done = place.apply(Policy((scheduled(high=16),)))
    place.account.targets[0][1]["MinCapacity"] = 2  # 18:00 has come: the schedule has let go
    evening = pd.Timestamp.now("UTC").normalize() + pd.Timedelta(days=1, hours=20)
    back = rollback(place.log, done.run, door=place.door, now=evening)
    assert [change.sentence for change in back] == [
        "~ action capacity-web-daily-0600: MinCapacity 16 -> 12: as it was before"
    ]


def test_names_that_begin_alike_are_kept_apart(place: Place) -> None:
    place.apply(fleet())
    live = read_live(ONE, door=place.door)
    (one,) = live.services.values()
    assert set(one.policies) == {"capacity-web-requests", "capacity-web-cpu-steps"}
    assert all(not name.startswith("capacity-web-2") for name in (*one.actions, *one.alarms))
    assert len(place.diff(ONE)) == 0
    assert list(live.frame["service"]) == ["service/prod/web"]


def test_over_a_hundred_services_are_read_whole_and_once(keys: None, tmp_path: Path) -> None:
    account = Changing()
    names = [f"s{number}" for number in range(120)]
    account.running(*names, desired=5)
    policy = Policy(tuple(tracking(web(name=name)) for name in names))
    for name in names:
        account.target("us-east-1", "prod", name, 2, 40)
        account.policy("us-east-1", "prod", name, f"theirs of {name}", "StepScaling", StepScalingPolicyConfiguration={})
    with FakeAws(account.answers) as aws:
        entering = door(aws.url)
        live = read_live(policy, door=entering)
        assert aws.calls("DescribeScalableTargets") == 3 and aws.calls("DescribeServices") == 12
    assert [one.resource_id for one in live.services.values()] == [f"service/prod/{name}" for name in names]
    assert all(list(one.policies) == [f"theirs of {one.resource_id[13:]}"] for one in live.services.values())
    assert all(one.bounds == (2, 40) and one.desired == 5 for one in live.services.values())


def test_what_may_not_be_read_is_said_and_what_must_be_is_asked_for(place: Place) -> None:
    answers = {**place.account.answers}
    for name in (("ecs", "DescribeServices"), ("application-autoscaling", "ListTagsForResource")):
        answers[name] = DENIED
    place.account.target("us-east-1", "prod", "web", 2, 90, ScalableTargetARN=TARGET)
    with FakeAws(answers) as aws:
        found = diff(ONE, read_live(ONE, door=door(aws.url)), noon())
    assert [finding.status for finding in found.findings] == ["UNKNOWN", "UNKNOWN"]
    assert "how many is not known" in str(found)
    answers["cloudwatch", "DescribeAlarms"] = DENIED
    with FakeAws(answers) as aws, pytest.raises(SourceDenied, match="cloudwatch:DescribeAlarms"):
        read_live(ONE, door=door(aws.url))


def test_reading_keeps_within_the_rights_of_diff_and_applying_within_those_of_both(place: Place) -> None:
    place.account.target("us-east-1", "prod", "web", 2, 40, ScalableTargetARN=TARGET)
    read_live(ONE, door=place.door)
    assert {action_of(*call) for call in place.door.counted} == allowed("diff")
    done = place.apply(ONE)
    place.apply(place.back(done.run))
    assert_within_policy(place.door, "diff", "apply")


def test_a_diff_is_a_value_and_reading_twice_gives_it_twice(place: Place) -> None:
    place.apply(ONE)
    one, two = place.diff(OTHER), place.diff(OTHER)
    assert one.changes == two.changes and deepcopy(one.to_dict()) == two.to_dict()


def test_door_is_asked_for_in_the_region_of_each_service(keys: None) -> None:
    account = Changing()
    account.running("web", region="us-east-1")
    account.service("eu-west-1", "prod", "api", desiredCount=3)
    policy = Policy((scheduled(), tracking(web(name="api", region="eu-west-1"))))
    with FakeAws(account.answers) as aws:
        live = read_live(policy, door=Door("us-east-1", endpoint=aws.url, sleep=lambda seconds: None))
        assert {(asked.region, asked.service) for asked in aws.asked if asked.service == "ecs"} == {
            ("us-east-1", "ecs"),
            ("eu-west-1", "ecs"),
        }
    assert [(place, one.desired) for place, one in live.services.items()] == [
        (("us-east-1", "service/prod/web"), 4),
        (("eu-west-1", "service/prod/api"), 3),
    ]
