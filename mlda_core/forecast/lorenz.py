"""Lorenz's systems of 1963 and 1996, with the fourth-order Runge-Kutta scheme.

Lorenz 1963, https://doi.org/10.1175/1520-0469(1963)020<0130:DNF>2.0.CO;2; Lorenz 1996, in:
Predictability of Weather and Climate, https://doi.org/10.1017/CBO9780511617652.004. Constants and
steps are those of DAPPER's twin experiments (https://github.com/nansencenter/DAPPER).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from mlda_core.climate.errors import UserError
from mlda_core.forecast.dynamics import Time
from mlda_core.forecast.model_error import ModelError

Tendency = Callable[[torch.Tensor], torch.Tensor]


def runge_kutta(tendency: Tendency, states: torch.Tensor, dt: float) -> torch.Tensor:
    """Step an autonomous system by the classical fourth-order scheme.

    Parameters
    ----------
    tendency : callable
        From states to their derivatives in time, both of shape (n, d).
    states : Tensor, shape (n, d)
    dt : float

    Returns
    -------
    Tensor, shape (n, d)
    """
    k1 = tendency(states)
    k2 = tendency(states + (dt / 2) * k1)
    k3 = tendency(states + (dt / 2) * k2)
    k4 = tendency(states + dt * k3)
    return states + (dt / 6) * (k1 + 2 * (k2 + k3) + k4)


@dataclass(frozen=True, eq=False)
class Lorenz63:
    """Convection in three numbers.

    Parameters
    ----------
    dt : float
        Length of a step.
    model_error : ModelError, optional
    sigma, rho, beta : float
        Prandtl number, ratio of Rayleigh numbers, and the geometric factor.
    """

    dt: float = 0.01
    model_error: ModelError | None = None
    sigma: float = 10.0
    rho: float = 28.0
    beta: float = 8.0 / 3.0

    name = "lorenz63"
    size = 3

    def tendency(self, states: torch.Tensor) -> torch.Tensor:
        """Return the derivatives in time of states, shape (n, 3)."""
        x, y, z = states.unbind(-1)
        return torch.stack(
            (self.sigma * (y - x), x * (self.rho - z) - y, x * y - self.beta * z), dim=-1
        )

    def step(self, states: torch.Tensor, time: Time) -> torch.Tensor:
        """Step states; see :meth:`mlda_core.forecast.dynamics.Dynamics.step`."""
        del time
        return runge_kutta(self.tendency, states, self.dt)


@dataclass(frozen=True, eq=False)
class Lorenz96:
    """A circle of latitude: advection, damping and a constant forcing.

    ``dx_i/dt = (x_i+1 - x_i-2) x_i-1 - x_i + F``.

    Parameters
    ----------
    size : int
        Number of variables on the circle, at least 4.
    dt : float
        Length of a step; 0.05 is six hours by the usual comparison of growth rates.
    model_error : ModelError, optional
    forcing : float
    """

    size: int = 40
    dt: float = 0.05
    model_error: ModelError | None = None
    forcing: float = 8.0

    name = "lorenz96"

    def __post_init__(self) -> None:
        """Refuse a circle too small for its differences."""
        if self.size < 4:
            raise UserError(f"Lorenz-96 with {self.size} variables: use 4 or more.")

    def tendency(self, states: torch.Tensor) -> torch.Tensor:
        """Return the derivatives in time of states, shape (n, size)."""
        # One copy with its neighbours, then views: twice as fast as three torch.roll.
        around = torch.cat((states[..., -2:], states, states[..., :1]), dim=-1)
        advection = (around[..., 3:] - around[..., :-3]) * around[..., 1:-2]
        return advection - states + self.forcing

    def step(self, states: torch.Tensor, time: Time) -> torch.Tensor:
        """Step states; see :meth:`mlda_core.forecast.dynamics.Dynamics.step`."""
        del time
        return runge_kutta(self.tendency, states, self.dt)
