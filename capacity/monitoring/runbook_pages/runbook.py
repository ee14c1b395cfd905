"""`Runbooks`: a page in Markdown for each alarm, for whoever is woken; and the verb that writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from capacity.config import Account, Monitoring, Service
from capacity.display import table_html
from capacity.errors import InputError, MissingExtra
from capacity.history import History
from capacity.history.disk import replace_whole
from capacity.monitoring.alarm import Alarm, Alarms
from capacity.monitoring.dashboards.naming import page_name
from capacity.monitoring.dashboards.promql import Questions
from capacity.monitoring.facts import Facts, facts_of
from capacity.monitoring.markdown import Markdown, block, code, escaped, link, prose, table
from capacity.monitoring.runbook_pages.actions import Action, actions_of
from capacity.monitoring.runbook_pages.checks import checks_of
from capacity.monitoring.runbook_pages.commands import Command, PromQL
from capacity.monitoring.runbook_pages.numbers import numbers_of
from capacity.monitoring.runbook_pages.subject import Subject
from capacity.planning import Plan
from capacity.scaling import Policy

#: The page that leads to all others.
INDEX: Final = "README.md"

#: Kinds of which a service has several alarms that a title has to tell apart: by promise, or by metric.
TOLD_APART: Final = ("burn_fast", "burn_slow", "forecast_breach")


@dataclass(frozen=True, eq=False)
class Runbooks:
    """Pages by the name of their file; `INDEX` leads to all of them.

    >>> book = Runbooks({"web--leak.md": "# web"})
    >>> book["web--leak.md"]
    '# web'
    """

    pages: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        """The page of that name. Raises InputError, naming those there are."""
        if name not in self.pages:
            from capacity.planning.words import first_few

            raise InputError(f"no runbook is called {name!r}", advice=f"There are: {first_few(list(self.pages), 10)}.")
        return self.pages[name]

    def __len__(self) -> int:
        return len(self.pages)

    def save(self, folder: str | Path) -> list[Path]:
        """Write every page into a folder, which is made if absent; the index last, so that it leads nowhere empty.

        Each file is whole or as it was. Pages of alarms that are no more stay: delete what the index no longer names.
        """
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        ordered = sorted(self.pages, key=lambda name: (name == INDEX, name))
        for name in ordered:
            replace_whole(place / name, self.pages[name].encode("utf-8", "replace"))
        return [place / name for name in ordered]

    def __str__(self) -> str:
        return self.pages.get(INDEX, "")

    def _repr_html_(self) -> str:
        import pandas as pd

        rows = pd.DataFrame(
            [(name, text.splitlines()[0].lstrip("# ")) for name, text in self.pages.items() if name != INDEX],
            columns=["page", "title"],
        )
        kept = "<p>Keep them with <code>.save(&quot;runbooks&quot;)</code>.</p>"
        return table_html(f"Runbooks: {len(rows)} pages", rows) + kept


def runbooks(
    alarms: Alarms,
    *,
    plan: Plan | None = None,
    policy: Policy | None = None,
    history: History | None = None,
) -> Runbooks:
    """A page for each alarm that is used: what it means, numbers, first checks, safe actions, undo, when to escalate.

    plan     its numbers, and what it proposes; without it, a maximum is raised by a quarter
    policy   its bounds, where they are above today's
    history  what was measured last

    Commands are those of the AWS CLI, PromQL where [prometheus] is configured, and our own; names are quoted for a
    POSIX shell. The name of a page is its alarm's `runbook`.
    """
    facts = facts_of(plan, policy, history) if plan is not None else {}
    accounts = {one.region: one for one in plan.accounts} if plan is not None else {}
    services = {one.name: one for one in alarms.services}
    questions = Questions(alarms.prometheus)
    pages: dict[str, str] = {}
    listed: list[Subject] = []
    for alarm in alarms:
        if alarm.runbook in pages:
            continue
        about = _subject(alarm, services, questions, facts, accounts, plan)
        pages[alarm.runbook] = _page(about, alarms)
        listed.append(about)
    if INDEX in pages:
        raise InputError(f"an alarm's runbook is called {INDEX}, as the index is", advice="Call it otherwise.")
    return Runbooks({INDEX: _index(listed), **pages})


def _subject(
    alarm: Alarm,
    services: dict[str, Service],
    questions: Questions,
    facts: dict[str, Facts],
    accounts: dict[str, Account],
    plan: Plan | None,
) -> Subject:
    service = services.get(alarm.service) or _neighbour(alarm, services)
    region = alarm.region or service.region
    named = (alarm.service, f"(account {region})") if alarm.service else (f"(account {region})",)
    decisions = tuple(one for one in plan.decisions if one.service in named) if plan is not None else ()
    peers = () if alarm.service else tuple(one for one in facts.values() if one.service.region == region)
    return Subject(alarm, service, questions, facts.get(service.name), accounts.get(region), decisions, peers)


def _neighbour(alarm: Alarm, services: dict[str, Service]) -> Service:
    """A service of the region that an account's alarm is about."""
    if alarm.service:
        raise InputError(
            f"alarm {alarm.name!r} is of service {alarm.service!r}, which the alarms do not know",
            advice="Give the alarms the services they are of.",
        )
    near = [one for one in services.values() if one.region == alarm.region]
    return (near or [*services.values()] or [Service(name="(account)", region=alarm.region or "us-east-1")])[0]


def _page(about: Subject, alarms: Alarms) -> str:
    template = _environment().get_template("page.md.jinja")
    return _tidy(
        template.render(
            about=about,
            alarm=about.alarm,
            service=about.service,
            facts=about.facts,
            meaning=f"kinds/{about.alarm.kind}.md.jinja",
            told_apart=Markdown(f" ({escaped(about.more)})") if about.alarm.kind in TOLD_APART and about.more else "",
            overview=_overview(about, alarms.settings),
            numbers=table(["what", "value", "rests on"], [map(prose, row) for row in numbers_of(about)]),
            checks=[(check, _commands(check.commands)) for check in checks_of(about)],
            actions=[_laid_out(action) for action in actions_of(about)],
            told=_told(alarms.settings.page if about.alarm.severity == "page" else alarms.settings.ticket),
        )
    )


def _told(topics: tuple[str, ...]) -> Markdown:
    return Markdown(f" The alarm tells {', '.join(map(code, topics))}." if topics else "")


def _overview(about: Subject, settings: Monitoring) -> Markdown:
    alarm, service = about.alarm, about.service
    rows: list[tuple[object, object]] = [("alarm", code(alarm.name)), ("severity", alarm.severity)]
    rows.append(("tells" if alarm.lead_minutes is None else "warns", alarm.warns))
    rows.append(("owner", about.owner or prose("nobody is named: set `owner` in capacity.toml")))
    if not about.shared:
        where = f"{code(about.ecs_name)} in cluster {code(service.cluster)}, {code(about.region)}"
        rows += [("service", Markdown(where)), ("dashboard", code(page_name(settings.prefix, service)))]
    return table(["", ""], rows)


def _laid_out(action: Action) -> dict[str, Any]:
    return {
        "action": action,
        "commands": _commands(action.commands),
        "undone_by": _commands(action.undone_by) if action.undone_by else "",
    }


def _commands(commands: tuple[Command, ...]) -> str:
    """Neighbours of one language in one block."""
    blocks: list[tuple[str, list[str]]] = []
    for command in commands:
        language = "promql" if isinstance(command, PromQL) else "sh"
        if not blocks or blocks[-1][0] != language or language == "promql":
            blocks.append((language, []))
        blocks[-1][1].append(command.text)
    return Markdown("\n\n".join(block("\n".join(lines), language) for language, lines in blocks))


def _index(listed: list[Subject]) -> str:
    ordered = sorted(listed, key=lambda about: (about.alarm.severity != "page", about.alarm.service))
    rows = [
        (
            about.alarm.service or about.region,
            prose(about.alarm.summary),
            about.alarm.severity,
            link(code(about.alarm.runbook), about.alarm.runbook),
        )
        for about in ordered
    ]
    pages = table(["of", "alarm", "severity", "page"], rows) if rows else ""
    return _tidy(_environment().get_template("index.md.jinja").render(pages=pages))


@cache
def _environment() -> Any:
    """Templates in which whatever is put in is text, unless it is Markdown already."""
    try:
        import jinja2
    except ImportError:
        raise MissingExtra("jinja2", "report", "writing runbooks") from None
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("capacity.monitoring.runbook_pages"),
        undefined=jinja2.StrictUndefined,
        finalize=escaped,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"code": code, "prose": prose, "markdown": Markdown}
    return made


def _tidy(text: str) -> str:
    """At most one empty line between paragraphs, one newline at the end; commands stay as they are, to the letter."""
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        if fence:
            fence = "" if line == fence else fence
            lines.append(line)
        elif line.strip() or (lines and lines[-1]):
            opened = re.match("`{3,}", line)
            fence = opened[0] if opened else ""
            lines.append(line.rstrip())
    return "\n".join(lines).rstrip("\n") + "\n"
