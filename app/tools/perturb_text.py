"""Texts of the tool Perturb: titles, readings inside the scatters, and sentences."""

from __future__ import annotations

from calendar import month_name
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.maps.color_scales import units
from app.text import number, region_words, signed
from mlda_core.climate.metrics import compare, pattern_correlation
from mlda_core.climate.regions import REGIONS, region_mask
from mlda_core.page_state.perturbations import Place, region_of
from mlda_core.perturbation.response import HELD

if TYPE_CHECKING:
    from mlda_core.assimilation.adjoint import Sensitivity
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.page_state.responses import ResponseResult, SensitivityRequest
    from mlda_core.perturbation.gcm import GcmResponse
    from mlda_core.perturbation.response import Response

# Least change of a cell that counts as reached, kelvin.
REACHED = 0.01
# Below this extrapolated fraction of the change nothing is said of it.
LEAST_BEYOND = 0.1

Readings = tuple[tuple[tuple[str, str, str], ...], ...]


def titles(
    view: str, *, there: bool, late: str = "", months: int = 0, beside_gcm: bool = False
) -> list[str]:
    """Return what stands above the first map and above the scatter, long and short.

    Parameters
    ----------
    view : str
        One of the views of `PerturbationSettings`.
    there : bool
        Whether there is a response.
    late : str
        The month that is drawn, where it is not yet the one asked for.
    months : int
        How many the comparison with the GCM is a mean over: it is of no single month.
    beside_gcm : bool
        Whether the atlas stands beside the GCM's own sensitivities.
    """
    if view == "gcm":
        return [
            f"GCM's response, mean of {months} months",
            "Emulator ↑ against GCM →",
            "Emulator ↑ GCM →",
        ]
    if beside_gcm:
        return ["GCM's own, from its runs", "Emulator ↑ against GCM →", "Emulator ↑ GCM →"]
    if not there:
        return ["Target", "", ""]
    first = "Analysis from all fields" + (f", {late}" if late else "")
    if view in ("sensitivity", "atlas"):
        return [first, "From the held fields ↑ against all fields →", "Held ↑ all fields →"]
    return [first, "With response ↑ without →", "With ↑ without →"]


def place_label(place: Place) -> str:
    """Return a place as people write it."""
    if isinstance(place, str):
        return region_of(place).short
    return region_words(place)


def change_words(response: Response, bundle: Bundle) -> str:
    """Return how much of the sea is changed, and by how much."""
    size = np.abs(response.change)
    sea = bundle.grid.weights * bundle.mask[bundle.sea_row]
    full, any_ = (
        _percent(float((sea * there).sum() / sea.sum()))
        for there in (size > 0.5 * size.max(), size > REACHED)
    )
    low, high = float(response.change.min()), float(response.change.max())
    amount = signed(response.mean_change, 1)
    if low < -0.05 and high > 0.05:
        amount = f"{signed(low, 1)} to {signed(high, 1)}"
    if any_ == full:
        return f"{amount} K over {full} % of the sea"
    return f"{amount} K over {full} % of the sea at full strength, {any_} % with tapered edges"


def beyond_words(response: Response) -> str:
    """Return where the changed sea is like that of no month known; '' where that is little."""
    if not response.extrapolated_fraction > LEAST_BEYOND:
        return ""
    k = int(response.month[5:7]) - 1
    before, same, after = (month_name[(k + j) % 12 + 1] for j in (-1, 0, 1))
    return (
        f"On {_percent(response.extrapolated_fraction)} % of its area the changed sea is warmer or "
        f"colder than in any {before}, {same} or {after} of the training data: the emulator "
        "extrapolates there, and single months can be far off."
    )


def _percent(share: float) -> str:
    return number(100 * share, 0 if share >= 0.1 else 1)


def response_readings(answer: ResponseResult, bundle: Bundle) -> Readings:
    """Return each variable's mean response, over the globe and where the sea is changed."""
    response = answer.response
    size = np.abs(response.change)
    there = size > 0.5 * size.max()
    made = []
    for i, variable in enumerate(bundle.variables):
        field = response.anomalies[i]
        unit = units(variable, full=False)
        rows = [("globe", _mean(field, bundle.grid.weights))]
        if 0 < there.mean() < 1:
            rows.append(("patch", _mean(field, bundle.grid.weights * there)))
        # In brackets where the emulator extrapolates.
        form = "({})" if beyond_words(response) else "{}"
        made.append(tuple((name, form.format(signed(v, 2)), unit) for name, v in rows))
    return tuple(made)


def _mean(field: NDArray[np.floating], weights: NDArray[np.floating]) -> float:
    good = np.isfinite(field) * weights
    total = float(good.sum())
    return float((np.nan_to_num(field) * good).sum() / total) if total > 0 else float("nan")


def sensitivity_readings(
    bundle: Bundle, answer: ResponseResult, sensitivity: NDArray[np.floating], unit: str
) -> Readings:
    """Return the extremes of a sensitivity on the sea's row, and how the held rows compare."""
    made: list[tuple[tuple[str, str, str], ...]] = []
    for i, variable in enumerate(bundle.variables):
        if i != bundle.sea_row:
            found = compare(answer.all_fields[i], answer.response.control[i], bundle.grid.weights)
            rmse = number(found.rmse, variable.decimals)
            made.append((
                ("held fields: r", number(found.r), ""),
                ("RMSE", rmse, units(variable, full=False)),
            ))  # fmt: skip
        elif np.isfinite(sensitivity).any():
            unit = {"degC": "K"}.get(unit, unit)
            most, least = float(np.nanmax(sensitivity)), float(np.nanmin(sensitivity))
            made.append((
                ("max", signed(most, 2), ""),
                ("min", signed(least, 2), ""),
                (f"{unit} per K", "", ""),
            ))  # fmt: skip
        else:
            made.append((("max", number(np.nan), ""),))
    return tuple(made)


def gcm_readings(response: GcmResponse, bundle: Bundle) -> Readings:
    """Return each variable's pattern correlation and amplitude ratio against the GCM, by area.

    As `mlda validate --perturbation` has found them, with the GCM's halves; without its scores the
    correlation of what is shown, alone.
    """
    key = "perturbation" if response.split == "test" else f"perturbation_{response.split}"
    scores = bundle.scores.get(key, {}).get(response.experiment, {})
    made = []
    for i, variable in enumerate(bundle.variables):
        rows = []
        for area in ("globe", "tropics"):
            found = scores.get(area, {}).get(variable.name, {}).get("vae")
            if found is None:
                weights = bundle.grid.weights * region_mask(bundle.grid, REGIONS[area])
                found = {
                    "pattern_correlation": pattern_correlation(
                        response.gcm[i], response.emulated[i], weights
                    )
                }
            words = f"r {number(found['pattern_correlation'])}"
            if "amplitude_ratio" in found:
                words += f", ×{number(found['amplitude_ratio'])}"
            rows.append((area, words, ""))
        made.append(tuple(rows))
    return tuple(made)


def gcm_words(response: GcmResponse) -> str:
    """Return what the comparison is, in a sentence."""
    count = len(response.months)
    kind = {"test": "test months, which the emulator has never seen,"}.get(
        response.split, f"{response.split} months"
    )
    return (
        f"Left, what the GCM itself answers to {response.label}: its runs over the warmer sea less "
        f"those over the observed one, mean of {count} {kind} and {response.members} members; "
        "right, what the emulator says of the same months from the sea alone. In the scatters: "
        "pattern correlation r, and the emulator's amplitude as a multiple (×) of the GCM's."
    )


def sensitivity_words(
    aim: SensitivityRequest, made: Sensitivity, seconds: float, *, label: str
) -> str:
    """Return what the sensitivity is of, and what its map says."""
    took = f"{1e3 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
    unit: Any = {"degC": "K"}.get(made.units, made.units)
    return (
        f"{label} over {place_label(aim.over)} in {aim.month}: {signed(made.value, 2)} {unit} "
        f"({HELD[aim.held].label}). The map: the effect on it of 1 K more within 500 km of each "
        f"point ({took})."
    )
