"""A service that serves few requests at once, as a task does: it counts what it was asked, to the letter."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import NamedTuple

from tests.servers import Server


class Asked(NamedTuple):
    """One request, as it came in."""

    method: str
    path: str
    body: str
    content_type: str
    header: str  # X-Test


@contextmanager
def bounded(workers: int = 4, seconds: float = 0.01) -> Iterator[tuple[int, Counter[Asked]]]:
    """The port of a server with so many workers, each busy so long with a request, and what it was asked how often."""
    asked: Counter[Asked] = Counter()
    lock, free = threading.Lock(), threading.Semaphore(workers)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8")
            headers = (str(self.headers.get(name, "")) for name in ("Content-Type", "X-Test"))
            with free:
                time.sleep(seconds)
            with lock:
                asked[Asked(self.command, self.path, body, *headers)] += 1
            self.send_response(200)
            self.send_header("Content-Length", "11")
            self.end_headers()
            self.wfile.write(b'{"ok":true}')

        do_GET = do_POST = do_PUT = answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Thousands of lines that nobody reads."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1], asked
        finally:
            server.shutdown()
            thread.join()
