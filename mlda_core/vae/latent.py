"""The latent space after training: its scale out of sample, its rotation and its order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlda_core.vae.dataset import Months
from mlda_core.vae.training import VAE

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Codes:
    """Posterior of z of some months: means and standard deviations, shape (n, L)."""

    mean: Array
    sd: Array

    @property
    def aggregate_mean(self) -> Array:
        """Mean of the aggregate posterior, shape (L,)."""
        return np.asarray(self.mean.mean(axis=0))

    @property
    def aggregate_variance(self) -> Array:
        """Variance of the aggregate posterior, shape (L,): of the means, plus mean variance."""
        return np.asarray(self.mean.var(axis=0) + (self.sd**2).mean(axis=0))


@torch.no_grad()
def encode_months(vae: VAE, months: Months, *, batch: int = 96) -> Codes:
    """Encode months in the basis of training."""
    means, sds = [], []
    for start in range(0, len(months), batch):
        part = slice(start, start + batch)
        mean, log_variance = vae.encoder(
            torch.from_numpy(months.x[part]), torch.from_numpy(months.calendar[part])
        )
        means.append(mean.numpy())
        sds.append(torch.exp(0.5 * log_variance).numpy())
    return Codes(np.concatenate(means).astype(np.float64), np.concatenate(sds).astype(np.float64))


@dataclass(frozen=True)
class LatentBasis:
    """How shipped latent vectors relate to those of training: ``z_training = to_training @ z``.

    Parameters
    ----------
    to_training, from_training : ndarray, shape (L, L)
        Inverse to each other.
    share : ndarray, shape (L, V)
        Variance of the standardised anomalies that each direction carries at z = 0, area mean
        over each variable, mean over the calendar months.
    """

    to_training: Array
    from_training: Array
    share: Array


def jacobian(vae: VAE, month: int) -> Tensor:
    """Jacobian of the decoder at z = 0, shape (L, V, lat, lon)."""
    n_latent = vae.decoder.config.n_latent
    zero = torch.zeros(n_latent)
    which = torch.tensor([month])

    def decode(z: Tensor) -> Tensor:
        out: Tensor = vae.decoder(z[None], which)[0]
        return out

    def column(direction: Tensor) -> Tensor:
        out: Tensor = torch.func.jvp(decode, (zero,), (direction,))[1]
        return out

    with torch.no_grad():
        return torch.stack([column(row) for row in torch.eye(n_latent)])


def find_basis(vae: VAE, held_out: Months, weights: Array) -> LatentBasis:
    """Scale the latent space to N(0, 1) out of sample, rotate it, and order it.

    A direction fitted on training months varies less on others (design: "out of sample the
    EOFs' variances are about 70 % of what they were fitted to be"). Each direction is scaled so
    that the aggregate posterior of held-out months has unit variance. Then z is rotated onto the
    principal axes of the area-weighted Jacobian at z = 0, averaged over the calendar months: a
    rotation leaves N(0, I) as it is, and the directions come out by the variance they carry.

    Parameters
    ----------
    vae : VAE
        Trained.
    held_out : Months
        VALIDATION and CALIBRATION months.
    weights : ndarray, shape (V, lat, lon)
        Cell areas, each variable summing to 1.
    """
    codes = encode_months(vae, held_out)
    scale = np.sqrt(codes.aggregate_variance)
    n_variables = weights.shape[0]
    root = torch.from_numpy(np.sqrt(weights)).float()
    monthly = [jacobian(vae, m) * root for m in range(1, 13)]
    scaled = [j.double() * torch.from_numpy(scale)[:, None, None, None] for j in monthly]
    gram = sum((j.flatten(1) @ j.flatten(1).T).numpy() for j in scaled) / 12
    values, vectors = np.linalg.eigh(gram)
    rotation = vectors[:, np.argsort(values)[::-1]]
    # Signs: the strongest effect of a direction is positive, so that sliders read naturally.
    for k in range(rotation.shape[1]):
        effect = sum(np.einsum("lvyx,l->vyx", j.numpy(), rotation[:, k]) for j in scaled)
        if (effect**3).sum() < 0:
            rotation[:, k] *= -1
    to_training = scale[:, None] * rotation
    from_training = rotation.T / scale
    share = np.zeros((rotation.shape[1], n_variables))
    for j in scaled:
        turned = np.einsum("lvyx,lk->kvyx", j.numpy(), rotation)
        share += (turned**2).sum(axis=(2, 3)) / 12
    return LatentBasis(to_training, from_training, share)


def ship(vae: VAE, basis: LatentBasis) -> tuple[dict[str, Tensor], Tensor]:
    """Return the decoder's and encoder's tensors, and the matrix applied to encoded means.

    The decoder takes shipped latent vectors directly (its linear part absorbs the basis); the
    encoder's output is turned by ``from_training``.
    """
    tensors = {k: v.detach().clone() for k, v in vae.state_dict().items()}
    turn = torch.from_numpy(basis.to_training).float()
    tensors["decoder.mixing"] = tensors["decoder.mixing"] @ turn
    return tensors, torch.from_numpy(basis.from_training).float()
