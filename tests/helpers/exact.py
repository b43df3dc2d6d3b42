"""Observations of small bundles, and their covariances built the long way round."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.covariance import LEFTOVER_HALF_WIDTH_KM
from mlda_core.assimilation.localisation import gaspari_cohn, great_circle
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.posterior.innovation_scale import scale_of
from mlda_core.climate.sphere import unit_vectors
from mlda_core.observations.standardised import standardise


def table(bundle, count=12, *, seed=0, variables=("psl", "tas"), month="1982-07", error=0.3):
    """Observations of a month at random places."""
    rng = np.random.default_rng(seed)
    lat = np.degrees(np.arcsin(rng.uniform(-0.95, 0.95, count)))
    lon = rng.uniform(0, 360, count)
    names = [v.name for v in bundle.variables]
    parts = []
    for name in variables:
        row = names.index(name)
        there = bundle.operator.observable(np.full(count, row), lat, lon)
        places = bundle.operator.locate(np.full(there.sum(), row), lat[there], lon[there])
        value = bundle.operator.apply(places, bundle.target(month))
        spread = float(np.nanmean(bundle.normaliser.spread[:, row]))
        sd = error * spread
        parts.append(
            pd.DataFrame(
                {
                    "variable": name,
                    "lat": lat[there],
                    "lon": lon[there],
                    "value": value + sd * rng.standard_normal(value.size),
                    "error_sd": sd,
                    "withheld": False,
                    "label": "",
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def grid_points(bundle):
    lat, lon = np.meshgrid(bundle.grid.lat, bundle.grid.lon, indexing="ij")
    return unit_vectors(lat.ravel(), lon.ravel())


def dense_covariance(bundle, covariance, share):
    """B of the hybrid over all cells, built the long way round."""
    s, st = bundle.settings, bundle.statistics
    n_variables, cells = len(bundle.variables), bundle.grid.weights.size
    distance = great_circle(grid_points(bundle), grid_points(bundle))
    rho = np.tile(gaspari_cohn(distance / s.half_width), (n_variables, n_variables))
    out = rho * (st.patterns.T.astype(float) @ covariance @ st.patterns)
    short = gaspari_cohn(distance / LEFTOVER_HALF_WIDTH_KM)
    root = np.sqrt(st.leftover.astype(float))
    for v in range(n_variables):
        part = slice(v * cells, (v + 1) * cells)
        out[part, part] += short * np.outer(root[part], root[part])
    jacobian = bundle.jacobian(7).reshape(bundle.n_latent, -1).astype(float)
    return out + share * jacobian.T @ jacobian


def hybrid(bundle, share):
    s, st = bundle.settings, bundle.statistics
    left = st.residuals(7, s.residual_width, s.residual_floor)
    return share * left + (1 - share) * st.months(7, s.season_width, s.season_floor)


def at_cells(bundle, rows, columns, variable):
    """Observations at cell centres, where a place is a cell and its neighbours do not enter."""
    grid = bundle.grid
    return pd.DataFrame(
        {
            "variable": variable,
            "lat": grid.lat[rows],
            "lon": grid.lon[columns],
            "value": np.linspace(-2.0, 3.0, len(rows)),
            "error_sd": 0.5,
            "withheld": False,
            "label": "",
        }
    )


def standardised(ensemble):
    """Members in standardised anomalies; rain's transform is inverted."""
    bundle = ensemble.bundle
    fields = ensemble.anomalies + bundle.climatology(7)
    x = bundle.normaliser.standardise(fields.astype(float), np.full(len(ensemble), 7))
    return np.nan_to_num(x).reshape(len(ensemble), -1)


def kalman(bundle, observations):
    """The posterior mean and the covariance of its error, over all cells, the long way round.

    Departures from the prior mean and errors of observation are scaled as the observations say; the
    gain is not.
    """
    observed = standardise(observations, bundle, 7)
    share = bundle.settings.hybrid(len(observations))
    b = dense_covariance(bundle, hybrid(bundle, share), share)
    h = np.zeros((len(observed), b.shape[0]))
    for i, (cell, weight) in enumerate(
        zip(observed.places.index, observed.places.weight, strict=True)
    ):
        np.add.at(h[i], cell, weight)
    x_b = bundle.decode_standardised(np.zeros((1, bundle.n_latent)), 7).ravel().astype(float)
    r = np.diag(observed.variance)
    gain = b @ h.T @ np.linalg.inv(h @ b @ h.T + r)
    departures = observed.value - h @ x_b
    engine = Assimilator(bundle)
    problem = engine.preparation.problem(observed, np.arange(len(observed)), 7, Setting())
    root = np.sqrt(scale_of(problem))
    r = r * root[observed.places.variable] ** 2
    root = np.repeat(root, bundle.grid.weights.size)
    left = np.eye(len(b)) - gain @ h
    covariance = left @ (root[:, None] * b * root) @ left.T + gain @ r @ gain.T
    return x_b + gain @ departures, covariance
