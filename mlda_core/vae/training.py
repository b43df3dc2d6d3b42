"""Resumable training by the tempered evidence lower bound, validated after each epoch."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mlda_core.climate.variables import relative_weights
from mlda_core.vae.checkpoint import (
    average_of,
    follow,
    load_checkpoint,
    one_cycle,
    save_checkpoint,
    tensors_of,
)
from mlda_core.vae.config import ConfigError, ModelConfig
from mlda_core.vae.dataset import Months, TrainingData, joint_present, mean_square
from mlda_core.vae.layers import halves_are_fast
from mlda_core.vae.networks import Decoder, Encoder
from mlda_core.vae.seasonal import seasonal_components


class VAE(nn.Module):
    """Encoder, decoder and the residual variance of every variable and cell."""

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.log_residual = nn.Parameter(torch.zeros(decoder.grid_shape))


@dataclass(frozen=True)
class Progress:
    """One line of the training log."""

    epoch: int
    epochs: int
    loss: float
    kl: float
    reconstruction: float
    skill: dict[str, float]
    seconds: float

    @property
    def score(self) -> float:
        """Mean validation skill, the criterion of early stopping."""
        return float(np.mean(list(self.skill.values())))


def build_vae(config: ModelConfig, data: TrainingData) -> VAE:
    """Build the networks, initialised with seasonal principal components of the training data."""
    settings, network = config.training, config.network
    months = data.train
    x, calendar = months.x, months.calendar
    present = joint_present([months] if data.mixed is None else [months, data.mixed])
    if data.mixed is not None:
        x = np.concatenate([x, data.mixed.x])
        calendar = np.concatenate([calendar, data.mixed.calendar])
    if len(x) < network.n_patterns:
        raise ConfigError(
            f"{len(x)} training months cannot give n_patterns = {network.n_patterns} patterns; "
            "lower it or add months."
        )
    if data.normaliser.grid.is_global and any(n % 8 for n in data.normaliser.grid.shape):
        rows, columns = data.normaliser.grid.shape
        raise ConfigError(
            f"A global grid of {rows} x {columns} cells does not divide by 8, so the networks "
            "cannot close it at the date line and the poles; regrid it first."
        )
    weights = weighted_cells(config, data)
    periodic = data.normaliser.grid.is_global
    mask = torch.from_numpy(data.normaliser.mask)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        start = seasonal_components(
            x.reshape(len(x), -1),
            calendar,
            weights.ravel(),
            n_patterns=network.n_patterns,
            n_latent=network.n_latent,
            noise=1.0 / settings.information,
            prior=np.arange(len(x)) < len(months),
            seasonal=network.harmonics > 0,
            width=settings.season_width,
            floor=settings.season_floor,
            seed=settings.seed,
            present=None if present is None else present.reshape(len(x), -1),
        )
        patterns = torch.from_numpy(start.patterns).float()
        decoder = Decoder(mask, network, periodic=periodic, patterns=patterns)
        encoder = Encoder(mask, network, periodic=periodic)
    with torch.no_grad():
        encoder.project_on(patterns, torch.from_numpy(weights.ravel()).float())
        decoder.mixing.copy_(torch.from_numpy(start.mixing))
        encoder.regression.copy_(torch.from_numpy(start.regression))
        encoder.log_variance.copy_(torch.from_numpy(start.log_variance))
    vae = VAE(encoder, decoder)
    with torch.no_grad():
        some = months.where(np.arange(len(months)) % 4 == 0)
        error = some.x - reconstruct(vae, some)
        residual = mean_square(error, some.present, 1.0)
        vae.log_residual.copy_(torch.from_numpy(np.log(residual + 0.01)))
    return vae


def weighted_cells(config: ModelConfig, data: TrainingData) -> NDArray[np.float64]:
    """Cell areas times the variables' relative weights, shape (V, lat, lon)."""
    factors = relative_weights(config.training.variable_weights, config.variables)
    return data.normaliser.weights * factors[:, None, None]


class Objective:
    """The negative tempered evidence lower bound of a batch.

    ``1/2 sum_v n_v sum_i w_i [ (x - G(z))^2 / s_vi + log s_vi ] + beta KL``, with ``s`` the
    residual variance of a variable and cell (learnt), ``w`` the cell areas, ``beta`` growing to 1,
    and ``n_v`` the effective number of independent observations in a variable: ``information``
    times its weight times its mean residual variance, so that no variable dominates the others by
    being reconstructed well. Missing cells are left out of the sum: a month with half of the cells
    counts as half as many observations.
    """

    def __init__(self, config: ModelConfig, data: TrainingData, device: torch.device) -> None:
        factors = relative_weights(config.training.variable_weights, config.variables)
        self.weights = torch.from_numpy(data.normaliser.weights).float().to(device)
        self.information = (
            torch.from_numpy(config.training.information * factors).float().to(device)
        )

    def __call__(
        self,
        vae: VAE,
        x: Tensor,
        noisy: Tensor,
        month: Tensor,
        beta: float,
        *,
        present: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return loss, KL and reconstruction term, each a mean over the batch."""
        mean, log_variance = vae.encoder(noisy, month)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        error = (x - vae.decoder(z, month)) ** 2
        log_s = vae.log_residual.clamp(-5.0, 2.0)
        s = torch.exp(log_s)
        with torch.no_grad():
            counts = self.information * (self.weights * s).sum(dim=(1, 2))
        weights = self.weights if present is None else self.weights * present
        fit = (weights * (error / s + log_s)).sum(dim=(2, 3)) @ counts
        kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1)
        return (0.5 * fit + beta * kl).mean(), kl.mean(), 0.5 * fit.mean()


def validation_skill(
    vae: VAE, data: TrainingData, months: Months, *, batch: int = 96
) -> dict[str, float]:
    """Explained variance of reconstruction, display units, per variable."""
    rebuilt = reconstruct(vae, months, batch=batch)
    sd = torch.exp(0.5 * vae.log_residual).detach().cpu().numpy()
    return explained(data, months, rebuilt, sd)


def explained(
    data: TrainingData,
    months: Months,
    rebuilt: NDArray[np.float32],
    sd: NDArray[np.float32] | None,
) -> dict[str, float]:
    """Explained variance in display units of standardised reconstructions, per variable."""
    normaliser = data.normaliser
    fields = normaliser.restore(rebuilt, months.season, sd=sd)
    error = normaliser.anomalies(fields, months.season) - months.anomalies
    w = normaliser.weights
    lost = np.nansum(w * error**2, axis=(0, 2, 3))
    power = np.nansum(w * months.anomalies.astype(np.float64) ** 2, axis=(0, 2, 3))
    return {v.name: float(s) for v, s in zip(normaliser.variables, 1 - lost / power, strict=True)}


@torch.no_grad()
def reconstruct(vae: VAE, months: Months, *, batch: int = 96) -> NDArray[np.float32]:
    """Decode the encoded means of months: standardised anomalies, shape (n, V, lat, lon)."""
    device = vae.log_residual.device
    out = []
    for start in range(0, len(months), batch):
        x = torch.from_numpy(months.x[start : start + batch]).to(device)
        month = torch.from_numpy(months.calendar[start : start + batch]).to(device)
        mean, _ = vae.encoder(x, month)
        out.append(vae.decoder(mean, month).cpu().numpy())
    return np.concatenate(out)


class Sampler:
    """Shuffled training months of an epoch; members' departures may be recombined."""

    def __init__(self, config: ModelConfig, data: TrainingData) -> None:
        self.observed, self.mixed = data.train, data.mixed
        self.share = config.data.mixed_share if data.mixed is not None else 0.0
        self.batch = config.training.batch
        self.mixing = config.training.member_mixing
        parts = [self.observed] if self.mixed is None else [self.observed, self.mixed]
        self.present = joint_present(parts)
        if self.mixing and self.present is not None:
            raise ConfigError(
                "member_mixing needs months without missing cells; set it to false in the "
                "configuration."
            )
        if self.mixing:
            _, self.group = np.unique(self.observed.names, return_inverse=True)
            self.count = np.bincount(self.group)
            if self.count.min() < 2:
                raise ConfigError(
                    "member_mixing needs two members of every month; set it to false in the "
                    "configuration."
                )
            total = np.zeros((self.count.size, *self.observed.x.shape[1:]), np.float32)
            np.add.at(total, self.group, self.observed.x)
            self.mean = total / self.count[:, None, None, None]
            order = np.argsort(self.group, kind="stable")
            self.first = np.concatenate([[0], np.cumsum(self.count)[:-1]])
            self.order = order

    def batches(self, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
        """Yield standardised anomalies, calendar months, and the cells present if not all are."""
        n = len(self.observed)
        extra = 0 if self.mixed is None else round(self.share * len(self.mixed))
        index = np.arange(n)
        if extra and self.mixed is not None:
            index = np.concatenate([index, n + rng.choice(len(self.mixed), extra, replace=False)])
        rng.shuffle(index)
        for start in range(0, len(index), self.batch):
            chosen = index[start : start + self.batch]
            own = chosen[chosen < n]
            x, month = self._observed(own, rng), self.observed.calendar[own]
            if self.mixed is not None and own.size < chosen.size:
                other = chosen[chosen >= n] - n
                x = np.concatenate([x, self.mixed.x[other]])
                month = np.concatenate([month, self.mixed.calendar[other]])
                chosen = np.concatenate([own, n + other])
            there = None if self.present is None else torch.from_numpy(self.present[chosen])
            yield torch.from_numpy(x), torch.from_numpy(month), there

    def _observed(self, index: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float32]:
        x = self.observed.x[index]
        if not self.mixing:
            return x
        group = self.group[index]
        count = self.count[group]
        partner = self.order[self.first[group] + rng.integers(0, count)]
        angle = rng.uniform(0, np.pi / 2, index.size)
        same = partner == index
        cos, sin = np.where(same, 1.0, np.cos(angle)), np.where(same, 0.0, np.sin(angle))
        # Departures from the mean of k members have variance (1 - 1/k) and covariance -1/k:
        # rescale so that a recombined departure has the variance of one member's.
        k = count.astype(np.float64)
        scale = np.sqrt((1 - 1 / k) / (1 - 1 / k - 2 * cos * sin / k))
        mean = self.mean[group]
        shape = (-1, 1, 1, 1)
        a = (scale * cos).reshape(shape).astype(np.float32)
        b = (scale * sin).reshape(shape).astype(np.float32)
        out = mean + a * (x - mean) + b * (self.observed.x[partner] - mean)
        return out.astype(np.float32)


def train(
    config: ModelConfig,
    data: TrainingData,
    run: Path,
    *,
    report: Callable[[Progress], None] | None = None,
    tick: Callable[[int, int], None] | None = None,
    device: str = "cpu",
) -> VAE:
    """Train to the best validation skill, resuming an interrupted run.

    Parameters
    ----------
    config : ModelConfig
        Of the model.
    data : TrainingData
        From :func:`mlda_core.vae.dataset.load_training_data`.
    run : Path
        Folder for checkpoints and ``log.jsonl``.
    report : callable, optional
        Called after each epoch.
    tick : callable, optional
        Called after each step with (step, steps in the epoch).
    device : str
        A torch device.

    Returns
    -------
    VAE
        With the moving average of the weights at the best epoch.

    Raises
    ------
    ConfigError
        If the folder holds a run of another model.
    """
    run.mkdir(parents=True, exist_ok=True)
    _check_run(config, data, run)
    settings = config.training
    where = torch.device(device)
    vae = build_vae(config, data).to(where)
    average = average_of(vae)
    networks = [p for n, p in vae.named_parameters() if n != "log_residual"]
    optimiser = torch.optim.AdamW(
        [
            {"params": networks, "lr": settings.rate},
            {"params": [vae.log_residual], "lr": 1e-2, "weight_decay": 0.0},
        ],
        weight_decay=settings.weight_decay,
        betas=(0.9, 0.99),
    )
    peaks = [group["lr"] for group in optimiser.param_groups]
    objective, sampler = Objective(config, data, where), Sampler(config, data)
    validation = data.observed.in_split("validation")
    state = load_checkpoint(run, {"vae": vae, "average": average}, optimiser)
    if state is None:
        state = {"epoch": 0, "best_epoch": 0, "best_score": -math.inf}
    weights = torch.from_numpy(weighted_cells(config, data).ravel()).float().to(where)
    for model in (vae, average):
        # Use the checkpoint's patterns, not those that were just refitted.
        model.encoder.project_on(model.decoder.patterns, weights)
    steps = sum(1 for _ in _lengths(sampler))
    for epoch in range(state["epoch"], settings.epochs):
        if epoch - state["best_epoch"] >= settings.patience:
            break
        began = time.perf_counter()
        rng = np.random.default_rng([settings.seed, epoch])
        torch.manual_seed(settings.seed * 100_003 + epoch)
        vae.train()
        vae.encoder.fast = vae.decoder.fast = settings.half and halves_are_fast(where)
        sums = np.zeros(3)
        for step, (batch, month_batch, there) in enumerate(sampler.batches(rng)):
            part = (epoch + step / steps) / settings.epochs
            one_cycle(optimiser, peaks, part)
            x, month = batch.to(where), month_batch.to(where)
            noisy = x + settings.input_noise * torch.randn_like(x) * vae.decoder.mask
            present = None
            if there is not None:
                # The encoder gets zeros for missing cells, as it does at inference.
                present = there.to(where)
                noisy = noisy * present
            beta = min(1.0, 0.1 + 0.9 * part / max(settings.kl_warmup, 1e-9))
            loss, kl, fit = objective(vae, x, noisy, month, beta, present=present)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(networks, 20.0)
            optimiser.step()
            follow(average, vae, settings.ema)
            sums += [loss.item(), kl.item(), fit.item()]
            if tick:
                tick(step + 1, steps)
        average.eval()
        sums /= steps
        progress = Progress(
            epoch=epoch + 1,
            epochs=settings.epochs,
            loss=float(sums[0]),
            kl=float(sums[1]),
            reconstruction=float(sums[2]),
            skill=validation_skill(average, data, validation),
            seconds=time.perf_counter() - began,
        )
        state["epoch"] = epoch + 1
        if progress.score > state["best_score"]:
            state.update(best_score=progress.score, best_epoch=epoch + 1)
            save_file(tensors_of(average), run / "best.safetensors")
        with (run / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps({**vars(progress), "score": progress.score}) + "\n")
        save_checkpoint(run, state, {"vae": vae, "average": average}, optimiser)
        if report:
            report(progress)
    average.load_state_dict(load_file(run / "best.safetensors"), strict=False)
    return average


def _lengths(sampler: Sampler) -> Iterator[int]:
    extra = 0 if sampler.mixed is None else round(sampler.share * len(sampler.mixed))
    yield from range(math.ceil((len(sampler.observed) + extra) / sampler.batch))


def _check_run(config: ModelConfig, data: TrainingData, run: Path) -> None:
    """Refuse to resume a run that was started with other settings or data."""
    months = data.observed
    digest = hashlib.sha256(np.nan_to_num(data.normaliser.centre).round(6).tobytes())
    digest.update(" ".join(months.names).encode())
    digest.update(months.member.tobytes())
    # Some of the values: errors of other cycles have the same names.
    digest.update(np.ascontiguousarray(months.x[:: max(1, len(months) // 40)]).tobytes())
    stamp = run / "data.sha256"
    if stamp.exists() and stamp.read_text(encoding="utf-8") != digest.hexdigest():
        raise ConfigError(
            f"{run} holds a run on other data; give another folder with --run, or delete it to "
            "start again."
        )
    stamp.write_text(digest.hexdigest(), encoding="utf-8")
    mine = json.loads(json.dumps(config.to_dict()))
    path = run / "config.json"
    if path.exists():
        if json.loads(path.read_text(encoding="utf-8")) != mine:
            raise ConfigError(
                f"{run} holds a run with other settings; give another folder with --run, or "
                "delete it to start again."
            )
    else:
        path.write_text(json.dumps(mine, indent=1), encoding="utf-8")
