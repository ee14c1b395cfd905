"""Answers that were paid for: kept whole or not at all, found again, and never those of another account."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from capacity.errors import InputError, SourceError
from capacity.sources.bills.paid import PaidPages, write_whole
from tests.sources.aws.fake import Answers, Asked, Complaint
from tests.sources.bills.truth import answering, the_door

PARAMS: dict[str, Any] = {
    "TimePeriod": {"Start": "2026-10-01", "End": "2026-10-02"},
    "Granularity": "DAILY",
    "Metrics": ["UsageQuantity"],
}
ASK = ("ce", "GetCostAndUsage")


def pages(folder: Path | None, final: bool = True) -> PaidPages:
    return PaidPages(the_door(), "ce", "us-east-1", folder, lambda page: final)


def counting(asked: Asked) -> dict[str, Any]:
    """Three pages."""
    number = int(asked.params.get("NextPageToken", "0"))
    return {"ResultsByTime": [{"Groups": []}] * number} | ({"NextPageToken": str(number + 1)} if number < 2 else {})


def ask(asking: PaidPages) -> list[int]:
    found = asking.all("get_cost_and_usage", PARAMS, "NextPageToken")
    return [len(page["ResultsByTime"]) for page in found]


def test_each_page_is_paid_for_once(tmp_path: Path) -> None:
    with answering({ASK: counting}) as aws:
        first, again = pages(tmp_path), pages(tmp_path)
        assert first.unpaid("get_cost_and_usage", PARAMS, "NextPageToken") == 1
        assert ask(first) == ask(again) == [0, 1, 2]
        assert (first.paid.total(), again.paid.total(), aws.calls("GetCostAndUsage")) == (3, 0, 3)
        assert again.unpaid("get_cost_and_usage", PARAMS, "NextPageToken") == 0


def test_without_a_folder_or_before_it_is_final_nothing_is_kept(tmp_path: Path) -> None:
    with answering({ASK: counting}) as aws:
        for folder, final in ((None, True), (tmp_path / "open", False)):
            assert ask(pages(folder, final)) == ask(pages(folder, final)) == [0, 1, 2]
        assert aws.calls("GetCostAndUsage") == 12 and not (tmp_path / "open").exists()


def test_a_token_that_comes_again_ends_the_pages(tmp_path: Path) -> None:
    with answering({ASK: {"ResultsByTime": [], "NextPageToken": "same"}}):
        assert ask(pages(tmp_path)) == [0, 0]
        assert pages(tmp_path).unpaid("get_cost_and_usage", PARAMS, "NextPageToken") == 0


def test_another_account_is_never_given_these_answers(tmp_path: Path) -> None:
    with answering({ASK: counting}):
        ask(pages(tmp_path))
    other = {"Account": "999999999999", "Arn": "arn:aws:iam::999999999999:user/b", "UserId": "B"}
    with answering({ASK: counting, ("sts", "GetCallerIdentity"): other}) as aws:
        ask(pages(tmp_path))
        assert aws.calls("GetCostAndUsage") == 3


def test_a_kept_page_whose_token_has_expired_is_asked_for_again(tmp_path: Path) -> None:
    with answering({ASK: counting}):
        ask(pages(tmp_path))
    last = max(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    last.unlink()
    expired: Answers = [Complaint("InvalidNextTokenException", "expired"), {"ResultsByTime": []}]
    with answering({ASK: expired}):
        assert ask(pages(tmp_path)) == [0]
    with answering({ASK: Complaint("InvalidNextTokenException", "expired")}), pytest.raises(SourceError):
        ask(pages(None))


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"asked": {}, "answer": {"ResultsByTime": [1]}}', b"\xff"])
def test_a_damaged_page_is_asked_for_again(damage: bytes, tmp_path: Path) -> None:
    with answering({ASK: {"ResultsByTime": []}}) as aws:
        ask(pages(tmp_path))
        (kept,) = tmp_path.iterdir()
        kept.write_bytes(damage)
        assert ask(pages(tmp_path)) == [0] and aws.calls("GetCostAndUsage") == 2
        assert ask(pages(tmp_path)) == [0] and aws.calls("GetCostAndUsage") == 2


def test_a_folder_that_cannot_be_written_to_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with answering({ASK: {"ResultsByTime": []}}), pytest.raises(InputError, match="Name a folder that can be written"):
        ask(pages(tmp_path / "file"))


@pytest.mark.skipif(os.name == "nt", reason="Windows has other ways to say who may read a file")
def test_only_its_owner_may_read_a_bill(tmp_path: Path) -> None:
    write_whole(tmp_path / "a.json", b"{}")
    assert (tmp_path / "a.json").stat().st_mode & 0o077 == 0


WRITER = """
import sys
from pathlib import Path
from capacity.sources.bills.paid import write_whole
path = Path(sys.argv[1])
print("ready", flush=True)
while True:
    for letter in b"abcdefgh":
        write_whole(path, bytes([letter]) * 300_000)
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_page_is_whole_whenever_its_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "page.json"
    for attempt in range(3):
        with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None and writer.stdout.readline() == b"ready\n"
            time.sleep(0.03 + 0.013 * attempt)
            writer.send_signal(signal.SIGKILL)
        if path.exists():
            held = path.read_bytes()
            assert len(held) == 300_000 and len(set(held)) == 1
    assert path.exists()
