"""Check the prior on years it was not fitted on, without looking at TEST.

The latent basis is fitted on VALIDATION months and scored on CALIBRATION months, and the other
way round: how far the codes are from N(0, I), beside as many independent draws.

python benchmarks/prior_crosscheck.py configs/speedy.toml runs/speedy
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from mlda_core.evaluation.reconstruction import agreement, by_member
from mlda_core.vae.config import load_config
from mlda_core.vae.dataset import load_training_data
from mlda_core.vae.latent import encode_months, find_basis
from mlda_core.vae.training import train


def main() -> None:
    """Print one line a direction."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config")
    parser.add_argument("run", type=Path)
    arguments = parser.parse_args()
    config = load_config(arguments.config)
    data = load_training_data(config)
    vae = train(config, data, arguments.run)  # a finished run comes back as it is
    for fit, score in (("validation", "calibration"), ("calibration", "validation")):
        held_out = data.observed.in_split(fit)
        basis = find_basis(vae, data.train, held_out, data.normaliser.weights)
        months = data.observed.in_split(score)
        codes = encode_months(vae, months)
        mean = codes.mean @ basis.from_training.T
        sd = np.sqrt(codes.sd**2 @ (basis.from_training**2).T)
        found = agreement(by_member(mean, sd, months))
        print(
            f"fitted on {fit}, scored on {score}: means {found['mean_rms']:.2f} (aim "
            f"{2 * found['mean_rms_of_draws']:.2f}), variances "
            f"{found['variance_error_rms']:.2f} (aim "
            f"{2 * found['variance_error_rms_of_draws']:.2f})",
            flush=True,
        )


if __name__ == "__main__":
    main()
