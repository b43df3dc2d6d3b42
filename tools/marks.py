"""Tables in pages of the documentation, between marks that name them.

A table called ``load`` stands between ``<!-- load:begin -->`` and ``<!-- load:end -->``.
"""

from __future__ import annotations

from pathlib import Path


def put(text: str, name: str, made: str) -> str:
    """Return a page's text with something else between the marks of a name.

    Parameters
    ----------
    text : str
        The page.
    name : str
        Of the marks, such as ``load``.
    made : str
        What is to stand between them.

    Raises
    ------
    SystemExit
        If the page does not have both marks once, in this order.
    """
    begin, end = (f"<!-- {name}:{which} -->" for which in ("begin", "end"))
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed or begin in rest or end in after:
        raise SystemExit(f"The page needs the line '{begin}' and after it '{end}', each once.")
    return f"{before}{begin}\n{made}\n{end}{after}"


def write(page: Path, name: str, made: str) -> None:
    """Put a table between the marks of its name in a page."""
    text = page.read_text(encoding="utf-8")
    page.write_text(put(text, name, made), encoding="utf-8")
