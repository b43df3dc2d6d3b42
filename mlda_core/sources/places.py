"""Locations of data: files, folders of files, Zarr stores, and server addresses."""

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
_SERVED = ("http", "https", "dods")  # OPeNDAP, read by the netCDF library itself
# Packages that fsspec needs for remote stores; they are imported by name in xarray and zarr.
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
        """Last part of the path, as the name of a file."""
        return self.url.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2]

    @property
    def scheme(self) -> str:
        """Its scheme, lower case."""
        return self.url.partition("://")[0].lower()


Place = Path | Address


def place_of(text: str | Path | Address) -> Place:
    """Return the file, folder or address that a text denotes."""
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
    """Return the netCDF files and Zarr stores among folders, files and addresses.

    Hidden files in folders are skipped, such as the ``._`` companions that macOS writes on foreign
    disks.

    Raises
    ------
    SourceError
        If one does not exist, or a folder holds none.
    """
    inputs: list[Place] = []
    for place in map(place_of, paths):
        if isinstance(place, Address) or is_store(place) or place.is_file():
            inputs.append(place)
        elif place.is_dir():
            inside = [p for p in sorted(place.iterdir()) if _is_data(p)]
            if not inside:
                raise SourceError(
                    f"{place} holds no {SUFFIXES[0]} file; give the folder with the downloads."
                )
            inputs += inside
        else:
            raise SourceError(f"There is no file or folder {place}; give the downloaded files.")
    return inputs


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
        If it cannot be opened, or a required package is not installed.
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
            # Stores without consolidated metadata are read as well.
            warnings.simplefilter("ignore", RuntimeWarning)
            return xr.open_dataset(
                str(place), engine="zarr" if store else "netcdf4", decode_cf=False
            )
    except Exception as error:
        # Each transport raises its own exception types.
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        kind = "a Zarr store" if store else "OPeNDAP"
        remedy = (
            "check the address and the network, or download the data"
            if isinstance(place, Address)
            else "copy it again"
        )
        raise SourceError(
            f"{place} cannot be read as {kind} ({reason[:200]}); {remedy}."
        ) from error


def _refuse_without(module: str, place: Place, remedy: str) -> None:
    if find_spec(module) is None:
        raise SourceError(f"{place} is a Zarr store, which needs {module}; {remedy}.")
