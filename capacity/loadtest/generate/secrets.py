"""What looks like a credential: a load plan is a file that is mailed, committed and uploaded, so it holds none."""

from __future__ import annotations

import re
from typing import Final

#: Names of headers, query parameters and fields whose values let somebody in (OWASP Logging Cheat Sheet, "data to
#: exclude"; the headers of HTTP authentication, RFC 9110 11; AWS Signature Version 4 query parameters).
_NAMES: Final = (
    r"[\w.-]*(?:authori[sz]ation|passw(?:or)?d|passphrase|secret|token|credential|cookie|signature|api[_-]?key|"
    r"access[_-]?key|private[_-]?key|session[_-]?id)(?:s|id|key|value|hash|[._-][\w.-]*)?|"
    r"x-auth[\w-]*|sig|jwt|jsessionid|phpsessid"
)
_NAME: Final = re.compile(_NAMES, re.IGNORECASE)

#: `name=value`, `"name": "value"` and `<name>value` inside a query, a form, a JSON or an XML body. A bare number after
#: a colon is a setting (`"max_tokens": 100`).
_FIELD: Final = re.compile(
    rf"(?<![\w.-])[\"']?(?P<name>{_NAMES})[\"']?\s*(?::\s*(?!\d)[\"']?|=\s*[\"']?|>)"
    r"(?!null\b|true\b|false\b)[^\s\"'&<>,;{}\[\]]",
    re.IGNORECASE,
)

#: Values that are credentials wherever they stand: schemes of HTTP authentication, AWS access key ids, JSON Web
#: Tokens, private keys, and tokens of code and chat hosts (their published prefixes).
_VALUE: Final = re.compile(
    r"\b(?:Bearer|Basic|Digest|Negotiate)\s+[\w+/=.~-]{6,}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\beyJ[\w-]{6,}\.[\w-]{6,}\.|"
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\bgh[pousr]_\w{20,}|\bglpat-[\w-]{16,}|\bsk_live_\w{8,}|\bxox[abps]-[\w-]{8,}|"
    r"://[^/\s:@]+:[^/\s@]+@"
)


def names_a_secret(name: str) -> bool:
    """Whether what has this name is a credential.

    >>> [names_a_secret(name) for name in ("Authorization", "X-Api-Key", "Accept", "Idempotency-Key")]
    [True, True, False, False]
    """
    return _NAME.fullmatch(name.strip()) is not None


def secret_in(text: str) -> str:
    """What in a text looks like a credential, named without repeating it; empty where nothing does.

    >>> secret_in("/cart?user=7&access_token=abc"), secret_in("/tokens?page=2")
    ('a value of access_token', '')
    >>> secret_in("Bearer abcdefgh")
    'what looks like a token or key'
    """
    field = _FIELD.search(text)
    if field is not None:
        return f"a value of {field['name']}"
    return "what looks like a token or key" if _VALUE.search(text) else ""
