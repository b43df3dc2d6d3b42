"""Standardised training months, with their split, member and calendar month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.cf import fault_of_times, step_of
from mlda_core.climate.errors import UserError
from mlda_core.climate.grid import Grid
from mlda_core.climate.possible import possible_of
from mlda_core.climate.preprocess import Preprocessor, samples
from mlda_core.climate.seasons import Seasons
from mlda_core.climate.splits import month_name
from mlda_core.climate.time_step import MONTH, TimeStep
from mlda_core.climate.variables import Variable
from mlda_core.sources.mixed import Parents, find_parents
from mlda_core.vae.config import ConfigError, ModelConfig


@dataclass(frozen=True, eq=False)
class Months:
    """Samples, as one array for each attribute.

    Parameters
    ----------
    x : ndarray of float32, shape (n, V, lat, lon)
        Standardised anomalies, zero where missing.
    anomalies : ndarray of float32, shape (n, V, lat, lon)
        Display-unit anomalies, NaN where missing.
    season : ndarray of int, shape (n,)
        Seasons of the climatology: calendar months 1..12, or days of a leap year 1..366.
    calendar : ndarray of int, shape (n,)
        Calendar months 1..12, which the networks know.
    names : ndarray of str, shape (n,)
        ``YYYY-MM``, or ``YYYY-MM-DD`` of days.
    member : ndarray of int, shape (n,)
    split : ndarray of str, shape (n,)
    present : ndarray of bool, shape (n, V, lat, lon), optional
        Which cells a sample has, among those where its variables exist; None if every sample
        has every cell.
    """

    x: NDArray[np.float32]
    anomalies: NDArray[np.float32]
    season: NDArray[np.int64]
    calendar: NDArray[np.int64]
    names: NDArray[np.str_]
    member: NDArray[np.int64]
    split: NDArray[np.str_]
    present: NDArray[np.bool_] | None = None

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Months:
        """Return the samples selected by a mask, or by their rows."""
        parts: dict[str, Any] = {k: getattr(self, k) for k in self.__dataclass_fields__}
        kept: dict[str, Any] = {k: v if v is None else v[chosen] for k, v in parts.items()}
        return Months(**kept)

    def in_split(self, *names: str) -> Months:
        """Return the samples of the named splits."""
        return self.where(np.isin(self.split, names))

    def __len__(self) -> int:
        return len(self.x)


def joined(parts: Sequence[Months]) -> Months:
    """Return the samples of several sets as one."""
    if len(parts) == 1:
        return parts[0]
    names = [name for name in Months.__dataclass_fields__ if name != "present"]
    arrays: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in names
    }
    return Months(**arrays, present=joint_present(parts))


_BLOCK = 256
# Least number of values in each calendar month for a cell's climatology and spread.
LEAST_MONTHS = 10


def joint_present(parts: Sequence[Months]) -> NDArray[np.bool_] | None:
    """Return the concatenated masks of present cells of several sets, None if all are present."""
    if all(part.present is None for part in parts):
        return None
    return np.concatenate(
        [np.ones(p.x.shape, dtype=bool) if p.present is None else p.present for p in parts]
    )


def mean_square(
    error: NDArray[np.floating],
    present: NDArray[np.bool_] | None,
    otherwise: NDArray[np.floating] | float = 0.0,
) -> NDArray[np.floating]:
    """Return the mean squared error over samples, counting present cells only.

    Parameters
    ----------
    error : ndarray, shape (n, V, lat, lon)
    present : ndarray of bool, shape as ``error``, optional
        Cells to count; all by default.
    otherwise : ndarray or float
        Value of cells that no sample has.

    Returns
    -------
    ndarray, shape (V, lat, lon)
    """
    if present is None:
        return np.asarray((error**2).mean(axis=0))
    count = present.sum(axis=0)
    total = np.where(present, error, 0.0).astype(np.float64)
    mean = np.square(total).sum(axis=0) / np.maximum(count, 1)
    return np.where(count > 0, mean, otherwise).astype(error.dtype)


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Training data, built from the canonical datasets of a configuration.

    Parameters
    ----------
    normaliser : Preprocessor
        Fitted on the training months under the observed sea.
    observed : Months
        Every month under the observed sea.
    mixed : Months, optional
        Months under synthetic seas, mixed or patched, that are allowed in training.
    """

    normaliser: Preprocessor
    observed: Months
    mixed: Months | None

    @cached_property
    def train(self) -> Months:
        """Training months under the observed sea."""
        return self.observed.in_split("train")

    @cached_property
    def missing(self) -> float:
        """Area fraction of their variables' cells that the training months lack, 0..1."""
        if self.train.present is None:
            return 0.0
        return float(
            1 - (self.train.present.mean(axis=0) * self.normaliser.weights).sum(axis=(1, 2)).mean()
        )


@contextmanager
def open_canonical(path: Path, variables: Sequence[Variable]) -> Iterator[xr.Dataset]:
    """Open a canonical dataset and check its format.

    Parameters
    ----------
    path : Path
    variables : sequence of Variable
        Required variables, in their units.

    Raises
    ------
    ConfigError
        Names the file, the fault and the remedy.
    """
    try:
        opened = xr.open_dataset(path)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read; make it with 'mlda data prepare'.") from error
    with opened as data:
        fault = fault_of_times(data, _step_of(data, path))
        if fault:
            raise ConfigError(f"{path} {fault}; make it with 'mlda data prepare'.")
        for variable in variables:
            if variable.name not in data:
                raise ConfigError(
                    f"{path} has no variable '{variable.name}'; leave it out of the model."
                )
            dims, units = data[variable.name].dims, data[variable.name].attrs.get("units")
            if dims == ("member", "time", "y", "x"):
                raise ConfigError(
                    f"{path} is on a projected grid, and models are trained on latitudes and "
                    "longitudes; make it again with 'mlda data prepare --grid'."
                )
            if dims != ("member", "time", "lat", "lon"):
                raise ConfigError(
                    f"{path} has {variable.name} on ({', '.join(map(str, dims))}), not (member, "
                    "time, lat, lon); make it with 'mlda data prepare'."
                )
            if units is not None and units != variable.units:
                raise ConfigError(
                    f"{path} has {variable.name} in '{units}', not '{variable.units}'; convert it."
                )
        try:
            yield data
        except RuntimeError as error:
            # Values are read lazily; torch raises RuntimeErrors too.
            if str(error).startswith("NetCDF:"):
                raise ConfigError(
                    f"{path} is damaged ({error}); make it again with 'mlda data prepare'."
                ) from error
            raise


def _step_of(data: xr.Dataset, path: Path) -> TimeStep:
    try:
        return step_of(data)
    except UserError as error:
        raise ConfigError(f"{path}: {error}") from error


def load_training_data(config: ModelConfig) -> TrainingData:
    """Read, split and standardise the months of a configuration.

    The climatology, transform and spread are fitted on the training months under the observed
    sea alone. Months may lack cells, or whole variables: missing values are not filled in, and
    are excluded from every mean, loss and score (:attr:`Months.present`).

    Raises
    ------
    ConfigError
        If a dataset is missing, of another format, or lacks what the configuration requires.
    """
    path = config.data.observed
    with open_canonical(path, config.variables) as data:
        fields, time, member = samples(data, config.variables)
        seasons = Seasons(_step_of(data, path))
        try:
            grid = Grid(data["lat"].values, data["lon"].values)
        except ValueError as error:
            raise ConfigError(f"{path}: {error}") from error
    step = seasons.step
    _refuse_impossible(path, config, fields, step)
    names = np.array(step.labels(time))
    split = np.array([config.splits.of(n) for n in names])
    season = seasons.of_times(time)
    if config.first_month and config.first_month not in names:
        raise ConfigError(
            f"{path} has no {step} {config.first_month} to show first; change model.first_month."
        )
    for needed in ("train", "validation"):
        if needed not in split:
            raise ConfigError(
                f"{path} has no {needed} {step}; change the years of [splits] or add data."
            )
    if config.data.shipped_member not in member:
        raise ConfigError(
            f"{path} has no member {config.data.shipped_member} to ship; change shipped_member."
        )
    chosen = split == "train"
    normaliser = Preprocessor.fit(
        fields[chosen],
        season[chosen],
        config.variables,
        grid,
        of=seasons,
        power=config.data.power,
        least=LEAST_MONTHS,
    )
    _refuse_unseen(path, config, normaliser, fields[split == "validation"])
    observed = _months(normaliser, fields, season, names, member, split)
    synthetic = [_clean_mixed(config, path, normaliser) for path in config.data.synthetic]
    return TrainingData(normaliser, observed, joined(synthetic) if synthetic else None)


def _refuse_impossible(
    path: Path, config: ModelConfig, fields: NDArray[np.float32], step: TimeStep
) -> None:
    """Refuse values outside a variable's possible range."""
    for v, variable in enumerate(config.variables):
        limits = possible_of(variable, step)
        if limits is None or np.isnan(fields[:, v]).all():
            continue
        least, most = float(np.nanmin(fields[:, v])), float(np.nanmax(fields[:, v]))
        low, high = limits.extremes
        if least < low or most > high:
            raise ConfigError(
                f"{path} has {variable.name} from {least:.4g} to {most:.4g} "
                f"{variable.display_units}, and only {low:.4g} to {high:.4g} is possible; correct "
                "the dataset, or the scale and offset of the variable."
            )


def _refuse_unseen(
    path: Path, config: ModelConfig, normaliser: Preprocessor, validation: NDArray[np.float32]
) -> None:
    """Refuse a variable missing from all validation months: its skill decides when to stop."""
    for v, variable in enumerate(config.variables):
        if not (np.isfinite(validation[:, v]) & normaliser.mask[v]).any():
            raise ConfigError(
                f"{path} has no {variable.name} in any validation month; hold out years that have "
                "it, or leave it out of the model."
            )


def _clean_mixed(config: ModelConfig, path: Path, normaliser: Preprocessor) -> Months:
    """Months under synthetic seas whose parent months train, so that no held-out sea leaks.

    Raises
    ------
    ConfigError
        If the datasets' grids differ, or a held-out year is absent and cannot be recognised.
    """
    with (
        open_canonical(config.data.observed, config.variables) as seas,
        open_canonical(path, config.variables) as data,
    ):
        for variable in config.variables:
            periods = [d[variable.name].attrs.get("base_period") for d in (seas, data)]
            if None not in periods and periods[0] != periods[1]:
                raise ConfigError(
                    f"{path} has {variable.name} as anomalies from {periods[1]}, and "
                    f"{config.data.observed} from {periods[0]}; use one base period."
                )
        if not (
            np.array_equal(seas["lat"], data["lat"]) and np.array_equal(seas["lon"], data["lon"])
        ):
            raise ConfigError(f"{path} is on another grid than {config.data.observed}; regrid it.")
        there = set(seas["time"].dt.year.values.tolist())
        splits = config.splits
        hidden = sorted({*splits.test, *splits.validation, *splits.calibration} - there)
        if hidden:
            raise ConfigError(
                f"{config.data.observed} lacks the held-out year {hidden[0]}, so its sea cannot be "
                f"recognised in {path}; add the year or set mixed_share = 0."
            )
        parents = find_parents(seas, data)
        fields, time, member = samples(data, config.variables)
    calendar = MONTH.calendar_months(time)
    years = time.astype("datetime64[Y]").astype(np.int64) + 1970
    keep = np.array(
        [
            _may_train(config, parents[int(who), int(year)], int(month))
            for who, year, month in zip(member, years, calendar, strict=True)
        ]
    )
    names = np.array([month_name(t) for t in time])
    split = np.full(len(names), "train")
    return _months(normaliser, fields[keep], calendar[keep], names[keep], member[keep], split[keep])


def _may_train(config: ModelConfig, parents: Parents, month: int) -> bool:
    """Whether the parents are known and in the training split in this month."""
    # Correct parents explain at least 0.81; an unknown one leaves at most 0.63, unless its weight
    # is below 0.2.
    if not parents.explained >= 0.7:
        return False
    return all(config.splits.of(f"{year}-{month:02d}") == "train" for year in parents.years)


def _months(
    normaliser: Preprocessor,
    fields: NDArray[np.float32],
    season: NDArray[np.int64],
    names: NDArray[np.str_],
    member: NDArray[np.int64],
    split: NDArray[np.str_],
) -> Months:
    x = np.empty(fields.shape, np.float32)
    anomalies = np.empty_like(x)
    # In blocks: thirty years of days in float64 are 10 GB.
    for first in range(0, len(fields), _BLOCK):
        part = slice(first, first + _BLOCK)
        x[part] = np.nan_to_num(normaliser.standardise(fields[part], season[part]))
        anomalies[part] = normaliser.anomalies(fields[part], season[part])
    present = np.isfinite(anomalies) | ~normaliser.mask
    whole = bool(present.all())
    calendar = normaliser.seasons.calendar_months(season)
    return Months(x, anomalies, season, calendar, names, member, split, None if whole else present)
