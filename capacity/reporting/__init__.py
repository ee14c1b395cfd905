"""Any of the nouns -> a report people act on: one HTML page, a PDF, a workbook for finance, JSON for programs.

`document.py` turns nouns into one plain document; every format shows that document and computes nothing of its own.
What stands on the pages is a list of sections: `sections/` says how one is added.

    document  chapter  accuracy  rehearsal  series     nouns -> plain data
    sections/                                          each part of the report: data, then blocks, pictures, sheets
    view  chapter_view  tables  sheets                 the document in words: what pages and workbook show
    words  wording                                     numbers, dates and names for people
    pictures  outlines                                 the document's drawings, by `capacity.charts`, and small ones
    branding                                           a folder of one's own: logo, style, templates
    html  pdf  xlsx  json  templates/  fonts/          the document as files
"""

from capacity.reporting.reports import Report, report

__all__ = ["Report", "report"]
