"""Check that fields are physically possible, and find the likely cause if not.

Wrong units, another quantity under the same name and unmasked missing values are plausible
numbers to a program. The checks run while a file is read, without a second pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.grid import Grid
from mlda_core.climate.possible import POSSIBLE, Possible, Range
from mlda_core.climate.time_step import MONTH, TimeStep
from mlda_core.sources import SourceError
from mlda_core.sources.places import Place

Float = NDArray[np.float64]

# Units that files labelled with other units may actually be in.
_CANDIDATES = {
    "Pa": ("Pa", "hPa", "kPa", "inHg", "mmHg"),
    "K": ("K", "degC", "degF", "0.01 K"),
    "kg m-2 s-1": ("kg m-2 s-1", "mm/day", "mm/month", "m/day", "mm/hour", "m/s"),
    "s": ("s", "minute", "hour"),
    "m": ("m", "dam", "km"),
    "m s-1": ("m/s", "knot", "km/hour"),
}
# Usual missing-value codes of tables and old formats; unlike real values they are isolated.
_CODES = np.array([9.99, 99.9, 99.99, 999.0, 999.9, 999.99, 9999.0, 9999.9, 32767.0, 32766.0])
# Temperatures in kelvin, which anomalies never reach.
_KELVIN = POSSIBLE["tas"].extremes
# Up to this many distinct impossible numbers are codes; more are a field.
_FEW = 3
# Least fraction of a global grid's area with values for a mean to count as global.
_WHOLE = {"tos": 0.5}
_MOST = 0.9


class Seen(NamedTuple):
    """Provenance of a block of fields.

    Parameters
    ----------
    path : Place
    variable, units : str
        As in the file.
    raw : ndarray, shape (n, rows, columns)
        Unpacked values in the file's units, NaN where missing.
    times : ndarray of datetime64[M] or datetime64[D], shape (n,)
    lat, lon : ndarray
        Of rows and columns, or of every cell.
    convert : callable, optional
        Converts values (n, rows, columns) and units to canonical values, or returns None.
    codes : bool
        Whether the user can pass missing-value codes.
    """

    path: Place
    variable: str
    units: str
    raw: Float
    times: NDArray[np.datetime64]
    lat: Float
    lon: Float
    convert: Callable[[Float, str], Float | None] | None = None
    codes: bool = True

    def place(self, index: tuple[int, ...]) -> str:
        """Return the place and time of a value, as text."""
        time, row, column = index
        two = self.lat.ndim == 2
        lat = float(self.lat[row, column] if two else self.lat[row])
        lon = float(self.lon[row, column] if two else self.lon[column]) % 360.0
        return f"{abs(lat):g}{'N' if lat >= 0 else 'S'} {lon:g}E in {self.times[time]}"


@dataclass
class Check:
    """Running plausibility check of one variable.

    Parameters
    ----------
    name, label : str
        Canonical.
    possible : Possible
        In canonical units.
    anomaly : bool
        Whether the variable itself is an anomaly.
    step : TimeStep
        Of the fields.
    """

    name: str
    label: str
    possible: Possible
    anomaly: bool = False
    step: TimeStep = MONTH
    notes: list[str] = field(default_factory=list)
    _total: Float | None = None
    _count: NDArray[np.int64] | None = None
    _raw: list[tuple[float, float, float]] = field(default_factory=list)
    _seen: Seen | None = None
    _cut: int = 0

    def note(self, seen_at: Place, variable: str, found: dict[float, int]) -> None:
        """Record numbers treated as missing although the file does not declare them."""
        for number, count in found.items():
            self.notes.append(
                f"{seen_at.name} has {count} values of {number:g} in {variable} that it does not "
                "declare as missing; they were taken so"
            )

    def note_limits(self, seen_at: Place, variable: str, count: int) -> None:
        """Record values outside the file's own valid range."""
        self._cut += count
        if count:
            self.notes.append(
                f"{seen_at.name} has {count} values of {variable} outside its own valid_range; "
                "they were taken as missing"
            )

    def see(self, values: Float, seen: Seen) -> None:
        """Check a block of fields.

        Parameters
        ----------
        values : ndarray, shape (n, rows, columns)
            Canonical units, NaN where missing.
        seen : Seen
            Their provenance.

        Raises
        ------
        SourceError
            If a value is impossible; the message names the cell, the cause and the remedy.
        """
        low, high = self.possible.extremes
        # fmin and fmax ignore NaN, in one pass each.
        least, most = np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
        if np.isnan(least):
            return
        if least < low or most > high:
            outside = (values < low) | (values > high)
            # Infinities of both signs have no mean.
            with np.errstate(invalid="ignore", over="ignore"):
                raise SourceError(self._of_extremes(values, outside, seen))
        good = ~np.isnan(values)
        # Opposite infinities, in a variable without limits, have no sum.
        with np.errstate(invalid="ignore", over="ignore"):
            count, total = good.sum(axis=0), np.nansum(values, axis=0)
        ends = (
            float(np.fmin.reduce(seen.raw, axis=None)),
            float(np.fmax.reduce(seen.raw, axis=None)),
        )
        self._refuse_codes(good, ends, seen)
        with np.errstate(invalid="ignore", over="ignore"):
            mean = float(np.nansum(seen.raw)) / int(count.sum())
        if self._total is None or self._count is None:
            self._total, self._count, self._seen = total, count, seen._replace(raw=np.empty(0))
        else:
            self._total, self._count = self._total + total, self._count + count
        self._raw.append((ends[0], mean, ends[1]))

    def done(self, grid: object) -> None:
        """Check the mean over all that was read.

        Parameters
        ----------
        grid : Grid or other
            Of the fields; area weights are used on a rectilinear one.

        Raises
        ------
        SourceError
            If the mean is impossible, or the file's valid range excludes every value.
        """
        if self._total is None or self._count is None or self._seen is None:
            if self._cut:
                raise SourceError(
                    f"{self.notes[-1].split(' has ')[0]} has no {self.name} within its own "
                    "valid_range; correct that attribute of the file."
                )
            return
        weights = grid.weights if isinstance(grid, Grid) else np.ones(self._total.shape)
        there = self._count > 0
        mean = float((weights * self._total).sum() / (weights * self._count).sum())
        where, limits = "over all that was read", self.possible.mean
        covered = float(weights[there].sum() / weights.sum())
        whole = isinstance(grid, Grid) and grid.is_global
        if whole and self.possible.globe and covered >= _WHOLE.get(self.name, _MOST):
            where, limits = "over the globe", self.possible.globe
        if limits[0] <= mean <= limits[1]:
            return
        seen, stretch = self._seen, np.array(self._raw)
        raw = float(stretch[:, 1].mean())
        ends = np.array([stretch[:, 0].min(), stretch[:, 2].max()]).reshape(1, 1, 2)
        cause = self._cause(ends, seen, limits, raw)
        raise SourceError(
            f"{seen.path} has {seen.variable} of {self._number(raw, mean, seen)} on average "
            f"{where}, and {self._range_text(limits)}; {cause}."
        )

    def _of_extremes(self, values: Float, outside: NDArray[np.bool_], seen: Seen) -> str:
        flat = np.where(outside, np.abs(values - np.mean(self.possible.extremes)), -np.inf)
        index = tuple(int(i) for i in np.unravel_index(int(flat.argmax()), values.shape))
        raw, value = float(seen.raw[index]), float(values[index])
        if outside.sum() < 0.5 * np.isfinite(seen.raw).sum():
            cause = self._of_a_few(seen.raw[outside], values[outside], seen)
        else:
            cause = self._cause(seen.raw, seen, self.possible.mean)
        return (
            f"{seen.path} has {seen.variable} of {self._number(raw, value, seen)} at "
            f"{seen.place(index)}, and {self._range_text(self.possible.extremes, 'everywhere')}; "
            f"{cause}."
        )

    def _of_a_few(self, raw: Float, values: Float, seen: Seen) -> str:
        """Return the likely cause if most values are possible and some are not."""
        numbers = np.unique(raw)
        low, high = self.possible.extremes
        beyond = np.maximum(low - values, values - high).min() > 0.2 * (high - low)
        known = all(np.abs(abs(n) - _CODES).min() <= 1e-5 * abs(n) for n in numbers[: _FEW + 1])
        again = numbers.size == 1 and values.size > 1
        if again or (numbers.size <= _FEW and (beyond or known)):
            if not seen.codes:
                return "if that stands for a missing value, declare it as missing_value in the file"
            codes = " ".join(f"--missing {number:g}" for number in numbers)
            return f"if that stands for a missing value, give {codes}"
        # More than one cell in a hundred is not a typing error.
        many = values.size > 0.01 * np.isfinite(seen.raw).sum()
        units = self._in_other_units(seen.raw, seen, self.possible.mean) if many else ""
        return units or (
            f"of all that was read at once, {values.size} are not possible; correct them or "
            "declare them as missing in the file"
        )

    def _refuse_codes(self, good: NDArray[np.bool_], ends: tuple[float, float], seen: Seen) -> None:
        """Refuse a code within the possible range but far from all other values."""
        raw = seen.raw
        remedy = "give --missing {:g}" if seen.codes else "declare it as missing_value in the file"
        for end in ends:
            if np.abs(abs(end) - _CODES).min() > 1e-5 * abs(end):
                continue
            held = good & (np.abs(raw - end) <= 1e-6 * abs(end))
            rest = raw[good & ~held]
            if held.sum() < 2 or rest.size < 2:
                continue
            if np.abs(rest - end).min() > max(2 * float(rest.std()), 0.5 * float(np.ptp(rest))):
                first = np.unravel_index(int(held.argmax()), raw.shape)
                raise SourceError(
                    f"{seen.path} has {seen.variable} of exactly {end:g} {seen.units} in "
                    f"{int(held.sum())} cells, such as {seen.place(tuple(map(int, first)))}, far "
                    f"from all others; if that stands for a missing value, {remedy.format(end)}."
                )

    def _cause(self, raw: Float, seen: Seen, mean: Range, middle: float | None = None) -> str:
        """Return the likely cause and the remedy; ``middle`` is the mean of the raw values."""
        if self.anomaly and _KELVIN[0] < np.nanmin(raw) and np.nanmax(raw) < _KELVIN[1]:
            return "these are full values and no anomalies; give the file of anomalies"
        units = self._in_other_units(raw, seen, mean, middle)
        if units:
            return units
        if self.anomaly:
            return "these may be full values and no anomalies; give the file of anomalies"
        also = self._small(raw, seen)
        if also:
            return f"it looks like {also}; give the file of {self.step.adjective} means"
        return "it is another quantity, in other units or damaged; compare it with its provider's"

    def _in_other_units(
        self, raw: Float, seen: Seen, mean: Range, middle: float | None = None
    ) -> str:
        """Return the units that would make the values possible, as text, or ''."""
        low, high = self.possible.extremes
        centre = np.full((1, 1, 1), np.nanmean(raw) if middle is None else middle)
        if seen.convert is None:
            return ""
        for units in _CANDIDATES.get(self.possible.units, ()):
            converted, average = seen.convert(raw, units), seen.convert(centre, units)
            if converted is None or average is None:
                continue
            fits = low <= np.nanmin(converted) and np.nanmax(converted) <= high
            if fits and mean[0] <= average.item() <= mean[1]:
                also = self._small(raw, seen)
                return f"the values would be right in {units}, so correct the units in the file" + (
                    f", unless it is {also}, which cannot be read" if also else ""
                )
        return ""

    def _small(self, raw: Float, seen: Seen) -> str:
        """Return what values around zero may be, as text, or ''."""
        if self.anomaly or seen.convert is None:
            return ""
        span = self.possible.extremes[1] - self.possible.extremes[0]
        zero = seen.convert(np.zeros((1, 1, 1)), seen.units)
        converted = seen.convert(np.where(np.isfinite(raw), raw, np.nan), seen.units)
        if zero is None or converted is None or not np.isfinite(converted).any():
            return ""
        size = converted - float(zero.ravel()[0])
        least, most = float(np.nanmin(size)), float(np.nanmax(size))
        if max(abs(least), abs(most)) > 0.5 * span:
            return ""
        if least < 0:
            return "an anomaly"
        return "a spread" if most < 0.1 * span else ""

    def _number(self, raw: float, value: float, seen: Seen) -> str:
        own = f"{raw:g} {seen.units}".rstrip()
        same = np.isclose(raw, value, rtol=1e-9)
        return own if same else f"{own} ({value:.4g} {self.possible.units})"

    def _range_text(self, limits: Range, where: str = "") -> str:
        low, high = (f"{limit:.4g}" for limit in limits)
        return f"{self.label.lower()} is {low} to {high} {self.possible.units} {where}".rstrip()
