"""The folder of a page without a server."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bokeh
import numpy as np

from mlda_core.climate.assets import ASSETS
from mlda_core.climate.errors import UserError
from mlda_core.plotting.site.arrays import (
    Arrays,
    transforms_of,
    write_analyses,
    write_decoder,
    write_months,
    write_statistics,
)
from mlda_core.plotting.site.figures import COLUMNS, OUTSIDE, document_of, pixels_of

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

# The page's own files, and Bokeh's script with its widgets left out.
OWN = ASSETS / "site"
BOKEH = "bokeh.min.js"
# What a folder of a site holds beside them.
WRITTEN = {
    ".nojekyll",
    BOKEH,
    "site.json",
    "maps.json",
    "decoder.bin",
    "pixels.bin",
    "months.bin",
    "statistics.bin",
}
ANALYSES = "analysis-??.bin"
# Months of a site where nothing is said.
MOST_MONTHS = 24
# Sliders on the page before "more": the leading directions.
LEADING = 12


@dataclass(frozen=True)
class Exported:
    """What was written.

    Parameters
    ----------
    path : Path
        The folder.
    months : tuple of str
        ``YYYY-MM``.
    size : int
        Of all files, bytes.
    """

    path: Path
    months: tuple[str, ...]
    size: int


def months_for_site(bundle: Bundle, first: str) -> tuple[str, ...]:
    """Return the months of a site by default: TEST months of one calendar month.

    Parameters
    ----------
    bundle : Bundle
    first : str
        ``YYYY-MM`` of the month that is shown first; the last of those of the bundle if it is none
        of TEST.
    """
    test = [m for m in bundle.months if bundle.split(m) == "test"]
    if not test:
        raise UserError(f"{bundle.path} ships no TEST months; name others with --month.")
    shown = first if first in test else test[-1]
    alike = [m for m in test if m[5:7] == shown[5:7]]
    return tuple(m for m in alike if m == shown or m in alike[-MOST_MONTHS:])


def export_site(
    bundle: Bundle,
    out: Path,
    *,
    months: Sequence[str],
    first: str = "",
    tick: Callable[[str, int, int], None] | None = None,
) -> Exported:
    """Write a page that needs no server but a web host's.

    Parameters
    ----------
    bundle : Bundle
        Of months, calibrated.
    out : Path
        A folder that is not there yet, or an earlier site, which is replaced.
    months : sequence of str
        ``YYYY-MM``, of the bundle; their calendar months decide the size, 5 MB each.
    first : str
        That is shown first; the last by default.
    tick : callable, optional
        Called with (stage, done, in all).

    Raises
    ------
    UserError
        If the folder holds something else, or a month is not of the bundle.
    BundleError
        If it is a bundle of days, not calibrated, or has a transform that a browser does not know.
    """
    bundle.require_months("a page without a server is for months; export a bundle of these")
    # Fail before anything is written.
    _ = bundle.statistics
    powers = transforms_of(bundle)
    wanted = tuple(dict.fromkeys(months))
    for month in wanted:
        bundle.split(month)
    if not wanted:
        raise UserError("A site shows at least one month; name it with --month.")
    shown = first or wanted[-1]
    if shown not in wanted:
        raise UserError(f"{shown} is shown first but none of the site's months; add it.")
    out = out.resolve()
    _check_folder(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as made:
        folder = Path(made) / out.name
        folder.mkdir()
        _write(bundle, folder, wanted, shown, powers, tick or (lambda *_: None))
        if out.exists():
            # Deleted with the temporary folder, once the new one stands in its place.
            out.rename(Path(made) / "before")
        folder.rename(out)
    size = sum(file.stat().st_size for file in out.iterdir())
    return Exported(out, wanted, size)


def _check_folder(out: Path) -> None:
    """Refuse a folder that holds what no site has: it would be lost."""
    if not out.exists():
        return
    if not out.is_dir():
        raise UserError(f"--out {out} is a file; give a folder.")
    own = {file.name for file in OWN.iterdir()} | WRITTEN
    for entry in sorted(out.iterdir()):
        if entry.name not in own and not entry.match(ANALYSES):
            raise UserError(
                f"--out {out} holds {entry.name}, which is not of a site; give a folder that is "
                "not there yet, and copy the site from it."
            )


def _write(
    bundle: Bundle,
    folder: Path,
    months: tuple[str, ...],
    first: str,
    powers: list[float | None],
    tick: Callable[[str, int, int], None],
) -> None:
    calendar = sorted({int(month[5:7]) for month in months})
    for file in OWN.iterdir():
        shutil.copyfile(file, folder / file.name)
    script = Path(bokeh.__file__).parent / "server" / "static" / "js" / BOKEH
    shutil.copyfile(script, folder / BOKEH)
    stages = 4 + len(calendar)
    tick("writing the decoder", 0, stages)
    pixels = pixels_of(bundle.grid)
    files: dict[str, Any] = {"decoder": write_decoder(bundle, calendar, folder / "decoder.bin")}
    look = Arrays(folder / "pixels.bin")
    look.add("cell", pixels.cell)
    look.add("middle", pixels.middle)
    files["pixels"] = look.write()
    tick("drawing the maps", 1, stages)
    document = document_of(bundle)
    (folder / "maps.json").write_text(json.dumps(document), encoding="utf-8")
    tick("writing the months", 2, stages)
    files["months"] = write_months(bundle, months, folder / "months.bin")
    tick("writing the statistics", 3, stages)
    files["statistics"] = write_statistics(bundle, folder / "statistics.bin")
    for i, month in enumerate(calendar):
        tick("writing what analyses need", 4 + i, stages)
        name = f"analysis-{month:02d}"
        files[name] = write_analyses(bundle, month, folder / f"{name}.bin")
    written = _about(bundle, months, first, powers, pixels.limits) | {"files": files}
    (folder / "site.json").write_text(json.dumps(written, indent=1), encoding="utf-8")
    # What the host is not to read anything into: GitHub's pages leave out folders by their names.
    (folder / ".nojekyll").touch()
    tick("done", stages, stages)


def _about(
    bundle: Bundle,
    months: tuple[str, ...],
    first: str,
    powers: list[float | None],
    limits: tuple[float, ...],
) -> dict[str, Any]:
    """Return what the page reads first."""
    config, settings, grid = bundle.decoder.config, bundle.settings, bundle.grid
    weights = bundle.normaliser.weights
    nodes, node_weights = np.polynomial.hermite_e.hermegauss(5)
    return {
        "title": bundle.title,
        "bundle": bundle.name,
        "source": str(bundle.config.get("source", "")),
        "licence": str(bundle.config.get("licence", "")),
        "base_period": bundle.base_period,
        "made_with": f"mlda-climate {version('mlda-climate')}, Bokeh {bokeh.__version__}",
        "first": first,
        "months": [{"label": m, "calendar": int(m[5:7]), "split": bundle.split(m)} for m in months],
        "variables": [
            {
                "name": v.name,
                "label": v.label,
                "units": v.anomaly_units,
                "decimals": v.decimals,
                "power": power,
                "area": [round(float(w), 9) for w in weights[i].max(axis=1)],
            }
            for i, (v, power) in enumerate(zip(bundle.variables, powers, strict=True))
        ],
        "shape": {
            "variables": len(bundle.variables),
            "lat": grid.shape[0],
            "lon": grid.shape[1],
            "latents": bundle.n_latent,
            "patterns": config.n_patterns,
            "statistics": len(bundle.statistics.patterns),
            "periodic": bool(grid.is_global),
            "latitudes": [round(float(v), 6) for v in grid.lat],
            "longitudes": [round(float(v), 6) for v in grid.lon],
            "hybrid": {"sparse": settings.hybrid_sparse, "dense": settings.hybrid_dense},
            "halfWidth": settings.half_width,
        },
        # Gauss-Hermite nodes and weights of a mean over a normal distribution.
        "nodes": [
            [float(x), float(w)]
            for x, w in zip(nodes, node_weights / node_weights.sum(), strict=True)
        ],
        "columns": COLUMNS,
        "outside": OUTSIDE,
        "limits": list(limits),
        "leading": LEADING,
    }
