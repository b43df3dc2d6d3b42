"""Metadata of climate variables: names, units, colours, transform.

A bundle stores its own variables in its configuration, so any CF variable can be added to a
model without changing this file; the table here supplies defaults for common ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

TransformKind = Literal["none", "power", "gamma"]
Domain = Literal["globe", "sea", "land"]


@dataclass(frozen=True)
class Variable:
    """One variable of the state.

    Parameters
    ----------
    name : str
        CF short name, such as ``psl``.
    label : str
        Name on the page.
    standard_name : str
        CF standard name.
    units : str
        Units in the canonical dataset (CF).
    display_units : str
        Units in which full fields are shown.
    anomaly_units : str
        Units in which anomalies are shown and observations given.
    scale, offset : float
        ``display = canonical * scale + offset``; anomalies use the scale alone.
    anomaly_limit : float
        Symmetric colour limit of anomalies, display units: fixed, so that months compare.
    field_limits : tuple of float
        Colour limits of full fields, display units.
    anomaly_cmap, field_cmap : str
        Matplotlib colour-map names; the first diverging and safe for colour-blind readers.
    decimals : int
        Decimals to print.
    domain : {"globe", "sea", "land"}
        Where the variable exists.
    transform : {"none", "power", "gamma"}
        Transform towards a normal distribution before standardising.
    non_negative : bool
        Whether full fields are clipped at zero.
    extremes, mean_range : tuple of float, optional
        Range of possible values on Earth, and of a mean over any region, in display units. By
        default those that :mod:`mlda_core.climate.possible` has for the name.
    """

    name: str
    label: str
    standard_name: str
    units: str
    display_units: str
    anomaly_units: str
    scale: float
    offset: float
    anomaly_limit: float
    field_limits: tuple[float, float]
    anomaly_cmap: str
    field_cmap: str
    decimals: int = 1
    domain: Domain = "globe"
    transform: TransformKind = "none"
    non_negative: bool = False
    extremes: tuple[float, float] | None = None
    mean_range: tuple[float, float] | None = None

    @property
    def is_anomaly(self) -> bool:
        """Whether the variable itself is an anomaly, without an absolute value behind it."""
        return is_anomaly(self.standard_name)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values.

        Returns
        -------
        dict
            Input for :meth:`from_dict`. Unset limits are omitted, so that runs and bundles from
            before these attributes existed stay unchanged.
        """
        return {k: v for k, v in asdict(self).items() if k not in _OPTIONAL or v is not None}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Variable:
        """Build from plain JSON values.

        Parameters
        ----------
        values : dict
            Every attribute without a default; others are optional.

        Returns
        -------
        Variable

        Raises
        ------
        ValueError
            If a key is missing or unknown, or a value is invalid; the message names it.
        """
        known = {f.name for f in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"Variable has an unknown setting '{unknown[0]}'; remove it.")
        made = dict(values)
        for name in ("field_limits", *_OPTIONAL):
            if isinstance(made.get(name), list):
                made[name] = tuple(made[name])
        try:
            variable = cls(**made)
        except TypeError as error:
            raise ValueError(
                f"Variable '{values.get('name', '?')}' lacks a setting ({error}); add it."
            ) from error
        variable._check()
        return variable

    def _check(self) -> None:
        for name, kind in (("domain", Domain), ("transform", TransformKind)):
            allowed = get_args(kind)
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"Variable '{self.name}' has the {name} {getattr(self, name)!r}; use one of "
                    f"{', '.join(allowed)}."
                )
        for field in fields(self):
            value = getattr(self, field.name)
            wanted = _KINDS.get(str(field.type))
            if wanted and not wanted[1](value):
                raise ValueError(
                    f"Variable '{self.name}' has the {field.name} {value!r}; it must be "
                    f"{wanted[0]}."
                )
        if self.scale == 0 or self.anomaly_limit <= 0:
            culprit = "scale" if self.scale == 0 else "anomaly_limit"
            raise ValueError(
                f"Variable '{self.name}' has the {culprit} {getattr(self, culprit)!r}; it must be "
                f"{'other than' if culprit == 'scale' else 'above'} 0."
            )


_OPTIONAL = ("extremes", "mean_range")


def is_anomaly(standard_name: str) -> bool:
    """Whether a CF standard name denotes an anomaly, as ``surface_temperature_anomaly`` does."""
    return standard_name.endswith("_anomaly")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _are_limits(value: Any) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) == 2
        and all(map(_is_number, value))
        and value[0] < value[1]
    )


# By the text of the annotations above.
_KINDS: dict[str, tuple[str, Any]] = {
    "str": ("text", lambda value: isinstance(value, str)),
    "float": ("a number", _is_number),
    "int": ("a whole number", lambda value: _is_number(value) and isinstance(value, int)),
    "bool": ("true or false", lambda value: isinstance(value, bool)),
    "tuple[float, float]": ("two numbers, the lower first", _are_limits),
    "tuple[float, float] | None": (
        "two numbers, the lower first",
        lambda value: value is None or _are_limits(value),
    ),
}


# Colour limits: about the 99th percentile of |anomaly| over the training months, rounded. RdBu and
# BrBG are ColorBrewer's colour-blind-safe diverging maps; rain goes from brown (dry) to green.
DEFAULTS: dict[str, Variable] = {
    v.name: v
    for v in (
        Variable(
            name="psl",
            label="Sea-level pressure",
            standard_name="air_pressure_at_mean_sea_level",
            units="Pa",
            display_units="hPa",
            anomaly_units="hPa",
            scale=0.01,
            offset=0.0,
            anomaly_limit=12.0,
            field_limits=(980.0, 1040.0),
            anomaly_cmap="RdBu_r",
            field_cmap="viridis",
        ),
        Variable(
            name="tos",
            label="Sea surface temperature",
            standard_name="sea_surface_temperature",
            units="K",
            display_units="degC",
            anomaly_units="K",
            scale=1.0,
            offset=-273.15,
            anomaly_limit=3.0,
            field_limits=(-2.0, 32.0),
            anomaly_cmap="RdBu_r",
            field_cmap="viridis",
            decimals=2,
            domain="sea",
        ),
        Variable(
            name="tas",
            label="2 m air temperature",
            standard_name="air_temperature",
            units="K",
            display_units="degC",
            anomaly_units="K",
            scale=1.0,
            offset=-273.15,
            anomaly_limit=5.0,
            field_limits=(-50.0, 40.0),
            anomaly_cmap="RdBu_r",
            field_cmap="viridis",
            decimals=2,
        ),
        Variable(
            name="pr",
            label="Precipitation",
            standard_name="precipitation_flux",
            units="kg m-2 s-1",
            display_units="mm/day",
            anomaly_units="mm/day",
            scale=86400.0,
            offset=0.0,
            anomaly_limit=5.0,
            field_limits=(0.0, 16.0),
            anomaly_cmap="BrBG",
            field_cmap="viridis",
            decimals=2,
            transform="power",
            non_negative=True,
        ),
    )
}


def relative_weights(
    given: Iterable[tuple[str, float]], variables: Sequence[Variable]
) -> NDArray[np.float64]:
    """Return each variable's weight in a loss, 1 where none is given, shape (V,)."""
    by_name = dict(given)
    return np.array([by_name.get(v.name, 1.0) for v in variables])
