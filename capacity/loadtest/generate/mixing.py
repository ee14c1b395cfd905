"""What to ask for, and how often: from a measured test, from a file, or from words."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capacity.errors import InputError, Problem
from capacity.loadtest.generate.plan import BEYOND
from capacity.loadtest.generate.requests import Request, checked_mix

if TYPE_CHECKING:
    from capacity.loadtest.result import LoadTest

_ADVICE = (
    "Write the mix to a TOML file, a table [[request]] for each, with label, method, path, share, body, and hand in "
    "that file."
)


def mix_of(test: LoadTest) -> tuple[Request, ...]:
    """The mix of a measured test: its labels, with the shares of the requests they stand for.

    Labels have to say what was asked, as in "GET /cart"; bodies are not in results. Transactions and pages are no
    requests, and count for nothing. Raises InputError with every label that says no request.
    """
    rows = test.summary.drop(index="Total", errors="ignore")
    counts: dict[str, float] = {}
    for label, row in zip(map(str, rows.index), rows.to_dict(orient="records"), strict=True):
        count = row["requests"] if row["requests"] == row["requests"] else row["samples"]  # NaN: not told apart
        if count > 0:
            name = label.removesuffix(BEYOND)
            counts[name] = counts.get(name, 0) + float(count)
    if not counts:
        raise InputError("the test holds no requests, so it has no mix")
    return _named(counts.items())


def read_mix(path: str | Path) -> tuple[Request, ...]:
    """The mix in a file: TOML or JSON with requests, or any results that `capacity.loadtest.read` knows.

    TOML holds a table `[[request]]` for each, JSON a list of objects (or one under "request"), with the fields of
    `Request`. Raises InputError for a file that cannot be read or says something else, with all that is wrong.
    """
    path = Path(path)
    if path.suffix.lower() in (".toml", ".json") and path.is_file():
        told = _parsed(path)
        if told is not None:
            return _told(told, path)
    from capacity.loadtest.reading import read

    return mix_of(read(path))


def mix_from(words: Iterable[str]) -> tuple[Request, ...]:
    """The mix that a command line says: one file, or several of LABEL=SHARE.

    >>> [(request.label, request.share) for request in mix_from(["GET /cart=75", "POST /orders=25"])]
    [('GET /cart', 0.75), ('POST /orders', 0.25)]
    """
    words = list(words)
    if len(words) == 1 and Path(words[0]).exists():
        return read_mix(words[0])
    shares: dict[str, float] = {}
    problems = []
    for word in words:
        label, _, share = word.rpartition("=")
        try:
            shares[label] = shares.get(label, 0) + float(share)
        except ValueError:
            problems.append(Problem("is neither a file nor LABEL=SHARE", where=repr(word)))
    if problems:
        raise InputError("the mix cannot be understood:", problems, 'Write it as in "GET /cart=70" "GET /search=30".')
    return _named(shares.items())


def _named(shares: Iterable[tuple[str, float]]) -> tuple[Request, ...]:
    requests, problems = [], []
    for label, share in shares:
        try:
            requests.append(Request.named(label, share))
        except InputError as error:
            problems.append(Problem(str(error).partition("\n")[0] if not error.problems else str(error.problems[0])))
    if problems:
        raise InputError("not every label says what to send:", problems, _ADVICE)
    return checked_mix(requests)


def _parsed(path: Path) -> list[Any] | None:
    """The requests in a file, as they stand; None for JSON of another kind, which may be results."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        found: Any = tomllib.loads(text) if path.suffix.lower() == ".toml" else json.loads(text)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        if path.suffix.lower() == ".json":
            return None  # a format of one JSON document a line is no JSON as a whole
        raise InputError(f"{path} is not valid TOML: {error}", advice=_ADVICE) from None
    if isinstance(found, dict) and "request" in found:
        found = found["request"]
    if isinstance(found, list):
        return found
    if path.suffix.lower() == ".toml":
        raise InputError(f"{path} has no table [[request]]", advice=_ADVICE)
    return None


def _told(entries: list[Any], path: Path) -> tuple[Request, ...]:
    requests, problems = [], []
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            problems.append(Problem("is no table of a request", where=f"request #{number}"))
            continue
        try:
            requests.append(Request(**{str(key): value for key, value in entry.items()}))
        except InputError as error:
            problems += [Problem(p.message, where=f"request #{number} {p.where}".strip()) for p in error.problems]
    if problems:
        raise InputError(f"{path} holds requests that cannot be sent:", problems)
    return checked_mix(requests)
