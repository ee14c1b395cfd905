"""The tables of capacity.toml as what this package is made of: ways in, certificates, queries."""

from __future__ import annotations

from pathlib import Path

from capacity.config.prometheus import PrometheusQuery, PrometheusSettings
from capacity.errors import ConfigError, InputError, Problem
from capacity.sources.prometheus.access import Access, Basic, Bearer, Nobody, Signed, Tls
from capacity.sources.prometheus.presets import preset
from capacity.sources.prometheus.query import Query
from capacity.timegrid import duration


def access_of(settings: PrometheusSettings, base_folder: Path) -> Access:
    """How we are let in: the one way that the table names."""
    if settings.bearer_token_env:
        return Bearer(settings.bearer_token_env)
    if settings.bearer_token_file:
        return Bearer(file=base_folder / settings.bearer_token_file)
    if settings.basic_user:
        return Basic(settings.basic_user, settings.basic_password_env)
    return Signed(settings.sigv4_region) if settings.sigv4_region else Nobody()


def tls_of(settings: PrometheusSettings, base_folder: Path) -> Tls:
    """Whom to trust, and who we are; paths start at the folder of the file."""

    def file(path: str) -> Path | None:
        return base_folder / path if path else None

    return Tls(file(settings.ca_file), file(settings.cert_file), file(settings.key_file), settings.insecure)


def queries_of(settings: PrometheusSettings) -> tuple[Query, ...]:
    """All queries of the tables. What is wrong with any of them is reported together."""
    queries, problems = [], []
    for number, table in enumerate(settings.query, start=1):
        try:
            queries.append(_query(table, settings))
        except InputError as error:
            problems.append(Problem(str(error), where=f"[[prometheus.query]] #{number}"))
    if problems:
        raise ConfigError("these queries cannot be asked:", problems)
    return tuple(queries)


def _query(table: PrometheusQuery, settings: PrometheusSettings) -> Query:
    step = int(duration(table.step or settings.step).total_seconds())
    scrape = int(duration(settings.scrape_interval).total_seconds())
    if table.preset:
        return preset(
            table.preset,
            step=step,
            scrape=scrape,
            service=table.service,
            service_label=table.service_label,
            labels=table.labels,
            match=table.match,
        )
    label = table.service_label or "service"
    return Query(table.metric, table.query, table.stat, table.service, label, table.unit, step, scrape)
