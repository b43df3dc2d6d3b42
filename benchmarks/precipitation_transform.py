"""Which transform of precipitation reconstructs it best (decides ``[data] power``).

For each transform: standardise, fit 100 EOFs on the training months under the observed sea,
reconstruct VALIDATION months, and score in display units, the estimate of rain being the mean over
the residual spread (``restored``) or the field of the mean (``naive``).

    python benchmarks/precipitation_transform.py configs/speedy.toml
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from mlda_core.evaluation.eof import fit_eofs
from mlda_core.vae.config import load_config
from mlda_core.vae.dataset import load_training_data

CANDIDATES = (
    ("none", 1.0),
    ("power", 1 / 2),
    ("power", 1 / 3),
    ("power", 1 / 4),
    ("gamma", 1.0),
)


def main() -> None:
    """Print one row a transform."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config")
    config = load_config(parser.parse_args().config, ["data.mixed_share=0.0"])
    print(f"{'transform':>14} {'pr naive':>9} {'pr restored':>11}   others, restored")
    for kind, power in CANDIDATES:
        variables = tuple(
            replace(v, transform=kind) if v.name == "pr" else v for v in config.variables
        )
        model = replace(config, variables=variables, data=replace(config.data, power=power))
        data = load_training_data(model)
        basis = fit_eofs(data, 100)
        held_out = data.observed.in_split("calibration")
        error = (held_out.x - basis.reconstruct(held_out.x)).astype(np.float64)
        sd = np.sqrt((error**2).mean(axis=0))
        months = data.observed.in_split("validation")
        rebuilt = basis.reconstruct(months.x)
        rows = []
        for spread in (None, sd):
            fields = data.normaliser.restore(rebuilt, months.calendar, sd=spread)
            anomalies = data.normaliser.anomalies(fields, months.calendar)
            w = data.normaliser.weights
            lost = np.nansum(w * (anomalies - months.anomalies) ** 2, axis=(0, 2, 3))
            truth = np.nansum(w * months.anomalies.astype(np.float64) ** 2, axis=(0, 2, 3))
            rows.append(dict(zip((v.name for v in variables), 1 - lost / truth, strict=True)))
        name = kind if kind != "power" else f"power {power:.3f}"
        others = "  ".join(f"{k} {v:.3f}" for k, v in rows[1].items() if k != "pr")
        print(f"{name:>14} {rows[0]['pr']:9.3f} {rows[1]['pr']:11.3f}   {others}", flush=True)


if __name__ == "__main__":
    main()
