"""Whatever was done to a file: it is read, or it is refused in words. No other error reaches the user."""

from __future__ import annotations

import gzip
import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capacity.errors import InputError
from capacity.loadtest.readers.base import Reading, ResultFile, SampleReader, SummaryReader
from tests.loadtest.readers import test_blazemeter, test_gatling_statistics, test_gatling_text, test_k6
from tests.loadtest.readers import test_taurus_final_stats as test_taurus
from tests.loadtest.readers.reading import DATA, checks, claimants, read_samples, written
from tests.loadtest.readers.test_gatling_binary import Encoder

_LOG = Encoder()
_PAGE_ROW = test_gatling_statistics.ROW.format(key="ROOT", parent="", name="All", total=5, ok=5, ko=0, rate=1)
_KPI = {"labelId": "ALL", "kpis": [{"ts": 100, "n": 1, "na": 1, "ec": 0, "t_avg": 5}] * 2}
_ERRORS = {"name": "ALL", "errors": [{"m": "x", "rc": "503", "count": 7}], "assertions": [{"name": "a", "failures": 3}]}
_POINT = {
    "metric": "http_req_duration",
    "type": "Point",
    "data": {"time": "2021-10-08T15:26:30Z", "value": 5, "tags": {}},
}

WHOLE: dict[str, bytes] = {
    **{f"Gatling {name}": text.encode() for name, text in test_gatling_text.GENERATIONS.items()},
    "Gatling binary": _LOG.run()
    + b"".join(_LOG.request(["cart", "GET /"], i, i + 5, "no" * (i % 2)) for i in range(9)),
    **{name: (DATA / "gatling" / f"own-3.5.0-{name}").read_bytes() for name in ("stats.json", "stats.js")},
    "Gatling page": test_gatling_statistics.page(_PAGE_ROW, _PAGE_ROW.replace("ROOT", "a")).encode(),
    **{path.name: path.read_bytes()[:2_000] for path in sorted((DATA / "locust").glob("run_stats*.csv"))},
    "Taurus CSV": test_taurus.CSV.encode(),
    "Taurus XML": test_taurus.document("<TestDuration>9</TestDuration>").encode(),
    "BlazeMeter CSV": test_blazemeter.CSV.encode(),
    "BlazeMeter JSON": test_blazemeter.envelope([test_blazemeter.ALL]).encode(),
    "BlazeMeter kpis": test_blazemeter.envelope([_KPI]).encode(),
    "BlazeMeter errors": test_blazemeter.envelope([_ERRORS]).encode(),
    "BlazeMeter summary": test_blazemeter.envelope({"maxUsers": 2, "summary": [{"lb": "ALL", "hits": 4}]}).encode(),
    "k6 CSV": f"{test_k6.HEADER}\n{test_k6.vus('1633706790', 3)}{test_k6.request(error='a,b', status=0)}".encode(),
    "k6 JSON lines": json.dumps(_POINT).encode(),
    "k6 summary": json.dumps(test_k6.EXPORTED).encode(),
}
PACKED = gzip.compress(test_gatling_text.GENERATIONS["3.4"].encode() * 400, mtime=0)
_ODD_BYTES = [b"\t", b"\n", b",", b'"', b"-1", b"9" * 30, b"NaN", b"\0", b"inf", b"1e400", b"\xff", b"{", b"<"]
_ODD_VALUES: list[Any] = [None, 0, -1, "x", [], {}, [1], {"a": 1}, 1e308, True, "-"]


def damaged(data: bytes, dice: random.Random) -> bytes:
    """A few bytes changed, cut out, put in or said twice."""
    found = bytearray(data)
    for _ in range(dice.choice([1, 2, 5, 20])):
        place = dice.randrange(len(found) + 1)
        other = dice.randrange(len(found) + 1)
        length = dice.choice([0, 1, 5, 50])
        found[place : place + length] = dice.choice([*_ODD_BYTES, b"", bytes(found[other : other + 30])])
    return bytes(found)


def changed(value: Any, dice: random.Random) -> Any:
    """JSON of which some parts are something else, or have another name."""
    if dice.random() < 0.08:
        return dice.choice(_ODD_VALUES)
    if isinstance(value, dict):
        return {name if dice.random() > 0.03 else "other": changed(part, dice) for name, part in value.items()}
    return [changed(part, dice) for part in value] if isinstance(value, list) else value


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=120)
@given(name=st.sampled_from(sorted(WHOLE)), seed=st.integers(0, 2**32), in_json=st.booleans())
def test_a_damaged_file_is_read_or_refused_in_words(name: str, seed: int, in_json: bool, tmp_path: Path) -> None:
    dice, data = random.Random(seed), WHOLE[name]
    if in_json and data.startswith(b"{"):
        path = written(tmp_path, json.dumps(changed(json.loads(data), dice)))
    else:
        path = written(tmp_path, damaged(data, dice))
    readers = claimants(path)
    assert len(readers) <= 1
    for reader in readers:
        file, reading = ResultFile(path), Reading()
        try:
            if isinstance(reader, SampleReader):
                for batch in reader.samples(file, reading):
                    assert (batch.elapsed >= 0).all()
                    assert ((batch.failed >= 0) & (batch.failed <= batch.count)).all()
            elif isinstance(reader, SummaryReader):
                labels = reader.summary(file, reading).labels
                assert labels.index[-1] == "Total"
                assert labels.index.is_unique
        except InputError as refused:
            assert str(path) in str(refused) or path.name in str(refused)


@pytest.mark.parametrize("value", ["9" * 5_000, "[" * 20_000, "1e999", '"' + "x" * 200_000 + '"'], ids=lambda v: v[:3])
@pytest.mark.parametrize(
    "name", ["stats.json", "BlazeMeter JSON", "k6 JSON lines", "k6 summary", "Taurus CSV", "k6 CSV"]
)
def test_numbers_nests_and_cells_beyond_all_measure_are_refused_in_words(name: str, value: str, tmp_path: Path) -> None:
    text = WHOLE[name].decode()
    inside = re.sub(r"(?<=[:,] )\d[\d.]*|(?<=,)\d[\d.]*", lambda _: value, text, count=3)
    assert inside != text
    path = written(tmp_path, inside)
    for reader in claimants(path):  # none where the rest of the file is beyond what is looked at
        file, reading = ResultFile(path), Reading()
        if isinstance(reader, SampleReader):
            list(reader.samples(file, reading))
            assert {"truncated", "damaged"} & set(checks(reading.findings))
        elif isinstance(reader, SummaryReader):
            try:
                reader.summary(file, reading)
            except InputError as refused:
                assert path.name in str(refused)


@pytest.mark.parametrize("data", [PACKED[: len(PACKED) * 2 // 3], PACKED[:-8] + b"\0" * 8], ids=["cut", "checksum"])
def test_a_small_gzip_file_that_is_damaged_gives_what_comes_before_the_damage(data: bytes, tmp_path: Path) -> None:
    rows, findings = read_samples(written(tmp_path, data))
    assert 0 < len(rows) <= 3 * 400
    assert "truncated" in checks(findings)


def test_a_gzip_file_of_which_nothing_can_be_unpacked_is_refused(tmp_path: Path) -> None:
    for data in (PACKED[:5], PACKED[:10], PACKED[:10] + b"\xff" * 40):
        with pytest.raises(InputError, match="cannot be read"):
            claimants(written(tmp_path, data))
