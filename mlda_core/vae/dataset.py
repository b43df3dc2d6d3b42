"""Months as the networks see them, with their split, member and calendar month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.grid import Grid
from mlda_core.preprocess import Preprocessor, samples
from mlda_core.sources.mixed import find_parents
from mlda_core.splits import calendar_months, month_name
from mlda_core.vae.config import ConfigError, ModelConfig


@dataclass(frozen=True, eq=False)
class Months:
    """Samples in one array each.

    Parameters
    ----------
    x : ndarray of float32, shape (n, V, lat, lon)
        Standardised anomalies, zero where missing.
    anomalies : ndarray of float32, shape (n, V, lat, lon)
        Display-unit anomalies, NaN where missing.
    calendar : ndarray of int, shape (n,)
        Calendar months 1..12.
    names : ndarray of str, shape (n,)
        ``YYYY-MM``.
    member : ndarray of int, shape (n,)
    split : ndarray of str, shape (n,)
    """

    x: NDArray[np.float32]
    anomalies: NDArray[np.float32]
    calendar: NDArray[np.int64]
    names: NDArray[np.str_]
    member: NDArray[np.int64]
    split: NDArray[np.str_]

    def where(self, chosen: NDArray[np.bool_]) -> Months:
        """Return the samples that a mask chooses."""
        return Months(**{k: getattr(self, k)[chosen] for k in self.__dataclass_fields__})

    def in_split(self, *names: str) -> Months:
        """Return the samples of some splits."""
        return self.where(np.isin(self.split, names))

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What a training needs, made from the canonical datasets of a configuration."""

    normaliser: Preprocessor
    observed: Months
    mixed: Months | None
    land: NDArray[np.float32] | None

    @cached_property
    def train(self) -> Months:
        """Training months under the observed sea."""
        return self.observed.in_split("train")


def open_canonical(path: Path) -> xr.Dataset:
    """Open a canonical dataset.

    Raises
    ------
    ConfigError
        If it cannot be read.
    """
    try:
        return xr.open_dataset(path)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read; make it with 'mlda data prepare'.") from error


def load_training_data(
    config: ModelConfig, *, members: Sequence[int] | None = None
) -> TrainingData:
    """Read, split and standardise the months of a configuration.

    The climatology, transform and spread are fitted on the training months under the observed
    sea alone.

    Raises
    ------
    ConfigError
        If a dataset is missing or lacks a variable.
    """
    with open_canonical(config.data.observed) as opened:
        data = opened
        absent = [v.name for v in config.variables if v.name not in data]
        if absent:
            raise ConfigError(
                f"{config.data.observed} has no variable '{absent[0]}'; leave it out of the model."
            )
        if members is not None:
            data = data.sel(member=list(members))
        fields, time, member = samples(data, config.variables)
        grid = Grid(data["lat"].values, data["lon"].values)
        land = data["sftlf"].values.astype(np.float32) if "sftlf" in data else None
    names = np.array([month_name(t) for t in time])
    split = np.array([config.splits.of(n) for n in names])
    calendar = calendar_months(time)
    chosen = split == "train"
    normaliser = Preprocessor.fit(
        fields[chosen], calendar[chosen], config.variables, grid, power=config.data.power
    )
    observed = _months(normaliser, fields, calendar, names, member, split)
    mixed = None
    if config.data.mixed is not None and config.data.mixed_share > 0:
        mixed = _clean_mixed(config, config.data.mixed, normaliser)
    return TrainingData(normaliser, observed, mixed, land)


def _clean_mixed(config: ModelConfig, path: Path, normaliser: Preprocessor) -> Months:
    """Mixed months both of whose parent months train: no held-out sea enters."""
    with (
        open_canonical(config.data.observed) as seas,
        open_canonical(path) as data,
    ):
        parents = find_parents(seas, data)
        fields, time, member = samples(data, config.variables)
    calendar = calendar_months(time)
    years = time.astype("datetime64[Y]").astype(np.int64) + 1970
    split = np.array(
        [
            _worst(config, parents[int(who), int(year)].years, int(month))
            for who, year, month in zip(member, years, calendar, strict=True)
        ]
    )
    keep = split == "train"
    names = np.array([month_name(t) for t in time])
    return _months(normaliser, fields[keep], calendar[keep], names[keep], member[keep], split[keep])


def _worst(config: ModelConfig, years: tuple[int, int], month: int) -> str:
    splits = {config.splits.of(f"{year}-{month:02d}") for year in years}
    return "train" if splits == {"train"} else "held out"


def _months(
    normaliser: Preprocessor,
    fields: NDArray[np.float32],
    calendar: NDArray[np.int64],
    names: NDArray[np.str_],
    member: NDArray[np.int64],
    split: NDArray[np.str_],
) -> Months:
    x = np.nan_to_num(normaliser.standardise(fields, calendar)).astype(np.float32)
    anomalies = normaliser.anomalies(fields, calendar).astype(np.float32)
    return Months(x, anomalies, calendar, names, member, split)
