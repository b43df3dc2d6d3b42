"""What trainings have in common: checkpoints, the moving average of weights, the learning rate."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from mlda_core.climate.atomic_files import replacing
from mlda_core.vae.packing import tensors_under

M = TypeVar("M", bound=nn.Module)
FILE = "checkpoint.safetensors"


def tensors_of(model: nn.Module) -> dict[str, Tensor]:
    """Return a model's tensors, detached and on the CPU."""
    return {k: v.detach().contiguous().cpu() for k, v in model.state_dict().items()}


def save_checkpoint(
    run: Path,
    state: Mapping[str, Any],
    models: Mapping[str, nn.Module],
    optimiser: torch.optim.Optimizer,
) -> None:
    """Write a checkpoint atomically, so that an interruption leaves the earlier one intact.

    Parameters
    ----------
    run : Path
        Folder of the run.
    state : mapping
        Plain JSON values.
    models : mapping of str to Module
        By the head of their tensors' names.
    optimiser : Optimizer
    """
    tensors = {f"{head}.{k}": v for head, m in models.items() for k, v in tensors_of(m).items()}
    for i, slot in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{i}.{k}": v.cpu().contiguous() for k, v in slot.items()}
    with replacing(run / FILE) as fresh:
        save_file(tensors, fresh, metadata={"state": json.dumps(dict(state))})


def load_checkpoint(
    run: Path, models: Mapping[str, nn.Module], optimiser: torch.optim.Optimizer
) -> dict[str, Any] | None:
    """Load a run's checkpoint into its models and optimiser.

    Returns
    -------
    dict or None
        The saved state; None if there is no checkpoint.
    """
    path = run / FILE
    if not path.exists():
        return None
    with safe_open(path, framework="pt") as opened:
        state: dict[str, Any] = json.loads(opened.metadata()["state"])
        tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118

    for head, model in models.items():
        model.load_state_dict(tensors_under(f"{head}.", tensors), strict=False)
    slots: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors_under("optimiser.", tensors).items():
        number, name = key.split(".", 1)
        slots.setdefault(int(number), {})[name] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": slots})
    return state


def average_of(model: M) -> M:
    """Return a copy to hold the moving average of the weights."""
    average = copy.deepcopy(model)
    for parameter in average.parameters():
        parameter.requires_grad_(False)
    return average


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move an average towards the model's weights."""
    for mine, theirs in zip(average.parameters(), model.parameters(), strict=True):
        mine.lerp_(theirs, 1 - decay)


def one_cycle(
    optimiser: torch.optim.Optimizer, peaks: list[float], part: float, rise: float = 0.05
) -> None:
    """Set the learning rates of one cycle: a short rise, then cosine decay to a hundredth.

    Parameters
    ----------
    optimiser : Optimizer
    peaks : list of float
        Peak rate of each parameter group.
    part : float
        Fraction of the training done, 0..1.
    rise : float
        Fraction over which the rate rises.
    """
    up = min(1.0, part / rise)
    fall = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * part))
    for group, peak in zip(optimiser.param_groups, peaks, strict=True):
        group["lr"] = peak * up * fall
