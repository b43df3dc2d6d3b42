"""What the tool Observe says: of its network, its rows, their values, and of the analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from app.maps.color_scales import units
from app.text import counted, number, place, signed
from app.tools import kinds
from app.tools.methods import METHOD_LABELS
from mlda_core.observations.kinds import KINDS
from mlda_core.observations.networks import NETWORKS
from mlda_core.page_state.observations import ObservationSettings

if TYPE_CHECKING:
    from app.jobs.analysis import AnalysisJob
    from mlda_core.bundle.bundle import Bundle
    from mlda_core.page_state.tables import Table

# Explanation of the numbers of an analysis.
OUTCOME_HELP = (
    "χ²/n: chi-squared per observation, near 1 where prior and errors are as large as they are "
    "said to be. DFS: degrees of freedom for signal, how many independent numbers the observations "
    "determine."
)


def network_words(observed: ObservationSettings) -> str:
    """Return what is observed, in words.

    >>> network_words(ObservationSettings(count=40))
    '40 stations'
    """
    network = NETWORKS[observed.kind].label
    if observed.kind == "stations" and not observed.spacing:
        network = counted(observed.count, "station")
    elif observed.kind == "historical":
        network = f"Stations of {observed.year}"
    # What was placed by hand or read from a file, whatever network it was added to.
    if own := len(observed.own):
        placed = counted(own, "own observation")
        network = placed if observed.kind in ("none", "custom") else f"{network} and {placed}"
    return network


def scenario(observed: ObservationSettings) -> str:
    """Return what is observed and how it is assimilated, in words.

    >>> scenario(ObservationSettings(count=40, method="eof"))
    '40 stations, obs. error 0.2 × local spread, EOFs'
    """
    method = METHOD_LABELS.get(observed.method, observed.method)
    return f"{network_words(observed)}, obs. error {observed.error:g} × local spread, {method}"


def counts(table: Table, chosen: int, hidden: int) -> dict[str, Any]:
    """Return how many observations there are, in words and numbers.

    Parameters
    ----------
    table : Table
    chosen : int
        How many are selected.
    hidden : int
        How many are too dense to draw.
    """
    held = int(table.rows["withheld"].sum()) if len(table) else 0
    words = counted(len(table), "observation")
    if held:
        words += f", {held:,} withheld"
    if table.absent:
        # There is no target there in this month, so nothing that could be sampled.
        words += f", {table.absent:,} without a target"
    more = f"{hidden:,} too dense to draw" if hidden else ""
    return {"n": len(table), "chosen": chosen, "words": words, "hidden": more}


def value_words(observed: ObservationSettings, table: Table) -> str:
    """Return where the values come from: sampled values look like data."""
    marks = kinds.key_words(table.rows)
    return f"{_sources(observed, table.sampled, len(table) - table.sampled)} {marks}".strip()


def _sources(observed: ObservationSettings, sampled: int, own: int) -> str:
    from_target = f"sampled from the target, with noise (seed {observed.noise})"
    if not own:
        return f"Values: {from_target}." if sampled else ""
    if not sampled:
        return f"Values: {own:,} of your own; the scores compare with this bundle's target."
    return f"Values: {sampled:,} {from_target}; {own:,} of your own."


def month_words(table: Table, month: str) -> str:
    """Return which values were observed in another month than that shown; '' for none."""
    said = [
        f"Observed for {other}, not for {month}: {counted(count, 'value')}, used unchanged."
        for other, count in sorted(table.foreign.items())
    ]
    said += [
        f"Observed for {other}: {counted(count, 'absolute value')}, now an anomaly from the "
        f"climatology of {month}."
        if count == 1
        else f"Observed for {other}: {counted(count, 'absolute value')}, now anomalies from "
        f"the climatology of {month}."
        for other, count in sorted(table.moved.items())
    ]
    return " ".join(said)


def outcome_words(work: AnalysisJob, *, stale: bool) -> str:
    """Return how an analysis ended, in words.

    Parameters
    ----------
    work : AnalysisJob
    stale : bool
        Whether the observations have changed since.
    """
    words, analysis = work.words, work.analysis
    if analysis is None and work.run and not words:
        # On a busy machine nothing else changes for a minute.
        return "Assimilating; the first analysis of a season takes longest …"
    if not work.answered or analysis is None:
        return words
    if stale:
        return "The observations have changed since: assimilate, or switch Live on."
    s = analysis.statistics
    took = f"{1e3 * s.seconds:.0f} ms" if s.seconds < 1 else f"{s.seconds:.1f} s"
    # The duration of a run that was slowed down for display means nothing.
    parts = [took] if s.seconds and not work.paced else []
    if s.n_used and np.isfinite(s.chi_squared):
        parts += [
            f"χ²/n {number(s.chi_squared)}",
            f"DFS {s.degrees_of_freedom:,.0f} of {s.n_used:,}",
        ]
    if s.n_thinned:
        parts.append(f"{s.n_thinned:,} left out by thinning")
    if not words or not parts:
        return words
    return f"{words[:1].upper()}{words[1:].rstrip('.')}. {'; '.join(parts)}."


def row_name(table: Table, row: int, names: Mapping[str, str]) -> str:
    """Return number, variable and place of an observation."""
    item = table.rows.iloc[row]
    return f"{row + 1}: {names[item['variable']]} {place(item['lat'], item['lon'])}"


def reading(
    table: Table, row: int | None, bundle: Bundle, names: Mapping[str, str], misfit: Any
) -> str:
    """Return what an observation says, and how far it lies from what the others say.

    Parameters
    ----------
    table : Table
    row : int, optional
        Of the table; without one there is nothing to say.
    bundle : Bundle
    names : mapping
        What people read in place of each variable's name.
    misfit : ndarray, optional
        Of each row, standard deviations.
    """
    if row is None or row >= len(table):
        return ""
    item = table.rows.iloc[row]
    unit = next(units(v, full=False) for v in bundle.variables if v.name == item["variable"])
    value = f"{number(item['value'])} ± {number(item['error_sd'])} {unit}"
    if "kind" in table.rows:
        says = _said(table.rows.iloc[[row]], bundle)[0]
        is_class = KINDS[kinds.key_of(item["kind"])].classes
        value = says if is_class else f"{says} {value}".strip()
    words = f"{row_name(table, row, names)} · {value}"
    if misfit is not None and np.isfinite(misfit[row]):
        words += f" · {signed(misfit[row], 1)} σ from what the others say"
    words += " · withheld" if item["withheld"] else ""
    return words + (f" · {item['label']}" if item["label"] else "")


def listed_rows(table: Table, bundle: Bundle) -> Any:
    """Return the rows as the table lists them: with what each says, where some say more."""
    rows = table.rows
    if "kind" not in rows:
        return rows
    signs = [kinds.sign_of(kind) for kind in rows["kind"]]
    classes = [KINDS[kinds.key_of(kind)].classes for kind in rows["kind"]]
    says = [
        said if is_class else round(value, 3)
        for said, is_class, value in zip(
            _said(rows, bundle), classes, rows["value"].tolist(), strict=True
        )
    ]
    return rows.assign(sign=signs, says=says)


def _said(rows: Any, bundle: Bundle) -> list[str]:
    by_name = {variable.name: variable for variable in bundle.variables}
    return [kinds.said(row, by_name[row["variable"]]) for row in rows.to_dict("records")]
