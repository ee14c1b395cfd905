"""Pictures: what is drawn is what was given; gaps stay gaps, text stays text, same input, same bytes."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from capacity import charts, drawing
from capacity.errors import InputError

NASTY = """=cmd()<script>alert("x")</script> [a.b]'"\\ `t` ${1} {{2}}"""

DAYS = pd.date_range("2026-09-01", periods=60, freq="D", tz="UTC", unit="us")


def wave(days: pd.DatetimeIndex = DAYS) -> np.ndarray:
    return 100 + 20 * np.sin(np.arange(len(days)))


def layers(chart: Any, kind: str) -> list[dict[str, Any]]:
    """Layers of one kind of mark, of an Altair chart."""
    return [layer for layer in chart.to_dict(validate=False)["layer"] if layer["mark"]["type"] == kind]


def values(chart: Any, layer: dict[str, Any]) -> list[dict[str, Any]]:
    spec = chart.to_dict(validate=False)
    data = layer["data"]
    rows: list[dict[str, Any]] = spec["datasets"][data["name"]] if "name" in data else data["values"]
    return rows


def every_chart(title: str = "", label: str = "web") -> dict[str, Any]:
    quantiles = {level: wave() * (0.5 + level) for level in (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)}
    ahead = DAYS + pd.Timedelta(days=60)
    return {
        "lines": charts.lines(DAYS, {label: wave()}, "requests/s", title, {label: 110.0}),
        "steps": charts.steps(DAYS, {label: wave()}, "tasks", title, 140, proposed={f"{label} new": 150.0}),
        "fan": charts.fan(DAYS, wave(), ahead, quantiles, "vCPU", title, {label: 90}, envelope=(wave() - 50, wave())),
        "probability": charts.probability(DAYS, {label: np.linspace(0, 1, 60)}, title),
        "bars": charts.bars([label, "b"], np.array([3.0, np.nan]), "USD", title, low=[2.0, np.nan], high=[5.0, np.nan]),
    }


@pytest.mark.parametrize("kind", ["lines", "steps", "fan", "probability", "bars"])
def test_every_chart_is_a_valid_vega_lite_document(kind: str) -> None:
    every_chart(title="Demand")[kind].to_dict(validate=True)


@pytest.mark.parametrize("kind", ["lines", "steps", "fan", "probability", "bars"])
def test_a_chart_is_the_same_bytes_each_time_and_well_formed(kind: str) -> None:
    once, again = (charts.to_svg(every_chart()[kind], "light") for _ in range(2))
    assert once == again
    assert ElementTree.fromstring(once).tag.endswith("svg")
    assert "NaN" not in once


@pytest.mark.parametrize("kind", ["lines", "steps", "fan", "probability", "bars"])
def test_text_from_data_is_drawn_as_text(kind: str) -> None:
    svg = charts.to_svg(every_chart(title=NASTY, label=NASTY)[kind], describe=(NASTY, NASTY))
    root = ElementTree.fromstring(svg)
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    drawn = ["".join(element.itertext()) for element in root.iter() if element.tag.endswith("}text")]
    start = '=cmd()<script>alert("x")</script>'
    assert any(text.startswith(start) for text in drawn)


def test_a_spec_drawn_without_altair_is_the_same_picture() -> None:
    with_altair = charts.to_svg(charts.lines(DAYS, {"web": wave()}, "requests/s"))
    assert with_altair == charts.to_svg(charts.lines.spec(DAYS, {"web": wave()}, "requests/s"))


@pytest.mark.parametrize("label", ["web", "a service of a name too long for the key of a picture"])
def test_what_is_drawn_sooner_is_the_same_picture(label: str) -> None:
    """Rows called by name, and labels that are not measured once more, change nothing of what Vega would draw."""
    spec = charts.lines.spec(DAYS, {label: wave(), "b": wave() / 2}, "requests/s", limit=130)
    slow = json.loads(json.dumps(spec))
    del slow["config"]["axis"]["labelLimit"]
    for layer in slow["layer"]:
        (layer["encoding"].get("color", {}).get("legend") or {}).pop("labelLimit", None)
    plain = drawing._converter().vegalite_to_svg({"$schema": drawing.SCHEMA, **slow})
    assert drawing.drawn(spec) == drawing._at_least(drawing._slim(plain), spec["usermeta"]["across"])


def test_a_gap_is_neither_zero_nor_bridged_and_a_lonely_value_is_a_dot() -> None:
    held = wave()
    held[10:20] = np.nan
    held[15] = 7.0
    chart = charts.lines(DAYS, {"web": held}, "requests/s")
    (line,), (dot,) = layers(chart, "line"), layers(chart, "point")
    assert [row["y"] for row in values(chart, line)][9:21] == [pytest.approx(held[9], rel=1e-4)] + [None] * 5 + [
        7.0
    ] + [None] * 4 + [pytest.approx(held[20], rel=1e-4)]
    assert [row["y"] for row in values(chart, dot)] == [7.0]
    paths = re.findall(r'<path d="(M[^"]*)"[^>]*stroke="#1d5fb8"', charts.to_svg(chart, "light"))
    assert sum(path.count("M") for path in paths) >= 2


def test_demand_starts_at_zero_and_the_limit_is_inside_the_picture() -> None:
    chart = charts.lines(DAYS, {"web": wave()}, "requests/s", limit={"max": 500.0})
    for layer in layers(chart, "line"):
        low, high = layer["encoding"]["y"]["scale"]["domain"]
        assert low == 0
        assert high > 500


def test_quantiles_below_zero_are_not_drawn() -> None:
    chart = charts.fan(DAYS, wave(), DAYS, {0.05: wave() - 500, 0.5: wave(), 0.95: wave() + 500}, "requests/s")
    (band,) = layers(chart, "area")
    assert min(row["y2"] for row in values(chart, band)) == 0


def test_an_amount_that_is_not_known_says_so_instead_of_having_a_bar() -> None:
    svg = charts.to_svg(charts.bars(["a", "b"], np.array([3.0, np.nan]), "USD"), "light")
    assert "unknown" in svg
    assert svg.count('fill="#a9c7ef"') == 1


def test_a_chart_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="no times"):
        charts.lines(DAYS[:0], {"web": wave()[:0]}, "requests/s")
    with pytest.raises(InputError, match="59 values for 60 times"):
        charts.lines(DAYS, {"web": wave()[1:]}, "requests/s")


def test_stamps_of_another_zone_are_drawn_where_they_are_in_utc() -> None:
    paris, naive = DAYS.tz_convert("Europe/Paris"), DAYS.tz_localize(None)
    drawn = {charts.to_svg(charts.lines(times, {"web": wave()}, "requests/s")) for times in (DAYS, paris, naive)}
    assert len(drawn) == 1


def test_the_css_theme_names_no_colour_and_no_typeface_of_its_own() -> None:
    svg = charts.to_svg(every_chart()["fan"], "css")
    assert not re.findall(r'"#[0-9a-f]{3,6}"', svg)
    assert "font-family" not in svg
    assert "var(--series-1)" in svg
    dark = charts.to_svg(every_chart()["fan"], "dark")
    assert drawing.DARK["series-1"] in dark
    assert not [colour for colour in drawing.LIGHT.values() if f'"{colour}"' in dark]


def test_ids_differ_between_pictures_and_references_follow_them() -> None:
    one, two = (charts.to_svg(every_chart()["fan"], name=name, describe=("t", "d")) for name in ("one", "two"))
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (one, two)]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert set(re.findall(r"url\(#([^)]+)\)", one)) <= ids[0]


def test_who_does_not_see_a_picture_is_told_what_it_shows() -> None:
    root = ElementTree.fromstring(charts.to_svg(every_chart()["lines"], name="web", describe=("Demand", "It <grows>.")))
    title, words = list(root)[:2]
    assert (root.get("role"), title.text, words.text) == ("img", "Demand", "It <grows>.")
    assert root.get("aria-labelledby") == title.get("id")
    assert root.get("aria-describedby") == words.get("id")


@pytest.mark.parametrize("days", [1.5, 3, 10, 45, 100, 420, 1500, 4000])
@pytest.mark.parametrize("width", [280, 760])
def test_ticks_fit_and_lie_inside_at_every_length(days: float, width: int) -> None:
    first = pd.Timestamp("2026-03-05T13:00Z")
    last = first + pd.Timedelta(days=days)
    ticks = drawing.time_axis(first, last, width)["values"]
    assert 1 <= len(ticks) <= width / 40
    assert all(drawing.stamp(first) <= tick <= drawing.stamp(last) for tick in ticks)


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("palette", "paper"), [(drawing.LIGHT, "#ffffff"), (drawing.DARK, "#14171b")])
def test_lines_and_labels_stand_out_from_their_paper(palette: dict[str, str], paper: str) -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for role in ("ink", "muted", "past", "limit", *(f"series-{number}" for number in range(1, 6))):
        assert contrast(palette[role], paper) >= 4.5, role


def test_each_role_has_a_colour_of_its_own_in_both_themes() -> None:
    assert set(drawing.LIGHT) == set(drawing.DARK)
    assert len(set(drawing.LIGHT.values())) == len(drawing.LIGHT)


def test_names_of_limits_have_room_in_a_wider_font_than_ours() -> None:
    """DejaVu Sans, where Inter is missing, is about 7 px a character at 11 px: the margin has to hold that."""
    name = "max 42 advised"
    svg = charts.drawn(charts.steps.spec(DAYS, {"web": wave()}, limit={name: 90.0}, width=860))
    width = re.search(r'<svg [^>]*width="(\d+)"[^>]*viewBox="0 0 (\d+) ', svg)
    assert width is not None
    assert width[1] == width[2] == "860"
    places = [float(place) for place in re.findall(r"translate\(([0-9.]+),", svg)]
    assert 860 - max(place for place in places if place < 860) >= 7 * len(name) - 12


def test_shares_on_an_axis_are_written_as_in_the_text() -> None:
    svg = charts.drawn(charts.probability.spec(DAYS, {"web": np.linspace(0, 1, 60)}))
    assert "50 %" in svg
    assert "50%" not in svg
