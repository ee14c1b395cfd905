"""Any of the nouns -> a report people act on: one HTML page, a PDF, a workbook for finance, JSON for programs.

`document.py` turns nouns into one plain document; every format shows that document and computes nothing of its own.

    document  chapter  accuracy  rehearsal  series     nouns -> plain data
    words  wording                                     numbers, dates and names for people
    pictures                                           the document's drawings, by `capacity.charts`
    html  pdf  xlsx  json  templates/  fonts/          the document as files
"""

from capacity.reporting.reports import Report, report

__all__ = ["Report", "report"]
