"""What is shown as netCDF files: those that the command line writes, and what the page adds."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core import __version__
from mlda_core.assimilation import netcdf as analyses
from mlda_core.bundle.datasets import add_fields, dataset_of
from mlda_core.climate.cf import EAST, NORTH
from mlda_core.climate.netcdf_lock import NETCDF
from mlda_core.perturbation import netcdf as responses

if TYPE_CHECKING:
    from mlda_core.assimilation.adjoint import Sensitivity
    from mlda_core.assimilation.analysis import Analysis
    from mlda_core.assimilation.posterior.ensemble import Ensemble
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.perturbation.gcm import GcmResponse
    from mlda_core.perturbation.response import Response
    from mlda_core.perturbation.sst_patches import Patch

Float = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Added:
    """Fields that the page shows beside those of a file.

    Parameters
    ----------
    ending : str
        Of the names of its variables, such as ``influence``.
    words : str
        What they are, after a variable's label.
    fields : ndarray, shape (V, lat, lon)
        Display units.
    units : tuple of str
        Of each variable; the bundle's own by default, into which the values are then converted.
    """

    ending: str
    words: str
    fields: Float
    units: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class About:
    """What a file says of where it is from.

    Parameters
    ----------
    month : str
        ``YYYY-MM``, or ``YYYY-MM-DD`` of a bundle of days.
    link : str
        The page's state, as the query of a link.
    settings : mapping
        What the fields depend on, JSON-serialisable.
    """

    month: str
    link: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def attributes(self, bundle: Bundle) -> dict[str, str]:
        """Return them as the global attributes of a file."""
        return {
            **analyses.provenance(bundle, self.settings),
            "mlda_version": __version__,
            "month": self.month,
            "link": f"?{self.link}",
            "comment": (
                f"Anomalies are from the {bundle.seasons.step.adjective} climatology of the "
                f"bundle's base period ({bundle.base_period})."
            ),
        }


def state_file(
    bundle: Bundle,
    about: About,
    anomalies: Float,
    z: NDArray[np.floating],
    words: str,
    added: Sequence[Added] = (),
) -> bytes:
    """Return a state of the model beside the target, and its latent vector.

    Parameters
    ----------
    bundle : Bundle
    about : About
    anomalies : ndarray, shape (V, lat, lon)
        The state, display units.
    z : ndarray, shape (L,)
    words : str
        What the state is.
    added : sequence of Added
    """
    data = _of_state(bundle, about.month, anomalies, words)
    _add_target(data, bundle, about.month)
    data["z"] = ("time", "latent"), z[None], {"units": "1", "long_name": "latent vector"}
    data = data.assign_coords(latent=np.arange(1, z.size + 1))
    _add(data, bundle, added)
    title = f"{words[:1].upper()}{words[1:]}, of {bundle.title}"
    return _written(data, about.attributes(bundle) | {"title": title})


def analysis_file(
    about: About,
    analysis: Analysis,
    ensemble: Ensemble | None = None,
    added: Sequence[Added] = (),
) -> bytes:
    """Return an analysis as ``mlda assimilate`` writes it, with target and increment.

    Parameters
    ----------
    about : About
        Its settings are keyword arguments of ``Assimilator.run``.
    analysis : Analysis
        Its observations go into the group of that name.
    ensemble : Ensemble, optional
        Of the same analysis: its members are written too.
    added : sequence of Added
    """
    bundle = analysis.bundle
    data = analysis.to_dataset(about.month) if ensemble is None else ensemble.to_dataset()
    _add_target(data, bundle, about.month)
    add_fields(
        data,
        "increment",
        analysis.increment,
        bundle.variables,
        "analysis minus background",
    )
    _add(data, bundle, added)
    comment = analyses.provenance(bundle, about.settings)["comment"]
    attributes = about.attributes(bundle) | {"comment": comment}
    if ensemble is not None:
        attributes["sampler"] = ensemble.sampler
    plan = {about.month: len(analysis.observations)}

    def write(path: Path) -> None:
        with analyses.writing(path, attributes, plan) as file:
            file.add(data, analysis.observations)

    return _bytes(write)


def response_file(
    about: About,
    response: Response,
    patches: Sequence[Patch],
    *,
    per_kelvin: bool = False,
    all_fields: Float | None = None,
    sensitivity: tuple[Sensitivity, str] | None = None,
    added: Sequence[Added] = (),
) -> bytes:
    """Return a response as ``mlda perturb`` writes it.

    Parameters
    ----------
    about : About
        Its settings have ``held``, ``method`` and ``per_kelvin``.
    response : Response
    patches : sequence of Patch
        The change of the sea.
    per_kelvin : bool
        Whether to divide the response by the mean change.
    all_fields : ndarray, shape (V, lat, lon), optional
        The month's analysis from all fields, display units.
    sensitivity : tuple of (Sensitivity, str), optional
        What is shown of one, and of what it is in words.
    added : sequence of Added
    """
    bundle = response.bundle
    data = response.to_dataset(per_kelvin=per_kelvin)
    if all_fields is not None:
        add_fields(
            data,
            "all_fields",
            all_fields,
            bundle.variables,
            "anomaly of the analysis from all fields",
            base_period=bundle.base_period,
        )
    if sensitivity is not None:
        made, words = sensitivity
        attrs = {"units": f"{made.units} K-1", "long_name": words}
        values = made.smooth.astype(np.float32)
        data["sensitivity"] = ("time", "lat", "lon"), values[None], attrs
    _add(data, bundle, added)
    mine = about.attributes(bundle)
    attributes = mine | responses.provenance(bundle, patches, about.settings)

    def write(path: Path) -> None:
        with responses.writing(path, [about.month], attributes) as add:
            add(data)

    return _bytes(write)


def gcm_file(bundle: Bundle, about: About, response: GcmResponse) -> bytes:
    """Return the GCM's mean response to an experiment and the emulator's, without a time.

    Parameters
    ----------
    bundle : Bundle
    about : About
    response : GcmResponse
    """
    grid = bundle.grid
    axes = {"lat": ("lat", grid.lat, dict(NORTH)), "lon": ("lon", grid.lon, dict(EAST))}
    data = xr.Dataset(coords=axes)
    kinds = {
        "gcm": "mean response of the GCM's own runs",
        "standard_error": "standard error of the GCM's mean response",
        "emulated": "mean response of the emulator",
    }
    for i, v in enumerate(bundle.variables):
        for kind, words in kinds.items():
            values = np.asarray(getattr(response, kind)[i] / v.scale, np.float32)
            attrs = {"units": v.units, "long_name": f"{v.label}, {words}"}
            data[f"{v.name}_{kind}"] = ("lat", "lon"), values, attrs
    change = {"units": "K", "long_name": "change of sea surface temperature"}
    data["sst_change"] = ("lat", "lon"), response.sst_change, change
    attributes = about.attributes(bundle) | {
        "title": f"Response to {response.label}: the GCM's and that of {bundle.title}",
        "month": f"mean of {len(response.months)} months of the split {response.split}",
        "months": " ".join(response.months),
    }
    return _written(data, attributes)


def cycle_file(
    bundle: Bundle,
    about: About,
    background: Float,
    analysis: Float,
    spread: Float | None = None,
    title: str = "",
) -> bytes:
    """Return a day of a cycle: truth, background, analysis, increment and spread.

    Parameters
    ----------
    bundle : Bundle
    about : About
    background, analysis : ndarray, shape (V, lat, lon)
        Anomalies in display units, as they are shown.
    spread : ndarray, shape (V, lat, lon), optional
        Standard deviation of the analysis, display units.
    title : str
        Of the file.
    """
    data = _of_state(bundle, about.month, analysis, "analysis")
    base, variables = {"base_period": bundle.base_period}, bundle.variables
    before = "anomaly before the observations"
    add_fields(data, "background", background, variables, before, **base)
    add_fields(data, "increment", analysis - background, variables, "analysis minus background")
    if spread is not None:
        said = "standard deviation of the analysis"
        add_fields(data, "spread", spread, variables, said, standard_name="standard_error")
    _add_target(data, bundle, about.month, "anomaly of the truth")
    return _written(data, about.attributes(bundle) | {"title": title})


def _of_state(bundle: Bundle, month: str, anomalies: Float, words: str) -> xr.Dataset:
    """Return a state as full fields by the variables' names, and as anomalies."""
    full = anomalies + bundle.climatology(bundle.seasons.of(month))
    for i, variable in enumerate(bundle.variables):
        if variable.non_negative:
            full[i] = np.maximum(full[i], 0.0)
    data = dataset_of(
        full[None],
        [month],
        bundle.variables,
        bundle.grid,
        source=f"mlda bundle {bundle.name}",
        step=bundle.seasons.step,
    )
    add_fields(
        data,
        "anomaly",
        anomalies,
        bundle.variables,
        f"anomaly of the {words}",
        base_period=bundle.base_period,
    )
    return data


def _add_target(
    data: xr.Dataset, bundle: Bundle, month: str, words: str = "anomaly of the target"
) -> None:
    if month in bundle.months:
        base = {"base_period": bundle.base_period}
        add_fields(data, "target", bundle.target(month), bundle.variables, words, **base)


def _add(data: xr.Dataset, bundle: Bundle, added: Sequence[Added]) -> None:
    for one in added:
        add_fields(data, one.ending, one.fields, bundle.variables, one.words, units=one.units)


def _written(data: xr.Dataset, attributes: Mapping[str, str]) -> bytes:
    """Return a dataset as the bytes of a netCDF file."""
    data.attrs = dict(attributes)
    packed: dict[str, Any] = {
        str(name): {"zlib": True, "shuffle": True, "_FillValue": np.float32(np.nan)}
        for name, values in data.data_vars.items()
        if values.ndim >= 2 and values.dtype == np.float32
    }
    return _bytes(lambda path: data.to_netcdf(path, engine="netcdf4", encoding=packed))


def _bytes(write: Callable[[Path], Any]) -> bytes:
    """Return what is written to a file: HDF5 has no other way that netCDF4 offers for groups."""
    with NETCDF, tempfile.TemporaryDirectory(prefix="mlda-") as folder:
        path = Path(folder) / "data.nc"
        write(path)
        return path.read_bytes()
