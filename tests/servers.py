"""What the fakes of other sides share: a server that takes a crowd of callers at once."""

from __future__ import annotations

import sys
from http.server import ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    """Python's own queues five callers and turns the sixth away, which a client counts as one more call."""

    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up, or is killed, is no news."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
