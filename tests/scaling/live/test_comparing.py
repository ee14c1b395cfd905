"""What is a difference and what is none, without a network: what stands is a value here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.errors import InputError
from capacity.scaling import Policy, ScheduledAction, ServicePolicy, TargetTracking
from capacity.scaling.bounds import bounds
from capacity.scaling.live import Change, Diff, Live, LiveService, diff
from capacity.scaling.live.comparing import managed_by
from capacity.scaling.live.items import same
from capacity.scaling.live.wanted import wanted_of
from tests.scaling.live.fleet import REGION, noon, scheduled
from tests.scaling.policies import LABEL, tracking, web

PLACE = (REGION, "service/prod/web")
OLD = pd.Timestamp("2026-01-01", tz="UTC")


def standing(policy: ServicePolicy, bounds: tuple[int, int], **changes: Any) -> LiveService:
    """A service on which a policy was applied long ago, 20 tasks wanted."""
    wanted = wanted_of(Policy((policy,)), REGION)
    actions = wanted.of(PLACE, "action")
    fields: dict[str, Any] = {
        "bounds": bounds,
        "policies": wanted.of(PLACE, "policy"),
        "arns": {name: f"arn:{name}" for name in wanted.of(PLACE, "policy")},
        "actions": actions,
        "created": dict.fromkeys(actions, OLD),
        "alarms": wanted.of(PLACE, "alarm"),
        "desired": 20,
        "exists": True,
    }
    return LiveService(*PLACE, **(fields | changes))


def beside(policy: ServicePolicy, one: LiveService, now: pd.Timestamp | None = None) -> Diff:
    live = Live("123456789012", "me", {PLACE: one}, noon() if now is None else now)
    return diff(Policy((policy,)), live, now)


def said(found: Diff) -> list[str]:
    return [change.sentence for change in found]


def checks(found: Diff) -> list[tuple[str, str]]:
    return [(finding.status, finding.check) for finding in found.findings]


def action(schedule: str, **to: int) -> dict[str, Any]:
    return {"Schedule": schedule, "Timezone": "UTC", "ScalableTargetAction": to}


def test_what_stands_as_it_should_is_no_difference() -> None:
    found = beside(scheduled(), standing(scheduled(), (12, 40)))
    assert len(found) == 0 and len(found.findings) == 0
    assert found.summary == "Nothing to apply: 1 service stands as it should."


@settings(max_examples=15)
@given(
    minute=st.integers(0, 400 * 24 * 60),
    hours=st.lists(st.integers(0, 23), min_size=1, max_size=4, unique=True),
    zone=st.sampled_from(["UTC", "Europe/Paris", "America/New_York", "Asia/Kolkata"]),
    days=st.sampled_from(["*", "MON-FRI", "SUN,WED"]),
)
def test_at_no_moment_is_what_the_schedule_did_a_difference(
    minute: int, hours: list[int], zone: str, days: str
) -> None:
    """The oracle is the simulator's: the bounds that it has in force in that minute."""
    listed = tuple(
        ScheduledAction(f"capacity-web-{n}", f"cron(0 {hour} ? * {days} *)", n + 3, 40, zone)
        for n, hour in enumerate(hours)
    )
    policy = replace(scheduled(), schedule=listed)
    now = pd.Timestamp("2026-02-01", tz="UTC") + pd.Timedelta(minutes=minute)
    least, most = bounds(policy, pd.DatetimeIndex([now]))
    stands = standing(policy, (int(least[0]), int(most[0])))
    assert said(beside(policy, stands, now)) == []
    moved = replace(stands, bounds=(int(least[0]) + 20, int(most[0])))
    assert [change.item.kind for change in beside(policy, moved, now)] == ["bounds"]


def test_a_bound_moved_by_hand_is_told_with_what_putting_it_back_does() -> None:
    (change,) = beside(scheduled(), standing(scheduled(), (20, 40)))
    assert change.sentence == "~ bounds: MinCapacity 20 -> 12"
    assert change.call["parameters"] == {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/prod/web",
        "ScalableDimension": "ecs:service:DesiredCount",
        "MinCapacity": 12,
    }
    assert "scale in" in change.effect and (change.stops, change.starts) == (0, 0)


def test_a_maximum_below_what_runs_says_how_many_tasks_it_stops() -> None:
    found = beside(scheduled(), standing(scheduled(), (12, 80), desired=60))
    (change,) = found
    assert change.stops == found.stops == 20
    assert change.effect == "stops 20 of 60 tasks at once"
    assert "STOPS 20 running tasks at once" in found.summary and "stops 20 of 60" in str(found)


def test_a_minimum_above_what_runs_says_how_many_tasks_it_starts() -> None:
    found = beside(scheduled(), standing(scheduled(), (5, 40), desired=5))
    assert (found.starts, found.stops) == (7, 0)


def test_tasks_that_a_hand_started_above_the_maximum_are_stopped_by_any_registration() -> None:
    (change,) = beside(scheduled(), standing(scheduled(), (5, 40), desired=60))
    assert change.sentence == "~ bounds: MinCapacity 5 -> 12" and change.stops == 20
    both = beside(scheduled(most=50), standing(scheduled(), (20, 40), desired=60))
    assert [change.effect for change in both if change.item.kind == "bounds"] == [
        "stops 10 of 60 tasks at once",
        "stops no task at once; scaling policies may scale in to it from now on",
    ]
    assert both.stops == 10


def test_how_many_run_may_be_unknown_and_then_it_says_so() -> None:
    (change,) = beside(scheduled(), standing(scheduled(), (12, 80), desired=None, exists=None))
    assert "how many is not known" in change.effect


def test_room_is_made_before_everything_and_taken_after_everything() -> None:
    policy = replace(scheduled(high=6, most=60), tracking=TargetTracking("cpu", 50))
    found = beside(policy, standing(scheduled(), (12, 40)))
    steps = [(change.item.kind, change.verb) for change in found]
    assert said(found)[0] == "~ bounds: MaxCapacity 40 -> 60"
    assert said(found)[-1] == "~ bounds: MinCapacity 12 -> 6"
    assert steps.index(("policy", "add")) < steps.index(("action", "change")) < steps.index(("policy", "delete"))


def test_what_a_policy_applied_at_noon_registers_is_the_minimum_of_noon() -> None:
    found = beside(scheduled(), LiveService(*PLACE, desired=20, exists=True))
    assert found.changes[0].call["parameters"]["MinCapacity"] == 12
    night = beside(scheduled(), LiveService(*PLACE, desired=20, exists=True), noon() + pd.Timedelta(hours=8))
    assert night.changes[0].call["parameters"]["MinCapacity"] == 2


def test_an_action_that_came_to_be_after_its_hour_has_not_fired() -> None:
    one = standing(scheduled(), (2, 40))
    today = dict.fromkeys(one.actions, noon() - pd.Timedelta(hours=1))
    assert said(beside(scheduled(), replace(one, created=today))) == []
    assert said(beside(scheduled(), one)) == ["~ bounds: MinCapacity 2 -> 12"]


def test_an_action_may_take_a_minute_to_fire() -> None:
    now = pd.Timestamp("2026-06-03T06:01", tz="UTC")
    assert said(beside(scheduled(), standing(scheduled(), (2, 40)), now)) == []
    later = now + pd.Timedelta(minutes=5)
    assert said(beside(scheduled(), standing(scheduled(), (2, 40)), later)) == ["~ bounds: MinCapacity 2 -> 12"]


def test_a_new_schedule_moves_the_minimum_that_the_old_one_set() -> None:
    found = beside(scheduled(high=14), standing(scheduled(), (12, 40)))
    assert said(found) == [
        "~ bounds: MinCapacity 12 -> 14",
        "~ action capacity-web-daily-0600: MinCapacity 12 -> 14",
    ]


def test_what_another_s_action_set_last_is_left_alone_and_named() -> None:
    one = standing(scheduled(), (30, 40))
    campaign = {**one.actions, "campaign": action("at(2026-06-03T10:00:00)", MinCapacity=30)}
    one = replace(one, actions=campaign, created={**one.created, "campaign": OLD})
    for policy in (scheduled(), scheduled(high=14)):
        found = beside(policy, one)
        assert not any(change.item.kind == "bounds" for change in found)
        assert ("REVIEW", "foreign") in checks(found)
        assert not any(change.item.name == "campaign" for change in found)


def test_an_action_of_another_s_that_cannot_be_read_may_have_set_what_it_sets() -> None:
    one = standing(scheduled(), (30, 40))
    one = replace(one, actions={**one.actions, "odd": action("rate(5 minutes)", MinCapacity=30)})
    assert said(beside(scheduled(), one)) == []
    assert said(beside(scheduled(), replace(one, bounds=(31, 40)))) == ["~ bounds: MinCapacity 31 -> 12"]


def test_what_is_not_ours_is_named_and_left_alone() -> None:
    theirs = {"PolicyName": "queue", "PolicyType": "StepScaling", "StepScalingPolicyConfiguration": {}}
    one = standing(scheduled(), (12, 40), suspended=("DynamicScalingInSuspended",))
    one = replace(
        one,
        policies={**one.policies, "queue": theirs},
        acting={"capacity-web-cpu-steps": ("pager", "capacity-prod/web-cpu-steps")},
    )
    found = beside(scheduled(), one)
    assert said(found) == []
    words = " ".join(finding.message for finding in found.findings)
    assert "'queue' is not ours" in words and "scaling in is suspended" in words and "'pager' is not ours" in words
    assert found.findings.status == "REVIEW"


def test_only_what_bears_our_name_is_a_leftover() -> None:
    old = action("cron(0 3 ? * * *)", MinCapacity=3, MaxCapacity=9)
    one = standing(scheduled(), (12, 40))
    kept = {**one.actions, "capacity-web-weekday-0300": old, "capacity-webshop-0300": old, "0300": old}
    found = beside(scheduled(), replace(one, actions=kept, created=dict.fromkeys(kept, OLD)))
    assert [(change.verb, change.item.name) for change in found] == [("delete", "capacity-web-weekday-0300")]
    assert found.changes[0].call == {
        "client": "application-autoscaling",
        "operation": "delete_scheduled_action",
        "parameters": {
            "ScheduledActionName": "capacity-web-weekday-0300",
            "ServiceNamespace": "ecs",
            "ResourceId": "service/prod/web",
            "ScalableDimension": "ecs:service:DesiredCount",
        },
    }


def tracked(name: str, kind: str) -> dict[str, Any]:
    metric = {"PredefinedMetricType": kind} | ({"ResourceLabel": LABEL} if "ALB" in kind else {})
    configuration = {"TargetValue": 70.0, "PredefinedMetricSpecification": metric}
    return {
        "PolicyName": name,
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": configuration,
    }


def test_two_policies_that_track_one_metric_cannot_stand() -> None:
    one = standing(scheduled(), (12, 40), policies={"old": tracked("old", "ALBRequestCountPerTarget")})
    assert ("FAIL", "conflict") in checks(beside(scheduled(), one))
    other = replace(one, policies={"old": tracked("old", "ECSServiceAverageCPUUtilization")})
    assert ("FAIL", "conflict") not in checks(beside(scheduled(), other))


def test_an_earlier_policy_of_ours_that_tracks_the_same_goes_first() -> None:
    one = standing(
        scheduled(), (12, 40), policies={"capacity-web-alb": tracked("capacity-web-alb", "ALBRequestCountPerTarget")}
    )
    found = beside(scheduled(), one)
    names = [(change.verb, change.item.name) for change in found if change.item.kind == "policy"]
    assert names[0] == ("delete", "capacity-web-alb") and names[1] == ("add", "capacity-web-requests")
    assert found.findings.status == "PASS"


def test_a_policy_cannot_change_its_type() -> None:
    one = standing(scheduled(), (12, 40))
    changed = {**one.policies["capacity-web-requests"], "PolicyType": "StepScaling"}
    found = beside(scheduled(), replace(one, policies={**one.policies, "capacity-web-requests": changed}))
    assert ("FAIL", "type") in checks(found)


def test_old_actions_stay_until_new_ones_stand_unless_there_is_no_room() -> None:
    def order(count: int) -> list[str]:
        one = standing(scheduled(), (12, 40))
        old = {f"capacity-web-{n}": action("cron(0 3 ? * * *)", MinCapacity=12, MaxCapacity=40) for n in range(count)}
        found = beside(scheduled(), replace(one, actions=old, created={}))
        return [change.verb for change in found if change.item.kind == "action"]

    assert order(197) == ["add"] * 3 + ["delete"] * 197
    assert order(198) == ["delete"] * 198 + ["add"] * 3


def test_a_service_that_ecs_does_not_have_cannot_be_scaled() -> None:
    found = beside(scheduled(), LiveService(*PLACE, exists=False))
    assert ("FAIL", "missing") in checks(found) and found.stops == 0


def test_who_else_deploys_a_target_is_said_only_when_it_matters() -> None:
    one = standing(scheduled(), (12, 40), tags={"Managed-By": "Terraform"})
    assert checks(beside(scheduled(), one)) == []
    found = beside(scheduled(high=14), one)
    assert checks(found) == [("REVIEW", "managed")]
    assert "--as terraform" in next(iter(found.findings)).advice


@pytest.mark.parametrize(
    ("tags", "manager"),
    [
        ({"aws:cloudformation:stack-id": "x"}, "CloudFormation"),
        ({"terraform": "true"}, "Terraform"),
        ({"iac": "Pulumi"}, "Pulumi"),
        ({"team": "transform"}, ""),
        ({}, ""),
    ],
)
def test_a_manager_is_told_by_its_tags(tags: dict[str, str], manager: str) -> None:
    assert managed_by(tags) == manager


def test_an_action_whose_time_is_over_is_neither_put_nor_missed() -> None:
    later = pd.Timestamp("2031-01-01", tz="UTC")
    found = beside(scheduled(), standing(scheduled(), (2, 40), actions={}, created={}), later)
    assert said(found) == [] and checks(found) == [("REVIEW", "over")]


def test_the_alarm_of_a_policy_that_is_put_is_put_after_it() -> None:
    policy = scheduled()
    assert policy.steps is not None
    changed = replace(policy, steps=replace(policy.steps, cooldown=120))
    found = beside(changed, standing(policy, (12, 40)))
    assert said(found) == [
        "~ policy capacity-web-cpu-steps: Cooldown 60 -> 120",
        "~ alarm capacity-prod/web-cpu-steps: points at the policy that is put",
    ]


def test_an_alarm_that_acts_on_a_deleted_policy_is_a_difference() -> None:
    one = standing(scheduled(), (12, 40))
    ((name, alarm),) = one.alarms.items()
    dead = "arn:aws:autoscaling:us-east-1:1:scalingPolicy:0:resource/ecs/service/prod/web:policyName/gone"
    found = beside(scheduled(), replace(one, alarms={name: {**alarm, "AlarmActions": [dead]}}))
    assert [(change.item.kind, change.verb) for change in found] == [("alarm", "change")]


def mixed_up(one: LiveService) -> LiveService:
    """The same as AWS may tell it: other orders, other spellings of the same moments, defaults written out."""
    steps = one.policies["capacity-web-cpu-steps"]
    configuration = dict(steps["StepScalingPolicyConfiguration"])
    configuration["StepAdjustments"] = list(reversed(configuration["StepAdjustments"]))
    alarms = {
        name: {**alarm, "ActionsEnabled": True, "Dimensions": list(reversed(alarm["Dimensions"]))}
        for name, alarm in one.alarms.items()
    }
    actions = {
        name: {**each, **({"EndTime": "2030-02-22T01:00:00+01:00"} if "EndTime" in each else {})}
        for name, each in one.actions.items()
    }
    policies = {**one.policies, "capacity-web-cpu-steps": {**steps, "StepScalingPolicyConfiguration": configuration}}
    return replace(one, policies=policies, actions=actions, alarms=alarms)


def test_other_spellings_of_the_same_are_no_difference() -> None:
    assert said(beside(scheduled(), mixed_up(standing(scheduled(), (12, 40))))) == []


SPOILED: list[Callable[[dict[str, Any]], dict[str, Any]]] = [
    lambda alarm: {**alarm, "ActionsEnabled": False},
    lambda alarm: {**alarm, "Threshold": 91.0},
    lambda alarm: {**alarm, "Dimensions": alarm["Dimensions"][:1]},
    lambda alarm: {**alarm, "AlarmActions": [*alarm["AlarmActions"], "arn:aws:sns:us-east-1:1:ops"]},
    lambda alarm: (
        {key: value for key, value in alarm.items() if key != "TreatMissingData"} | {"TreatMissingData": "ignore"}
    ),
]


@pytest.mark.parametrize("spoil", SPOILED)
def test_an_alarm_that_does_something_else_is_a_difference(spoil: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    one = standing(scheduled(), (12, 40))
    ((name, alarm),) = one.alarms.items()
    assert not same("alarm", alarm, spoil(alarm))
    found = beside(scheduled(), replace(one, alarms={name: spoil(alarm)}))
    assert [(change.item.kind, change.verb) for change in found] == [("alarm", "change")]


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(InputError, match="has no time zone"):
        beside(scheduled(), standing(scheduled(), (12, 40)), pd.Timestamp("2026-06-03T12:00"))


def test_a_diff_shows_itself_without_executing_names() -> None:
    hostile = tracking(web(name="<b>web"))
    found = diff(Policy((hostile,)), Live("1", "me", {}, noon()), region=REGION)
    assert "<b>web" not in found._repr_html_() and "<b>web" in str(found)
    assert found.frame["change"].tolist() == [change.verb for change in found]
    assert isinstance(found.changes[0], Change) and found.to_dict()["changes"][0]["call"] == found.changes[0].call
