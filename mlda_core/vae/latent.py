"""Post-processing of the latent space: out-of-sample scale, rotation and order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import optimize
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


def find_basis(vae: VAE, held_out: Months, weights: Array) -> LatentBasis:
    """Make the latent prior N(0, I) out of sample, rotate z and order its components.

    Directions fitted on training months have less variance out of sample (for EOFs some 70 to
    85 % of the fitted one), above all those of the sea, of which there are few independent
    years. So the covariance of held-out codes is estimated: first by direction
    (:func:`shrink_to_smooth`), then so that each variable's decoded variance is right
    (:func:`match_variances`); and z is whitened with it. Finally z is rotated onto the principal
    axes of the area-weighted Jacobian at z = 0, averaged over the calendar months: a rotation
    leaves N(0, I) unchanged, and orders the directions by variance.

    Parameters
    ----------
    vae : VAE
        Trained.
    held_out : Months
        Validation and calibration months.
    weights : ndarray, shape (V, lat, lon)
        Cell areas, each variable summing to 1.
    """
    root = torch.from_numpy(np.sqrt(weights)).float()
    monthly = [(decoder_jacobian(vae.decoder, m) * root).double().numpy() for m in range(1, 13)]
    grams = np.stack([np.einsum("kvyx,lvyx->vkl", j, j, optimize=True) for j in monthly]).mean(0)
    codes = encode_months(vae, held_out)
    second = codes.mean.T @ codes.mean / len(codes.mean) + np.diag((codes.sd**2).mean(axis=0))

    axes = _principal_axes(grams.sum(axis=0))
    fractions = np.einsum("kl,vkm,ml->lv", axes, grams, axes, optimize=True).clip(1e-12)
    moments = np.einsum("kl,km,ml->l", axes, second, axes, optimize=True)
    # Members of a month share their sea, so they count as two samples together.
    samples = min(2, np.unique(held_out.member).size) * np.unique(held_out.names).size
    to_training = axes * np.sqrt(shrink_to_smooth(moments, fractions, samples))

    def turned(matrix: Array) -> Array:
        return np.asarray(to_training.T @ matrix @ to_training)

    inverse = np.linalg.inv(to_training)
    covariance = match_variances(np.stack([turned(g) for g in grams]), inverse @ second @ inverse.T)
    values, vectors = np.linalg.eigh(covariance)
    to_training = to_training @ (vectors * np.sqrt(values))
    rotation = _principal_axes(turned(grams.sum(axis=0)))
    to_training = to_training @ rotation
    # Signs: the strongest effects of a direction are positive, for the sliders.
    cubes = sum(np.sum((to_training.T @ j.reshape(len(j), -1)) ** 3, axis=1) for j in monthly)
    to_training = to_training * np.where(np.asarray(cubes) < 0, -1.0, 1.0)
    share = np.einsum("kl,vkm,ml->lv", to_training, grams, to_training, optimize=True)
    return LatentBasis(to_training, np.linalg.inv(to_training), share)


def _principal_axes(gram: Array) -> Array:
    values, vectors = np.linalg.eigh(gram)
    return np.asarray(vectors[:, np.argsort(values)[::-1]])


def match_variances(grams: Array, second: Array) -> Array:
    """Return the covariance nearest to I whose decoded variances are those of held-out codes.

    Of all normal distributions with ``tr(C G_v) = tr(S G_v)`` for each variable v, the one of
    least Kullback-Leibler divergence from N(0, I): ``C = (I + sum_v l_v G_v)^-1``, with the
    multipliers l found by least squares.

    Parameters
    ----------
    grams : ndarray, shape (V, L, L)
        ``G_v``: products of the decoder's Jacobians over variable v.
    second : ndarray, shape (L, L)
        ``S``: second moments of held-out codes.

    Returns
    -------
    ndarray, shape (L, L)
    """
    wanted = np.einsum("vkl,lk->v", grams, second)
    identity = np.eye(len(second))

    def covariance(multipliers: Array) -> Array:
        precision = identity + np.einsum("v,vkl->kl", multipliers, grams)
        values, vectors = np.linalg.eigh(precision)
        # Limit the stretching of any direction to a factor of three, however few the months.
        return np.asarray((vectors / np.clip(values, 1 / 9, None)) @ vectors.T)

    def misfit(multipliers: Array) -> Array:
        got = np.einsum("vkl,lk->v", grams, covariance(multipliers))
        return np.asarray(got / wanted - 1)

    return covariance(optimize.least_squares(misfit, np.zeros(len(grams))).x)


def shrink_to_smooth(moment: Array, share: Array, samples: int) -> Array:
    """Estimate variances from few samples, smoothed over rank and variables' fractions.

    With ``samples`` draws each log variance has a sampling variance of 2 / samples. The smooth
    part is a quadratic in rank plus the variables' fractions (few years of sea are independent,
    so directions of the sea lose most variance out of sample); the departures from it are
    reduced to the part that sampling noise cannot explain (an empirical Bayes estimate; Efron
    and Morris 1973).

    Parameters
    ----------
    moment : ndarray, shape (L,)
        Second moments, ordered by rank.
    share : ndarray, shape (L, V)
        Variance fraction of each variable in a direction.
    samples : int
        Effective number of independent samples.

    Returns
    -------
    ndarray, shape (L,)
    """
    rank = np.linspace(-1, 1, len(moment))
    parts = share / share.sum(axis=1, keepdims=True)
    design = np.column_stack([rank, rank**2, parts])
    log = np.log(moment)
    smooth = design @ np.linalg.lstsq(design, log, rcond=None)[0]
    left = log - smooth
    noise = 2.0 / samples
    mean_square = max(float(np.mean(left**2)), 1e-12)
    keep = max(0.0, 1.0 - noise / mean_square)
    # The mean log is below the log of the mean: add back half of the removed variance.
    return np.asarray(np.exp(smooth + keep * left + 0.5 * (1 - keep) * mean_square))


def ship(vae: VAE, basis: LatentBasis) -> tuple[dict[str, Tensor], Tensor]:
    """Return the decoder's and encoder's tensors, and the matrix applied to encoded means.

    The decoder takes exported latent vectors directly (its linear part absorbs the basis); the
    encoder's output is rotated by ``from_training``.
    """
    tensors = {k: v.detach().clone() for k, v in vae.state_dict().items()}
    to_training = torch.from_numpy(basis.to_training).float()
    tensors["decoder.mixing"] = tensors["decoder.mixing"] @ to_training
    return tensors, torch.from_numpy(basis.from_training).float()
