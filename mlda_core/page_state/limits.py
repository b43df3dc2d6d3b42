"""What a bundle leaves of the settings of a state: its months, projections and tools."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from mlda_core.bundle.files import CYCLING_FILE
from mlda_core.climate.projections import keys_of
from mlda_core.page_state.snapshot import FIRST_MONTH, TOOLS, Limits

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle


@lru_cache(maxsize=4)
def limits_of(bundle: Bundle, link: str = "") -> Limits:
    """Return the limits that a bundle sets to a state.

    Parameters
    ----------
    bundle : Bundle
        Only read.
    link : str
        What a link calls it; '' where links need not say it.
    """
    ready = bundle.has_statistics
    sea = any(variable.domain == "sea" for variable in bundle.variables)
    there = {"observe": ready, "perturb": ready and sea, "cycle": can_cycle(bundle)}
    tools = tuple(tool for tool in TOOLS if there.get(tool, True))
    return Limits(
        bundle.name,
        bundle.months,
        bundle.n_latent,
        link=link,
        first=first_month(bundle),
        projections=_projections(bundle),
        tools=tools,
        model="analysis" if ready else "code",
        impacts=bundle.impacts,
    )


def can_cycle(bundle: Any) -> bool:
    """Whether a bundle ships what a cycle needs: a forecast, its errors, VALIDATION and TEST days.

    Climatology is of VALIDATION days, so only TEST days are cycled.
    """
    if "grid" not in getattr(bundle, "config", {}).get("forecasts", {}):
        return False
    if not (bundle.path / CYCLING_FILE).exists():
        return False
    return {"validation", "test"} <= {bundle.split(month) for month in bundle.months}


def _projections(bundle: Bundle) -> tuple[str, ...]:
    """Return the keys of a bundle's projections, the one that a visitor sees first in front.

    The map centred on the Pacific cuts Europe and Africa. A bundle with an impact head is about a
    place on land, so it begins with the Atlantic; others begin with the Pacific and El Nino.
    """
    keys = list(keys_of(bundle.grid))
    if bundle.impacts and keys[0] == "robinson":
        keys.sort(key=lambda key: key != "atlantic")
    return tuple(keys)


def first_month(bundle: Any) -> str:
    """Return the month that a visitor sees first.

    That of ``first_month`` in the bundle's configuration, if it has one; December 1997, the peak of
    an El Nino, if that is a test month; else the test month furthest from the usual among those
    that lack least.
    """
    said = getattr(bundle, "config", {}).get("first_month", "")
    if said in bundle.months:
        return str(said)
    test = [month for month in bundle.months if bundle.split(month) == "test"]
    if FIRST_MONTH in test or not test:
        return FIRST_MONTH
    there, size = np.array([_extent(bundle, month) for month in test]).T
    fullest = there >= 0.98 * there.max()
    return test[int(np.argmax(np.where(fullest, size, -1.0)))]


def _extent(bundle: Any, month: str) -> tuple[float, float]:
    """Return how many values a month has, by area, and their mean square, standardised."""
    x = np.asarray(bundle.target_standardised(month), dtype=np.float64)
    weight = np.isfinite(x) * bundle.grid.weights
    total = weight.sum()
    return float(total), float((weight * np.nan_to_num(x) ** 2).sum() / total) if total else 0.0
