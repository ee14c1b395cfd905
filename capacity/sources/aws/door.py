"""One region of one AWS account, as one set of credentials sees it. Every call of ours goes through this door."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from capacity.errors import MissingExtra
from capacity.sources.aws.complaints import may_pass, ours
from capacity.sources.patience import patiently

#: Region when nothing names one: also that of `Service`.
DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True, eq=False)
class Door:
    """Calls to AWS: asked again with jitter while it is busy, counted, and failing with our errors.

    region       None: AWS_REGION, AWS_DEFAULT_REGION, the profile's own, else us-east-1
    profile      of ~/.aws/config; None: AWS's usual search for credentials
    role_arn     a role to assume first, with `external_id` if its trust asks for one
    endpoint     instead of AWS's own (else AWS_ENDPOINT_URL): a test server
    sleep        takes seconds, between attempts

    botocore's own retries are off, so that every request is counted and the waits are ours.
    """

    region: str | None = None
    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    endpoint: str | None = None
    sleep: Callable[[float], None] | None = None
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
            answer: dict[str, Any] = getattr(client, operation)(**params)
            return answer

        try:
            return patiently(ask, may_pass, sleep=self.sleep)
        except Exception as error:
            raise ours(error, service, operation, region or self.where) from error

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
                    connect_timeout=10,
                    read_timeout=60,
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
        return self.region or self._base_session.region_name or DEFAULT_REGION

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
            return boto3.session.Session(profile_name=self.profile)
        except Exception as error:
            raise ours(error, "sts", "session", self.region or "") from error

    @cached_property
    def _session(self) -> Any:
        """The session whose credentials are used: the base one, or that of the role, which is renewed as it expires."""
        if self.role_arn is None:
            return self._base_session
        import boto3
        from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
        from botocore.session import Session

        base = self._base_session._session  # botocore's own, which boto3 wraps without a public name

        def client(service: str, **options: Any) -> Any:
            return base.create_client(service, region_name=self.where, endpoint_url=self.endpoint, **options)

        extra = {"RoleSessionName": "ecs-capacity"} | ({"ExternalId": self.external_id} if self.external_id else {})
        fetcher = AssumeRoleCredentialFetcher(client, base.get_credentials(), self.role_arn, extra_args=extra)
        session = Session(profile=self.profile)
        session._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
        return boto3.session.Session(botocore_session=session)
