"""Answers that were paid for, kept on disk, so that nothing is paid for twice."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from capacity.errors import InputError
from capacity.sources.aws.complaints import code_of
from capacity.sources.aws.door import Door

Page = dict[str, Any]


@dataclass(frozen=True, eq=False)
class PaidPages:
    """Pages of answers to paid calls, each asked once: kept in a folder by their whole request, and counted.

    door      the account
    region    of the service's one endpoint
    folder    None: nothing is kept
    final     whether a page will never change, and so may be kept
    paid      operation -> pages that were really asked for and answered. A call that fails is not charged.

    The request that names a page also names the account that asked, so that several may share a folder. A page that
    cannot be read (it was edited, or the disk is at fault) is asked for again.
    """

    door: Door
    service: str
    region: str
    folder: Path | None
    final: Callable[[Page], bool]
    paid: Counter[str] = field(default_factory=Counter)

    def all(self, operation: str, params: Mapping[str, Any], token: str) -> list[Page]:
        """Every page of an answer. `token` names the paging field of answer and request."""
        try:
            return list(self._pages(operation, params, token, kept=True))
        except Exception as error:
            stale = code_of(error.__cause__)[0] if isinstance(error.__cause__, Exception) else ""
            if stale not in ("InvalidNextTokenException", "RequestChangedException") or self.folder is None:
                raise
        return list(self._pages(operation, params, token, kept=False))  # a kept page led to a token that has expired

    def unpaid(self, operation: str, params: Mapping[str, Any], token: str) -> int:
        """Pages that `all` would pay for, at least: 0 when every one is kept, else 1; how many follow is unknown."""
        request = dict(params)
        seen: set[str] = set()
        while (page := self._kept(operation, request)) is not None:
            following = page.get(token)
            if not following or following in seen:
                return 0
            seen.add(following)
            request[token] = following
        return 1

    def _pages(self, operation: str, params: Mapping[str, Any], token: str, kept: bool) -> Iterator[Page]:
        """As `Door.pages`, by way of the folder. A repeated token ends it."""
        request = dict(params)
        seen: set[str] = set()
        while True:
            page = self._kept(operation, request) if kept else None
            if page is None:
                page = self.door.call(self.service, operation, region=self.region, **request)
                page.pop("ResponseMetadata", None)
                self.paid[operation] += 1
                self._keep(operation, request, page)
            yield page
            following = page.get(token)
            if not following or following in seen:
                return
            seen.add(following)
            request[token] = following

    def _kept(self, operation: str, request: Mapping[str, Any]) -> Page | None:
        if self.folder is None:
            return None
        asked = self._asked(operation, request)
        try:
            record = json.loads(self._path(self.folder, asked).read_text(encoding="utf-8"))
            page: Page | None = record["answer"] if record["asked"] == asked else None
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return page

    def _keep(self, operation: str, request: Mapping[str, Any], page: Page) -> None:
        if self.folder is None or not self.final(page):
            return
        asked = self._asked(operation, request)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._path(self.folder, asked), json.dumps({"asked": asked, "answer": page}).encode())
        except OSError as error:
            raise InputError(
                f"{self.folder}: a paid answer cannot be kept here: {error}",
                advice="Name a folder that can be written to, or none.",
            ) from error

    def _asked(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"account": self.account, "operation": operation, "request": dict(request)}

    @cached_property
    def account(self) -> str:
        """The account these credentials belong to: free to ask, and allowed to everyone."""
        return str(self.door.call("sts", "get_caller_identity")["Account"])

    @staticmethod
    def _path(folder: Path, asked: Mapping[str, Any]) -> Path:
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        return folder / f"{asked['operation']}-{digest[:32]}.json"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that, whatever happens, it holds all of `data` or is as it was. Only its owner may read it."""
    handle, name = tempfile.mkstemp(prefix=".tmp-", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
