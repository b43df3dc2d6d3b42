"""The kinds of priors of the latent vector, one file each.

Files of this folder that define ``PRIOR``, a :class:`mlda_core.vae.latent_prior.PriorKind`, are
discovered automatically: there is no other list. Their libraries are imported when they are built.
"""

from __future__ import annotations

from collections.abc import Sequence

from mlda_core.climate.discovery import discovered, part_of
from mlda_core.vae.latent_prior import PriorError, PriorKind

PRIORS: dict[str, PriorKind] = {
    found.key: found
    for found in sorted(discovered(__name__, __path__, "PRIOR"), key=lambda found: found.rank)
}
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
    return part_of(PRIORS, key, "prior", PriorError)


def trainable(keys: Sequence[str]) -> list[PriorKind]:
    """Return the kinds of priors that are to be trained; fail before anything is read.

    Raises
    ------
    PriorError
        If there is no such prior, it has no weights, or its library is not installed.
    """
    kinds = [prior_of(key) for key in keys]
    for kind in kinds:
        if not kind.trained:
            raise PriorError(
                f"The {kind.key} prior has nothing to be trained; use one of {', '.join(TRAINED)}."
            )
        kind.require()
    return kinds
