"""The samplers of the posterior, one file each.

Files of this folder that define ``SAMPLER`` are discovered automatically: there is no other list.
"""

from __future__ import annotations

import importlib
import pkgutil

from mlda_core.assimilation.posterior.sampler import Sampler
from mlda_core.climate.errors import StateError


def _find() -> dict[str, Sampler]:
    found: list[Sampler] = [
        importlib.import_module(f"{__name__}.{module.name}").SAMPLER
        for module in pkgutil.iter_modules(__path__)
    ]
    return {sampler.key: sampler for sampler in sorted(found, key=lambda s: s.rank)}


SAMPLERS: dict[str, Sampler] = _find()


def sampler_of(key: str) -> Sampler:
    """Return a sampler by its key.

    Parameters
    ----------
    key : str

    Returns
    -------
    Sampler

    Raises
    ------
    StateError
        If there is no such sampler.
    """
    found = SAMPLERS.get(str(key).strip().lower())
    if found is None:
        raise StateError(
            f"There is no sampler '{str(key)[:24]}'; use one of {', '.join(SAMPLERS)}."
        )
    return found
