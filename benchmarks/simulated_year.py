"""Compare one simulated year with the same year of SPEEDY in Fortran.

Beside each number stands what one Fortran member says of the others, in brackets: what chaos
alone leaves. The table is that of docs/simulate.md. One year of one member is enough to see a
wrong unit, a wrong sea, or a lost mass of air; it is no climate.

mlda simulate --years 1997 --out runs/year
python benchmarks/simulated_year.py runs/year path/to/speedy-amip path/to/speedy-upper
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.grid import Grid
from mlda_core.climate.metrics import compare
from mlda_core.sources.speedy import list_files

# Units of the table, and how many of them one canonical unit is; decimals of means and of errors.
SHOWN = {
    "psl": ("hPa", 0.01, 1, 1),
    "tas": ("K", 1.0, 2, 1),
    "pr": ("mm/day", 86400.0, 2, 1),
    "zg500": ("m", 1.0, 0, 0),
    "ua850": ("m/s", 1.0, 2, 1),
    "va850": ("m/s", 1.0, 2, 1),
}
Array = NDArray[np.float64]


def scores(model: Array, target: Array, weights: Array) -> tuple[float, float, float]:
    """Return correlation of the annual mean, mean correlation of the months, and RMSE.

    Fields are (12, lat, lon). The RMSE is of the annual mean, without its global mean.
    """
    year = compare(target.mean(0), model.mean(0), weights)
    bias = year.model_mean - year.target_mean
    months = [compare(t, m, weights).r for t, m in zip(target, model, strict=True)]
    return year.r, float(np.mean(months)), float(np.sqrt(year.rmse**2 - bias**2))


def main() -> None:
    """Print a row a variable."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("simulated", type=Path, help="folder that mlda simulate wrote")
    parser.add_argument("fortran", type=Path, nargs="+", help="folders of mMM_YYYY.nc files")
    parser.add_argument("--year", type=int, default=1997)
    parser.add_argument("--member", type=int, default=0)
    arguments = parser.parse_args()

    ours = xr.load_dataset(list_files(arguments.simulated)[arguments.member, arguments.year])
    weights = Grid(ours["lat"].to_numpy(), ours["lon"].to_numpy()).weights
    for folder in arguments.fortran:
        files = [p for (_, year), p in list_files(folder).items() if year == arguments.year]
        theirs = [xr.load_dataset(path) for path in files]
        for name, (units, scale, digits, error_digits) in SHOWN.items():
            if name not in theirs[0]:
                continue
            members = np.stack([d[name].to_numpy() for d in theirs]) * scale
            model = ours[name].to_numpy() * scale
            found = scores(model, members.mean(0), weights)
            each = [
                scores(members[i], np.delete(members, i, axis=0).mean(0), weights)
                for i in range(len(members))
            ]
            chaos = np.mean(each, axis=0)
            means = [float((weights * f).sum()) for f in (model.mean(0), members.mean((0, 1)))]
            cells = [
                f"`{name}`, {units}",
                f"{means[0]:.{digits}f} / {means[1]:.{digits}f}",
                *(f"{a:.3f} ({b:.3f})" for a, b in zip(found[:2], chaos[:2], strict=True)),
                f"{found[2]:.{error_digits}f} ({chaos[2]:.{error_digits}f})",
            ]
            print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
