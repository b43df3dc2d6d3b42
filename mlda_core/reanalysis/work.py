"""One task of a reanalysis: several years of one calendar month, from and to the store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation import physical_units as physical
from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.minimisation import NONLINEAR
from mlda_core.bundle.bundle import Bundle, load_bundle
from mlda_core.observations.options import TableOptions
from mlda_core.observations.standardised import Observed, standardise, thin
from mlda_core.observations.table import observation_table
from mlda_core.reanalysis.store import (
    StoreError,
    attributes,
    read_done,
    read_months,
    read_tables,
    write_month,
)

if TYPE_CHECKING:
    import pandas as pd

Float = NDArray[np.float32]


class Outcome(NamedTuple):
    """Result of a task, in plain values to be sent between processes.

    Parameters
    ----------
    done : int
        Months that are now done.
    found : int
        Of these, months done before: by the same task before its worker was lost.
    failed : tuple of (str, str)
        Months that cannot be assimilated, with reasons.
    """

    done: int
    found: int
    failed: tuple[tuple[str, str], ...]


class Made(NamedTuple):
    """The analysis of one month.

    Parameters
    ----------
    anomalies : ndarray, shape (V, lat, lon)
        Display units.
    spread : ndarray, shape (V, lat, lon), or None
        Posterior standard deviation, display units.
    n_used : int
        Observations that were assimilated.
    """

    anomalies: Float
    spread: Float | None
    n_used: int


def assimilate_rows(store: str, bundle: str, rows: Sequence[int]) -> Outcome:
    """Assimilate months of one calendar month that are not done, and write them.

    Parameters
    ----------
    store, bundle : str
        Folders, by names valid on this machine.
    rows : sequence of int
        Indices of the months in the store.

    Returns
    -------
    Outcome

    Raises
    ------
    StoreError
        If the bundle differs on this machine.
    """
    path = Path(store)
    about = attributes(path)
    done = read_done(path, rows)
    todo = [i for i, there in zip(rows, done, strict=True) if not there]
    if not todo:
        return Outcome(len(rows), len(rows), ())
    engine = _engine(bundle, about["bundle_checksums"])
    months = read_months(path)
    calendar = int(months[todo[0]][5:7])
    settings = json.loads(about["settings"])
    spread = bool(settings.pop("spread"))
    failed: list[tuple[str, str]] = []
    tables = read_tables(path, todo)
    for group in by_network(engine.bundle, tables, calendar, settings["error_scale"]):
        try:
            analyses = assimilate(engine, {i: tables[i] for i in group}, calendar, settings, spread)
        except ValueError as error:
            failed += [(months[i], str(error)) for i in group]
            continue
        for i, one in analyses.items():
            write_month(path, i, fields_of(engine.bundle, one, calendar), one.n_used)
    return Outcome(len(rows) - len(failed), len(rows) - len(todo), tuple(failed))


def by_network(
    bundle: Bundle, tables: Mapping[int, pd.DataFrame], month: int, error_scale: float
) -> list[list[int]]:
    """Group months with the same observed places and errors.

    Parameters
    ----------
    bundle : Bundle
    tables : mapping of int to DataFrame
        Observations by month.
    month : int
        Calendar month 1..12 of all.
    error_scale : float
        Factor on the observation errors.

    Returns
    -------
    list of list of int
        Keys of ``tables``.
    """
    groups: dict[tuple[bytes, bytes], list[int]] = {}
    for i, table in tables.items():
        observed = _offered(bundle, table, month, error_scale)
        key = b"".join(observed.places.names), observed.variance.tobytes()
        groups.setdefault(key, []).append(i)
    return list(groups.values())


def assimilate(
    engine: Assimilator,
    tables: Mapping[int, pd.DataFrame],
    month: int,
    settings: Mapping[str, Any],
    spread: bool,
) -> dict[int, Made]:
    """Assimilate months with one observing network.

    Parameters
    ----------
    engine : Assimilator
    tables : mapping of int to DataFrame
        Observations by month, with equal places and errors.
    month : int
        Calendar month 1..12.
    settings : mapping
        Keyword arguments of :meth:`mlda_core.assimilation.assimilator.Assimilator.run`.
    spread : bool
        Whether to compute the posterior standard deviation.

    Returns
    -------
    dict of int to Made
    """
    bundle = engine.bundle
    if bundle.settings.nonlinearity >= NONLINEAR or settings.get("robust"):
        # Several starts and robust weights depend on the observed values: run month by month.
        return {i: _alone(engine, table, month, settings, spread) for i, table in tables.items()}
    every = [_offered(bundle, t, month, settings["error_scale"]) for t in tables.values()]
    places, variance = every[0].places, every[0].variance
    values = np.stack([observed.value for observed in every])
    states, sd = engine.states(places, variance, values, month, **settings)
    left: Iterable[Float | None] = [None] * len(values)
    if spread:
        left = np.sqrt(engine.scaled_variances(places, variance, values, month, **settings))
    n_used = len(thin(places, variance))
    return {
        i: Made(
            physical.anomalies(bundle, x, month, sd),
            # With a nonlinear transform the spread depends on the state.
            None if error is None else physical.spread(bundle, x, error, month),
            n_used,
        )
        for i, x, error in zip(tables, states, left, strict=True)
    }


def fields_of(bundle: Bundle, made: Made, month: int) -> dict[str, Float]:
    """Convert an analysis to the fields of a store, CF units.

    Parameters
    ----------
    bundle : Bundle
    made : Made
    month : int
        Calendar month 1..12.

    Returns
    -------
    dict of str to ndarray of shape (lat, lon)
    """
    out: dict[str, Float] = {}
    climatology = bundle.climatology(month)
    for i, v in enumerate(bundle.variables):
        full = (made.anomalies[i] + climatology[i] - v.offset) / v.scale
        out[v.name] = np.maximum(full, 0.0) if v.non_negative else full
        out[f"{v.name}_anomaly"] = made.anomalies[i] / v.scale
        if made.spread is not None:
            out[f"{v.name}_spread"] = made.spread[i] / v.scale
    return out


def _alone(
    engine: Assimilator,
    table: pd.DataFrame,
    month: int,
    settings: Mapping[str, Any],
    spread: bool,
) -> Made:
    # As in the store, without labels; values equal to missing-value codes were accepted before.
    checked = observation_table({**table, "label": [""] * len(table)})
    analysis = engine.run(checked, month, options=TableOptions(keep_codes=True), **settings)
    return Made(analysis.anomalies, analysis.spread if spread else None, analysis.statistics.n_used)


def _offered(bundle: Bundle, table: pd.DataFrame, month: int, error_scale: float) -> Observed:
    offered = table[~table["withheld"].to_numpy(bool)]
    return standardise(offered, bundle, month, error_scale=error_scale)


@lru_cache(maxsize=1)
def _engine(bundle: str, checksums: str) -> Assimilator:
    """Return the process' assimilator, whose factors are cached across tasks."""
    import torch

    # One thread for each process: the processes already occupy the cores.
    torch.set_num_threads(1)
    found = load_bundle(bundle)
    if json.dumps(found.config["checksums"], sort_keys=True) != checksums:
        raise StoreError(f"{bundle} is another bundle here than the store was begun with; mend it.")
    return Assimilator(found)
