"""The site: `make docs` builds it with Sphinx from these pages, and fails on any warning, dead link included."""

from __future__ import annotations

from capacity._version import __version__

project = "capacity"
copyright = "The capacity authors"
version = release = __version__

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["images/*.py"]
myst_heading_anchors = 4
myst_enable_extensions = ["deflist", "dollarmath"]

html_theme = "furo"
html_title = "capacity"
html_static_path: list[str] = []
html_copy_source = False
nitpicky = True
smartquotes = False  # `--help` is two hyphens
