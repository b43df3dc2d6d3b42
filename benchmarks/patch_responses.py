"""Compare a sea network's response to patches with the runs under patched seas themselves.

A patched month's sea with and without its patches (the mixture that a robust regression on the
observed years finds) gives the network's response to them. The slope of what the GCM's month
differs by from the network's answer without them, on that response, is 1 where its amplitude is
right, above 1 where it is too weak. A month is mostly weather, so the slope is one of many months,
with the standard error of resampling them. Networks that trained on these months are flattered.

python benchmarks/patch_responses.py assets/bundles/speedy runs/data/speedy-amip.nc \
    runs/data/speedy-patches.nc
python benchmarks/patch_responses.py assets/bundles/speedy runs/data/speedy-amip.nc \
    runs/data/speedy-mixed.nc --uniform
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from mlda_core.bundle.bundle import load_bundle
from mlda_core.climate.preprocess import samples
from mlda_core.climate.regions import REGIONS, region_mask
from mlda_core.climate.splits import calendar_months
from mlda_core.sources.mixed import robust_fit

Array = NDArray[np.float64]
# Smaller differences from the mixture, K, are interpolation in time.
LEAST = 0.15
ICE = 271.9  # K


def changes(observed: xr.Dataset, synthetic: xr.Dataset, *, uniform: bool) -> Array:
    """Return what patches, or uniform offsets, change in every month, kelvin.

    Parameters
    ----------
    observed, synthetic : Dataset
        Canonical datasets.
    uniform : bool
        The offset instead of the patches.

    Returns
    -------
    ndarray, shape (member, time, lat, lon)
    """
    sea = observed["tos"].mean("member").values.astype(np.float64)
    shape = sea.shape[1:]
    sea = sea.reshape(-1, 12, *shape)
    climatology = sea.mean(axis=0)
    anomalies = (sea - climatology).reshape(len(sea), -1)
    tropics = np.broadcast_to(np.abs(observed["lat"].values)[:, None] < 40, (12, *shape)).ravel()
    cells = np.flatnonzero(np.isfinite(climatology).ravel() & tropics)[::4]
    tos = synthetic["tos"].values.astype(np.float64)
    tos = tos.reshape(len(tos), -1, 12, *shape)
    out = np.zeros_like(tos)
    for at in np.ndindex(*tos.shape[:2]):
        target = (tos[at] - climatology).ravel()
        weights, _ = robust_fit(anomalies[:, cells], target[cells])
        constant = np.median(target[cells] - weights @ anomalies[:, cells])
        left = np.nan_to_num(target - weights @ anomalies - constant)
        patches = np.where(np.abs(left) < LEAST, 0.0, left)
        ice = np.nan_to_num(tos[at]) < ICE
        out[at] = np.where(ice, 0.0, constant if uniform else patches.reshape(12, *shape))
    out = out.reshape(len(tos), -1, *shape)
    # Patches lie within 55S-60N and 10 degrees of edge.
    lat = observed["lat"].values
    here = np.ones(lat.shape, bool) if uniform else (lat > -62) & (lat < 67)
    return np.asarray(out * here[:, None])


def main() -> None:
    """Print one line a variable."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("observed", type=Path)
    parser.add_argument("patched", type=Path)
    parser.add_argument(
        "--uniform", action="store_true", help="the uniform offsets of mixed seas, not patches"
    )
    parser.add_argument("--every", type=int, default=3, help="months between those used")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    bundle = load_bundle(arguments.bundle)
    normaliser, row = bundle.normaliser, bundle.sea_row
    with xr.open_dataset(arguments.observed) as seas, xr.open_dataset(arguments.patched) as data:
        fields, time, _ = samples(data, bundle.variables)
        kelvin = changes(seas, data, uniform=arguments.uniform)
        kelvin = kelvin.reshape(-1, *fields.shape[2:])
    chosen = np.arange(0, len(fields), arguments.every)
    # Every calendar month comes up, whatever the step.
    chosen = np.minimum(chosen + np.arange(chosen.size) % arguments.every, len(fields) - 1)
    calendar = calendar_months(time)[chosen]
    x = np.nan_to_num(normaliser.standardise(fields[chosen], calendar)).astype(np.float32)
    spread = np.nan_to_num(normaliser.spread[calendar - 1, row])
    change = kelvin[chosen]
    change = np.divide(change, spread, out=np.zeros_like(change), where=spread > 0)
    parts = np.array_split(np.arange(len(x)), -(-len(x) // 60))
    with_them, without = (
        np.concatenate([bundle.mean_under(sea[i], calendar[i]) for i in parts])
        for sea in (x[:, row], (x[:, row] - change * bundle.mask[row]).astype(np.float32))
    )
    tropics = region_mask(bundle.grid, REGIONS["tropics"])
    rng = np.random.default_rng(0)
    for v, variable in enumerate(bundle.variables):
        if v == row:
            continue
        line = variable.name
        for area, mask in (("globe", 1.0), ("tropics", tropics)):
            w = normaliser.weights[v] * mask
            response = with_them[:, v] - without[:, v]
            across = (w * response * (x[:, v] - without[:, v])).sum(axis=(1, 2))
            power = (w * response**2).sum(axis=(1, 2))
            drawn = rng.integers(len(x), size=(500, len(x)))
            slopes = across[drawn].sum(axis=1) / power[drawn].sum(axis=1)
            line += f"; {area} {across.sum() / power.sum():.2f} +- {slopes.std():.2f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
