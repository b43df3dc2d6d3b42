"""Read and check the GCM's runs under observed and under perturbed SST."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.preprocess import to_display
from mlda_core.climate.splits import month_name
from mlda_core.perturbation.gcm import EXPERIMENTS, Float, GcmError
from mlda_core.sources.speedy import list_files, read_speedy

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.vae.dataset import Months

Tick = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs of one experiment and control runs over the same months.

    Anomalies from the bundle's climatology, display units.

    Parameters
    ----------
    experiment : str
        A key of :data:`~mlda_core.perturbation.gcm.EXPERIMENTS`.
    months : tuple of str
        ``YYYY-MM``, ascending.
    perturbed : ndarray of float32, shape (P, V, lat, lon)
        Mean over the months, one row for each member; NaN where a variable does not exist.
    unperturbed : ndarray of float32, shape (U, V, lat, lon)
        The same without the SST change.
    sea : ndarray of float32, shape (m, lat, lon)
        Unperturbed SST, common to all members; NaN over land.
    change : ndarray of float32, shape (m, lat, lon)
        SST change; zero over land.
    """

    experiment: str
    months: tuple[str, ...]
    perturbed: Float
    unperturbed: Float
    sea: Float
    change: Float

    @property
    def calendar(self) -> NDArray[np.int64]:
        """Calendar months 1..12, shape (m,)."""
        return np.array([int(m[5:7]) for m in self.months])

    @property
    def response(self) -> Float:
        """The GCM's mean response, shape (V, lat, lon)."""
        return np.asarray(self.perturbed.mean(axis=0) - self.unperturbed.mean(axis=0))

    @property
    def standard_error(self) -> Float:
        """Standard error of the response, shape (V, lat, lon).

        Members differ by internal variability only, perturbed or not, so variances are pooled: two
        or three perturbed members alone give a poor estimate.
        """
        both = (self.perturbed, self.unperturbed)
        squares = sum(((part - part.mean(axis=0)) ** 2).sum(axis=0) for part in both)
        freedom = sum(len(part) - 1 for part in both)
        share = sum(1 / len(part) for part in both)
        return np.asarray(np.sqrt(squares / freedom * share), np.float32)

    def halves(self) -> list[tuple[Float, Float]]:
        """Return all ways to split the runs into two independent halves.

        One perturbed member against the others (of two: one against one), each with half of the
        unperturbed members.

        Returns
        -------
        list of (a, b)
            The responses of both halves, shape (V, lat, lon).
        """
        middle = len(self.unperturbed) // 2
        control_a = self.unperturbed[:middle].mean(axis=0)
        control_b = self.unperturbed[middle:].mean(axis=0)
        members = np.arange(len(self.perturbed))
        return [
            (
                self.perturbed[i] - control_a,
                self.perturbed[members != i].mean(axis=0) - control_b,
            )
            for i in (members if len(members) > 2 else members[:1])
        ]


def read_runs(
    folder: Path, bundle: Bundle, unperturbed: Months, *, tick: Tick | None = None
) -> list[Runs]:
    """Read the perturbed runs for the months of a split.

    Parameters
    ----------
    folder : Path
        With a folder ``mMM_YYYY.nc`` for each of :data:`~mlda_core.perturbation.gcm.EXPERIMENTS`.
    bundle : Bundle
    unperturbed : Months
        The same months of every unperturbed member; they determine which are used.
    tick : callable, optional
        Called with (stage, files done, files in all).

    Returns
    -------
    list of Runs
        One for each experiment.

    Raises
    ------
    GcmError
        If a member lacks a month, a cell or the grid, or there are fewer than two members.
    SourceError
        If a file cannot be read.
    """
    months = tuple(sorted({str(n) for n in unperturbed.names}))
    controls, sea = _controls(unperturbed, months, bundle.sea_row)
    out = []
    for name in EXPERIMENTS:
        fields = _read_perturbed(folder / name, bundle, months, tick)
        means = fields.mean(axis=1, dtype=np.float64).astype(np.float32)
        change = np.nan_to_num(fields[:, :, bundle.sea_row].mean(axis=0) - sea).astype(np.float32)
        out.append(Runs(name, months, means, controls, sea, change))
    return out


def _controls(unperturbed: Months, months: tuple[str, ...], sea_row: int) -> tuple[Float, Float]:
    """Means over the months, (U, V, lat, lon), and the SST common to all members."""
    if sea_row < 0:
        raise GcmError("This bundle has no sea to warm; give one with sea surface temperature.")
    members = sorted({int(m) for m in unperturbed.member})
    if len(members) < 2:
        raise GcmError(
            f"There are {len(members)} unperturbed members, and halves of the GCM's runs need two; "
            "add members to the observed dataset."
        )
    means = []
    seas = np.zeros((len(months), *unperturbed.anomalies.shape[2:]), np.float64)
    for member in members:
        rows = np.flatnonzero(unperturbed.member == member)
        rows = rows[np.argsort(unperturbed.names[rows])]
        missing = sorted(set(months) - set(unperturbed.names[rows]))
        if missing:
            raise GcmError(
                f"Unperturbed member {member} lacks {missing[0]}, which others have; add it to the "
                "observed dataset."
            )
        means.append(unperturbed.anomalies[rows].mean(axis=0, dtype=np.float64))
        seas += unperturbed.anomalies[rows, sea_row]
    return np.stack(means).astype(np.float32), (seas / len(members)).astype(np.float32)


def _read_perturbed(
    folder: Path, bundle: Bundle, months: tuple[str, ...], tick: Tick | None
) -> Float:
    """Anomalies of every member, (P, m, V, lat, lon)."""
    years = sorted({int(m[:4]) for m in months})
    there = list_files(folder)
    members = sorted({m for m, y in there if y in years})
    if len(members) < 2:
        raise GcmError(
            f"{folder} has {len(members)} members of {_year_list(years)}, and halves of the GCM's "
            "runs need two; add the members, or score another split."
        )
    for member, year in product(members, years):
        if (member, year) not in there:
            raise GcmError(
                f"{folder} has member {member} but not its year {year}; add "
                f"m{member:02d}_{year}.nc, or take the member away."
            )

    def tell(done: int, total: int) -> None:
        if tick:
            tick(f"reading {folder.name}", done, total)

    data = read_speedy(
        folder,
        variables=[v.name for v in bundle.variables],
        members=members,
        years=years,
        progress=tell,
    )
    grid = bundle.grid
    for axis in ("lat", "lon"):
        mine, theirs = getattr(grid, axis), data[axis].values
        if mine.shape != theirs.shape or not np.allclose(mine, theirs, atol=1e-3):
            raise GcmError(f"{folder} is on another grid than {bundle.path}; regrid its files.")
    names = [month_name(t) for t in data["time"].values]
    rows = [names.index(m) for m in months]
    fields = to_display(
        {v.name: data[v.name].values[:, rows] for v in bundle.variables}, bundle.variables
    )
    for v, variable in enumerate(bundle.variables):
        gaps = ~np.isfinite(fields[:, :, v]) & bundle.mask[v]
        if gaps.any():
            i, m = np.argwhere(gaps.any(axis=(2, 3)))[0]
            raise GcmError(
                f"{folder} lacks cells of {variable.name} in {months[m]} of member {members[i]} "
                "that the bundle has; copy the file again."
            )
    calendar = np.array([int(m[5:7]) for m in months])
    anomalies = fields - bundle.normaliser.climatology[calendar - 1].astype(np.float32)
    return np.where(bundle.mask, anomalies, np.float32(np.nan))


def _year_list(years: list[int]) -> str:
    return ", ".join(map(str, years))
