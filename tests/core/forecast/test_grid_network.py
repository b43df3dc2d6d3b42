"""The network of the grid forecast."""

import pytest
import torch

from mlda_core.forecast.grid_network import GridNetwork, GridNetworkConfig

SMALL = GridNetworkConfig(width=8, depth=1, position_channels=2)


def network(*, periodic=True, shape=(8, 16)):
    torch.manual_seed(0)
    return GridNetwork(2, shape, SMALL, periodic=periodic).eval()


def test_it_starts_as_damped_persistence():
    x = torch.randn(3, 2, 8, 16)
    made = network()(x, torch.ones(3, 3))
    assert torch.allclose(made, 0.5 * x)


def perturbed(model):
    with torch.no_grad():
        model.leave.conv.weight.add_(0.1 * torch.randn_like(model.leave.conv.weight))
        for block in model.modules():
            if hasattr(block, "film"):
                block.film.weight.add_(0.1 * torch.randn_like(block.film.weight))
    return model


@pytest.mark.parametrize("shape", [(8, 16), (9, 13)])
def test_fields_of_any_size_go_in_and_out(shape):
    model = perturbed(network(periodic=False, shape=shape))
    assert model(torch.randn(2, 2, *shape), torch.ones(2, 3)).shape == (2, 2, *shape)


def test_the_season_is_heard():
    model, x = perturbed(network()), torch.randn(1, 2, 8, 16)
    winter, summer = (torch.tensor([[1.0, c, 0.0]]) for c in (1.0, -1.0))
    assert (model(x, winter) - model(x, summer)).abs().max() > 1e-4


def test_longitudes_are_a_circle():
    model = perturbed(network())
    with torch.no_grad():
        model.position.zero_()
    x = torch.randn(1, 2, 8, 16)
    # Eight columns: the coarsest cells are that wide.
    turned = model(x.roll(8, -1), torch.ones(1, 3))
    assert torch.allclose(turned, model(x, torch.ones(1, 3)).roll(8, -1), atol=1e-5)
