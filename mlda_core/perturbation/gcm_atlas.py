"""The GCM's own sensitivities to the patches of the atlas, stored for comparison with the emulator.

No run of the GCM warms one patch alone; the sensitivities are regressed from runs whose sea has
patches at random places (:mod:`mlda_core.perturbation.greens_function`), by
:mod:`mlda_core.evaluation.gcm_atlas`, which writes the file that is read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import netCDF4
import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.assets import ASSETS
from mlda_core.climate.netcdf_lock import NETCDF
from mlda_core.climate.regions import REGIONS
from mlda_core.perturbation.gcm import GcmError
from mlda_core.perturbation.gfmip import ProtocolPatch, of_key
from mlda_core.perturbation.greens_function import correlation, resolution

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.perturbation.atlas import Atlas

Array = NDArray[np.float64]

ATLASES = ASSETS / "gcm_atlas"
# An atlas whose patches make less than this of the open sea is not made yet, or of a bundle whose
# sea is another: there is no correlation with it.
_ENOUGH = 0.9


@dataclass(frozen=True, eq=False)
class GcmAtlas:
    """Sensitivities of regional means to the sea in each patch, estimated from a GCM's runs.

    Parameters
    ----------
    patches : tuple of ProtocolPatch
        P of them.
    regions : tuple of str
        R keys of :data:`mlda_core.climate.regions.REGIONS`.
    sensitivity, standard_error : ndarray, shape (R, V, P)
        Display units per kelvin of the open sea's mean.
    ratio, halves : ndarray, shape (R, V)
        Prior's variance over the noise's, as in
        :class:`mlda_core.perturbation.greens_function.Estimate`, and the correlation of estimates
        from one member with those from the other.
    gram : ndarray, shape (P, P)
        Products of the predictors, from which the estimates' resolution follows.
    area : ndarray, shape (P,)
        Share of the open sea that each patch stands for.
    members, months : int
        How many members of how many months the runs have.
    """

    patches: tuple[ProtocolPatch, ...]
    regions: tuple[str, ...]
    sensitivity: Array
    standard_error: Array
    ratio: Array
    halves: Array
    gram: Array
    area: Array
    members: int
    months: int

    def values(self, region: str, patches: tuple[ProtocolPatch, ...]) -> Array:
        """Return the sensitivities of a region's means to patches, (P', V); NaN of others."""
        at = {patch.key: i for i, patch in enumerate(self.patches)}
        rows = np.array([at.get(patch.key, -1) for patch in patches], np.int64)
        values = self.sensitivity[self.regions.index(region)].T
        return np.where(rows[:, None] >= 0, values[rows], np.nan)

    def known(self, region: str) -> Array:
        """Return how many of the patches' sensitivities the runs determine, shape (V,)."""
        return np.array([np.trace(seen) for seen in self._resolutions(region)])

    @cached_property
    def _kept(self) -> dict[str, list[Array]]:
        """Resolutions by region: the page asks for them with every redraw."""
        return {}

    def _resolutions(self, region: str) -> list[Array]:
        if region not in self._kept:
            ratios = self.ratio[self.regions.index(region)]
            self._kept[region] = [resolution(self.gram, float(q)) for q in ratios]
        return self._kept[region]

    def correlation(self, atlas: Atlas, region: str) -> Array:
        """Return the pattern correlation with an emulator's atlas, at the estimates' resolution.

        Uncentred, weighted by the open sea. Patches that the atlas lacks, as those under ice in its
        months, count as the mean of the others.

        Parameters
        ----------
        atlas : Atlas
        region : str
            One of ``regions``.

        Returns
        -------
        ndarray, shape (V,)
            NaN where the atlas has too little of the open sea.
        """
        i = self.regions.index(region)
        ours = atlas.sensitivity(REGIONS[region])
        at = {patch.key: j for j, patch in enumerate(atlas.patches)}
        rows = np.array([at.get(patch.key, -1) for patch in self.patches])
        there = rows >= 0
        if self.area[there].sum() < _ENOUGH * self.area.sum():
            return np.full(ours.shape[1], np.nan)
        found = np.empty(ours.shape[1])
        for v, resolved in enumerate(self._resolutions(region)):
            mean = np.average(ours[rows[there], v], weights=self.area[there])
            whole = np.where(there, ours[rows, v], mean)
            found[v] = correlation(resolved @ whole, self.sensitivity[i, v], self.area)
        return found


def gcm_atlas(bundle: Bundle, folder: Path = ATLASES) -> GcmAtlas | None:
    """Return the packaged sensitivities of the GCM that a bundle emulates.

    Parameters
    ----------
    bundle : Bundle
    folder : Path
        Contains ``NAME.nc``, by the bundle's name.

    Returns
    -------
    GcmAtlas or None
        None if there is no file for this bundle, or it is of another climatology or other
        variables.

    Raises
    ------
    GcmError
        If the file is damaged.
    """
    path = folder / f"{bundle.name}.nc"
    if not path.is_file():
        return None
    try:
        with NETCDF, netCDF4.Dataset(path) as file:
            names = tuple(v.name for v in bundle.variables)
            same = (_climatology(bundle), names)
            if (file.getncattr("climatology"), tuple(file["variable"][:])) != same:
                return None
            return _read(file)
    except (OSError, LookupError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise GcmError(
            f"{path} cannot be read as sensitivities of the GCM; copy it again, or make it with "
            "'python benchmarks/atlas.py --write-sensitivities'."
        ) from error


def _climatology(bundle: Bundle) -> str:
    """Return the checksum of the bundle's climatology: of its training data, not of its network."""
    return str(bundle.config["checksums"]["normaliser.nc"])


def _read(file: netCDF4.Dataset) -> GcmAtlas:
    def numbers(name: str, *dimensions: str) -> Array:
        if file[name].dimensions != dimensions:
            raise ValueError(f"{name} has the dimensions {file[name].dimensions}")
        values = np.ma.filled(file[name][:].astype(np.float64), np.nan)
        return np.asarray(values, np.float64)

    target = ("region", "variable")
    regions = tuple(str(key) for key in file["region"][:])
    if not set(regions) <= set(REGIONS):
        raise ValueError(f"unknown regions among {regions}")
    return GcmAtlas(
        tuple(of_key(str(key)) for key in file["patch"][:]),
        regions,
        numbers("sensitivity", *target, "patch"),
        numbers("standard_error", *target, "patch"),
        numbers("ratio", *target),
        numbers("halves", *target),
        numbers("gram", "patch", "other"),
        numbers("area", "patch"),
        int(file.getncattr("members")),
        int(file.getncattr("months")),
    )


def write_gcm_atlas(
    made: GcmAtlas, bundle: Bundle, path: Path, about: Mapping[str, str] = {}
) -> None:
    """Write sensitivities for :func:`gcm_atlas`.

    Parameters
    ----------
    made : GcmAtlas
    bundle : Bundle
        That emulates the GCM.
    path : Path
        Replaced once complete.
    about : mapping
        Additional global attributes, such as provenance.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    target = ("region", "variable")
    units = "display units of the variable per kelvin of the open sea's mean"
    fields = {
        "sensitivity": ((*target, "patch"), made.sensitivity, units),
        "standard_error": ((*target, "patch"), made.standard_error, units),
        "ratio": (target, made.ratio, "prior's variance over the noise's"),
        "halves": (target, made.halves, "correlation of the members' own estimates"),
        "gram": (("patch", "other"), made.gram, "products of the predictors, kelvin squared"),
        "area": (("patch",), made.area, "share of the open sea"),
    }
    with NETCDF, netCDF4.Dataset(part, "w") as file:
        file.setncatts(
            {
                "title": f"Sensitivity of the GCM's means to patches of the sea: {bundle.title}",
                "source": str(bundle.config.get("source", "")),
                "licence": "CC0-1.0",
                "climatology": _climatology(bundle),
                "members": made.members,
                "months": made.months,
                **about,
            }
        )
        names = [v.name for v in bundle.variables]
        keys = [patch.key for patch in made.patches]
        for name, values in (("region", made.regions), ("variable", names), ("patch", keys)):
            file.createDimension(name, len(values))
            file.createVariable(name, str, (name,))[:] = np.array(values, object)
        file.createDimension("other", len(keys))
        for name, (dimensions, numbers, words) in fields.items():
            variable = file.createVariable(name, "f4", dimensions, compression="zlib")
            variable.long_name = words
            variable[:] = numbers
    part.replace(path)
