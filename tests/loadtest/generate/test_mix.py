"""The mix of a plan: from words, from a file of requests, from the results of a test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import capacity.loadtest
from capacity.errors import InputError
from capacity.loadtest.generate import Request, plan_for
from capacity.loadtest.generate.mixing import mix_from, mix_of, read_mix

HEADER = "timeStamp,elapsed,label,responseCode,responseMessage,threadName,success,bytes,Latency\n"


def results(path: Path, labels: list[tuple[str, str]]) -> Path:
    """A JTL of one request a tenth of a second; pairs of label and response message."""
    rows = [
        f"{1_700_000_000_000 + 100 * n},20,{label},200,{message},main 1-1,true,100,20\n"
        for n, (label, message) in enumerate(labels)
    ]
    path.write_text(HEADER + "".join(rows), encoding="utf-8")
    return path


def test_a_measured_test_gives_its_labels_with_the_shares_of_their_requests(tmp_path: Path) -> None:
    labels = [("GET /cart", "OK")] * 60 + [("POST /orders", "OK")] * 30 + [("/search", "OK")] * 10
    mix = mix_of(capacity.loadtest.read(results(tmp_path / "run.jtl", labels)))
    assert [(one.method, one.path, one.label) for one in mix] == [
        ("GET", "/cart", "GET /cart"),
        ("POST", "/orders", "POST /orders"),
        ("GET", "/search", "/search"),
    ]
    assert [one.share for one in mix] == [pytest.approx(0.6), pytest.approx(0.3), pytest.approx(0.1)]


def test_transactions_count_for_nothing_and_stages_beyond_the_promise_are_the_same_requests(tmp_path: Path) -> None:
    buying = ("buying", "Number of samples in transaction : 1; number of failing samples : 0")
    labels = [("GET /cart", "OK"), buying] * 20
    labels += [('"GET /cart, beyond the promise"', "OK")] * 10 + [("GET /a", "OK")] * 10
    mix = read_mix(results(tmp_path / "run.jtl", labels))
    assert [(one.label, one.share) for one in mix] == [("GET /cart", 0.75), ("GET /a", 0.25)]


def test_labels_that_say_no_request_are_all_named(tmp_path: Path) -> None:
    labels = [("Login", "OK"), ("GET /item/{id}", "OK"), ("GET /item/:id", "OK"), ("GET /fine", "OK")]
    with pytest.raises(InputError, match="not every label says what to send") as refused:
        read_mix(results(tmp_path / "run.jtl", labels))
    said = str(refused.value)
    assert "'Login' is not a method and a path" in said
    assert "{id} to fill in" in said
    assert ":id to fill in" in said
    assert "[[request]]" in said
    assert len(refused.value.problems) == 3


def test_toml_and_json_hold_the_same_requests(tmp_path: Path) -> None:
    toml, told = tmp_path / "mix.toml", tmp_path / "mix.json"
    toml.write_text(
        '[[request]]\nlabel = "cart"\npath = "/cart"\nshare = 3\n\n'
        '[[request]]\nmethod = "POST"\npath = "/orders"\nbody = """{"n": 1}"""\nexpect = "ok"\n',
        encoding="utf-8",
    )
    told.write_text(
        json.dumps(
            [
                {"label": "cart", "path": "/cart", "share": 3},
                {"method": "POST", "path": "/orders", "body": '{"n": 1}', "expect": "ok"},
            ]
        ),
        encoding="utf-8",
    )
    assert read_mix(toml) == read_mix(told) == mix_from([str(toml)])
    assert [one.share for one in read_mix(toml)] == [0.75, 0.25]
    told.write_text(json.dumps({"request": json.loads(told.read_text(encoding="utf-8"))}), encoding="utf-8")
    assert read_mix(told) == read_mix(toml)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("mix.toml", "not toml", "is not valid TOML"),
        ("mix.toml", "a = 1", r"has no table \[\[request\]\]"),
        ("mix.toml", "[[request]]\npath = 'x'\n[[request]]\nshare = -1\n", "request #2 share"),
        ("mix.json", "[1]", "request #1: is no table"),
        ("mix.json", "[]", "0 requests"),
        ("mix.json", '[{"path": "/a", "password": 1}]', "unknown key"),
        ("mix.toml", "[[request]]\npath = '/a'\n[[request]]\npath = '/a'\n", "labels have to differ"),
    ],
)
def test_a_file_that_holds_no_mix_is_refused_in_words(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_mix(tmp_path / name)


def test_a_file_that_is_not_there_or_neither_mix_nor_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        read_mix(tmp_path / "none.toml")
    (tmp_path / "other.json").write_text('{"a": 1}', encoding="utf-8")
    with pytest.raises(InputError):
        read_mix(tmp_path / "other.json")


def test_words_are_labels_with_shares() -> None:
    mix = mix_from(["GET /cart?q=a=70", "POST /orders=30", "GET /cart?q=a=100"])
    assert [(one.label, one.path, one.share) for one in mix] == [
        ("GET /cart?q=a", "/cart?q=a", 0.85),
        ("POST /orders", "/orders", 0.15),
    ]
    with pytest.raises(InputError, match="neither a file nor LABEL=SHARE") as refused:
        mix_from(["GET /cart", "GET /a=x", "GET /b=1"])
    assert len(refused.value.problems) == 2
    with pytest.raises(InputError, match="share"):
        mix_from(["GET /cart=-1"])


def test_a_mix_that_was_read_drives_a_plan() -> None:
    plan = plan_for(100, slo_ms=100, mix=mix_from(["GET /cart=70", "POST /orders=30"]))
    assert plan.mix == (
        Request(label="GET /cart", path="/cart", share=0.7),
        Request(label="POST /orders", method="POST", path="/orders", share=0.3),
    )
