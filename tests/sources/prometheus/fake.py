"""The other side, doing what a healthy Prometheus server does not: warnings, NaN, sign-in pages, signatures ..."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

from tests.servers import Server

#: Points that Prometheus lets one call ask for, less one (web/api/v1/api.go).
RESOLUTION = 11_000


@dataclass(frozen=True)
class Asked:
    """A call as it arrived."""

    path: str
    form: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def stamps(self) -> range:
        start, end, step = (int(self.form[name]) for name in ("start", "end", "step"))
        return range(start, end + 1, step)


@dataclass(frozen=True)
class Reply:
    body: Any = b""  # bytes as they are, anything else as JSON
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Answer = Callable[[Asked], Reply]


def matrix(*series: Mapping[str, Any], **more: Any) -> Reply:
    """A successful answer."""
    return Reply({"status": "success", "data": {"resultType": "matrix", "result": list(series)}} | more)


def series(asked: Asked, value: Callable[[int], str] = str, **labels: str) -> dict[str, Any]:
    """One series with a value at every stamp asked for; the value of a stamp is the stamp, unless said otherwise."""
    return {"metric": labels, "values": [[stamp, value(stamp)] for stamp in asked.stamps]}


def error(status: int, kind: str, said: str, **headers: str) -> Reply:
    """An error as Prometheus puts it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply({"status": "error", "errorType": kind, "error": said}, status, named)


@dataclass
class Fake:
    """A server on 127.0.0.1 that answers as it is told, and refuses what Prometheus refuses for its size."""

    answer: Answer
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        if asked.form and len(asked.stamps) - 1 > RESOLUTION:
            return error(400, "bad_data", "exceeded maximum resolution of 11,000 points per timeseries.")
        return self.answer(asked)


@contextmanager
def serving(answer: Answer, secure: ssl.SSLContext | None = None) -> Iterator[Fake]:
    """A Fake that runs for as long as the block does; over TLS, if `secure` is how."""
    fake = Fake(answer)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            reply = fake.reply(Asked(self.path, form, dict(self.headers), body))
            content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response_only(reply.status)
            usual = {"Content-Type": "application/json", "Date": self.date_time_string()}
            for name, value in (usual | dict(reply.headers)).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with suppress(ConnectionError):  # whoever asked may have heard enough
                self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Tests are quiet."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if secure is not None:
        server.socket = secure.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    fake.url = f"{'https' if secure else 'http'}://127.0.0.1:{server.server_address[1]}"
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
