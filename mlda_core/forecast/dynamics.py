"""What a forecast model is: a differentiable step of a batch of states, and its error."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from mlda_core.forecast.model_error import ModelError

Array = NDArray[np.float64]
# The time that a step starts from: a number of steps, or a date. An autonomous system ignores it; a
# model with seasons reads its date.
Time = Any


class Dynamics(Protocol):
    """A model that steps states in time.

    One step is ``x_k+1 = step(x_k, time_k) + eta_k`` with ``eta_k`` drawn from ``model_error``.
    """

    @property
    def name(self) -> str:
        """Its name in tables and files."""

    @property
    def size(self) -> int:
        """Number of components d of a state."""

    @property
    def model_error(self) -> ModelError | None:
        """Covariance of the error of one step; None for a perfect model."""

    def step(self, states: torch.Tensor, time: Time) -> torch.Tensor:
        """Step states by one time step, without model error.

        Parameters
        ----------
        states : Tensor, shape (n, d)
            A batch; gradients pass through.
        time : int or datetime64
            Of the states.

        Returns
        -------
        Tensor, shape (n, d)
            Of the states' dtype.
        """


def advance(
    dynamics: Dynamics,
    states: Array,
    times: Iterable[Time],
    generator: np.random.Generator | None = None,
) -> Array:
    """Step states through several times, without gradients.

    Parameters
    ----------
    dynamics : Dynamics
    states : ndarray, shape (n, d)
    times : iterable
        The time that each step starts from.
    generator : numpy.random.Generator, optional
        Draws a model error after each step; without it, none is added.

    Returns
    -------
    ndarray, shape (n, d)
    """
    # Not inference_mode: tensors that a model makes once there could not be differentiated later.
    with torch.no_grad():
        at = torch.from_numpy(np.array(states, dtype=np.float64))
        for time in times:
            at = dynamics.step(at, time)
            if generator is not None and dynamics.model_error is not None:
                at = at + torch.from_numpy(dynamics.model_error.sample(len(at), generator))
        return np.asarray(at.numpy(), np.float64)


def trajectory(
    dynamics: Dynamics,
    states: Array,
    times: Iterable[Time],
    generator: np.random.Generator | None = None,
) -> Array:
    """Return states at each of several times, shape (times + 1, n, d); see :func:`advance`."""
    out = [np.array(states, dtype=np.float64)]
    for time in times:
        out.append(advance(dynamics, out[-1], (time,), generator))
    return np.stack(out)
