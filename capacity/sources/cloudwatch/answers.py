"""How to read an answer: straight from its JSON into arrays.

botocore's parser makes a datetime of every point, which takes longer than the network does. Its event
`before-parse.cloudwatch.GetMetricData` hands over the body before it is parsed, to be replaced in part (botocore's own
handlers of S3 and SSO do the same). What is not JSON as we know it is left to botocore; `points` reads both.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

EVENT: Final = "before-parse.cloudwatch.GetMetricData"


class Points(NamedTuple):
    """Values at starts of intervals; stamps in seconds since 1970, UTC."""

    stamps: np.ndarray
    values: np.ndarray


NONE: Final = Points(np.empty(0, np.int64), np.empty(0))


def read_fast(client: Any) -> None:
    """Let a CloudWatch client give stamps and values of GetMetricData as arrays. Once or twice is the same."""
    client.meta.events.register(EVENT, _parsed, unique_id="ecs-capacity-points")


def points(result: dict[str, Any]) -> Points:
    """The points of one entry of `MetricDataResults`, read fast or by botocore.

    >>> from datetime import UTC, datetime
    >>> points({"Timestamps": [datetime(1970, 1, 1, 0, 1, tzinfo=UTC)], "Values": [4.5]}).stamps
    array([60])
    """
    stamps, values = result.get("Timestamps", ()), result.get("Values", ())
    if not isinstance(stamps, np.ndarray):
        stamps = np.array([stamp.timestamp() for stamp in stamps], dtype=np.float64)
    return Points(stamps.astype(np.int64, copy=False), np.asarray(values, dtype=np.float64))


def merged(parts: list[Points]) -> Points:
    """Parts of one series, of several pages or windows, in order of time; of equal stamps the later part counts.

    >>> merged([Points(np.array([60, 120]), np.array([1.0, 2.0])), Points(np.array([0, 60]), np.array([3.0, 4.0]))])
    Points(stamps=array([  0,  60, 120]), values=array([3., 4., 2.]))
    """
    if not parts:
        return NONE
    stamps, values = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    if len(stamps) > 1 and not bool(np.all(np.diff(stamps) > 0)):
        order = np.argsort(stamps, kind="stable")
        stamps, values = stamps[order], values[order]
        last = np.append(np.diff(stamps) > 0, True)
        stamps, values = stamps[last], values[last]
    return Points(stamps, values)


def _parsed(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Take the results out of a body, as arrays, and leave the rest of it to botocore."""
    if response_dict["status_code"] >= 300:
        return
    import orjson

    try:
        body = orjson.loads(response_dict["body"])
        results = [_arrays(result) for result in body["MetricDataResults"]]
    except (ValueError, TypeError, KeyError):
        return
    customized_response_dict["MetricDataResults"] = results
    response_dict["body"] = orjson.dumps({**body, "MetricDataResults": []})


def _arrays(result: dict[str, Any]) -> dict[str, Any]:
    stamps = np.array(result.get("Timestamps") or [])  # whole or broken numbers; text is for botocore
    values = np.array(result.get("Values") or [], dtype=np.float64)
    if stamps.dtype.kind not in "if" or stamps.shape != values.shape:
        raise ValueError("stamps are numbers, as many as values")
    return {**result, "Timestamps": stamps, "Values": values}
