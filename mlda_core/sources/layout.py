"""File layout of a provider: variable names, units, detection."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from mlda_core.climate.cf import Cell
from mlda_core.climate.possible import POSSIBLE, Possible, possible_in
from mlda_core.climate.time_step import TimeStep
from mlda_core.climate.units import Reading, UnitsError, read_units, shown
from mlda_core.climate.variables import DEFAULTS, is_anomaly
from mlda_core.sources import SourceError

Amount = Literal["", "hour", "day", "month"]


@dataclass(frozen=True)
class Canonical:
    """Name, units and description of a variable in the canonical dataset.

    Parameters
    ----------
    name, standard_name, units, long_name : str
        CF attributes.
    """

    name: str
    standard_name: str
    units: str
    long_name: str

    @property
    def anomaly(self) -> bool:
        """Whether the variable itself is an anomaly, without an absolute value behind it."""
        return is_anomaly(self.standard_name)

    @property
    def possible(self) -> Possible:
        """Range of possible values on Earth, in its units."""
        return POSSIBLE[self.name]

    @property
    def attrs(self) -> dict[str, str]:
        """Attributes of the variable in the canonical dataset."""
        return {
            "standard_name": self.standard_name,
            "long_name": self.long_name,
            "units": self.units,
        }


CANONICAL: dict[str, Canonical] = {
    v.name: Canonical(v.name, v.standard_name, v.units, v.label) for v in DEFAULTS.values()
} | {
    # Daily, not monthly: a monthly sum would depend on the month's length.
    "sund": Canonical("sund", "duration_of_sunshine", "s", "Daily duration of sunshine"),
    # Provided as an anomaly: no absolute temperature is available.
    "tasa": Canonical(
        "tasa", "surface_temperature_anomaly", "K", "Surface temperature anomaly as provided"
    ),
    "zg500": Canonical("zg500", "geopotential_height", "m", "Geopotential height at 500 hPa"),
    "ua850": Canonical("ua850", "eastward_wind", "m s-1", "Eastward wind at 850 hPa"),
    "va850": Canonical("va850", "northward_wind", "m s-1", "Northward wind at 850 hPa"),
}


@dataclass(frozen=True)
class Known:
    """A variable that a provider's files may contain.

    Parameters
    ----------
    names : tuple of str
        Its names in the files.
    name : str
        A key of :data:`CANONICAL`.
    amount : {"", "hour", "day", "month"}
        Period over which an amount was summed, if the units do not state it.
    floor : float, optional
        Canonical values below it are raised to it.
    sea_only : bool
        Whether land has to be masked by the provider's land file.
    level : float, optional
        Pressure level to take, Pa, of a variable on pressure levels.
    """

    names: tuple[str, ...]
    name: str
    amount: Amount = ""
    floor: float | None = None
    sea_only: bool = False
    level: float | None = None

    @property
    def possible(self) -> Possible:
        """Range of possible file values: skin temperatures include land and ice until masked."""
        return CANONICAL["tas" if self.sea_only else self.name].possible

    def possible_in(self, step: TimeStep) -> Possible:
        """Range of possible file values for a time step."""
        found = possible_in("tas" if self.sea_only else self.name, step)
        return found if found is not None else self.possible


@dataclass(frozen=True)
class Layout:
    """File layout of one provider.

    Parameters
    ----------
    key : str
        Its name on the command line.
    title : str
        Display name; goes into the dataset's ``source``.
    known : tuple of Known
        Its variables.
    recognises : callable
        Whether an opened file is the provider's.
    projected : bool
        Whether the files are on a projected grid, which is kept.
    merge : callable, optional
        Reduces a variable's extra dimensions before they are dropped.
    limits : callable, optional
        Returns the valid range, unpacked, of an opened file; values outside are missing.
    begins : bool
        Whether the provider stamps months at their beginning.
    words : tuple of str
        Words, of which a file must contain one for ``begins`` to apply; empty if no other
        provider has such files.
    amount : callable, optional
        Returns the period over which an amount was summed, from the variable, its file and the
        time step; ``known.amount`` by default.
    cell : callable, optional
        Returns whether a variable of a daily file is a mean over days or a state, where its
        ``cell_methods`` do not; a mean by default. Refuses what is neither.
    base_period : str
        Base period of the provider's anomalies, for files that do not state it.
    """

    key: str
    title: str
    known: tuple[Known, ...]
    recognises: Callable[[xr.Dataset], bool]
    projected: bool = False
    merge: Callable[[xr.DataArray], xr.DataArray] | None = None
    limits: Callable[[xr.Dataset], tuple[float, float] | None] | None = None
    begins: bool = False
    words: tuple[str, ...] = ()
    amount: Callable[[Known, xr.DataArray, xr.Dataset, TimeStep], Amount] | None = None
    cell: Callable[[Known, xr.DataArray, xr.Dataset, object], Cell] | None = None
    base_period: str = ""

    def find(self, data: xr.Dataset) -> dict[str, Known]:
        """Return the known variables of a file, by their names in the file."""
        variables: dict[str, Known] = {}
        for known in self.known:
            for name in known.names:
                if name not in data.data_vars or known in variables.values():
                    continue
                # ECMWF's "z" without levels is the height of the ground.
                if known.level is None or has_levels(data[name]):
                    variables[name] = known
        return variables


LEVELS = re.compile(r"^(pressure_level|level|plev|lev|pressure|isobaric\w*)$", re.IGNORECASE)


def has_levels(field: xr.DataArray) -> bool:
    """Whether a variable has a coordinate of pressure levels, by its name."""
    return any(LEVELS.match(str(name)) for name in field.coords)


def says(data: xr.Dataset, *words: str) -> bool:
    """Whether a file's or a variable's attributes contain any of some words, ignoring case."""
    texts = [str(value) for value in data.attrs.values()]
    for name in data.data_vars:
        texts += [str(value) for value in data[name].attrs.values()]
    every = " ".join(texts).lower()
    return any(word.lower() in every for word in words)


_WATER = 1000.0  # kg m-3: a metre of rain is 1000 kg m-2
_SECONDS = 86400.0
_GRAVITY = 9.80665  # m s-2: the standard one, of geopotential metres


@dataclass(frozen=True)
class Conversion:
    """``canonical = value * scale + offset``, divided by the month's days if ``by_month``.

    Parameters
    ----------
    scale, offset : float
        From the units.
    by_month : bool
        Whether the value is a sum over the month.
    """

    scale: float
    offset: float = 0.0
    by_month: bool = False

    def apply(self, values: NDArray[np.float64], days: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert values (months, rows, columns), given the lengths of the months in days."""
        out = values * self.scale + self.offset
        return out / days[:, None, None] if self.by_month else out


def conversion(known: Known, units: object, path: object, name: str) -> Conversion:
    """Return the conversion from a variable's units to the canonical ones.

    Parameters
    ----------
    known : Known
        Its canonical identity.
    units : object
        Its ``units`` attribute.
    path, name : object, str
        For the message.

    Raises
    ------
    SourceError
        If the units are unknown or of another quantity.
    """
    canonical = CANONICAL[known.name]
    stated = str(units).strip() if units is not None else ""
    try:
        found = _convert(known, canonical, read_units(stated)) if stated else None
        why = f"which are no units of {canonical.long_name.lower()} ({canonical.units})"
    except UnitsError as error:
        found, why = None, f"but {error}"
    if found is not None:
        return found
    text = f"'{shown(stated)}', {why}" if stated else f"no units, {why}"
    raise SourceError(f"{path} has {name} in {text}; correct the file's attribute or convert it.")


def _convert(known: Known, canonical: Canonical, given: Reading) -> Conversion | None:
    """Return the conversion, or None if the units are of another quantity."""
    if canonical.standard_name == "geopotential_height":
        geopotential = given.linear("m2 s-2")
        if geopotential is not None:
            return Conversion(geopotential[0] / _GRAVITY)
    if canonical.units != "kg m-2 s-1":
        found = None if given.by_month else given.linear(canonical.units)
        if found is None:
            return None
        # Differences have no offset: half a degree Celsius is half a kelvin.
        offset = 0.0 if canonical.anomaly else found[1]
        return Conversion(found[0], offset, by_month=known.amount == "month")
    # A rate of mass or of depth, or an amount of either over the layout's period.
    for target, factor in (("kg m-2 s-1", 1.0), ("m s-1", _WATER)):
        rate = given.linear(target)
        if rate is not None:
            return Conversion(rate[0] * factor, by_month=given.by_month)
    for target, factor in (("kg m-2", 1.0), ("m", _WATER)):
        amount = given.linear(target)
        if amount is not None and known.amount:
            seconds = _SECONDS / 24 if known.amount == "hour" else _SECONDS
            return Conversion(amount[0] * factor / seconds, by_month=known.amount == "month")
    return None
