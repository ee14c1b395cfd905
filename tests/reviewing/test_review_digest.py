"""A digest says only what changed, within the limits of where it is read, and a name in it stays text."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from capacity.errors import InputError
from capacity.reviewing import Review, review
from capacity.reviewing.digest import BLOCKS, HEADER, SECTION, SUBJECT, packed
from capacity.reviewing.facts import Fact, news
from tests.commands import called
from tests.reviewing.worlds import WEB, World, history_of, reviewed, snapshot

EVIL = "# <!channel> & *web*|`x` <script>alert(1)</script> [a](http://b)"


@cache
def hostile() -> Review:
    service = WEB.model_copy(update={"name": EVIL})
    plan = snapshot(service)
    return review(plan, history_of({EVIL: World(demand=1.4, days=7).columns(plan, service)}, plan.cutoff))


def test_the_first_digest_says_everything_and_the_same_again_says_nothing() -> None:
    first = reviewed(World(demand=1.2))
    text = str(first.digest())
    assert text.startswith("# Capacity review, 14 September 2026\n")
    assert "A new plan of `web` is needed now, for 1 reason." in text
    again = str(first.digest("markdown", first))
    assert "Nothing changed since 14 September 2026" in again
    assert "##" not in again


def test_only_what_changed_is_said_and_what_is_over_too() -> None:
    bad, good = reviewed(World(demand=1.2)), reviewed(World(days=21))
    text = str(good.digest("markdown", bad))
    assert "No longer: `web`: demand (requests) has been 20 % above" in text
    assert "No new plan is needed yet" in text
    assert "Promises kept" not in text
    small = reviewed(World(demand=1.001))
    assert "Nothing changed" in str(small.digest("markdown", reviewed(World(demand=1.002))))


def test_the_last_time_may_be_a_review_its_dict_or_its_file(tmp_path: Path) -> None:
    last, now = reviewed(World(demand=1.2)), reviewed(World(tasks=2.0))
    path = tmp_path / "last.json"
    path.write_text(json.dumps(last.to_dict()), encoding="utf-8")
    texts = {str(now.digest("markdown", before)) for before in (last, last.to_dict(), path, str(path))}
    assert len(texts) == 1


@pytest.mark.parametrize("wrong", [{}, {"format": 2, "facts": []}, {"format": 1}, "missing.json"])
def test_a_last_time_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(InputError):
        reviewed(World()).digest("markdown", wrong)
    with pytest.raises(InputError, match="markdown, slack, email"):
        reviewed(World()).digest("fax")


def test_slack_gets_blocks_within_its_limits_that_call_nobody() -> None:
    message: Any = hostile().digest("slack")
    assert 2 < len(message["blocks"]) <= BLOCKS
    for block in message["blocks"]:
        text = block["text"]
        assert block["type"] in ("header", "section")
        assert 0 < len(text["text"]) <= (HEADER if block["type"] == "header" else SECTION)
        if text["type"] == "mrkdwn":
            assert "<" not in text["text"]
            assert ">" not in text["text"]
    assert "<" not in message["text"]
    assert "&lt;!channel&gt;" in json.dumps(message)


def test_many_long_sentences_stay_within_a_section() -> None:
    texts = packed(["x" * 2000, "y" * 2000, "z" * 9000, "w"], SECTION)
    assert [len(text) for text in texts] == [2000, 2000, SECTION, 1]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_an_email_has_one_line_of_subject_and_html_without_scripts() -> None:
    mail: Any = hostile().digest("email")
    assert set(mail) == {"subject", "text", "html"}
    assert len(mail["subject"]) <= SUBJECT
    assert "\n" not in mail["subject"]
    assert "plan again" in mail["subject"]
    seen = Tags()
    seen.feed(mail["html"])
    assert seen.tags == {"html", "head", "meta", "title", "body", "h1", "h2", "p", "ul", "li"}
    assert "<script>alert(1)</script>" in seen.text


def test_markdown_keeps_a_hostile_name_on_its_line_and_as_text() -> None:
    lines = str(hostile().digest()).splitlines()
    assert [line for line in lines if line.startswith("# ")] == [lines[0]]
    assert not any("<script>" in line.split("`")[0] for line in lines)


def test_a_fact_is_news_when_its_state_is_another_and_not_when_its_words_are() -> None:
    fact = Fact("error/web", "Plan against actual", "1", "`web`: 10 more.")
    last = {"format": 1, "now": "2026-09-01T00:00:00+00:00", "facts": [fact._asdict()]}
    assert not news([fact._replace(text="`web`: 11 more.")], last).changed
    assert news([fact._replace(state="2")], last).changed
    assert news([fact], None).changed == (fact,)


def test_sections_of_a_digest_are_short() -> None:
    found = reviewed(World(demand=1.2))
    many = replace(found, recommendations=found.recommendations * 20)
    text = str(many.digest())
    assert "And 33 more." in text
    assert max(len(part.splitlines()) for part in text.split("## ")) < 14


def test_the_command_keeps_what_it_said_for_the_next_time(tmp_path: Path) -> None:
    plan, actuals, last = snapshot().save(tmp_path / "x.plan"), tmp_path / "actuals.csv", tmp_path / "last.json"
    World(demand=1.2, days=7).history(snapshot()).save(actuals)
    line = (
        "review",
        str(plan),
        "--actuals",
        str(actuals),
        "--digest",
        "slack",
        "--since",
        str(last),
        "--keep",
        str(last),
    )
    first = called(*line)
    assert "everything is news" in first.stderr
    assert json.loads(first.stdout)["blocks"]
    second = called(*line)
    assert "Nothing changed since 7 September 2026" in json.loads(second.stdout)["text"]
