"""Exports of CloudFront's and ElastiCache's metrics, by the names that AWS gives them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from capacity.sources import Files


def exported(folder: Path, label: str, values: list[float]) -> dict[tuple[str, str], list[float]]:
    """What is read of one series of `aws cloudwatch get-metric-data`, 300 s apart."""
    stamps = [f"2026-08-03T00:{5 * number:02}:00+00:00" for number in range(len(values))]
    result = {"Id": "m1", "Label": label, "Timestamps": stamps, "Values": values, "StatusCode": "Complete"}
    (folder / "answer.json").write_text(json.dumps({"MetricDataResults": [result]}))
    frame = Files(folder / "answer.json", service="web").read().frame
    series = frame.groupby(["metric", "stat"], observed=True)["value"]
    return {(str(metric), str(stat)): list(values) for (metric, stat), values in series}


@pytest.mark.parametrize(
    ("label", "values", "metric", "stat", "ours"),
    [
        ("AWS/ElastiCache CacheHits Sum 300", [600.0, 900.0], "cache_hits", "mean", [2.0, 3.0]),
        ("AWS/ElastiCache GetMisses Sum 300", [300.0, 0.0], "cache_misses", "mean", [1.0, 0.0]),
        ("AWS/CloudFront CacheHitRate Average 300", [91.5, 92.0], "cache_hit_ratio", "mean", [91.5, 92.0]),
        ("AWS/CloudFront OriginLatency p95 300", [250.0, 80.0], "origin_latency", "p95", [0.25, 0.08]),
    ],
)
def test_a_cache_by_its_aws_name_is_read_in_our_unit(
    tmp_path: Path, label: str, values: list[float], metric: str, stat: str, ours: list[float]
) -> None:
    assert exported(tmp_path, label, values) == {(metric, stat): pytest.approx(ours)}
