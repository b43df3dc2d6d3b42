"""Guidance of a diffusion prior by observations: moment matching posterior sampling.

Rozet and others 2024 (https://arxiv.org/abs/2405.13712), as azula's ``MMPSDenoiser``, for an
observation operator whose derivative is one matrix. Given z with noise, the prior's z has the mean
and the covariance that its denoiser and the denoiser's derivative say; the observations correct
that mean as optimal interpolation does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from azula.denoise import Denoiser, DiracPosterior
from torch import Tensor

if TYPE_CHECKING:
    from azula.noise import Schedule

# Relative size of what is left over when the linear system counts as solved, and the most
# iterations. With the variance of N(0, I) as the preconditioner one iteration is exact for it, and
# a trained denoiser takes 3 to 6.
_SOLVED, _ITERATIONS = 1e-4, 30
# Noise over signal from which on the covariance of z given z with noise is taken to be that of
# N(0, I): it nears the covariance of z itself, which is one by the whitening, and a denoiser's
# derivative there is a small number, learnt with an error, times the square of this.
_WIDE = 3.0


class MomentMatching(Denoiser):
    """Denoiser of the posterior of z given observations of unit, independent errors.

    Parameters
    ----------
    prior : Denoiser
        Of the prior of z, whose own variance is about one.
    misfit : callable
        What observations say beyond latent vectors (n, L): shape (n, r). May be nonlinear.
    singular : Tensor, shape (r,)
        Singular values of the observation operator's derivative; its left singular vectors are
        the axes of the misfit.
    axes : Tensor, shape (r, L)
        Its right singular vectors.
    """

    def __init__(
        self,
        prior: Denoiser,
        misfit: Callable[[Tensor], Tensor],
        singular: Tensor,
        axes: Tensor,
    ) -> None:
        super().__init__()
        self.prior, self.misfit = prior, misfit
        self.singular, self.operator = singular, singular[:, None] * axes

    @property
    def schedule(self) -> Schedule:
        """The noise schedule of the prior."""
        return self.prior.schedule

    def forward(self, x_t: Tensor, t: Tensor, **_: Any) -> DiracPosterior:
        """Return the mean of z given z with noise and the observations."""
        signal, sd = (s.to(x_t.dtype) for s in self.schedule(t))
        # The variance of z given z with noise, of N(0, I).
        normal = sd**2 / (signal**2 + sd**2)
        wide = bool(sd > _WIDE * signal)
        with torch.set_grad_enabled(not wide):
            noisy = x_t.detach().requires_grad_(not wide)
            mean = self.prior(noisy, t).mean

        def covariance(v: Tensor) -> Tensor:
            """Multiply by the covariance of z given z with noise (Tweedie's formula)."""
            if wide:
                return normal * v
            (slope,) = torch.autograd.grad(mean, noisy, v, retain_graph=True)
            return slope * (sd**2 / signal)

        left = self.misfit(mean.detach())
        diagonal = 1.0 + normal * self.singular**2
        weights = _solve(
            lambda v: v + covariance(v @ self.operator) @ self.operator.T, left, diagonal
        )
        return DiracPosterior(mean=mean.detach() + covariance(weights @ self.operator))


def _solve(product: Callable[[Tensor], Tensor], right: Tensor, diagonal: Tensor) -> Tensor:
    """Preconditioned conjugate gradients (Nocedal and Wright 2006, algorithm 5.3), row by row."""
    x = torch.zeros_like(right)
    r = right
    y = r / diagonal
    p = y
    size = (r * y).sum(dim=1)
    before = size
    for _ in range(_ITERATIONS):
        unsolved = before > _SOLVED**2 * size
        if not bool(unsolved.any()):
            break
        q = product(p)
        curved = (p * q).sum(dim=1)
        # No step for a row that is solved, nor where a trained denoiser's derivative is no
        # covariance.
        step = unsolved & (curved > 0)
        length = torch.where(step, before / curved.where(step, torch.ones_like(curved)), 0.0)
        x = x + length[:, None] * p
        r = r - length[:, None] * q
        y = r / diagonal
        after = (r * y).sum(dim=1)
        p = y + (after / before.clamp_min(1e-30))[:, None] * p
        before = after
    return x
