"""What the fakes of other sides share: a server that takes a crowd of callers at once."""

from __future__ import annotations

from http.server import ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    """Python's own queues five callers and turns the sixth away, which a client counts as one more call."""

    request_queue_size = 128
