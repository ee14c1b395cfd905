"""The report: decisions first, every number the same in every format, and nothing from data is ever code."""

from __future__ import annotations

import io
import json
import re
import sys
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from capacity.config import PriceSettings, Rate
from capacity.errors import InputError, MissingExtra
from capacity.findings import Findings
from capacity.history import read
from capacity.planning import plan
from capacity.planning.plans import Plan
from capacity.reporting import Report, report
from capacity.reporting import json as canonical
from tests.makers import hourly, make_demand, make_forecast
from tests.reporting.fleet import (
    GENERATED_AT,
    NASTY,
    demand_plan,
    failing,
    nasty,
    policy_of,
    scores_of,
    small,
    web,
)


@cache
def full() -> Report:
    """Everything a report can hold: a policy, a backtest, findings of every status."""
    return report(
        small(),
        policy=policy_of(small()),
        findings=failing("checkout"),
        scores=scores_of(small()),
        generated_at=GENERATED_AT,
    )


@cache
def hostile() -> Report:
    """The same for a service whose name is code everywhere, in every place a name can reach."""
    return report(
        nasty(),
        policy=policy_of(nasty()),
        findings=failing(NASTY),
        scores=scores_of(nasty()),
        title=NASTY,
        generated_at=GENERATED_AT,
    )


@cache
def rendered(kind: str, which: str = "full") -> bytes:
    return {"full": full, "hostile": hostile}[which]().render(kind)


class Page(HTMLParser):
    """What a browser would see: tags with their attributes, and all text."""

    INLINE = ("a", "b", "code", "span", "strong")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        self.text += "" if tag in self.INLINE else " "

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def words(self) -> str:
        """The text with every space, breaking or not, as one space."""
        return " ".join(self.text.split())


@cache
def page(which: str = "full") -> Page:
    return Page(rendered("html", which).decode())


@cache
def paper(which: str = "full") -> str:
    """The text of the PDF, spaces made plain."""
    import pypdf

    reader = pypdf.PdfReader(io.BytesIO(rendered("pdf", which)))
    return " ".join(" ".join(part.extract_text() for part in reader.pages).split())


@cache
def workbook(which: str = "full") -> Any:
    import openpyxl

    return openpyxl.load_workbook(io.BytesIO(rendered("xlsx", which)))


def table(sheet: Any, header: int = 1) -> pd.DataFrame:
    rows = list(sheet.iter_rows(values_only=True))
    return pd.DataFrame(rows[header:], columns=rows[header - 1])


# --- what it says -----------------------------------------------------------------------------------------------------


def test_the_page_opens_with_decisions_and_only_then_says_why() -> None:
    words, sentences = page().words, [one["sentence"].replace("`", "") for one in full().document["decisions"]]
    assert sentences
    rest = [
        words.index(text) for text in ("May reach their maximum", "If tasks follow demand", "Demand, never utilisation")
    ]
    assert rest == sorted(rest)
    assert max(words.index(sentence) for sentence in sentences) < rest[0]


def test_each_format_holds_each_decision() -> None:
    for one in full().document["decisions"]:
        sentence = one["sentence"].replace("`", "")
        assert sentence in page().words
        assert sentence in paper()
        assert one["because"].replace("`", "") in paper()
    held = table(workbook()["Decisions"])
    assert list(held["Decision"]) == [one["sentence"] for one in full().document["decisions"]]
    assert json.loads(rendered("json"))["decisions"] == full().document["decisions"]


def test_a_plan_without_decisions_says_so_gladly() -> None:
    calm = report(replace(small(), decisions=()), generated_at=GENERATED_AT)
    words = Page(calm.render("html").decode()).words
    assert "Nothing has to be decided." in words
    assert "Every service keeps within its limits to 17 December 2026" in words


def test_what_was_not_done_is_said_and_nothing_breaks() -> None:
    bare = report(demand_plan(web(), horizon_days=7, accounts=False), generated_at=GENERATED_AT)
    words = Page(bare.render("html").decode()).words
    assert "No policy was recommended or rehearsed for this report." in words
    assert "how right this forecast is, is unknown" in words
    assert "the Fargate vCPU quota is not stated" in words
    assert bare.render("pdf").startswith(b"%PDF")
    assert bare.render("xlsx").startswith(b"PK")


def test_data_that_failed_is_announced_beside_the_decisions_and_in_the_service() -> None:
    words = page().words
    assert words.count("data that failed") == 2
    assert words.index("Some of this rests on data that failed its checks.") < words.index("May reach their maximum")
    assert "This plan rests on data that failed 1 check" in words
    assert "This plan rests on data that failed 1 check" in paper()
    assert [row["status"] for row in full().document["services"][0]["findings"]] == ["FAIL", "UNKNOWN", "REVIEW"]


def test_a_cost_that_is_not_known_is_unknown_with_its_reason_and_never_zero() -> None:
    unpriced = report(demand_plan(web(region="us-gov-west-1")), generated_at=GENERATED_AT)
    document = unpriced.document
    assert document["cost"]["month"]["mean"] is None
    assert "No price is known for x86_64 in us-gov-west-1" in document["services"][0]["cost"]["reason"]
    words = Page(unpriced.render("html").decode()).words
    assert "Cost per month unknown" in words
    assert "us-gov-west-1, so this plan has no cost for it." in words
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(unpriced.render("xlsx")))
    assert table(book["Services"])["Cost, USD per month: mean"].tolist() == ["unknown"]


def test_a_month_costs_what_its_items_cost_and_what_the_planner_says() -> None:
    part = full().document["services"][0]["cost"]
    assert part["month"]["mean"] == pytest.approx(sum(item["usd_per_month"] for item in part["items"]))
    hours = 28 * 24
    assert part["month"]["mean"] == pytest.approx(small().cost["usd"].sum() * 730 / hours)
    item = part["items"][0]
    assert item["usd_per_month"] == pytest.approx(item["quantity_per_month"] * item["rate"])


def test_the_fleets_interval_is_narrower_than_the_sum_of_its_services() -> None:
    cost = hostile().document["cost"]
    assert cost["month"]["mean"] == pytest.approx(sum(row["mean"] for row in cost["services"]))
    assert cost["month"]["p95"] <= sum(row["p95"] for row in cost["services"]) * (1 + 1e-9)


def test_the_ladder_adds_up_to_the_highest_count() -> None:
    part = full().document["services"][0]
    steps = part["why"]["steps"]
    assert sum(step["added"] for step in steps) == steps[-1]["tasks"]
    rows = small().of("checkout")
    assert part["tasks"]["highest"] == (rows["tasks"] + rows["short"]).max()
    assert steps[-1]["tasks"] + part["why"]["short"] == part["tasks"]["highest"]


def test_the_curve_of_a_limit_ends_at_its_probability() -> None:
    limit = next(limit for limit in full().document["services"][0]["limits"] if limit["limit"] == "max_tasks")
    curve = limit["curve"]["probability"]
    assert curve[-1] == pytest.approx(limit["probability"], abs=1e-4)
    assert curve == sorted(curve)


def test_the_backtest_names_the_model_in_use_and_compares_it_with_seasonal_naive() -> None:
    rows = {(row["metric"], row["model"]): row for row in full().document["services"][0]["accuracy"]}
    chosen = rows["requests", "hand-made"]
    assert chosen["used"]
    assert chosen["against_naive"] == pytest.approx(1 - 0.061 / 0.081)
    assert rows["requests", "seasonal-naive"]["against_naive"] is None
    assert "25 % better" in page().words


def test_tasks_that_ran_are_drawn_up_to_today_in_whatever_intervals_they_are_known() -> None:
    """As CloudWatch keeps them: hours until two weeks ago, then minutes. The highest minute of a day is its highest."""
    cutoff = small().forecast.cutoff
    hours = pd.date_range(cutoff - pd.Timedelta(days=40), cutoff - pd.Timedelta(days=15), freq="h", inclusive="left")
    minutes = pd.date_range(hours[-1] + pd.Timedelta("1h"), cutoff, freq="min", inclusive="left")
    tasks = pd.concat([pd.Series(4.0, hours), pd.Series(5.0, minutes)])
    tasks[minutes[30]] = 9.0
    rows = pd.DataFrame({"timestamp": tasks.index, "value": tasks.to_numpy(), "service": "checkout"})
    rows["interval"] = np.where(rows.index < len(hours), 3600, 60)
    history = read(rows, metric="running_tasks")
    running = report(small(), history=history, generated_at=GENERATED_AT).document["services"][0]["tasks"]["running"]
    assert running["start"][:10] == f"{hours[0]:%Y-%m-%d}"
    assert running["tasks"] == [4.0] * 25 + [9.0] + [5.0] * 14


def test_gaps_of_the_history_stay_gaps_in_what_is_drawn() -> None:
    demand = full().document["services"][0]["demand"][0]
    high = demand["overview"]["past"]["high"]
    days = round(len(high) * demand["overview"]["past"]["step_seconds"] / 86400)
    assert days == 60
    assert high.count(None) == 2
    assert 0.0 not in high


def test_many_small_decisions_of_one_kind_are_one_line_and_dated_ones_stay_alone() -> None:
    names = [f"service-{letter}" for letter in "abcd"]
    first = small().decisions[0]
    undated = [
        replace(first, kind="raise_min", service=name, current=2, proposed=number + 3, before=None, owner="shop",
                usd_per_month=10.0, sentence=f"Raise `{name}` min from 2 to {number + 3}.")
        for number, name in enumerate(names)
    ]  # fmt: skip
    dated = replace(undated[0], service="service-e", before=GENERATED_AT, sentence="Raise `service-e` min.")
    made = report(replace(small(), decisions=(*undated, dated)), generated_at=GENERATED_AT)
    words = Page(made.render("html").decode()).words
    assert "Raise the minimum of 4 services" in words
    assert "service-a 2 → 3, service-b 2 → 4, service-c 2 → 5, service-d 2 → 6." in words
    assert "Spend +40 USD a month" in words
    assert "Raise service-e min." in words
    assert "Raise service-a min" not in words
    assert len(made.document["decisions"]) == 5


def test_two_of_a_kind_are_said_one_by_one() -> None:
    first = replace(small().decisions[0], kind="raise_min", before=None, sentence="Raise `checkout` min from 2 to 3.")
    made = report(replace(small(), decisions=(first, first)), generated_at=GENERATED_AT)
    assert Page(made.render("html").decode()).words.count("Raise checkout min from 2 to 3.") == 2


def test_a_decision_on_failed_data_says_so_also_among_many() -> None:
    first = replace(small().decisions[0], kind="raise_min", service="checkout", before=None, current=2, proposed=3)
    many = tuple(replace(first, service=name) for name in ("checkout", "search", "catalog"))
    alone = report(replace(small(), decisions=(first,)), findings=failing("checkout"), generated_at=GENERATED_AT)
    among = report(replace(small(), decisions=many), findings=failing("checkout"), generated_at=GENERATED_AT)
    assert "Its data failed a check" in Page(alone.render("html").decode()).words
    assert "checkout 2 → 3 (its data failed a check), search 2 → 3," in Page(among.render("html").decode()).words


def test_words_fit_the_interval_of_the_history() -> None:
    times = pd.date_range("2024-01-01", periods=800, freq="D", tz="UTC", unit="us")
    daily = quick(times, 500 + 10 * np.sin(np.arange(800)), 28, web(max_tasks=20))
    words = Page(report(daily, policy=policy_of(daily), generated_at=GENERATED_AT).render("html").decode()).words
    tasks = words[words.index("Tasks ", words.index("Requests decide")) : words.index("Limits More than")]
    assert "hour" not in tasks
    assert "minute" not in tasks
    assert "UTC" not in tasks
    assert "28 of 28 days today's maximum leaves tasks missing" in tasks
    assert "The next two weeks, each day." in tasks
    assert "quarter-hour" not in words
    assert "one value a day, so its replay cannot show what happens within one" in words


def test_a_short_horizon_is_not_called_two_weeks() -> None:
    made = report(demand_plan(web(), horizon_days=7), generated_at=GENERATED_AT)
    words = Page(made.render("html").decode()).words
    assert "The last two weeks and the next week of requests." in words
    assert "The next week, each hour." in words


def test_a_limit_that_hardly_any_future_passes_has_words_and_no_curve() -> None:
    never, likely = report(demand_plan(web(max_tasks=400))), report(demand_plan(web(max_tasks=12)))
    assert "service-1-max_tasks" not in never.pictures
    assert "service-1-max_tasks" in likely.pictures
    assert "400" in Page(never.render("html").decode()).words


# --- the same, always -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["html", "pdf", "xlsx", "json"])
def test_the_same_report_has_the_same_bytes(kind: str) -> None:
    again = report(
        demand_plan(web()),
        policy=policy_of(small()),
        findings=failing("checkout"),
        scores=scores_of(small()),
        generated_at=GENERATED_AT,
    )
    assert again.render(kind) == rendered(kind)


def test_only_generated_at_tells_two_runs_apart() -> None:
    texts = [report(small(), generated_at=moment).render("json").decode() for moment in (GENERATED_AT, "2027-01-01")]
    assert texts[0] != texts[1]
    assert all(text.count('"generated_at"') == 1 for text in texts)
    assert len({re.sub(r'"generated_at":"[^"]*"', "", text) for text in texts}) == 1


def test_the_fingerprint_follows_the_inputs_and_nothing_else() -> None:
    prints = {
        report(one).document["method"]["fingerprint"]
        for one in (small(), demand_plan(web()), demand_plan(web(max_tasks=41)), demand_plan(web(), days=61))
    }
    assert len(prints) == 3


def test_json_is_canonical_and_holds_no_nan() -> None:
    text = rendered("json").decode()
    assert text == canonical.render(json.loads(text))
    assert json.loads(text)["schema_version"] == 1
    with pytest.raises(ValueError, match="Out of range"):
        canonical.render({"usd": float("nan")})


def test_without_a_moment_it_is_now_in_utc_to_the_second() -> None:
    before = pd.Timestamp.now(tz="UTC").floor("s")
    said = pd.Timestamp(report(small()).document["generated_at"])
    assert before <= said <= pd.Timestamp.now(tz="UTC")


def test_the_page_about_json_names_every_key_and_no_other() -> None:
    text = (Path(__file__).parents[2] / "docs/report-json.md").read_text(encoding="utf-8")
    top, service = text.split("## A service")
    keys = re.compile(r"^\| `([a-z_]+)` \|", re.MULTILINE)
    assert sorted(keys.findall(top)) == sorted(full().document)
    assert sorted(keys.findall(service)) == sorted(full().document["services"][0])
    written = set(re.findall(r"`([a-z_0-9]+)`", top))
    assert set(full().document["period"]) | set(full().document["decisions"][0]) <= written
    assert set(full().document["alerts"][0]) <= set(re.findall(r"`([a-z_]+)`", service))


# --- nothing from data is code ----------------------------------------------------------------------------------------


def test_a_hostile_name_stays_text_in_html() -> None:
    tags = page("hostile").tags
    assert not [tag for tag, _ in tags if tag in {"script", "iframe", "object", "embed", "img", "link", "base"}]
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]
    assert page("hostile").text.count(NASTY) > 5
    assert "<script>alert" not in rendered("html", "hostile").decode()


def test_a_hostile_name_stays_text_in_the_pdf() -> None:
    assert "".join(NASTY.split()) in "".join(paper("hostile").split())


def test_a_hostile_name_stays_text_in_the_workbook() -> None:
    book = workbook("hostile")
    found = 0
    for sheet in book:
        for cell in (cell for row in sheet.iter_rows() for cell in row):
            if isinstance(cell.value, str) and "cmd()" in cell.value:
                found += 1
                assert cell.data_type == "s", (sheet.title, cell.coordinate)
    assert found > 10


@pytest.mark.parametrize("which", ["full", "hostile"])
def test_no_cell_of_the_workbook_is_a_formula(which: str) -> None:
    kinds = {cell.data_type for sheet in workbook(which) for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "n", "d", "inlineStr"}


def test_a_hostile_name_stays_text_in_a_notebook() -> None:
    shown = Page(hostile()._repr_html_())
    assert {tag for tag, _ in shown.tags} <= {"h3", "p", "ol", "li", "code"}
    assert NASTY in shown.text


# --- HTML -------------------------------------------------------------------------------------------------------------


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


# --- XLSX -------------------------------------------------------------------------------------------------------------


def test_the_workbook_has_its_sheets_with_units_and_frozen_headings() -> None:
    book = workbook()
    names = ["Summary", "Decisions", "Services", "Tasks", "Limits", "Cost", "Rates", "Findings"]
    assert book.sheetnames == names
    assert [book[name].freeze_panes is not None for name in names[1:]] == [True] * 7
    assert "USD" in " ".join(str(cell.value) for cell in book["Cost"][2])


def test_each_number_of_the_workbook_is_formatted_by_what_it_is() -> None:
    book = workbook()

    def form(sheet: str, heading: str, header: int = 1) -> set[str]:
        place = next(cell.column for cell in book[sheet][header] if cell.value == heading)
        cells = [book[sheet].cell(row, place) for row in range(header + 1, book[sheet].max_row + 1)]
        return {cell.number_format for cell in cells if cell.data_type in "nd" and cell.value is not None}

    assert form("Services", "Peak in horizon, tasks") == {"#,##0"}
    assert form("Services", "Cost, USD per month: mean") == {"#,##0.00"}
    assert form("Decisions", "Probability") == {"0.0%"}
    assert form("Tasks", "Day, UTC", header=2) == {"d mmm yyyy"}
    assert form("Cost", "Rate, USD per unit", header=2) == {"0.000000"}
    assert form("Cost", "USD per month", header=2) == {"#,##0.00"}


def test_money_and_tasks_name_their_unit_in_each_heading() -> None:
    for sheet in workbook():
        header = 2 if sheet.title in ("Tasks", "Cost") else 1
        for cell in sheet[header] if sheet.title != "Summary" else ():
            below = sheet.cell(header + 1, cell.column)
            if "#,##0.00" in below.number_format and sheet.title in ("Services", "Cost"):
                assert re.search("USD|Quantity|vCPU|GiB", str(cell.value)), (sheet.title, cell.value)
            if below.number_format.startswith("d mmm"):
                assert "UTC" in str(cell.value), (sheet.title, cell.value)


def test_numbers_are_numbers_and_dates_are_dates() -> None:
    tasks = table(workbook()["Tasks"], header=2)
    assert len(tasks) == 28
    assert pd.api.types.is_datetime64_any_dtype(tasks["Day, UTC"])
    rows = small().of("checkout")
    daily = rows["tasks"].groupby(rows.index.floor("D")).max()
    assert tasks["To run, tasks"].tolist() == daily.tolist()
    decisions = table(workbook()["Decisions"])
    assert decisions["Probability"].map(lambda value: isinstance(value, (int, float))).all()


def test_the_total_of_the_cost_sheet_is_the_sum_of_its_lines() -> None:
    import openpyxl

    sheet = openpyxl.load_workbook(io.BytesIO(rendered("xlsx")), data_only=True)["Cost"]
    rows = list(sheet.iter_rows(min_row=3, values_only=True))
    assert rows[-1][0] == "Total of what has a price"
    lines = [row[5] for row in rows[:-1] if row[5] is not None]
    assert rows[-1][5] == pytest.approx(sum(lines))
    assert rows[-1][5] == pytest.approx(full().document["cost"]["month"]["mean"])


def test_the_date_and_source_of_each_price_are_in_the_workbook() -> None:
    rates = table(workbook()["Rates"])
    assert rates["Date"].tolist() == [small().rates[0].date]
    assert rates["Source"].tolist() == [small().rates[0].source]


# --- files ------------------------------------------------------------------------------------------------------------


def test_all_four_files_are_written_and_nothing_is_left_beside_them(tmp_path: Path) -> None:
    written = full().save_all(tmp_path / "new" / "folder")
    assert [path.name for path in written] == ["report.html", "report.pdf", "report.xlsx", "report.json"]
    assert sorted(path.name for path in written[0].parent.iterdir()) == sorted(path.name for path in written)


def test_a_file_that_cannot_be_made_leaves_the_old_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    full().save(path)
    before = path.read_bytes()
    broken = Report({**full().document, "title": float("nan")})
    with pytest.raises(ValueError, match="Out of range"):
        broken.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_suffix_that_is_no_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"End it in \.html, \.pdf, \.xlsx, \.json"):
        full().save(tmp_path / "report.docx")


# --- other shapes of input --------------------------------------------------------------------------------------------


def quick(times: pd.DatetimeIndex, values: np.ndarray, steps: int, service: Any = None) -> Plan:
    demand = make_demand({("checkout", "requests"): values}, times)
    forecast = make_forecast(demand, steps=steps, paths=40)
    return plan(forecast, service or web(), peaks=lambda forecast: forecast.paths)


@pytest.mark.parametrize(
    ("freq", "count", "steps"),
    [("5min", 600, 288), ("h", 60, 24), ("D", 800, 91), ("D", 3000, 91), ("h", 24 * 425, 24 * 91)],
)
def test_any_interval_and_length_of_history_makes_a_report(freq: str, count: int, steps: int) -> None:
    times = pd.date_range("2020-01-01", periods=count, freq=freq, tz="UTC", unit="us")
    made = report(quick(times, 50 + 10 * np.sin(np.arange(count)), steps), generated_at=GENERATED_AT)
    assert len(made.document["services"][0]["demand"][0]["overview"]["past"]["high"]) <= 640
    for picture in made.pictures.values():
        assert picture.svg().startswith("<svg")


def test_a_service_at_rest_makes_a_report() -> None:
    made = report(quick(hourly(30), np.zeros(30 * 24), 24), generated_at=GENERATED_AT)
    assert b"checkout" in made.render("html")
    assert made.render("pdf").startswith(b"%PDF")


def test_own_prices_name_their_source() -> None:
    rate = Rate(region="us-east-1", vcpu=0.05, memory_gb=0.005, source="our agreement", date="2026-10-01")
    forecast = small().forecast
    own = plan(forecast, web(), prices=PriceSettings(rate=(rate,)), peaks=lambda forecast: forecast.paths)
    words = Page(report(own).render("html").decode()).words
    assert "our agreement 1 Oct 2026" in words


def test_findings_handed_in_and_carried_along_are_each_said_once() -> None:
    carried = replace(small(), findings=Findings.of(small().findings, failing("checkout")))
    document = report(carried, findings=failing("checkout")).document
    assert document["finding_counts"]["FAIL"] == 1


def test_checks_without_evidence_have_not_passed() -> None:
    clean = replace(small(), findings=Findings())
    unknown = Findings.of(one for one in failing("checkout") if one.status == "UNKNOWN")
    assert "Data checks passed" in Page(report(clean).render("html").decode()).words
    assert "Data checks 1 unknown" in Page(report(clean, findings=unknown).render("html").decode()).words


@pytest.mark.parametrize(("package", "kind"), [("typst", "pdf"), ("xlsxwriter", "xlsx")])
def test_a_missing_package_names_the_extra_that_brings_it(
    package: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=rf"extra 'report'.*pip install {package}"):
        full().render(kind)
