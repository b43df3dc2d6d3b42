"""A diffusion prior guided by the observations, through the decoder.

Each member starts as noise and is denoised, step by step, into a draw of the latent vector given
the observations, the representation error counted among their errors; then the representation error
is drawn given what the decoded state leaves over. The decoder's values are its own, its derivative
that of the linear problem: the decoder is nearly linear.

Members are draws of the posterior for the prior as it stands. Their departures from the mean are
then scaled, cell by cell, as the prior's size that the observations tell of changes the spread of
the linear problem (:mod:`mlda_core.assimilation.posterior.innovation_scale`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlda_core.assimilation.posterior.conditioning import linear_departures, residual_error
from mlda_core.assimilation.posterior.sampler import Progress, Sampled, Sampler
from mlda_core.climate.errors import StateError

if TYPE_CHECKING:
    import torch
    from azula.denoise import Denoiser

    from mlda_core.assimilation.gain import Gain
    from mlda_core.assimilation.posterior.batch_cost import BatchCost
    from mlda_core.assimilation.posterior.draws import Draws
    from mlda_core.assimilation.problem import Problem
    from mlda_core.bundle.bundle import Bundle

Float = NDArray[np.float32]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Guided(Sampler):
    """Moment matching posterior sampling; ``prior`` is a key of ``PRIORS`` that has a score."""

    prior: str = "diffusion"

    def check(self, bundle: Bundle) -> None:
        """Check that there are the prior and its library; see :meth:`Sampler.check`."""
        bundle.check_prior(self.prior)

    def sample(self, problem: Problem, draws: Draws) -> Iterator[Progress]:
        """Denoise all members together; see :meth:`Sampler.sample`."""
        if problem.sea_held:
            raise StateError(
                "Where the sea is observed, the sea network says what the state is likely to be, "
                f"and the {self.prior} prior does not know that; use another sampler than "
                f"{self.key}, or leave sea_prior out."
            )
        if problem.gain.prior.bend is not None:
            raise StateError(
                f"The sampler {self.key} draws from the {self.prior} prior, so the analysis cannot "
                f"have the {problem.setting.prior} prior; leave prior out."
            )
        prior = problem.bundle.prior(self.prior)
        # Here, for the list of samplers must load without torch.
        import torch

        from mlda_core.assimilation.posterior.batch_cost import BatchCost
        from mlda_core.vae.denoising import STEPS, denoised

        gain, observed = problem.gain, problem.observed
        n = len(draws.zeta)
        plain = draws if draws.plain is None else draws.plain
        fit = BatchCost(problem, np.tile(observed.value, (n, 1)), np.zeros_like(plain.zeta))
        denoiser = prior.denoiser(problem.bundle.calendar_month(problem.month))
        if len(observed):
            denoiser = _guided(denoiser, fit, gain.whitener, gain.whitened)
        zeta = plain.zeta
        for i, found in enumerate(denoised(denoiser, torch.from_numpy(plain.zeta).float())):
            zeta = found.numpy().astype(np.float64)
            yield Progress(i + 1, STEPS)
        x, left = fit.states(zeta)
        x = x + residual_error(gain, plain, left)
        x = x.mean(axis=0) + _scale(gain, plain, draws) * (x - x.mean(axis=0))
        words = f"{STEPS} steps of the {self.prior} prior, guided by {len(observed)} observations"
        sampled = Sampled(np.asarray(x, np.float32), fit.z(zeta), words)
        yield Progress(STEPS, STEPS, sampled)


def _scale(gain: Gain, plain: Draws, scaled: Draws) -> Float:
    """Return the linear problem's spread with scaled draws over that with plain ones, (cells,).

    Of the same random numbers, so that their chance is not in the quotient.
    """
    before, after = (linear_departures(gain, draws)[1].std(axis=0) for draws in (plain, scaled))
    return np.asarray(after / np.maximum(before, 1e-6), np.float32)


def _guided(prior: Denoiser, fit: BatchCost, whitener: Array, whitened: Array) -> Denoiser:
    """Return the denoiser of the posterior.

    The observations are carried to the few directions in which they tell of the latent vector, at
    most as many as it has numbers: of the others the decoder's derivative is zero.
    """
    import torch

    from mlda_core.assimilation.posterior.moment_matching import MomentMatching

    left_axes, singular, axes = np.linalg.svd(whitened, full_matrices=False)
    to_axes = whitener.T @ left_axes

    def misfit(zeta: torch.Tensor) -> torch.Tensor:
        _, left = fit.states(zeta.numpy().astype(np.float64))
        return torch.from_numpy(left @ to_axes).float()

    return MomentMatching(
        prior, misfit, torch.from_numpy(singular).float(), torch.from_numpy(axes).float()
    )


SAMPLER = Guided(
    "guided",
    "Guided diffusion",
    "A diffusion prior, denoised under the guidance of the observations",
    "Rozet and others 2024, https://arxiv.org/abs/2405.13712",
    rank=40,
    needs_decoder=True,
)
