"""Whatever a CSV writer writes comes back, wherever the bytes are cut."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.loadtest.readers.jmeter.csv import JMeterCsv
from capacity.loadtest.samples import UNKNOWN
from tests.loadtest.readers.jmeter import MARK, kinds, lines, table

OTHERS = ["dataType", "bytes", "allThreads", "Latency", "Connect", "URL", "SomeVariable"]
PIECES = st.sampled_from(
    ["a", "GET /", ",", ";", "\t", "|", '"', '""', "\n", "\r\n", " ", "é", "漢", "😀", "-0", "-1", "1"]
)
TEXTS = st.lists(PIECES, max_size=6).map("".join)
LABELS = st.sampled_from(["a", "a-0", "a-0-1", "a-1", "b, c", "b, c-0", '"q"', '"q"-12']) | TEXTS


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, str]]:
    some = draw(st.lists(LABELS, min_size=1, max_size=5))
    threads = draw(st.lists(TEXTS, min_size=1, max_size=3, unique=True))
    found, now = [], 1_795_427_364_220
    for _ in range(draw(st.integers(1, 12))):
        now += draw(st.integers(0, 3))
        success = draw(st.booleans())
        found.append(
            {
                "timeStamp": str(now),
                "elapsed": str(draw(st.integers(0, 40) | st.integers(0, 2**40))),
                "label": draw(st.sampled_from(some)),
                "responseCode": draw(st.sampled_from(["200", "", "Non HTTP response code: a.b"])),
                "responseMessage": draw(st.sampled_from(["OK", MARK]) | TEXTS),
                "threadName": f"{draw(st.sampled_from(threads))} 1-{draw(st.integers(1, 2))}",
                "success": "true" if success else "false",
                "bytes": draw(st.sampled_from(["", "0", "123456789012"])),
                "allThreads": str(draw(st.integers(0, 99))),
                "URL": draw(TEXTS),
            }
        )
    return found


@given(
    told=rows(),
    columns=st.permutations(
        ["timeStamp", "elapsed", "label", "responseCode", "responseMessage", "threadName", "success"]
    ),
    more=st.lists(st.sampled_from(OTHERS), unique=True),
    dialect=st.fixed_dictionaries(
        {
            "delimiter": st.sampled_from([",", ";", "\t", "|"]),
            "lineterminator": st.sampled_from(["\n", "\r\n"]),
            "quoting": st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
        }
    ),
    chunk=st.integers(1, 300),
    ends=st.booleans(),
)
@settings(max_examples=50, deadline=None)
def test_every_row_comes_back_at_any_chunk_size(
    told: list[dict[str, str]], columns: list[str], more: list[str], dialect: dict[str, Any], chunk: int, ends: bool
) -> None:
    text = lines(told, [*columns, *more], **dialect)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "results.jtl")
        path.write_bytes((text if ends else text.removesuffix(dialect["lineterminator"])).encode())
        found, findings = table(path, JMeterCsv(chunk))
    assert found["start"].tolist() == [int(row["timeStamp"]) * 1000 for row in told]
    assert found["elapsed"].tolist() == [int(row["elapsed"]) * 1000 for row in told]
    assert found["label"].tolist() == [row["label"] for row in told]
    assert found["failed"].tolist() == [int(row["success"] == "false") for row in told]
    assert found["kind"].tolist() == kinds(told)
    if "allThreads" in more:
        assert found["users"].tolist() == [int(row["allThreads"]) for row in told]
    received = [int(row["bytes"]) if row["bytes"] and "bytes" in more else UNKNOWN for row in told]
    assert found["received"].tolist() == received
    assert "truncated" not in findings
    # The group of a name without host is the name itself.
    expected = [row["threadName"].rsplit(" ", 1)[0] for row in told]
    assert found["group"].tolist() == expected
