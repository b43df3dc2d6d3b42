"""An atlas of responses: every patch of the GFMIP protocol in turn, and what follows from them.

Each patch warms the sea by itself, and its response is A(y + d) - A(y) as of any change. Divided by
how much each patch warms the mean of the sea, the responses of a mean are comparable between
patches of any size, and are a Green's function: the mean's response to any small change of the sea
is the area mean, over the open sea, of the change times this sensitivity (Zhou, Zelinka and Klein
2017, https://doi.org/10.1002/2017MS001096; normalised so that a value does not depend on the area
of patch or cell, as in Bloch-Johnson et al. 2024, https://doi.org/10.1029/2023MS003700).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.regional_series import by_season
from mlda_core.climate.cf import EAST, NORTH
from mlda_core.climate.regions import Region, regional_mean
from mlda_core.perturbation.gcm import fingerprint
from mlda_core.perturbation.gfmip import (
    AMPLITUDE,
    LEAST_WEIGHT,
    ProtocolPatch,
    patches_at_sea,
)
from mlda_core.perturbation.response import HELD
from mlda_core.perturbation.sst_patches import PerturbationError, open_water

if TYPE_CHECKING:
    import xarray as xr

    from mlda_core.bundle.bundle import Bundle
    from mlda_core.perturbation.responder import Responder

Float = NDArray[np.float32]
Array = NDArray[np.float64]

MOST_AMPLITUDE, LEAST_AMPLITUDE = 5.0, 0.25
# Cells where all patches together weigh less than this have no value on a map.
_LEAST_COVER = 0.05
# Patches that change the open sea's mean by less than this, of what the most effective one does,
# tell nothing per kelvin of it: in December 1997 the patch of 80N 180E, .013 of it, has 72 hPa.
_LEAST_CHANGE = 0.05


@dataclass(frozen=True, eq=False)
class Atlas:
    """Responses to patches, means over months.

    Parameters
    ----------
    months : tuple of str
        ``YYYY-MM`` each.
    kelvin : float
        Amplitude of all patches.
    held : str
        A key of :data:`mlda_core.perturbation.response.HELD`.
    method : str
        Of the analyses.
    patches : tuple of ProtocolPatch
        P of them.
    change : ndarray of float32, shape (P, lat, lon)
        Of SST, kelvin; zero over land and under ice.
    response : ndarray of float32, shape (P, V, lat, lon)
        Display units; NaN where a variable does not exist.
    open_sea : ndarray, shape (lat, lon)
        Mean fraction of each cell that is open sea.
    bundle : Bundle
    """

    months: tuple[str, ...]
    kelvin: float
    held: str
    method: str
    patches: tuple[ProtocolPatch, ...]
    change: Float
    response: Float
    open_sea: Array
    bundle: Bundle

    def __repr__(self) -> str:
        """Summarise in two lines."""
        return (
            f"<Atlas of {len(self.patches)} patches of {self.kelvin:+g} K, mean of "
            f"{len(self.months)} months, bundle {self.bundle.name};\n held: "
            f"{HELD[self.held].label}>"
        )

    @cached_property
    def mean_change(self) -> Array:
        """Change of the open sea's mean by each patch, kelvin, shape (P,)."""
        area = self.bundle.grid.weights * (self.open_sea > 0)
        whole = float((self.bundle.grid.weights * self.open_sea).sum())
        return np.asarray((self.change * area).sum(axis=(1, 2)) / whole, np.float64)

    @property
    def telling(self) -> NDArray[np.bool_]:
        """Which patches change enough of the open sea for a sensitivity, shape (P,)."""
        size = np.abs(self.mean_change)
        return np.asarray(size >= _LEAST_CHANGE * size.max())

    @cached_property
    def shares(self) -> Array:
        """What part of a cell's change each patch stands for, (P, lat, lon); NaN where none."""
        shape = np.abs(self.change).astype(np.float64)
        cover = shape.sum(axis=0)
        bare = cover < _LEAST_COVER * abs(self.kelvin) * np.maximum(self.open_sea, 1e-3)
        bare |= self.open_sea <= 0
        return np.asarray(np.where(bare, np.nan, shape / np.where(bare, 1.0, cover)))

    def sensitivity(self, region: Region) -> Array:
        """Return the sensitivity of regional means to each patch.

        Parameters
        ----------
        region : Region

        Returns
        -------
        ndarray, shape (P, V)
            Display units per kelvin of the open sea's mean; NaN of a variable that does not exist
            there.
        """
        means = np.asarray(regional_mean(self.response, self.bundle.grid, region), np.float64)
        return means / self.mean_change[:, None]

    def told(self, region: Region) -> Array:
        """Return the :meth:`sensitivity`, (P, V), NaN for patches that are not :attr:`telling`."""
        return np.where(self.telling[:, None], self.sensitivity(region), np.nan)

    def spread_out(self, values: Array) -> Array:
        """Return a map of values of patches: at each cell their mean, weighted by the patches.

        Parameters
        ----------
        values : ndarray, shape (P,) or (P, V)
            NaN of patches that are left out.

        Returns
        -------
        ndarray, shape (lat, lon) or (V, lat, lon)
            NaN where no patch changes the sea, or those left out make more than half of the change.
        """
        known = np.isfinite(values)
        total = np.tensordot(np.where(known, values, 0.0).T, self.shares, axes=(-1, 0))
        cover = np.tensordot(known.T.astype(np.float64), self.shares, axes=(-1, 0))
        return np.asarray(total / np.where(cover >= 0.5, cover, np.nan))

    def maps(self, region: Region) -> Float:
        """Return the sensitivity of regional means to the sea in each cell.

        Parameters
        ----------
        region : Region
            Of the means.

        Returns
        -------
        ndarray of float32, shape (V, lat, lon)
            Display units per kelvin of the open sea's mean.
        """
        return self.spread_out(self.sensitivity(region)).astype(np.float32)

    def reconstruct(self, change: NDArray[np.floating]) -> Float:
        """Return what the patches together say of another change, as if responses added up.

        Parameters
        ----------
        change : ndarray, shape (lat, lon)
            Kelvin; counts where the patches change the sea.

        Returns
        -------
        ndarray of float32, shape (V, lat, lon)
            Display units.
        """
        area = self.bundle.grid.weights * (self.open_sea > 0)
        given = np.nan_to_num(change) * area
        own = (self.change * area).sum(axis=(1, 2), dtype=np.float64)
        amount = (np.nan_to_num(self.shares) * given).sum(axis=(1, 2)) / own
        return np.tensordot(amount, self.response, axes=(0, 0)).astype(np.float32)

    def to_dataset(self, regions: Mapping[str, Region] | None = None) -> xr.Dataset:
        """Convert to a Dataset with CF names and units, per kelvin.

        Parameters
        ----------
        regions : mapping of str to Region, optional
            Whose means' sensitivities are added, by the name that they have in the file.

        Returns
        -------
        Dataset
            Dimensions (patch, lat, lon). For each variable ``_response``, per kelvin at the
            patch's centre, and for each region ``_sensitivity_REGION`` (patch) and
            ``_sensitivity_map_REGION`` (lat, lon), per kelvin of the open sea's mean.
        """
        import xarray as xr

        bundle, grid = self.bundle, self.bundle.grid
        out = xr.Dataset(
            coords={
                "patch": ("patch", [p.key for p in self.patches], {"long_name": "patch"}),
                "lat": ("lat", grid.lat, NORTH),
                "lon": ("lon", grid.lon, EAST),
            },
            attrs={"Conventions": "CF-1.11", "source": f"mlda bundle {bundle.name}"},
        )
        for name, words, attrs in (
            ("lat", "latitude of a patch's centre", NORTH),
            ("lon", "longitude of a patch's centre", EAST),
        ):
            values = [getattr(p, name) for p in self.patches]
            out.coords[f"patch_{name}"] = ("patch", values, {**attrs, "long_name": words})
            half = [getattr(p, f"half_{name}") for p in self.patches]
            out[f"half_width_{name}"] = (
                "patch",
                half,
                {"units": "degrees", "long_name": f"half width in {attrs['standard_name']}"},
            )
        out["sst_change"] = (
            ("patch", "lat", "lon"),
            np.where(bundle.mask[bundle.sea_row], self.change, np.nan).astype(np.float32),
            {"units": "K", "long_name": "change of sea surface temperature"},
        )
        out["mean_sst_change"] = (
            "patch",
            self.mean_change,
            {"units": "K", "long_name": "change of the mean over the open sea"},
        )
        for i, v in enumerate(bundle.variables):
            out[f"{v.name}_response"] = (
                ("patch", "lat", "lon"),
                np.asarray(self.response[:, i] / (v.scale * self.kelvin), np.float32),
                {
                    "units": f"{v.units} K-1",
                    "long_name": f"{v.label}, response per kelvin at the patch's centre",
                },
            )
        for name, region in (regions or {}).items():
            sensitivity = self.sensitivity(region)
            fields = self.spread_out(sensitivity)
            for i, v in enumerate(bundle.variables):
                words = (
                    f"{v.label}, mean over {region.short}: sensitivity to one kelvin of the open "
                    "sea's mean, the sea warmed here"
                )
                attrs = {"units": f"{v.units} K-1", "long_name": words}
                scaled = sensitivity[:, i] / v.scale, (fields[i] / v.scale).astype(np.float32)
                out[f"{v.name}_sensitivity_{name}"] = ("patch", scaled[0], attrs)
                out[f"{v.name}_sensitivity_map_{name}"] = (("lat", "lon"), scaled[1], attrs)
        return out


class AtlasRun:
    """Makes an atlas patch by patch.

    Parameters
    ----------
    responder : Responder
    months : sequence of str
        ``YYYY-MM`` of the bundle, at least one.
    kelvin : float
        Amplitude of the patches.
    held : str
        A key of :data:`mlda_core.perturbation.response.HELD`.
    region : Region, optional
        Outside of which ``outside`` constrains; needed for it, for all patches share one network.
    method : str
        Of the analyses.

    Raises
    ------
    PerturbationError
        If there is no month, the amplitude is not possible, or the constraint or method is not.
    StateError
        If a month is not in the bundle.
    """

    def __init__(
        self,
        responder: Responder,
        months: Sequence[str],
        *,
        kelvin: float = AMPLITUDE,
        held: str = "sst_only",
        region: Region | None = None,
        method: str = "vae",
    ) -> None:
        if not months:
            raise PerturbationError("An atlas needs a month; give at least one.")
        if not LEAST_AMPLITUDE <= abs(kelvin) <= MOST_AMPLITUDE:
            raise PerturbationError(
                f"Patches of {kelvin:g} K are not within {LEAST_AMPLITUDE:g} to "
                f"{MOST_AMPLITUDE:g} K either way; the protocol has {AMPLITUDE:g}."
            )
        self._method = responder.check_method(method, held).key
        if held == "outside" and region is None:
            raise PerturbationError(
                "With everything held outside the patches, each patch has a network of its own; "
                "for an atlas hold all outside one region, or sst_only."
            )
        self._responder, self.bundle = responder, responder.bundle
        self._kelvin, self._held = float(kelvin), held
        self._inside = responder.inside([], held, region)
        self.months = by_season(tuple(dict.fromkeys(months)))
        bundle = self.bundle
        self._open = {month: open_water(bundle, month) for month in self.months}
        self._open_sea = np.mean(list(self._open.values()), axis=0)
        self.patches = patches_at_sea(bundle.grid, np.max(list(self._open.values()), axis=0))
        count, shape = len(self.patches), bundle.grid.shape
        self._shapes = np.stack([p.patch(1.0).weights(bundle.grid) for p in self.patches])
        self._change = np.zeros((count, *shape), np.float32)
        self._response = np.zeros((count, *bundle.mask.shape), np.float32)
        self._count = np.zeros(count, np.int64)
        self._stepping = threading.Lock()

    @property
    def total(self) -> int:
        """How many responses there are to compute."""
        return len(self.months) * len(self.patches)

    @property
    def done(self) -> int:
        """How many are computed."""
        return int(self._count.sum())

    def steps(self) -> Iterator[int]:
        """Compute what is not done yet; closing the generator cancels.

        Yields
        ------
        int
            How many responses are done, after each.
        """
        # One that is cancelled in another thread first ends the patch that it is at.
        with self._stepping:
            for at in range(self.done, self.total):
                which, i = divmod(at, len(self.patches))
                self._add(self.months[which], i)
                yield self.done

    def _add(self, month: str, i: int) -> None:
        """Add the response of a month to a patch."""
        shape, free = self._shapes[i], self._open[month]
        field = np.where(self.bundle.mask, np.float32(0.0), np.float32(np.nan))
        # Under ice in this month of several a patch changes nothing.
        if (shape * free).max() >= LEAST_WEIGHT:
            change = self._kelvin * shape * free
            field = self._responder.respond_to(
                month, change, self._held, inside=self._inside, method=self._method
            ).anomalies
            self._change[i] += change
        self._response[i] += field
        self._count[i] += 1

    def save(self, path: Path) -> None:
        """Write what is done, for :meth:`resume`.

        Parameters
        ----------
        path : Path
            Replaced as a whole.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(path.name + ".new")
        with new.open("wb") as file:
            np.savez(
                file,
                asked=np.array(self._asked),
                change=self._change,
                response=self._response,
                count=self._count,
            )
        new.replace(path)

    def resume(self, path: Path) -> bool:
        """Go on from what :meth:`save` wrote of the same atlas.

        Parameters
        ----------
        path : Path

        Returns
        -------
        bool
            Whether there was such a file.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                if str(file["asked"]) != self._asked:
                    return False
                kept = [file[name] for name in ("change", "response", "count")]
        except (OSError, LookupError, ValueError, EOFError, BadZipFile):
            return False
        self._change, self._response, self._count = kept
        return True

    @property
    def _asked(self) -> str:
        """What the atlas depends on, as text."""
        inside = None if self._inside is None else np.packbits(self._inside).tobytes().hex()
        asked = [fingerprint(self.bundle), self.months, self._kelvin, self._held, self._method]
        return json.dumps([*asked, inside, [patch.key for patch in self.patches]])

    def atlas(self) -> Atlas:
        """Return the atlas of the patches that are done in any month.

        Raises
        ------
        PerturbationError
            If none is.
        """
        rows = np.flatnonzero(self._count)
        # A patch that is under ice in all months so far has nothing to divide by.
        rows = rows[np.abs(self._change[rows]).max(axis=(1, 2)) > 0]
        if not rows.size:
            raise PerturbationError("No patch of the atlas is done yet; wait for the first.")
        count = self._count[rows].astype(np.float32)[:, None, None]
        return Atlas(
            tuple(sorted(self.months)),
            self._kelvin,
            self._held,
            self._method,
            tuple(self.patches[i] for i in rows),
            self._change[rows] / count,
            self._response[rows] / count[..., None],
            self._open_sea,
            self.bundle,
        )


def settings_of(atlas: Atlas) -> dict[str, Any]:
    """Return what an atlas was made with, JSON-serialisable."""
    return {
        "protocol": "GFMIP",
        "months": list(atlas.months),
        "amplitude": atlas.kelvin,
        "held": atlas.held,
        "method": atlas.method,
    }
