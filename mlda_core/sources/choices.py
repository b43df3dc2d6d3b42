"""The user's answers to what input files leave open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from mlda_core.climate.time_step import MONTH, TimeStep, time_step
from mlda_core.sources import SourceError
from mlda_core.sources.calendars import STAMPS, Stamp
from mlda_core.sources.layout import CANONICAL, Amount
from mlda_core.sources.places import Place

AMOUNTS: tuple[Amount, ...] = ("hour", "day", "month")


@dataclass(frozen=True)
class Choices:
    """How to read files that are ambiguous.

    Parameters
    ----------
    names : tuple of (str, str)
        Canonical names and the files' names of these variables.
    stamp : {"", "start", "end", "middle"}
        Where in its month or day a stamp lies.
    amount : {"", "hour", "day", "month"}
        Period over which amounts of rain or sunshine were summed.
    select : tuple of (str, str)
        Dimensions, and the value of each to select.
    step : TimeStep
        Of the files and of the dataset.
    """

    names: tuple[tuple[str, str], ...] = ()
    stamp: Stamp = ""
    amount: Amount = ""
    select: tuple[tuple[str, str], ...] = ()
    step: TimeStep = MONTH

    @classmethod
    def read(
        cls,
        *,
        names: list[str] | None = None,
        stamp: str | None = None,
        amount: str | None = None,
        select: list[str] | None = None,
        step: str = MONTH.name,
    ) -> Choices:
        """Parse command-line arguments.

        Parameters
        ----------
        names : list of str
            From ``--map``: ``tasa=tas_mean``.
        stamp, amount : str
            From ``--stamp`` and ``--amount``.
        select : list of str
            From ``--select``: ``realization=1``.
        step : str
            From ``--step``: ``month`` or ``day``.

        Raises
        ------
        SourceError
            If an argument is invalid; the message quotes it.
        """
        mapped = _pairs(names or [], "--map", "tasa=tas_mean")
        for canonical, _ in mapped:
            if canonical not in CANONICAL:
                raise SourceError(
                    f"--map knows no '{canonical}'; the names to give are {', '.join(CANONICAL)}."
                )
        called = [name for _, name in mapped]
        twice = next((name for name in called if called.count(name) > 1), None)
        if twice is not None:
            raise SourceError(f"--map gives {twice} two names; a variable of a file is one thing.")
        found_stamp = next((s for s in STAMPS if s == stamp), None)
        if stamp and found_stamp is None:
            raise SourceError(f"--stamp '{stamp}' is none of {', '.join(STAMPS)}; give one.")
        found_amount = next((a for a in AMOUNTS if a == amount), None)
        if amount and found_amount is None:
            raise SourceError(f"--amount '{amount}' is none of {', '.join(AMOUNTS)}; give one.")
        selected = _pairs(select or [], "--select", "realization=1")
        found_step = time_step(step)
        if found_amount == "month" and found_step is not MONTH:
            raise SourceError(
                "--amount month is for monthly files, and --step says that these are daily; leave "
                "out one of them."
            )
        return cls(mapped, found_stamp or "", found_amount or "", selected, found_step)


def _pairs(words: list[str], option: str, example: str) -> tuple[tuple[str, str], ...]:
    pairs: dict[str, str] = {}
    for word in words:
        left, equals, right = (part.strip() for part in word.partition("="))
        if not (left and equals and right):
            raise SourceError(f"{option} '{word}' is no pair such as {example}; correct it.")
        if left in pairs:
            raise SourceError(f"{option} gives {left} twice; give it once.")
        pairs[left] = right
    return tuple(pairs.items())


def selected(data: xr.Dataset, choices: Choices, where: Place) -> xr.Dataset:
    """Return an opened file at the selected values of its dimensions.

    Dimensions that the file does not have are ignored.

    Raises
    ------
    SourceError
        If a dimension has no such value.
    """
    for name, text in choices.select:
        if name in data.dims:
            data = data.isel({name: _position(data, name, text, where)})
    return data


def _position(data: xr.Dataset, name: str, text: str, where: Place) -> int:
    if name not in data.variables:
        size = data.sizes[name]
        if text.isdigit() and int(text) < size:
            return int(text)
        raise SourceError(
            f"{where} numbers '{name}' from 0 to {size - 1}, and --select asks for '{text}'; give "
            "one of these."
        )
    values = np.ravel(data[name].values)
    same = np.array([str(value) == text for value in values])
    if not same.any() and values.dtype.kind in "iuf":
        try:
            same = np.isclose(values.astype(np.float64), float(text), rtol=1e-6, atol=0.0)
        except ValueError:
            same = np.zeros(values.size, dtype=bool)
    if same.sum() != 1:
        held = ", ".join(str(value) for value in values[:5]) + (", ..." if values.size > 5 else "")
        raise SourceError(
            f"{where} has {held} on '{name}', and --select asks for '{text}'; give one of these."
        )
    return int(same.argmax())
