"""The encoder and decoder of a bundle: from standardised anomalies to latent vectors and back."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.climate.errors import StateError
from mlda_core.climate.preprocess import Preprocessor
from mlda_core.climate.variables import relative_weights
from mlda_core.vae.minimise import decoder_jacobian
from mlda_core.vae.networks import Decoder, Encoder, NetworkConfig
from mlda_core.vae.packing import tensors_under

Float = NDArray[np.float32]
Array = NDArray[np.float64]
# torch.func.jvp uses process-wide state: two at once raise RuntimeError.
_JACOBIAN_LOCK = threading.Lock()


class Autoencoder:
    """Encoder and decoder without gradients, and the rotation of what was trained.

    Parameters
    ----------
    config : mapping
        Of the bundle.
    normaliser : Preprocessor
    tensors : mapping of Tensor
        Unpacked, see :func:`mlda_core.bundle.files.unpack_tensors`.

    Attributes
    ----------
    decoder : Decoder
        From exported latent vectors.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        normaliser: Preprocessor,
        tensors: Mapping[str, torch.Tensor],
    ) -> None:
        network = NetworkConfig(**config["network"])
        mask = torch.from_numpy(normaliser.mask)
        periodic = normaliser.grid.is_global
        patterns = tensors["decoder.patterns"]
        scale = relative_weights(
            config["training"].get("variable_weights", ()), normaliser.variables
        )
        weights = torch.from_numpy((normaliser.weights * scale[:, None, None]).ravel()).float()
        self.decoder = Decoder(mask, network, periodic=periodic, patterns=patterns)
        self._encoder = Encoder(mask, network, periodic=periodic)
        self._encoder.project_on(patterns, weights)
        for head, module in (("decoder.", self.decoder), ("encoder.", self._encoder)):
            own = tensors_under(head, tensors)
            own |= {"mask": self.decoder.mask} if head == "decoder." else {}
            module.load_state_dict(own)
            module.eval().requires_grad_(False)
        self._turn = tensors["from_training"].numpy().astype(np.float64)
        self._jacobians: dict[int, Float] = {}

    @torch.no_grad()
    def decode(self, z: NDArray[np.floating], month: int, *, linear: bool = False) -> Float:
        """Decode latent vectors (n, L) of a calendar month; ``linear`` omits the refiner."""
        latent = torch.as_tensor(np.asarray(z, dtype=np.float32))
        months = torch.full((len(latent),), month)
        decode = self.decoder.linear_part if linear else self.decoder
        out: Float = decode(latent, months).numpy()
        return out

    @torch.no_grad()
    def encode(self, x: Float, calendar: NDArray[np.int64]) -> tuple[Array, Array]:
        """Encode states (n, V, lat, lon) of calendar months: mean and spread, (n, L)."""
        mean, log_variance = self._encoder(
            torch.from_numpy(x), torch.from_numpy(np.asarray(calendar, np.int64))
        )
        variance = torch.exp(log_variance).numpy().astype(np.float64)
        turned = mean.numpy().astype(np.float64) @ self._turn.T
        return turned, np.sqrt(variance @ (self._turn**2).T)

    def code_of(self, x: torch.Tensor, month: torch.Tensor) -> torch.Tensor:
        """Encode states differentiably: means, (n, L)."""
        mean = self._encoder(x, month)[0]
        return mean @ torch.from_numpy(self._turn.T).to(mean.dtype)

    def jacobian(self, month: int) -> Float:
        """Jacobian of the decoder at z = 0, (L, V, lat, lon), cached by calendar month."""
        if month not in self._jacobians:
            with _JACOBIAN_LOCK:
                if month not in self._jacobians:
                    found = decoder_jacobian(self.decoder, month)
                    self._jacobians[month] = found.numpy()
        return self._jacobians[month]

    def checked(self, z: NDArray[np.floating]) -> Array:
        """Return latent vectors as (n, L), one for a single vector.

        Raises
        ------
        StateError
            If they have another length, or a number that is not finite.
        """
        latent = np.atleast_2d(np.asarray(z, dtype=np.float64))
        length = self.decoder.config.n_latent
        if latent.ndim != 2 or latent.shape[1] != length:
            raise StateError(
                f"A latent vector of this bundle has {length} numbers, not {latent.shape[-1]}."
            )
        if not np.isfinite(latent).all():
            raise StateError("A latent vector holds a number that is not finite; correct it.")
        return latent
