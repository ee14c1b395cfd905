"""Caches and CDN: what the origin carries when a cache does worse, and what an outage of it would need.

`what_if` is the verb, `Caching` and `CacheWhatIf` the nouns. Files, in the order of the question: popularity and logs
(what is asked for how often), lru and ttl (what a cache then hits), caches (the two kinds, in tiers), knowing (hit
ratio, interval, how known), passing and measured (from telemetry), scenarios, whatif, answer, picture.
"""

from capacity.planning.caching.answer import CacheWhatIf
from capacity.planning.caching.caches import LruCache, TtlCache, hit_ratio
from capacity.planning.caching.knowing import Caching
from capacity.planning.caching.logs import popularity_from_log
from capacity.planning.caching.lru import characteristic_time, che, che_hits
from capacity.planning.caching.measured import hit_ratio_from
from capacity.planning.caching.popularity import Popularity, ZipfFit, fit_zipf, static_bound, zipf
from capacity.planning.caching.scenarios import SCENARIOS
from capacity.planning.caching.ttl import ttl_hit_ratio, ttl_hits
from capacity.planning.caching.whatif import what_if

__all__ = [
    "SCENARIOS",
    "CacheWhatIf",
    "Caching",
    "LruCache",
    "Popularity",
    "TtlCache",
    "ZipfFit",
    "characteristic_time",
    "che",
    "che_hits",
    "fit_zipf",
    "hit_ratio",
    "hit_ratio_from",
    "popularity_from_log",
    "static_bound",
    "ttl_hit_ratio",
    "ttl_hits",
    "what_if",
    "zipf",
]
