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
# Those with a posterior covariance, and those whose analyses say what a change of the sea does.
WITH_POSTERIOR = tuple(key for key, method in METHODS.items() if method.posterior)
RESPONDING = tuple(key for key, method in METHODS.items() if method.responds)


def spelled(*keys: str) -> str:
    """Write methods as people read and type them: with hyphens, and commas between several.

    Parameters
    ----------
    *keys : str
        Of :data:`METHODS`; all of them by default.

    Returns
    -------
    str
    """
    return ", ".join(key.replace("_", "-") for key in keys or METHODS)


def method_of(key: str) -> Method:
    """Return a method by its key, however it is spelled: with hyphens or underscores.

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
    found = METHODS.get(str(key).strip().lower().replace("-", "_"))
    if found is None:
        raise StateError(f"There is no method '{str(key)[:24]}'; use one of {spelled()}.")
    return found
