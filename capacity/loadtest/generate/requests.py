"""What is asked of the service: requests with their shares, and the headers that all of them carry."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal, Self
from urllib.parse import quote

from pydantic import Field, field_validator, model_validator

from capacity.config.base import Positive, Settings
from capacity.errors import InputError, Problem
from capacity.loadtest.generate.secrets import names_a_secret, secret_in

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

#: What a plan says when nobody said what to ask for.
DEFAULT_PATH: Final = "/"

#: Requests that differ in a plan. Each is driven by a controller of its own in every stage.
MOST_REQUESTS: Final = 200

#: Characters that may stand in a path and query as they are (RFC 3986: unreserved, sub-delims, and `:@/?%`).
_IN_PATH: Final = "/?:@!$&'()*+,;=-._~%"

#: A piece of a path that stands for many: `{id}`, `:id`, `<id>`, `*`.
_PLACEHOLDER: Final = re.compile(r"\{[^/{}]*\}|/:[A-Za-z]\w*|<[^/<>]+>|\*")

#: What no XML 1.0 document may hold: control characters but tab and line ends, lone surrogates, two non-characters.
_NOT_TEXT: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_HEADER_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # `token` of RFC 9110 5.6.2


class Request(Settings):
    """One kind of request: how it is sent, and its share of all.

    >>> Request(path="/cart?size=2", share=70).label
    'GET /cart'
    >>> Request(method="POST", path="/bücher", share=5, body='{"n": 1}').path
    '/b%C3%BCcher'
    """

    label: str = Field("", max_length=200, description="Name in results; method and path if left out.")
    method: Method = Field("GET", description="HTTP method.")
    path: str = Field(DEFAULT_PATH, max_length=8000, description="Path and query, without scheme and host.")
    share: Positive = Field(1.0, description="Weight among all requests; shares are relative to their sum.")
    body: str | None = Field(None, max_length=1_000_000, description="What is sent, of POST, PUT, PATCH and DELETE.")
    content_type: str = Field("application/json", max_length=200, description="Of the body.")
    expect: str = Field("", max_length=1000, description="Text an answer must hold to count as a success.")

    @field_validator("label", "content_type", "expect")
    @classmethod
    def _one_line(cls, text: str) -> str:
        if not text.isprintable():
            raise ValueError("holds line breaks or control characters: write one line of plain text")
        return text.strip()

    @field_validator("body")
    @classmethod
    def _text(cls, body: str | None) -> str | None:
        if body is not None and _NOT_TEXT.search(body):
            raise ValueError("holds control characters, which a JMeter plan cannot carry: send text")
        return body

    @field_validator("path")
    @classmethod
    def _path(cls, path: str) -> str:
        path = path.strip()
        if not path.startswith("/") or path.startswith("//"):
            raise ValueError("has to start with one / and to name no host: the target is told when the test is run")
        if not path.isprintable():
            raise ValueError("holds line breaks or control characters")
        return quote(path.partition("#")[0], safe=_IN_PATH, encoding="utf-8")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.body is not None and self.method in ("GET", "HEAD", "OPTIONS"):
            raise ValueError(f"a {self.method} carries no body: leave it out, or use POST")
        for what, text in (("path", self.path), ("body", self.body or ""), ("label", self.label)):
            found = secret_in(text)
            if found:
                raise ValueError(f"its {what} holds {found}: a plan is a file that others read, keep it out")
        if not self.label:  # pydantic's own way past `frozen` while a model is built
            object.__setattr__(self, "label", f"{self.method} {self.path.partition('?')[0]}"[:200])
        return self

    @classmethod
    def named(cls, label: str, share: float) -> Request:
        """A request from its name in results, as most tests name them: `GET /cart`, or the path alone.

        Raises InputError for a name that is no method and path, or whose path has a place to fill in.

        >>> Request.named("GET /cart", 70).path
        '/cart'
        """
        method, _, path = label.strip().rpartition(" ") if " " in label.strip() else ("GET", "", label.strip())
        placeholder = _PLACEHOLDER.search(path)
        if method.upper() not in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") or path[:1] != "/":
            why = "is not a method and a path, as in 'GET /cart'"
        elif placeholder:
            why = f"has {placeholder.group().lstrip('/')} to fill in: no server knows that path"
        else:
            return cls(label=label, method=method.upper(), path=path, share=share)
        raise InputError(
            f"{label!r} {why}", advice="Write the requests to a file with label, method, path and share, and name it."
        )


class Header(Settings):
    """A header of every request. Without a value it is told when the test is run: that is how secrets come in.

    >>> Header(name="Authorization").property_name
    'header_authorization'
    """

    name: str = Field(max_length=200, description="Name of the header.")
    value: str | None = Field(None, max_length=4000, description="Its value; None: told when the test is run.")

    @model_validator(mode="after")
    def _harmless(self) -> Self:
        if not _HEADER_NAME.fullmatch(self.name):
            raise ValueError("name is not one of an HTTP header")
        if self.value is None:
            return self
        if not self.value.isprintable():
            raise ValueError(f"{self.name}: its value holds line breaks or control characters")
        if names_a_secret(self.name) or secret_in(self.value):
            raise ValueError(
                f"{self.name} looks like a secret, and a plan holds none: leave its value out, and tell it when the "
                f"test is run, as property {self.property_name}"
            )
        return self

    @property
    def property_name(self) -> str:
        """The property that tells its value, where the plan does not: without dots, which nest in Taurus."""
        return "header_" + re.sub(r"[^a-z0-9]", "_", self.name.lower())


def checked_mix(requests: Iterable[Request]) -> tuple[Request, ...]:
    """The requests with shares that sum to 1, in their order.

    Raises InputError for none, for too many, and for two of one label, which results could not tell apart.

    >>> [r.share for r in checked_mix([Request(path="/a", share=3), Request(path="/b", share=1)])]
    [0.75, 0.25]
    """
    mix = tuple(requests)
    labels = [request.label for request in mix]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if not mix or len(mix) > MOST_REQUESTS:
        raise InputError(f"a mix of {len(mix)} requests: 1 to {MOST_REQUESTS} can be driven apart")
    if twice:
        problems = [Problem("names two requests", where=repr(label)) for label in twice]
        raise InputError("labels have to differ", problems, "Give each request a label of its own.")
    total = sum(request.share for request in mix)
    return tuple(request.model_copy(update={"share": request.share / total}) for request in mix)
