"""The terms of docs/glossary.md, for the page: its (i) buttons and its list of words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

GLOSSARY = Path(__file__).resolve().parent.parent / "docs" / "glossary.md"
# Of the glossary's tables those of terms; what is said instead of what is for those who write.
_COLUMNS = ["term", "symbol", "in the code", "on the page", "what"]
_CELL = re.compile(r"(?<!\\)\|")
# Of links to other pages of the documentation the text stays; one that stands alone in brackets
# is nothing but a reference.
_REFERENCE = re.compile(r"\s*\(\[[^\]]*\]\([^)]*\)\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_CODE = re.compile(r"`([^`]*)`")
_EMPHASIS = re.compile(r"\*([^*]+)\*")


@dataclass(frozen=True)
class Term:
    """A term of the glossary.

    Parameters
    ----------
    name, symbol : str
        What it is called, and its symbol or ''.
    section : str
        Under which heading it stands.
    on_page : str
        What the page calls it; '' where the page does not.
    what : str
        What it is, as HTML.
    """

    name: str
    symbol: str
    section: str
    on_page: str
    what: str


@cache
def terms() -> dict[str, Term]:
    """Return the terms by their names, in the glossary's order; none where there is no glossary."""
    try:
        return read(GLOSSARY.read_text(encoding="utf-8"))
    except OSError:
        return {}


def read(markdown: str) -> dict[str, Term]:
    """Return the terms of a glossary's text.

    >>> head = "| term | symbol | in the code | on the page | what |"
    >>> read(chr(10).join([head, "| code | z | `code` | Encode | of a *month* |"]))["code"]
    Term(name='code', symbol='z', section='', on_page='Encode', what='of a <em>month</em>')
    """
    made: dict[str, Term] = {}
    section, within = "", False
    for line in markdown.splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ").strip()
        cells = [cell.strip().replace("\\|", "|") for cell in _CELL.split(line)[1:-1]]
        if cells == _COLUMNS:
            within = True
        elif len(cells) != len(_COLUMNS):
            within = False
        elif within and not set(line) <= set("|-: "):
            name, symbol, _, on_page, what = cells
            made[name] = Term(name, _plain(symbol), section, _plain(on_page), _html(what))
    return made


def _plain(markdown: str) -> str:
    return _CODE.sub(r"\1", _LINK.sub(r"\1", _REFERENCE.sub("", markdown)))


def _html(markdown: str) -> str:
    text = _LINK.sub(r"\1", _REFERENCE.sub("", escape(markdown, quote=False)))
    return _EMPHASIS.sub(r"<em>\1</em>", _CODE.sub(r"<code>\1</code>", text))


def info(name: str) -> str:
    """Return the button that explains a term, as HTML; '' where the glossary lacks it.

    Its style sheet is ``info.css``; app/web/guide.js shows what it explains.
    """
    if name not in terms():
        return ""
    label = escape(f"What is: {name}?")
    return (
        f'<button type="button" class="info" data-term="{escape(name)}" aria-label="{label}" '
        f'title="{label}">i</button>'
    )


@cache
def words_html() -> str:
    """Return all terms as HTML, by section."""
    parts: list[str] = []
    section = ""
    for term in terms().values():
        if term.section != section:
            parts.append(f"{'</dl>' if section else ''}<h3>{escape(term.section)}</h3><dl>")
            section = term.section
        symbol = f" <i>{escape(term.symbol)}</i>" if term.symbol else ""
        seen = f"<small>On the page: {escape(term.on_page)}</small>" if term.on_page else ""
        parts.append(
            f'<div data-term="{escape(term.name)}"><dt>{escape(term.name)}{symbol}</dt>'
            f"<dd>{term.what}{seen}</dd></div>"
        )
    return "".join(parts) + ("</dl>" if section else "")
