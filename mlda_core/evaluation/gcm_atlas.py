"""The sensitivities of a GCM's means to patches of the sea, from runs over seas that vary.

Two members of 35 model years have three warm or cold patches a quarter at random places. Each
month's mean of a region is regressed on what each patch of the protocol differs by, and the
estimates are kept with the package for the page (:mod:`mlda_core.perturbation.gcm_atlas`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlda_core.bundle.bundle import Bundle
from mlda_core.climate.preprocess import to_display
from mlda_core.climate.regions import REGIONS, Region, regional_mean
from mlda_core.perturbation.atlas import Atlas
from mlda_core.perturbation.gcm_atlas import GcmAtlas
from mlda_core.perturbation.gfmip import AMPLITUDE, LEAST_WEIGHT, patches_at_sea
from mlda_core.perturbation.greens_function import Estimate, correlation, regress
from mlda_core.perturbation.sst_patches import open_water
from mlda_core.sources.speedy import read_speedy

Array = NDArray[np.float64]


class Found(NamedTuple):
    """What the runs say of one mean: from all months, and from each of two members alone."""

    whole: Estimate
    halves: tuple[Estimate, Estimate]


def anomalies_of(folder: Path, bundle: Bundle) -> Array:
    """Return runs of SPEEDY as anomalies from each member's own monthly means.

    So halves share nothing.

    Parameters
    ----------
    folder : Path
        See :func:`mlda_core.sources.speedy.read_speedy`.
    bundle : Bundle
        Says which variables.

    Returns
    -------
    ndarray, shape (member, month, V, lat, lon)
        Display units.
    """
    data = read_speedy(folder, variables=[v.name for v in bundle.variables])
    fields = to_display({v.name: data[v.name].values for v in bundle.variables}, bundle.variables)
    years = fields.reshape(len(fields), -1, 12, *fields.shape[2:]).astype(np.float64)
    anomalies: Array = (years - years.mean(axis=1, keepdims=True)).reshape(fields.shape)
    return anomalies


def patches_alone(bundle: Bundle, months: Sequence[str]) -> Atlas:
    """Return an atlas of changes whose responses are all zero: what the predictors need.

    Parameters
    ----------
    bundle : Bundle
    months : sequence of str
        Their mean ice counts.
    """
    free = np.stack([open_water(bundle, month) for month in months])
    patches = patches_at_sea(bundle.grid, free.max(axis=0))
    shapes = np.stack([patch.patch(1.0).weights(bundle.grid) for patch in patches])
    # A patch under ice in one of the months changes nothing in it.
    there = (shapes[:, None] * free).max(axis=(2, 3)) >= LEAST_WEIGHT
    change = AMPLITUDE * shapes * np.einsum("pm,mij->pij", there, free) / len(months)
    return Atlas(
        tuple(months),
        AMPLITUDE,
        "sst_only",
        "none",
        patches,
        change.astype(np.float32),
        np.zeros((len(patches), *bundle.mask.shape), np.float32),
        free.mean(axis=0),
        bundle,
    )


def area_of(atlas: Atlas) -> Array:
    """Return the share of the open sea that each patch stands for, shape (P,)."""
    area = atlas.bundle.grid.weights * atlas.open_sea
    return np.asarray((np.nan_to_num(atlas.shares) * area).sum(axis=(1, 2)) / area.sum())


def predictors(anomalies: Array, atlas: Atlas) -> Array:
    """Return what each patch's share of the sea differs by, kelvin, (member, month, P)."""
    bundle = atlas.bundle
    area = bundle.grid.weights * atlas.open_sea
    sea = np.nan_to_num(anomalies[:, :, bundle.sea_row])
    shares = np.nan_to_num(atlas.shares) * area / area.sum()
    return np.einsum("mtij,pij->mtp", sea, shares, optimize=True)


def estimated(x: Array, anomalies: Array, row: int, region: Region, bundle: Bundle) -> Found:
    """Regress the mean of one variable over a region.

    Parameters
    ----------
    x : ndarray, shape (member, month, P)
        :func:`predictors`.
    anomalies : ndarray, shape (member, month, V, lat, lon)
    row : int
        Of the variable.
    region : Region
    bundle : Bundle
    """
    y = np.asarray(regional_mean(anomalies[:, :, row], bundle.grid, region), np.float64)
    whole = regress(x.reshape(-1, x.shape[-1]), y.ravel())
    ratio = whole.ratio / len(x)
    one, other = (regress(x[i], y[i], ratio=ratio) for i in (0, 1))
    return Found(whole, (one, other))


def gcm_atlas_of(anomalies: Array, atlas: Atlas) -> GcmAtlas:
    """Estimate the sensitivities of all variables over all named regions.

    Parameters
    ----------
    anomalies : ndarray, shape (member, month, V, lat, lon)
        :func:`anomalies_of`; two members or more.
    atlas : Atlas
        Whose patches they are.
    """
    bundle, x, area = atlas.bundle, predictors(anomalies, atlas), area_of(atlas)
    shape = (len(REGIONS), len(bundle.variables))
    values, errors = np.zeros((2, *shape, len(atlas.patches)))
    ratio, halves = np.zeros((2, *shape))
    for i, region in enumerate(REGIONS.values()):
        for v in range(len(bundle.variables)):
            found = estimated(x, anomalies, v, region, bundle)
            values[i, v], errors[i, v] = found.whole.sensitivity, found.whole.standard_error
            one, other = found.halves
            ratio[i, v] = found.whole.ratio
            halves[i, v] = correlation(one.sensitivity, other.sensitivity, area)
    flat = x.reshape(-1, x.shape[-1])
    return GcmAtlas(
        atlas.patches,
        tuple(REGIONS),
        values,
        errors,
        ratio,
        halves,
        flat.T @ flat,
        area,
        anomalies.shape[0],
        anomalies.shape[1],
    )
