"""Train sea networks with other settings, and score them alone on VALIDATION.

Explained variance under the observed sea; there, the slope of the months on the networks' answer
in the tropics (standardised; 1 is the right amplitude); and the response to the perturbed seas of
1984 and 2004, globe and tropics: pattern correlation and amplitude ratio, as
`mlda validate --perturbation` scores a whole bundle.

python benchmarks/sea_networks.py configs/speedy.toml assets/bundles/speedy \
    path/to/speedy-perturbed --variable psl --set epochs_normalised=24
"""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.bundle.bundle import Bundle, load_bundle
from mlda_core.climate.regions import REGIONS, region_mask
from mlda_core.evaluation.gcm_response import score
from mlda_core.perturbation.gcm_runs import Runs, read_runs
from mlda_core.vae.config import load_config
from mlda_core.vae.dataset import Months, TrainingData, load_training_data
from mlda_core.vae.sea import SeaConfig, SeaNetwork
from mlda_core.vae.sea_training import SeaTraining, train_sea
from mlda_core.vae.training import explained

Array = NDArray[np.float32]


def states(network: SeaNetwork, data: TrainingData, kelvin: Array, calendar: Array) -> Array:
    """Return mean states (n, V, lat, lon), standardised, under SST anomalies in kelvin."""
    spread = np.nan_to_num(data.normaliser.spread[calendar - 1, network.sea]).astype(np.float32)
    kelvin = np.nan_to_num(kelvin)
    sea = np.divide(kelvin, spread, out=np.zeros_like(kelvin), where=spread > 0)
    with torch.no_grad():
        found = network(*(torch.from_numpy(a) for a in (sea, kelvin, calendar)))
    return np.asarray(found.numpy())


def responses(network: SeaNetwork, data: TrainingData, runs: list[Runs]) -> dict[str, Array]:
    """Return the mean response to each experiment, display units."""
    normaliser, out = data.normaliser, {}
    for r in runs:
        control, warm = (
            normaliser.restore(states(network, data, sea, r.calendar), r.calendar)
            for sea in (r.sea, r.sea + r.change)
        )
        mean = (warm - control).mean(axis=0)
        out[r.experiment] = np.where(normaliser.mask, mean, np.nan).astype(np.float32)
    return out


def report(
    network: SeaNetwork,
    names: list[str],
    data: TrainingData,
    months: Months,
    runs: list[Runs],
    bundle: Bundle,
) -> None:
    """Print one line for each of some variables."""
    made = states(network, data, months.anomalies[:, network.sea], months.calendar)
    skill = explained(data, months, made, None)
    weights = data.normaliser.weights * region_mask(bundle.grid, REGIONS["tropics"])
    across = (weights * made * months.x).sum(axis=(0, 2, 3))
    slope = across / np.maximum((weights * made**2).sum(axis=(0, 2, 3)), 1e-12)
    scores = score(runs, {"network": responses(network, data, runs)}, bundle)
    for name in names:
        line = (
            f"{name}: explained {skill[name]:.4f}, tropical slope {slope[network.rows[name]]:.2f}"
        )
        for experiment, by_area in scores.items():
            for area, found in by_area.items():
                one = found[name]["network"]
                line += f"; {experiment} {area} {one['pattern_correlation']:.3f}"
                line += f" ({one.get('amplitude_ratio', float('nan')):.2f})"
        print(line, flush=True)


def main() -> None:
    """Train, or with ``--shipped`` take the bundle's own networks, and print the scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--variable", action="append", help="psl, tas, ...; all by default")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--width", type=int, default=SeaConfig.width)
    parser.add_argument("--shipped", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    bundle = load_bundle(arguments.bundle)
    data = load_training_data(load_config(arguments.config))
    months = data.observed.in_split("validation")
    runs = read_runs(arguments.runs, bundle, months)
    if arguments.shipped:
        if bundle.sea is None:
            parser.error("the bundle has no sea network")
        network = bundle.sea
    else:
        given = dict(setting.split("=") for setting in arguments.settings)
        kinds = {f.name: type(f.default) for f in fields(SeaTraining)}
        settings = replace(SeaTraining(), **{k: kinds[k](v) for k, v in given.items()})
        shape = replace(SeaConfig(), width=arguments.width)
        network = train_sea(data, bundle.sea_row, shape, settings, variables=arguments.variable)
    report(network, arguments.variable or list(network.parts), data, months, runs, bundle)


if __name__ == "__main__":
    main()
