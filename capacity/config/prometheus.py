"""The tables [prometheus] and [[prometheus.query]]: where the server is, how to be let in, and what to ask.

No secret stands in the file: a setting names the environment variable or the file that holds it.
"""

from __future__ import annotations

import re
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from capacity.config.base import Settings
from capacity.schema import METRICS, STATS

#: Names of headers that let someone in: their value has to come from the environment.
_LETS_IN: Final = re.compile(r"(?i)auth|token|secret|passw|cookie|api-?key|credential")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")  # of the Prometheus data model
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # a token of RFC 9110, section 5.6.2


class PrometheusQuery(Settings):
    """One question to the server: PromQL of your own, or one that `capacity` brings (`preset`).

    >>> PrometheusQuery(metric="requests", query="sum by (service) (rate(http_requests_total[1m]))").stat
    'mean'
    """

    preset: str = Field("", description="A ready-made query (docs/prometheus.md); instead of metric and query.")
    metric: str = Field("", description="Which of our metrics the values are.")
    stat: str = Field("mean", description="Statistic of the values inside one interval.")
    query: str = Field("", description="PromQL with one series a service; $__interval and $__rate_interval work.")
    service_label: str = Field("", description="Label that names the service; empty: service, or the preset's own.")
    service: str = Field("", description="Service of every value, when no label names it.")
    unit: str = Field("", description="Unit of the values, when it is not the metric's own: bytes, ms, fraction ...")
    step: str = Field("", description="Interval of this query, when it is not that of [prometheus].")
    labels: dict[str, str] = Field({}, description="Labels of a preset -> yours, e.g. code = 'status'.")
    match: str = Field("", description="Further label matchers for a preset, e.g. 'namespace=\"shop\"'.")

    @field_validator("metric")
    @classmethod
    def _a_metric(cls, metric: str) -> str:
        if metric and metric not in METRICS:
            raise ValueError(f"unknown metric {metric!r}. Metrics: {', '.join(METRICS)}")
        return metric

    @field_validator("stat")
    @classmethod
    def _a_stat(cls, stat: str) -> str:
        if stat not in STATS:
            raise ValueError(f"unknown statistic {stat!r}. Statistics: {', '.join(STATS)}")
        return stat

    @field_validator("step")
    @classmethod
    def _a_step(cls, step: str) -> str:
        return whole_seconds(step) if step else step

    @field_validator("service_label")
    @classmethod
    def _a_label(cls, label: str) -> str:
        if label and not _LABEL.fullmatch(label):
            raise ValueError(f"{label!r} cannot be the name of a label")
        return label

    @field_validator("labels")
    @classmethod
    def _all_labels(cls, labels: dict[str, str]) -> dict[str, str]:
        for label in labels.values():
            cls._a_label(label)
        return labels

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        if bool(self.preset) == bool(self.query):
            raise ValueError("say either query = PromQL, with its metric, or preset = the name of a ready-made one")
        if self.query and not self.metric:
            raise ValueError(f"metric is required beside query: which of {', '.join(METRICS)} is it?")
        if self.query and (self.labels or self.match):
            raise ValueError("labels and match belong to a preset: write them into the query itself")
        if self.preset and (self.metric or self.unit or self.stat != "mean"):
            raise ValueError("a preset knows its metric, stat and unit: leave them out")
        if self.service and (self.service_label or "service" in self.labels):
            raise ValueError("say either service, or the label that names it")
        return self


class PrometheusSettings(Settings):
    """A server that speaks Prometheus' query API: Prometheus, Thanos, Mimir, VictoriaMetrics, a managed one.

    >>> PrometheusSettings(url="http://127.0.0.1:9090").step
    '60s'
    """

    url: str = Field("", repr=False, description="Address of the server, without /api/v1; --url wins over it.")
    step: str = Field("60s", description="Length of an interval: a duration of whole seconds.")
    scrape_interval: str = Field("15s", description="How often targets are scraped: rates look over four scrapes.")
    bearer_token_env: str = Field("", description="Environment variable that holds a bearer token.")
    bearer_token_file: str = Field("", description="File that holds a bearer token; read anew for each call.")
    basic_user: str = Field("", description="User name for basic authentication.")
    basic_password_env: str = Field("", description="Environment variable that holds that user's password.")
    sigv4_region: str = Field("", description="Sign with AWS credentials for this region: Amazon Managed Prometheus.")
    headers: dict[str, str] = Field(
        {}, repr=False, description="Further headers, e.g. X-Scope-OrgID; a value may be env:NAME."
    )
    ca_file: str = Field("", description="Certificates to trust (PEM), instead of the system's.")
    cert_file: str = Field("", description="Our certificate (PEM), when the server asks for one.")
    key_file: str = Field("", description="The key of cert_file (PEM).")
    insecure: bool = Field(False, description="Do not check the server's certificate: for a test only.")
    max_points: int = Field(11_000, ge=1, le=11_000, description="Points a series that one call may ask for.")
    max_span: str = Field("32d", description="Longest span that one call may ask for.")
    timeout: str = Field("60s", description="How long one call may take.")
    settle: str = Field("5min", description="What is younger than this is read again by the next fetch.")
    query: tuple[PrometheusQuery, ...] = Field((), description="What to ask for.")

    @field_validator("url")
    @classmethod
    def _an_address(cls, url: str) -> str:
        if url:
            address_faults(url)
        return url

    @field_validator("step", "scrape_interval", "max_span", "timeout", "settle")
    @classmethod
    def _durations(cls, text: str) -> str:
        return whole_seconds(text)

    @field_validator("headers")
    @classmethod
    def _no_secrets(cls, headers: dict[str, str]) -> dict[str, str]:
        for name, value in headers.items():
            if not _HEADER.fullmatch(name):
                raise ValueError(f"{name!r} cannot be the name of a header")
            if _LETS_IN.search(name) and not value.startswith("env:"):
                raise ValueError(f"{name}: a secret does not stand in this file. Write env:NAME, and set NAME")
        return headers

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        ways = [
            name
            for name in ("bearer_token_env", "bearer_token_file", "basic_user", "sigv4_region")
            if getattr(self, name)
        ]
        if len(ways) > 1:
            raise ValueError(f"{' and '.join(ways)}: keep one way to be let in")
        if bool(self.basic_user) != bool(self.basic_password_env):
            raise ValueError("basic_user and basic_password_env belong together")
        if self.key_file and not self.cert_file:
            raise ValueError("key_file is the key of cert_file: name that too")
        if self.insecure and self.ca_file:
            raise ValueError("insecure checks no certificate, so ca_file has no use: keep one")
        return self


def address_faults(url: str) -> None:
    """Raises ValueError, in words without the address itself, for one that we do not use.

    >>> address_faults("https://me:s3cret@prom")
    Traceback (most recent call last):
        ...
    ValueError: the url holds a user or password: name them with basic_user and basic_password_env
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("the url is not an address such as http://prometheus:9090") from None
    if "@" in parts.netloc:
        raise ValueError("the url holds a user or password: name them with basic_user and basic_password_env")
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("the url is not an address such as http://prometheus:9090")
    if parts.query or parts.fragment:
        raise ValueError("the url goes on after ? or #: leave that out, and put a token into headers as env:NAME")


def whole_seconds(text: str) -> str:
    """The duration as it was written, if it is a positive count of whole seconds; else ValueError."""
    from capacity.timegrid import duration

    seconds = duration(text).total_seconds()
    if seconds < 1 or seconds != int(seconds):
        raise ValueError(f"{text!r} is not a positive count of whole seconds")
    return text
