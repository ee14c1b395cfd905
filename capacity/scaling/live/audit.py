"""The audit log: one JSON object a line, on the disk before a call is made and again after it was.

A process that dies between the two leaves a call without an outcome: `rollback` then looks at what stands. Lines are
only ever added. What is in them: who, when, where, what stood, what was asked for, what AWS said; no credentials.

    run      a run begins: who, which account, how many calls
    call     a call is about to be made; what stands before it and shall stand after it
    outcome  how that call went: done, or failed and with what words
    end      the run is over
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from capacity.errors import InputError
from capacity.history.disk import sync_folder
from capacity.scaling.live.items import Item, Parameters

FORMAT = 1


@dataclass(frozen=True)
class Made:
    """A call of a run, as the log tells it. `outcome` is "done", "failed", or "unknown": then the process died."""

    number: int
    item: Item
    before: Parameters | None
    after: Parameters | None
    operation: str
    outcome: str
    at: pd.Timestamp


@dataclass(frozen=True)
class Run:
    """An apply or a rollback, as the log tells it.

    planned  calls that were to be made
    whole    whether it came to its end
    of       the run that it put back; empty for an apply
    """

    name: str
    at: pd.Timestamp
    who: str
    account: str
    planned: int
    made: tuple[Made, ...]
    whole: bool
    of: str = ""

    @property
    def done(self) -> int:
        """Calls that are known to have been made."""
        return sum(each.outcome == "done" for each in self.made)


def new_run(now: pd.Timestamp) -> str:
    """A name for a run: when, and six random characters, so that two at once are two."""
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


class Audit:
    """A log to add to. Readable for its owner only: it names accounts, people and services."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            binary = getattr(os, "O_BINARY", 0)  # Windows would write other line ends
            self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | binary, 0o600)
        except OSError as error:
            raise InputError(
                f"the audit log {path} cannot be written: {error.strerror}",
                advice="Nothing was changed: without a log there is no way back. Name another file with --log.",
            ) from error
        sync_folder(path.parent)
        if os.fstat(self._file).st_size:
            os.lseek(self._file, -1, os.SEEK_END)
            if os.read(self._file, 1) != b"\n":  # the last line was torn by a crash: leave it alone
                os.write(self._file, b"\n")

    def add(self, entry: str, run: str, **facts: Any) -> None:
        """One line, on the disk when this returns."""
        at = pd.Timestamp.now("UTC").isoformat(timespec="milliseconds")
        line = json.dumps({"entry": entry, "run": run, "at": at, **facts}, ensure_ascii=False) + "\n"
        data = line.encode()
        while data:
            data = data[os.write(self._file, data) :]
        os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)


def runs_of(path: Path) -> list[Run]:
    """Every run that a log tells of, the oldest first.

    A line that is torn, as a crash leaves one, tells of a call that was not made yet, and is passed over. Raises
    InputError where there is no log, and where one was changed by hand so that a call is missing.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"there is no audit log {path}: {error.strerror}", advice="Name it with --log.") from error
    entries: dict[str, list[dict[str, Any]]] = {}
    for entry in _entries(lines):
        entries.setdefault(entry["run"], []).append(entry)
    return [_run(name, listed, path) for name, listed in entries.items()]


def run_of(path: Path, name: str) -> Run:
    """One run of a log. Raises InputError, naming those there are."""
    runs = runs_of(path)
    for run in runs:
        if run.name == name:
            return run
    known = ", ".join(run.name for run in runs[-5:]) or "none"
    raise InputError(f"{path} tells of no run {name!r}", advice=f"The last ones: {known}.")


def _entries(lines: list[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and {"entry", "run", "at"} <= entry.keys():
            yield entry


def _run(name: str, entries: list[dict[str, Any]], path: Path) -> Run:
    head = next((entry for entry in entries if entry["entry"] == "run"), None)
    calls = {entry["number"]: entry for entry in entries if entry["entry"] == "call"}
    if head is None or sorted(calls) != list(range(1, len(calls) + 1)):
        raise InputError(
            f"{path}: lines of run {name} are missing",
            advice="What it changed cannot be told from this file. Take an unchanged copy of it.",
        )
    if head["format"] != FORMAT:
        raise InputError(f"{path}: run {name} is of format {head['format']}, this version reads {FORMAT}")
    outcomes = {entry["number"]: entry["outcome"] for entry in entries if entry["entry"] == "outcome"}
    made = tuple(
        Made(
            number,
            Item(call["region"], call["service"], call["kind"], call["name"]),
            call["before"],
            call["after"],
            call["operation"],
            outcomes.get(number, "unknown"),
            pd.Timestamp(call["at"]),
        )
        for number, call in sorted(calls.items())
    )
    whole = any(entry["entry"] == "end" for entry in entries)
    at = pd.Timestamp(head["at"])
    return Run(name, at, head["who"], head["account"], head["calls"], made, whole, head.get("of", ""))
