"""How Sphinx builds these pages: ``nox -s docs``."""

from __future__ import annotations

import sys
from pathlib import Path

import rmz_async

sys.path.insert(0, str(Path(__file__).parent / "_extensions"))

project = "RMZ for Python"
author = "The RMZ for Python authors"
project_copyright = "The RMZ for Python authors"
version = release = rmz_async.__version__

extensions = [
    "myst_parser",
    "links",
    "reference",
    "type_imports",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
]
exclude_patterns = ["_build"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"RMZ for Python {rmz_async.__version__}"
html_static_path = ["_static"]
html_css_files = ["rmz.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

nitpicky = True
nitpick_ignore_regex = [
    # No inventories are fetched, as the pages must build without a network: so names of the
    # standard library, which is all that annotations use of other projects, are no links.
    ("py:class", rf"({'|'.join(sorted(sys.stdlib_module_names))})(\..*)?"),
    # A sentence before a colon, which napoleon takes for a type.
    ("py:class", r".* .*"),
    ("py:class", r"(aiohttp|django|fastapi|flask|litestar|openfeature|starlette)(\..*)?"),
    # Type variables.
    ("py:class", r"rmz_.*\.[TH]"),
    # Names in private modules, and in the rooms of the sandbox, of which only some are public.
    ("py:class", r"(rmz_\w+\.)?(\w+\.)*_\w+(\.\w+)+"),
    ("py:class", r"rmz_async\.sandbox(\.\w+){2,}|Backend|Timeline|AsyncPaywall|BlockingPaywall"),
    # Aliases and classes in passing; the docstring says what they stand for.
    (
        "py:class",
        "Backoff|CollectorRegistry|Headers|HTTPClient|MeterProvider|Path|Query|Secrets|TokenSource"
        "|TracerProvider|URLObject",
    ),
    ("py:class", r"rmz_async\.(operations\.Reaction|options\.Unchanged)"),
]
