"""How the documentation is built."""

project = "pytest-flakehunt"
author = "the pytest-flakehunt maintainers"
copyright = "2026, the pytest-flakehunt maintainers"  # noqa: A001 - the name Sphinx asks for
extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "pytest-flakehunt"
exclude_patterns = ["_build"]
