"""Which pairs of variables are the components of one vector, such as the winds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlda_core.variables import Variable

Pair = tuple[str, str]


def check_vectors(given: Any, variables: Sequence[Variable]) -> tuple[Pair, ...]:
    """Return pairs of variables' names, if each can be drawn as one vector.

    Parameters
    ----------
    given : list of [str, str]
        What a configuration says: the eastward component first, then the northward one.
    variables : sequence of Variable
        Those of the model.

    Returns
    -------
    tuple of (str, str)

    Raises
    ------
    ValueError
        One sentence: a pair is none, names a variable that the model has not or that another pair
        has, or its components differ in units or in where they exist.
    """
    by_name = {v.name: v for v in variables}
    if not isinstance(given, list | tuple):
        raise ValueError(
            f"vectors is {given!r}; write a list of pairs such as [['ua850', 'va850']]."
        )
    pairs: list[Pair] = []
    taken: set[str] = set()
    for one in given:
        if not (
            isinstance(one, list | tuple) and len(one) == 2 and all(isinstance(n, str) for n in one)
        ):
            raise ValueError(
                f"vectors holds {one!r}; a vector is two names, the eastward component first, such "
                "as ['ua850', 'va850']."
            )
        for name in one:
            if name not in by_name:
                raise ValueError(
                    f"vectors names '{name}', which the model has not; it has {', '.join(by_name)}."
                )
            if name in taken:
                raise ValueError(f"vectors names '{name}' twice; a variable is in one vector.")
            taken.add(name)
        east, north = (by_name[name] for name in one)
        if east.anomaly_units != north.anomaly_units:
            raise ValueError(
                f"vectors pairs {east.name} in {east.anomaly_units} with {north.name} in "
                f"{north.anomaly_units}; components of one vector have one unit."
            )
        if east.domain != north.domain:
            raise ValueError(
                f"vectors pairs {east.name} ({east.domain}) with {north.name} ({north.domain}); "
                "components of one vector exist in the same places."
            )
        pairs.append((east.name, north.name))
    return tuple(pairs)
