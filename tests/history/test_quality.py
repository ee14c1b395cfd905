"""Each check finds what was planted, where it was planted; healthy data is left in peace."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from capacity.config import Service
from capacity.demand import estimate_demand
from capacity.findings import Finding, Findings
from capacity.history import check_quality, read
from capacity.history.quality import lines_of
from capacity.sources import Span
from capacity.sources.coverage import Asked, Coverage
from tests.history.fleets import SIZES, healthy, history, joined, year
from tests.makers import daily_wave, hourly

TIMES = year()
HEALTHY = healthy(TIMES)


def only(findings: Findings, check: str) -> Finding:
    """The one finding that is more than a note; it has to be of this check."""
    serious = [finding for finding in findings if finding.status != "PASS"]
    assert [finding.check for finding in serious] == [check], [str(finding) for finding in serious]
    return serious[0]


def quiet(findings: Findings) -> bool:
    return [str(finding) for finding in findings if finding.status != "PASS"] == []


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("growth", [0.0, 0.4, 1.5])
@pytest.mark.parametrize("noise", [0.02, 0.15])
def test_a_healthy_growing_service_has_no_findings(seed: int, growth: float, noise: float) -> None:
    assert quiet(check_quality(history(healthy(TIMES, seed, growth, noise), TIMES)))


def test_healthy_services_of_other_characters_have_no_findings() -> None:
    rng = np.random.default_rng(11)
    hours = np.arange(len(TIMES))
    batch = np.where(TIMES.hour == 2, 500 * np.exp(0.1 * rng.standard_normal(len(TIMES))), 0.0)
    worker = rng.poisson(0.3, len(TIMES)).astype(float)
    bursty = healthy(TIMES, 5) * np.where(rng.random(len(TIMES)) < 0.02, 4.0, 1.0)
    weekday = np.where(TIMES.day_of_week < 5, healthy(TIMES, 6), 0.0)
    yearly = healthy(TIMES, 7) * (1 + 0.3 * np.sin(2 * np.pi * hours / 8766))
    christmas = np.where((TIMES >= "2025-12-22") & (TIMES < "2026-01-04"), 0.6, 1.0) * healthy(TIMES, 8)
    rounded = np.round(healthy(TIMES, 9, growth=0.0) / 20) * 20
    for name, values in {
        "nightly batch": batch,
        "sparse worker": worker,
        "bursts": bursty,
        "weekdays only": weekday,
        "yearly season": yearly,
        "christmas": christmas,
        "rounded": rounded,
    }.items():
        findings = check_quality(history(values, TIMES, service=name))
        assert quiet(findings), [str(finding) for finding in findings]


def test_days_and_five_minutes_are_healthy_too() -> None:
    days = pd.date_range("2024-01-01", periods=900, freq="D", tz="UTC")
    rng = np.random.default_rng(2)
    daily = (
        1000
        * np.exp(0.0007 * np.arange(900) + 0.05 * rng.standard_normal(900))
        * np.where(days.day_of_week > 4, 0.6, 1)
    )
    assert quiet(check_quality(history(daily, days)))
    fine = pd.date_range("2026-08-03", periods=288 * 28, freq="5min", tz="UTC")
    assert quiet(check_quality(history(healthy(fine), fine)))


def test_gaps_are_counted_with_the_longest_and_its_date() -> None:
    values = HEALTHY.copy()
    values[1000:1030] = np.nan
    values[2000] = np.nan
    finding = only(check_quality(history(values, TIMES)), "gaps")
    assert (finding.status, finding.count) == ("REVIEW", 31)
    assert (finding.start, finding.end) == (TIMES[1000], TIMES[1030])
    assert "31 of 8,760 intervals have no value (0.4%), in 2 gaps; the longest is 30 hours" in finding.message


def test_a_single_missing_hour_is_a_note_and_half_of_all_is_a_failure() -> None:
    values = HEALTHY.copy()
    values[1000] = np.nan
    assert [(f.check, f.status) for f in check_quality(history(values, TIMES))] == [
        ("missing", "PASS"),
        ("gaps", "PASS"),
    ][::-1]
    values[1000:5000] = np.nan
    assert only(check_quality(history(values, TIMES)), "gaps").status == "FAIL"


def test_an_outage_of_the_collector_is_said_once_for_the_fleet() -> None:
    services = []
    for number in range(5):
        values = healthy(TIMES, number)
        values[3000:3012] = np.nan
        services.append(history(values, TIMES, service=f"s{number}", cpu=values / 25))
    finding = only(check_quality(joined(*services)), "gaps")
    assert (finding.service, finding.start, finding.end) == ("", TIMES[3000], TIMES[3012])
    assert "5 of 5 services" in finding.message


@pytest.mark.parametrize(("days", "status"), [(1.5, "FAIL"), (5, "REVIEW"), (13.9, "REVIEW")])
def test_too_little_history_is_said(days: float, status: str) -> None:
    times = hourly(days)
    findings = check_quality(history(healthy(times), times, cpu=healthy(times, 1)))
    finding = only(findings, "short")
    assert finding.status == status
    assert finding.metric == ""
    assert "all 2 metrics" in finding.message
    assert quiet(check_quality(history(healthy(hourly(14)), hourly(14))))


def test_a_service_that_ended_long_ago_is_said() -> None:
    ended = history(HEALTHY[: -100 * 24], TIMES[: -100 * 24], service="old")
    late = history(HEALTHY[: -3 * 24], TIMES[: -3 * 24], service="late")
    findings = check_quality(joined(ended, late, history(HEALTHY, TIMES)))
    assert {finding.service: finding.status for finding in findings} == {"old": "FAIL", "late": "REVIEW"}
    assert "100 days before the fleet's last" in findings.about("old").items[0].message


def test_nothing_but_zeros_fails_unless_it_counts_errors() -> None:
    finding = only(check_quality(history(0 * HEALTHY, TIMES)), "zero")
    assert (finding.status, finding.count) == ("FAIL", len(TIMES))
    assert quiet(check_quality(history(HEALTHY, TIMES, errors=0 * HEALTHY)))


def test_negative_values_fail_with_the_lowest() -> None:
    values = HEALTHY.copy()
    values[[50, 70]] = -3.5, -1
    finding = only(check_quality(history(values, TIMES)), "negative")
    assert (finding.status, finding.start, finding.count) == ("FAIL", TIMES[50], 2)
    assert "-3.5 requests/s" in finding.message


def test_fractions_read_as_percent_are_asked_about() -> None:
    finding = only(check_quality(history(HEALTHY / 300, TIMES, metric="cpu_utilization")), "unit")
    assert 'unit="fraction"' in finding.advice


@pytest.mark.parametrize("every", [24, 24 * 7, 24 * 30])
def test_a_counter_read_as_a_rate_fails_with_its_resets(every: int) -> None:
    counter = np.concatenate([np.cumsum(part) for part in np.split(HEALTHY, range(every, len(HEALTHY), every))])
    finding = only(check_quality(history(counter, TIMES)), "resets")
    assert finding.status == "FAIL"
    assert finding.count == (len(TIMES) - 1) // every
    assert finding.start == TIMES[every]


def test_a_counter_that_never_starts_anew_fails() -> None:
    assert only(check_quality(history(np.cumsum(HEALTHY), TIMES)), "resets").status == "FAIL"


@pytest.mark.parametrize("level", [137.25, 0.0])
def test_a_frozen_value_is_found_with_its_dates(level: float) -> None:
    values = HEALTHY.copy()
    values[4000:4040] = level
    findings = check_quality(history(values, TIMES))
    finding = next(finding for finding in findings if finding.check == "flat")
    assert (finding.status, finding.start, finding.end, finding.count) == ("REVIEW", TIMES[4000], TIMES[4040], 40)
    assert "40 hours" in finding.message


def test_tasks_may_stand_still() -> None:
    assert quiet(check_quality(history(HEALTHY, TIMES, running_tasks=np.full(len(TIMES), 4.0))))


def test_an_impossible_value_fails_with_value_and_date() -> None:
    values = HEALTHY.copy()
    values[5000] *= 1e9
    finding = only(check_quality(history(values, TIMES)), "outliers")
    assert (finding.status, finding.start, finding.count) == ("FAIL", TIMES[5000], 1)
    assert f"{values[5000]:,.4g} requests/s at {TIMES[5000]:%Y-%m-%d %H:%M} UTC" in finding.message


@pytest.mark.parametrize("count", [14, 50, 400])
def test_an_impossible_value_fails_in_a_short_or_sparse_series(count: int) -> None:
    times = pd.date_range("2026-01-01", periods=count, freq="D", tz="UTC")
    values = np.where(np.arange(count) % 2, 5.0, 7.0)
    values[count // 2] = 5e9
    findings = check_quality(history(values, times))
    assert ("outliers", "FAIL") in {(finding.check, finding.status) for finding in findings}


def test_a_launch_far_above_its_hour_is_for_a_person_to_name() -> None:
    values = HEALTHY.copy()
    values[5000:5003] *= 12
    finding = only(check_quality(history(values, TIMES)), "outliers")
    assert (finding.status, finding.start, finding.end, finding.count) == ("REVIEW", TIMES[5000], TIMES[5003], 3)
    assert "event" in finding.advice


def test_an_outage_of_the_service_is_for_a_person_to_name() -> None:
    values = HEALTHY.copy()
    values[5010:5013] *= 0.01
    finding = only(check_quality(history(values, TIMES)), "outliers")
    assert (finding.status, finding.start, finding.end) == ("REVIEW", TIMES[5010], TIMES[5013])
    assert "far below" in finding.message


@pytest.mark.parametrize("factor", [0.5, 1.4, 3.0])
@pytest.mark.parametrize("day", [60, 200, 340])
def test_a_level_shift_is_found_within_two_days_with_its_size(factor: float, day: int) -> None:
    values = HEALTHY.copy()
    values[day * 24 :] *= factor
    finding = only(check_quality(history(values, TIMES)), "shift")
    assert finding.start is not None
    assert abs(finding.start - TIMES[day * 24]) <= pd.Timedelta(days=2)
    found = float(finding.message.split("(")[1].split("%")[0]) / 100 + 1
    assert found == pytest.approx(factor, rel=0.1)


def test_two_shifts_are_two_findings_and_an_episode_is_none() -> None:
    values = HEALTHY.copy()
    values[80 * 24 :] *= 2
    values[240 * 24 :] /= 1.8
    found = [finding for finding in check_quality(history(values, TIMES)) if finding.check == "shift"]
    assert [
        abs(f.start - TIMES[at * 24]) <= pd.Timedelta(days=2) for f, at in zip(found, (80, 240), strict=True) if f.start
    ]
    values = HEALTHY.copy()
    values[100 * 24 : 110 * 24] *= 1.6
    assert "shift" not in {finding.check for finding in check_quality(history(values, TIMES))}


def test_what_follows_the_requests_is_not_said_again() -> None:
    values = HEALTHY.copy()
    values[150 * 24 :] *= 2
    findings = check_quality(history(values, TIMES, cpu=values / 25, memory=6 + values / 50))
    assert only(findings, "shift").metric == "requests"


def test_a_rhythm_that_lives_by_a_local_clock_is_found_unless_the_service_says_so() -> None:
    clock = TIMES.tz_convert("Europe/Paris")
    hour = np.asarray(clock.hour, dtype=float)
    wave = (
        100
        * (1 + 0.5 * np.cos(2 * np.pi * (hour - 14) / 24))
        * np.exp(0.03 * np.random.default_rng(1).standard_normal(len(TIMES)))
    )
    past = history(wave, TIMES)
    found = [finding for finding in check_quality(past) if finding.check == "clock"]
    assert [f"{finding.start:%Y-%m-%d}" for finding in found] == ["2025-10-26", "2026-03-29"]
    assert "moved by +1.0 hours" in found[0].message
    assert "moved by -1.0 hours" in found[1].message
    assert "Europe/Paris" in found[0].advice
    assert quiet(check_quality(past, [Service(name="web", timezone="Europe/Berlin")]))
    assert not quiet(check_quality(past, [Service(name="web", timezone="Asia/Tokyo")]))


@pytest.mark.parametrize(("zone", "day"), [("Europe/Paris", "2026-03-29"), ("America/New_York", "2026-03-08")])
def test_local_time_written_as_utc_lacks_the_hour_that_clocks_skip(zone: str, day: str) -> None:
    times = pd.date_range("2025-11-10", periods=200 * 24, freq="h", tz="UTC")
    values = healthy(times)
    local = pd.DatetimeIndex([stamp.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for stamp in times]).tz_localize(
        "UTC"
    )
    kept = pd.DataFrame({"service": "web", "metric": "requests", "timestamp": local, "value": values})
    findings = check_quality(read(kept))
    [finding] = [finding for finding in findings if finding.check == "clock"]
    assert finding.start == pd.Timestamp(f"{day} 02:00", tz="UTC")
    assert finding.count == 1
    assert f'timezone="{zone}"' in finding.advice


def test_a_service_at_its_maximum_is_saturated_only_when_it_is_busy() -> None:
    tasks = np.clip(np.ceil(daily_wave(TIMES) / 10), 2, 12)
    service = Service(name="web", min_tasks=2, max_tasks=12, cpu_target=0.6)
    busy = history(
        HEALTHY, TIMES, running_tasks=tasks, cpu_utilization=np.where(tasks == 12, 85.0, 55.0) + HEALTHY / 1e3
    )
    finding = only(check_quality(busy, [service]), "saturation")
    assert (finding.metric, finding.status) == ("running_tasks", "REVIEW")
    assert finding.count == (tasks == 12).sum()
    assert f"{(tasks == 12).mean():.1%} of the time" in finding.message
    idle = history(HEALTHY, TIMES, running_tasks=tasks, cpu_utilization=np.full(len(TIMES), 20.0) + HEALTHY / 1e3)
    assert quiet(check_quality(idle, [service]))
    assert quiet(check_quality(busy))  # without the service, nothing is known of its maximum


def test_full_tasks_are_saturated_and_always_full_is_a_failure() -> None:
    use = np.minimum(HEALTHY, 100.0)
    share = (use >= 95).mean()
    finding = only(check_quality(history(use, TIMES, metric="cpu_utilization")), "saturation")
    assert finding.status == "REVIEW" if (use[-28 * 24 :] >= 95).mean() < 0.5 else "FAIL"
    assert f"{share:.1%} of the time" in finding.message
    pinned = 96 + HEALTHY / 100
    assert only(check_quality(history(pinned, TIMES, metric="memory_utilization")), "saturation").status == "FAIL"


def test_findings_say_when_how_much_and_what_to_do() -> None:
    values = HEALTHY.copy()
    values[100:140] = np.nan
    values[200] = 1e12
    values[3000:3100] = 5.0
    values[6000:] *= 3
    findings = check_quality(history(values, TIMES))
    assert {finding.check for finding in findings} >= {"gaps", "outliers", "flat", "shift"}
    for finding in findings:
        if finding.status != "PASS":
            assert finding.advice
            assert "202" in finding.message  # a date
            assert "nan" not in str(finding)
    assert list(findings.frame.columns)


def test_what_reading_found_stays_in_the_findings() -> None:
    values = HEALTHY.copy()
    values[7] = -1
    past = history(values, TIMES)
    assert [f.check for f in past.findings] == ["negative"]
    assert len([f for f in check_quality(past) if f.check == "negative"]) == 1


def test_a_fleet_is_checked_in_seconds() -> None:
    times = hourly(10_000 / 24)
    services = []
    for seed in range(4):
        more: dict[str, Any] = {
            metric: healthy(times, seed + 50, growth=0.0) * size / 150 for metric, size in list(SIZES.items())[1:]
        }
        services.append(history(healthy(times, seed), times, service=f"s{seed}", **more))
    fleet = joined(*services)
    start = time.process_time()
    findings = check_quality(fleet)
    assert time.process_time() - start < 4  # about half a second; the rest is for busy machines
    assert quiet(findings), [str(finding) for finding in findings]


@pytest.mark.parametrize("count", [2, 3, 5, 13])
@pytest.mark.parametrize("interval", ["5min", "1h", "1D", "7D"])
def test_a_few_values_never_break_a_check(count: int, interval: str) -> None:
    times = pd.date_range("2026-03-20", periods=count, freq=interval, tz="UTC")
    values = [0.0, 1.0, -1.0, 1e300, 5e-324]
    parts = [
        pd.DataFrame({"service": f"{value}", "metric": metric, "timestamp": times, "value": value})
        for value in values
        for metric in ("requests", "cpu_utilization")
    ]
    past = read(pd.concat(parts, ignore_index=True), interval_seconds=int((times[1] - times[0]).total_seconds()))
    findings = check_quality(past, [Service(name=f"{value}") for value in values])
    assert "nan" not in " ".join(map(str, findings))


def test_hours_and_the_minutes_after_them_are_one_line() -> None:
    """As CloudWatch keeps it; a gap among the minutes is seen, though the interval of the line is an hour."""
    hours = pd.date_range("2026-06-01", periods=30 * 24, freq="h", tz="UTC")
    minutes = pd.date_range(hours[-1] + pd.Timedelta("1h"), periods=14 * 1440, freq="min", tz="UTC")
    kept = np.ones(len(minutes), dtype=bool)
    kept[3 * 1440 : 3 * 1440 + 600] = False
    rows = pd.concat(
        [
            pd.DataFrame({"timestamp": hours, "value": daily_wave(hours), "interval": 3600}),
            pd.DataFrame({"timestamp": minutes, "value": daily_wave(minutes), "interval": 60})[kept],
        ]
    )
    history = read(rows.assign(service="web", metric="cpu_utilization", stat="mean"))
    (line,) = lines_of(history)
    assert (line.interval, len(line.values)) == (pd.Timedelta("1h"), 44 * 24)
    assert np.flatnonzero(np.isnan(line.values)).tolist() == list(range(33 * 24, 33 * 24 + 10))
    np.testing.assert_allclose(line.values[:720], daily_wave(hours))
    means = daily_wave(minutes).reshape(-1, 60).mean(axis=1)
    np.testing.assert_allclose(line.values[720:][line.finite[720:]], means[line.finite[720:]])
    (gap,) = [finding for finding in check_quality(history) if finding.check == "gaps"]
    assert (gap.status, gap.count) == ("REVIEW", 10)


def test_who_fetches_once_a_month_has_no_gaps_where_there_are_five_minutes() -> None:
    """Young at the first fetch: minutes, then five minutes, then minutes of the two weeks before the second."""
    start = pd.Timestamp("2026-06-01", tz="UTC")
    stretches = [("min", 0, 14, 60), ("5min", 14, 30, 300), ("min", 30, 45, 60)]
    parts = []
    for freq, first, last, seconds in stretches:
        days = (start + pd.Timedelta(days=day) for day in (first, last))
        times = pd.date_range(*days, freq=freq, inclusive="left")
        parts.append(pd.DataFrame({"timestamp": times, "value": healthy(times), "interval": seconds}))
    history = read(pd.concat(parts).assign(service="web", metric="requests", stat="mean"))
    (line,) = lines_of(history)
    assert (line.interval, line.length) == (pd.Timedelta("5min"), pd.Timedelta(days=45))
    assert line.finite.all()
    assert quiet(check_quality(history))
    demand = estimate_demand(history)
    assert demand.interval == pd.Timedelta("5min")
    assert np.isfinite(demand.values).all()


def test_minutes_in_which_nobody_asked_are_no_gaps() -> None:
    minutes = pd.date_range("2026-08-03", periods=3 * 1440, freq="min", tz="UTC")
    asked = minutes[::4]
    parts = [
        pd.DataFrame({"timestamp": asked, "metric": "requests", "value": 1.0 + asked.hour}),
        pd.DataFrame({"timestamp": minutes, "metric": "running_tasks", "value": 2.0 + minutes.hour % 3}),
    ]
    rows = pd.concat(parts).assign(service="web", stat="mean", interval=60, fetched_at=minutes[-1])
    for source, gaps in (("cloudwatch:eu-west-1/shop", 0), ("files:usage.csv", 1)):
        series = Asked(source, "web", "requests", "mean", 60)
        answered = Coverage.of([(series, Span(minutes[0], minutes[-1]))])
        found = check_quality(replace(read(rows.assign(source=source)), answered=answered))
        assert len([finding for finding in found if finding.check == "gaps"]) == gaps


def test_a_service_without_errors_of_late_is_neither_stale_nor_short_of_history() -> None:
    """CloudWatch reports errors only where there were some: one bad hour in spring is no broken collector."""
    errors = np.where((TIMES >= TIMES[100]) & (TIMES < TIMES[102]), 0.5, np.nan)
    assert quiet(check_quality(history(HEALTHY, TIMES, errors=errors)))
    ended = history(HEALTHY[:-500], TIMES[:-500], service="old", cpu=HEALTHY[:-500], errors=errors[:-500])
    finding = only(check_quality(joined(ended, history(HEALTHY, TIMES))), "stale")
    assert (finding.service, finding.metric) == ("old", "")
    assert finding.message.startswith("2 metrics: ")


def test_a_minute_with_latency_speaks_for_its_hour() -> None:
    """Of a service that is asked every seventh minute; the hours before the minutes are known as hours."""
    hours = pd.date_range("2026-06-01", periods=30 * 24, freq="h", tz="UTC")
    minutes = pd.date_range(hours[-1] + pd.Timedelta("1h"), periods=14 * 1440, freq="min", tz="UTC")[::7]
    parts = [
        pd.DataFrame({"timestamp": times, "value": 0.2 + 0.001 * np.sin(np.arange(len(times))), "interval": seconds})
        for times, seconds in ((hours, 3600), (minutes, 60))
    ]
    sparse = read(pd.concat(parts).assign(service="web", metric="latency", stat="mean"))
    (line,) = lines_of(sparse)
    assert (line.interval, line.finite.sum()) == (pd.Timedelta("1h"), 44 * 24)
    steady = daily_wave(minutes := pd.date_range(hours[0], minutes[-1], freq="min", tz="UTC"))
    requests = read(pd.DataFrame({"timestamp": minutes, "value": steady, "service": "web", "metric": "requests"}))
    assert quiet(check_quality(joined(sparse, requests)))


def test_bills_are_not_checked_as_if_they_were_measurements() -> None:
    """No Spot is no missing data, a reservation stands still, a refund is below zero, and none of it is planned by."""
    days = pd.date_range(TIMES[0], periods=91, freq="D")
    refunded = np.where(days == days[40], -3.0, 1.2)
    bill = history(refunded, days, "cost", billed_vcpu=np.full(91, 3.0), billed_vcpu_spot=np.zeros(91))
    untagged = history(np.full(91, 0.9), days, "commitment_coverage", service="(account)")
    found = joined(history(HEALTHY, TIMES), bill, untagged)
    assert quiet(found.findings)
    assert quiet(check_quality(found))
    assert quiet(check_quality(untagged))


def test_an_hour_without_requests_has_no_latency_and_that_is_no_gap_to_worry_about() -> None:
    hours = pd.date_range("2026-08-03", periods=21 * 24, freq="h", tz="UTC")
    awake = (hours.hour >= 7) & (hours.hour < 19)
    rows = pd.DataFrame({"timestamp": hours[awake], "value": 0.2, "service": "web"})
    for metric, status in (("latency", "PASS"), ("cpu", "FAIL")):
        found = check_quality(read(rows.assign(metric=metric)))
        assert [finding.status for finding in found if finding.check == "gaps"] == [status]
