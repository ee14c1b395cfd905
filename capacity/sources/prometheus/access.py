"""How we are let in. Every secret is looked up when it is needed, and stands in no field, message or repr."""

from __future__ import annotations

import os
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from capacity.errors import MissingExtra, SourceDenied
from capacity.sources.patience import redacted

if TYPE_CHECKING:
    import httpx

#: Prefix of a header's value that stands in the environment.
FROM_ENVIRONMENT: Final = "env:"


class Access(Protocol):
    """Puts into a request what lets it in, just before it is sent."""

    def admit(self, request: httpx.Request) -> None: ...


@dataclass(frozen=True)
class Nobody:
    """The server asks nobody."""

    def admit(self, request: httpx.Request) -> None:
        """Nothing is put in."""


@dataclass(frozen=True)
class Bearer:
    """A bearer token, from an environment variable or a file. A file is read anew each time: such tokens rotate."""

    env: str = ""
    file: Path | None = None

    def admit(self, request: httpx.Request) -> None:
        if self.file is None:
            token = environment(self.env, "bearer_token_env")
        else:
            token = sendable(_read(self.file), f"{self.file.name} (bearer_token_file)")
        request.headers["Authorization"] = f"Bearer {token}"


@dataclass(frozen=True)
class Basic:
    """A user, with a password from an environment variable."""

    user: str
    password_env: str

    def admit(self, request: httpx.Request) -> None:
        pair = f"{self.user}:{environment(self.password_env, 'basic_password_env', ascii_only=False)}"
        request.headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"


@dataclass(frozen=True)
class Signed:
    """AWS credentials, found as AWS's own tools find them: Signature Version 4 for the service `aps`.

    Source: Amazon Managed Service for Prometheus user guide, "Query using Prometheus-compatible APIs".
    """

    region: str

    def admit(self, request: httpx.Request) -> None:
        credentials = self._credentials
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        wanted = {name: request.headers[name] for name in ("Host", "Content-Type")}
        signed = AWSRequest(request.method, str(request.url), data=request.content, headers=wanted)
        SigV4Auth(credentials.get_frozen_credentials(), "aps", self.region).add_auth(signed)
        for name in ("X-Amz-Date", "X-Amz-Security-Token", "Authorization"):
            if name in signed.headers:
                request.headers[name] = signed.headers[name]

    @cached_property
    def _credentials(self) -> Any:
        """Found once: those of a role renew themselves."""
        try:
            from boto3.session import Session
            from botocore.exceptions import BotoCoreError
        except ImportError:
            raise MissingExtra("boto3", "aws", "signing calls to Amazon Managed Prometheus") from None
        try:
            found = Session().get_credentials()
        except BotoCoreError as error:
            raise SourceDenied(f"sigv4_region asks for AWS credentials: {redacted(str(error))}") from error
        if found is None:
            raise SourceDenied(
                "sigv4_region asks for a signature, and there are no AWS credentials here. Set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY, sign in with `aws sso login`, or name a profile in AWS_PROFILE."
            )
        return found


@dataclass(frozen=True)
class Tls:
    """Whom to trust, and who we are."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    insecure: bool = False

    def context(self) -> ssl.SSLContext:
        """Trusts the system's certificates, or those of ca_file alone."""
        for name in ("ca_file", "cert_file", "key_file"):
            path = getattr(self, name)
            if path is not None and not path.is_file():
                raise SourceDenied(f"there is no file {path} ({name} of [prometheus])")
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.cert_file is not None:
                context.load_cert_chain(self.cert_file, self.key_file, password=_nobody_asks)
        except (ssl.SSLError, ValueError) as error:
            raise SourceDenied(
                "ca_file, cert_file and key_file of [prometheus] have to be PEM files, the key without a passphrase, "
                f"and the key has to belong to the certificate: {type(error).__name__}"
            ) from None
        if self.insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context


def resolved(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers with what stands in the environment put in."""
    return {
        name: environment(value.removeprefix(FROM_ENVIRONMENT), f"header {name}")
        if value.startswith(FROM_ENVIRONMENT)
        else sendable(value, f"header {name}")
        for name, value in headers.items()
    }


def environment(name: str, setting: str, *, ascii_only: bool = True) -> str:
    """What an environment variable holds. Raises SourceDenied, naming the setting that points there."""
    value = os.environ.get(name, "")
    if not value.strip():
        raise SourceDenied(f"{setting} of [prometheus] points to the environment variable {name}, which is not set")
    return sendable(value, f"{name} ({setting})") if ascii_only else value


def sendable(value: str, where: str) -> str:
    """The value, if a header can hold it. What it is instead is not said: it may be a secret."""
    value = value.strip()
    if not (value.isascii() and value.isprintable()):
        raise SourceDenied(f"{where} holds characters that no header may have: line breaks, accents ...")
    if not value:
        raise SourceDenied(f"{where} is empty")
    return value


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SourceDenied(
            f"{path} (bearer_token_file of [prometheus]) cannot be read: {type(error).__name__}"
        ) from None


def _nobody_asks() -> str:
    """For a key with a passphrase, instead of a question at the terminal."""
    return ""
