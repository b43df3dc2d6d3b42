"""A state as Python: a short program that makes the same, to be read and changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mlda_core.assimilation.methods import METHODS
from mlda_core.assimilation.options import OPTIONS
from mlda_core.assimilation.posterior.sampler import EVENTS, SAMPLER
from mlda_core.bundle.shipped import offers
from mlda_core.page_state.cycles import CycleSettings
from mlda_core.page_state.observations import PINNED, ObservationSettings
from mlda_core.page_state.opened import PageState, key_of
from mlda_core.page_state.perturbations import PerturbationSettings, Place, region_of
from mlda_core.page_state.pinned import pin_words
from mlda_core.page_state.responses import sensitive_variable
from mlda_core.page_state.rows import Row
from mlda_core.page_state.serialize import pin_fits, rows_fit
from mlda_core.page_state.snapshot import OTHERS, Z_LIMIT, Z_STEP
from mlda_core.page_state.tables import spec_of

# More rows than these are no table to read: the link, or a saved file, holds them.
MOST_ROWS = 40
WIDTH = 96
_COLUMNS = ("variable", "lat", "lon", "value", "error_sd", "withheld", "label")


@dataclass
class _Program:
    """What is written so far: names to import, and blocks of lines."""

    state: PageState
    names: set[str] = field(default_factory=lambda: {"load_bundle"})
    modules: set[str] = field(default_factory=lambda: {"import torch"})
    blocks: list[list[str]] = field(default_factory=list)
    # What the notebook shows: the analysis, the response, or nothing of the kind.
    made: str = ""

    def add(self, *lines: str) -> None:
        """Add a block."""
        self.blocks.append(list(lines))

    def use(self, *names: str) -> None:
        """Import public names of the library."""
        self.names |= set(names)

    def text(self) -> str:
        """Return the program."""
        imports = sorted(self.names, key=lambda n: (not n.isupper(), n[0].islower(), n))
        libraries = [m for m in sorted(self.modules) if "mlda_core" not in m]
        own = _call("from mlda_core import ", imports, bare=True)
        rest = [m for m in sorted(self.modules) if "mlda_core" in m]
        parts = [libraries, [*own, *rest], *self.blocks]
        return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


@dataclass(frozen=True)
class Snippet:
    """A program, and what it makes.

    Parameters
    ----------
    text : str
        Python.
    made : str
        The variable that holds what is made: ``analysis``, ``response``, ``days`` or ``fields``.
    scored : bool
        Whether the program has observations of which some are withheld.
    """

    text: str
    made: str
    scored: bool = False


def snippet_of(state: PageState) -> Snippet:
    """Write the program that makes a state.

    Parameters
    ----------
    state : PageState

    Returns
    -------
    Snippet
        It makes the same numbers as the page, to the last bit, on the same machine.

    Raises
    ------
    UserError
        If the observations cannot be made of this bundle.
    """
    program = _Program(state)
    program.add(
        "torch.set_num_threads(1)  # as the page: more threads add up in another order",
        f"bundle = load_bundle({_text(name_of(state))})  # its name, or its folder",
        f"month = {_text(state.month)}",
    )
    snapshot = state.snapshot
    scored = False
    if state.tool == "perturb":
        _perturb(program, snapshot.perturbations)
    elif state.tool == "cycle":
        _cycle(program, snapshot.cycles)
    elif snapshot.model == "analysis":
        _observe(program, snapshot.observations)
        _view(program, snapshot.observations)
        scored = bool(state.table.rows["withheld"].any())
    else:
        _latent(program)
    if state.tool not in OTHERS and snapshot.observations.beside == PINNED:
        _pinned(program, snapshot.observations)
    return Snippet(program.text(), program.made, scored)


def name_of(state: PageState) -> str:
    """Return what `load_bundle` finds a bundle by: its name, or its folder."""
    key = key_of(state.bundle)
    return key if key in {offer.key for offer in offers()} else str(state.bundle.path)


# -- Observe -------------------------------------------------------------------------------------


def _observe(program: _Program, observed: ObservationSettings) -> None:
    """Write the observations and their analysis."""
    why = _too_special(program.state, observed)
    if why:
        _opened(program, why)
        program.add("observations = state.observations()")
    elif observed.by_hand:
        _edited(program, observed)
    else:
        _sampled(program, observed)
    program.use("Assimilator")
    program.made = "analysis"
    program.add(
        "assimilator = Assimilator(bundle)",
        *_assimilate("analysis", "run", observed.method, observed),
    )


def _too_special(state: PageState, observed: ObservationSettings) -> str:
    """Return why the rows placed by hand are not written out; '' where they are."""
    rows = [*observed.own, *(row for _, row in observed.changed)]
    if observed.by_hand > MOST_ROWS:
        return f"{observed.by_hand} rows were placed or changed by hand: too many for a table here."
    if any(row.kind or row.area for row in rows):
        return "Some observations are reports, bounds or means of areas."
    if any(row.absolute and row.month[5:] != state.month[5:] for row in rows):
        return "Some values are anomalies from another month's climatology."
    return ""


def _opened(program: _Program, why: str) -> None:
    """Write how the state itself is opened."""
    state = program.state
    if rows_fit(state.snapshot):
        program.use("from_link")
        program.add(
            f"# {why} The link holds them.",
            *_call("state = from_link(", [_text(state.link), "bundle"]),
        )
    else:
        program.use("from_file")
        program.add(
            f"# {why}",
            "# They are too many for a link as well: save the state with the page's Save button.",
            f'state = from_file("mlda-{state.month}.json", bundle)',
        )


def _network(program: _Program, observed: ObservationSettings) -> list[str]:
    program.use("NetworkSpec", "places")
    spec = spec_of(observed)
    given = {k: v for k, v in spec.to_dict().items() if v != getattr(type(spec)(), k, None)}
    given = {"kind": spec.kind} | given
    return _call("network = NetworkSpec(", [f"{k}={_value(v)}" for k, v in given.items()])


def _sample(where: str, observed: ObservationSettings, *, missing: bool) -> list[str]:
    arguments = [
        where,
        "bundle",
        "bundle.target(month)",
        "bundle.seasons.of(month)",
        f"error={observed.error!r}",
        f"seed={observed.noise}",
    ]
    if missing:
        arguments.append("missing=True")
    return _call("observations = synthesise(", arguments)


def _sampled(program: _Program, observed: ObservationSettings) -> None:
    """Write a network that nobody has touched."""
    program.use("synthesise")
    program.add(
        *_network(program, observed), *_sample("places(network, bundle)", observed, missing=False)
    )


def _edited(program: _Program, observed: ObservationSettings) -> None:
    """Write a network and what was done to it by hand."""
    program.use("synthesise")
    program.modules.add("import pandas as pd")
    changed = dict(observed.changed)
    hidden = observed.deleted
    network = observed.kind not in ("none", "custom")
    rows = [*changed.values(), *observed.own]
    lines = [f"columns = {_value(list(_COLUMNS))}"] if rows else []
    if network or any(row.value is None or row.error_sd is None for row in rows):
        lines.append('nan = float("nan")  # sampled from the month, as the rest is')
    if lines:
        program.add(*lines)
    if network:
        lines = [
            *_network(program, observed),
            "where = places(network, bundle).assign(value=nan, error_sd=nan, withheld=False)",
        ]
        if changed:
            lines += _table("changed", list(changed.values()), index=list(changed))
            lines.append("where.loc[changed.index, columns] = changed")
        if observed.withheld:
            numbers = _value(sorted(observed.withheld))
            lines.append(f'where.loc[{numbers}, "withheld"] = True  # only scored')
        if hidden:
            lines.append(f"where = where.drop({_value(sorted(hidden))})")
        program.add(*lines)
    if observed.own:
        lines = _table("placed", observed.own)
        joined = "pd.concat([where, placed], ignore_index=True)" if network else "placed"
        program.add(*lines, f"where = {joined}")
    elif network:
        program.add("where = where.reset_index(drop=True)")
    program.add(
        *_sample("where", observed, missing=True),
        'for name in ("value", "error_sd"):',
        "    observations[name] = where[name].fillna(observations[name])",
        'observations = observations.dropna(subset="value", ignore_index=True)',
    )


def _table(name: str, rows: Sequence[Row], index: Sequence[int] = ()) -> list[str]:
    """Write rows as a table."""
    held = [
        (r.variable, float(r.lat), float(r.lon), _number(r.value), _number(r.error_sd), r.withheld)
        for r in rows
    ]
    lines = [f"{name} = pd.DataFrame(", "    ["]
    for values, row in zip(held, rows, strict=True):
        cells = [_text(values[0]), *(repr(v) for v in values[1:]), _text(row.label)]
        lines.append(f"        ({', '.join(cells)}),")
    last = [f"    index={_value(list(index))},"] if index else []
    return [*lines, "    ],", "    columns=columns,", *last, ")"]


def _assimilate(
    name: str, call: str, method: str, observed: ObservationSettings, *more: str
) -> list[str]:
    arguments = ["observations", "month", f"method={_text(method)}"]
    for option in ("residual", "localisation"):
        value = getattr(observed, option)
        if value != OPTIONS[option].default:
            arguments.append(f"{option}={value!r}")
    arguments += more
    return _call(f"{name} = assimilator.{call}(", arguments)


def _view(program: _Program, observed: ObservationSettings) -> None:
    """Write what the columns show beside the analysis itself."""
    column = observed.column
    lines: list[str] = []
    if column == "increment":
        lines = ["shown = analysis.increment  # what the model's column shows"]
    elif column == "spread":
        lines = ["shown = analysis.spread  # what the model's column shows"]
    elif column == "difference" and observed.beside == "target":
        lines = ["shown = analysis.anomalies - bundle.target(month)"]
    elif column in ("member", "probability"):
        lines = _members(observed)
        if column == "member":
            lines.append(f"shown = ensemble.anomalies[{observed.member - 1}]")
        elif observed.event in EVENTS:
            lines.append(f"shown = ensemble.event_probability({_text(observed.event)})")
        else:
            below = ", below=True" if observed.event == "under" else ""
            names = "[v.name for v in bundle.variables]"
            lines += [
                f"threshold = {observed.threshold!r}  # an anomaly, in each variable's units",
                f"shown = [ensemble.probability(n, threshold{below}) for n in {names}]",
            ]
    elif column == "influence":
        lines = [
            "# The increment of one observation alone, here the first:",
            *_assimilate("shown", "influence", observed.method, observed),
        ]
        lines[1:] = [lines[1].replace("month, ", "month, 0, "), *lines[2:]]
    elif column == "next":
        lines = ["# Where next: see mlda_core.where_next, or mlda assimilate --where-next."]
    if observed.beside not in ("target", PINNED):
        lines += _assimilate("beside", "run", observed.beside, observed)
        if column == "difference":
            lines.append("shown = analysis.anomalies - beside.anomalies")
    drawn = program.state.snapshot.members and METHODS[observed.method].posterior
    if drawn and column not in ("member", "probability"):
        lines += _members(observed)
    if lines:
        program.add(*lines)


def _pinned(program: _Program, observed: ObservationSettings) -> None:
    """Write the state that is pinned beside the model's."""
    state = program.state
    if state.pinned is None:
        return
    said = f"# Pinned beside it: {pin_words(state.pinned.snapshot)}; its link says what made it."
    if pin_fits(state.snapshot):
        program.use("from_link")
        lines = _call("pinned = from_link(", [_text(state.snapshot.pinned), "bundle"])
        lines = [*lines[:-1], f"{lines[-1]}.fields()"]
    else:
        program.use("from_file")
        said = "# The pinned state beside it is too long for a link: save the state as a file."
        lines = [f'pinned = from_file("mlda-{state.month}.json", bundle).pinned.fields()']
    if observed.column == "difference":
        shown = "analysis.anomalies" if program.made == "analysis" else "fields"
        lines.append(f"shown = {shown} - pinned  # of the anomalies")
    program.add(said, *lines)


def _members(observed: ObservationSettings) -> list[str]:
    by = [f"sampler={_text(observed.sampler)}"] if observed.sampler != SAMPLER else []
    return _assimilate("ensemble", "ensemble", observed.method, observed, *by)


def _latent(program: _Program) -> None:
    """Write a latent vector that is shown, and what it decodes to."""
    snapshot = program.state.snapshot
    moved = snapshot.origin is not None and snapshot.origin.kind == "analysis"
    program.modules.add("import numpy as np")
    if moved and snapshot.model == "own":
        _observe(program, snapshot.observations)
    program.made = "fields"
    if snapshot.model == "code":
        program.add(
            "# The code of the month, within what a slider can show.",
            f"z = np.clip(np.asarray(bundle.code(month), np.float32), -{Z_LIMIT:g}, {Z_LIMIT:g})",
            "fields = bundle.decode_anomalies(z, bundle.seasons.of(month))",
        )
        return
    steps = np.rint(np.asarray(snapshot.z) / Z_STEP).astype(int).tolist()
    wrapped = _wrapped([str(step) for step in steps])
    lines = [
        f"# The latent vector, in steps of 1/{1 / Z_STEP:g}.",
        "steps = [",
        *wrapped,
        "]",
        f"z = np.asarray(steps, np.float32) / np.float32({1 / Z_STEP:g})",
        "fields = bundle.decode_anomalies(z, bundle.seasons.of(month))",
    ]
    if moved:
        program.modules.add("from mlda_core.page_state.latents import with_remainder")
        program.modules.add("from mlda_core.page_state.analyses import remainder")
        lines += [
            "# With what the analysis had beyond its own latent vector:",
            "beyond = remainder(analysis, bundle)",
            "if beyond is not None:",
            "    fields = with_remainder(fields, beyond, bundle, bundle.seasons.of(month))",
        ]
    program.add(*lines)


# -- Perturb and Cycle ---------------------------------------------------------------------------


def _perturb(program: _Program, sea: PerturbationSettings) -> None:
    """Write changes of the sea and the response to them."""
    program.use("Assimilator", "Patch", "Responder")
    program.made = "response"
    lines = ["changes = ["]
    for patch in sea.enabled:
        given = {k: v for k, v in patch.to_dict().items() if k != "enabled"}
        inside = ", ".join(f"{k}={_value(v)}" for k, v in given.items())
        lines += _indented(_call("Patch(", [inside]) if len(inside) < WIDTH - 12 else _patch(given))
        lines[-1] += ","
    lines = [*lines, "]"] if sea.enabled else ["changes = []  # nothing is changed"]
    program.add(*lines)
    arguments = ["month", "changes", f"held={_text(sea.held)}"]
    if sea.held == "outside" and sea.within:
        arguments.append(f"region={_region(program, sea.within)}")
    program.add(
        "responder = Responder(Assimilator(bundle))",
        *_call("response = responder.respond(", arguments),
        "analysis = responder.all_fields(month)  # of all fields: what stands beside it",
    )
    if sea.view == "response" and sea.per_kelvin:
        program.add("shown = response.per_kelvin()")
    elif sea.view == "sensitivity":
        _sensitivity(program, sea)
    elif sea.view == "atlas":
        program.add("# The atlas of patches: see mlda_core.perturbation.atlas, or mlda atlas.")
    elif sea.view == "gcm":
        program.use("gcm_responses")
        program.add(f"shown = gcm_responses(bundle)[{_text(sea.gcm)}]  # the GCM, and the emulator")


def _sensitivity(program: _Program, sea: PerturbationSettings) -> None:
    variable = sensitive_variable(sea, program.state.bundle)
    arguments = ["month", _text(variable), "region", _text(sea.held)]
    lines = [f"region = {_region(program, sea.over)}"]
    if sea.held == "outside":
        program.modules.add("from mlda_core.climate.regions import region_mask")
        free = _region(program, sea.within) if sea.within else "region"
        lines.append(f"inside = region_mask(bundle.grid, {free}) > 0.5")
        arguments.append("inside=inside")
    program.add(*lines, *_call("shown = responder.sensitivity(", arguments))


def _region(program: _Program, place: Place) -> str:
    if isinstance(place, str):
        program.use("REGIONS")
        return f"REGIONS[{_text(place)}]"
    program.modules.add("from mlda_core.climate.regions import Region")
    region = region_of(place)
    edges = ", ".join(repr(float(v)) for v in place)
    return f"Region({_text(region.label)}, {edges})"


def _patch(given: dict[str, Any]) -> list[str]:
    """Write a patch with many vertices, some in a line."""
    polygon = given.pop("polygon", ())
    rest = ", ".join(f"{k}={_value(v)}" for k, v in given.items())
    pairs = _wrapped([f"({lat!r}, {lon!r})" for lat, lon in polygon])
    return ["Patch(", f"    {rest},", "    polygon=(", *_indented(pairs), "    ),", ")"]


def _cycle(program: _Program, cycles: CycleSettings) -> None:
    """Write a run; what it is made of is the bundle's own, and `from_link` puts it together."""
    program.use("from_link")
    if not cycles.first:
        program.add("# No run has begun: begin one on the page first.")
        program.made = ""
        return
    said = [f"# {cycles.method}, {cycles.stations} stations, from {cycles.first} to the day shown."]
    said += [f"# From {day} on not observed: {area or 'nothing'}." for day, area in cycles.changes]
    program.made = "days"
    program.add(
        *said,
        "# Climatology, forecast and its errors are the bundle's own: the link puts them together.",
        *_call("state = from_link(", [_text(program.state.link), "bundle"]),
        "days = state.cycle()  # by day, with background, analysis and errors",
    )


# -- how values are written ----------------------------------------------------------------------


def _text(value: str) -> str:
    """Write text, in the quotes that are usual; json's are Python's too."""
    return json.dumps(value, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, tuple):
        inside = ", ".join(_value(item) for item in value)
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value)}]"
    return repr(value)


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _call(begin: str, arguments: Sequence[str], *, bare: bool = False) -> list[str]:
    """Write a call or an import in a line, or an argument a line where that is too long."""
    closing = "" if bare else ")"
    line = f"{begin}{', '.join(arguments)}{closing}"
    if len(line) <= WIDTH:
        return [line]
    return [f"{begin}{'(' if bare else ''}", *(f"    {a}," for a in arguments), ")"]


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _wrapped(words: Sequence[str]) -> list[str]:
    """Write words in lines of a readable length, each with a comma."""
    lines, line = [], "   "
    for word in words:
        if len(line) + len(word) + 2 > WIDTH - 8:
            lines.append(line)
            line = "   "
        line += f" {word},"
    return [*lines, line]
