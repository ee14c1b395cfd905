"""Gatling's binary log, against an encoder written from the reference's table of records (loadtest.md 3.2)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capacity.errors import InputError
from capacity.loadtest.samples import REQUEST, TRANSACTION
from tests.loadtest.readers.reading import checks, claimants, read_samples, written

T = 1_700_000_000_000


@dataclass
class Encoder:
    """Records as Gatling writes them."""

    scenarios: Sequence[str] = ("buyers",)
    version: str = "3.13.5"
    _known: dict[str, int] = field(default_factory=dict)

    @staticmethod
    def text(text: str) -> bytes:
        if not text:
            return struct.pack(">i", 0)
        try:
            data, coder = text.encode("latin-1"), 0
        except UnicodeEncodeError:
            data, coder = text.encode("utf-16-le"), 1
        return struct.pack(">i", len(data)) + data + bytes([coder])

    def cached(self, text: str) -> bytes:
        if text in self._known:
            return struct.pack(">i", -self._known[text])
        self._known[text] = len(self._known) + 1
        return struct.pack(">i", self._known[text]) + self.text(text)

    def groups(self, path: Sequence[str]) -> bytes:
        return struct.pack(">i", len(path)) + b"".join(self.cached(name) for name in path)

    def run(self) -> bytes:
        scenarios = struct.pack(">i", len(self.scenarios)) + b"".join(self.text(name) for name in self.scenarios)
        assertions = struct.pack(">i", 1) + struct.pack(">i", 3) + b"abc"
        head = b"\0" + self.text(self.version) + self.text("Sim") + struct.pack(">q", T) + self.text("")
        return head + scenarios + assertions

    def request(self, path: Sequence[str], start: int, end: int, message: str | None = None) -> bytes:
        times = struct.pack(">ii?", start, end, message is None)
        return b"\1" + self.groups(path[:-1]) + self.cached(path[-1]) + times + self.cached(message or "")

    def group(self, path: Sequence[str], start: int, end: int, cumulated: int, fine: bool = True) -> bytes:
        return b"\3" + self.groups(path) + struct.pack(">iii?", start, end, cumulated, fine)

    @staticmethod
    def user(came: bool, at: int, scenario: int = 0) -> bytes:
        return b"\2" + struct.pack(">i?i", scenario, came, at)

    def error(self, message: str, at: int) -> bytes:
        return b"\4" + self.cached(message) + struct.pack(">i", at)


def test_a_binary_log_tells_what_a_text_log_tells(tmp_path: Path) -> None:
    log = Encoder()
    data = log.run() + log.user(True, 0) + log.request(["GET /a"], 0, 100)
    data += log.request(["cart, all", "payment", "GET /b"], 200, 203, "status 500")
    data += log.group(["cart, all", "payment"], 190, 250, 3, fine=False) + log.user(False, 300)
    rows, findings = read_samples(written(tmp_path, data))
    assert findings == []
    assert rows["label"].tolist() == ["GET /a", "cart, all / payment / GET /b", "cart, all / payment"]
    assert rows["start"].tolist() == [T * 1_000, (T + 200) * 1_000, (T + 190) * 1_000]
    assert rows["elapsed"].tolist() == [100_000, 3_000, 3_000]
    assert rows["kind"].tolist() == [REQUEST, REQUEST, TRANSACTION]
    assert rows["failed"].tolist() == [0, 1, 1]
    assert rows["outcome"].tolist() == ["", "status 500", "KO"]
    assert rows["group"].unique().tolist() == ["buyers"]
    assert rows["users"].tolist() == [1, 1, 1]


def test_names_beyond_latin_1_are_utf_16(tmp_path: Path) -> None:
    log = Encoder()
    data = log.run() + log.request(["Проверка /ok"], 0, 1) + log.request(["café"], 2, 3)
    rows, _ = read_samples(written(tmp_path, data))
    assert rows["label"].tolist() == ["Проверка /ok", "café"]


def test_of_several_scenarios_a_request_does_not_tell_its_own(tmp_path: Path) -> None:
    log = Encoder(scenarios=("buyers", "admins"))
    rows, _ = read_samples(written(tmp_path, log.run() + log.request(["GET /a"], 0, 1)))
    assert rows["group"].tolist() == [""]


def test_server_messages_without_a_match_and_errors_are_no_requests(tmp_path: Path) -> None:
    log = Encoder()
    data = log.run() + log.request(["sse"], 50, -1) + log.error("crashed", 60) + log.request(["GET /a"], 70, 80)
    rows, findings = read_samples(written(tmp_path, data))
    assert rows["label"].tolist() == ["GET /a"]
    assert checks(findings) == {"unmatched messages": 1, "generator errors": 1}


NAMES = st.sampled_from(["GET /", "POST /pay", "Проверка", "a b", "cart"])
RECORDS = st.lists(
    st.tuples(
        st.lists(NAMES, min_size=1, max_size=3),
        st.integers(0, 2**30),
        st.integers(0, 60_000),
        st.none() | st.sampled_from(["status 500", "timeout after 60000 ms", "ошибка"]),
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(records=RECORDS, cut=st.floats(0, 1))
def test_a_log_cut_at_any_byte_gives_the_records_before_it(
    records: list[tuple[list[str], int, int, str | None]], cut: float, tmp_path: Path
) -> None:
    log = Encoder()
    data = log.run()
    header = len(data)
    ends = []
    for path, start, took, message in records:
        data += log.request(path, start, start + took, message)
        ends.append(len(data))
    size = header + round(cut * (len(data) - header))
    rows, findings = read_samples(written(tmp_path, data[:size]))
    whole = [record for record, end in zip(records, ends, strict=True) if end <= size]
    assert rows["label"].tolist() == [" / ".join(path) for path, *_ in whole]
    assert rows["start"].tolist() == [(T + start) * 1_000 for _, start, _, _ in whole]
    assert rows["elapsed"].tolist() == [took * 1_000 for _, _, took, _ in whole]
    assert rows["outcome"].tolist() == [message or "" for *_, message in whole]
    assert checks(findings) == ({} if size in (header, *ends) else {"truncated": 1})


def test_a_long_log_is_read_in_blocks_whose_borders_nobody_sees(tmp_path: Path) -> None:
    log = Encoder()
    names = [f"request {number % 37}" for number in range(60_000)]
    parts = [log.request([name], number, number + 5) for number, name in enumerate(names)]
    data = log.run() + b"".join(parts)
    assert len(data) > 2**20  # more than one block
    rows, findings = read_samples(written(tmp_path, data))
    assert rows["label"].tolist() == names
    assert (rows["start"] == [(T + number) * 1_000 for number in range(60_000)]).all()
    assert findings == []


def test_what_follows_a_damaged_place_is_left_out_and_said(tmp_path: Path) -> None:
    log = Encoder()
    good = log.run() + log.request(["GET /a"], 0, 1)
    for damage in (b"\x09" * 20, b"\1" + struct.pack(">ii", 0, -999) + b"\0" * 20, b"\1" + struct.pack(">i", -5)):
        rows, findings = read_samples(written(tmp_path, good + damage + log.request(["GET /a"], 2, 3)))
        assert rows["label"].tolist() == ["GET /a"]
        (finding,) = findings
        assert (finding.check, finding.status) == ("damaged", "FAIL")
        assert f"byte {len(good):,}" in finding.message


def test_a_log_that_ends_in_its_header_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ends inside its header"):
        read_samples(written(tmp_path, Encoder().run()[:20]))


def test_other_bytes_are_not_taken_for_a_log(tmp_path: Path) -> None:
    for data in (b"\0", b"\0" * 100, b"\0\0\0\0\x05hello\0" + b"\0" * 50, b"\x7fELF" + b"\0" * 100):
        assert claimants(written(tmp_path, data)) == []
