"""Asking again: how often and how long to wait when the other side is busy, and what never to print."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final, TypeVar

Answer = TypeVar("Answer")

#: Waits are drawn from [0, FIRST x 2**attempt], at most LONGEST: "full jitter" (AWS Architecture Blog, "Exponential
#: Backoff And Jitter", 2015), so that many clients do not return in step.
FIRST, LONGEST = 0.5, 20.0

_SECRETS: Final = (
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"),  # AWS access key ids
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"),  # JSON web tokens (RFC 7519)
    re.compile(r"(?i)(?<=bearer )\S+|(?<=basic )\S+"),
    re.compile(r"(?i)(?<=password=)[^&\s]+|(?<=token=)[^&\s]+|(?<=secret=)[^&\s]+|(?<=signature=)[^&\s,]+"),
    re.compile(r"(?<=://)[^/@\s]+(?=@)"),  # user:password in an address
    re.compile(r"\b[A-Za-z0-9/+=]{40,}\b"),  # secret keys, session tokens, signatures
)


def patiently(
    ask: Callable[[], Answer],
    again: Callable[[BaseException, int], bool],
    *,
    after: Callable[[BaseException], float | None] = lambda error: None,
    sleep: Callable[[float], None] | None = None,
) -> Answer:
    """The answer, asking for as long as `again` says so; the last error as it came.

    again  whether to ask again after this error of the n-th attempt (1, 2, ...)
    after  seconds the other side asked us to wait (Retry-After), if it did
    sleep  takes seconds; default `time.sleep`

    >>> waits, answers = [], iter([TimeoutError(), 42])
    >>> def ask():
    ...     answer = next(answers)
    ...     if isinstance(answer, Exception):
    ...         raise answer
    ...     return answer
    >>> patiently(ask, lambda error, attempt: attempt < 3, sleep=waits.append), len(waits)
    (42, 1)
    """
    import tenacity

    jitter = tenacity.wait_random_exponential(multiplier=FIRST, max=LONGEST)

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome is not None else None
        asked = after(error) if error is not None else None
        return jitter(state) if asked is None else asked

    def retry(state: tenacity.RetryCallState) -> bool:
        error = state.outcome.exception() if state.outcome is not None else None
        return error is not None and again(error, state.attempt_number)

    retrying = tenacity.Retrying(wait=wait, retry=retry, sleep=sleep or time.sleep, reraise=True)
    answer: Answer = retrying(ask)
    return answer


def redacted(text: str) -> str:
    """A message without keys, tokens, passwords and signatures.

    >>> redacted("GET http://me:s3cret@prom:9090/?token=abc failed for AKIAIOSFODNN7EXAMPLE")
    'GET http://***@prom:9090/?token=*** failed for ***'
    """
    for secret in _SECRETS:
        text = secret.sub("***", text)
    return text
