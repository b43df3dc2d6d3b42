"""Conversion of observations' units, by UDUNITS: the CF conventions' own library of units."""

from __future__ import annotations

import numpy as np

from mlda_core.climate.variables import Variable

# UDUNITS reads these as something else: its mb is a millibarn.
_MEANT = {"mb": "mbar", "hpa": "hPa", "pa": "Pa", "c": "degC", "k": "K", "f": "degF"}


def to_display(units: str, variable: Variable) -> tuple[float, float]:
    """Return the scale and offset that turn given units into a variable's display units.

    An amount of rain may be given as a depth or as a mass: through the variable's canonical
    units, a millimetre is a kilogram a square metre.

    Parameters
    ----------
    units : str
        As UDUNITS reads them: ``Pa``, ``mbar``, ``degF``, ``kg m-2 s-1``, ``inch/day``.
    variable : Variable

    Returns
    -------
    scale, offset : float
        ``display = given * scale + offset``; a difference takes the scale alone.

    Raises
    ------
    ValueError
        If the units are unknown, or measure something else.
    """
    # Loaded at first use: most observations come in display units.
    import cf_units

    name = units.strip()
    try:
        given = cf_units.Unit(_MEANT.get(name if name in _MEANT else name.lower(), name))
    except ValueError:
        given = cf_units.Unit("unknown")
    ways = (
        (variable.display_units, 1.0, 0.0),
        (variable.units, variable.scale, variable.offset),
    )
    for target, scale, offset in ways:
        if given.is_convertible(target):
            zero, one = given.convert(np.array([0.0, 1.0]), target)
            return float((one - zero) * scale), float(zero * scale + offset)
    shown = name if len(name) <= 40 else f"{name[:39]}…"
    raise ValueError(
        f"'{shown}' are no units of {variable.label.lower()}; give {variable.anomaly_units}"
    )
