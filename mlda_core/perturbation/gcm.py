"""The GCM's response to SST changes, stored with a bundle for comparison with the emulator.

The GCM was run twice over the same months, under observed and under perturbed SST; the difference
is its response. :mod:`mlda_core.evaluation.gcm_response` compares it with ``A(y + d) - A(y)``, and
writes the file that is read here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import netCDF4
import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.assets import ASSETS
from mlda_core.climate.errors import UserError
from mlda_core.climate.netcdf_lock import NETCDF

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.float32]
RESPONSES = ASSETS / "gcm_response"


class Experiment(NamedTuple):
    """One of the GCM's experiments.

    Parameters
    ----------
    label : str
        Display name.
    patch : str
        The same change for :meth:`mlda_core.perturbation.sst_patches.Patch.parse`.
    """

    label: str
    patch: str


EXPERIMENTS: dict[str, Experiment] = {
    "plus1": Experiment("+1 K everywhere", "globe:+1K"),
    "nino34_plus2": Experiment("Niño 3.4 +2 K", "nino34:+2K"),
}
# Fields of each variable in the file, with their long names.
_KINDS = {
    "gcm": "mean response of the GCM's own runs",
    "standard_error": "standard error of the GCM's mean response, from its members",
    "emulated": "mean response of the emulator, A(y + d) - A(y)",
}
_FILL = np.int16(-32768)


class GcmError(UserError):
    """GCM runs or responses cannot be used; the message is one sentence with the remedy."""


@dataclass(frozen=True, eq=False)
class GcmResponse:
    """The response to one experiment, averaged over months and members.

    Arrays are in display units (hPa, K, mm/day), NaN where a variable does not exist.

    Parameters
    ----------
    experiment : str
        A key of :data:`EXPERIMENTS`.
    split : str
        Of the months: ``test`` in the packaged files.
    months : tuple of str
        ``YYYY-MM``, ascending, over which all fields are averaged.
    members : int
        Of the perturbed runs.
    sst_change : ndarray of float32, shape (lat, lon)
        Kelvin; NaN over land.
    gcm, standard_error, emulated : ndarray of float32, shape (V, lat, lon)
        The GCM's mean response, its standard error, and the emulator's mean response.
    """

    experiment: str
    split: str
    months: tuple[str, ...]
    members: int
    sst_change: Float
    gcm: Float
    standard_error: Float
    emulated: Float

    @property
    def label(self) -> str:
        """Display name."""
        return EXPERIMENTS[self.experiment].label

    @property
    def patch(self) -> str:
        """The same SST change, for ``Patch.parse``."""
        return EXPERIMENTS[self.experiment].patch


def fingerprint(bundle: Bundle) -> str:
    """Return a fingerprint that identifies the bundle's current version.

    Parameters
    ----------
    bundle : Bundle

    Returns
    -------
    str
        SHA-256 of the checksums of its files and of its tuned parameters.
    """
    made_by = [bundle.config["checksums"], bundle.config.get("assimilation", {})]
    return hashlib.sha256(json.dumps(made_by, sort_keys=True).encode()).hexdigest()


def gcm_responses(bundle: Bundle, folder: Path = RESPONSES) -> dict[str, GcmResponse]:
    """Return the packaged mean responses of the GCM and the emulator for a bundle.

    Parameters
    ----------
    bundle : Bundle
    folder : Path
        Contains ``NAME.nc``, by the bundle's name.

    Returns
    -------
    dict
        By experiment, a key of :data:`EXPERIMENTS`; empty if there is no file for this bundle,
        or it is of another version.

    Raises
    ------
    GcmError
        If the file is damaged.
    """
    path = folder / f"{bundle.name}.nc"
    if not path.is_file():
        return {}
    try:
        with NETCDF, netCDF4.Dataset(path) as file:
            if file.getncattr("fingerprint") != fingerprint(bundle):
                return {}
            found = _read(file, bundle)
    except (OSError, LookupError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        raise GcmError(
            f"{path} cannot be read as responses of the GCM; copy it again, or make it with "
            "'mlda validate --perturbation --write-responses'."
        ) from error
    return found


def _read(file: netCDF4.Dataset, bundle: Bundle) -> dict[str, GcmResponse]:
    names = [v.name for v in bundle.variables]
    n, shape = len(EXPERIMENTS), bundle.grid.shape

    def field(name: str) -> Float:
        values = np.ma.filled(file[name][:].astype(np.float32), np.nan)
        if values.shape != (n, *shape):
            raise ValueError(f"{name} has the shape {values.shape}")
        return np.asarray(values, np.float32)

    by_kind = {k: np.stack([field(f"{v}_{k}") for v in names], axis=1) for k in _KINDS}
    change = field("sst_change")
    split, months = file.getncattr("split"), tuple(json.loads(file.getncattr("months")))
    members = json.loads(file.getncattr("members"))
    held = list(file["experiment"][:])
    return {
        name: GcmResponse(
            name,
            split,
            months,
            int(members[name]),
            change[held.index(name)],
            **{k: values[held.index(name)] for k, values in by_kind.items()},
        )
        for name in EXPERIMENTS
    }


def write_responses(
    responses: Sequence[GcmResponse], bundle: Bundle, path: Path, about: Mapping[str, str] = {}
) -> None:
    """Write responses for :func:`gcm_responses`, packed into 16 bits.

    Parameters
    ----------
    responses : sequence of GcmResponse
        One for each experiment, over the same months.
    bundle : Bundle
        The bundle scored.
    path : Path
        Replaced once complete.
    about : mapping
        Additional global attributes, such as provenance.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    first = responses[0]
    grid = bundle.grid
    with netCDF4.Dataset(part, "w") as file:
        file.setncatts(
            {
                "Conventions": "CF-1.11",
                "title": f"Response to a warmer sea: the GCM's and that of {bundle.title}",
                "source": f"bundle {bundle.name}; {bundle.config.get('source', '')}",
                "licence": "CC0-1.0",
                "bundle": bundle.name,
                "fingerprint": fingerprint(bundle),
                "split": first.split,
                "months": json.dumps(first.months),
                "members": json.dumps({r.experiment: r.members for r in responses}),
                **about,
            }
        )
        file.createDimension("experiment", len(responses))
        file.createVariable("experiment", str, ("experiment",))[:] = np.array(
            [r.experiment for r in responses], object
        )
        for name, values, standard, units in (
            ("lat", grid.lat, "latitude", "degrees_north"),
            ("lon", grid.lon, "longitude", "degrees_east"),
        ):
            file.createDimension(name, values.size)
            axis = file.createVariable(name, "f8", (name,))
            axis.setncatts({"standard_name": standard, "units": units})
            axis[:] = values
        _pack(
            file,
            "sst_change",
            np.stack([r.sst_change for r in responses]),
            {"units": "K", "long_name": "change of sea surface temperature"},
        )
        for i, variable in enumerate(bundle.variables):
            for kind, words in _KINDS.items():
                values = np.stack([getattr(r, kind)[i] for r in responses])
                units = variable.anomaly_units.replace("mm/day", "mm day-1")
                attrs = {"units": units, "long_name": f"{variable.label}: {words}"}
                _pack(file, f"{variable.name}_{kind}", values, attrs)
    part.replace(path)


def _pack(
    file: netCDF4.Dataset, name: str, values: NDArray[np.floating], attrs: dict[str, Any]
) -> None:
    """Write a field (experiment, lat, lon) in steps of a 65,000th of its symmetric range."""
    packed = file.createVariable(
        name, "i2", ("experiment", "lat", "lon"), compression="zlib", fill_value=_FILL
    )
    largest = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    packed.setncatts({**attrs, "scale_factor": largest / 32_700})
    packed[:] = np.ma.masked_array(np.nan_to_num(values), ~np.isfinite(values))
