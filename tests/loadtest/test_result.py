"""A load test draws its sampling error, shows itself, and refuses what it cannot answer."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import capacity
from capacity import charts
from capacity.errors import InputError
from capacity.loadtest import pictures
from capacity.loadtest.reading import read
from capacity.loadtest.result import LoadTest

from . import runs

KINDS: tuple[Literal["time", "curve"], ...] = ("time", "curve")
SAMPLE = Path(capacity.__file__).parents[1] / "data" / "samples" / "load-tests" / "one-task.jtl.gz"


@pytest.fixture(scope="module")
def sample() -> LoadTest:
    return read(SAMPLE)


def one_step(tmp_path: Path, seed: int, slow: float = 0.0, seconds: float = 80) -> LoadTest:
    """Independent lognormal latencies; with `slow`, the service has slow stretches of eight seconds."""
    rng = np.random.default_rng(seed)
    arrivals = runs.poisson(50, seconds, rng)
    factor = 1 + slow * (rng.random(int(seconds / 8) + 1) < 0.5)
    took = runs.lognormal(len(arrivals), rng) * factor[(arrivals // 8).astype(int)]
    return read(runs.written(runs.run(arrivals, took), tmp_path / "run.jtl"))


def test_the_same_seed_gives_the_same_draws_and_another_others(sample: LoadTest) -> None:
    one, again, other = (sample.resampled(3, 0.95, draws=50, seed=seed) for seed in (1, 1, 2))
    assert one.shape == (50,)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_draws_lie_around_the_quantile_of_the_step(sample: LoadTest) -> None:
    for step in sample.steps.itertuples():
        draws = sample.resampled(step.step, 0.95, draws=200)
        assert np.quantile(draws, 0.005) <= step.p95_ms <= np.quantile(draws, 0.995)


def test_the_spread_of_draws_is_that_of_repeated_tests(tmp_path: Path) -> None:
    """The standard error of 12 tests against the mean bootstrap's, where neighbours are independent."""
    tests = [one_step(tmp_path, seed) for seed in range(12)]
    truth = np.std([test.steps["p95_ms"].iloc[0] for test in tests], ddof=1)
    claimed = np.mean([test.resampled(1, 0.95, draws=100).std() for test in tests[:4]])
    assert claimed == pytest.approx(truth, rel=0.5)


def test_slow_stretches_widen_the_interval_as_drawing_single_requests_would_not(tmp_path: Path) -> None:
    test = one_step(tmp_path, 1, slow=0.6)
    cells = test.cells
    assert cells is not None
    values = np.repeat(cells.latencies, cells.counts)
    rng = np.random.default_rng(0)
    single = np.std([np.quantile(rng.choice(values, len(values)), 0.5) for _ in range(100)])
    assert test.resampled(1, 0.5, draws=200).std() > 2.5 * single


def test_a_step_of_a_few_seconds_still_has_a_spread(tmp_path: Path) -> None:
    assert one_step(tmp_path, 2, seconds=9).resampled(1, 0.95, draws=50).std() > 0


@pytest.mark.parametrize(
    ("step", "quantile", "draws", "words"),
    [
        (0, 0.95, 10, "there is no step 0"),
        (9, 0.95, 10, "steps 1 to 8"),
        (1, 95.0, 10, "0.95 is the 95th percentile"),
        (1, 0.0, 10, "between 0 and 1"),
        (1, 0.95, 0, "draws has to be at least 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(sample: LoadTest, step: int, quantile: float, draws: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        sample.resampled(step, quantile, draws)


def test_a_step_in_which_all_failed_has_no_latency_to_draw(tmp_path: Path) -> None:
    arrivals = runs.poisson(20, 30, np.random.default_rng(0))
    frame = runs.run(arrivals, np.full(len(arrivals), 0.01), failed=np.ones(len(arrivals)))
    test = read(runs.written(frame, tmp_path / "run.jtl"))
    assert np.isnan(test.steps["p95_ms"].iloc[0])
    with pytest.raises(InputError, match="nothing succeeded"):
        test.resampled(1, 0.95)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    n=st.sampled_from([1, 2, 10, 300]),
    seconds=st.sampled_from([0.0, 3.0, 40.0, 10**5]),
    slowest=st.sampled_from([0.0, 0.1, 200.0]),
)
def test_any_rows_give_a_test_that_adds_up(tmp_path: Path, seed: int, n: int, seconds: float, slowest: float) -> None:
    rng = np.random.default_rng(seed)
    frame = runs.run(
        rng.random(n) * seconds,
        rng.random(n) * slowest,
        label=rng.choice(["a", "Total", "step 5rps"], n),
        group=rng.choice(["N3", "load 10rps", ""], n),
        failed=rng.random(n) < rng.choice([0, 0.1, 1]),
        users=rng.integers(0, 9, n),
    )
    test = read(runs.written(frame, tmp_path / "run.jtl"))
    assert test.timeline["completions"].sum() == test.timeline["arrivals"].sum() == n
    assert test.errors["errors"].sum() == test.summary.loc["Total", "errors"] == (~frame["success"]).sum()
    assert test.steps["samples"].sum() <= n
    assert (test.steps["p50_ms"].fillna(0) <= test.steps["p95_ms"].fillna(0)).all()
    assert test.steps["step"].tolist() == [*range(1, len(test.steps) + 1)]
    assert str(test) and test._repr_html_()


def test_it_shows_itself_in_words_and_as_a_page(sample: LoadTest, tmp_path: Path) -> None:
    words = str(sample)
    assert words.startswith("Load test: 22,659 requests, 0.00% failed, 141.3 per second, p95 325 ms, 8 load points")
    assert "step05 170rps" in words
    assert "one-task.jtl.gz" in repr(sample)
    arrivals = np.arange(30) / 10
    evil = runs.run(arrivals, np.full(30, 0.01), label="<script>alert(1)</script>", group="<img src=x>")
    page = read(runs.written(evil, tmp_path / "run.jtl"))._repr_html_()
    assert "<script>" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("kind", ["time", "curve"])
def test_its_pictures_are_drawn_the_same_each_time(sample: LoadTest, kind: str) -> None:
    draw = pictures.course if kind == "time" else pictures.latencies
    assert draw(sample) == draw(read(SAMPLE))
    svg = charts.to_svg(draw(sample))
    assert ("p95 ms (right)" if kind == "time" else "requests/s answered") in svg


def test_plot_gives_a_chart_and_refuses_another_kind(sample: LoadTest) -> None:
    assert "vega-lite" in str(sample.plot("curve").to_dict()["$schema"])
    assert sample.plot().to_dict()["layer"]
    with pytest.raises(InputError, match="no plot 'pie'"):
        sample.plot("pie")  # type: ignore[arg-type]


def test_a_picture_of_nothing_is_refused(tmp_path: Path) -> None:
    frame = runs.run(np.arange(30) / 10, np.full(30, 0.02))
    frame["responseMessage"] = "Number of samples in transaction : 2, number of failing samples : 0"
    test = read(runs.written(frame, tmp_path / "run.jtl"))
    for kind in KINDS:
        with pytest.raises(InputError, match="nothing to draw"):
            test.plot(kind)
