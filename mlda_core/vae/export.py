"""From a training run to a bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from mlda_core.bundle import save_bundle
from mlda_core.vae.config import ConfigError, ModelConfig
from mlda_core.vae.dataset import TrainingData
from mlda_core.vae.latent import find_basis, ship
from mlda_core.vae.training import VAE, build_vae, reconstruct


def load_best(config: ModelConfig, data: TrainingData, run: Path) -> VAE:
    """Return the best weights of a run.

    Raises
    ------
    ConfigError
        If the run has none yet.
    """
    file = run / "best.safetensors"
    if not file.exists():
        raise ConfigError(f"{run} has no finished epoch; run 'mlda train' first.")
    vae = build_vae(config, data)
    vae.load_state_dict(load_file(file), strict=False)
    # The projector belongs to the stored patterns, not to those just fitted again.
    relative = dict(config.training.variable_weights)
    scale = np.array([relative.get(v.name, 1.0) for v in config.variables]).reshape(-1, 1, 1)
    weights = torch.from_numpy((data.normaliser.weights * scale).ravel()).float()
    vae.encoder.projector.copy_((vae.decoder.patterns * weights).T)
    return vae.eval()


def history(run: Path, data: TrainingData) -> dict[str, Any]:
    """Say how a run went, for a bundle's provenance: months, epochs, best VALIDATION skill."""
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text("utf-8").splitlines()]
    best = max(rows, key=lambda row: row["score"])
    return {
        "training_months": len(data.train),
        "mixed_sea_months": 0 if data.mixed is None else len(data.mixed),
        "members": int(np.unique(data.observed.member).size),
        "epochs": len(rows),
        "best_epoch": best["epoch"],
        "validation_explained_variance": best["skill"],
        "training_seconds": round(sum(row["seconds"] for row in rows)),
    }


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
        What it was trained on.
    path : Path
        Folder to write.
    provenance : dict
        Stored under ``provenance`` in ``config.json``.
    """
    held_out = data.observed.in_split("validation", "calibration")
    basis = find_basis(vae, held_out, data.normaliser.weights)
    tensors, turn = ship(vae, basis)
    residual = held_out.x - reconstruct(vae, held_out)
    tensors["from_training"] = turn
    tensors["residual_sd"] = torch.from_numpy(np.sqrt((residual**2).mean(axis=0)))
    tensors["direction_share"] = torch.from_numpy(basis.share)
    months = data.observed.where(data.observed.member == config.data.shipped_member)
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
    )
