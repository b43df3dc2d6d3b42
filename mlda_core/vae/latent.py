"""Post-processing of the latent space: out-of-sample scale, rotation and order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlda_core.vae.dataset import Months
from mlda_core.vae.minimise import decoder_jacobian
from mlda_core.vae.training import VAE

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Codes:
    """Posterior of z for a set of months: means and standard deviations, shape (n, L)."""

    mean: Array
    sd: Array

    @property
    def second(self) -> Array:
        """Second moments of z, shape (L, L)."""
        return np.asarray(
            self.mean.T @ self.mean / len(self.mean) + np.diag((self.sd**2).mean(axis=0))
        )

    def squares(self, matrix: Array) -> Array:
        """Return expected squares of ``matrix @ z``, shape (n, L)."""
        return np.asarray((self.mean @ matrix.T) ** 2 + self.sd**2 @ (matrix**2).T)


@torch.no_grad()
def encode_months(vae: VAE, months: Months, *, batch: int = 96) -> Codes:
    """Encode months in the training basis."""
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
    """Map from exported latent vectors to those of training: ``z_training = to_training @ z``.

    Parameters
    ----------
    to_training, from_training : ndarray, shape (L, L)
        Inverse to each other.
    share : ndarray, shape (L, V)
        Variance of the standardised anomalies along each direction at z = 0: area mean of each
        variable, mean over the calendar months.
    """

    to_training: Array
    from_training: Array
    share: Array


def find_basis(vae: VAE, training: Months, held_out: Months, weights: Array) -> LatentBasis:
    """Make the latent prior N(0, I) out of sample, rotate z and order its components.

    z is whitened with the covariance of the training months' codes first. Directions fitted on
    these months have less variance on others, and the held-out years say how much less, but they
    are few, and may have had weak or strong El Ninos: they correct what they tell beyond chance
    (:func:`correct_variances`), and chance is what as many training years drawn at random show.
    Finally z is rotated onto the principal axes of the area-weighted Jacobian at z = 0, averaged
    over the calendar months: a rotation leaves N(0, I) unchanged, and orders the directions by
    variance.

    Parameters
    ----------
    vae : VAE
        Trained.
    training : Months
        Months under the observed sea that it was trained on.
    held_out : Months
        Validation and calibration months.
    weights : ndarray, shape (V, lat, lon)
        Cell areas, each variable summing to 1.
    """
    root = torch.from_numpy(np.sqrt(weights)).float()
    monthly = [(decoder_jacobian(vae.decoder, m) * root).double().numpy() for m in range(1, 13)]
    grams = np.stack([np.einsum("kvyx,lvyx->vkl", j, j, optimize=True) for j in monthly]).mean(0)
    trained, others = encode_months(vae, training), encode_months(vae, held_out)

    values, vectors = np.linalg.eigh(trained.second)
    to_training = vectors * np.sqrt(values)
    to_training = to_training @ _principal_axes(to_training.T @ grams.sum(axis=0) @ to_training)
    share = np.einsum("kl,vkm,ml->lv", to_training, grams, to_training, optimize=True)
    inverse = np.linalg.inv(to_training)
    seen, year = _years(held_out), _years(training)
    squares = trained.squares(inverse)
    by_year = np.stack([squares[year == y].mean(axis=0) for y in np.unique(year)])
    variances = correct_variances(
        others.squares(inverse).mean(axis=0), by_year, share, np.unique(seen).size
    )
    to_training = to_training * np.sqrt(variances)

    rotation = _principal_axes(to_training.T @ grams.sum(axis=0) @ to_training)
    to_training = to_training @ rotation
    # Signs: the strongest effects of a direction are positive, for the sliders.
    cubes = sum(np.sum((to_training.T @ j.reshape(len(j), -1)) ** 3, axis=1) for j in monthly)
    to_training = to_training * np.where(np.asarray(cubes) < 0, -1.0, 1.0)
    share = np.einsum("kl,vkm,ml->lv", to_training, grams, to_training, optimize=True)
    return LatentBasis(to_training, np.linalg.inv(to_training), share)


def _principal_axes(gram: Array) -> Array:
    values, vectors = np.linalg.eigh(gram)
    return np.asarray(vectors[:, np.argsort(values)[::-1]])


def _years(months: Months) -> NDArray[np.str_]:
    return np.array([name[:4] for name in months.names])


def correct_variances(
    moments: Array, by_year: Array, share: Array, years: int, *, draws: int = 500, seed: int = 0
) -> Array:
    """Estimate variances out of sample from few held-out years; those of training months are 1.

    The logarithms of the held-out moments are smoothed by a quadratic in rank plus the variables'
    fractions (few years of sea are independent, so directions of the sea lose most). Departures
    from that are kept as far as they exceed those of as many training years, drawn with
    replacement (an empirical Bayes estimate; Efron and Morris 1973).

    Parameters
    ----------
    moments : ndarray, shape (L,)
        Second moments of held-out codes, ordered by rank.
    by_year : ndarray, shape (Y, L)
        Those of each training year.
    share : ndarray, shape (L, V)
        Variance of each variable in a direction.
    years : int
        Number of held-out years.
    draws, seed : int
        Draws of training years, and their seed.

    Returns
    -------
    ndarray, shape (L,)
    """
    rank = np.linspace(-1, 1, len(moments))
    design = np.column_stack([rank, rank**2, share / share.sum(axis=1, keepdims=True)])
    smoother = design @ np.linalg.pinv(design)
    chosen = np.random.default_rng(seed).integers(len(by_year), size=(draws, years))
    drawn = np.log(by_year[chosen].mean(axis=1))
    # The mean log is below the log of the mean.
    log = np.log(moments) - (drawn.mean(axis=0) - np.log(by_year.mean(axis=0)))
    smooth = smoother @ log
    left = log - smooth
    drawn -= drawn.mean(axis=0)
    noise = float(np.mean((drawn - drawn @ smoother.T) ** 2))
    keep = max(0.0, 1.0 - noise / max(float(np.mean(left**2)), 1e-12))
    return np.asarray(np.exp(smooth + keep * left))


def ship(vae: VAE, basis: LatentBasis) -> tuple[dict[str, Tensor], Tensor]:
    """Return the decoder's and encoder's tensors, and the matrix applied to encoded means.

    The decoder takes exported latent vectors directly (its linear part absorbs the basis); the
    encoder's output is rotated by ``from_training``.
    """
    tensors = {k: v.detach().clone() for k, v in vae.state_dict().items()}
    to_training = torch.from_numpy(basis.to_training).float()
    tensors["decoder.mixing"] = tensors["decoder.mixing"] @ to_training
    return tensors, torch.from_numpy(basis.from_training).float()
