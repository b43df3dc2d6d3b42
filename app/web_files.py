"""The page's HTML, CSS and JavaScript, read from ``app/web``."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

WEB = Path(__file__).resolve().parent / "web"
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w/]+\.js)";?\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:const|let|function|class)\b)", re.MULTILINE)


@cache
def read(name: str) -> str:
    """Return the text of a file of ``app/web``."""
    return (WEB / name).read_text(encoding="utf-8")


@cache
def read_module(name: str) -> str:
    """Return an ES module of ``app/web`` as one text, with the modules that it imports before it.

    Panel gives the browser a component's module as a text with no address of its own, so that
    imports of files beside it lead nowhere. They are left out, and so is the ``export`` of what
    others import.

    Parameters
    ----------
    name : str
        Such as ``bar.js``. Modules are in the form ``import { a, b } from "./other.js"``, one a
        line at the top, with no renaming; no name stands at the top of two of them.
    """
    order: list[str] = []

    def visit(module: str, above: tuple[str, ...]) -> None:
        if module in above:
            way = " -> ".join([*above, module])
            raise ValueError(f"Modules of app/web import each other: {way}.")
        for other in _IMPORT.findall(read(module)):
            visit(other, (*above, module))
        if module not in order:
            order.append(module)

    visit(name, ())
    parts = [_IMPORT.sub("", read(module)) for module in order]
    return "\n".join([*(_EXPORT.sub("", part) for part in parts[:-1]), parts[-1]])
