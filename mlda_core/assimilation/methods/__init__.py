"""The analysis methods, one file each.

Files of this folder that define ``METHODS``, a tuple of
:class:`mlda_core.assimilation.method.Method`, are discovered automatically: there is no other list.
"""

from __future__ import annotations

from itertools import chain

from mlda_core.assimilation.method import Evaluation, Method
from mlda_core.climate.discovery import discovered, part_of
from mlda_core.climate.errors import StateError
from mlda_core.climate.spelling import hyphenated


def _find() -> dict[str, Method]:
    found = chain.from_iterable(discovered(__name__, __path__, "METHODS"))
    return {method.key: method for method in sorted(found, key=lambda method: method.rank)}


METHODS: dict[str, Method] = _find()
# Methods with a posterior covariance, and methods that can estimate responses to SST changes.
WITH_POSTERIOR = tuple(key for key, method in METHODS.items() if method.posterior)
RESPONDING = tuple(key for key, method in METHODS.items() if method.responds)
# Those whose posterior is that of the whole state, not of its latent part alone.
WITH_WHOLE_POSTERIOR = tuple(key for key in WITH_POSTERIOR if not METHODS[key].latent_only)


def scored_in(evaluation: Evaluation) -> tuple[str, ...]:
    """Return the methods that an evaluation includes by default, in order of rank.

    Parameters
    ----------
    evaluation : str
        One of :data:`mlda_core.assimilation.method.Evaluation`.

    Returns
    -------
    tuple of str
        Their keys.
    """
    return tuple(key for key, method in METHODS.items() if evaluation in method.scored_in)


def spelled(*keys: str) -> str:
    """Format method names for display and the command line: hyphenated, comma-separated.

    Parameters
    ----------
    *keys : str
        Of :data:`METHODS`; all of them by default.

    Returns
    -------
    str
    """
    return hyphenated(*(keys or METHODS))


def method_of(key: str) -> Method:
    """Return a method by its key, with hyphens or underscores.

    Parameters
    ----------
    key : str

    Returns
    -------
    Method

    Raises
    ------
    StateError
        If there is no such method.
    """
    return part_of(METHODS, key, "method", StateError)
