"""The judge of forecasts: it keeps the split, counts what failed, and reads what it was given."""

from __future__ import annotations

import doctest
import sys
from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.forecast import m4, naive, peers, peers_worker, scoring, speed, tables
from benchmarks.forecast.tasks import LEVELS, REPORTING, TASKS, TUNING, WEB, Answer, Window, cutoffs, windows
from capacity.errors import InputError

TASK = replace(TASKS["hourly/168"], horizon=48, season=24)


def window(actual: np.ndarray, *, days: int = 30, series: str = "nab_aws_sample/web") -> Window:
    hours = pd.date_range("2026-03-02", periods=24 * days, freq="h", tz="UTC")
    past = 100 + 40 * np.sin(np.arange(len(hours)) / 24 * 2 * np.pi) + np.random.default_rng(1).normal(0, 5, len(hours))
    return Window(TASK, series.split("/")[0], series, pd.Series(past, index=hours), actual)


ACTUAL = 100 + np.random.default_rng(0).normal(0, 40, 48)
FAN = Answer(np.array([20.0, 40, 100, 140, 160, 180])[:, None] + np.zeros(48), 190.0, 0.25)


@pytest.mark.parametrize("name", ["tasks", "naive", "scoring", "tables"])
def test_the_examples_of_the_benchmark_hold(name: str) -> None:
    tried = doctest.testmod(import_module(f"benchmarks.forecast.{name}"))
    assert tried.attempted and not tried.failed


@given(
    length=st.integers(1, 30_000),
    task=st.sampled_from(list(TASKS.values())),
    origins=st.integers(1, 9),
    own=st.booleans(),
)
def test_what_is_reported_was_never_tuned_on(length: int, task: object, origins: int, own: bool) -> None:
    assert isinstance(task, type(TASK))
    tuned = cutoffs(length, task, origins, own=own, tune=True)
    reported = cutoffs(length, task, origins, own=own, tune=False)
    for places, end in ((tuned, length if own else int(0.7 * length)), (reported, length)):
        assert len(places) <= origins
        assert all(task.shortest <= place <= end - task.horizon for place in places)
        assert all(later - earlier >= task.horizon for earlier, later in pairwise(places))
    assert not (own and reported)
    assert all(place >= round(0.7 * length) for place in reported)


def test_every_set_is_on_one_side_of_the_split_and_the_tasks_name_no_other() -> None:
    assert not {*TUNING} & {*REPORTING}
    assert {name for task in TASKS.values() for name in task.sets} == {*TUNING, *REPORTING}
    assert {*WEB} <= {*TUNING, *REPORTING}


def test_windows_show_nothing_after_the_cutoff_and_keep_gaps(tmp_path: Path) -> None:
    minutes = pd.date_range("2026-03-02", periods=20 * 288, freq="5min", tz="UTC")
    table = pd.DataFrame({"series_id": "a", "timestamp": minutes, "value": np.arange(len(minutes)) * 1.0})
    (tmp_path / "nab_aws_sample").mkdir()
    kept = ~((minutes.day == 12) & (minutes.hour == 5))
    table[kept].to_csv(tmp_path / "nab_aws_sample" / "data.csv.gz", index=False)
    task = replace(TASKS["hourly/168"], sets=("nab_aws_sample",), horizon=100)
    first, last = windows(task, tmp_path, tune=True)
    assert len(last.past) == 380 and last.cutoff == pd.Timestamp("2026-03-17 20:00", tz="UTC")
    assert last.past.iloc[-1] < last.actual[0] < last.actual[-1] == np.arange(len(minutes))[-12:].mean()
    assert last.past.isna().sum() == 1 and np.isfinite(last.filled).all()
    assert first.cutoff + 100 * pd.Timedelta("1h") <= last.cutoff
    assert not list(windows(task, tmp_path, tune=False))


def test_a_row_is_what_a_plain_count_says() -> None:
    actual = ACTUAL.copy()
    actual[30] = np.nan
    row = scoring.scored(window(actual), "m", FAN, naive_wql=0.5)
    low, _, middle, _, high, highest = (row[0] for row in FAN.quantiles)
    known = [value for value in actual if value == value]
    losses = [
        max(level * (value - said[0]), (level - 1) * (value - said[0]))
        for value in known
        for level, said in zip(LEVELS, FAN.quantiles, strict=True)
    ]
    assert row["wql"] == pytest.approx(2 * sum(losses) / len(LEVELS) / sum(map(abs, known)))
    assert row["relative"] == pytest.approx(row["wql"] / 0.5)
    assert row["seen"] == 47 and row["seen1"] == 24 and row["seen7"] == 0
    assert row["inside"] == sum(low <= value <= high for value in known)
    assert row["above95"] == sum(value > high for value in known)
    assert row["above991"] == sum(value > highest for value in known[:24])
    assert row["peak"] == float(max(known) > 190)
    past = window(actual).past.to_numpy()
    assert row["mase"] == pytest.approx(
        np.mean(np.abs(np.array(known) - middle)) / np.abs(past[24:] - past[:-24]).mean()
    )


def test_daily_leads_are_weeks_that_end_with_the_day() -> None:
    daily = replace(window(np.ones(91)), task=TASKS["daily/91"])
    assert [int(scoring.days_ahead(daily, day).sum()) for day in scoring.DAYS] == [1, 7, 7, 7]
    assert np.flatnonzero(scoring.days_ahead(daily, 28)).tolist() == list(range(21, 28))


def test_a_model_that_failed_is_counted_and_shown_not_dropped() -> None:
    tests = [window(ACTUAL), window(ACTUAL + 5, series="bike_hourly/b")]
    broken = Answer(np.full((6, 48), np.nan), np.nan, 0.1, "ValueError: no")
    rows = scoring.score(tests, {(0, "good"): FAN, (1, "good"): FAN, (0, "bad"): FAN, (1, "bad"): broken})
    best = tables.accuracy(rows).set_index("model")
    assert best.loc["bad", ["tests", "failed"]].tolist() == [2, 1]
    assert best.loc["good", ["tests", "failed"]].tolist() == [2, 0]
    assert best.loc["bad", "web"] == best.loc["good", "web"] and np.isnan(best.loc["bad", "stand-ins"])
    shares = tables.tails(rows, ["good", "bad"]).set_index("model")
    assert shares.loc["good", "90 % covers"] == pytest.approx(100 * ((ACTUAL >= 20) & (ACTUAL <= 160)).mean(), abs=10)
    assert "1.000" in tables.beside(rows, "good", "bad") and "1 tests of 1 series" in tables.beside(rows, "good", "bad")
    lost = scoring.score(tests, {(0, "bad"): broken, (1, "bad"): broken})
    assert tables.accuracy(lost).loc[0, ["tests", "failed"]].tolist() == [2, 2]
    assert list(tables.tails(lost, ["bad"])) == ["model"]
    assert " - " in tables.printed(tables.by_set(rows, ["good", "bad"])) + " "


def test_windows_of_one_series_do_not_make_an_interval_narrower() -> None:
    rng = np.random.default_rng(3)
    ratios = pd.Series(np.exp(rng.normal(-0.3, 0.4, 12)))
    names = pd.Series(np.arange(12))
    repeated = pd.concat([ratios] * 5, ignore_index=True), pd.concat([names] * 5, ignore_index=True)
    assert tables.interval(*repeated) == pytest.approx(tables.interval(ratios, names))
    low, high = tables.interval(ratios, names)
    assert low < tables.geometric(ratios) < high
    assert np.isnan(tables.interval(ratios, names * 0)).all()


def test_peers_are_asked_in_a_process_of_their_own_once_and_what_fails_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPACITY_PEERS", str(tmp_path))
    peers.python().parent.mkdir(parents=True)
    peers.python().write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    peers.python().chmod(0o755)
    tests = [window(ACTUAL)]
    assert peers.answers(tests, ["nobody"], ask=False) == {}
    said = peers.answers(tests, ["nobody"], ask=True)[0, "nobody"]
    assert said.error == "KeyError: 'nobody'" and np.isnan(said.quantiles).all() and said.quantiles.shape == (6, 48)
    peers.python().unlink()
    assert peers.answers(tests, ["nobody"], ask=True)[0, "nobody"].error == said.error  # from the disk
    assert peers.answers([window(ACTUAL, days=31)], ["nobody"], ask=False) == {}  # another past, another question


def test_an_answer_that_is_not_finite_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(peers_worker.PEERS, "odd", lambda _: peers_worker.Answer(np.full((6, 2), np.inf)))
    found = peers_worker.answered("odd", peers_worker.Question(np.ones(9), "1h", 2, 3, "2026-03-02T00:00"))
    assert found["error"] == "12 of 12 quantiles are not finite" and np.isnan(found["quantiles"]).all()
    assert {"AutoETS", "FLAIR"} <= {*peers.peers_for("1h")} and "AutoARIMA" not in peers.peers_for("1h")


def m4_files(folder: Path, *, test_values: int = 48) -> None:
    known = [["H1", *range(1, 101), *[""] * 20], ["H2", *(n % 24 + 1 for n in range(120))]]
    actual = [["H1", *range(101, 101 + test_values)], ["H2", *(n % 24 + 1 for n in range(120, 120 + test_values))]]
    for part, lines in (("train", known), ("test", actual)):
        head = [f"V{column + 1}" for column in range(len(lines[-1]))]
        text = [",".join(f'"{value}"' if value != "" else "" for value in line) for line in [head, *lines]]
        (folder / f"Hourly-{part}.csv").write_text("\n".join(text) + "\n", encoding="utf-8")


def test_m4_is_read_in_the_competition_s_layout_and_scored_its_way(tmp_path: Path) -> None:
    m4_files(tmp_path)
    ramp, wave = m4.windows(tmp_path)
    assert (ramp.series, len(ramp.past), ramp.past.iloc[-1], ramp.actual[0]) == ("H1", 100, 100.0, 101.0)
    said = naive.answer(ramp)
    assert scoring.mase(ramp.actual, said.quantiles[scoring.P50], ramp.past.to_numpy(), 24) == pytest.approx(1.5)
    assert naive.answer(wave).quantiles == pytest.approx(np.tile(wave.actual, (6, 1)))  # repeats itself: no spread
    row = m4.table([ramp], {(0, "naive"): said}).iloc[0]
    assert row["MASE"] == pytest.approx(1.5) and row["WQL"] == pytest.approx(scoring.wql(ramp.actual, said.quantiles))


def test_m4_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no Hourly-train\.csv"):
        m4.windows(tmp_path)
    m4_files(tmp_path, test_values=47)
    with pytest.raises(InputError, match="H1 has 100 values to learn from and 47 to test"):
        m4.windows(tmp_path)
    (tmp_path / "Hourly-test.csv").write_text('"V1","V2"\n"H1","3"\n', encoding="utf-8")
    with pytest.raises(InputError, match="not in both files: H2"):
        m4.windows(tmp_path)


def test_the_generated_fleet_is_the_same_every_time_and_looks_like_service_load() -> None:
    table = speed.fleet(3)
    assert table.shape == (26 * 168, 3) and table.equals(speed.fleet(3)) and (table > 0).all(axis=None)
    by_hour = table.groupby(table.index.hour).median()
    assert ((by_hour.max() / by_hour.min()).between(1.7, 7)).all()
