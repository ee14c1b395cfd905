"""A reader of the HCL that we write: one argument or block head a line, strings on one line. Fails on anything else."""

from __future__ import annotations

import re
from typing import Any

Block = dict[str, Any]

_HEAD = re.compile(r'([a-z_]+)((?: "[^"]+")*) \{')
_ARGUMENT = re.compile(r"([a-z_]+) += (.+)")


def read(text: str) -> Block:
    """{"resource": [{"labels": (type, name), argument: value, block: [...]}, ...], ...}; expressions stay text."""
    root: Block = {}
    stack = [root]
    for number, line in enumerate(text.splitlines(), start=1):
        found = line.strip()
        if not found or found.startswith("#"):
            continue
        if found == "}":
            stack.pop()
        elif head := _HEAD.fullmatch(found):
            block: Block = {"labels": tuple(re.findall(r'"([^"]+)"', head[2]))}
            stack[-1].setdefault(head[1], []).append(block)
            stack.append(block)
        elif argument := _ARGUMENT.fullmatch(found):
            assert argument[1] not in stack[-1], f"line {number}: {argument[1]} twice"
            stack[-1][argument[1]] = value(argument[2])
        else:
            raise AssertionError(f"line {number}: {line!r}")
    assert stack == [root], "an open block"
    return root


def value(text: str) -> Any:
    """A string, number, truth value, one-line map of strings, or the text of an expression."""
    if text.startswith('"'):
        read, place = string(text, 1)
        assert place == len(text), f"more than a string: {text!r}"
        return read
    if re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?", text):
        return float(text) if "." in text or "e" in text else int(text)
    return {"true": True, "false": False}.get(text, text)


def string(text: str, place: int) -> tuple[str, int]:
    """The string that begins after a quote, and where it has ended; fails on an open string or template."""
    read = ""
    while text[place] != '"':
        if text[place] == "\\":
            code = {"n": "\n", '"': '"', "\\": "\\"}.get(text[place + 1])
            if code is None:
                size = {"u": 4, "U": 8}[text[place + 1]]
                code = chr(int(text[place + 2 : place + 2 + size], 16))
                place += size
            read, place = read + code, place + 2
        elif text[place : place + 3] in ("$${", "%%{"):
            read, place = read + text[place] + "{", place + 3
        else:
            assert text[place : place + 2] not in ("${", "%{"), "an open template"
            assert text[place].isprintable(), "a bare control character"
            read, place = read + text[place], place + 1
    return read, place + 1


def strings(text: str) -> list[str]:
    """Every string literal of an HCL text, read back."""
    found, place = [], 0
    while (place := text.find('"', place)) >= 0:
        read, place = string(text, place + 1)
        found.append(read)
    return found
