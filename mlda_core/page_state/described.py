"""A state in a few lines of words."""

from __future__ import annotations

from collections import Counter

from mlda_core.assimilation.methods import METHODS
from mlda_core.observations.networks import NETWORKS
from mlda_core.page_state.cycles import AREAS
from mlda_core.page_state.opened import PageState
from mlda_core.page_state.pinned import pin_words
from mlda_core.page_state.responses import sensitive_variable
from mlda_core.page_state.settings import options_of
from mlda_core.page_state.snapshot import View
from mlda_core.perturbation.response import HELD

_MODELS = {"code": "the code of the month", "own": "a latent vector of its own"}


def described(state: PageState) -> tuple[str, ...]:
    """Say what a state is.

    Parameters
    ----------
    state : PageState

    Returns
    -------
    tuple of str
        A few lines.

    Raises
    ------
    UserError
        If the observations cannot be made of this bundle.
    """
    bundle = state.bundle
    tool = options_of(View, "tool")[state.tool]
    lines = [f"{bundle.title} ({bundle.name})", f"{tool}, {state.month}"]
    if state.tool == "perturb":
        return (*lines, *_sea(state))
    if state.tool == "cycle":
        return (*lines, *_cycle(state))
    if (pinned := state.pinned) is not None:
        lines.append(f"Pinned: {pin_words(pinned.snapshot)}")
    model = state.snapshot.model
    if model != "analysis":
        return (*lines, f"The model shows {_MODELS[model]}.")
    return (*lines, *_observed(state))


def _observed(state: PageState) -> list[str]:
    observed, table = state.snapshot.observations, state.table
    counts = Counter(table.rows["variable"])
    there = [v.name for v in state.bundle.variables if v.name in counts]
    of = "".join(f", {counts[name]} of {name}" for name in there)
    parts = [f"{NETWORKS[observed.kind].label}: {len(table)} observations{of}"]
    if held := int(table.rows["withheld"].sum()):
        parts.append(f"{held} withheld")
    if observed.by_hand:
        parts.append(f"{observed.by_hand} rows placed or changed by hand")
    parts.append(f"error {observed.error:g} of the local spread, noise {observed.noise}")
    residual = "with" if observed.residual else "without"
    method = (
        f"Method: {METHODS[observed.method].label}, {residual} residual analysis, "
        f"localisation radius {observed.localisation:g}"
    )
    return ["; ".join(parts), method]


def _sea(state: PageState) -> list[str]:
    sea = state.snapshot.perturbations
    changes = " + ".join(patch.label for patch in sea.enabled) or "nothing is changed"
    lines = [f"Sea: {changes}", f"Held: {HELD[sea.held].label}"]
    if sea.view == "sensitivity":
        variable = sensitive_variable(sea, state.bundle)
        lines.append(f"Sensitivity to the sea of {variable} over {sea.over}")
    return lines


def _cycle(state: PageState) -> list[str]:
    cycles = state.snapshot.cycles
    if not cycles.first:
        return ["No run has begun."]
    lines = [f"{cycles.method} cycled from {cycles.first} with {cycles.stations} stations"]
    for day, area in cycles.changes:
        lines.append(
            f"From {day} on not observed: {AREAS[area].label}"
            if area
            else f"From {day} on all stations observe"
        )
    return lines
