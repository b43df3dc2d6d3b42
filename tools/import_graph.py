"""Draw which folders of `mlda_core` and `app` import which: one SVG a package.

`make docs` draws them anew for docs/architecture.md.

python tools/import_graph.py FOLDER    write mlda_core.svg and app.svg there
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("mlda_core", "app")

Graph = dict[str, set[str]]

# Pixels.
_WIDTH, _HEIGHT, _GAP, _ROW, _MARGIN = 128, 34, 22, 84, 16
_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
    'width="{width:g}" height="{height:g}" role="img" font-family="sans-serif" font-size="13">'
)
_ARROW_HEAD = (
    '<defs><marker id="end" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#5a6472"/></marker></defs>'
)
_BOX = (
    f'<rect x="{{x:.0f}}" y="{{y:.0f}}" width="{_WIDTH}" height="{_HEIGHT}" rx="5" '
    'fill="#eef2f7" stroke="#8795a8"/>'
    '<text x="{text:.0f}" y="{base:.0f}" text-anchor="middle" fill="#1d2126">{name}</text>'
)
_PLAIN = 'stroke="#5a6472"'
_CIRCLE = 'stroke="#c02020" stroke-dasharray="4 3"'


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted names that a module imports when it runs, those for type checkers aside."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            # What is imported may be a module or a name in one.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from imports(node)


def graph_of(package: str, root: Path = ROOT) -> Graph:
    """Return what each part of a package imports of the package's other parts.

    Parameters
    ----------
    package : str
        A folder below `root`.
    root : Path
        Of the repository.

    Returns
    -------
    dict
        A part is a folder of the package, or a module that stands beside the folders.
    """
    top = root / package
    parts = {p.name for p in top.iterdir() if (p / "__init__.py").is_file()}
    parts |= {p.stem for p in top.glob("*.py")} - {"__init__"}
    graph: Graph = {part: set() for part in parts}
    for path in sorted(top.rglob("*.py")):
        part = path.relative_to(top).parts[0].removesuffix(".py")
        if part not in parts:
            continue
        for name in imports(ast.parse(path.read_text(encoding="utf-8"))):
            first, _, rest = name.partition(".")
            other = rest.partition(".")[0]
            if first == package and other in parts and other != part:
                graph[part].add(other)
    return graph


def reachable(graph: Graph, start: str, without: tuple[str, str] | None = None) -> set[str]:
    """Return the parts that a part leads to by arrows, one arrow left out."""
    found: set[str] = set()
    ahead = [start]
    while ahead:
        part = ahead.pop()
        for other in graph[part]:
            if (part, other) != without and other not in found:
                found.add(other)
                ahead.append(other)
    return found


def circles(graph: Graph) -> list[tuple[str, str]]:
    """Return the arrows that lie on a circle."""
    return [(a, b) for a in sorted(graph) for b in sorted(graph[a]) if a in reachable(graph, b)]


def levels(graph: Graph) -> dict[str, int]:
    """Return each part's floor: one above the highest that it imports, arrows of circles aside."""
    around = set(circles(graph))
    plain = {a: {b for b in others if (a, b) not in around} for a, others in graph.items()}
    found: dict[str, int] = {}

    def level(part: str) -> int:
        if part not in found:
            found[part] = 1 + max((level(other) for other in plain[part]), default=-1)
        return found[part]

    for part in graph:
        level(part)
    return found


def needed(graph: Graph) -> list[tuple[str, str]]:
    """Return the arrows that no longer way of arrows implies: the others would only be clutter."""
    around = set(circles(graph))
    return [
        (a, b)
        for a in sorted(graph)
        for b in sorted(graph[a])
        if (a, b) in around or b not in reachable(graph, a, without=(a, b))
    ]


def draw(graph: Graph, title: str) -> str:
    """Return an SVG: what is imported stands below; arrows of circles are red and dashed."""
    floor = levels(graph)
    rows: dict[int, list[str]] = defaultdict(list)
    for part in sorted(graph):
        rows[floor[part]].append(part)
    top, around = max(rows), set(circles(graph))
    arrows = needed(graph)
    wide = max(len(parts) for parts in rows.values())
    width = 2 * _MARGIN + wide * (_WIDTH + _GAP) - _GAP
    at: dict[str, tuple[float, float]] = {}
    for number in sorted(rows, reverse=True):
        # Each stands below the middle of those that import it, as far as there is room.
        above = {
            part: [at[a][0] for a, b in arrows if b == part and a in at] for part in rows[number]
        }
        middle = {part: sum(x) / len(x) if x else width / 2 for part, x in above.items()}
        ordered = [part for _, part in sorted((middle[part], part) for part in rows[number])]
        left = (width - len(ordered) * (_WIDTH + _GAP) + _GAP) / 2
        for place, part in enumerate(ordered):
            x = left + place * (_WIDTH + _GAP) + _WIDTH / 2
            at[part] = (x, _MARGIN + _HEIGHT / 2 + (top - number) * _ROW)
    height = 2 * _MARGIN + _HEIGHT + top * _ROW
    lines = [
        _SVG.format(width=width, height=height),
        f"<title>{escape(title)}</title>",
        _ARROW_HEAD,
    ]
    for a, b in arrows:
        (x0, y0), (x1, y1) = at[a], at[b]
        down = 1 if y1 >= y0 else -1
        y0, y1 = y0 + down * _HEIGHT / 2, y1 - down * _HEIGHT / 2
        bend = down * (50 - _HEIGHT / 2)
        way = (x0, y0), (x0, y0 + bend), (x1, y1 - bend), (x1, y1)
        path = "M{} C{} {} {}".format(*(f"{x:.0f} {y:.0f}" for x, y in way))
        style = _CIRCLE if (a, b) in around else _PLAIN
        lines.append(f'<path d="{path}" fill="none" {style} marker-end="url(#end)"/>')
    for part, (x, y) in sorted(at.items()):
        lines.append(
            _BOX.format(x=x - _WIDTH / 2, y=y - _HEIGHT / 2, text=x, base=y + 4, name=part)
        )
    return "\n".join([*lines, "</svg>"]) + "\n"


def write(folder: Path) -> None:
    """Write the picture of each package."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        picture = draw(graph_of(package), f"Which parts of {package} import which")
        (folder / f"{package}.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
