"""The directive `module-tree`: every module of a package with its docstring's first line.

It reads the sources without importing them, so the page's modules can be listed too.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.parsers.rst import Directive

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]


def first_line(path: Path) -> str:
    """Return the first line of a module's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


def modules_of(folder: Path) -> list[Path]:
    """Return a package's own modules, those with nothing but a docstring left out."""
    return [p for p in sorted(folder.glob("*.py")) if p.name not in {"__init__.py", "__main__.py"}]


class ModuleTree(Directive):
    """List the modules of a package folder by folder."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a definition list for each folder."""
        top = ROOT / self.arguments[0]
        if not top.is_dir():
            raise self.error(f"There is no package {self.arguments[0]}.")
        made: list[nodes.Node] = []
        folders = [top, *sorted({path.parent for path in top.rglob("__init__.py")} - {top})]
        for folder in folders:
            self.state.document.settings.env.note_dependency(str(folder / "__init__.py"))
            heading = nodes.paragraph()
            heading += nodes.strong("", f"{folder.relative_to(ROOT)}/")
            about = first_line(folder / "__init__.py")
            heading += nodes.Text(f" {about}")
            made.append(heading)
            listed = nodes.bullet_list()
            for path in modules_of(folder):
                self.state.document.settings.env.note_dependency(str(path))
                line = nodes.paragraph()
                line += nodes.literal("", path.name)
                line += nodes.Text(f" {first_line(path)}")
                listed += nodes.list_item("", line)
            if len(listed):
                made.append(listed)
        return made


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_directive("module-tree", ModuleTree)
    return {"parallel_read_safe": True}
