"""Physically possible ranges of variables: of a single month and cell, and of means.

The limits are generous. They detect fields in other units, of another quantity or with an
unmasked missing value; they do not judge data quality. World records of single readings (World
Meteorological Organization, https://wmo.asu.edu) lie within them, and so do the smallest region
and the single month: Antarctica alone, a dry Sahara.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlda_core.climate.time_step import DAY, MONTH, TimeStep
from mlda_core.climate.variables import Variable

Range = tuple[float, float]


class Possible(NamedTuple):
    """Range of possible values of a variable.

    Parameters
    ----------
    units : str
        Of the limits.
    extremes : tuple of float
        Of a monthly mean in a cell, and of a station's monthly mean.
    mean : tuple of float
        Of the mean over any region and time.
    globe : tuple of float, optional
        Of the area mean over the globe, in any month; None if unknown.
    """

    units: str
    extremes: Range
    mean: Range
    globe: Range | None = None

    def scaled(self, scale: float, offset: float, units: str) -> Possible:
        """Return the limits in other units: ``other = limit * scale + offset``."""

        def of(limits: Range) -> Range:
            low, high = sorted(limit * scale + offset for limit in limits)
            return low, high

        globe = None if self.globe is None else of(self.globe)
        return Possible(units, of(self.extremes), of(self.mean), globe)


_MM_A_DAY = 1 / 86400  # kg m-2 s-1

# By canonical name. Pressure reduced to sea level under high ground can exceed the record.
POSSIBLE: dict[str, Possible] = {
    "psl": Possible("Pa", (85_000.0, 110_000.0), (94_000.0, 107_000.0), (99_000.0, 103_000.0)),
    "tos": Possible("K", (268.0, 313.0), (269.0, 309.0), (280.0, 303.0)),
    "tas": Possible("K", (180.0, 335.0), (190.0, 320.0), (276.0, 305.0)),
    # Spectral models and packing leave slightly negative rain in dry places.
    "pr": Possible(
        "kg m-2 s-1",
        (-0.5 * _MM_A_DAY, 350 * _MM_A_DAY),
        (-0.01 * _MM_A_DAY, 120 * _MM_A_DAY),
        (0.5 * _MM_A_DAY, 10 * _MM_A_DAY),
    ),
    "sund": Possible("s", (0.0, 86_400.0), (0.0, 86_400.0)),
    "tasa": Possible("K", (-30.0, 30.0), (-12.0, 12.0), (-6.0, 6.0)),
    "zg500": Possible("m", (4300.0, 6200.0), (4500.0, 6100.0), (5200.0, 5900.0)),
    "ua850": Possible("m s-1", (-80.0, 80.0), (-40.0, 40.0), (-15.0, 15.0)),
    "va850": Possible("m s-1", (-60.0, 60.0), (-25.0, 25.0), (-5.0, 5.0)),
}

# Of a day, where a single one can go beyond every month's mean: the world record of rain in 24
# hours is 1825 mm (Foc-Foc, 1966), and winds of tropical cyclones pass 80 m/s at 850 hPa.
_DAILY_EXTREMES: dict[str, Range] = {
    "pr": (-0.5 * _MM_A_DAY, 2000 * _MM_A_DAY),
    "ua850": (-110.0, 110.0),
    "va850": (-110.0, 110.0),
}


def possible_in(name: str, step: TimeStep) -> Possible | None:
    """Return the limits of a canonical variable for a time step, or None if unknown."""
    known = POSSIBLE.get(name)
    if known is None or step is not DAY:
        return known
    return known._replace(extremes=_DAILY_EXTREMES.get(name, known.extremes))


def possible_of(variable: Variable, step: TimeStep = MONTH) -> Possible | None:
    """Return a variable's limits in display units, or None if unknown.

    Parameters
    ----------
    variable : Variable
        Its own ``extremes`` and ``mean_range`` take precedence over the table's.
    step : TimeStep
        Of the fields.
    """
    known = possible_in(variable.name, step)
    if known is not None and known.units == variable.units:
        known = known.scaled(variable.scale, variable.offset, variable.display_units)
    else:
        known = None
    if variable.extremes is None:
        return known
    return Possible(
        variable.display_units,
        variable.extremes,
        variable.mean_range or variable.extremes,
        known.globe if known is not None else None,
    )


def possible(variable: Variable, values: ArrayLike) -> NDArray[np.bool_]:
    """Whether absolute values of a variable are possible on Earth.

    Parameters
    ----------
    variable : Variable
    values : array_like
        Absolute values (not anomalies) in display units.

    Returns
    -------
    ndarray of bool, of the same shape
        True for missing values (NaN), and everywhere if the variable's limits are unknown.
    """
    given = np.asarray(values, dtype=np.float64)
    limits = possible_of(variable)
    if limits is None:
        return np.ones(given.shape, dtype=bool)
    low, high = limits.extremes
    # Negated on purpose: comparisons with NaN are False.
    return ~((given < low) | (given > high))
