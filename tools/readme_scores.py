"""Write the bundled model's scores between the markers of README.md and docs/, and docs/scores.md.

python tools/readme_scores.py          write
python tools/readme_scores.py --check  exit with 1 where one of them says something else
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import marks
import posterior_scores
import prior_scores
import real_scores
from posterior_scores import NETWORKS

from mlda_core.assimilation.methods import METHODS as REGISTRY
from mlda_core.assimilation.methods import scored_in, spelled

ROOT = Path(__file__).resolve().parents[1]
BUNDLE = ROOT / "assets/bundles/speedy"
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


AREAS = {
    "globe": "globe",
    "tropics": "tropics, 30S-30N",
    "north": "north of 30N",
    "south": "south of 30S",
}
METHODS = {key: REGISTRY[key].label for key in scored_in("assimilation")} | {"ceiling": "ceiling"}


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


EXPERIMENTS = {"plus1": "+1 K everywhere", "nino34_plus2": "Nino 3.4 +2 K"}
RESPONSE_METHODS = {key: REGISTRY[key].label for key in scored_in("response")} | {
    "gcm_half": "half of the GCM's runs"
}
# Of the sea, which is given, a response is no skill.
ANSWERS = ("psl", "tas", "pr")


def perturbation_table() -> str:
    """Return what stands between the markers of the response to a warmer sea, docs/results.md."""
    scores = json.loads((BUNDLE / "scores.json").read_text(encoding="utf-8"))
    if "perturbation" not in scores:
        return NOT_SCORED
    lines = [
        f"| {' '.join(ANSWERS)} | " + " | ".join(RESPONSE_METHODS.values()) + " |",
        "|---|" + "---|" * len(RESPONSE_METHODS),
    ]
    for experiment, label in EXPERIMENTS.items():
        for area in ("tropics", "globe"):
            rows = scores["perturbation"][experiment][area]
            cells = []
            for method in RESPONSE_METHODS:
                found = [rows[v][method] for v in ANSWERS]
                cell = " ".join(_hundredths(f["pattern_correlation"]) for f in found)
                if method != "gcm_half":
                    ratios = (_hundredths(f.get("amplitude_ratio")) for f in found)
                    cell += f" ({' '.join(ratios)})"
                cells.append(cell)
            lines.append(f"| {label}, {area} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def every_response() -> str:
    """Return what stands between the markers of docs/perturbation.md: each variable by itself."""
    scores = json.loads((BUNDLE / "scores.json").read_text(encoding="utf-8"))
    if "perturbation" not in scores:
        return NOT_SCORED
    lines = []
    for experiment, label in EXPERIMENTS.items():
        for area in ("tropics", "globe"):
            rows = scores["perturbation"][experiment][area]
            lines += [
                "",
                f"| {label}, {AREAS[area]} | " + " | ".join(rows) + " |",
                "|---|" + "---|" * len(rows),
            ]
            for method, name in RESPONSE_METHODS.items():
                cells = []
                for by_method in rows.values():
                    found = by_method[method]
                    ratio = found.get("amplitude_ratio")
                    words = "" if ratio is None else f" ({ratio:.2f})"
                    cells.append(f"{found['pattern_correlation']:.2f}{words}")
                lines.append(f"| {name} | " + " | ".join(cells) + " |")
    made = scores["perturbation_made_of"]
    members = " and ".join(str(n) for n in sorted(set(made["members"].values())))
    lines += ["", f"({made['months']} months of the TEST years, {members} perturbed members.)"]
    return "\n".join(lines[1:])


def summary() -> str:
    """Return what stands between the markers of README.md: a row an experiment."""
    scores = json.loads((BUNDLE / "scores.json").read_text(encoding="utf-8"))
    reconstructed, assimilated = scores["reconstruction"]["test"], scores["assimilation"]["test"]
    columns = ("vae", "eof", "enoi")
    rows: list[tuple[str, tuple[str, ...], dict[str, dict], str]] = [
        (
            "reconstruction from 100 numbers",
            tuple(reconstructed),
            reconstructed,
            "explained_variance",
        ),
        (
            "from 100 stations of pressure and temperature",
            tuple(assimilated["stations_100"]),
            assimilated["stations_100"],
            "explained_variance",
        ),
        ("from the sea alone", ANSWERS, assimilated["sst_only"], "explained_variance"),
    ]
    if "perturbation" in scores:
        warmer = scores["perturbation"]["plus1"]["tropics"]
        label = "response to a sea 1 K warmer, tropics: pattern correlation with the GCM's own"
        rows.append((label, ANSWERS, warmer, "pattern_correlation"))
    lines = [
        "| test years | " + " | ".join(METHODS[method] for method in columns) + " |",
        "|---|" + "---|" * len(columns),
    ]
    for label, variables, found, score in rows:
        cells = [
            " ".join(_short(found[v][method][score]) for v in variables)
            if all(method in found[v] for v in variables)
            else ""
            for method in columns
        ]
        lines.append(f"| {label} ({' '.join(variables)}) | " + " | ".join(cells) + " |")
    return "\n".join(lines)


NOT_SCORED = "(Not scored yet: `mlda validate --perturbation --split test`.)"


def _hundredths(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}".replace("0.", ".", 1)


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
        (
            "Explained variance of the anomalies (root mean square error), pooled over months, "
            "members and draws of the network; cells with a station are left out."
        ),
        (
            "Spread over error: root of the mean predicted variance over the mean squared error, "
            "standardised; best is 1."
        ),
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
                    lines.append(f"| `{spelled(method)}` | " + " | ".join(cells) + " |")
        for method in scored_in("spread"):
            found = [r[method].get("spread_over_error") for r in rows.values()]
            if all(found):
                lines += [
                    "",
                    f"Spread over error, `{spelled(method)}`: "
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


# Which tables stand in which file.
MARKED = {
    "README.md": {"summary": summary},
    "docs/results.md": {
        "scores": table,
        "assimilation": assimilation_table,
        "perturbation": perturbation_table,
        "coverage": real_scores.coverage_table,
    },
    "docs/real.md": {
        "reconstruction": real_scores.reconstruction_table,
        "distances": real_scores.every_coverage,
    },
    "docs/perturbation.md": {"responses": every_response},
    "docs/posterior.md": posterior_scores.marked(BUNDLE),
    "docs/priors.md": {"priors": lambda: prior_scores.priors_table(BUNDLE)},
}


def main() -> int:
    """Write, or check."""
    fresh = {"docs/scores.md": every_score()}
    for name, tables in MARKED.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        for mark, made in tables.items():
            text = marks.put(text, mark, made())
        fresh[name] = text
    stale = [
        name
        for name, text in fresh.items()
        if not (ROOT / name).exists() or (ROOT / name).read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv:
        return int(bool(stale))
    for name in stale:
        (ROOT / name).write_text(fresh[name], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
