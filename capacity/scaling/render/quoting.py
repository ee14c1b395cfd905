"""Text that comes from outside, as a quoted literal that means exactly this text."""

from __future__ import annotations

from typing import Any


def literal(text: str) -> str:
    r"""In double quotes, as JSON, YAML and HCL read them: whatever is not printable is escaped by its number.

    >>> print(literal('say "hi"' + chr(10) + chr(0x2028)))
    "say \"hi\"\n\u2028"
    """
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + "".join(char if char.isprintable() else _numbered(ord(char)) for char in escaped) + '"'


def _numbered(code: int) -> str:
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def yaml(value: Any, depth: int = 0) -> str:
    """Nested dicts and lists as YAML in blocks. Keys are our own, plain words; every text is quoted, by single quotes
    where that spares it escapes.

    >>> print(yaml({"kind": "X", "list": [{"a": 1, "b": True}, "no"], "none": []}))
    kind: "X"
    list:
      - a: 1
        b: true
      - "no"
    none: []
    """
    pad = "  " * depth
    if isinstance(value, dict) and value:
        return "\n".join(f"{pad}{key}:{_below(item, depth)}" for key, item in value.items())
    if isinstance(value, list) and value:
        return "\n".join(f"{pad}- {yaml(item, depth + 1).lstrip()}" for item in value)
    return pad + _scalar(value)


def _below(value: Any, depth: int) -> str:
    nested = isinstance(value, (dict, list)) and value
    return f"\n{yaml(value, depth + 1)}" if nested else f" {_scalar(value)}"


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        plain = '"' in value and "'" not in value and "\\" not in value and value.isprintable()
        return f"'{value}'" if plain else literal(value)
    return {"True": "true", "False": "false"}.get(str(value), str(value))
