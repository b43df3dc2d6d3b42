"""The bundles that a visitor can choose: those that ship with the page, and the server's own.

A bundle is loaded at the first request for it, once per process, and shared by all sessions.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Container
from functools import lru_cache
from typing import TYPE_CHECKING

from mlda_core.bundle.bundle import load_bundle
from mlda_core.bundle.shipped import folder_of, link_of
from mlda_core.climate.errors import BundleError
from mlda_core.page_state.limits import limits_of
from mlda_core.page_state.settings import declared, options_of
from mlda_core.page_state.snapshot import View

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

# Bundles kept in memory, 0.1 to 0.6 GB each once they have been used.
KEPT = 4
_LOCK = threading.Lock()


def open_bundle(key: str = "") -> Bundle:
    """Load a bundle, once per process.

    Parameters
    ----------
    key : str
        Of an offer; the default one's by default.

    Raises
    ------
    mlda_core.bundle.bundle.BundleError
        If there is none of that name, or it is broken; the message is one sentence.
    """
    return _load(str(folder_of(key)))


def _load(path: str) -> Bundle:
    # Simultaneous requests wait for one load: a second object would have caches of its own.
    with _LOCK:
        return _read(path)


@lru_cache(maxsize=KEPT)
def _read(path: str) -> Bundle:
    from app.maps.color_scales import colours

    made = load_bundle(path)
    for variable in made.variables:
        for name in (variable.anomaly_cmap, variable.field_cmap):
            try:
                colours(name)
            except ValueError as error:
                raise BundleError(
                    f"{path} asks for the colour map '{name[:40]}' for {variable.name}, which "
                    "neither Bokeh nor colorcet has; write another into its config.json."
                ) from error
    return made


def short_title(title: str) -> str:
    """Return the part of a title before its first colon or comma.

    >>> short_title("SPEEDY aloft: 500 hPa height and 850 hPa winds, 1979-2013")
    'SPEEDY aloft'
    """
    return re.split(r"[:,;(]", title, maxsplit=1)[0].strip() or title


def taken_along(query: dict[str, str], bundle: Bundle, key: str) -> dict[str, str]:
    """Return the parts of a link that stay when the bundle changes.

    Parameters
    ----------
    query : dict
        Parts of the present state's link.
    bundle : Bundle
        Where to.
    key : str
        What a link calls it.

    Returns
    -------
    dict
        Parts of a link: the settings of the page, and the month if that bundle has it; of a
        bundle of days the month's first, and from one the day's month.
    """
    options = limits_of(bundle, link_of(key)).options
    if month := query.get("month", ""):
        alike = (m for m in options["month"] if m.startswith(month) or month.startswith(m))
        query = query | {"month": next(alike, "")}
    allowed: dict[str, Container[str]] = {
        name: options.get(name) or options_of(View, name) for name in travelling()
    }
    kept = {name: query[name] for name, values in allowed.items() if query.get(name) in values}
    return {"bundle": key} | kept


def travelling() -> tuple[str, ...]:
    """Return the settings that stay when the bundle changes."""
    return tuple(name for name, p in declared(View).items() if p.metadata["travels"])
