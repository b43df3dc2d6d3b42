"""Regression of every variable on the sea's leading principal components.

A statistical baseline for a model driven by SST alone; von Storch and Zwiers 1999,
https://doi.org/10.1017/CBO9780511612336, chapter 14.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlda_core.assimilation.method import Array, Engine, Float, Method
from mlda_core.climate.errors import StateError

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.assimilation.analysis import Step
    from mlda_core.assimilation.options import Setting
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.climate.interpolation import ObservationOperator, Places
    from mlda_core.observations.standardised import Observed

COMPONENTS = 25


@dataclass(frozen=True, eq=False)
class SeaRegression:
    """Principal components of SST, and the regression of all variables on them.

    Parameters
    ----------
    sea : ndarray of float32, shape (Q, cells)
        SST patterns of components of unit variance, zero for other variables.
    all_fields : ndarray of float32, shape (Q, cells)
        Regression patterns of all variables on the components.
    sea_left, left : ndarray of float32, shape (cells,)
        Residual variance, of SST and of every variable.
    """

    sea: Float
    all_fields: Float
    sea_left: Float
    left: Float

    def estimate(
        self, observed: Observed, operator: ObservationOperator, shape: tuple[int, ...]
    ) -> tuple[Float, Float]:
        """Estimate the components from observed SST, and the state from the components.

        Returns
        -------
        x, sd : ndarray of float32, shapes (cells,) and (V, lat, lon)
        """
        at = operator.apply(observed.places, self.sea.reshape(-1, *shape)).T
        left = operator.apply(observed.places, self.sea_left.reshape(shape))
        weight = 1.0 / (observed.variance + left)
        inverse = np.linalg.inv(np.eye(at.shape[1]) + (at * weight[:, None]).T @ at)
        components = inverse @ (at.T @ (weight * observed.value))
        x = components.astype(np.float32) @ self.all_fields
        return x, np.sqrt(self.left).reshape(shape)


def fit_regression(bundle: Bundle, count: int = COMPONENTS) -> SeaRegression:
    """Regress past months on the leading principal components of their SST.

    Parameters
    ----------
    bundle : Bundle
        With statistics and a sea.
    count : int
        Number of components; 25 was best of 15, 25 and 40 for validation pressure and rain.

    Returns
    -------
    SeaRegression
    """
    from mlda_core.vae.seasonal import fit_patterns

    statistics = bundle.statistics
    size = bundle.grid.weights.size
    cells = slice(bundle.sea_row * size, (bundle.sea_row + 1) * size)
    coefficients = statistics.coefficients
    of_sea = statistics.patterns[:, cells]
    weights = bundle.normaliser.weights[bundle.sea_row].ravel()
    fields = coefficients @ of_sea
    most = min(count, len(fields) - 1, int((weights > 0).sum()) - 1)
    patterns, _, variances, found = fit_patterns(fields, weights, most, seed=0)
    components = found / np.sqrt(variances).astype(np.float32)
    slopes = np.linalg.lstsq(components, coefficients, rcond=None)[0]
    sea = np.zeros((len(variances), statistics.patterns.shape[1]), np.float32)
    sea[:, cells] = patterns * np.sqrt(variances)[:, None]
    sea_left = np.zeros(sea.shape[1], np.float32)
    sea_left[cells] = ((fields - components @ sea[:, cells]) ** 2).mean(axis=0)
    left = coefficients - components @ slopes
    gram = left.T @ left / len(left)
    values, vectors = np.linalg.eigh(gram)
    root = (vectors * np.sqrt(np.clip(values, 0, None))).T
    variance = ((root @ statistics.patterns) ** 2).sum(axis=0) + statistics.leftover
    return SeaRegression(
        sea,
        np.asarray(slopes @ statistics.patterns, np.float32),
        sea_left,
        np.asarray(variance, np.float32),
    )


class Regression(Method):
    """Linear regression of the state on observed SST."""

    responds = True

    def steps(
        self, engine: Engine, table: pd.DataFrame, month: int, setting: Setting
    ) -> Iterator[Step]:
        """Estimate from the SST observations only."""
        from mlda_core.assimilation.physical_units import anomalies
        from mlda_core.assimilation.unmodelled import Estimate, step_of
        from mlda_core.observations.standardised import standardise

        bundle = engine.bundle
        began = time.perf_counter()
        every = standardise(table, bundle, month, error_scale=setting.error_scale)
        used = ~table["withheld"].to_numpy(bool) & (every.places.variable == bundle.sea_row)
        model = self._model(bundle, engine)
        if not used.any():
            raise StateError(
                "The regression uses the sea's temperature alone; observe it, or choose another "
                "method."
            )
        x, sd = model.estimate(every.where(used), bundle.operator, bundle.mask.shape)
        estimate = Estimate(self.key, began, x, sd, "solved in closed form", used)
        yield step_of(estimate, bundle, table, every, month, anomalies(bundle, x, month, sd))

    def states(
        self,
        engine: Engine,
        places: Places,
        variance: Array,
        values: Array,
        month: int,
        setting: Setting,
    ) -> tuple[Float, Float]:
        """Estimate months one by one; all have the same SST network."""
        from mlda_core.observations.standardised import Observed

        del month, setting
        bundle = engine.bundle
        model = self._model(bundle, engine)
        at_sea = np.flatnonzero(places.variable == bundle.sea_row)
        found = [
            model.estimate(
                Observed(places.where(at_sea), row[at_sea], variance[at_sea]),
                bundle.operator,
                bundle.mask.shape,
            )
            for row in values
        ]
        return np.stack([f[0] for f in found]).reshape(-1, *bundle.mask.shape), found[0][1]

    def _model(self, bundle: Bundle, engine: Engine) -> SeaRegression:
        if bundle.sea_row < 0:
            raise StateError("This bundle has no sea to regress on; choose another method.")
        return engine.kept(self.key, lambda: fit_regression(bundle))


METHODS = (
    Regression(
        "regression",
        "Regression",
        "Sea surface temperature's principal components to everything",
        "von Storch and Zwiers 1999, https://doi.org/10.1017/CBO9780511612336, chapter 14",
        rank=40,
        needs_sea=True,
        scored_in=("assimilation", "response", "learning_curve"),
    ),
)
