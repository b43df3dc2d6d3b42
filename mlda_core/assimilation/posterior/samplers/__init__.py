"""The samplers of the posterior, one file each.

Files of this folder that define ``SAMPLER`` are discovered automatically: there is no other list.
"""

from __future__ import annotations

from mlda_core.assimilation.posterior.sampler import Sampler
from mlda_core.climate.discovery import discovered, part_of
from mlda_core.climate.errors import StateError

SAMPLERS: dict[str, Sampler] = {
    found.key: found
    for found in sorted(discovered(__name__, __path__, "SAMPLER"), key=lambda found: found.rank)
}


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
    return part_of(SAMPLERS, key, "sampler", StateError)
