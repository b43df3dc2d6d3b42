"""Which netCDF file is made of what the maps show, and the figure of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from app.downloads.captions import caption_of
from app.downloads.columns import shown_columns
from app.downloads.datasets import (
    About,
    Added,
    analysis_file,
    cycle_file,
    gcm_file,
    response_file,
    state_file,
)
from app.downloads.figure import FigureRequest
from app.maps.markers import MOST
from app.tools.methods import METHOD_LABELS
from app.tools.perturb_text import place_label
from mlda_core.climate.errors import StateError
from mlda_core.perturbation.sst_patches import PerturbationError

if TYPE_CHECKING:
    import pandas as pd

    from app.downloads.parts import Parts
    from app.maps.frames import Column

# Makes the bytes of a file; called in the background.
Job = Callable[[], bytes]
# Long names of what a column shows that no file holds of itself.
_VIEWS = {
    "influence": "increment of one observation alone",
    "probability": "share of the members in which the event happens",
    "next": "expected loss of variance by one observation more, there",
}


def figure_of(parts: Parts, variable: str = "") -> FigureRequest:
    """Return the figure of the maps shown.

    Parameters
    ----------
    parts : Parts
    variable : str
        Name of the only row; '' for all.

    Raises
    ------
    StateError
        If a column is empty or still of another month, or there is no such variable.
    """
    parts.refuse_empty()
    rows = parts.rows(variable)
    frame = parts.frame()
    columns = shown_columns(parts.bundle, frame)
    return FigureRequest(
        parts.bundle,
        columns,
        frame.request.projection,
        caption_of(parts, columns),
        rows,
        _drawn_observations(parts),
        frame.request.arrows,
    )


def _drawn_observations(parts: Parts) -> pd.DataFrame | None:
    """Return the observations that the page draws; None where it draws none."""
    if parts.shows == "cycle":
        rows = parts.cycle.table()
    elif parts.shows == "response":
        return None
    else:
        rows = parts.observe.table.rows
        analysis = parts.observe.departing
        if analysis is not None and "used" in analysis.observations:
            rows = rows.assign(used=analysis.observations["used"].to_numpy())
    # Where there are more the page draws those alone that were touched.
    shown = rows if len(rows) <= MOST else rows[rows["touched"]]
    return shown if len(shown) else None


def netcdf_of(parts: Parts) -> tuple[Job, str]:
    """Return what makes the netCDF file of what the maps show, and a word for its name.

    Parameters
    ----------
    parts : Parts

    Raises
    ------
    StateError
        If what it would hold is not there yet.
    """
    parts.refuse_stale()
    makers = {"analysis": _analysis, "response": _response, "cycle": _cycle, "state": _state}
    return makers[parts.shows](parts)


def _about(parts: Parts, month: str, settings: dict[str, Any]) -> About:
    return About(month, parts.link(), settings)


def _column_fields(column: Column, names: tuple[str, ...]) -> list[Added]:
    """Return what a column shows, where it is of these kinds and there."""
    if column.kind not in names or column.fields is None:
        return []
    fields = column.fields
    units: tuple[str, ...] = ()
    if column.kind == "probability":
        units = ("%",) * len(fields)
    elif column.look is not None:
        units = column.look.units
    ending = {"next": "less_variance"}.get(column.kind, column.kind)
    return [Added(ending, _VIEWS[column.kind], fields, units)]


def _state(parts: Parts) -> tuple[Job, str]:
    frame, state = parts.frame(), parts.state
    added = _beside(parts)
    about = _about(parts, frame.request.month, {"model": state.model})
    z = np.array(state.z)
    return lambda: state_file(parts.bundle, about, frame.model, z, "model", added), "state"


def _beside(parts: Parts) -> list[Added]:
    """Return the pinned state or the analysis by another method, where it stands there."""
    comparison = parts.comparison
    if comparison.shows_pinned:
        pinned = comparison.pinned
        if pinned.fields is None:
            raise StateError("The pinned state is not there; unpin it, or wait for it.")
        return [Added("pinned", f"anomaly of the pinned state ({pinned.words})", pinned.fields)]
    if not comparison.method:
        return []
    fields = comparison.work.fields
    if fields is None:
        raise StateError(
            f"The analysis by {METHOD_LABELS[comparison.method]} is still under way; download it "
            "once it is there."
        )
    words = f"anomaly of the analysis by {METHOD_LABELS[comparison.method]}"
    return [Added(comparison.method, words, fields)]


def _analysis(parts: Parts) -> tuple[Job, str]:
    work = parts.observe.analysing
    analysis, task = work.analysis, work.task
    if analysis is None or task is None or not work.answered:
        why = "is still under way" if work.run or task is None else "did not come to its end"
        raise StateError(f"The analysis {why}; download it once it is there.")
    added = [
        *_beside(parts),
        *_column_fields(parts.frame().request.column, ("influence", "probability", "next")),
    ]
    about = _about(parts, task.month, task.settings)
    ensemble = parts.observe.view.drawn_ensemble
    return lambda: analysis_file(about, analysis, ensemble, added), "analysis"


def _response(parts: Parts) -> tuple[Job, str]:
    perturb, bundle = parts.perturb, parts.bundle
    compared = perturb.compared
    if compared is not None:
        about = _about(parts, "", {"experiment": compared.experiment})
        return lambda: gcm_file(bundle, about, compared), "gcm-response"
    answer = perturb.work.answer
    if answer is None:
        why = perturb.work.complaint or "The response is still under way."
        raise StateError(f"{why.rstrip('.')}; download it once it is there.")
    question, response = answer.question, answer.response
    per_kelvin = perturb.view == "response" and parts.state.perturbations.per_kelvin
    if per_kelvin:
        try:
            response.per_kelvin()
        except PerturbationError:
            # The page shows the response itself, and says why.
            per_kelvin = False
    known = perturb.work.sensitivity
    sensitivity = None
    if perturb.view == "sensitivity" and known is not None:
        aim, made, _ = known
        words = (
            f"effect of one kelvin within 500 km of each sea cell on {aim.variable} over "
            f"{place_label(aim.over)}"
        )
        sensitivity = (made, words)
    added = []
    if perturb.view == "atlas":
        right, _, left = perturb.atlas.column()
        units = tuple(f"{v.anomaly_units} K-1" for v in bundle.variables)
        over = place_label(parts.state.perturbations.over)
        words = f"effect of one kelvin of the sea there on its mean over {over}"
        for name, column, whose in (("atlas", right, ""), ("gcm_atlas", left, ", in the GCM")):
            if column is not None and column.fields is not None:
                added.append(Added(name, words + whose, column.fields, units))
    settings = {
        "held": question.held,
        "within": question.within,
        "method": response.method,
        "per_kelvin": per_kelvin,
    }
    about = _about(parts, question.month, settings)

    def make() -> bytes:
        return response_file(
            about,
            response,
            question.patches,
            per_kelvin=per_kelvin,
            all_fields=answer.all_fields,
            sensitivity=sensitivity,
            added=added,
        )

    return make, "response"


def _cycle(parts: Parts) -> tuple[Job, str]:
    cycle, bundle = parts.cycle, parts.bundle
    found = cycle.shown_day()
    if found is None:
        raise StateError(f"{cycle.month} is not cycled; begin a run or go to one of its days.")
    run = cycle.request()
    settings = {
        "method": run.method,
        "stations": run.stations,
        "first": run.first,
        "changes": run.changes,
    }
    title = f"{cycle.methods[run.method][0]} cycled through {bundle.title}"
    if cycle.settings.view == "alone":
        settings["observation"] = cycle.settings.alone
        title = f"One observation, assimilated by 4D-Var through {bundle.title}"
    about = _about(parts, cycle.month, settings)
    background, analysis, spread = found

    def make() -> bytes:
        return cycle_file(bundle, about, background, analysis, spread, title)

    return make, "cycle"
