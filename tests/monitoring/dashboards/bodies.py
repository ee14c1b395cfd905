"""What the tests of dashboards look at: the schema, metric math read slowly, and what a reader of Markdown sees."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

#: Links that we make: to runbooks, and from page to page.
OURS = ("https://wiki.example.com/", "https://console.aws.amazon.com/cloudwatch/home?region=", "/d/capacity-")


@cache
def validator() -> Any:
    """Of the schema made from AWS's documentation: the CDK's own dashboards have to pass it, too."""
    from jsonschema import Draft202012Validator  # type: ignore[import-untyped, unused-ignore]

    schema = json.loads((HERE / "cloudwatch.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def problems(body: dict[str, Any]) -> list[str]:
    """What is wrong with a body: by the schema, and by what a schema cannot say."""
    found = [f"{error.json_path}: {error.message[:200]}" for error in validator().iter_errors(body)]
    if found:
        return found
    for place, widget in enumerate(body["widgets"]):
        if widget.get("x", 0) + widget.get("width", 6) > 24:
            found.append(f"widget {place} is wider than the grid")
        found += [f"widget {place}: {problem}" for problem in _row_problems(widget)]
    return found + list(overlaps([(w["x"], w["y"], w["width"], w["height"]) for w in body["widgets"]]))


def _row_problems(widget: dict[str, Any]) -> Iterator[str]:
    rows = widget["properties"].get("metrics", [])
    options = [row[-1] if isinstance(row[-1], dict) else {} for row in rows]
    ids = [one["id"] for one in options if "id" in one]
    if len(set(ids)) < len(ids):
        yield "two rows have one id"
    for row, one in zip(rows, options, strict=True):
        words = [cell for cell in row if isinstance(cell, str)]
        if words and words[0] not in ("...",) and len(words) % 2:
            yield f"{words} are no namespace, name and pairs"
        named = set(re.findall(r"\b[a-z][A-Za-z0-9_]*\b", one.get("expression", "")))
        if missing := named - set(ids):
            yield f"{one['expression'][:80]} names {missing}, which no row is called"


def overlaps(boxes: list[tuple[int, int, int, int]]) -> Iterator[str]:
    """Pairs of (x, y, width, height) that share a cell of the grid."""
    taken: dict[tuple[int, int], int] = {}
    for number, (x, y, width, height) in enumerate(boxes):
        for cell in ((column, row) for column in range(x, x + width) for row in range(y, y + height)):
            if cell in taken:
                yield f"{taken[cell]} and {number} overlap at {cell}"
                return
            taken[cell] = number


def evaluated(rows: list[tuple[str, str]], hour: int) -> float:
    """The last of some expressions of metric math at an hour of the week, by reading them one sign at a time."""
    known: dict[str, float] = {}
    for name, expression in rows:
        tokens = re.findall(r"[A-Za-z_][A-Za-z0-9_]*|\d+(?:\.\d+)?|[()+\-*/<,]", expression)
        assert "".join(tokens) == expression
        known[name] = _sum(tokens, known, hour)
        assert not tokens
    return known[rows[-1][0]]


def _sum(tokens: list[str], known: dict[str, float], hour: int) -> float:
    value = _product(tokens, known, hour)
    while tokens and tokens[0] in "+-<":
        sign, other = tokens.pop(0), _product(tokens, known, hour)
        value = float(value < other) if sign == "<" else value + other if sign == "+" else value - other
    return value


def _product(tokens: list[str], known: dict[str, float], hour: int) -> float:
    value = _atom(tokens, known, hour)
    while tokens and tokens[0] == "*":
        tokens.pop(0)
        value *= _atom(tokens, known, hour)
    return value


def _atom(tokens: list[str], known: dict[str, float], hour: int) -> float:
    token = tokens.pop(0)
    if token == "(":
        value = _sum(tokens, known, hour)
        assert tokens.pop(0) == ")"
        return value
    if token in ("DAY", "HOUR"):
        assert tokens.pop(0) == "("
        tokens.pop(0)
        assert tokens.pop(0) == ")"
        return float(hour // 24 + 1 if token == "DAY" else hour % 24)
    if token == "IF":
        assert tokens.pop(0) == "("
        parts = []
        for end in ",,)":
            parts.append(_sum(tokens, known, hour))
            assert tokens.pop(0) == end
        return parts[1] if parts[0] else parts[2]
    return known[token] if token in known else float(token)


def seen(markdown: str) -> tuple[str, list[str]]:
    """What a reader of Markdown sees, and what is more than text: HTML, pictures, and links that we did not make."""
    from markdown_it import MarkdownIt

    text, odd = [], []
    for token in MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(markdown):
        if token.type in ("html_block", "fence", "code_block"):
            odd += [token.content] if token.type == "html_block" else []
            text.append(token.content)
        for child in token.children or ():
            if child.type in ("html_inline", "image"):
                odd.append(child.content)
            if child.type == "link_open" and not str(child.attrs["href"]).startswith(OURS):
                odd.append(str(child.attrs["href"]))
            text.append(" " if child.type in ("softbreak", "hardbreak") else child.content)
    return "".join(text), odd
