"""How our nouns show themselves in a notebook: one sentence, then a few rows. Text is escaped, always."""

from __future__ import annotations

from html import escape

import pandas as pd

#: Rows of a table shown in a notebook; the rest are counted.
SHOWN_ROWS = 12


def table_html(sentence: str, frame: pd.DataFrame, rows: int = SHOWN_ROWS) -> str:
    """A sentence above the first rows of a frame.

    >>> table_html("<b>", pd.DataFrame({"service": ["a<script>"]})).count("<script>")
    0
    """
    more = f"<p>{len(frame) - rows:,} more rows in <code>.frame</code></p>" if len(frame) > rows else ""
    table = frame.head(rows).to_html(index=False, border=0, escape=True, na_rep="–")
    return f"<p><strong>{escape(sentence)}</strong></p>{table}{more}"
