"""Response of one month to an SST change."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.methods import spelled
from mlda_core.climate.cf import coordinates
from mlda_core.climate.errors import ExtraError
from mlda_core.climate.regions import REGIONS, regional_mean
from mlda_core.perturbation.sst_patches import PerturbationError

if TYPE_CHECKING:
    import xarray as xr

    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.float32]
Array = NDArray[np.float64]
_DIMS = ("time", "lat", "lon")


@dataclass(frozen=True)
class Held:
    """Constrained variables: what is observed in both analyses.

    Parameters
    ----------
    label : str
        Display name.
    question : str
        The question that the setting answers, one sentence.
    """

    label: str
    question: str


HELD: dict[str, Held] = {
    "sst_only": Held(
        "SST only",
        "What does the sea alone do? Only the sea is observed, as for an atmosphere model that is "
        "run under it (AMIP), so the atmosphere is free to answer.",
    ),
    "sst_and_pressure": Held(
        "SST and pressure",
        "What would this month's weather have been over another sea? The pressure, and so the "
        "circulation, is held as it was.",
    ),
    "outside": Held(
        "SST and all outside the region",
        "What happens inside the region if the rest of the world stays as it was? Every variable "
        "is held outside it, and the sea everywhere.",
    ),
}
# Least mean change by which a response is divided.
LEAST_KELVIN = 0.05


@dataclass(frozen=True, eq=False)
class Response:
    """Response of one month to an SST change. Display units, NaN where a variable is absent.

    Parameters
    ----------
    month : str
        ``YYYY-MM``.
    held : str
        A key of :data:`HELD`.
    change : ndarray, shape (lat, lon)
        Of SST, kelvin; zero over land and under ice.
    control, perturbed : ndarray of float32, shape (V, lat, lon)
        Anomalies of the analysis without and with the change.
    anomalies : ndarray of float32, shape (V, lat, lon)
        Their difference, the response: exactly zero if the change is zero everywhere.
    extrapolated_fraction : float
        Extrapolated fraction of the changed area, 0..1: where the changed SST is outside the
        range of the bundle's months of that season.
    method : str
        Of both analyses.
    bundle : Bundle
        The bundle used.
    """

    month: str
    held: str
    change: Array
    control: Float
    perturbed: Float
    anomalies: Float
    extrapolated_fraction: float
    method: str
    bundle: Bundle
    _spread_of: Callable[[], Float]

    def __repr__(self) -> str:
        """Summarise change and response in a few lines."""
        size = np.abs(self.change).max()
        greatest = float(self.change.flat[np.abs(self.change).argmax()])
        means = np.atleast_1d(regional_mean(self.anomalies, self.bundle.grid, REGIONS["globe"]))
        listed = ", ".join(
            f"{v.name} {mean:+.{v.decimals + 1}f} {v.anomaly_units}"
            for v, mean in zip(self.bundle.variables, means, strict=True)
        )
        sea = f"the sea changed by up to {greatest:+.2f} K" if size > 0 else "the sea as it was"
        return (
            f"<Response of {self.month} to {sea}, by {spelled(self.method)}, bundle "
            f"{self.bundle.name};\n held: {HELD[self.held].label}; "
            f"{100 * self.extrapolated_fraction:.0f} % of the changed sea is beyond any that the "
            f"model knows;\n global means: {listed}>"
        )

    @cached_property
    def spread(self) -> Float:
        """Posterior standard deviation of one month with this network, (V, lat, lon)."""
        return np.asarray(self._spread_of(), np.float32)

    @property
    def mean_change(self) -> float:
        """Area mean of the change where it exceeds half of its maximum, kelvin."""
        sea = self.bundle.mask[self.bundle.sea_row]
        full = most_changed(self.change) * self.bundle.grid.weights * sea
        return float((full * self.change).sum() / full.sum()) if full.sum() > 0 else 0.0

    def per_kelvin(self) -> Float:
        """Return the response per kelvin, divided by :attr:`mean_change`.

        Returns
        -------
        ndarray of float32, shape (V, lat, lon)
            Zero if nothing is changed; NaN if the change is below :data:`LEAST_KELVIN`
            everywhere, so that the response is noise.

        Raises
        ------
        PerturbationError
            If changes of both signs cancel, so that the divisor is meaningless.
        """
        size = np.abs(self.change).max()
        if size == 0:
            return self.anomalies
        if size < LEAST_KELVIN:
            return np.full_like(self.anomalies, np.nan)
        if abs(self.mean_change) < 0.1 * size:
            raise PerturbationError(
                "The changes of the sea are of both signs and cancel, so a response per kelvin has "
                "no meaning; look at the response itself, or leave one out."
            )
        return np.asarray(self.anomalies / np.float32(self.mean_change))

    def plot(self, *, projection: str = "", backend: str = "bokeh") -> Any:
        """Draw the analysis without the change, with it, and the response, a row a variable.

        Parameters
        ----------
        projection : str
            One of ``mlda_core.plotting.PROJECTIONS``; by default what suits the grid.
        backend : {"bokeh", "matplotlib"}

        Returns
        -------
        holoviews.Layout
            Of ``mlda_core.plotting.plot_response``; ``mlda_core.plotting.save`` writes it.

        Raises
        ------
        ExtraError
            If the extra ``plot`` is not installed.
        """
        try:
            from mlda_core.plotting import plot_response
        except ImportError as error:
            raise ExtraError("A picture", "plot") from error
        return plot_response(self, projection=projection, backend=backend)

    def to_dataset(self, *, per_kelvin: bool = False) -> xr.Dataset:
        """Convert to a Dataset with CF names and units.

        Parameters
        ----------
        per_kelvin : bool
            Whether to divide the response by the mean SST change.

        Returns
        -------
        Dataset
            Dimensions (time, lat, lon), one time, CF units. For each variable ``_response``,
            ``_control`` and ``_perturbed`` (anomalies of the two analyses) and ``_spread``
            (posterior standard deviation of a single month); ``sst_change``; ``mean_sst_change``,
            averaged over the most changed cells.

        Raises
        ------
        PerturbationError
            If a response per kelvin is meaningless.
        """
        import xarray as xr

        bundle = self.bundle
        out = xr.Dataset(
            coords=coordinates(bundle.grid, [self.month]),
            attrs={"Conventions": "CF-1.11", "source": f"mlda bundle {bundle.name}"},
        )
        answer = self.per_kelvin() if per_kelvin else self.anomalies
        base = {"base_period": bundle.base_period}
        for i, v in enumerate(bundle.variables):
            units = f"{v.units} K-1" if per_kelvin else v.units
            each = " per kelvin" if per_kelvin else ""
            for name, field, unit, words, more in (
                ("response", answer, units, f"response to the change of the sea{each}", {}),
                ("control", self.control, v.units, "anomaly of the analysis without it", base),
                ("perturbed", self.perturbed, v.units, "anomaly of the analysis with it", base),
                ("spread", self.spread, v.units, "posterior standard deviation of a month", {}),
            ):
                attrs = {"units": unit, "long_name": f"{v.label}, {words}", **more}
                # CF: a difference does not have the variable's own standard name.
                if name == "spread":
                    attrs["standard_name"] = f"{v.standard_name} standard_error"
                values = np.asarray(field[i] / v.scale, np.float32)
                out[f"{v.name}_{name}"] = (_DIMS, values[None], attrs)
        sea = bundle.mask[bundle.sea_row]
        change = np.where(sea, self.change, np.nan).astype(np.float32)
        words = "change of sea surface temperature"
        out["sst_change"] = (_DIMS, change[None], {"units": "K", "long_name": words})
        out["mean_sst_change"] = (
            "time",
            np.array([self.mean_change]),
            {
                "units": "K",
                "long_name": f"{words}, area mean where it is more than half of its most",
            },
        )
        return out


def most_changed(change: Array) -> NDArray[np.bool_]:
    """Return where a change exceeds half of its maximum.

    Parameters
    ----------
    change : ndarray, shape (lat, lon)
        Kelvin.

    Returns
    -------
    ndarray of bool, shape (lat, lon)
    """
    size = np.abs(change)
    return np.asarray(size > 0.5 * size.max())
