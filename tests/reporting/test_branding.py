"""A folder of one's own: logo, style and templates, and nothing in it that a report would be worse for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import capacity
from capacity.config import config_of
from capacity.drawing import DARK, LIGHT
from capacity.errors import InputError
from capacity.reporting import Report
from capacity.reporting.branding import brand
from tests.reporting.rendered import ON_ONE_WORKER, Page, shown

pytestmark = ON_ONE_WORKER

ROOT = Path(__file__).parents[2]
LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10"><rect width="40" height="10" fill="#7a1fa2"/></svg>'


def guide(language: str) -> list[str]:
    text = (ROOT / "docs/report.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.S | re.M)


def branded(folder: Path, **files: str) -> Report:
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return shown("decisions", "services", footer="Example Ltd", brand=brand(folder))


def test_the_guides_folder_gives_a_report_its_logo_style_template_and_footer(tmp_path: Path) -> None:
    (css,), (template,) = guide("css"), guide("jinja")
    made = branded(tmp_path, brand__css=css, logo__svg=LOGO, service__html__j2=template)
    text = made.render("html").decode()
    page = Page(text)
    assert text.index(":root {\ncolor-scheme") < text.index("--accent: #7a1fa2")
    assert "img-src data:" in text
    (logo,) = [str(held["src"]) for tag, held in page.tags if tag == "img"]
    assert logo.startswith("data:image/svg+xml;base64,")
    assert "Questions about checkout: #capacity." in page.words
    assert page.words.endswith("Example Ltd")
    assert made.render("pdf").startswith(b"%PDF")


def test_the_guides_settings_and_python_make_the_report_they_speak_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import tomllib

    (settings,), (code,) = [block for block in guide("toml") if "templates" in block], guide("python")
    said = config_of(tomllib.loads(settings)).report
    assert said.templates == "branding"
    assert said.sections == ("decisions", "cost", "fleet", "services")
    names: dict[str, Any] = {}
    exec(compile(code, "docs/report.md", "exec"), names)
    (comment,) = re.findall(r"print\(.*?\)  # (.*)", code)
    assert capsys.readouterr().out.strip() == comment
    assert isinstance(names["report"], capacity.Report)


def test_paper_can_be_set_by_a_template_of_ones_own(tmp_path: Path) -> None:
    import io

    import pypdf

    made = branded(tmp_path, report__typ='#let said = json("view.json")\n= Mine: #said.title')
    (page,) = pypdf.PdfReader(io.BytesIO(made.render("pdf"))).pages
    assert "Mine: Capacity report" in page.extract_text()


@pytest.mark.parametrize(
    "harm",
    [
        "<script>alert(1)</script>",
        "<a onclick='x()'><rect/></a>",
        "<foreignObject/>",
        "<image href='x.png'/>",
        "<a href='https://example.com'/>",
        "<style>@import 'x.css'</style>",
        "<rect style='fill: url(https://example.com/x)'/>",
        "<use href='#a'/>",
        "<a href='javascript:x()'/>",
    ],
)
def test_a_logo_that_does_more_than_show_is_refused(tmp_path: Path, harm: str) -> None:
    with pytest.raises(InputError, match=r"logo\.svg.* holds"):
        branded(tmp_path, logo__svg=LOGO.replace("<rect", f"{harm}<rect"))


def test_a_folder_that_is_not_there_and_a_file_that_replaces_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        brand(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"brnd\.css replaces nothing"):
        branded(tmp_path, brnd__css="")


def test_a_style_cannot_end_the_style_and_a_logo_is_an_svg(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="would end the page's style"):
        branded(tmp_path, brand__css="</style><script>alert(1)</script>")
    (tmp_path / "brand.css").unlink()
    with pytest.raises(InputError, match="is no SVG"):
        branded(tmp_path, logo__svg="PNG")


def test_a_template_cannot_leave_its_sandbox(tmp_path: Path) -> None:
    import jinja2

    made = branded(tmp_path, service__html__j2="{{ ''.__class__.__mro__ }}")
    with pytest.raises(jinja2.exceptions.SecurityError):
        made.render("html")


def luminance(colour: str) -> float:
    """WCAG 2.2: relative luminance of #rrggbb."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_colour_of_text_stands_out_from_every_paper_it_stands_on(theme: str) -> None:
    """WCAG 2.2: 4.5 to 1 for text (1.4.3), 3 to 1 for the edge of a field (1.4.11)."""
    css = (ROOT / "capacity/reporting/templates/report.css").read_text(encoding="utf-8")
    light, dark = css.split("@media (prefers-color-scheme: dark)")[:2]
    told = light if theme == "light" else dark.split("* { box-sizing")[0]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", told)) | (LIGHT if theme == "light" else DARK)
    for paper in ("paper", "raised"):
        for ink in ("ink", "muted", "accent", "good", "warn", "bad"):
            assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
        assert contrast(colours["control"], colours[paper]) >= 3, paper
    for tint in ("bad-tint", "warn-tint", "good-tint"):
        assert contrast(colours["ink"], colours[tint]) >= 4.5, tint
        assert contrast(colours[tint.removesuffix("-tint")], colours[tint]) >= 4.5, tint
