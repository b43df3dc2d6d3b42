"""Score a configuration's linear part, before training, on VALIDATION, beside 100 EOFs.

Half a minute instead of half an hour; training adds about the same to all.

python benchmarks/linear_start.py configs/speedy.toml
python benchmarks/linear_start.py configs/speedy.toml --set data.patches=''
"""

from __future__ import annotations

import argparse

import numpy as np

from mlda_core.evaluation.eof import fit_eofs
from mlda_core.vae.config import load_config
from mlda_core.vae.dataset import load_training_data, mean_square
from mlda_core.vae.training import build_vae, explained, validation_skill


def main() -> None:
    """Print one Markdown row for the linear part and one for EOFs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config")
    parser.add_argument("--set", action="append", default=[], dest="settings")
    arguments = parser.parse_args()
    config = load_config(arguments.config, arguments.settings)
    data = load_training_data(config)
    validation = data.observed.in_split("validation")
    rows = {"linear part": validation_skill(build_vae(config, data).eval(), data, validation)}
    count = config.network.n_latent
    basis = fit_eofs(data, count)
    held_out = data.observed.in_split("validation", "calibration")
    error = (held_out.x - basis.reconstruct(held_out.x)).astype(np.float64)
    sd = np.sqrt(mean_square(error, held_out.present, np.nan)).astype(np.float32)
    rows[f"{count} EOFs"] = explained(data, validation, basis.reconstruct(validation.x), sd)
    for name, skill in rows.items():
        cells = " | ".join(f"{value:.4f}" for value in skill.values())
        print(f"| {name} ({', '.join(arguments.settings) or 'as configured'}) | {cells} |")


if __name__ == "__main__":
    main()
