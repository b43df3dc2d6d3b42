"""Numbers that a state of the page comes down to, by name: what lessons ask for and check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlda_core.climate.metrics import compare
from mlda_core.climate.places import place
from mlda_core.climate.regions import REGIONS, Region, region_mask, regional_mean
from mlda_core.page_state.cycles import AREAS
from mlda_core.page_state.opened import PageState
from mlda_core.page_state.settings import InvalidStateError, is_count, number

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.climate.variables import Variable
    from mlda_core.cycling.followed import FollowedDay

Float = NDArray[np.floating]
SHOWN = 24


class QuantityError(InvalidStateError):
    """A quantity cannot be had of a state; one sentence with the remedy."""


@dataclass(frozen=True)
class Asked:
    """What a quantity is of; a quantity reads those that it needs.

    Parameters
    ----------
    variable : str
        CF name.
    of : str
        Which field, an option of the quantity.
    region : str
        A key of `mlda_core.climate.regions.REGIONS`, or of a cycle's areas.
    lat, lon : float
        Degrees north and east.
    number : int
        Counted from 1: an observation of the table, or a latent.
    """

    variable: str = ""
    of: str = ""
    region: str = "globe"
    lat: float = 0.0
    lon: float = 0.0
    number: int = 1


@dataclass(frozen=True)
class Quantity:
    """A number that can be computed of a state.

    Parameters
    ----------
    label : str
        What people read; with ``{what}``, ``{of}``, ``{where}``, ``{place}``, ``{number}``.
    sentence : str
        What it is, for those who write lessons.
    needs : tuple of str
        What must be said: names of `Asked`.
    measure : callable
        Computes it.
    options : mapping of str to str
        What ``of`` can be, and what people read for it.
    may : tuple of str
        What can be said beside.
    unit : str
        Of the number; ``anomaly`` is the variable's own unit.
    """

    label: str
    sentence: str
    needs: tuple[str, ...]
    measure: Callable[[PageState, Asked], float]
    options: Mapping[str, str]
    may: tuple[str, ...] = ()
    unit: str = ""

    @property
    def keys(self) -> str:
        """What is said of it, in words: what may be left out is in brackets."""
        options = f" ({', '.join(self.options)})" if self.options else ""
        words = [name + (options if name == "of" else "") for name in self.needs]
        return ", ".join([*words, *(f"[{name}]" for name in self.may)])


# What `of` can be: fields of the state, anomalies in display units.
FIELDS = {
    "model": "the model",
    "target": "the target",
    "error": "model minus target",
    "background": "the background",
    "increment": "the increment",
    "spread": "the spread",
    "response": "the response",
    "sea change": "the change of the sea",
}


def _row(state: PageState, name: str) -> int:
    names = [variable.name for variable in state.bundle.variables]
    if name not in names:
        raise QuantityError(
            f"There is no variable '{name[:SHOWN]}' in {state.bundle.title}; choose one of "
            f"{', '.join(names)}."
        )
    return names.index(name)


def variable_of(state: PageState, name: str) -> Variable:
    """Return a variable of a state's bundle.

    Raises
    ------
    QuantityError
        If there is none of that name.
    """
    return state.bundle.variables[_row(state, name)]


def _field(state: PageState, asked: Asked) -> Float:
    """Return one field, shape (lat, lon)."""
    row = _row(state, asked.variable)
    if asked.of == "target":
        return np.asarray(state.bundle.target(state.month)[row])
    if asked.of == "model":
        return np.asarray(state.fields()[row])
    if asked.of == "error":
        return np.asarray(state.fields()[row] - state.bundle.target(state.month)[row])
    if asked.of == "response":
        return np.asarray(state.response().anomalies[row])
    if asked.of == "sea change":
        return np.asarray(state.response().change)
    return np.asarray(getattr(state.analysis(), asked.of)[row])


def _region(asked: Asked) -> Region:
    return REGIONS[asked.region]


def _mean(state: PageState, asked: Asked) -> float:
    return float(regional_mean(_field(state, asked), state.bundle.grid, _region(asked)))


def _at_place(state: PageState, asked: Asked) -> float:
    spot = state.bundle.operator.locate(
        np.array([_row(state, asked.variable)]), np.array([asked.lat]), np.array([asked.lon])
    )
    field = np.full(state.bundle.mask.shape, np.nan)
    field[_row(state, asked.variable)] = _field(state, asked)
    return float(state.bundle.operator.apply(spot, field)[0])


def _greatest(state: PageState, asked: Asked) -> float:
    field = np.where(region_mask(state.bundle.grid, _region(asked)) > 0, _field(state, asked), 0)
    return float(np.nanmax(np.abs(field)))


def _moved(state: PageState, asked: Asked) -> float:
    """Return the percentage of a region where a field is above a tenth of its greatest."""
    field = np.abs(_field(state, asked))
    weight = region_mask(state.bundle.grid, _region(asked)) * state.bundle.grid.weights
    weight = weight * np.isfinite(field)
    most = np.nanmax(np.where(weight > 0, field, 0))
    if not most > 0:
        return 0.0
    return float(100 * (weight * (np.nan_to_num(field) > 0.1 * most)).sum() / weight.sum())


def unobserved_weights(state: PageState, table: pd.DataFrame, variable: str) -> Float:
    """Return cell areas of a variable, (lat, lon), zero where an assimilated observation stands.

    Parameters
    ----------
    state : PageState
    table : DataFrame
        Observations.
    variable : str
        CF name.
    """
    from mlda_core.observations.land import cell_of

    given = table[~table["withheld"].to_numpy(dtype=bool) & (table["variable"] == variable)]
    weight = np.array(np.broadcast_to(state.bundle.grid.weights, state.bundle.grid.shape))
    weight[cell_of(state.bundle, given["lat"].to_numpy(), given["lon"].to_numpy())] = 0.0
    return weight


def _scored(state: PageState, asked: Asked) -> Any:
    row = _row(state, asked.variable)
    weight = region_mask(state.bundle.grid, _region(asked)) * unobserved_weights(
        state, state.table.plain, asked.variable
    )
    return compare(state.bundle.target(state.month)[row], state.fields()[row], weight)


def _covered(state: PageState, asked: Asked) -> float:
    """Return the percentage of a region where the target is within two spreads of the analysis."""
    row = _row(state, asked.variable)
    found = state.analysis()
    miss = np.abs(found.anomalies[row] - state.bundle.target(state.month)[row])
    weight = region_mask(state.bundle.grid, _region(asked)) * state.bundle.grid.weights
    weight = weight * np.isfinite(miss)
    return float(100 * (weight * (miss < 2 * found.spread[row])).sum() / weight.sum())


def _observed(state: PageState, asked: Asked) -> Any:
    """Return a row of the observations, with its departures."""
    return _numbered(state.analysis().observations, asked)


def _numbered(table: pd.DataFrame, asked: Asked) -> Any:
    if not 1 <= asked.number <= len(table):
        raise QuantityError(
            f"The state has {len(table)} observations and no number {asked.number}; count from 1."
        )
    return table.iloc[asked.number - 1]


def _departure(state: PageState, asked: Asked) -> float:
    return float(_observed(state, asked)[f"{asked.of}_departure"])


def _departures(state: PageState, asked: Asked) -> float:
    table = state.analysis().observations
    held = table["withheld"].to_numpy(dtype=bool)
    mine = (table["variable"] == asked.variable).to_numpy() & (held == (asked.of == "withheld"))
    found = table["analysis_departure"].to_numpy(dtype=float)[mine]
    if not np.isfinite(found).any():
        raise QuantityError(
            f"No observation of '{asked.variable[:SHOWN]}' is {asked.of} in this state; choose "
            "another."
        )
    return float(np.sqrt(np.nanmean(found**2)))


def _latent(state: PageState, asked: Asked) -> float:
    vector = state.latent
    if vector is None or not 1 <= asked.number <= len(vector):
        raise QuantityError(
            f"The state has no latent number {asked.number}; count from 1 to "
            f"{state.bundle.n_latent}."
        )
    return float(vector[asked.number - 1])


# A run takes seconds a day, and a question asks for several of its errors.
@lru_cache(maxsize=2)
def _days(state: PageState) -> Mapping[str, FollowedDay]:
    return state.cycle()


def _cycled(state: PageState, asked: Asked) -> float:
    last = _days(state).get(state.month)
    if last is None:
        raise QuantityError(f"The run does not reach {state.month}; choose one of its days.")
    return float(
        last.errors[asked.of][list(AREAS).index(asked.region), _row(state, asked.variable)]
    )


QUANTITIES: dict[str, Quantity] = {
    "mean": Quantity(
        "{what}, {of}, mean of {where}",
        "mean of a field over a region, by area",
        ("variable", "of"),
        _mean,
        FIELDS,
        may=("region",),
        unit="anomaly",
    ),
    "place": Quantity(
        "{what}, {of}, at {place}",
        "a field at a place",
        ("variable", "of", "lat", "lon"),
        _at_place,
        FIELDS,
        unit="anomaly",
    ),
    "greatest": Quantity(
        "{what}, {of}, greatest size in {where}",
        "the greatest size of a field in a region, whatever its sign",
        ("variable", "of"),
        _greatest,
        FIELDS,
        may=("region",),
        unit="anomaly",
    ),
    "extent": Quantity(
        "{what}, {of}: area above a tenth of its greatest, {where}",
        "percentage of a region where a field is above a tenth of its greatest size",
        ("variable", "of"),
        _moved,
        FIELDS,
        may=("region",),
        unit="%",
    ),
    "explained_variance": Quantity(
        "{what}: explained variance where nothing stands, {where}",
        "explained variance of the target's anomalies by the model, cells with an observation of "
        "the variable left out: 1 is perfect, 0 is climatology",
        ("variable",),
        lambda state, asked: float(_scored(state, asked).explained_variance),
        {},
        may=("region",),
    ),
    "rmse": Quantity(
        "{what}: error (RMSE) where nothing stands, {where}",
        "root mean square of model minus target, cells with an observation of the variable left "
        "out",
        ("variable",),
        lambda state, asked: float(_scored(state, asked).rmse),
        {},
        may=("region",),
        unit="anomaly",
    ),
    "covered": Quantity(
        "{what}: target within two spreads of the analysis, {where}",
        "percentage of a region where the target lies within two spreads of the analysis",
        ("variable",),
        _covered,
        {},
        may=("region",),
        unit="%",
    ),
    "departure": Quantity(
        "observation {number} minus {of}",
        "an observation minus the background or the analysis at its place",
        ("number", "of"),
        _departure,
        {"background": "background", "analysis": "analysis"},
        unit="observation",
    ),
    "departures": Quantity(
        "{what}: observations minus analysis (RMS), {of}",
        "root mean square of observations minus analysis, of those used or of those withheld",
        ("variable", "of"),
        _departures,
        {"used": "those used", "withheld": "those withheld"},
        unit="anomaly",
    ),
    "chi_squared": Quantity(
        "χ² per observation",
        "how large the departures from the background are for what prior and errors say: near 1 "
        "where both are right",
        (),
        lambda state, _: float(state.analysis().statistics.chi_squared),
        {},
    ),
    "degrees_of_freedom": Quantity(
        "degrees of freedom for signal",
        "how many independent numbers the observations determine",
        (),
        lambda state, _: float(state.analysis().statistics.degrees_of_freedom),
        {},
    ),
    "observations": Quantity(
        "observations used",
        "how many observations are assimilated",
        (),
        lambda state, _: float(state.analysis().statistics.n_used),
        {},
        unit="observations",
    ),
    "latent": Quantity(
        "latent number {number}",
        "one of the numbers of the latent vector",
        ("number",),
        _latent,
        {},
    ),
    "cycle_error": Quantity(
        "{what}: error (RMSE) of {of}, {where}",
        "of a cycle's last day: the error of its analysis, of its background, of a static "
        "analysis of the same observations, or of a forecast that is never corrected",
        ("variable", "of"),
        _cycled,
        {
            "analysis": "the cycled analysis",
            "background": "the background",
            "static": "the static analysis",
            "free": "the forecast never corrected",
        },
        may=("region",),
        unit="anomaly",
    ),
}


@dataclass(frozen=True)
class Measured:
    """A quantity of a state.

    Parameters
    ----------
    value : float
    unit : str
        '' of a pure number.
    label : str
        What it is, for people.
    decimals : int
        With how many people read it.
    """

    value: float
    unit: str
    label: str
    decimals: int


def read(name: Any, given: Mapping[str, Any]) -> Asked:
    """Check what a quantity is asked for.

    Parameters
    ----------
    name : str
        A key of `QUANTITIES`.
    given : mapping
        What is said of it, as YAML or JSON has it.

    Raises
    ------
    QuantityError
        If there is no such quantity, or what is said of it cannot be.
    """
    quantity = QUANTITIES.get(name) if isinstance(name, str) else None
    if quantity is None:
        raise QuantityError(
            f"there is no quantity '{str(name)[:SHOWN]}'; choose one of {', '.join(QUANTITIES)}."
        )
    known = (*quantity.needs, *quantity.may)
    for key in given:
        if key not in known:
            has = f"takes {', '.join(known)}" if known else "takes nothing more"
            raise QuantityError(f"'{str(key)[:SHOWN]}' says nothing of '{name}', which {has}.")
    lacking = [key for key in quantity.needs if key not in given]
    if lacking:
        raise QuantityError(f"'{name}' lacks '{lacking[0]}'; add it.")
    return Asked(**{key: _value(quantity, name, key, value) for key, value in given.items()})


def _value(quantity: Quantity, name: str, key: str, value: Any) -> Any:
    if key in ("lat", "lon"):
        low, high = (-90, 90) if key == "lat" else (-360, 720)
        return number(f"'{key}'", value, low, high, QuantityError)
    if key == "number":
        if not is_count(value) or not 1 <= value <= 100_000:
            raise QuantityError(f"'number' is {str(value)[:SHOWN]}; count from 1.")
        return value
    options: Any = None
    if key == "of":
        options = quantity.options
    elif key == "region":
        options = AREAS if name == "cycle_error" else REGIONS
    if not isinstance(value, str) or (options is not None and value not in options):
        choose = f"choose one of {', '.join(options)}" if options else "write a name"
        raise QuantityError(f"'{key}' cannot be '{str(value)[:SHOWN]}'; {choose}.")
    return value


def measure(name: str, asked: Asked, state: PageState) -> Measured:
    """Compute a quantity of a state.

    Parameters
    ----------
    name : str
        A key of `QUANTITIES`.
    asked : Asked
        Of `read`.
    state : PageState

    Returns
    -------
    Measured

    Raises
    ------
    QuantityError
        If the state does not have it.
    UserError
        If what it is computed from cannot be made.
    """
    quantity = QUANTITIES[name]
    value = quantity.measure(state, asked)
    if not np.isfinite(value):
        raise QuantityError(
            f"The quantity '{name}' of {state.month} is no number there; choose another place, "
            "variable or month."
        )
    regions: Mapping[str, Region] = AREAS if name == "cycle_error" else REGIONS
    variable = _variable(name, asked, state)
    decimals = 2 if variable is None or quantity.unit == "" else variable.decimals
    label = quantity.label.format(
        what="" if variable is None else variable.label,
        of=quantity.options.get(asked.of, ""),
        where=regions[asked.region].short,
        place=place(asked.lat, asked.lon),
        number=asked.number,
    )
    return Measured(
        value,
        unit_of(name, asked, state),
        label[:1].upper() + label[1:],
        0 if quantity.unit in ("%", "observations") else decimals,
    )


def unit_of(name: str, asked: Asked, state: PageState) -> str:
    """Return the unit of a quantity of a state, '' of a pure number."""
    unit = QUANTITIES[name].unit
    variable = _variable(name, asked, state)
    of_variable = unit in ("anomaly", "observation") and variable is not None
    return variable.anomaly_units if of_variable and variable else unit


def _variable(name: str, asked: Asked, state: PageState) -> Variable | None:
    """Return the variable that a quantity is of, or None."""
    if QUANTITIES[name].unit == "observation":
        # Of the table: to know a unit nothing has to be analysed.
        return variable_of(state, str(_numbered(state.table.plain, asked)["variable"]))
    return variable_of(state, asked.variable) if asked.variable else None
