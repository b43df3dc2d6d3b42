"""The bundles that a visitor can choose: those that ship with the page, and the server's own.

A bundle is loaded at the first request for it, once per process, and shared by all sessions.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
from collections.abc import Container
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import netCDF4
import numpy as np

from app.maps.projections import choices_of
from mlda_core.bundle.bundle import load_bundle
from mlda_core.bundle.files import CYCLING_FILE
from mlda_core.climate.errors import BundleError
from mlda_core.page_state.settings import declared, options_of
from mlda_core.page_state.snapshot import FIRST_MONTH, TOOLS, Limits, View

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

SHIPPED = Path(__file__).resolve().parent.parent / "assets" / "bundles"
DEFAULT = "speedy"
# Bundles kept in memory, 0.1 to 0.6 GB each once they have been used.
KEPT = 4
_LOCK = threading.Lock()


@dataclass(frozen=True)
class BundleInfo:
    """A bundle that can be chosen.

    Parameters
    ----------
    key : str
        What a link calls it: its folder's name.
    path : Path
        The folder.
    name, title : str
        Its own, from its configuration.
    years : str
        The first and the last year of its months; '' where they cannot be read.
    variables : tuple of str
        Labels.
    """

    key: str
    path: Path
    name: str
    title: str
    years: str
    variables: tuple[str, ...]

    @property
    def words(self) -> str:
        """What the bundle holds, in a line; the years only where its title says nothing of them."""
        years = self.years if self.years[-4:] not in self.title else ""
        return ", ".join(part for part in (years, *self.variables) if part)


def offers(own: str | None = None) -> tuple[BundleInfo, ...]:
    """Return the bundles that can be chosen, in the order of their keys.

    Parameters
    ----------
    own : str, optional
        Folder of one more; that of ``MLDA_BUNDLE`` by default.

    Returns
    -------
    tuple of Offer
        Folders whose configuration cannot be read are left out.
    """
    found: dict[str, BundleInfo] = {}
    for path in sorted(SHIPPED.glob("*/config.json")):
        made = _offer(path.parent.name, path.parent)
        if made is not None:
            found[made.key] = made
    own_path = _own() if own is None else Path(own)
    if own_path is not None and own_path not in [offer.path for offer in found.values()]:
        key = own_path.name if own_path.name not in found else f"{own_path.name}-own"
        made = _offer(key, own_path)
        if made is not None:
            found[key] = made
    return tuple(found.values())


def default_key() -> str:
    """Return the key of the bundle that is shown where none is asked for."""
    own = _own()
    if own is None:
        return DEFAULT
    return next((offer.key for offer in offers() if offer.path == own), own.name)


def asked_for(query: str) -> str:
    """Return the key of the bundle that a URL's query asks for; '' where it asks for none."""
    try:
        given = parse_qs(query.lstrip("?"), keep_blank_values=True, max_num_fields=50)
    except ValueError:
        return ""
    return given.get("bundle", [""])[-1]


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
    if not key or key == default_key():
        return _load(str(_own() or SHIPPED / DEFAULT))
    known = {offer.key: offer for offer in offers()}
    if key not in known:
        raise BundleError(
            f"There is no bundle '{key[:40]}' here; choose one of {', '.join(sorted(known))}."
        )
    return _load(str(known[key].path))


def _own() -> Path | None:
    """Return the folder that ``MLDA_BUNDLE`` names."""
    given = os.environ.get("MLDA_BUNDLE")
    return Path(given).resolve() if given else None


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


def _offer(key: str, path: Path) -> BundleInfo | None:
    try:
        return _described(key, path, (path / "config.json").stat().st_mtime_ns)
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None


@lru_cache(maxsize=64)
def _described(key: str, path: Path, _: int) -> BundleInfo:
    config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    years = ""
    # Without its months it is broken; the page that opens it reports that.
    with contextlib.suppress(OSError, LookupError), netCDF4.Dataset(path / "months.nc") as opened:
        months = opened.variables["month"]
        first, last = (str(months[i])[:4] for i in (0, -1))
        years = first if first == last else f"{first}\N{EN DASH}{last}"
    return BundleInfo(
        key=key,
        path=path,
        name=str(config["name"]),
        title=str(config["title"]),
        years=years,
        variables=tuple(str(variable["label"]) for variable in config["variables"]),
    )


def short_title(title: str) -> str:
    """Return the part of a title before its first colon or comma.

    >>> short_title("SPEEDY aloft: 500 hPa height and 850 hPa winds, 1979-2013")
    'SPEEDY aloft'
    """
    return re.split(r"[:,;(]", title, maxsplit=1)[0].strip() or title


@lru_cache(maxsize=KEPT)
def limits_of(bundle: Bundle, link: str = "") -> Limits:
    """Return the limits that a bundle sets to a state.

    Parameters
    ----------
    bundle : Bundle
        Only read.
    link : str
        What a link calls it; '' where links need not say it.
    """
    ready = bundle.has_statistics
    sea = any(variable.domain == "sea" for variable in bundle.variables)
    there = {"observe": ready, "perturb": ready and sea, "cycle": can_cycle(bundle)}
    tools = tuple(tool for tool in TOOLS if there.get(tool, True))
    return Limits(
        bundle.name,
        bundle.months,
        bundle.n_latent,
        link=link,
        first=first_month(bundle),
        projections=_projections(bundle),
        tools=tools,
        model="analysis" if ready else "code",
        impacts=bundle.impacts,
    )


def can_cycle(bundle: Any) -> bool:
    """Whether a bundle ships what a cycle needs: a forecast, its errors, VALIDATION and TEST days.

    Climatology is of VALIDATION days, so only TEST days are cycled.
    """
    if "grid" not in getattr(bundle, "config", {}).get("forecasts", {}):
        return False
    if not (bundle.path / CYCLING_FILE).exists():
        return False
    return {"validation", "test"} <= {bundle.split(month) for month in bundle.months}


def _projections(bundle: Bundle) -> tuple[str, ...]:
    """Return the keys of a bundle's projections, the one that a visitor sees first in front.

    The map centred on the Pacific cuts Europe and Africa. A bundle with an impact head is about a
    place on land, so it begins with the Atlantic; others begin with the Pacific and El Nino.
    """
    keys = [choice.key for choice in choices_of(bundle.grid)]
    if bundle.impacts and keys[0] == "robinson":
        keys.sort(key=lambda key: key != "atlantic")
    return tuple(keys)


def first_month(bundle: Any) -> str:
    """Return the month that a visitor sees first.

    That of ``first_month`` in the bundle's configuration, if it has one; December 1997, the peak of
    an El Nino, if that is a test month; else the test month furthest from the usual among those
    that lack least.
    """
    said = getattr(bundle, "config", {}).get("first_month", "")
    if said in bundle.months:
        return str(said)
    test = [month for month in bundle.months if bundle.split(month) == "test"]
    if FIRST_MONTH in test or not test:
        return FIRST_MONTH
    there, size = np.array([_extent(bundle, month) for month in test]).T
    fullest = there >= 0.98 * there.max()
    return test[int(np.argmax(np.where(fullest, size, -1.0)))]


def _extent(bundle: Any, month: str) -> tuple[float, float]:
    """Return how many values a month has, by area, and their mean square, standardised."""
    x = np.asarray(bundle.target_standardised(month), dtype=np.float64)
    weight = np.isfinite(x) * bundle.grid.weights
    total = weight.sum()
    return float(total), float((weight * np.nan_to_num(x) ** 2).sum() / total) if total else 0.0


def link_of(key: str) -> str:
    """Return a bundle's name in links; '' for the bundle that is shown by default."""
    return "" if key == DEFAULT == default_key() else key


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
