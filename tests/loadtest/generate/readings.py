"""How JMeter and Java read a text: written from their own rules, to check what is written for them.

JMeter: `FunctionParser.compileString` and `ReplaceStringWithFunctions` of its source: a text is taken as it stands
unless a function is called in it; then a backslash before `$`, `,` or a backslash is dropped.
Java: the language specification, 3.3 (Unicode escapes, read before anything else), 3.7 and 3.10.7.
"""

from __future__ import annotations

import re


class Ran(Exception):
    """JMeter would have run this."""


def jmeter_reads(text: str) -> str:
    """What JMeter makes of a text; of functions only `__char(36)` may be called, and a property be told (as empty)."""
    read: list[str] = []
    called = False
    at = 0
    while at < len(text):
        one, two = text[at], text[at : at + 2]
        if one == "\\" and at + 1 < len(text):
            read.append(text[at + 1] if text[at + 1] in "$,\\" else two)
            at += 2
        elif two == "${":
            name = text[at + 2 : text.index("}", at)] if "}" in text[at:] else text[at:]
            if name != "__char(36)":
                raise Ran(name)
            read.append("$")
            called = True
            at += len(name) + 3
        else:
            read.append(one)
            at += 1
    return "".join(read) if called else text


_UNICODE = re.compile(r"(?<!\\)((?:\\\\)*)\\u+([0-9a-fA-F]{4})")
_OCTAL = re.compile(r"[0-3]?[0-7]{1,2}")
_SHORT = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "'": "'", "b": "\b", "f": "\f", "s": " "}


def java_unescaped(source: str) -> str:
    """A source with its Unicode escapes read, as a compiler does before it looks for strings and comments."""
    units = _UNICODE.sub(lambda found: found[1] + chr(int(found[2], 16)), source)
    return units.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")


def java_strings(source: str) -> list[str]:
    """The strings of a source without comments other than `//`, in order, as they are when it runs."""
    text, found, at = java_unescaped(source), [], 0
    while at < len(text):
        if text.startswith("//", at):
            at = text.index("\n", at)
        elif text[at] == '"':
            value, at = _string(text, at + 1)
            found.append(value)
        else:
            at += 1
    return found


def _string(text: str, at: int) -> tuple[str, int]:
    value: list[str] = []
    while text[at] != '"':
        assert text[at] not in "\n\r", "a string that is not closed on its line"
        if text[at] == "\\":
            octal = _OCTAL.match(text, at + 1)
            value.append(chr(int(octal[0], 8)) if octal else _SHORT[text[at + 1]])
            at += 1 + (len(octal[0]) if octal else 1)
        else:
            value.append(text[at])
            at += 1
    return "".join(value), at + 1
