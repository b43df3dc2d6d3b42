"""VAE-Var: background from the forecast, its error a decoded code and a localised rest.

``x = x_b + s D(w) + r``, with D the decoder of a variational autoencoder that was trained on
errors of forecasts. The codes minimise ``lambda |w|^2 / 2 + |y - H(x_b + s D(w))|^2 / 2`` in the
norm of the observations' errors and the rest's together; the rest gets what they leave. Xiao et al.
2024, https://doi.org/10.48550/arXiv.2405.13711, without their determinant and with a rest. Where
the problem has a covariance of background errors it takes a share of it (Hamill and Snyder 2000,
https://doi.org/10.1175/1520-0493(2000)128<2905:AHEKFV>2.0.CO;2): a few hundred codes of the whole
globe tell less of what hangs together near by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.assimilation.solver import minimise
from mlda_core.climate.errors import UserError
from mlda_core.climate.spelling import hyphenated
from mlda_core.cycling.covariance import LocalisedSample
from mlda_core.cycling.error_model import ErrorModel
from mlda_core.cycling.method import Analysed, Estimate, State, Workspace
from mlda_core.cycling.methods.var3d import Var3D
from mlda_core.cycling.problem import Observations
from mlda_core.cycling.whitened_network import WhitenedNetwork

Array = NDArray[np.float64]


@dataclass(frozen=True)
class VaeVar(Var3D):
    """The forecast is that of 3D-Var.

    Parameters
    ----------
    factor : float
        Of the variance of codes: one over VAE-Var's lambda.
    share : float
        Of the learnt model in the covariance of background errors, 0 to 1; the problem's own
        covariance has the rest. 1 is VAE-Var alone, 0 would be 3D-Var.
    iterations : int
        At most.
    """

    factor: float = 1.0
    share: float = 0.2
    iterations: int = 10

    key = "vae_var"
    label = "VAE-Var"
    sentence = "Background from the forecast, its error decoded by an autoencoder"
    source = "Xiao et al. 2024, https://doi.org/10.48550/arXiv.2405.13711"
    rank = 25
    # No bundle ships learnt errors: 42 MB.
    offered = None

    def __post_init__(self) -> None:
        """Refuse settings that mean nothing."""
        if not (0 < self.share <= 1 and self.factor > 0):
            raise UserError("A share lies above 0 and up to 1, and a factor above 0; correct it.")

    def errors(self, work: Workspace) -> ErrorModel:
        """Return the learnt model of background errors.

        Raises
        ------
        UserError
            If the problem has none.
        """
        errors = work.problem.errors
        if errors is None:
            raise UserError(
                f"The method '{hyphenated(self.key)}' needs a learnt model of forecast errors, and "
                "this problem has none; make one with 'mlda cycle train', or use another method."
            )
        return errors

    def _parts(self, work: Workspace, cycle: int) -> tuple[ErrorModel, float, LocalisedSample]:
        """Return the learnt errors, the factor of their amplitude, and the rest beside them."""
        errors, problem = self.errors(work), work.problem
        own = errors.rest.at(problem.time(cycle))
        other = None if problem.background is None else problem.background_at(cycle)
        if self.share == 1 or not isinstance(other, LocalisedSample):
            return errors, 1.0, own
        rest = work.kept(
            "rest of errors",
            (own, other),
            lambda: LocalisedSample(
                np.concatenate(
                    (
                        np.sqrt(self.share) * own.anomalies,
                        np.sqrt(1.0 - self.share) * other.anomalies,
                    )
                ),
                other.localisation,
            ),
        )
        return errors, float(np.sqrt(self.share)), rest

    def estimate(self, work: Workspace, state: State, cycle: int) -> Estimate:
        """Return the forecast, with the spread of the learnt errors."""
        errors, amplitude, rest = self._parts(work, cycle)
        slope = amplitude * errors.slope(errors.month(work.problem.time(cycle)))
        variance = self.factor * np.einsum("ld,ld->d", slope, slope) + rest.variance
        return Estimate(state["mean"], np.sqrt(variance))

    def analyse(
        self,
        work: Workspace,
        state: State,
        cycle: int,
        observations: Observations,
        generator: np.random.Generator,
    ) -> Analysed:
        """Find the codes, then give the rest what they leave; see :meth:`CycledMethod.analyse`."""
        errors, amplitude, rest = self._parts(work, cycle)
        operator = observations.operator
        month = errors.month(work.problem.time(cycle))
        network = work.kept(
            "network of errors",
            (rest, operator, observations.variance),
            lambda: WhitenedNetwork(rest, observations),
        )

        def decode(codes: torch.Tensor) -> torch.Tensor:
            return amplitude * errors.decode(codes, month)

        near = work.kept(
            "codes near none",
            (network, np.array(month)),
            lambda: NearNone(
                decode, amplitude * errors.slope(month), network, rest.variance, self.factor
            ),
        )
        background = state["mean"]
        departures = observations.values - operator.observe(background[None])[0]
        codes, told = self.codes(errors, month, decode, near, departures, generator)
        with torch.no_grad():
            decoded = decode(torch.from_numpy(codes)).numpy().mean(axis=0)
        left = departures - operator.observe(decoded[None])[0]
        mean = background + decoded + network.rest_given(left)
        return Analysed({"mean": mean}, Estimate(mean, near.sd), told)

    def codes(
        self,
        errors: ErrorModel,
        month: int,
        decode: Callable[[torch.Tensor], torch.Tensor],
        near: NearNone,
        departures: Array,
        generator: np.random.Generator,
    ) -> tuple[Array, dict[str, float]]:
        """Return the codes whose decoded errors the analysis has.

        Parameters
        ----------
        errors : ErrorModel
        month : int
            Calendar month.
        decode : callable
            From codes (n, L) to errors (n, d).
        near : NearNone
        departures : ndarray, shape (p,)
            Observations minus the background's.
        generator : numpy.random.Generator

        Returns
        -------
        ndarray, shape (n, L)
            The mean of their errors counts.
        dict
            Diagnostics.
        """
        del errors, month, generator
        network = near.network
        whitened = network.whitened(departures)
        root = torch.from_numpy(network.inverse_root)

        def value_and_gradient(codes: Array) -> tuple[float, Array]:
            at = torch.from_numpy(codes[None].copy()).requires_grad_()
            seen = network.operator.apply(decode(at))[0]
            left = torch.from_numpy(whitened) - root @ seen
            cost = 0.5 * (at**2).sum() / self.factor + 0.5 * (left**2).sum()
            (gradient,) = torch.autograd.grad(cost, at)
            return float(cost.item()), np.asarray(gradient[0].numpy())

        guess = near.covariance @ (near.seen.T @ (whitened - near.offset))
        *_, last = minimise(value_and_gradient, guess, near.covariance, max_steps=self.iterations)
        return last.x[None], {"iterations": float(last.index)}


class NearNone:
    """The linear problem at no codes: the start of the minimisation, and the spread."""

    def __init__(
        self,
        decode: Callable[[torch.Tensor], torch.Tensor],
        slope: Array,
        network: WhitenedNetwork,
        rest_variance: Array,
        factor: float,
    ) -> None:
        self.network, count = network, len(slope)
        with torch.no_grad():
            none = decode(torch.zeros(1, count, dtype=torch.float64)).numpy()
        self.seen = network.whitened(network.operator.observe(slope).T)
        self.offset = network.whitened(network.operator.observe(none)[0])
        self.covariance: Array = np.asarray(
            np.linalg.inv(np.eye(count) / factor + self.seen.T @ self.seen)
        )
        # With the codes' error the rest's increment changes too: K_r H s D(w) is taken off it.
        moved = slope - self.seen.T @ network.half
        root = np.linalg.cholesky(self.covariance)
        of_codes = np.square(root.T @ moved).sum(axis=0)
        self.sd: Array = np.sqrt(of_codes + network.variance_left(rest_variance)).astype(np.float64)


CYCLED = (VaeVar(),)
