"""`capacity cache`: what a service carries when its cache does worse, and what an outage of the cache would need."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capacity.cli.chain import chain_of
from capacity.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, HistoryPath, Horizon, Quiet
from capacity.cli.printing import findings, print_json, records, say, table
from capacity.errors import InputError

if TYPE_CHECKING:
    from capacity.fleet import Chain
    from capacity.planning.caching import Caching, LruCache, Popularity, TtlCache

app = typer.Typer()

#: What of the answer fits on a screen; `--json` has it all.
SHOWN = [
    *("scenario", "hit_ratio", "times", "origin_per_s", "tasks", "tasks_low", "tasks_high"),
    *("exceeded", "reached", "refill_seconds", "usd_per_month"),
]


@app.command()
def cache(
    service: Annotated[str, typer.Option("--service", "-s", metavar="NAME", help="The service behind the cache.")],
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    horizon: Horizon = None,
    hit_ratio: Annotated[
        float | None,
        typer.Option("--hit-ratio", help="Of the cacheable requests, 0 to 1.", show_default="from log or history"),
    ] = None,
    between: Annotated[
        tuple[float, float] | None,
        typer.Option("--between", metavar="LOW HIGH", help="95 % interval of --hit-ratio.", show_default=False),
    ] = None,
    cacheable: Annotated[
        float | None, typer.Option("--cacheable", help="Share of all requests that may be cached, 0 to 1.")
    ] = None,
    log: Annotated[
        list[Path] | None,
        typer.Option("--log", metavar="PATH", help="Access log of the cache, or a folder of them; may be repeated."),
    ] = None,
    drop_query: Annotated[bool, typer.Option("--drop-query", help="The cache ignores query strings.")] = False,
    objects: Annotated[
        int | None, typer.Option("--objects", min=1, help="Without a log: how many keys there are.")
    ] = None,
    zipf: Annotated[float, typer.Option("--zipf", help="Their popularity, by Zipf's law; web: 0.6 to 0.9.")] = 0.8,
    ttl: Annotated[float | None, typer.Option("--ttl", help="Seconds that the cache keeps a key.")] = None,
    size: Annotated[float | None, typer.Option("--size", help="Or how many keys it holds (LRU).")] = None,
    edges: Annotated[int, typer.Option("--edges", min=1, help="Separate places that each keep their own.")] = 1,
    shield: Annotated[bool, typer.Option("--shield", help="They ask a shared tier first (Origin Shield).")] = False,
    rate: Annotated[
        float | None, typer.Option("--rate", help="Cacheable requests/s at the cache, if nothing else tells.")
    ] = None,
    nodes: Annotated[int | None, typer.Option("--nodes", min=1, help="Nodes that share the keys.")] = None,
    protects: Annotated[
        str, typer.Option("--protects", help="service (a CDN) or database (a data cache behind the service).")
    ] = "service",
    lookups: Annotated[
        float | None,
        typer.Option("--lookups", help="Of a data cache: lookups a request.", show_default="measured, or 1"),
    ] = None,
    limit: Annotated[float | None, typer.Option("--limit", help="Queries/s that the database carries.")] = None,
    newly_cacheable: Annotated[
        float | None, typer.Option("--newly-cacheable", help="Share of requests of an endpoint to be made cacheable.")
    ] = None,
    random_query: Annotated[
        float | None, typer.Option("--random-query", help="Share of cacheable requests with a random query string.")
    ] = None,
    miss_cost: Annotated[
        float, typer.Option("--miss-cost", help="Work of a request that is cached today, over the mean one's.")
    ] = 1.0,
    scenario: Annotated[
        list[str] | None,
        typer.Option("--scenario", metavar="NAME", help="Only this one; may be repeated.", show_default="all"),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """What a cache keeps away. Requests, tasks and cost when it does worse, is purged, or fails."""
    from capacity.planning.caching import what_if

    _heard(
        {
            "--between, the interval of --hit-ratio": between is None or hit_ratio is not None,
            "--drop-query, how --log is read": not drop_query or bool(log),
            "--edges and --shield, of a cache with --ttl or --size": (edges == 1 and not shield)
            or (ttl is not None or size is not None),
            "--limit and --lookups, of a cache with --protects database": (limit is None and lookups is None)
            or protects != "service",
        }
    )
    known = _popularity(log, drop_query, objects, zipf)
    kind = _cache(ttl, size, edges, shield)
    with chain_of(config, history, [service], horizon, None, quiet) as chain:
        about: dict[str, Any] = {"protects": protects, "nodes": nodes}
        if hit_ratio is not None:
            low, high = between if between is not None else (None, None)
            stated = {"low": low, "high": high, "popularity": known, "cache": kind, "rate": rate}
            caching = _stated(hit_ratio, cacheable, lookups, {**about, **stated})
        elif known is not None:
            caching = _computed(known, kind, rate, cacheable, lookups, about)
        else:
            caching = _measured(chain, service, cacheable, lookups, about)
        result = what_if(
            chain.plan,
            service,
            caching,
            scenarios=scenario,
            newly_cacheable=newly_cacheable,
            random_query=random_query,
            miss_cost=miss_cost,
            limit=limit,
            seed=chain.config.forecast.seed,
        )
    findings((finding for finding in result.findings if finding.check != "scenario"), least="REVIEW")
    for sentence in result.unanswered:
        say(f"not answered: {sentence}")
    if as_json:
        low, high = caching.interval
        ratio = {"hit_ratio": caching.hit_ratio, "low": low, "high": high, "cacheable": caching.cacheable}
        how = {"method": caching.method, "evidence": list(caching.evidence), "sensitivity": caching.sensitivity}
        answer = {"scenarios": records(result.frame), "curve": records(result.curve)}
        print_json({"headline": result.headline, "caching": ratio | how, **answer})
        return
    print(result.headline)
    for sentence in caching.evidence:
        print(f"    {sentence}")
    table(result.frame[SHOWN].dropna(axis=1, how="all"), f"{service}, at the busiest moment of the horizon")


def _heard(made_use_of: dict[str, bool]) -> None:
    """What was said without what it belongs to would not be listened to. Raises InputError, naming all of it."""
    if unheard := [words for words, used in made_use_of.items() if not used]:
        raise InputError(f"said alone, it changes nothing: {'; '.join(unheard)}")


def _popularity(log: list[Path] | None, drop_query: bool, objects: int | None, alpha: float) -> Popularity | None:
    from capacity.planning.caching import Popularity, popularity_from_log

    if log and objects:
        raise InputError("--log and --objects are two answers to one question: say one of them")
    if log:
        return popularity_from_log(log, query="drop" if drop_query else "keep")
    return Popularity.of_zipf(objects, alpha) if objects else None


def _cache(ttl: float | None, size: float | None, edges: int, shield: bool) -> TtlCache | LruCache | None:
    from capacity.planning.caching import LruCache, TtlCache

    if ttl is not None and size is not None:
        raise InputError("--ttl and --size are two kinds of cache: say the one that empties it first")
    if ttl is not None:
        return TtlCache(ttl, edges=edges, shield=shield)
    return None if size is None else LruCache(size, edges=edges, shield=size if shield else None)


def _stated(ratio: float, cacheable: float | None, lookups: float | None, about: dict[str, Any]) -> Caching:
    from capacity.planning.caching import Caching

    share, each = (1.0 if value is None else value for value in (cacheable, lookups))
    return Caching(ratio, cacheable=share, lookups_per_request=each, **about)


def _computed(
    known: Popularity,
    kind: TtlCache | LruCache | None,
    rate: float | None,
    cacheable: float | None,
    lookups: float | None,
    about: dict[str, Any],
) -> Caching:
    from capacity.planning.caching import Caching

    each = 1.0 if lookups is None else lookups
    return Caching.of_keys(known, kind, rate=rate, cacheable=cacheable, lookups_per_request=each, **about)


def _measured(
    chain: Chain, service: str, cacheable: float | None, lookups: float | None, about: dict[str, Any]
) -> Caching:
    from capacity.planning.caching import hit_ratio_from

    found = hit_ratio_from(chain.history, service, cacheable=cacheable, **about)
    return found if lookups is None else replace(found, lookups_per_request=lookups)
