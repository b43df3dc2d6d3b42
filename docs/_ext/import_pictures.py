"""Draw the import graphs of docs/architecture.md at each build, by tools/import_graph.py."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

TOOL = Path(__file__).resolve().parents[2] / "tools" / "import_graph.py"


def draw(app: Sphinx) -> None:
    """Write docs/generated/*.svg."""
    spec = importlib.util.spec_from_file_location("import_graph", TOOL)
    assert spec is not None and spec.loader is not None  # noqa: S101, PT018 - the file is there
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.write(Path(app.srcdir) / "generated")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("builder-inited", draw)
    return {"parallel_read_safe": True}
