"""A learnt model of background errors: a decoder of codes, and what codes leave out.

The error of a forecast is ``x - x_b = s D(w) + r`` with codes w of a standard normal prior, the
decoder D of a variational autoencoder that was trained on such errors, their spread s for the
network that made the analyses before, and a rest r whose covariance is a localised sample. After
VAE-Var (Xiao et al. 2025, Variational Autoencoder-Enhanced Variational Methods for Data
Assimilation in Meteorology, ICLR), which has no rest: a few hundred codes leave much out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.climate.seasons import Seasons
from mlda_core.cycling.covariance import LocalisedSample
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
    """

    decoder: Decoder
    seasons: Seasons
    factor: Array
    spread: Array
    rest: LocalisedSample
    _slopes: dict[int, Array] = field(default_factory=dict, repr=False)

    @property
    def n_latent(self) -> int:
        """Number of codes L."""
        return self.decoder.config.n_latent

    def month(self, time: object) -> int:
        """Return the calendar month of a time, 1 to 12."""
        return self.seasons.calendar_month_of_time(time)

    def decode(self, codes: torch.Tensor, month: int) -> torch.Tensor:
        """Return errors, shape (n, d), of codes of shape (n, L) in a month; differentiable."""
        months = torch.full((len(codes),), month)
        errors = self.decoder(codes.float(), months).flatten(1).to(codes.dtype)
        return errors * torch.from_numpy(self.spread).to(codes.dtype)

    def slope(self, month: int) -> Array:
        """Return the derivative of errors at no codes, shape (L, d)."""
        if month not in self._slopes:
            jacobian = decoder_jacobian(self.decoder, month).flatten(1).double().numpy()
            self._slopes[month] = jacobian * self.spread
        return self._slopes[month]
