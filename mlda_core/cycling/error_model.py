"""A learnt model of background errors: a decoder of codes, and what codes leave out.

The error of a forecast is ``x - x_b = s D(w) + r`` with codes w of a standard normal prior, the
decoder D of a variational autoencoder that was trained on such errors, their spread s for the
network that made the analyses before, and a rest r whose covariance is a localised sample. After
VAE-Var (Xiao et al. 2025, Variational Autoencoder-Enhanced Variational Methods for Data
Assimilation in Meteorology, ICLR), which has no rest: a few hundred codes leave much out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.climate.errors import UserError
from mlda_core.climate.seasons import Seasons
from mlda_core.cycling.covariance import LocalisedSample
from mlda_core.vae.latent_prior import LatentPrior, Transport, WithTransport
from mlda_core.vae.minimise import decoder_jacobian
from mlda_core.vae.networks import Decoder

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ErrorModel:
    """Decoder of background errors, their spread, and the rest.

    Parameters
    ----------
    decoder : Decoder
        Of errors in units of their spread.
    seasons : Seasons
        From times to the calendar months that the decoder knows.
    factor : ndarray, shape (d,)
        By which the forecasts are drawn towards climatology whose errors these are.
    spread : ndarray, shape (d,)
        Of the errors, standardised.
    rest : LocalisedSample
        Covariance of what the codes leave out, of the time of year.
    priors : mapping, optional
        Priors of the codes other than N(0, I), by key.
    bend : LatentPrior, optional
        Of these, that whose map from N(0, I) comes before the decoder.
    """

    decoder: Decoder
    seasons: Seasons
    factor: Array
    spread: Array
    rest: LocalisedSample
    priors: Mapping[str, LatentPrior] = field(default_factory=dict)
    bend: WithTransport | None = None
    _slopes: dict[int, Array] = field(default_factory=dict, repr=False)

    @property
    def n_latent(self) -> int:
        """Number of codes L."""
        return self.decoder.config.n_latent

    def month(self, time: object) -> int:
        """Return the calendar month of a time, 1 to 12."""
        return self.seasons.calendar_month_of_time(time)

    def prior(self, key: str) -> LatentPrior:
        """Return a trained prior of the codes.

        Raises
        ------
        UserError
            If the model has none of that kind.
        """
        if key not in self.priors:
            raise UserError(
                f"The learnt forecast errors hold no {key} prior of their codes; make them with "
                f"'mlda cycle train --prior {key}'."
            )
        return self.priors[key]

    def bent(self, key: str) -> ErrorModel:
        """Return the model whose codes are those of N(0, I) that a prior's map takes to its own."""
        prior = self.prior(key)
        if not isinstance(prior, WithTransport):
            raise UserError(f"The {key} prior has no map from N(0, I); use flow.")
        return replace(self, bend=prior, _slopes={})

    def _map(self, month: int) -> Transport | None:
        return None if self.bend is None else self.bend.transport(month)

    def decode(self, codes: torch.Tensor, month: int) -> torch.Tensor:
        """Return errors, shape (n, d), of codes of shape (n, L) in a month; differentiable."""
        months, mapped = torch.full((len(codes),), month), self._map(month)
        own = codes.float() if mapped is None else mapped.forward(codes.float())
        errors = self.decoder(own, months).flatten(1).to(codes.dtype)
        return errors * torch.from_numpy(self.spread).to(codes.dtype)

    def slope(self, month: int) -> Array:
        """Return the derivative of errors at no codes, shape (L, d).

        The decoder's own is that at codes of 0 where a map comes before it too.
        """
        if month not in self._slopes:
            jacobian = decoder_jacobian(self.decoder, month).flatten(1)
            mapped = self._map(month)
            if mapped is not None:
                none = torch.zeros(1, self.n_latent)
                moved = torch.autograd.functional.jacobian(mapped.forward, none)[0, :, 0]
                jacobian = moved.T @ jacobian
            self._slopes[month] = jacobian.double().numpy() * self.spread
        return self._slopes[month]
