"""The methods of analysis, one file each.

A file of this folder that defines ``METHODS``, a tuple of
:class:`mlda_core.assimilation.method.Method`, is found by itself: nothing else lists methods.
"""

from __future__ import annotations

import importlib
import pkgutil

from mlda_core.assimilation.method import Method
from mlda_core.climate.errors import StateError


def _find() -> dict[str, Method]:
    found: list[Method] = []
    for module in pkgutil.iter_modules(__path__):
        found += importlib.import_module(f"{__name__}.{module.name}").METHODS
    return {method.key: method for method in sorted(found, key=lambda method: method.rank)}


METHODS: dict[str, Method] = _find()


def method_of(key: str) -> Method:
    """Return a method by its key; hyphens may stand for underscores.

    Parameters
    ----------
    key : str

    Returns
    -------
    Method

    Raises
    ------
    StateError
        If there is none.
    """
    found = METHODS.get(key.replace("-", "_"))
    if found is None:
        raise StateError(f"There is no method '{key}'; use one of {', '.join(METHODS)}.")
    return found
