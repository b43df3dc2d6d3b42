"""Results of an assimilation: analysis, steps and diagnostics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.cf import coordinates
from mlda_core.climate.errors import ExtraError, StateError
from mlda_core.climate.spelling import hyphenated

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from mlda_core.assimilation.shape import Shape
    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.float32]
_DIMS = ("time", "lat", "lon")
# Long names of an analysis' scalars in the file.
_NUMBERS: dict[str, str] = {
    "cost_prior": "prior term of the cost at the analysis",
    "cost_observations": "observation term of the cost at the analysis",
    "chi_squared": "chi-squared an observation from the background: about 1 if errors are right",
    "degrees_of_freedom": "degrees of freedom for signal",
    "n_used": "observations that were assimilated",
    "n_withheld": "observations that were withheld",
    "n_thinned": "observations that thinning left out",
    "converged": "1 where the minimisation converged",
    "skewness": "largest skewness of the posterior at an observation whose error is not normal",
    "n_modes": "most modes of the posterior at an observation whose error is not normal",
    "n_minima": "minima of the cost that were found",
}


@dataclass(frozen=True)
class Cost:
    """The terms of the cost J(z).

    Parameters
    ----------
    prior : float
        ``1/2 |z - z_b|^2`` in the metric of the prior.
    observations : float
        ``1/2 d^T S^-1 d``, d the departures y - H G(z).
    """

    prior: float
    observations: float

    @property
    def total(self) -> float:
        """Sum of both."""
        return self.prior + self.observations


@dataclass(frozen=True)
class Fit:
    """Diagnostics of the fit to the observations.

    Parameters
    ----------
    n_used, n_withheld, n_thinned : int
        Number of observations assimilated, withheld, and removed by thinning.
    chi_squared : float
        ``d^T (H B H^T + R)^-1 d`` divided by the number of observations, d the departures from the
        background: about 1 if prior and R describe the errors. NaN without observations.
    degrees_of_freedom : float
        For signal, tr(H K) (Rodgers 2000, equation 2.80): the number of independent quantities
        determined by the observations.
    seconds : float
        Computing time.
    """

    n_used: int
    n_withheld: int
    n_thinned: int
    chi_squared: float
    degrees_of_freedom: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Analysis:
    """An analysis. Anomalies are in display units, NaN where a variable does not exist.

    Parameters
    ----------
    method : str
        A key of ``METHODS``.
    month : int
        Calendar month 1..12.
    z : ndarray, shape (L,), optional
        The latent vector; None for methods without.
    anomalies : ndarray of float32, shape (V, lat, lon)
        The analysis.
    latent_only : ndarray of float32, shape (V, lat, lon)
        Its decoded part only; the analysis itself for methods without a latent vector.
    background : ndarray of float32, shape (V, lat, lon)
        The state before assimilation.
    standardised : ndarray of float32, shape (V, lat, lon)
        The analysis in standardised anomalies.
    cost : Cost
        Final cost.
    path : tuple of float
        Costs of the steps.
    converged : bool
    outcome : str
        Outcome of the minimisation, as text.
    observations : DataFrame
        The input table, with ``background_departure``, ``analysis_departure`` (display units),
        ``standardised_departure`` (leave-one-out) and ``used``; for a robust analysis also
        ``robust_weight``, by which the error variance was divided. Of what says an interval
        (a bound, a report) departures are distances to it, zero within.
    statistics : Fit
    sea_held : bool
        Whether the background is conditional on the observed sea.
    spread_of : callable
        Computes the spread on demand.
    bundle : Bundle
        The bundle used.
    notes : tuple of str
        Notes to the user from the check of the observations.
    dated : str
        The requested month ``YYYY-MM``; '' if a calendar month was given.
        The month ``YYYY-MM`` that was asked for; '' where a calendar month was.
    shape : Shape, optional
        How far the posterior is from a normal one; None where all errors are normal.
    """

    method: str
    month: int
    z: NDArray[np.float64] | None
    anomalies: Float
    latent_only: Float
    background: Float
    standardised: Float
    cost: Cost
    path: tuple[float, ...]
    converged: bool
    outcome: str
    observations: pd.DataFrame
    statistics: Fit
    sea_held: bool
    spread_of: Callable[[], tuple[Float, Float]]
    bundle: Bundle
    notes: tuple[str, ...] = ()
    dated: str = ""
    shape: Shape | None = None

    def __repr__(self) -> str:
        """Summarise the analysis in a few lines."""
        when = self.dated or self.bundle.seasons.name(self.month)
        return (
            f"<Analysis of {when} by {hyphenated(self.method)}, bundle {self.bundle.name};\n "
            f"{self.summary()}>"
        )

    def summary(self, n_refused: int = 0) -> str:
        """Summarise outcome and fit in one line.

        Parameters
        ----------
        n_refused : int
            Number of rejected rows of the month.
        """
        fit, cost = self.statistics, self.cost
        others = ((n_refused, "refused"), (fit.n_withheld, "withheld"), (fit.n_thinned, "thinned"))
        parts = [f"{fit.n_used} used", *(f"{n} {what}" for n, what in others if n)]
        line = f"{self.outcome}; {', '.join(parts)}"
        if np.isfinite(cost.total):
            line += f"; cost {cost.total:.1f} (prior {cost.prior:.1f})"
        # NaN for methods without a covariance.
        if np.isfinite(fit.chi_squared):
            line += (
                f", chi-squared {fit.chi_squared:.2f}, degrees of freedom for signal "
                f"{fit.degrees_of_freedom:.1f}"
            )
        return line

    def to_dataset(self, month: str | None = None) -> xr.Dataset:
        """Convert to a Dataset with CF names and units.

        Parameters
        ----------
        month : str, optional
            ``YYYY-MM``; by default the requested one.

        Returns
        -------
        Dataset
            Dimensions (time, lat, lon), one time, CF units. For each variable the full field by its
            name, and ``_anomaly``, ``_spread`` (posterior standard deviation), ``_background``
            (anomaly before assimilation) and, if the method has it, ``_latent`` (the decoded
            anomaly without residual analysis). ``z`` if the method has it; cost and statistics.

        Raises
        ------
        StateError
            If it is of a calendar month and none is given, or a different one is.
        """
        import xarray as xr

        month = _dated(month or self.dated, self.month, self.bundle)
        bundle = self.bundle
        out = xr.Dataset(
            coords=coordinates(bundle.grid, [month], bundle.seasons.step),
            attrs={"Conventions": "CF-1.11", "source": f"mlda bundle {bundle.name}"},
        )
        for name, (values, attrs) in self._fields().items():
            out[name] = (_DIMS, values[None].astype(np.float32), attrs)
        if self.z is not None:
            out["z"] = (
                ("time", "latent"),
                self.z[None],
                {"units": "1", "long_name": "latent vector"},
            )
            out = out.assign_coords(latent=np.arange(1, self.z.size + 1))
        fit = self.statistics
        numbers: dict[str, float | int] = {
            "cost_prior": self.cost.prior,
            "cost_observations": self.cost.observations,
            "chi_squared": fit.chi_squared,
            "degrees_of_freedom": fit.degrees_of_freedom,
            "n_used": fit.n_used,
            "n_withheld": fit.n_withheld,
            "n_thinned": fit.n_thinned,
            "converged": int(self.converged),
        }
        if self.shape is not None:
            size = self.shape.skewness
            numbers["skewness"] = float(size[np.abs(size).argmax()]) if size.size else 0.0
            numbers["n_modes"] = int(self.shape.modes.max(initial=1))
            numbers["n_minima"] = self.shape.n_minima
        for name, number in numbers.items():
            kind = np.float64 if isinstance(number, float) else np.int32
            about = {"units": "1", "long_name": _NUMBERS[name]}
            out[name] = ("time", np.array([number], kind), about)
        words = {"long_name": "what happened"}
        out["outcome"] = ("time", np.array([self.outcome], object), words)
        return out

    def _fields(self) -> dict[str, tuple[NDArray[Any], dict[str, str]]]:
        """Return the maps of :meth:`to_dataset`, (lat, lon), with their attributes."""
        bundle, spread = self.bundle, self.spread
        climatology = bundle.climatology(self.month)
        base = {"base_period": bundle.base_period}
        out: dict[str, tuple[NDArray[Any], dict[str, str]]] = {}
        for i, v in enumerate(bundle.variables):
            full = (self.anomalies[i] + climatology[i] - v.offset) / v.scale
            if v.non_negative:
                full = np.maximum(full, 0.0)
            maps: dict[str, tuple[NDArray[Any], dict[str, str]]] = {
                v.name: (
                    full,
                    {
                        "standard_name": v.standard_name,
                        "long_name": v.label,
                        "cell_methods": "time: mean",
                        "ancillary_variables": f"{v.name}_spread",
                    },
                ),
                f"{v.name}_anomaly": (
                    self.anomalies[i] / v.scale,
                    {"long_name": f"{v.label}, anomaly", "cell_methods": "time: mean", **base},
                ),
                f"{v.name}_spread": (
                    spread[i] / v.scale,
                    {
                        "standard_name": f"{v.standard_name} standard_error",
                        "long_name": f"{v.label}, posterior standard deviation",
                    },
                ),
                f"{v.name}_background": (
                    self.background[i] / v.scale,
                    {"long_name": f"{v.label}, anomaly before the observations", **base},
                ),
            }
            if self.z is not None:
                maps[f"{v.name}_latent"] = (
                    self.latent_only[i] / v.scale,
                    {"long_name": f"{v.label}, anomaly without residual analysis", **base},
                )
            out |= {name: (m, {"units": v.units, **attrs}) for name, (m, attrs) in maps.items()}
        return out

    @property
    def increment(self) -> Float:
        """Analysis minus background, display units, (V, lat, lon)."""
        return np.asarray(self.anomalies - self.background)

    @cached_property
    def _spreads(self) -> tuple[Float, Float]:
        return self.spread_of()

    @property
    def spread(self) -> Float:
        """Posterior standard deviation, display units, (V, lat, lon).

        In closed form at the minimum with the Jacobian at z = 0 (Laplace's approximation), its
        size by variable as the observations say, each left out in turn.
        """
        return self._spreads[0]

    @property
    def climatological_spread(self) -> Float:
        """Standard deviation of the training months, display units, (V, lat, lon)."""
        return self._spreads[1]

    def plot(self, *, target: bool = True, projection: str = "", backend: str = "bokeh") -> Any:
        """Draw it: observations, analysis, increment and spread, a row a variable.

        Parameters
        ----------
        target : bool
            Whether to draw the bundle's own fields of the month beside it, where it has them.
        projection : str
            One of ``mlda_core.plotting.PROJECTIONS``; by default what suits the grid.
        backend : {"bokeh", "matplotlib"}

        Returns
        -------
        holoviews.Layout
            Of ``mlda_core.plotting.plot_analysis``; ``mlda_core.plotting.save`` writes it.

        Raises
        ------
        ExtraError
            If the extra ``plot`` is not installed.
        """
        try:
            from mlda_core.plotting import plot_analysis
        except ImportError as error:
            raise ExtraError("A picture", "plot") from error
        return plot_analysis(self, target=target, projection=projection, backend=backend)


def _dated(time: str, season: int, bundle: Bundle) -> str:
    seasons = bundle.seasons
    words = seasons.name(season)
    if not time:
        raise StateError(
            f"The analysis is of {words} of no year; give one: to_dataset('{seasons.step.form}')."
        )
    if not seasons.holds(time) or seasons.of(time) != season:
        raise StateError(
            f"'{time[:24]}' is not what the analysis is of; give a {seasons.step.form} of {words}."
        )
    return time


@dataclass(frozen=True, eq=False)
class Step:
    """One step of a minimisation, for display.

    Parameters
    ----------
    index : int
        0 is the linear solution.
    z : ndarray, shape (L,), optional
    cost : Cost
    gradient_norm : float
        Norm of the gradient in the metric of the prior.
    words : str
        Progress, as text.
    fields_of : callable
        Computes the fields on demand.
    analysis : Analysis, optional
        At the last step.
    """

    index: int
    z: NDArray[np.float64] | None = field(repr=False)
    cost: Cost
    gradient_norm: float
    words: str
    fields_of: Callable[[], Float] = field(repr=False)
    analysis: Analysis | None = None

    @cached_property
    def fields(self) -> Float:
        """Anomalies at this step, display units, (V, lat, lon)."""
        return self.fields_of()
