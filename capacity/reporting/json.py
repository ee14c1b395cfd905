"""The document as canonical JSON: keys sorted, no NaN, the same bytes for the same document."""

from __future__ import annotations

import json
from typing import Any


def render(document: dict[str, Any]) -> str:
    """One line of JSON. Numbers were rounded when the document was made; a NaN that slipped in raises ValueError."""
    text = json.dumps(document, sort_keys=True, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return text + "\n"
