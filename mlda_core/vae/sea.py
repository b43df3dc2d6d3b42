"""The prior mean given the sea: the state expected under an observed SST."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from mlda_core.vae.layers import MonthBlock, SphereConv, month_features, pad_to_multiple

if TYPE_CHECKING:
    from mlda_core.climate.preprocess import Preprocessor


@dataclass(frozen=True)
class SeaConfig:
    """Shape of the networks.

    Parameters
    ----------
    width : int
        Channels at half resolution; twice that at a quarter and below.
    harmonics : int
        Fourier pairs of the month.
    position_channels : int
        Learnt maps that encode a cell's position.
    normalised : tuple of str
        CF names of variables whose network normalises its channels over the globe, so that remote
        influences count. Pressure's tropical response to Nino 3.4 + 2 K correlates .81 with the
        GCM's in validation months, .56 without; rain is local, and .21 of it is explained under
        the observed sea without, .19 with.
    """

    width: int = 24
    harmonics: int = 2
    position_channels: int = 8
    normalised: Sequence[str] = ("psl", "tas")

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self) | {"normalised": list(self.normalised)}


class SeaNetwork(nn.Module):
    """Map from a sea to the mean state under it: a U-Net for each variable.

    A joint network stopped too early for rain or too late for pressure, which 284 distinct
    observed seas constrain little.

    Parameters
    ----------
    normaliser : Preprocessor
        Its climatology and spread are inputs as well: rain depends on the absolute SST, not on
        its anomaly alone.
    sea : int
        Index of SST among the variables.
    config : SeaConfig
    """

    mask: Tensor
    setting: Tensor
    mean_sea: Tensor

    def __init__(self, normaliser: Preprocessor, sea: int, config: SeaConfig) -> None:
        super().__init__()
        self.config, self.sea = config, sea
        # Training runs the convolutions in bfloat16, as the decoder's.
        self.fast = False
        mask = torch.from_numpy(normaliser.mask).to(torch.get_default_dtype())
        self.register_buffer("mask", mask, persistent=False)
        # Derived from the bundle's normaliser, so not saved.
        self.register_buffer("setting", _setting(normaliser, sea), persistent=False)
        mean = np.nan_to_num(normaliser.climatology[:, sea])
        self.register_buffer("mean_sea", torch.from_numpy(mean).float(), persistent=False)
        periodic = normaliser.grid.is_global
        self.parts = nn.ModuleDict(
            {
                v.name: SeaUNet(
                    4 + self.setting.shape[1],
                    normaliser.grid.shape,
                    config,
                    normalised=v.name in config.normalised,
                    periodic=periodic,
                )
                for i, v in enumerate(normaliser.variables)
                if i != sea
            }
        )
        self.rows = {v.name: i for i, v in enumerate(normaliser.variables)}

    def inputs(self, sea: Tensor, kelvin: Tensor, month: Tensor) -> Tensor:
        """Stack the input maps, (n, C, lat, lon); arguments as for :meth:`forward`."""
        there = self.mask[self.sea]
        warm = (self.mean_sea[month - 1] + kelvin) * there
        # Deep convection sets in above some 26 to 28 degC.
        given = [sea, kelvin, (warm - 26.0) / 4.0 * there, torch.sigmoid(warm - 27.0) * there]
        return torch.cat([torch.stack(given, dim=1), self.setting[month - 1]], dim=1)

    def forward(self, sea: Tensor, kelvin: Tensor, month: Tensor) -> Tensor:
        """Return the mean state under a sea.

        Parameters
        ----------
        sea : Tensor, shape (n, lat, lon)
            Standardised SST anomaly, zero over land.
        kelvin : Tensor, shape (n, lat, lon)
            The same in kelvin.
        month : Tensor of int, shape (n,)
            Calendar months 1..12.

        Returns
        -------
        Tensor, shape (n, V, lat, lon)
            Standardised anomalies; SST as given.
        """
        given = self.inputs(sea, kelvin, month)
        features = month_features(month, self.config.harmonics).to(sea.dtype)
        out = [sea] * len(self.rows)
        for name, part in self.parts.items():
            row = self.rows[name]
            out[row] = part(given, features) * self.mask[row]
        return torch.stack(out, dim=1)

    def one(self, name: str, sea: Tensor, kelvin: Tensor, month: Tensor) -> Tensor:
        """Return one variable of the mean state, (n, lat, lon); arguments of :meth:`forward`."""
        given = self.inputs(sea, kelvin, month)
        features = month_features(month, self.config.harmonics).to(sea.dtype)
        with torch.autocast(sea.device.type, dtype=torch.bfloat16, enabled=self.fast):
            out = self.parts[name](given, features).to(sea.dtype)
        return torch.as_tensor(out * self.mask[self.rows[name]])


class SeaUNet(nn.Module):
    """Map from monthly input maps to one standardised field.

    Its lowest level, an eighth of the resolution, covers the globe: a warm Pacific changes the
    pressure over Alaska.

    Parameters
    ----------
    inputs : int
        Number of input maps.
    shape : tuple of int
        Of the grid.
    config : SeaConfig
    normalised : bool
        Whether channels are normalised over the globe.
    periodic : bool
        Whether the grid is periodic in longitude.
    """

    def __init__(
        self,
        inputs: int,
        shape: tuple[int, int],
        config: SeaConfig,
        *,
        normalised: bool,
        periodic: bool,
    ) -> None:
        super().__init__()
        self.shape, self.periodic = shape, periodic
        half = (-(-shape[0] // 8) * 4, -(-shape[1] // 8) * 4)
        w, f = config.width, 1 + 2 * config.harmonics
        self.position = nn.Parameter(0.1 * torch.randn(1, config.position_channels, *half))

        def block(a: int, b: int) -> MonthBlock:
            return MonthBlock(a, b, f, periodic=periodic, normalised=normalised)

        self.enter = SphereConv(4 * inputs + config.position_channels, w, periodic=periodic)
        self.fine = block(w, w)
        self.middle = block(4 * w, 2 * w)
        self.coarse = block(8 * w, 2 * w)
        self.deep = block(2 * w, 2 * w)
        self.up_middle = block(4 * w, 2 * w)
        self.up_fine = block(3 * w, w)
        self.leave = SphereConv(w, 4, periodic=periodic)
        nn.init.zeros_(self.leave.conv.weight)
        if self.leave.conv.bias is not None:
            nn.init.zeros_(self.leave.conv.bias)

    def forward(self, given: Tensor, features: Tensor) -> Tensor:
        """Map (n, inputs, lat, lon) and month features (n, f) to (n, lat, lon)."""
        h = functional.pixel_unshuffle(pad_to_multiple(given, 8, periodic=self.periodic), 2)
        h = torch.cat([h, self.position.expand(h.shape[0], -1, -1, -1)], dim=1)
        fine = self.fine(self.enter(h), features)
        middle = self.middle(functional.pixel_unshuffle(fine, 2), features)
        h = self.coarse(functional.pixel_unshuffle(middle, 2), features)
        h = self.deep(h, features)
        h = functional.interpolate(h, scale_factor=2, mode="nearest")
        h = self.up_middle(torch.cat([h, middle], dim=1), features)
        h = functional.interpolate(h, scale_factor=2, mode="nearest")
        h = self.up_fine(torch.cat([h, fine], dim=1), features)
        h = functional.pixel_shuffle(self.leave(h), 2)
        return h[:, 0, : self.shape[0], : self.shape[1]]


def _setting(normaliser: Preprocessor, sea: int) -> Tensor:
    """Return the static inputs of each calendar month and cell, (12, 2 V + 3, lat, lon)."""
    maps = []
    for fields in (normaliser.climatology, np.log(np.maximum(normaliser.spread, 1e-12))):
        for v in range(len(normaliser.variables)):
            field = np.where(normaliser.mask[v], fields[:, v], np.nan)
            scaled = (field - np.nanmean(field)) / max(float(np.nanstd(field)), 1e-12)
            maps.append(np.nan_to_num(scaled))
    north = np.radians(normaliser.grid.lat)[None, :, None]
    shape = maps[0].shape
    maps += [
        np.broadcast_to(m, shape) for m in (normaliser.mask[sea], np.sin(north), np.cos(north) ** 2)
    ]
    return torch.from_numpy(np.stack(maps, axis=1).astype(np.float32))
