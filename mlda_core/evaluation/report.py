"""HTML report with figures, written by ``mlda validate``."""

from __future__ import annotations

import html
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mlda_core.bundle.bundle import Bundle
from mlda_core.evaluation.reconstruction import Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Of reconstruction, which is not analysis: an encoder or EOFs that see every cell.
RECONSTRUCTIONS = {
    "vae": "VAE, by its encoder",
    "vae_minimised": "VAE, by minimising over z",
    "vae_linear_part": "VAE without the refining network",
    "eof": "EOFs, as many, same months",
    "eof_observed_only": "EOFs, observed sea only",
    "climatology": "climatology",
}


def write_page(report: Report, bundle: Bundle, split: str, folder: Path) -> Path:
    """Write ``index.html`` and its images into a folder, and return the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {
        "series.png": (
            _series(report, bundle),
            "Global means of the anomalies: target black, model (encoded and decoded) red.",
        ),
        "latent.png": (
            _latent(report),
            (
                "Mean and variance of the aggregate posterior of each latent number; "
                "grey: two standard deviations of as many independent draws of N(0, 1). "
                "Members share the sea, so real months are fewer than they look."
            ),
        ),
        "variance.png": (
            _variance(report, bundle),
            (
                "Standard deviation of real training months, of decoded prior samples plus "
                "residual, and their ratio."
            ),
        ),
    }
    parts = [_table(report, bundle, split), _facts(report, split)]
    for name, (figure, caption) in pictures.items():
        figure.savefig(folder / name, dpi=110, bbox_inches="tight")
        parts.append(f'<figure><img src="{name}"><figcaption>{caption}</figcaption></figure>')
    title = html.escape(f"{bundle.title}: {split} months")
    page = folder / "index.html"
    page.write_text(
        "<!doctype html><meta charset='utf-8'><title>" + title + "</title>"
        "<style>body{font:16px system-ui;max-width:70rem;margin:2rem auto;padding:0 1rem}"
        "img{max-width:100%}td,th{padding:.2rem .8rem;text-align:right;"
        "font-variant-numeric:tabular-nums}th:first-child,td:first-child{text-align:left}"
        "figcaption{color:#555}</style><h1>" + title + "</h1>" + "".join(parts),
        encoding="utf-8",
    )
    return page


def _table(report: Report, bundle: Bundle, split: str) -> str:
    scores = report.scores["reconstruction"][split]
    head = "".join(f"<th>{v.name} ({v.anomaly_units})</th>" for v in bundle.variables)
    rows = ""
    for method in next(iter(scores.values())):
        cells = "".join(
            f"<td>{s[method]['explained_variance']:.3f} ({s[method]['rmse']:.2f})</td>"
            for s in scores.values()
        )
        rows += f"<tr><td>{RECONSTRUCTIONS.get(method, method)}</td>{cells}</tr>"
    return (
        "<h2>Reconstruction: explained variance (RMSE)</h2>"
        f"<table><tr><th></th>{head}</tr>{rows}</table>"
    )


def _facts(report: Report, split: str) -> str:
    lines = [
        (
            f"Samples: {report.scores['months'][split]} months of "
            f"{report.scores['members']} member(s)."
        ),
        f"Nonlinearity of the decoder: {report.scores['nonlinearity'][split]:.2f}.",
        "Variance of prior samples plus residual, relative to real training months: "
        + ", ".join(f"{k} {v:.2f}" for k, v in report.scores["prior_variance_ratio"].items())
        + ".",
    ]
    for name, a in report.scores["latent"].items():
        lines.append(
            f"Latent numbers on {name} months: {a['active']} active; a member's mean departs by "
            f"{a['mean_rms']:.2f} (draws: {a['mean_rms_of_draws']:.2f}), its variance by "
            f"{a['variance_error_rms']:.2f} (draws: {a['variance_error_rms_of_draws']:.2f})."
        )
        if "mean_rms_of_training_years" in a:
            lines.append(
                "As many whole years drawn from training, whose months are no more independent: "
                f"{a['mean_rms_of_training_years']:.2f} and "
                f"{a['variance_error_rms_of_training_years']:.2f}."
            )
    return "<ul>" + "".join(f"<li>{html.escape(line)}</li>" for line in lines) + "</ul>"


def _figure(rows: int, columns: int, size: tuple[float, float]) -> tuple[Figure, np.ndarray]:
    # Figure rather than pyplot: no global state, no window system.
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def _series(report: Report, bundle: Bundle) -> Figure:
    figure, axes = _figure(len(bundle.variables), 1, (11, 2.1 * len(bundle.variables)))
    ticks = np.arange(0, len(report.months), 6)
    for ax, variable in zip(axes[:, 0], bundle.variables, strict=True):
        target, model = report.series[variable.name]
        for run in _runs(report.months):
            first = run[0] == 0
            ax.plot(run, target[run], color="black", lw=1.4, label="target" if first else None)
            ax.plot(run, model[run], color="#c1272d", lw=1.4, label="model" if first else None)
            if not first:
                ax.axvline(run[0] - 0.5, color="0.7", lw=0.8)
        ax.set_ylabel(f"{variable.name} ({variable.anomaly_units})")
        ax.set_xticks(ticks, [report.months[i] for i in ticks], rotation=0, fontsize=8)
        ax.margins(x=0.01)
    axes[0, 0].legend(frameon=False, ncols=2, loc="upper left")
    return figure


def _runs(months: list[str]) -> list[np.ndarray]:
    """Split positions where months are not consecutive, as held-out years are not."""
    steps = np.diff(np.array(months, dtype="datetime64[M]").astype(int))
    return np.split(np.arange(len(months)), np.flatnonzero(steps > 1) + 1)


def _latent(report: Report) -> Figure:
    figure, axes = _figure(2, len(report.latent), (5.5 * len(report.latent), 5))
    for column, (name, (mean, variance)) in enumerate(report.latent.items()):
        n = report.scores["latent"][name]["months"]
        k = np.arange(1, mean.size + 1)
        for ax, values, centre, width, what in (
            (axes[0, column], mean, 0.0, 1 / np.sqrt(n), "mean"),
            (axes[1, column], variance, 1.0, np.sqrt(2 / n), "variance"),
        ):
            ax.axhspan(centre - 2 * width, centre + 2 * width, color="0.88")
            ax.axhline(centre, color="0.6", lw=0.8)
            ax.plot(k, values, ".", color="#1f5fa8", ms=4)
            ax.set_ylabel(what)
            ax.set_xlabel("latent number")
        axes[0, column].set_title(f"{name} months")
    return figure


def _variance(report: Report, bundle: Bundle) -> Figure:
    figure, axes = _figure(len(bundle.variables), 3, (13, 2.3 * len(bundle.variables)))
    lon, lat = bundle.grid.lon_edges, bundle.grid.lat_edges
    extent = (float(lon[0]), float(lon[-1]), float(lat[0]), float(lat[-1]))
    for row, variable in zip(axes, bundle.variables, strict=True):
        real, drawn = (np.sqrt(m) for m in report.variance_maps[variable.name])
        ratio = np.divide(drawn, real, out=np.full(real.shape, np.nan), where=real > 0)
        top = float(np.nanquantile(real, 0.99))
        unit = variable.anomaly_units
        for ax, values, what, limits, cmap in (
            (row[0], real, f"real, sd ({unit})", (0, top), "viridis"),
            (row[1], drawn, f"prior samples, sd ({unit})", (0, top), "viridis"),
            (row[2], ratio, "ratio", (0.5, 1.5), "RdBu_r"),
        ):
            image = ax.imshow(
                values,
                origin="lower",
                extent=extent,
                cmap=cmap,
                vmin=limits[0],
                vmax=limits[1],
                aspect="auto",
            )
            ax.set_title(f"{variable.name}: {what}", fontsize=9)
            figure.colorbar(image, ax=ax)
    return figure
