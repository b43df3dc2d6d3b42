"""A state as command lines that do the same, and what of it no command line says."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from mlda_core.assimilation.methods import METHODS, spelled
from mlda_core.assimilation.options import OPTIONS
from mlda_core.assimilation.posterior.sampler import MEMBERS, SAMPLER
from mlda_core.cycling.methods import cycled_method
from mlda_core.page_state.cycles import CycleSettings
from mlda_core.page_state.observations import PINNED, ObservationSettings
from mlda_core.page_state.opened import PageState
from mlda_core.page_state.perturbations import PerturbationSettings
from mlda_core.page_state.serialize import rows_fit
from mlda_core.page_state.snippet import name_of
from mlda_core.perturbation.sst_patches import TAPER, Patch

# NetCDF holds values whole, CSV ten digits of them.
OBSERVATIONS = "observations.nc"


@dataclass(frozen=True)
class Commands:
    """Command lines that do what a state does.

    Parameters
    ----------
    lines : tuple of str
        In order; each is typed as it stands.
    beyond : tuple of str
        Sentences: what of the state they do not do.
    """

    lines: tuple[str, ...]
    beyond: tuple[str, ...] = ()


def commands_of(state: PageState, given: str = "") -> Commands:
    """Return the command lines that do what a state does.

    Parameters
    ----------
    state : PageState
    given : str
        The link or file that ``mlda show`` was given; the state's own link by default.

    Returns
    -------
    Commands
    """
    snapshot = state.snapshot
    if state.tool == "perturb":
        return _perturb(state, snapshot.perturbations)
    if state.tool == "cycle":
        return _cycle(state, snapshot.cycles)
    if snapshot.model != "analysis":
        return Commands((), ("A latent vector is decoded in Python; no command line does that.",))
    return _assimilate(state, snapshot.observations, given)


def _assimilate(state: PageState, observed: ObservationSettings, given: str) -> Commands:
    name, beyond = name_of(state), []
    source = given or (f"?{state.link}" if rows_fit(state.snapshot) else f"mlda-{state.month}.json")
    show = ["mlda", "show", source, "--obs", OBSERVATIONS]
    if name == str(state.bundle.path):
        show[3:3] = ["--bundle", name]
    words = ["mlda", "assimilate", name, "--obs", OBSERVATIONS, "--month", state.month]
    words += ["--method", spelled(observed.method)]
    if observed.residual != OPTIONS["residual"].default:
        words.append("--residual" if observed.residual else "--no-residual")
    if observed.localisation != OPTIONS["localisation"].default:
        words += ["--localisation", repr(observed.localisation)]
    drawn = observed.column in ("member", "probability") or state.snapshot.members
    if drawn and METHODS[observed.method].posterior:
        words += ["--members", str(MEMBERS)]
        if observed.sampler != SAMPLER:
            words += ["--sampler", observed.sampler]
    if not len(state.table):
        beyond.append("Nothing is observed, and 'mlda assimilate' needs observations; use Python.")
        return Commands((), tuple(beyond))
    if state.table.sampled:
        words.append("--against-bundle")
    if observed.column == "influence":
        beyond.append("The influence of one observation is for Python.")
    if observed.beside == PINNED:
        beyond.append("The pinned state beside it is for Python: from_link(...).pinned.fields().")
    elif observed.beside != "target":
        beyond.append(
            f"The analysis by {METHODS[observed.beside].label} beside it is a second call, with "
            f"--method {spelled(observed.beside)} and another --out."
        )
    if observed.column == "next":
        beyond.append("Where to observe next is asked for with --where-next.")
    words += ["--out", "analysis.nc"]
    return Commands((shlex.join(show), shlex.join(words)), tuple(beyond))


def _perturb(state: PageState, sea: PerturbationSettings) -> Commands:
    beyond = [
        f"The change '{patch.label}' has an outline or an edge that --sst cannot say."
        for patch in sea.enabled
        if not _plain(patch)
    ]
    if sea.held == "outside" and sea.within:
        beyond.append("The region outside of which all is held is for Python.")
    if not sea.enabled:
        beyond.append("Nothing is changed, and 'mlda perturb' needs a change; use Python.")
    if beyond:
        return Commands((), tuple(beyond))
    words = ["mlda", "perturb", name_of(state)]
    for patch in sea.enabled:
        words += ["--sst", _sst(patch)]
    words += ["--month", state.month, "--held", sea.held]
    if sea.view == "response" and sea.per_kelvin:
        words.append("--per-kelvin")
    lines = [shlex.join([*words, "--out", "response.nc"])]
    if sea.view == "sensitivity":
        beyond.append("The sensitivity to the sea is for Python.")
    elif sea.view == "gcm":
        beyond.append("The GCM's own response is for Python: gcm_responses(bundle).")
    elif sea.view == "atlas" and sea.held != "outside" and isinstance(sea.over, str):
        atlas = ["mlda", "atlas", name_of(state), "--month", state.month, "--region", sea.over]
        atlas += ["--amplitude", sea.amplitude, "--held", sea.held, "--out", "atlas.nc"]
        lines.append(shlex.join(atlas))
    elif sea.view == "atlas":
        beyond.append("This atlas is for Python: mlda_core.perturbation.atlas.")
    return Commands(tuple(lines), tuple(beyond))


def _cycle(state: PageState, cycles: CycleSettings) -> Commands:
    if not cycles.first:
        return Commands((), ("The state has no run yet; begin one on the page.",))
    if state.month <= cycles.first:
        return Commands((), ("A run of one day alone is for Python: from_link(...).cycle().",))
    words = ["mlda", "cycle", "run", name_of(state), "--from", cycles.first, "--to", state.month]
    words += ["--method", spelled(cycles.method), "--stations", str(cycles.stations)]
    for day, area in cycles.changes:
        # A change after the day shown is not seen yet.
        if day <= state.month:
            words += ["--withhold", f"{day}:{area or 'none'}"]
    for name, value in (cycled_method(cycles.method).offered or {}).items():
        words += ["--set", f"{name}={value}"]
    beyond = []
    if cycles.alone is not None:
        beyond.append("One observation through time is for Python.")
    return Commands((shlex.join([*words, "--out", "cycle.nc"]),), tuple(beyond))


def _plain(patch: Patch) -> bool:
    return not patch.polygon and patch.taper == TAPER


def _sst(patch: Patch) -> str:
    where: Sequence[str] = [patch.region] if patch.box is None else [f"{v!r}" for v in patch.box]
    return f"{':'.join(where)}:{patch.kelvin:+}K"
