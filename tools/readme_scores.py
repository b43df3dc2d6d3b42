"""Write the bundled model's scores into README.md, between its markers, and docs/scores.md.

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
ASSIMILATION = "<!-- assimilation:begin -->", "<!-- assimilation:end -->"
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


NETWORKS = {
    "sst_only": "sea surface temperature",
    "sst_and_pressure": "the same and pressure",
    **{f"stations_{n}": f"{n} stations" for n in (10, 30, 100, 300, 1000)},
    "all_fields": "every cell of everything",
}
AREAS = {
    "globe": "globe",
    "tropics": "tropics, 30S-30N",
    "north": "north of 30N",
    "south": "south of 30S",
}
METHODS = {
    "vae": "VAE",
    "vae_latent_only": "VAE, latent only",
    "enoi": "ensemble OI",
    "eof": "EOFs",
    "eof_latent_only": "EOFs, latent only",
    "regression": "regression",
    "adam": "Adam",
    "ceiling": "ceiling",
}


def assimilation_table() -> str:
    """Return what stands between the markers of assimilation."""
    scores = json.loads((BUNDLE / "scores.json").read_text(encoding="utf-8"))
    test = scores["assimilation"]["test"]
    lines = [
        "| observed | " + " | ".join(METHODS.values()) + " |",
        "|---|" + "---|" * len(METHODS),
    ]
    for network, label in NETWORKS.items():
        rows = test[network]
        # tos is observed where the sea is, and psl with it: what is copied is no skill.
        shown = [v for v in rows if not (network.startswith("sst") and v == "tos")]
        shown = [v for v in shown if not (network == "sst_and_pressure" and v == "psl")]
        cells = []
        for method in METHODS:
            if any(method not in rows[v] for v in shown):
                cells.append("")
                continue
            found = [rows[v][method]["explained_variance"] for v in shown]
            cells.append(" ".join(_short(value) for value in found))
        lines.append(f"| {label} ({' '.join(shown)}) | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _short(value: float) -> str:
    """Write .62 for 0.62, and what is far below zero in whole numbers."""
    if value < -9.5:
        return f"{value:.0f}"
    return f"{value:.2f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.1f}"


def every_score() -> str:
    """Return docs/scores.md: each network, area, variable and method of TEST."""
    scores = json.loads((BUNDLE / "scores.json").read_text(encoding="utf-8"))
    config = json.loads((BUNDLE / "config.json").read_text(encoding="utf-8"))
    units = {v["name"]: v["anomaly_units"] for v in config["variables"]}
    lines = [
        "# Assimilation of the TEST years: every score",
        "",
        "Written by `python tools/readme_scores.py` from `assets/bundles/speedy/scores.json`.",
        "Explained variance of the anomalies (root mean square error), pooled over months, members",
        "and draws of the network; cells where a station stands are left out. Spread over error:",
        "root of the mean predicted variance over the mean squared error, standardised; best is 1.",
    ]
    for network, label in NETWORKS.items():
        rows = scores["assimilation"]["test"][network]
        lines += ["", f"## {label[0].upper()}{label[1:]} (`{network}`)"]
        for area, name in AREAS.items():
            lines += [
                "",
                f"| {name} | " + " | ".join(f"{v}, {units[v]}" for v in rows) + " |",
                "|---|" + "---|" * len(rows),
            ]
            for method in (*METHODS, "climatology"):
                cells = [_cell(by_method.get(method), area) for by_method in rows.values()]
                if any(cells):
                    lines.append(f"| `{method}` | " + " | ".join(cells) + " |")
        for method in ("vae", "enoi"):
            found = [r[method].get("spread_over_error") for r in rows.values()]
            if all(found):
                lines += [
                    "",
                    f"Spread over error, `{method}`: "
                    + ", ".join(f"{value:.2f} ({v})" for v, value in zip(rows, found, strict=True))
                    + ".",
                ]
        months = {m: r["months"] for m, r in next(iter(rows.values())).items()}
        lines += ["", f"{months['vae']} months, of Adam {months.get('adam', 0)}."]
    return "\n".join(lines) + "\n"


def _cell(found: dict | None, area: str) -> str:
    score = found if found is None or area == "globe" else found.get("regions", {}).get(area)
    if not score:
        return ""
    rmse = f" ({score['rmse']:.2f})" if "rmse" in score else ""
    return f"{score['explained_variance']:.3f}{rmse}"


def main() -> int:
    """Write, or check."""
    every, made_scores = ROOT / "docs" / "scores.md", every_score()
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8")
    fresh = text
    for (begin, end), made in (
        ((BEGIN, END), table),
        (ASSIMILATION, assimilation_table),
    ):
        before, rest = fresh.split(begin)
        _, after = rest.split(end)
        fresh = f"{before}{begin}\n{made()}\n{end}{after}"
    if "--check" in sys.argv:
        same = every.exists() and every.read_text(encoding="utf-8") == made_scores
        return int(fresh != text or not same)
    path.write_text(fresh, encoding="utf-8")
    every.write_text(made_scores, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
