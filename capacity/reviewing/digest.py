"""The weekly digest: a headline, then only what changed. As Markdown, as Slack blocks, as an e-mail."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from capacity.errors import InputError
from capacity.monitoring.markdown import one_line, prose
from capacity.planning.words import spoken_date
from capacity.reviewing.facts import SECTIONS, Fact, News, news

if TYPE_CHECKING:
    from capacity.reviewing.reviews import Last, Review

#: Facts told of one section; the rest are counted. A digest is read on a telephone.
SHOWN: Final = 8

#: Limits of Slack's Block Kit: letters of a header, of a section's text, and blocks of a message.
#: https://docs.slack.dev/reference/block-kit/blocks (header block, section block, blocks in messages)
HEADER, SECTION, BLOCKS = 150, 3000, 50

#: Letters of a subject, so that clients show all of it: RFC 5322, 2.1.1, asks for lines of at most 78.
SUBJECT: Final = 78

_KEEP: Final = "Keep what is said for the next time with: capacity review ... --keep PATH"


def digest(review: Review, kind: str, previous: Last) -> str | dict[str, Any]:
    """See `Review.digest`. Raises InputError for a kind that does not exist, or a last time that cannot be read."""
    if kind not in KINDS:
        raise InputError(f"there is no digest of kind {kind!r}", advice=f"There are: {', '.join(KINDS)}.")
    return KINDS[kind](review, news(review.facts, before(previous)))


def before(previous: Last) -> Mapping[str, Any] | None:
    """The last review as `Review.to_dict` gives it."""
    if previous is None or isinstance(previous, Mapping):
        found = previous
    elif isinstance(previous, (str, Path)):
        found = _read(Path(previous))
    else:
        found = previous.to_dict()
    if found is not None and (found.get("format") != 1 or not isinstance(found.get("facts"), list)):
        raise InputError("this is not what a review said the last time", advice=_KEEP)
    return found


def _read(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist", advice=f"Leave it out the first time. {_KEEP}") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not JSON: {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} is not what a review said the last time")
    return found


def sections(found: News) -> list[tuple[str, list[str]]]:
    """Heading and sentences of what is told: at most SHOWN a section, the rest counted."""
    told = []
    for section in SECTIONS:
        lines = [fact.text for fact in found.changed if fact.section == section]
        lines += [f"No longer: {fact.text}" for fact in found.gone if fact.section == section]
        more = len(lines) - SHOWN
        if lines:
            told.append((section, [*lines[:SHOWN], *([f"And {more:,} more."] if more > 0 else [])]))
    return told


def headline(review: Review, found: News) -> tuple[str, str]:
    """What it is, and since when."""
    title = f"Capacity review, {spoken_date(review.now)}"
    if found.since is None:
        return title, _about(review).text
    changed = len(found.changed) + len(found.gone)
    what = "Nothing changed" if not changed else f"{changed} thing{'' if changed == 1 else 's'} changed"
    return title, f"{what} since {spoken_date(found.since)}. {_about(review).text}"


def _about(review: Review) -> Fact:
    return next(fact for fact in review.facts if fact.key == "about")


def markdown(review: Review, found: News) -> str:
    """As CommonMark; names stay text whatever they are."""
    title, line = headline(review, found)
    parts = [f"# {prose(title)}", str(prose(line))]
    for heading, lines in sections(found):
        parts += [f"## {prose(heading)}", "\n".join(f"- {prose(line)}" for line in lines)]
    return "\n\n".join(parts) + "\n"


def slack(review: Review, found: News) -> dict[str, Any]:
    """A message for an incoming webhook or chat.postMessage: blocks, and the text that notifications show."""
    title, line = headline(review, found)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": cut(title, HEADER)}},
        {"type": "section", "text": {"type": "mrkdwn", "text": cut(mrkdwn(line), SECTION)}},
    ]
    for heading, lines in sections(found):
        for text in packed([f"*{mrkdwn(heading)}*", *(f"• {mrkdwn(line)}" for line in lines)], SECTION):
            blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": text}})
    return {"text": cut(mrkdwn(f"{title}: {line}"), SECTION), "blocks": blocks[:BLOCKS]}


def mrkdwn(text: str) -> str:
    """Slack's three control characters as entities, so that no name calls a channel or becomes a link.

    Source: https://docs.slack.dev/messaging/formatting-message-text (escaping text).

    >>> mrkdwn("`<!channel>` & co")
    '`&lt;!channel&gt;` &amp; co'
    """
    return one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str, most: int) -> str:
    """At most so many letters, the last of which says that there are more.

    >>> cut("abcdef", 4), cut("abc", 4)
    ('abc…', 'abc')
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def packed(lines: list[str], most: int) -> list[str]:
    """Lines in as few texts of at most so many letters as their order allows.

    >>> packed(["ab", "cd", "ef"], 5)
    ['ab\\ncd', 'ef']
    """
    texts: list[str] = []
    for line in (cut(line, most) for line in lines):
        if texts and len(texts[-1]) + 1 + len(line) <= most:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
    return texts


def email(review: Review, found: News) -> dict[str, Any]:
    """Subject, and the same body as text and as HTML that any client shows."""
    title, line = headline(review, found)
    state = "plan again" if review.drift.needed else "no new plan needed"
    told = sections(found)
    text = [line, *(f"\n{heading}\n" + "\n".join(f"- {one}" for one in lines) for heading, lines in told)]
    body = [f"<h1>{escape(title)}</h1>", f"<p>{escape(line)}</p>"]
    for heading, lines in told:
        body += [f"<h2>{escape(heading)}</h2>", "<ul>", *(f"<li>{escape(one)}</li>" for one in lines), "</ul>"]
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
    return {
        "subject": cut(one_line(f"{title}: {state}"), SUBJECT),
        "text": "\n".join(text) + "\n",
        "html": f"{head}<body>{''.join(body)}</body></html>\n",
    }


KINDS: Final[dict[str, Callable[[Review, News], str | dict[str, Any]]]] = {
    "markdown": markdown,
    "slack": slack,
    "email": email,
}
