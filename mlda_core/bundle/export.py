"""Export a training run as a bundle."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mlda_core.bundle.writing import save_bundle
from mlda_core.vae.config import ConfigError, ModelConfig
from mlda_core.vae.dataset import Months, TrainingData, mean_square
from mlda_core.vae.gaps import nearly_whole
from mlda_core.vae.latent import find_basis, ship
from mlda_core.vae.training import VAE, reconstruct


def history(run: Path, data: TrainingData) -> dict[str, Any]:
    """Summarise a run, for a bundle's provenance.

    Parameters
    ----------
    run : Path
        The run's folder.
    data : TrainingData
        Its training data.

    Returns
    -------
    dict
        Numbers of months, members and epochs, the best validation skill, seconds.

    Raises
    ------
    ConfigError
        If the run has no finished epoch.
    """
    log = run / "log.jsonl"
    rows: dict[int, dict[str, Any]] = {}
    for line in log.read_text("utf-8").splitlines() if log.exists() else ():
        # A run killed between its log and its checkpoint repeats that epoch, and one killed while
        # writing a line continues on the same line: the last record of an epoch counts.
        start = line.rfind('{"epoch"')
        with suppress(json.JSONDecodeError):
            row = json.loads(line[max(start, 0) :])
            rows[row["epoch"]] = row
    if not rows:
        raise ConfigError(f"{run} has no finished epoch; train it first with 'mlda train'.")
    best = max(rows.values(), key=lambda row: row["score"])
    return {
        "training_months": len(data.train),
        "mixed_sea_months": 0 if data.mixed is None else len(data.mixed),
        "members": int(np.unique(data.observed.member).size),
        "epochs": len(rows),
        "best_epoch": best["epoch"],
        "validation_explained_variance": best["skill"],
        "training_seconds": round(sum(row["seconds"] for row in rows.values())),
    }


def _shipped(months: Months, config: ModelConfig) -> Months:
    """Return the months that the bundle stores."""
    member, splits = config.data.shipped_member, config.data.shipped_splits
    if not splits:
        return months.where(months.member == member)
    chosen = months.in_split(*splits)
    # Of each month one member: the one to be shipped, where it has it.
    order = np.lexsort((chosen.member, chosen.member != member))
    first = order[np.unique(chosen.names[order], return_index=True)[1]]
    return chosen.where(np.isin(np.arange(len(chosen)), first))


def export_bundle(
    vae: VAE, config: ModelConfig, data: TrainingData, path: Path, *, provenance: dict[str, Any]
) -> None:
    """Scale, rotate and order the latent space, and write the bundle.

    Parameters
    ----------
    vae : VAE
        Trained.
    config : ModelConfig
        Of the model.
    data : TrainingData
        Its training data.
    path : Path
        Folder to write.
    provenance : dict
        Stored under ``provenance`` in ``config.json``.

    Raises
    ------
    ConfigError
        If the selected member has no months.
    """
    months = _shipped(data.observed, config)
    if not len(months):
        there = ", ".join(map(str, np.unique(data.observed.member)))
        raise ConfigError(
            f"The data have no member {config.data.shipped_member} to ship; set "
            f"data.shipped_member to one of {there}."
        )
    held_out = data.observed.in_split("validation", "calibration")
    weights = data.normaliser.weights
    training, late = (nearly_whole(months, weights) for months in (data.train, held_out))
    basis = find_basis(vae, training, late, weights)
    tensors, from_training = ship(vae, basis)
    residual = held_out.x - reconstruct(vae, held_out)
    tensors["from_training"] = from_training
    # Cells that no held-out month has use the variance learnt on training months.
    learnt = torch.exp(vae.log_residual).detach().cpu().numpy()
    square = mean_square(residual, held_out.present, learnt)
    tensors["residual_sd"] = torch.from_numpy(np.sqrt(square))
    tensors["direction_share"] = torch.from_numpy(basis.share)
    x = np.where(np.isfinite(months.anomalies), months.x, np.nan)
    order = np.argsort(months.names)
    settings = config.to_dict()
    save_bundle(
        path,
        config={**settings, "provenance": provenance},
        normaliser=data.normaliser,
        tensors=tensors,
        x=x[order],
        months=[str(m) for m in months.names[order]],
        splits=[str(s) for s in months.split[order]],
        step=config.data.month_step,
    )
