"""Write the bundled model's scores into README.md, between its markers.

python tools/readme_scores.py          write
python tools/readme_scores.py --check  exit with 1 where README.md says something else
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUNDLE = ROOT / "assets/bundles/speedy"
BEGIN, END = "<!-- scores:begin -->", "<!-- scores:end -->"
ROWS = {
    "vae": "VAE, by its encoder",
    "vae_minimised": "VAE, by minimising over the 100 numbers",
    "eof": "100 EOFs, same training months",
    "eof_observed_only": "100 EOFs, months under the observed sea only",
}


def table() -> str:
    """Return what stands between the markers."""
    scores = json.loads((BUNDLE / "scores.json").read_text(encoding="utf-8"))
    config = json.loads((BUNDLE / "config.json").read_text(encoding="utf-8"))
    test = scores["reconstruction"]["test"]
    units = {v["name"]: v["anomaly_units"] for v in config["variables"]}
    lines = [
        "| explained variance (RMSE) | " + " | ".join(f"{v}, {units[v]}" for v in test) + " |",
        "|---|" + "---|" * len(test),
    ]
    for method, label in ROWS.items():
        cells = (s[method] for s in test.values())
        lines.append(
            f"| {label} | "
            + " | ".join(f"{c['explained_variance']:.3f} ({c['rmse']:.2f})" for c in cells)
            + " |"
        )
    latent, ratio = scores["latent"]["test"], scores["prior_variance_ratio"]
    lines += [
        "",
        f"({scores['months']['test']} months of {scores['members']} members.)",
        "",
        "The codes of these months ought to look like draws of N(0, I). "
        f"{latent['active']} of {config['network']['n_latent']} latent numbers are active. Root "
        f"mean squares over them, a member at a time: means depart from 0 by "
        f"{latent['mean_rms']:.2f}, variances from 1 by {latent['variance_error_rms']:.2f}; "
        f"{latent['months']:.0f} independent draws would show {latent['mean_rms_of_draws']:.2f} "
        f"and {latent['variance_error_rms_of_draws']:.2f}, five years drawn from training "
        f"{latent['mean_rms_of_training_years']:.2f} and "
        f"{latent['variance_error_rms_of_training_years']:.2f}. States drawn from the prior, with "
        "the residual, carry "
        + ", ".join(f"{100 * r:.0f} % ({v})" for v, r in ratio.items())
        + " of the variance of real months.",
    ]
    return "\n".join(lines)


def main() -> int:
    """Write, or check."""
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    fresh = f"{before}{BEGIN}\n{table()}\n{END}{after}"
    if "--check" in sys.argv:
        return int(fresh != text)
    path.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
