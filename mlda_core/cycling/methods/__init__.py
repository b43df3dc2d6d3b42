"""The cycled methods, one file each.

Files of this folder that define ``CYCLED``, a tuple of
:class:`mlda_core.cycling.method.CycledMethod`, are found by themselves: there is no other list.
"""

from __future__ import annotations

from itertools import chain

from mlda_core.climate.discovery import discovered, part_of
from mlda_core.climate.errors import UserError
from mlda_core.cycling.method import CycledMethod


def _find() -> dict[str, CycledMethod]:
    found = chain.from_iterable(discovered(__name__, __path__, "CYCLED"))
    return {method.key: method for method in sorted(found, key=lambda method: method.rank)}


# With the settings that they have by default.
CYCLED: dict[str, CycledMethod] = _find()


def cycled_method(key: str) -> CycledMethod:
    """Return a method by its key, with hyphens or underscores.

    Parameters
    ----------
    key : str

    Returns
    -------
    CycledMethod

    Raises
    ------
    UserError
        If there is no such method.
    """
    return part_of(CYCLED, key, "cycled method", UserError)
