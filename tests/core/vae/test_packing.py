"""Weights stored in a byte each."""

import torch

from mlda_core.vae.packing import pack_bytes, tensors_under, unpack_bytes


def test_each_output_keeps_its_own_scale():
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(3, 4, 3, 3, generator=generator) * torch.tensor([1e-3, 1.0, 50.0]).view(
        3, 1, 1, 1
    )
    given = {"conv.weight": weight, "conv.bias": torch.tensor([1.5, -2.0, 0.25])}
    stored = pack_bytes(given)
    assert stored["conv.weight"].dtype == torch.int8
    assert stored["conv.bias"].dtype == torch.float16
    again = unpack_bytes(stored)
    assert again.keys() == given.keys()
    assert torch.equal(again["conv.bias"], given["conv.bias"])
    # Half a step of 127 within each output, however small the output.
    largest = weight.abs().amax(dim=(1, 2, 3))
    error = (again["conv.weight"] - weight).abs().amax(dim=(1, 2, 3))
    assert (error <= 0.501 * largest / 127).all()
    assert (error > 0).all()


def test_weights_of_zero_stay_zero():
    again = unpack_bytes(pack_bytes({"w": torch.zeros(2, 5)}))
    assert torch.equal(again["w"], torch.zeros(2, 5))


def test_tensors_under_a_head_lose_it():
    tensors = {"network.a": torch.ones(1), "network.b.c": torch.zeros(1), "error": torch.ones(2)}
    assert list(tensors_under("network.", tensors)) == ["a", "b.c"]
