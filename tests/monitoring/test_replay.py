"""Alarms are tried on history: how often, how right, how early; the noisy ones are calmed, made tickets, or refused."""

import math
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Monitoring, Service, config_of
from capacity.config.slo import Slo
from capacity.history import History, read
from capacity.monitoring import Alarm, Alarms, alarms, replay
from capacity.monitoring.breaches import Watch
from capacity.monitoring.choose import settled
from capacity.monitoring.choosing.known import Calmer, Proposal
from capacity.monitoring.conditions import Absent, AnyOf, BurnRate, Condition, Reading, Threshold, Trend
from capacity.monitoring.minutes import Minutes
from capacity.monitoring.replay import REARMED, judgeable, needed, on_history, runs
from capacity.schema import FIRINGS
from tests.monitoring.histories import together
from tests.monitoring.test_choosing import plan_of, service

DAYS = 16
SIZE = DAYS * 1440
TIMES = pd.date_range("2026-03-02", periods=SIZE, freq="min", tz="UTC")
CUTOFF = TIMES[-1]


def busy(**changes: Any) -> dict[Any, np.ndarray]:
    """A calm fortnight: a daily wave that the autoscaler follows."""
    rng = np.random.default_rng(11)
    wave = 200 * (1 + 0.5 * np.sin(np.arange(SIZE) * 2 * np.pi / 1440))
    return {
        "requests": wave,
        "errors": wave * 1e-4,
        "cpu_utilization": 60 * rng.lognormal(0, 0.03, SIZE),
        "memory_utilization": rng.normal(55, 1, SIZE),
        "running_tasks": np.ceil(wave / 35),
        ("latency", "p95"): 0.12 * rng.lognormal(0, 0.1, SIZE),
    } | changes


def history_of(values: dict[Any, np.ndarray], name: str = "web", seconds: int = 60) -> History:
    step = seconds // 60
    rows = [
        pd.DataFrame(
            {"service": name, "metric": metric, "stat": stat, "interval": seconds, "timestamp": TIMES[::step]}
        ).assign(value=array[::step])
        for key, array in values.items()
        for metric, stat in [key if isinstance(key, tuple) else (key, "mean")]
    ]
    return read(pd.concat(rows).dropna())


def watch_of(values: dict[Any, np.ndarray], one: Service | None = None) -> Watch:
    return Watch(Minutes.of(one or service(), TIMES, values))


def alarm_of(condition: Condition, **fields: Any) -> Alarm:
    whole: dict[str, Any] = {"kind": "saturation", "severity": "page", "summary": "Full.", "because": "The plan."}
    return Alarm(name="capacity-web-x", service="web", condition=condition, runbook="web--x.md", **(whole | fields))


HIGH = Threshold(Reading("cpu_utilization"), ">", 68)


@cache
def calm() -> Alarms:
    return alarms(plan_of(service()), history=history_of(busy()))


def test_on_a_calm_fortnight_no_page_goes_off_and_each_says_so() -> None:
    found = calm()
    assert (found.replayed["fired"] == 0).all()
    assert not [one for one in found.alarms if one.refused]
    for page in found.pages:
        assert page.replayed is not None
        assert page.replayed.days == pytest.approx(DAYS, abs=0.01)
        assert "On 16 days of history it would not have gone off." in page.because
    assert found.about["replayed_from"] == TIMES[0]


def test_an_outage_is_found_and_was_right_and_early_is_counted_from_the_trouble() -> None:
    hurt = busy()
    hurt["cpu_utilization"][5000:5060] = 69.5  # nearly full ...
    hurt["cpu_utilization"][5020:5060] = 90  # ... and then beyond
    hurt["running_tasks"][5000:5060] = 12  # at the maximum
    hurt["errors"][5020:5060] = hurt["requests"][5020:5060] / 2
    found = alarms(plan_of(service()), history=history_of(hurt))
    short, burn = (found[f"capacity-web-{ending}"].replayed for ending in ("pinned-short", "burn_fast-availability"))
    assert short is not None
    assert burn is not None
    assert (short.fired, short.true) == (1, 1)
    assert 15 <= short.lead_minutes <= 20  # noticed in three minutes; five minutes' mean is past full a bit after 5020
    assert (burn.fired, burn.true, burn.false) == (1, 1, 0)
    mine = found.firings[found.firings["name"] == "capacity-web-pinned-short"]
    assert mine["start"].iloc[0] == TIMES[5002]
    assert dict(found.firings.dtypes.astype(str)) == FIRINGS.types


def test_a_noisy_page_is_calmed_by_the_first_step_that_is_enough() -> None:
    spikes = busy()
    spikes["cpu_utilization"][1000::1440] = 70  # a minute a day, over before anyone is hurt
    longer, higher = Threshold(HIGH.reading, ">", 68, 2, 2), Threshold(HIGH.reading, ">", 99)
    proposal = Proposal(alarm_of(HIGH), (Calmer(longer, "two minutes"), Calmer(higher, "or more")))
    calmed, tried = settled(proposal, watch_of(spikes), Monitoring(), CUTOFF)
    assert tried is not None
    assert (calmed.condition, calmed.severity, calmed.refused) == (longer, "page", "")
    assert tried.replayed.false == 0
    assert "As proposed it would have been false" in calmed.because
    assert "two minutes" in calmed.because


def test_what_stays_noisy_becomes_a_ticket_or_is_refused_with_the_evidence() -> None:
    few, many = busy(), busy()
    few["cpu_utilization"][1000 : 1440 * 12 : 1440 * 3] = 70
    many["cpu_utilization"][1000::720] = 70
    proposal = Proposal(alarm_of(HIGH), (Calmer(Threshold(HIGH.reading, ">", 69), "at 69 %"),))
    ticket, _ = settled(proposal, watch_of(few), Monitoring(), CUTOFF)
    assert (ticket.severity, ticket.refused) == ("ticket", "")
    assert ticket.because.endswith("So it is a ticket.")
    refused, _ = settled(proposal, watch_of(many), Monitoring(), CUTOFF)
    assert "It would have been false 31 times in 16 days, and 31 times in 16 days at 69 %; 1 in 30 days" in (
        refused.refused
    )
    kept = Alarms((ticket, refused), (service(),))
    assert list(kept) == [ticket]
    assert kept.frame["refused"].tolist() == ["", refused.refused]
    assert "refused capacity-web-x" in str(kept)


def test_one_false_page_alone_proves_nothing_and_more_are_borne_where_asked() -> None:
    once, twice = busy(), busy()
    once["cpu_utilization"][1000] = 70
    twice["cpu_utilization"][[1000, 9000]] = 70
    assert settled(Proposal(alarm_of(HIGH)), watch_of(once), Monitoring(), CUTOFF)[0].severity == "page"
    assert settled(Proposal(alarm_of(HIGH)), watch_of(twice), Monitoring(), CUTOFF)[0].severity == "ticket"
    patient = Monitoring(false_pages_per_month=4)
    assert settled(Proposal(alarm_of(HIGH)), watch_of(twice), patient, CUTOFF)[0].severity == "page"


def test_hours_cannot_judge_minutes_and_that_is_said() -> None:
    found = alarms(plan_of(service()), history=history_of(busy(), seconds=3600))
    assert found["capacity-web-pinned-short"].replayed is None
    assert found["capacity-web-burn_fast-availability"].replayed is None
    slow = found["capacity-web-burn_slow-availability"].replayed
    assert slow is not None
    assert slow.days == pytest.approx(DAYS, abs=0.1)
    quota, said = [one for one in found.findings if one.check == "not_replayed"]
    assert said.count == sum(
        one.replayed is None and one.kind != "forecast_breach" and bool(one.service) for one in found
    )
    assert "no data fine enough" in said.message
    assert found["capacity-quota-us-east-1"].replayed is None  # a mean of an hour hides what was in use at once
    assert "of web no tasks are known by five minutes" in quota.message


def test_few_days_keep_the_alarms_as_chosen_and_that_is_said() -> None:
    short = {metric: np.where(np.arange(SIZE) < SIZE - 3 * 1440, math.nan, array) for metric, array in busy().items()}
    short["cpu_utilization"][-4000::60] = 99  # noisy, but not for long
    found = alarms(plan_of(service()), history=history_of(short))
    assert not [one for one in found.alarms if one.refused]
    assert "short_replay" in [one.check for one in found.findings]
    assert "So few days prove little." in found["capacity-web-pinned-short"].because


def test_the_past_is_not_held_against_a_plan_but_what_came_after_it_is() -> None:
    one = service()
    before = alarms(plan_of(one), history=history_of(busy()))
    assert before["capacity-web-forecast_breach-requests"].replayed is None
    shifted = Alarms(before.alarms, (one,), about={"cutoff": TIMES[1440]})
    more = busy(requests=np.where(np.arange(SIZE) > 5 * 1440, 2000.0, 10.0))
    after = replay(shifted, history_of(more))["capacity-web-forecast_breach-requests"].replayed
    assert after is not None
    assert (after.fired, after.true) == (1, 1)  # it stayed there
    assert after.days == pytest.approx(DAYS - 1, abs=0.01)


def test_a_promise_that_is_broken_all_the_time_is_a_finding_not_a_noisy_alarm() -> None:
    broken = busy()
    for day in range(DAYS):
        hours = slice(day * 1440 + 600, day * 1440 + 660)
        broken["errors"][hours] = broken["requests"][hours] / 3
    found = alarms(plan_of(service()), history=history_of(broken))
    page = found["capacity-web-burn_fast-availability"]
    assert (page.severity, page.refused) == ("page", "")
    (said,) = [one for one in found.findings if one.check == "broken_promise"]
    assert said.message.startswith("capacity-web-burn_fast-availability would have gone off 16 times in 16 days")


def test_the_accounts_quota_is_replayed_on_all_of_its_services() -> None:
    both = service("web", min_tasks=1), service("api", min_tasks=1)
    full = busy(running_tasks=np.where(np.arange(SIZE) > 9000, 9.0, 3.0))
    found = alarms(plan_of(*both), history=together(*(history_of(full, name) for name in ("web", "api"))))
    (quota,) = [one for one in found if one.kind == "quota"]
    assert quota.replayed is not None  # 18 of 20 vCPU are past 80 %
    assert (quota.replayed.fired, quota.replayed.true) == (1, 1)


def test_a_part_of_what_an_account_uses_does_not_judge_its_quota() -> None:
    found = alarms(plan_of(service("web"), service("api")), history=history_of(busy()))
    assert found["capacity-quota-us-east-1"].replayed is None
    told = {one.service: one.message for one in found.findings if one.check == "not_replayed"}
    assert "of api no tasks are known" in told[""]
    assert "holds nothing of it" in told["api"]
    assert all(one.replayed is None for one in found if one.service == "api")


def test_alarms_of_a_few_services_do_not_judge_the_quota_of_the_fleet() -> None:
    fleet = config_of({"service": [{"name": "web"}, {"name": "api"}, {"name": "on-ec2", "launch_type": "EC2"}]})
    found = alarms(plan_of(service("web")), history=history_of(busy()), settings=fleet)
    assert found["capacity-quota-us-east-1"].replayed is None
    assert [one.count for one in found.findings if one.check == "not_replayed"] == [1]


def test_what_memory_usually_is_takes_a_day_and_says_of_how_many() -> None:
    short, two = (
        {name: np.where(np.arange(SIZE) < SIZE - hours * 60, math.nan, array) for name, array in busy().items()}
        for hours in (6, 48)
    )
    assert "no history tells" in alarms(plan_of(service()), history=history_of(short))["capacity-web-leak"].because
    assert "in the last 2 days" in alarms(plan_of(service()), history=history_of(two))["capacity-web-leak"].because


@settings(max_examples=60)
@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_alarms_near_each_other_are_one(states: list[bool]) -> None:
    found = list(runs(np.array(states)))
    expected: list[list[int]] = []
    for place, on in enumerate(states):
        if not on:
            continue
        if expected and place - expected[-1][1] <= REARMED:
            expected[-1][1] = place + 1
        else:
            expected.append([place, place + 1])
    assert [list(one) for one in found] == expected


def test_what_is_fine_enough_depends_on_what_reads_it() -> None:
    fast = BurnRate("a", "availability", 0.999, 14.4, 60, 5)
    slow = BurnRate("a", "availability", 0.999, 1, 4320, 360)
    assert dict(needed(AnyOf((slow, fast)))) == {Reading("errors"): 2, Reading("requests"): 2}
    assert dict(needed(slow))[Reading("requests")] == 180
    assert dict(needed(Absent(Reading("cpu_utilization"), 15))) == {Reading("cpu_utilization"): 7}
    assert dict(needed(Trend(Reading("memory_utilization", minutes=5), 95, 2880, 2880))) == {
        Reading("memory_utilization", minutes=5): 120
    }


def test_a_gap_is_time_that_silence_is_judged_on_but_not_a_day_of_data() -> None:
    quiet = busy()
    for values in quiet.values():
        values[3000:3600] = math.nan
    watch = watch_of(quiet)
    judged, known = judgeable(Absent(Reading("cpu_utilization"), 15), watch)
    assert judged.all()
    assert known.sum() == SIZE - 600
    tried = on_history(alarm_of(Absent(Reading("cpu_utilization"), 15), kind="silence"), watch)
    assert tried is not None
    assert (tried.replayed.fired, tried.replayed.false, tried.replayed.last) == (1, 0, TIMES[3014])


def test_a_leak_was_right_only_if_memory_came_to_its_limit() -> None:
    condition = Trend(Reading("memory_utilization"), 95, 120, 360)
    climb = np.clip(50 + np.arange(SIZE - 9000) / 8, None, 97)
    real, spared = busy(), busy()
    real["memory_utilization"][9000:] = climb
    spared["memory_utilization"][9000:] = climb
    spared["memory_utilization"][9180:] = 50  # somebody restarted it
    for values, true in ((real, 1), (spared, 0)):
        tried = on_history(alarm_of(condition, kind="leak"), watch_of(values))
        assert tried is not None
        assert (tried.replayed.fired, tried.replayed.true) == (1, true)


def test_a_replay_of_its_own_tells_the_same_as_choosing_did() -> None:
    again = replay(calm(), history_of(busy()))
    columns = ["name", "fired", "true", "false", "days"]
    services = calm().replayed[calm().replayed["service"] != ""]
    pd.testing.assert_frame_equal(
        again.replayed[again.replayed["service"] != ""][columns].reset_index(drop=True),
        services[columns].reset_index(drop=True),
    )


def test_firings_have_a_picture_and_names_in_it_stay_text() -> None:
    hurt = busy()
    hurt["cpu_utilization"][5000:5060] = 95
    hurt["running_tasks"][5000:5060] = 12
    name = "<b>web</b>"
    found = alarms(plan_of(service(name, slo=(Slo(),))), history=history_of(hurt, name))
    document = found.plot(name).to_dict()
    assert "right" in str(document)
    assert "<b>" not in found._repr_html_()
