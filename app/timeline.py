"""Splits and index of a bundle's months for the bar: computed once a bundle, for all sessions."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from app.bundles import KEPT
from app.maps import frames
from app.text import SPLIT_LETTERS
from mlda_core.climate.regions import REGIONS, regional_mean

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.climate.time_step import TimeStep

Values = tuple[float | None, ...]

# The least value that the line above the years is scaled to.
LEAST = 0.1
SPLIT_WORDS = {
    "train": "training {step}: fit, not skill",
    "validation": "validation {step}: used to tune the model",
    "calibration": "calibration {step}: used to estimate the model's errors",
    "test": "test {step}: the model has never seen it",
    "gap": "gap {step} beside held-out years: left out of training",
}


@lru_cache(maxsize=KEPT)
def nino_series(bundle: Bundle) -> Values:
    """Return Nino 3.4 of every month's target, None where it has none; empty where none has it."""
    found = [frames.nino34(bundle, bundle.target(month)) for month in bundle.months]
    if all(value is None for value in found):
        return ()
    return tuple(None if value is None else round(value, 2) for value in found)


@lru_cache(maxsize=KEPT)
def curve(bundle: Bundle) -> tuple[Values, str]:
    """Return the line above the years, and what it is in words.

    Nino 3.4; where a bundle observes no temperature there, the mean of its first variable.

    Returns
    -------
    tuple of float or None
        A value for each month, or for each 30 days, anomalies in display units; None where it has
        none.
    str
        Words, with units.
    """
    series = nino_series(bundle)
    if series:
        return _monthly(series, bundle), "Niño 3.4, K"
    first = bundle.variables[0]
    whole = REGIONS["globe"]
    means = [float(regional_mean(bundle.target(m)[0], bundle.grid, whole)) for m in bundle.months]
    where = "Global mean" if bundle.grid.is_global else "Mean"
    words = f"{where} of {first.label} (anomaly), {first.anomaly_units}"
    values = tuple(round(value, 4) if np.isfinite(value) else None for value in means)
    return _monthly(values, bundle), words


def _monthly(values: Values, bundle: Bundle) -> Values:
    """Return the means over as many steps as a month has: a line of days would be a blur."""
    count = bundle.seasons.count // 12
    if count == 1:
        return values
    parts = (values[i : i + count] for i in range(0, len(values), count))
    known = ([value for value in part if value is not None] for part in parts)
    return tuple(round(sum(part) / len(part), 4) if part else None for part in known)


@lru_cache(maxsize=KEPT)
def curve_paths(bundle: Bundle) -> tuple[str, str]:
    """Return that line as SVG paths in a box of 100 by 32 whose middle is 0.

    Returns
    -------
    tuple of (str, str)
        What is above zero, as in an El Nino, and what is below it.
    """
    values = np.array([np.nan if v is None else v for v in curve(bundle)[0]], float)
    values = np.nan_to_num(values)
    x = 100 * (np.arange(values.size) + 0.5) / values.size
    # A line of values that are all small stays flat.
    heights = 14 * values / max(np.abs(values).max(initial=0.0), LEAST)
    above, below = (
        "".join(f"L{a:.2f},{16 - h:.2f}" for a, h in zip(x, part, strict=True))
        for part in (np.maximum(heights, 0), np.minimum(heights, 0))
    )
    return f"M0,16{above}L100,16Z", f"M0,16{below}L100,16Z"


@lru_cache(maxsize=KEPT)
def splits(bundle: Bundle) -> dict[str, str]:
    """Return a letter for each season of each year; '-' where the bundle lacks that time."""
    years: dict[str, list[str]] = {}
    for month in bundle.months:
        letters = years.setdefault(month[:4], ["-"] * bundle.seasons.count)
        letters[bundle.seasons.of(month) - 1] = SPLIT_LETTERS.get(bundle.split(month), "t")
    return {year: "".join(letters) for year, letters in years.items()}


def split_words(step: TimeStep) -> dict[str, str]:
    """Return what each split means, in words."""
    return {split: words.format(step=step) for split, words in SPLIT_WORDS.items()}
