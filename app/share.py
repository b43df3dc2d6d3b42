"""The link to what is shown, for others: its text, its QR code, and who can open it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import segno

from mlda_core.page_state.settings import InvalidStateError

# Of the code, with 117 modules a side: of a larger one a phone reads the modules no longer from
# some rows back.
LARGEST_VERSION = 25
# An address is far shorter; what is longer is none of the page's.
LONGEST_PAGE = 500
_HERE = ("localhost", "127.0.0.1", "::1")


def shared(page: Any, query: str) -> dict[str, Any]:
    """Return the message that lets the browser show a link and its QR code.

    Parameters
    ----------
    page : object
        The address of the page by which the visitor came, as the browser sent it.
    query : str
        The state as a URL's query.

    Raises
    ------
    InvalidStateError
        If the address is none of a page.
    """
    link = f"{_checked(page)}?{query}"
    code = segno.make(link, error="l", micro=False) if len(link) < 2000 else None
    drawn, words = "", []
    if code is not None and int(code.version) <= LARGEST_VERSION:
        # Dark on light in both themes: not every phone reads the other way round.
        drawn = code.svg_data_uri(border=4, omitsize=True, dark="#000", light="#fff")
    else:
        words.append("The link is too long for a QR code: save the state as a file to pass it on.")
    if urlsplit(link).hostname in _HERE:
        words.append(
            "Only this computer can open it. For others start the server with 'make serve "
            "HOST=0.0.0.0', and open the page by this computer's name."
        )
    return {"type": "link", "link": link, "code": drawn, "words": " ".join(words)}


def _checked(page: Any) -> str:
    """Return the address of a page, if it is one."""
    try:
        parts = urlsplit(page) if isinstance(page, str) and len(page) <= LONGEST_PAGE else None
        good = parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good or "?" in page or "#" in page:
        raise InvalidStateError("The page sent no address of its own to share; reload it.")
    return str(page)
