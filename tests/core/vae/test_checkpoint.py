"""Checkpoints, moving averages and learning rates of trainings."""

import pytest
import torch
from torch import nn

from mlda_core.vae.checkpoint import (
    FILE,
    average_of,
    follow,
    load_checkpoint,
    one_cycle,
    save_checkpoint,
)


def trained(seed):
    torch.manual_seed(seed)
    model = nn.Linear(3, 2)
    optimiser = torch.optim.AdamW(model.parameters(), 0.1)
    for _ in range(3):
        optimiser.zero_grad()
        model(torch.ones(1, 3)).sum().backward()
        optimiser.step()
    return model, optimiser


def test_a_training_goes_on_from_its_checkpoint_bit_by_bit(tmp_path):
    model, optimiser = trained(0)
    save_checkpoint(tmp_path, {"epoch": 4}, {"a": model, "b": average_of(model)}, optimiser)
    other, again = trained(1)
    average = average_of(other)
    assert load_checkpoint(tmp_path, {"a": other, "b": average}, again) == {"epoch": 4}
    for m, o in ((model, optimiser), (other, again)):
        o.zero_grad()
        m(torch.arange(3.0)[None]).sum().backward()
        o.step()
    assert torch.equal(model.weight, other.weight)
    assert not average.weight.requires_grad


def test_without_a_checkpoint_there_is_no_state(tmp_path):
    model, optimiser = trained(0)
    assert load_checkpoint(tmp_path, {"a": model}, optimiser) is None
    assert not (tmp_path / FILE).exists()


def test_an_average_follows_the_weights():
    model, _ = trained(0)
    average = average_of(model)
    start = average.weight.clone()
    with torch.no_grad():
        model.weight.add_(1.0)
    follow(average, model, 0.75)
    torch.testing.assert_close(average.weight, start + 0.25)


def test_the_rate_rises_and_falls():
    _, optimiser = trained(0)
    rates = []
    for part in (0.0, 0.025, 0.05, 0.5, 1.0):
        one_cycle(optimiser, [0.2], part)
        rates.append(optimiser.param_groups[0]["lr"])
    assert rates[0] == 0.0
    assert rates[1] < rates[2]
    assert rates[2] > rates[3] > rates[4]
    assert rates[4] == pytest.approx(0.002)
