"""Text that comes from outside, as Markdown that shows exactly this text: names are never read as markup.

By the rules of CommonMark 0.31: sections 2.4 (backslash escapes), 6.1 (code spans) and 4.5 (fenced code blocks).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

#: What begins markup anywhere in a line, or ends a cell of a table ($ and ^ in Grafana and wikis).
_ANYWHERE = re.compile(r"([\\`*_\[\]|~$>^@])")
#: What begins a heading, a list or a rule where it comes first.
_FIRST = re.compile(r"^(?:([#+\-=])|(\d{1,9})([.)])(?=\s|$))")
#: What GitHub makes a link of without being asked.
_ADDRESS = re.compile(r"(?i)(?<=[a-z]):(?=//)|(?<=www)\.")
#: `<` and `&` begin HTML: an entity is safer than a backslash where a page is shown by what knows less of CommonMark.
_ENTITIES = {"&": "&amp;", "<": "&lt;"}


class Markdown(str):
    """Text that is Markdown already: nothing in it is escaped again."""

    __slots__ = ()


def escaped(text: object) -> Markdown:
    r"""On one line, with nothing in it that would be read as markup.

    >>> print(escaped("a*b* <i> | [x](http://y) - 1"), escaped("# 1"))
    a\*b\* &lt;i\> \| \[x\](http\://y) - 1 \# 1
    """
    return text if isinstance(text, Markdown) else Markdown(_as_text(one_line(str(text))))


def prose(text: object) -> Markdown:
    r"""A sentence of ours, which may name things from outside in backquotes: those become code, the rest stays text.

    >>> print(prose("Raise `a|b` from 4 to 5 - 92 % sure <now>"))
    Raise `a|b` from 4 to 5 - 92 % sure &lt;now\>
    """
    if isinstance(text, Markdown):
        return text
    pieces = one_line(str(text)).split("`")
    if len(pieces) % 2 == 0 or not all(pieces[1::2]):  # a name holds a backquote: then nothing is told apart
        return escaped(text)
    return Markdown("".join(code(part) if n % 2 else _as_text(part) for n, part in enumerate(pieces)))


def _as_text(line: str) -> str:
    marked = _ADDRESS.sub(r"\\\g<0>", _ANYWHERE.sub(r"\\\1", line))
    marked = _FIRST.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", marked)
    return "".join(_ENTITIES.get(char, char) for char in marked)


def code(text: object) -> Markdown:
    """A code span that means exactly this text.

    >>> print(code("web"), code("a`b"))
    `web` ``a`b``
    """
    line = one_line(str(text))
    fence = "`" * (_longest_run(line) + 1)
    pad = " " if line[:1] == "`" or line[-1:] == "`" or (line[:1] == line[-1:] == " " and line.strip()) else ""
    return Markdown(f"{fence}{pad}{line}{pad}{fence}")


def block(lines: str, language: str = "sh") -> Markdown:
    """A fenced block that no line inside it ends.

    >>> print(block("aws ecs describe-services"))
    ```sh
    aws ecs describe-services
    ```
    """
    fence = "`" * max(3, _longest_run(lines) + 1)
    return Markdown(f"{fence}{language}\n{lines}\n{fence}")


def link(text: object, url: str) -> Markdown:
    """A link; the address may hold anything.

    >>> print(link("a", "https://wiki/x y(1).md"))
    [a](https://wiki/x%20y%281%29.md)
    """
    return Markdown(f"[{escaped(text)}]({quote(url, safe=_IN_ADDRESS)})")


#: Characters of an address that stay as they are (RFC 3986, 2.2 and 2.3) and end no link of Markdown.
_IN_ADDRESS = "/:?#@!$&*+,;=%-._~"


def table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> Markdown:
    """A table as GitHub's Markdown, CloudWatch and Grafana draw it. A bar ends a cell even inside code, unless escaped.

    >>> print(table(["limit"], [["a|b"]]))
    | limit |
    |---|
    | a\\|b |
    """
    top = [escaped(cell) for cell in head]
    lines = [_row(top), "|" + "---|" * len(top), *(_row([escaped(cell) for cell in row]) for row in rows)]
    return Markdown("\n".join(lines))


def _row(cells: list[Markdown]) -> str:
    return "| " + " | ".join(re.sub(r"(?<!\\)\|", r"\\|", cell) for cell in cells) + " |"


def one_line(text: str) -> str:
    """White space and what cannot be printed as single spaces: a name never begins a line of its own.

    >>> one_line("a\\n# b\\x1b[31m")
    'a # b [31m'
    """
    return " ".join("".join(char if char.isprintable() else " " for char in text).split()) or " "


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
