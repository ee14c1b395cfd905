"""One region of one AWS account, as one set of credentials sees it. Every call of ours goes through this door."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from capacity.errors import MissingExtra, SourceChanged
from capacity.sources.aws.complaints import action_of, may_pass, ours
from capacity.sources.patience import patiently

#: Region when nothing names one: also that of `Service`.
DEFAULT_REGION = "us-east-1"
#: Seconds to wait for a connection: one that takes longer is not there.
CONNECT = 10.0


@dataclass(frozen=True, eq=False)
class Door:
    """Calls to AWS: asked again with jitter while it is busy, counted, and failing with our errors.

    region       None: AWS_REGION, AWS_DEFAULT_REGION, the profile's own, else us-east-1
    profile      of ~/.aws/config; None: AWS's usual search for credentials
    role_arn     a role to assume first, with `external_id` if its trust asks for one
    endpoint     instead of AWS's own (else AWS_ENDPOINT_URL): a test server
    sleep        takes seconds, between attempts
    timeout      seconds to wait for an answer. AWS takes one or two; a test server that stands in for it takes minutes
                 over a long span of minutes

    botocore's own retries are off, so that every request is counted and the waits are ours.
    """

    region: str | None = None
    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = field(default=None, repr=False)
    endpoint: str | None = None
    sleep: Callable[[float], None] | None = None
    timeout: float = 300.0
    counted: Counter[tuple[str, str]] = field(default_factory=Counter, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def call(self, service: str, operation: str, *, region: str | None = None, **params: Any) -> dict[str, Any]:
        """The answer to one call: `door.call("ecs", "list_clusters", maxResults=100)`.

        region  for services that live in one region only, such as Cost Explorer
        """

        def ask() -> dict[str, Any]:
            client = self.client(service, region)
            with self._lock:
                self.counted[service, operation] += 1
            return self._said(getattr(client, operation)(**params), service, operation, region)

        try:
            return patiently(ask, may_pass, sleep=self.sleep)
        except Exception as error:
            raise ours(error, service, operation, region or self.where) from error

    def _said(self, answer: dict[str, Any], service: str, operation: str, region: str | None) -> dict[str, Any]:
        """The answer, if it says anything. botocore reads a proxy's login page as an answer with every list empty."""
        if answer.keys() <= {"ResponseMetadata"}:
            raise SourceChanged(
                f"{action_of(service, operation)} in {region or self.where}: the answer does not have the documented "
                "form: it is empty. Is there a proxy between, or is AWS_ENDPOINT_URL set to something that is not AWS?"
            )
        return answer

    def pages(
        self, service: str, operation: str, token: str = "nextToken", *, region: str | None = None, **params: Any
    ) -> Iterator[dict[str, Any]]:
        """Every page of a call. `token` names the paging field of answer and request; a repeated token ends it."""
        seen: set[str] = set()
        while True:
            page = self.call(service, operation, region=region, **params)
            yield page
            following = page.get(token)
            if not following or following in seen:
                return
            seen.add(following)
            params[token] = following

    def client(self, service: str, region: str | None = None) -> Any:
        """The boto3 client behind `call`: made once, safe to use from several threads."""
        key = (service, region or self.where)
        with self._lock:
            if key not in self._clients:
                from botocore.config import Config

                settings = Config(
                    retries={"total_max_attempts": 1, "mode": "standard"},
                    connect_timeout=min(self.timeout, CONNECT),
                    read_timeout=self.timeout,
                    max_pool_connections=32,
                    user_agent_extra="ecs-capacity",
                )
                self._clients[key] = self._session.client(
                    service, region_name=key[1], endpoint_url=self.endpoint, config=settings
                )
            return self._clients[key]

    @cached_property
    def where(self) -> str:
        """The region's name."""
        named = self.region or os.environ.get("AWS_REGION")  # botocore itself reads AWS_DEFAULT_REGION only
        return named or self._base_session.region_name or DEFAULT_REGION

    @cached_property
    def _clients(self) -> dict[tuple[str, str], Any]:
        return {}

    @cached_property
    def _base_session(self) -> Any:
        try:
            import boto3
        except ImportError:
            raise MissingExtra("boto3", "aws", "reading from AWS") from None
        try:
            session = boto3.session.Session(profile_name=self.profile)
        except Exception as error:
            raise ours(error, "sts", "session", self.region or "") from error
        _share_models(session._session)
        return session

    @cached_property
    def _session(self) -> Any:
        """The session whose credentials are used: the base one, or that of the role, which is renewed as it expires."""
        if self.role_arn is None:
            return self._base_session
        import boto3
        from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
        from botocore.exceptions import NoCredentialsError
        from botocore.session import Session

        base = self._base_session._session  # botocore's own, which boto3 wraps without a public name
        mine = base.get_credentials()
        if mine is None:
            raise NoCredentialsError

        def client(service: str, **options: Any) -> Any:
            return base.create_client(service, region_name=self.where, endpoint_url=self.endpoint, **options)

        extra = {"RoleSessionName": "ecs-capacity"} | ({"ExternalId": self.external_id} if self.external_id else {})
        fetcher = AssumeRoleCredentialFetcher(client, mine, self.role_arn, extra_args=extra)
        session = Session(profile=self.profile)
        _share_models(session)
        session._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
        return boto3.session.Session(botocore_session=session)


def _share_models(session: Any) -> None:
    """Let a botocore session use models that are read already: megabytes of JSON, which each would read for itself."""
    session.register_component("data_loader", _models(session.get_config_variable("data_path")))


@cache
def _models(path: str | None) -> Any:
    from botocore.loaders import create_loader

    return create_loader(path)
