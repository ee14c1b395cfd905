"""What JMeter's texts mean: response codes as outcomes, thread names as groups."""

from __future__ import annotations

import re
from typing import Final

#: How a transaction's responseMessage begins: its only mark (JMeter, TransactionSampler).
TRANSACTION_MARK: Final = "Number of samples in transaction : "

#: How the responseMessage of a page begins that came without one of its resources (JMeter, HTTPSamplerBase).
EMBEDDED_MARK: Final = "Embedded resource download error"

_NOT_HTTP: Final = "Non HTTP response code: "

#: In distributed runs JMeter writes "host-" or "host:port-" before the name of the group (RemoteJMeterEngineImpl). A
#: name without port cannot be told from a group's own, except an address or localhost.
_HOST: Final = re.compile(r"(?P<host>(?:\d{1,3}(?:\.\d{1,3}){3}|localhost)(?::\d+)?|[\w.-]+:\d+)-(?=.)")

#: " 1-23" at the end: number of the group, number of the thread.
_THREAD: Final = re.compile(r" \d+-\d+$")

#: What thread groups of the jmeter-plugins put behind their name.
_STARTER: Final = "-ThreadStarter"


def outcome(code: str, failed: bool, said_why: bool = False, whole: bool = False, embedded: bool = False) -> str:
    """A response code in words that tell failures apart.

    said_why  an assertion said why it failed
    whole     the row is a transaction
    embedded  the page came, one of its resources did not

    >>> outcome("200", False), outcome("200", True, said_why=True), outcome("503", True), outcome("503", False)
    ('200', '200, assertion failed', '503', '503, accepted')
    >>> outcome("Non HTTP response code: java.net.SocketTimeoutException", True)
    'java.net.SocketTimeoutException'
    """
    if code.startswith(_NOT_HTTP):
        return code.removeprefix(_NOT_HTTP).strip() or code.strip()
    code = code.strip()
    is_error = len(code) == 3 and code[0] in "45" and code.isdecimal()
    if not failed:
        return f"{code}, accepted" if is_error else code
    if is_error or (code and not code.isdecimal() and not said_why):
        return code
    if whole:
        reason = "a sample of the transaction failed"
    elif embedded:
        reason = "an embedded resource failed"
    else:
        reason = "assertion failed" if said_why else "marked as failed"
    return f"{code or 'no code'}, {reason}"


def group_of(thread: str) -> str:
    """The name of the thread group with any host before it: a thread's name without its " 1-23".

    >>> group_of("checkout, 40rps 1-23"), group_of("main")
    ('checkout, 40rps', 'main')
    """
    return _THREAD.sub("", thread)


def group_and_host(text: str) -> tuple[str, str]:
    """The thread group, and the host of a distributed run before it; "" for none.

    >>> group_and_host("10.0.3.17-checkout"), group_and_host("load-1.example:1099-checkout"), group_and_host("a-b")
    (('checkout', '10.0.3.17'), ('checkout', 'load-1.example:1099'), ('a-b', ''))
    """
    found = _HOST.match(text)
    host = found["host"] if found else ""
    return text[len(host) + 1 if host else 0 :].removesuffix(_STARTER), host
