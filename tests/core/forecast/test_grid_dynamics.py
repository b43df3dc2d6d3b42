"""The grid forecast as dynamics: differentiable, by the season."""

import numpy as np
import torch

from mlda_core.climate.seasons import DAILY
from mlda_core.forecast.grid_dynamics import GridDynamics
from mlda_core.forecast.grid_network import GridNetwork, GridNetworkConfig

FIELDS = (2, 8, 16)
DAY = np.datetime64("1984-02-29")


def dynamics():
    torch.manual_seed(1)
    shape = GridNetworkConfig(width=8, depth=1, position_channels=2)
    network = GridNetwork(2, FIELDS[1:], shape, periodic=True).double()
    with torch.no_grad():
        network.leave.conv.weight.add_(0.2 * torch.randn_like(network.leave.conv.weight))
        for block in network.modules():
            if hasattr(block, "film"):
                block.film.weight.add_(0.2 * torch.randn_like(block.film.weight))
    return GridDynamics(network.eval(), DAILY, FIELDS)


class Double(GridDynamics):
    """In float64, for finite differences."""

    def step(self, states, time):
        season = self.seasons.of_times(np.array([time], "datetime64[D]"))
        from mlda_core.forecast.grid_training import season_features

        features = season_features(self.seasons, season, 1).double()
        x = states.view(-1, *self.fields)
        return self.network(x, features.expand(len(x), -1)).flatten(1)


def test_tangent_and_adjoint_agree_with_finite_differences():
    made = dynamics()
    double = Double(made.network, made.seasons, made.fields)
    generator = torch.Generator().manual_seed(0)
    x, dx, dy = (torch.randn(1, made.size, generator=generator).double() for _ in range(3))
    tangent = torch.func.jvp(lambda s: double.step(s, DAY), (x,), (dx,))[1]
    h = 1e-5
    ahead, behind = double.step(x + h * dx, DAY), double.step(x - h * dx, DAY)
    torch.testing.assert_close(tangent, (ahead - behind) / (2 * h), rtol=1e-6, atol=1e-7)
    (adjoint,) = torch.func.vjp(lambda s: double.step(s, DAY), x)[1](dy)
    assert abs(float((adjoint * dx).sum() - (tangent * dy).sum())) < 1e-8


def test_states_are_stepped_in_parts_and_keep_their_type():
    made = dynamics()
    made.network.float()
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(70, made.size, dtype=torch.float64, generator=generator)
    whole = made.step(states, DAY)
    assert whole.dtype == torch.float64
    # Single precision: processors add in other orders for other numbers of states.
    alone = made.step(states[40:41], DAY)
    torch.testing.assert_close(whole[40:41], alone, rtol=1e-5, atol=1e-5)


def test_the_season_of_the_day_is_used():
    made = dynamics()
    made.network.float()
    x = torch.randn(1, made.size)
    winter, summer, label = (
        made.step(x, t) for t in (DAY, np.datetime64("1984-08-01"), "1984-08-01")
    )
    assert (winter - summer).abs().max() > 1e-4
    torch.testing.assert_close(summer, label)
