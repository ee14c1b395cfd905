"""Which settings hold where some are given, some come with the alarms, and some are nobody's."""

from __future__ import annotations

from capacity.config import Config, Monitoring
from capacity.config.prometheus import PrometheusSettings
from capacity.monitoring.alarm import NO_ONE_TOLD, Alarms


def monitoring_of(settings: Monitoring | Config | None, alarms: Alarms | None = None) -> Monitoring:
    """[monitoring]: as it is given, else the alarms' own, else its defaults."""
    if isinstance(settings, Config):
        return settings.monitoring
    if settings is not None:
        return settings
    return alarms.settings if alarms is not None else NO_ONE_TOLD


def prometheus_of(settings: Monitoring | Config | None, alarms: Alarms | None = None) -> PrometheusSettings | None:
    """[prometheus]: of the whole configuration, else the alarms' own."""
    if isinstance(settings, Config) and settings.prometheus is not None:
        return settings.prometheus
    return alarms.prometheus if alarms is not None else None
