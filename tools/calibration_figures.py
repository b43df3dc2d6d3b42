"""Draw the pictures of docs/posterior.md from the scores of a bundle.

Where these do not say how far a calibrated ensemble's shares stray by chance, another file does,
of any months: `mlda validate --posterior` writes it.

Examples
--------
The pictures of the documentation::

    mlda validate assets/bundles/speedy --posterior --most-months 2
    python tools/calibration_figures.py --chance runs/validate-speedy-validation/scores.json
"""

from __future__ import annotations

import argparse
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import gallery
import posterior_scores
import readme_scores
from PIL import Image

from mlda_core.bundle.bundle import load_bundle
from mlda_core.evaluation.posterior_figures import draw_coverage, draw_histograms

PICTURES = readme_scores.ROOT / "docs/images/calibration"
DRAWN = {"histograms": draw_histograms, "coverage": draw_coverage}


def scores_in(path: Path, split: str) -> dict[str, Any]:
    """Return the calibration of the VAE by the default sampler."""
    scores = json.loads(path.read_text(encoding="utf-8"))
    found: dict[str, Any] = scores["posterior"][split]["vae"]["laplace"]
    return found


def main() -> None:
    """Draw both."""
    parser = argparse.ArgumentParser(description="Draw the pictures of docs/posterior.md.")
    parser.add_argument("--chance", type=Path, help="scores of VALIDATION months, for the bands")
    chosen = parser.parse_args()
    chance = scores_in(chosen.chance, "validation") if chosen.chance else None
    bundle = load_bundle(readme_scores.BUNDLE)
    found = scores_in(readme_scores.BUNDLE / "scores.json", "test")
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, draw in DRAWN.items():
        figure = draw(found, bundle.variables, posterior_scores.NETWORKS, chance)
        drawn = BytesIO()
        figure.savefig(drawn, dpi=130)
        with Image.open(drawn) as image:
            gallery.save_small(image.convert("RGB"), PICTURES / f"{name}.png")


if __name__ == "__main__":
    main()
