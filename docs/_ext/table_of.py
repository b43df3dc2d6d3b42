"""The directive `table-of`: a table of what a mapping of records holds, such as the regions.

```{table-of} mlda_core.REGIONS label
```
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.parsers.rst import Directive

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class TableOf(Directive):
    """A row for each key, a column for each attribute named."""

    required_arguments = 2
    optional_arguments = 4

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        module, _, name = self.arguments[0].rpartition(".")
        columns = self.arguments[1:]
        records = getattr(import_module(module), name)
        group = nodes.tgroup(cols=1 + len(columns))
        group += [nodes.colspec(colwidth=1) for _ in range(1 + len(columns))]
        head, body = nodes.thead(), nodes.tbody()
        head += _row([nodes.Text("key"), *map(nodes.Text, columns)])
        for key, record in records.items():
            values = [nodes.Text(str(getattr(record, column))) for column in columns]
            body += _row([nodes.literal("", key), *values])
        group += [head, body]
        table = nodes.table()
        table += group
        return [table]


def _row(cells: list[nodes.Node]) -> nodes.row:
    row = nodes.row()
    for cell in cells:
        paragraph = nodes.paragraph()
        paragraph += cell
        entry = nodes.entry()
        entry += paragraph
        row += entry
    return row


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_directive("table-of", TableOf)
    return {"parallel_read_safe": True}
