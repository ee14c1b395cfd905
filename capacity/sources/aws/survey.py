"""Looking around in one region: what has to be readable, what may be missing, and several calls at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from capacity.errors import SourceError
from capacity.findings import Finding
from capacity.sources.aws.complaints import credentials_failed
from capacity.sources.aws.door import Door

Item = TypeVar("Item")
Answer = TypeVar("Answer")

#: Calls under way at once. ECS refills 20 describe calls a second: with answers of 50 ms, eight stay near that.
AT_ONCE = 8


@dataclass(frozen=True, eq=False)
class Survey:
    """One region being looked at, and what is remarkable about it so far."""

    door: Door
    findings: list[Finding] = field(default_factory=list)

    @property
    def region(self) -> str:
        return self.door.where

    def note(self, service: str, check: str, message: str, advice: str = "", *, unknown: bool = False) -> None:
        """A finding for a person to look at, or one that says what is not known."""
        self.findings.append(Finding(service, "", check, "UNKNOWN" if unknown else "REVIEW", message, advice))

    def optional(self, what: str, instead: str, ask: Callable[[], dict[str, Answer]]) -> dict[str, Answer]:
        """The answers by name; if AWS denies them or has none, nothing, and a finding with what to do instead.

        Credentials that have expired or are wrong are no missing right: that error is raised.
        """
        try:
            return ask()
        except SourceError as error:
            if credentials_failed(error):
                raise
            self.note("", "not-readable", f"{what} in {self.region} not read. {error}", instead, unknown=True)
            return {}

    def together(self, ask: Callable[[Item], Answer], items: Sequence[Item]) -> list[Answer]:
        """The answers in the order of the items, several asked at once; the first error as it came."""
        if len(items) < 2:
            return [ask(item) for item in items]
        with ThreadPoolExecutor(min(AT_ONCE, len(items))) as pool:
            return list(pool.map(ask, items))

    def listed(self, service: str, operation: str, answer: str, **params: Any) -> list[Any]:
        """One list of all pages of an ECS call, of those that take pages of 100."""
        pages = self.door.pages(service, operation, maxResults=100, **params)
        return [item for page in pages for item in page.get(answer, [])]


def parts(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items in lists of at most `size`, each item once, in order.

    >>> list(parts("abcab", 2))
    [['a', 'b'], ['c']]
    """
    distinct = list(dict.fromkeys(items))
    return (distinct[start : start + size] for start in range(0, len(distinct), size))
