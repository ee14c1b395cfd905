"""AWS as a small server of our own: the other side of real HTTP, which answers what a test decides.

    with FakeAws({("ecs", "ListClusters"): {"clusterArns": []}}) as aws:
        Door(endpoint=aws.url).call("ecs", "list_clusters")

Every request is checked against AWS's own model, as AWS would, and so is every answer: a test cannot pass on something
that AWS would refuse or never say. `aws.refused` has to be empty at the end: leaving the block asserts it.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any, NamedTuple

from tests.servers import Server
from tests.sources.aws import wire
from tests.sources.aws.referee import answer_problems, request_problems


class Asked(NamedTuple):
    """One request, as AWS understood it."""

    service: str
    operation: str
    params: dict[str, Any]
    region: str
    access_key: str


@dataclass(frozen=True)
class Complaint:
    """An answer that is an error."""

    code: str
    message: str = "as the test wants it"
    status: int = 400


Answer = dict[str, Any] | Complaint
#: One answer for good; one after the other, the last for good; or worked out from the request.
Answers = Answer | Sequence[Answer] | Callable[[Asked], Answer]


@dataclass
class FakeAws:
    """A server on a free port. What it is not told to answer is denied, as AWS does without a policy."""

    answers: Mapping[tuple[str, str], Answers] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    _given: Counter[tuple[str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __enter__(self) -> FakeAws:
        handler = type("Handler", (_Handler,), {"aws": self})
        self._server = Server(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        assert error is not None or not self.refused, self.refused

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def calls(self, operation: str) -> int:
        """How often it was asked for."""
        return sum(each.operation == operation for each in self.asked)

    def answer(self, asked: Asked) -> Answer:
        key = (asked.service, asked.operation)
        with self._lock:
            self.asked.append(asked)
            position = self._given[key]
            self._given[key] += 1
        problems = request_problems(*key, asked.params)
        if problems:
            self.refused += problems
            return Complaint("ValidationException", "; ".join(problems))
        given = self.answers.get(
            key, Complaint("AccessDeniedException", f"not authorized to perform: {asked.operation}")
        )
        answer = given(asked) if callable(given) else given
        if isinstance(answer, Sequence):
            answer = answer[min(position, len(answer) - 1)]
        problems = [] if isinstance(answer, Complaint) else answer_problems(*key, answer)
        self.refused += problems
        return Complaint("InternalFailure", "; ".join(problems), 500) if problems else answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # an answer in one packet, or the kernel waits 40 ms between its two
    aws: FakeAws

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        key, _, region, signed_for = self.headers["Authorization"].partition("Credential=")[2].split("/")[:4]
        target = self.headers.get("X-Amz-Target")
        service, operation, params = wire.of_json(target, body) if target else wire.of_form(signed_for, body)
        answer = self.aws.answer(Asked(service, operation, params, region, key))
        if not isinstance(answer, Complaint):
            self._send(200, wire.to_json(answer) if target else wire.to_xml(service, operation, answer))
        elif target:
            said = {"__type": answer.code, "message": answer.message}
            self._send(answer.status, json.dumps(said).encode(), answer.code)
        else:
            self._send(answer.status, wire.error_xml(service, answer.code, answer.message))

    def _send(self, status: int, body: bytes, code: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1" if body[:1] == b"{" else "text/xml")
        self.send_header("Content-Length", str(len(body)))
        if code:
            self.send_header("x-amzn-query-error", f"{code};Sender")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a test that fails says why itself."""
