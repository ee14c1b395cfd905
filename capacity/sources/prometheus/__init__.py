"""Prometheus, and whatever speaks its query API: Thanos, Mimir, VictoriaMetrics, Amazon Managed Prometheus.

source      the source: what is asked, in which order, and what is covered afterwards
query       one question, with its unit and its interval
presets     ready-made questions
steps       intervals, and the parts they are asked for in
api         one call, asked again while that makes sense
access      how we are let in: tokens, passwords, signatures, certificates
answers     an answer as rows, and what was remarkable in it
complaints  what went wrong, as our errors
"""

from capacity.sources.prometheus.access import Basic, Bearer, Nobody, Signed, Tls
from capacity.sources.prometheus.presets import PRESETS, Preset, preset
from capacity.sources.prometheus.query import Query
from capacity.sources.prometheus.source import Prometheus

__all__ = ["PRESETS", "Basic", "Bearer", "Nobody", "Preset", "Prometheus", "Query", "Signed", "Tls", "preset"]
