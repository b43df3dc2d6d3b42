"""Where data lie: files, folders of files, Zarr stores, and addresses of servers."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import xarray as xr

from mlda_core.sources import SourceError

SUFFIXES = (".nc", ".nc4", ".netcdf", ".cdf", ".h5")
_ADDRESS = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_SERVED = ("http", "https", "dods")  # OPeNDAP, by the netCDF library itself
# What fsspec needs for stores that are not on this machine; xarray and zarr ask for it by name.
_BY_SCHEME = {"http": "aiohttp", "https": "aiohttp", "gs": "gcsfs", "gcs": "gcsfs", "s3": "s3fs"}
_STORE_FILES = (".zgroup", ".zmetadata", "zarr.json")


@dataclass(frozen=True)
class Address:
    """The address of a dataset on a server: OPeNDAP, or a Zarr store.

    Parameters
    ----------
    url : str
        With its scheme, such as ``https://``.
    """

    url: str

    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        """Its last part, as that of a file."""
        return self.url.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2]

    @property
    def scheme(self) -> str:
        """Its scheme, lower case."""
        return self.url.partition("://")[0].lower()


Place = Path | Address


def place_of(text: str | Path | Address) -> Place:
    """Return what a user's words name: a file or folder, or an address."""
    if isinstance(text, Path | Address):
        return text
    return Address(text) if _ADDRESS.match(text) else Path(text)


def is_store(place: Place) -> bool:
    """Whether a place is a Zarr store."""
    if isinstance(place, Address):
        return place.name.lower().endswith(".zarr") or place.scheme not in _SERVED
    return place.is_dir() and (
        place.suffix.lower() == ".zarr" or any((place / name).is_file() for name in _STORE_FILES)
    )


def list_inputs(paths: Sequence[str | Path | Address]) -> list[Place]:
    """Return the netCDF files and Zarr stores of folders, files and addresses given.

    Hidden files, such as the ``._`` companions that macOS leaves on foreign disks, are left out of
    folders.

    Raises
    ------
    SourceError
        If one is not there, or a folder holds none.
    """
    found: list[Place] = []
    for place in map(place_of, paths):
        if isinstance(place, Address) or is_store(place) or place.is_file():
            found.append(place)
        elif place.is_dir():
            inside = [p for p in sorted(place.iterdir()) if _is_data(p)]
            if not inside:
                raise SourceError(
                    f"{place} holds no {SUFFIXES[0]} file; give the folder with the downloads."
                )
            found += inside
        else:
            raise SourceError(f"There is no file or folder {place}; give the downloaded files.")
    return found


def _is_data(path: Path) -> bool:
    if path.name.startswith("."):
        return False
    return is_store(path) or (path.is_file() and path.suffix.lower() in SUFFIXES)


def open_served(place: Place) -> xr.Dataset:
    """Open a Zarr store, or an address by OPeNDAP, without decoding anything.

    Parameters
    ----------
    place : Place

    Raises
    ------
    SourceError
        If it cannot be opened, or a package that it needs is not installed.
    """
    store = is_store(place)
    if store:
        _refuse_without("zarr", place, "pip install 'mlda-climate[scale]'")
        if isinstance(place, Address):
            needed = _BY_SCHEME.get(place.scheme)
            if needed is None:
                raise SourceError(
                    f"{place} has the scheme '{place.scheme}', and https, gs and s3 are read; give "
                    "another address, or download the data."
                )
            for module in ("fsspec", needed):
                _refuse_without(module, place, f"pip install {module}")
    try:
        with warnings.catch_warnings():
            # Stores without consolidated metadata: read all the same.
            warnings.simplefilter("ignore", RuntimeWarning)
            return xr.open_dataset(
                str(place), engine="zarr" if store else "netcdf4", decode_cf=False
            )
    except Exception as error:
        # Every transport has errors of its own.
        said = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        kind = "a Zarr store" if store else "OPeNDAP"
        remedy = (
            "check the address and the network, or download the data"
            if isinstance(place, Address)
            else "copy it again"
        )
        raise SourceError(f"{place} cannot be read as {kind} ({said[:200]}); {remedy}.") from error


def _refuse_without(module: str, place: Place, remedy: str) -> None:
    if find_spec(module) is None:
        raise SourceError(f"{place} is a Zarr store, which needs {module}; {remedy}.")
