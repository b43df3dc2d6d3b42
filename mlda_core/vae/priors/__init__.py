"""The kinds of priors of the latent vector, one file each.

Files of this folder that define ``PRIOR``, a :class:`mlda_core.vae.latent_prior.PriorKind`, are
discovered automatically: there is no other list. Their libraries are imported when they are built.
"""

from __future__ import annotations

import importlib
import pkgutil

from mlda_core.vae.latent_prior import PriorError, PriorKind


def _find() -> dict[str, PriorKind]:
    found: list[PriorKind] = [
        importlib.import_module(f"{__name__}.{module.name}").PRIOR
        for module in pkgutil.iter_modules(__path__)
    ]
    return {kind.key: kind for kind in sorted(found, key=lambda kind: kind.rank)}


PRIORS: dict[str, PriorKind] = _find()
# Those that `mlda prior train` makes.
TRAINED = tuple(key for key, kind in PRIORS.items() if kind.trained)


def prior_of(key: str) -> PriorKind:
    """Return a kind of prior by its key.

    Parameters
    ----------
    key : str

    Returns
    -------
    PriorKind

    Raises
    ------
    PriorError
        If there is no such prior.
    """
    found = PRIORS.get(str(key).strip().lower())
    if found is None:
        raise PriorError(f"There is no prior '{str(key)[:24]}'; use one of {', '.join(PRIORS)}.")
    return found
