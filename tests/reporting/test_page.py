"""The HTML page: nothing from elsewhere, and every part within reach."""

from __future__ import annotations

import re

import pytest

from tests.reporting.rendered import ON_ONE_WORKER, page, rendered

pytestmark = ON_ONE_WORKER


@pytest.mark.parametrize("which", ["full", "hostile"])
def test_the_page_asks_for_nothing_from_anywhere(which: str) -> None:
    html = rendered("html", which).decode()
    for tag, attributes in page(which).tags:
        assert "src" not in attributes, tag
        for name in ("href", "xlink:href", "action", "data", "srcset", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith("#"), (tag, name, value)
    style = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    assert len(style) == 1
    assert "@import" not in style[0]
    assert "url(" not in style[0]
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", html))
    policy = [attributes for tag, attributes in page(which).tags if tag == "meta" and "http-equiv" in attributes]
    assert policy[0]["content"] == "default-src 'none'; style-src 'unsafe-inline'"


@pytest.mark.parametrize("which", ["full", "hostile"])
def test_every_id_is_one_and_every_reference_finds_it(which: str) -> None:
    attributes = [held for _, held in page(which).tags]
    ids = [held["id"] for held in attributes if "id" in held]
    assert len(ids) == len(set(ids))
    asked = [held["href"] for held in attributes if (held.get("href") or "").startswith("#")]
    asked += re.findall(r"url\((#[^)]*)\)", rendered("html", which).decode())
    spoken = [held.get("aria-labelledby") for held in attributes] + [
        held.get("aria-describedby") for held in attributes
    ]
    asked += [f"#{name}" for names in spoken if names for name in names.split()]
    assert asked
    assert {target.removeprefix("#") for target in asked if target} <= set(ids)


def test_every_picture_has_words_and_every_table_scrolls_by_keyboard() -> None:
    for tag, attributes in page().tags:
        if tag == "svg":
            assert attributes.get("role") == "img" or attributes.get("aria-hidden") == "true"
    frames = [attributes for tag, attributes in page().tags if attributes.get("class") == "scroll"]
    assert frames
    assert all(frame["tabindex"] == "0" and frame["aria-label"] for frame in frames)
    assert len(frames) == sum(tag == "table" for tag, _ in page().tags)


def test_the_index_reaches_every_service() -> None:
    links = {attributes.get("href") for tag, attributes in page("hostile").tags if tag == "a"}
    assert {"#decisions", "#fleet", "#cost", "#method", "#service-1", "#service-2"} <= links
