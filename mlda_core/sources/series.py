"""All months or days of one variable, from all its files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlda_core.climate.grid import Grid
from mlda_core.climate.time_step import TimeStep
from mlda_core.sources import SourceError
from mlda_core.sources.netcdf import Field, Projected


@dataclass(frozen=True, eq=False)
class Series:
    """All months or days of one variable, across its files.

    Parameters
    ----------
    name : str
        Canonical.
    fields : tuple of Field
        The files.
    where : dict of datetime64[M] or datetime64[D] to (int, int)
        File index and position of each time.
    """

    name: str
    fields: tuple[Field, ...]
    where: dict[np.datetime64, tuple[int, int]]

    @property
    def grid(self) -> Grid | Projected:
        """The grid shared by all its files."""
        return self.fields[0].grid

    @property
    def step(self) -> TimeStep:
        """The time step of its files."""
        return self.fields[0].times.step

    @property
    def base_period(self) -> str:
        """The base period of its anomalies, or '' if it is not an anomaly.

        Raises
        ------
        SourceError
            If the files state different ones.
        """
        first = self.fields[0]
        for other in self.fields[1:]:
            if other.base_period != first.base_period:
                raise SourceError(
                    f"{other.path} has {other.variable} from "
                    f"{other.base_period or 'no stated period'} and {first.path.name} from "
                    f"{first.base_period or 'no stated period'}; give files of one base period."
                )
        return first.base_period
