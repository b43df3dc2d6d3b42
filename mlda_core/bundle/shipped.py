"""Bundles by name: those that ship with the project, and one of your own."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import netCDF4

from mlda_core.climate.errors import BundleError
from mlda_core.climate.netcdf_lock import NETCDF

# In a checkout; a wheel holds the library alone, and there is none.
SHIPPED = Path(__file__).resolve().parents[2] / "assets" / "bundles"
DEFAULT = "speedy"


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
    tuple of BundleInfo
        Folders whose configuration cannot be read are left out.
    """
    found: dict[str, BundleInfo] = {}
    for path in sorted(SHIPPED.glob("*/config.json")):
        made = _offer(path.parent.name, path.parent)
        if made is not None:
            found[made.key] = made
    own_path = own_folder() if own is None else Path(own)
    if own_path is not None and own_path not in [offer.path for offer in found.values()]:
        key = own_path.name if own_path.name not in found else f"{own_path.name}-own"
        made = _offer(key, own_path)
        if made is not None:
            found[key] = made
    return tuple(found.values())


def default_key() -> str:
    """Return the key of the bundle that is shown where none is asked for."""
    own = own_folder()
    if own is None:
        return DEFAULT
    return next((offer.key for offer in offers() if offer.path == own), own.name)


def folder_of(key: str = "") -> Path:
    """Return the folder of a bundle.

    Parameters
    ----------
    key : str
        What a link calls it; the default one's by default.

    Raises
    ------
    BundleError
        If there is none of that name.
    """
    if not key or key == default_key():
        return own_folder() or SHIPPED / DEFAULT
    known = {offer.key: offer for offer in offers()}
    if key not in known:
        raise BundleError(
            f"There is no bundle '{key[:40]}' here; choose one of {', '.join(sorted(known))}."
        )
    return known[key].path


def located(path: str | Path) -> Path:
    """Return a folder as it is given, or that of the bundle of this name where there is none."""
    given = Path(path)
    if len(given.parts) != 1 or given.exists():
        return given
    known = {offer.key: offer.path for offer in offers()}
    return known.get(given.name, given)


def own_folder() -> Path | None:
    """Return the folder that ``MLDA_BUNDLE`` names."""
    given = os.environ.get("MLDA_BUNDLE")
    return Path(given).resolve() if given else None


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
    with (
        contextlib.suppress(OSError, LookupError),
        NETCDF,
        netCDF4.Dataset(path / "months.nc") as opened,
    ):
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


def link_of(key: str) -> str:
    """Return a bundle's name in links; '' for the bundle that is shown by default."""
    return "" if key == DEFAULT == default_key() else key
