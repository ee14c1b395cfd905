"""Access logs as people have them: which keys, how often, what may be cached, and what is damaged."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from capacity.errors import InputError
from capacity.planning.caching import Caching, LruCache, TtlCache, popularity_from_log, zipf
from capacity.planning.caching.logs import KeyCounts, share_of_hits

FIELDS = (
    "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) "
    "cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken"
)


def cloudfront(
    path: str,
    second: int = 0,
    *,
    result: str = "Hit",
    method: str = "GET",
    status: int = 200,
    query: str = "-",
    host: str = "www.example.com",
) -> str:
    """One line of a standard log, as the developer guide shows them."""
    time = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    cells = ["2026-11-02", time, "FRA2", "392", "192.0.2.100", method, "d111.cloudfront.net", path, str(status), "-"]
    return "\t".join([*cells, "curl/8", query, "-", result, "SOX4xwn4XV6Q4", host, "https", "23", "0.001"])


def written(folder: Path, lines: list[str], name: str = "cf.log") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def standard(lines: list[str]) -> list[str]:
    return ["#Version: 1.0", f"#Fields: {FIELDS}", *lines]


def test_a_cloudfront_log_tells_keys_pace_hits_and_what_may_be_cached(tmp_path: Path) -> None:
    lines = [
        cloudfront("/a", 0),
        cloudfront("/a", 10, result="RefreshHit"),  # the origin was asked whether it changed
        cloudfront("/a", 20, result="OriginShieldHit"),
        cloudfront("/b", 30, result="Miss"),
        cloudfront("/b", 40, host="other.example.com", result="Miss"),
        cloudfront("/cart", 50, method="POST", result="Miss"),
        cloudfront("/gone", 60, status=500, result="Error"),
        cloudfront("/c", 100, result="Redirect", status=301),
    ]
    found = popularity_from_log(written(tmp_path, standard(lines)))
    assert found.counts.tolist() == [3, 1, 1]
    assert (found.requests, found.cacheable, found.seconds) == (8, 5 / 8, 100)
    assert found.rate == pytest.approx(5 / 100)
    assert found.hits is not None and found.hits[0] == pytest.approx(2 / 5)
    assert found.once == 2 / 5


def test_query_strings_are_kept_apart_or_not_as_said(tmp_path: Path) -> None:
    path = written(tmp_path, standard([cloudfront("/a", query=f"utm={n}") for n in range(10)]))
    apart, together = popularity_from_log(path), popularity_from_log(path, query="drop")
    assert (len(apart.counts), len(together.counts)) == (10, 1)
    assert [finding.check for finding in apart.findings] == ["query strings"]
    assert "100 % of the requests carry a query string" in next(iter(apart.findings)).message
    assert not len(together.findings)
    with pytest.raises(InputError, match="'keep'"):
        popularity_from_log(path, query="ignore")  # type: ignore[arg-type]


def test_fields_are_read_by_name_and_those_that_are_missing_are_named(tmp_path: Path) -> None:
    names = FIELDS.split()
    shuffled = [*reversed(names)]
    cells = cloudfront("/a").split("\t")
    line = "\t".join(dict(zip(names, cells, strict=True))[name] for name in shuffled)
    assert popularity_from_log(written(tmp_path, [f"#Fields: {' '.join(shuffled)}", line])).counts.tolist() == [1]
    with pytest.raises(InputError, match="leaves out the fields sc-status"):
        popularity_from_log(written(tmp_path, [f"#Fields: {FIELDS.replace(' sc-status', '')}", cloudfront("/a")]))


def test_old_logs_without_results_and_logs_without_headings_are_read(tmp_path: Path) -> None:
    lines = [cloudfront("/a", 5, result="Miss"), cloudfront("/a", 9)]
    joined = popularity_from_log(written(tmp_path, lines))
    assert joined.counts.tolist() == [2]
    assert joined.hits is not None and joined.hits[0] == 0.5
    old = [f"#Fields: {' '.join(FIELDS.split()[:12])}", *("\t".join(line.split("\t")[:12]) for line in lines)]
    found = popularity_from_log(written(tmp_path, old))
    assert (found.counts.tolist(), found.hits, found.seconds) == ([2], None, 4)


BALANCER = (
    "h2 2026-11-02T08:00:{second:02}.186641Z app/web/50dc6c495c0c9188 10.0.1.252:48160 10.0.0.66:9000 0.000 0.002 0 "
    '200 200 5 257 "{method} https://shop.example.com:443{path} HTTP/2.0" "curl/7.46.0" ECDHE TLSv1.2 arn:aws:x "R"'
)
COMMON = '127.0.0.1 - {user} [02/Nov/2026:08:00:{second:02} +0100] "{method} {path} HTTP/1.0" 200 2326'


def test_the_load_balancers_log_is_read_and_said_to_be_of_misses(tmp_path: Path) -> None:
    lines = [BALANCER.format(second=n, method="GET", path=f"/p/{n % 2}?x=1") for n in range(11)]
    lines.append(BALANCER.format(second=11, method="POST", path="/cart"))
    found = popularity_from_log(written(tmp_path, lines), query="drop")
    assert (found.counts.tolist(), found.seconds, found.hits) == ([6, 5], 11, None)
    assert [finding.check for finding in found.findings] == ["origin log"]
    assert found.cacheable == pytest.approx(11 / 12)
    classic = [line.removeprefix("h2 ").replace("app/web/50dc6c495c0c9188", "web") for line in lines]
    assert popularity_from_log(written(tmp_path, classic), query="drop").counts.tolist() == [6, 5]


def test_the_common_log_format_is_read_with_and_without_what_follows_it(tmp_path: Path) -> None:
    plain = [COMMON.format(user="-", second=n, method="GET", path="/a") for n in range(3)]
    combined = COMMON.format(user="jane doe", second=30, method="HEAD", path="/a") + ' "-" "Mozilla/5.0 (X11)"'
    virtual = f"shop.example.com:443 {COMMON.format(user='-', second=9, method='DELETE', path='/a')}"
    found = popularity_from_log(written(tmp_path, [*plain, combined, virtual]))
    assert (found.counts.tolist(), found.requests, found.seconds) == ([4], 5, 30)


def test_one_key_a_line_is_a_log_too(tmp_path: Path) -> None:
    found = popularity_from_log(written(tmp_path, ["user:1", "", "user:2", "user:1"]))
    assert (found.counts.tolist(), found.requests, found.cacheable) == ([2, 1], 3, 1.0)
    assert np.isnan(found.rate) and found.hits is None


def test_a_folder_of_packed_logs_is_one_log(tmp_path: Path) -> None:
    folder = tmp_path / "logs" / "2026"
    folder.mkdir(parents=True)
    for hour in range(3):
        text = "\n".join(standard([cloudfront("/a", 3600 * hour), cloudfront(f"/{hour}", 3600 * hour + 5)]))
        (folder / f"E2.{hour}.gz").write_bytes(gzip.compress(text.encode()))
    (folder / ".DS_Store").write_bytes(b"\0\1")
    found = popularity_from_log(tmp_path / "logs")
    assert (found.counts.tolist(), found.seconds, found.source) == ([3, 1, 1, 1], 7205, "3 files")
    several = popularity_from_log([folder / "E2.0.gz", folder / "E2.2.gz"])
    assert several.counts.tolist() == [2, 1, 1]


def test_what_is_damaged_is_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    lines = standard(
        [cloudfront("/a"), "2026-11-02\t00:00:00\tFRA2", cloudfront("/a").replace("2026-11-02", "yesterday")]
    )
    found = popularity_from_log(written(tmp_path, lines))
    assert found.counts.tolist() == [1]
    (finding,) = found.findings
    assert (finding.check, finding.count) == ("damaged", 2)
    assert "2 of 3 lines were not understood" in finding.message


def test_a_file_that_was_cut_off_gives_what_is_whole(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    text = "\n".join(standard([cloudfront(f"/{n}") for n in random.integers(10_000, size=5_000)]))
    packed = gzip.compress(text.encode())
    (tmp_path / "cf.gz").write_bytes(packed[: len(packed) // 2])
    found = popularity_from_log(tmp_path / "cf.gz")
    assert 1_000 < found.requests < 5_000
    assert "truncated" in [finding.check for finding in found.findings]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (['{"date": "2026-11-02", "cs-uri-stem": "/a"}'], "of no log we know"),
        (["key,count", "a b,3"], "could be understood|no line|of no log"),
        (["time url status"], "of no log we know"),
        (["#Fields: " + FIELDS, "broken"], "none of its 1 lines could be understood"),
        ([""], "no line understood"),
        (standard([cloudfront("/a", method="POST")]), "1 lines, none of which a cache may keep"),
    ],
)
def test_what_is_no_log_is_refused_with_what_is_known(tmp_path: Path, lines: list[str], words: str) -> None:
    if lines[0].startswith("key,"):
        lines = lines[1:]
    with pytest.raises(InputError, match=words):
        popularity_from_log(written(tmp_path, lines))


def test_a_missing_file_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.log cannot be read"):
        popularity_from_log(tmp_path / "nothing.log")
    with pytest.raises(InputError, match="holds no files"):
        popularity_from_log(tmp_path)


def test_more_keys_than_are_held_by_name_are_counted_alike() -> None:
    keys = np.random.default_rng(1).integers(5_000, size=40_000).tolist()
    counts = KeyCounts(named=300)
    for key in keys:
        counts.add(b"%d" % key)
    assert sorted(counts.counts().tolist()) == sorted(Counter(keys).values())


def test_the_interval_of_a_logs_hit_ratio_covers_the_truth_though_hits_come_in_spells() -> None:
    random = np.random.default_rng(2)
    held = []
    for _ in range(200):
        spells = np.repeat(random.beta(30, 10, size=60), 10)  # ten minutes alike; 0.75 in the mean
        hits = random.binomial(100, spells)
        _, low, high = share_of_hits(np.stack([100 - hits, hits], axis=1)) or (0, 0, 0)
        held.append(low <= 0.75 <= high)
    assert 0.88 <= np.mean(held) <= 0.98


def test_a_hit_ratio_is_computed_from_a_log_and_says_what_keys_seen_once_leave_open(tmp_path: Path) -> None:
    keys = np.random.default_rng(3).choice(5_000, size=20_000, p=zipf(5_000, 0.8))
    path = written(tmp_path, [f"k{key}" for key in keys])
    found = Caching.of_keys(popularity_from_log(path), LruCache(500))
    low, high = found.interval
    assert low < found.hit_ratio < high
    assert found.method == "computed"
    with pytest.raises(InputError, match="a time to live works on rates"):
        Caching.of_keys(popularity_from_log(path), TtlCache(60))
    with pytest.raises(InputError, match="does not tell hits from misses"):
        Caching.of_keys(popularity_from_log(path))
    timed = Caching.of_keys(popularity_from_log(path), TtlCache(60), rate=100)
    assert timed.rate == 100


def test_what_the_log_says_is_the_hit_ratio_and_a_model_far_from_it_is_a_finding(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    lines = [
        cloudfront(f"/{key}", int(second), result="Hit" if hit else "Miss")
        for key, second, hit in zip(
            random.choice(200, size=3_000, p=zipf(200, 0.8)),
            np.sort(random.uniform(0, 7200, 3_000)),
            random.random(3_000) < 0.5,
            strict=True,
        )
    ]
    popularity = popularity_from_log(written(tmp_path, standard(lines)))
    found = Caching.of_keys(popularity, LruCache(150))
    assert found.method == "measured"
    assert found.interval[0] < 0.5 < found.interval[1]
    assert "model" in [finding.check for finding in found.findings]
    assert found.rate == pytest.approx(3_000 / 7_200, rel=0.01)
    assert Caching.of_keys(popularity).hit_ratio == found.hit_ratio
