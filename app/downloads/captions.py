"""What stands below a figure: what each column is, of which month, and what the marks mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.downloads.columns import words_of
from app.downloads.figure import Caption
from app.maps.frames import amplification
from app.text import counted, shown_instead
from app.tools.members_choice import OF_MEMBERS
from app.tools.observe_text import network_words
from app.tools.perturb_text import place_label
from mlda_core.page_state.pinned import rests_on_analysis
from mlda_core.perturbation.netcdf import label_of
from mlda_core.perturbation.response import HELD

if TYPE_CHECKING:
    from app.downloads.columns import ShownColumn
    from app.downloads.parts import Parts


def caption_of(parts: Parts, columns: tuple[ShownColumn, ...]) -> Caption:
    """Return the caption of a figure of the maps shown.

    Parameters
    ----------
    parts : Parts
    columns : tuple of ShownColumn
        As they are drawn.
    """
    request, shows = parts.frame().request, parts.shows
    notes = {
        "analysis": _observed,
        "state": lambda _: [],
        "response": _changed,
        "cycle": _cycled,
    }[shows](parts)
    if parts.comparison.shows_pinned:
        notes.append(_pinned(parts))
    notes += _marks(parts, columns)
    scales = amplification(request)
    if max(scales.values()) > 1:
        side = "both columns" if scales["target"] > 1 else "the right column"
        notes.append(f"Colours of {side} end at 1/{request.scale} of their usual limits.")
    return Caption(_what(parts), _when(parts), _method(parts), tuple(notes))


def _what(parts: Parts) -> str:
    request = parts.frame().request
    left, right = words_of(request)
    if parts.shows == "state":
        state = parts.state
        step = parts.bundle.seasons.step
        right += f" ({shown_instead(state.model, state.origin, step)})"
    if parts.shows == "response":
        right = _aimed(parts) or right
    full = ", full fields" if request.full else ""
    return f"{left[:1].upper()}{left[1:]} (left) and {right} (right){full}"


def _aimed(parts: Parts) -> str:
    """Return what a column of sensitivities is; '' where there is none."""
    view, over = parts.perturb.view, place_label(parts.state.perturbations.over)
    if view == "atlas":
        return f"sensitivity of the mean over {over} to the sea's temperature there"
    if view != "sensitivity":
        return ""
    labels = {v.name: v.label for v in parts.bundle.variables}
    return (
        "analysis from the held fields, on the sea's row the sensitivity of "
        f"{labels[parts.perturb.variable]} over {over} to its temperature"
    )


def _when(parts: Parts) -> str:
    if parts.perturb.active and (compared := parts.perturb.compared):
        return f"{compared.label}, mean of {counted(len(compared.months), 'month')}"
    return parts.frame().request.month


def _method(parts: Parts) -> str:
    """Return the key of the method of what is drawn; '' where no analysis is."""
    if parts.shows == "analysis":
        drawn = parts.observe.analysing.drawn
        return "" if drawn is None else drawn.method
    answer = parts.perturb.work.answer
    if parts.shows == "response" and answer is not None and parts.perturb.compared is None:
        return answer.response.method
    return ""


def _observed(parts: Parts) -> list[str]:
    drawn = parts.observe.analysing.drawn
    if drawn is None or drawn.source is None:
        return []
    words = [f"Observations: {network_words(drawn.source)}."]
    observed = parts.state.observations
    if observed.column in OF_MEMBERS and parts.observe.view.drawn_ensemble is not None:
        words.append(f"Members by the sampler {observed.sampler}.")
    if parts.observe.analysing.run:
        words.append("The minimisation had not ended.")
    return words


def _pinned(parts: Parts) -> str:
    """Return what the pinned state is; of an analysis, of which observations."""
    pinned = parts.comparison.pinned
    snapshot, words = pinned.snapshot, f"Pinned state: {pinned.words}"
    if snapshot is None or not rests_on_analysis(snapshot):
        return f"{words}."
    return f"{words}, of {network_words(snapshot.observations)}."


def _changed(parts: Parts) -> list[str]:
    answer = parts.perturb.work.answer
    if answer is None or parts.perturb.compared is not None:
        return []
    question = answer.question
    words = [f"Held in both analyses: {HELD[question.held].label}."]
    if parts.perturb.view in ("sum", "response"):
        words.insert(0, f"Change of the sea: {label_of(question.patches)}.")
    return words


def _cycled(parts: Parts) -> list[str]:
    cycle = parts.cycle
    if parts.cycle.settings.view == "alone":
        return ["One observation, assimilated alone by 4D-Var."]
    run = cycle.request()
    method, stations = cycle.methods[run.method][0], counted(run.stations, "station")
    return [f"Cycled by {method} from {run.first}, with {stations}."]


def _marks(parts: Parts, columns: tuple[ShownColumn, ...]) -> list[str]:
    if not any(column.marked is not None for column in columns):
        return []
    if parts.shows == "response":
        return ["Dots: smaller than one standard deviation of what a month leaves open."]
    share = parts.frame().request.column.hatch
    return [f"Dots: the spread is above {100 * share:.0f} % of the climatological one."]
