"""The whole loop with a real JMeter: a plan is written, run against a bounded server, read back, and compared."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import capacity.loadtest
from capacity.loadtest import LoadTest
from capacity.loadtest.generate import Header, LoadPlan, Slo, Stage
from capacity.loadtest.generate.jmx import NO_TARGET
from tests.loadtest.generate import jmeter
from tests.loadtest.generate.bounded import Asked, bounded
from tests.loadtest.generate.hostile import EVIL_BODY, EVIL_HEADER, EVIL_LABEL, MIX, PLAIN_BODY

#: Long enough to be told apart and to outlast the start of threads, short enough for every run of the tests.
STAGES = (Stage(1, "hold", 40, 8), Stage(2, "hold", 80, 8))


def short_plan() -> LoadPlan:
    return LoadPlan(
        stages=STAGES,
        mix=MIX,
        slo=Slo(ms=100),
        peak_per_s=80,
        tasks=1,
        planned=1,
        claimed=80,
        headers=(Header(name="X-Test", value=EVIL_HEADER),),
        service="shop ${__P(host)}",
    )


def driven(folder: Path) -> tuple[LoadTest, Counter[Asked]]:
    """What JMeter says it did, and what the server says."""
    folder.mkdir()
    short_plan().write(folder / "plan")
    with bounded() as (port, asked):
        target = ("-Jhost=127.0.0.1", f"-Jport={port}", "-Jprotocol=http")
        jmeter.run(folder / "plan" / "loadtest.jmx", folder / "results.jtl", *target)
    return capacity.loadtest.read(folder / "results.jtl"), asked


def missed(test: LoadTest) -> dict[str, float]:
    """Stages whose rate is more than 5 % off, with what they came to."""
    steps = test.steps.set_index("group").reindex([stage.name for stage in STAGES])  # one that was not found is NaN
    return {
        stage.name: float(steps.loc[stage.name, rate])
        for stage in STAGES
        for rate in ("arrivals_per_s", "throughput_per_s")
        if not abs(steps.loc[stage.name, rate] / stage.rate - 1) <= 0.05
    }


def test_a_generated_plan_drives_the_rates_it_says_and_its_results_read_back_to_them(tmp_path: Path) -> None:
    jmeter.command()  # skips, or fails in CI, before anything is started
    test, asked = driven(tmp_path / "once")
    if missed(test):  # generator and server share this machine's cores with other tests, which may have held them up
        test, asked = driven(tmp_path / "again")

    # the stages come back by their names, and each drove what it asked for
    assert list(test.steps["group"]) == [stage.name for stage in STAGES]
    assert list(test.steps["asked_per_s"]) == [stage.rate for stage in STAGES]
    assert missed(test) == {}

    # nothing lost, nothing told twice: the results hold what the server was asked, label by label
    served: Counter[str] = Counter()
    for came, count in asked.items():
        served[came.method] += count
    assert {label: test.summary.loc[label, "samples"] for label in ("GET /cart", EVIL_LABEL, "PUT \\$ back")} == {
        "GET /cart": served["GET"],
        EVIL_LABEL: served["POST"],
        "PUT \\$ back": served["PUT"],
    }
    total = test.summary.loc["Total"]
    assert (total["requests"], total["errors"]) == (asked.total(), 0)

    # what was meant as text came as text, to the letter
    assert set(asked) == {
        Asked("GET", "/cart?size=2&x=%7B%22a%22%7D", "", "", EVIL_HEADER),
        Asked("POST", "/b/%C3%BC%20$%7B__P(host)%7D", EVIL_BODY, "application/json", EVIL_HEADER),
        Asked("PUT", "/c", PLAIN_BODY, "text/plain", EVIL_HEADER),
    }
    for request in MIX:  # at the end of a stage each thread leaves out what was still to come in its round
        assert served[request.method] / asked.total() == pytest.approx(request.share / 100, abs=0.03)


def test_a_plan_that_is_told_no_host_fails_at_once_and_says_why(tmp_path: Path) -> None:
    jmeter.command()
    short_plan().write(tmp_path / "plan")
    said = jmeter.run(tmp_path / "plan" / "loadtest.jmx", tmp_path / "results.jtl")
    assert "Err:     1 (100.00%)" in said
    rows = (tmp_path / "results.jtl").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 2, "a header and one row: nothing else was driven"
    assert NO_TARGET in rows[1]
    assert "UnknownHostException" in rows[1]
