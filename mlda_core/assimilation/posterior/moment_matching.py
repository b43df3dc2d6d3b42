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
        with torch.enable_grad():
            noisy = x_t.detach().requires_grad_()
            mean = self.prior(noisy, t).mean

        def covariance(v: Tensor) -> Tensor:
            """Multiply by the covariance of z given z with noise (Tweedie's formula)."""
            (slope,) = torch.autograd.grad(mean, noisy, v, retain_graph=True)
            return slope * (sd**2 / signal)

        left = self.misfit(mean.detach())
        # The preconditioner: the variance of z given z with noise, of N(0, I).
        diagonal = 1.0 + sd**2 / (signal**2 + sd**2) * self.singular**2
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
        if bool((before <= _SOLVED**2 * size).all()):
            break
        q = product(p)
        # A row that is solved takes no further step.
        length = before / (p * q).sum(dim=1).clamp_min(1e-30)
        x = x + length[:, None] * p
        r = r - length[:, None] * q
        y = r / diagonal
        after = (r * y).sum(dim=1)
        p = y + (after / before.clamp_min(1e-30))[:, None] * p
        before = after
    return x
