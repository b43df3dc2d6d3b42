"""Points of a learning curve: amounts of data, and their months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.preprocess import Preprocessor
from mlda_core.vae.config import ConfigError, ModelConfig
from mlda_core.vae.dataset import Months, TrainingData, joint_present, open_canonical


@dataclass(frozen=True)
class Point:
    """One amount of data.

    Parameters
    ----------
    members : tuple of int
        Whose months under the observed sea are used.
    mixed : bool
        Whether months under mixed seas are used in training too.
    """

    members: tuple[int, ...]
    mixed: bool

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"members-{len(self.members)}" + ("-mixed" if self.mixed else "")


def read_members(config: ModelConfig) -> tuple[int, ...]:
    """Return the members of a configuration's observed dataset, the bundled one first.

    Parameters
    ----------
    config : ModelConfig

    Returns
    -------
    tuple of int

    Raises
    ------
    ConfigError
        If the dataset cannot be read.
    """
    with open_canonical(config.data.observed, config.variables) as data:
        found = [int(m) for m in data["member"].values]
    return tuple(sorted(found, key=lambda m: (m != config.data.shipped_member, m)))


def choose_points(config: ModelConfig, counts: Sequence[str]) -> tuple[Point, ...]:
    """Return the points for numbers of members, with and without mixed seas.

    Parameters
    ----------
    config : ModelConfig
        Provides the data; without a dataset of mixed seas there are no points with them.
    counts : sequence of str
        Integers, or ``all``.

    Returns
    -------
    tuple of Point
        In increasing order of months.

    Raises
    ------
    ConfigError
        If a count is invalid, or larger than the number of members.
    """
    members = read_members(config)
    wanted = set()
    for text in counts:
        count = len(members) if text == "all" else int(text) if text.isdecimal() else 0
        if not 1 <= count <= len(members):
            raise ConfigError(
                f"'{text}' is no number of members; {config.data.observed} has {len(members)}: "
                "write numbers of 1 or more, or all, separated by commas."
            )
        wanted.add(count)
    seas = (False, True) if has_mixed(config) else (False,)
    return tuple(Point(members[:n], mixed) for mixed in seas for n in sorted(wanted))


def has_mixed(config: ModelConfig) -> bool:
    """Whether months under mixed seas are used in training."""
    return bool(config.data.synthetic)


def full_fields(months: Months, normaliser: Preprocessor) -> NDArray[np.float64]:
    """Return full fields of months, display units, (n, V, lat, lon)."""
    return np.asarray(months.anomalies + normaliser.climatology[months.season - 1])


def restandardised(months: Months, old: Preprocessor, new: Preprocessor) -> Months:
    """Return months restandardised by another climatology and spread."""
    fields = full_fields(months, old)
    anomalies = new.anomalies(fields, months.season).astype(np.float32)
    present = np.isfinite(anomalies) | ~new.mask
    return replace(
        months,
        x=np.nan_to_num(new.standardise(fields, months.season)).astype(np.float32),
        anomalies=anomalies,
        present=None if present.all() else present,
    )


def without_validation(data: TrainingData) -> TrainingData:
    """Drop the scored months: neither the prior nor any error may be estimated from them."""
    return replace(data, observed=data.observed.in_split("train", "calibration"))


def watching_calibration(data: TrainingData) -> TrainingData:
    """Use calibration months in place of validation for early stopping, for the same reason."""
    split = np.where(data.observed.split == "calibration", "validation", data.observed.split)
    return replace(data, observed=replace(data.observed, split=split))


def joined(data: TrainingData) -> Months:
    """Return months under the observed sea, followed by those under mixed seas."""
    parts = [data.observed] if data.mixed is None else [data.observed, data.mixed]
    arrays = {
        name: np.concatenate([getattr(p, name) for p in parts])
        for name in ("x", "anomalies", "season", "calendar", "names", "member", "split")
    }
    return Months(**arrays, present=joint_present(parts))
