"""Any file, several files, a folder: what they tell is read once, and what cannot be read is refused in words."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from capacity.errors import InputError
from capacity.loadtest.reading import read
from capacity.loadtest.result import LoadTest

from . import runs


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    arrivals = runs.poisson(60, 40, rng)
    return runs.run(
        arrivals,
        runs.lognormal(len(arrivals), rng),
        label=rng.choice(["GET /", "POST /cart"], len(arrivals), p=[0.8, 0.2]),
        failed=rng.random(len(arrivals)) < 0.02,
        users=7,
    )


def test_the_summary_is_that_of_pandas(frame: pd.DataFrame, tmp_path: Path) -> None:
    test = read(runs.written(frame, tmp_path / "run.jtl"))
    parts = {str(label): part for label, part in frame.groupby("label", sort=False)} | {"Total": frame}
    assert test.summary.index.tolist() == [*parts]
    assert test.summary.index.name == "label"
    for label, part in parts.items():
        row = test.summary.loc[label]
        seconds = ((part["timeStamp"] + part["elapsed"]).max() - part["timeStamp"].min()) / 1000
        assert (row["samples"], row["errors"]) == (len(part), (~part["success"]).sum())
        assert row["requests"] == len(part)
        assert row["mean_ms"] == pytest.approx(part["elapsed"].mean())
        assert (row["min_ms"], row["max_ms"]) == (part["elapsed"].min(), part["elapsed"].max())
        assert row["throughput_per_s"] == pytest.approx(len(part) / seconds)
        for level, name in ((0.5, "p50_ms"), (0.9, "p90_ms"), (0.95, "p95_ms"), (0.99, "p99_ms")):
            assert row[name] == pytest.approx(np.quantile(part["elapsed"], level, method="weibull"))


def test_the_summary_is_that_of_jmeters_own_report() -> None:
    """480 rows: transactions, pages, redirects, failures. Its `Total` adds pages to their requests; ours does not."""
    data = Path(__file__).parent / "data" / "jmeter"
    theirs = json.loads((data / "variants-v5.csv.statistics.json").read_text())
    summary = read(data / "variants-v5.csv.jtl.gz").summary
    assert set(summary.index) == set(theirs)
    for label, told in theirs.items():
        row = summary.loc[label]
        if label != "Total":
            names = ["sampleCount", "errorCount", "minResTime", "maxResTime", "meanResTime", "medianResTime"]
            names += ["pct1ResTime", "pct2ResTime", "pct3ResTime", "throughput"]
            ours = ["samples", "errors", "min_ms", "max_ms", "mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms"]
            assert row[[*ours, "throughput_per_s"]].tolist() == pytest.approx([told[name] for name in names])
    assert (theirs["Total"]["sampleCount"], summary.loc["Total", "samples"]) == (420, 360)
    assert summary.loc["Total", "errors"] == theirs["Total"]["errorCount"] == 90


def test_a_log_that_went_through_pandas_with_its_index_is_the_same_test(frame: pd.DataFrame, tmp_path: Path) -> None:
    frame.to_csv(tmp_path / "indexed.csv")
    plain, indexed = read(runs.written(frame, tmp_path / "run.jtl")), read(tmp_path / "indexed.csv")
    pd.testing.assert_frame_equal(indexed.summary, plain.summary)


def test_failures_are_told_by_label_and_outcome(frame: pd.DataFrame, tmp_path: Path) -> None:
    errors = read(runs.written(frame, tmp_path / "run.jtl")).errors
    failed = frame[~frame["success"]].groupby(["label", "responseCode"]).size()
    assert {(row.label, row.outcome): row.errors for row in errors.itertuples()} == failed.to_dict()
    for row in errors.itertuples():
        assert row.share == pytest.approx(row.errors / (frame["label"] == row.label).sum())


def test_packed_or_not_the_test_is_the_same(frame: pd.DataFrame, tmp_path: Path) -> None:
    plain = runs.written(frame, tmp_path / "run.jtl")
    packed = tmp_path / "run.jtl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    same(read(plain), read(packed))


def same(one: LoadTest, other: LoadTest) -> None:
    pd.testing.assert_frame_equal(one.summary, other.summary)
    pd.testing.assert_frame_equal(one.steps, other.steps)
    pd.testing.assert_frame_equal(one.timeline, other.timeline)


def test_files_of_several_generators_are_one_test_with_their_users_summed(frame: pd.DataFrame, tmp_path: Path) -> None:
    whole = read(runs.written(frame, tmp_path / "run.jtl"))
    parts = [runs.written(frame.iloc[n::2], tmp_path / f"kpi-{n}.jtl") for n in range(2)]
    both = read(parts)
    pd.testing.assert_frame_equal(both.summary, whole.summary)
    assert both.steps["users"].tolist() == [14.0]
    assert whole.steps["users"].tolist() == [7.0]
    columns = ["throughput_per_s", "in_flight", "p95_ms", "dispersion"]
    pd.testing.assert_frame_equal(both.steps[columns], whole.steps[columns])


def test_a_folder_takes_what_it_knows_and_prefers_requests_to_summaries(frame: pd.DataFrame, tmp_path: Path) -> None:
    whole = read(runs.written(frame, tmp_path / "kpi.jtl"))
    folder = tmp_path / "artifacts"
    folder.mkdir()
    runs.written(frame.iloc[::2], folder / "kpi-1.jtl")
    runs.written(frame.iloc[1::2], folder / "kpi-2.jtl")
    runs.written(frame[~frame["success"]], folder / "error.jtl")
    header = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time"
    header += ",Max Response Time,Average Content Size,Requests/s,Failures/s"
    header += ",50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%"
    row = "GET,/,10,0,10,10,1,90,0,1.0,0.0" + ",10" * 11
    (folder / "run_stats.csv").write_text(f"{header}\n{row}\n{row.replace('GET,/', ',Aggregated')}\n")
    (folder / "notes.txt").write_text("ran on Tuesday")
    (folder / "style.css").write_text("timeStamp,elapsed,label\n")
    (folder / "empty.jtl").touch()
    (folder / "cut.jtl.gz").write_bytes(b"\x1f\x8b\x08\x00")
    test = read(folder)
    pd.testing.assert_frame_equal(test.summary, whole.summary)
    (aside,) = [finding for finding in test.findings if finding.check == "left aside"]
    assert "run_stats.csv" in aside.message
    assert "error.jtl" in aside.message
    assert "cut.jtl.gz (cannot be opened)" in aside.message
    assert test.files == ("kpi-1.jtl (JMeter CSV)", "kpi-2.jtl (JMeter CSV)")


def test_the_same_run_twice_in_a_folder_is_counted_once(frame: pd.DataFrame, tmp_path: Path) -> None:
    plain = runs.written(frame, tmp_path / "a.jtl")
    whole = read(plain)
    (tmp_path / "b.jtl.gz").write_bytes(gzip.compress(plain.read_bytes()))
    test = read(tmp_path)
    same(test, whole)
    assert "b.jtl.gz" in str([finding for finding in test.findings if finding.check == "told twice"])


def test_a_file_of_a_folder_that_cannot_be_read_is_named_and_the_others_are_read(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    whole = read(runs.written(frame, tmp_path / "b.jtl"))
    runs.written(frame.drop(columns="timeStamp"), tmp_path / "a.jtl")
    test = read(tmp_path)
    same(test, whole)
    assert "a.jtl" in str([finding for finding in test.findings if finding.check == "left aside"])
    with pytest.raises(InputError):
        read([tmp_path / "a.jtl", tmp_path / "b.jtl"])


def test_a_packed_file_that_ends_early_gives_what_came_before(frame: pd.DataFrame, tmp_path: Path) -> None:
    many = pd.concat([frame.assign(timeStamp=frame["timeStamp"] + 40_000 * n) for n in range(12)])
    plain = runs.written(many, tmp_path / "run.jtl")
    packed = gzip.compress(plain.read_bytes())
    (tmp_path / "cut.jtl.gz").write_bytes(packed[: len(packed) * 3 // 4])
    test = read(tmp_path / "cut.jtl.gz")
    assert 0.5 * len(many) < test.summary.loc["Total", "samples"] < len(many)
    assert any("early" in finding.message or "cut" in finding.message for finding in test.findings)


def unreadable(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    for name, content, words in (
        ("empty.jtl", b"", "empty.jtl: the file is empty"),
        ("blank.jtl", b" \n\n", "blank.jtl: the file is empty"),
        ("header.jtl", b"timeStamp,elapsed,label,responseCode,success\n", "no samples in header.jtl"),
        (
            "poem.txt",
            b"Shall I compare thee\nto a summer's day?",
            "poem.txt: begins with 'Shall I compare thee to a summer's day?'",
        ),
        ("picture.png", bytes(range(128, 256)), "picture.png: begins with the bytes 80 81 82"),
        ("page.html", b"<html><body>" + b"x" * 5000, "page.html: begins with '<html><body>xxx"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        yield path, words


def test_what_cannot_be_read_is_refused_with_what_was_seen_and_what_is_known(tmp_path: Path) -> None:
    for path, words in unreadable(tmp_path):
        with pytest.raises(InputError) as caught:
            read(path)
        assert words.replace("'", "") in str(caught.value).replace("'", "").replace('"', "")
        if "begins" in words:
            assert "JMeter CSV" in str(caught.value)
            assert "Gatling" in str(caught.value)


def test_a_file_of_windows_powershell_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "run.jtl"
    path.write_text("timeStamp,elapsed,label,success\n1000,20,GET /,true\n", encoding="utf-16")
    with pytest.raises(InputError, match="save it as UTF-8"):
        read(path)


def test_all_that_is_wrong_with_several_files_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "poem.txt").write_text("Shall I")
    with pytest.raises(InputError) as caught:
        read([tmp_path / "poem.txt", tmp_path / "none.jtl"])
    assert len(caught.value.problems) == 2
    with pytest.raises(InputError, match="no file in this folder is of a known format"):
        read(tmp_path)
    with pytest.raises(InputError, match="no files were named"):
        read([])
    with pytest.raises(InputError, match="read from a path, got 5"):
        read(5)  # type: ignore[arg-type]


def test_an_unknown_time_zone_is_refused_and_a_known_one_moves_stamps_without_zone(tmp_path: Path) -> None:
    (tmp_path / "run.jtl").write_text(
        "timeStamp,elapsed,label,responseCode,success\n"
        "2026/07/01 12:00:00.000,20,GET /,200,true\n2026/07/01 12:00:01.000,20,GET /,200,true\n"
    )
    with pytest.raises(InputError, match="no time zone 'Berlin'"):
        read(tmp_path / "run.jtl", timezone="Berlin")
    here = read(tmp_path / "run.jtl", timezone="Europe/Berlin").timeline["timestamp"].iloc[0]
    assert here == pd.Timestamp("2026-07-01 10:00", tz="UTC")


def test_a_label_called_total_does_not_pass_for_all_requests(frame: pd.DataFrame, tmp_path: Path) -> None:
    test = read(runs.written(frame.assign(label="Total"), tmp_path / "run.jtl"))
    assert test.summary.index.tolist() == ["'Total'", "Total"]


def test_statistics_of_a_folder_give_labels_and_course_and_say_what_they_cannot(tmp_path: Path) -> None:
    data = Path(__file__).parent / "data" / "locust"
    test = read(data)
    assert test.summary.loc["Total", "samples"] == 1389
    assert np.isnan(test.summary.loc["Total", "requests"])
    assert test.steps["p95_ms"].isna().all()
    assert test.steps["throughput_per_s"].iloc[-1] == pytest.approx(60, rel=0.02)  # 30 users, two a second each
    assert test.timeline["completions"].sum() == pytest.approx(1389, rel=0.05)
    assert any(finding.check == "statistics only" for finding in test.findings)
    with pytest.raises(InputError, match="cannot be resampled"):
        test.resampled(1, 0.95)
