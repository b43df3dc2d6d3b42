"""Sphinx configuration of the documentation site: `make docs`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS.parent), str(DOCS / "_ext")]

import mlda_core  # noqa: E402

project = "mlda"
author = "The mlda developers"
copyright = author  # noqa: A001 - Sphinx's name
release = version = mlda_core.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    # docs/_ext: what is written from the code at each build.
    "command_line",
    "import_pictures",
    "module_tree",
    "one_template",
    "table_of",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "_ext"]
templates_path = ["_templates"]
nitpicky = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_member_order = "bysource"
# Signatures with every annotation of every argument are unreadable: the docstrings say types.
autodoc_typehints = "none"
autodoc_default_options = {"members": True}
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "pydata_sphinx_theme"
html_title = "mlda"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
# Pages without others beside them.
html_sidebars = {name: [] for name in ("index", "first-steps", "glossary")}
html_theme_options = {
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_prev_next": True,
    "header_links_before_dropdown": 7,
}

# `make docs-linkcheck`: needs the internet.
linkcheck_timeout = 20
linkcheck_retries = 2
linkcheck_ignore = [r"http://localhost:\d+.*"]


def skip_imported(*event: Any) -> bool:
    """Leave out what a module only imports: numpydoc stumbles over the signatures of some."""
    _app, _what, _name, member, skip, _options = event
    module = getattr(member, "__module__", None)
    return skip or (isinstance(module, str) and not module.startswith("mlda_core"))


def forget_generated(*_event: Any) -> None:
    """Delete what autosummary wrote before: pages of renamed modules would be warnings."""
    for name in ("api", "modules"):
        shutil.rmtree(DOCS / "reference" / name, ignore_errors=True)


def setup(app: Any) -> None:
    """Register with Sphinx."""
    app.connect("config-inited", forget_generated)
    app.connect("autodoc-skip-member", skip_imported)
