"""The state that a sea alone makes likely: the prior's mean where the sea is observed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mlda_core.vae.layers import MonthBlock, SphereConv, month_features, pad_to_multiple


@dataclass(frozen=True)
class SeaConfig:
    """Shape of the network.

    Parameters
    ----------
    width : int
        Channels at half resolution; twice that at a quarter and below.
    harmonics : int
        Fourier pairs of the month.
    position_channels : int
        Learnt maps that tell where on Earth a cell is.
    """

    width: int = 32
    harmonics: int = 2
    position_channels: int = 8

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


class SeaNetwork(nn.Module):
    """U-Net from a sea to the mean of the states under it.

    Its lowest level, an eighth of the resolution, sees the globe: a warm Pacific moves the
    pressure over Alaska.

    Parameters
    ----------
    mask : Tensor, shape (V, lat, lon)
        Where each variable exists.
    sea : int
        Row of the sea's temperature.
    config : SeaConfig
    periodic : bool
        Whether the grid closes round the globe.
    """

    mask: Tensor

    def __init__(self, mask: Tensor, sea: int, config: SeaConfig, *, periodic: bool) -> None:
        super().__init__()
        n_variables, *shape = mask.shape
        self.config, self.sea, self.periodic = config, sea, periodic
        self.shape = shape[0], shape[1]
        # Training runs the convolutions in bfloat16, as the decoder's.
        self.fast = False
        half = (-(-shape[0] // 8) * 4, -(-shape[1] // 8) * 4)
        w, f = config.width, 1 + 2 * config.harmonics
        self.register_buffer("mask", mask.to(torch.get_default_dtype()))
        self.position = nn.Parameter(0.1 * torch.randn(1, config.position_channels, *half))

        def block(a: int, b: int) -> MonthBlock:
            return MonthBlock(a, b, f, periodic=periodic)

        self.fine = block(8 + config.position_channels, w)
        self.middle = block(4 * w, 2 * w)
        self.coarse = block(8 * w, 2 * w)
        self.deep = block(2 * w, 2 * w)
        self.up_middle = block(4 * w, 2 * w)
        self.up_fine = block(3 * w, w)
        self.leave = SphereConv(w, 4 * n_variables, periodic=periodic)
        nn.init.zeros_(self.leave.conv.weight)
        if self.leave.conv.bias is not None:
            nn.init.zeros_(self.leave.conv.bias)

    def forward(self, sea: Tensor, kelvin: Tensor, month: Tensor) -> Tensor:
        """Return the mean state under a sea.

        Parameters
        ----------
        sea : Tensor, shape (n, lat, lon)
            Standardised anomaly of the sea's temperature, zero over land.
        kelvin : Tensor, shape (n, lat, lon)
            The same in kelvin: rain answers to degrees, wherever they are usual or not.
        month : Tensor of int, shape (n,)
            Calendar months 1..12.

        Returns
        -------
        Tensor, shape (n, V, lat, lon)
            Standardised anomalies; the sea itself as it was given.
        """
        features = month_features(month, self.config.harmonics).to(sea.dtype)
        given = torch.stack([sea, kelvin], dim=1)
        with torch.autocast(sea.device.type, dtype=torch.bfloat16, enabled=self.fast):
            out = self._network(given, features).to(sea.dtype)
        parts = list((out * self.mask).unbind(dim=1))
        parts[self.sea] = sea
        return torch.stack(parts, dim=1)

    def _network(self, given: Tensor, features: Tensor) -> Tensor:
        h = functional.pixel_unshuffle(pad_to_multiple(given, 8, periodic=self.periodic), 2)
        h = torch.cat([h, self.position.expand(h.shape[0], -1, -1, -1)], dim=1)
        fine = self.fine(h, features)
        middle = self.middle(functional.pixel_unshuffle(fine, 2), features)
        h = self.coarse(functional.pixel_unshuffle(middle, 2), features)
        h = self.deep(h, features)
        h = functional.interpolate(h, scale_factor=2, mode="nearest")
        h = self.up_middle(torch.cat([h, middle], dim=1), features)
        h = functional.interpolate(h, scale_factor=2, mode="nearest")
        h = self.up_fine(torch.cat([h, fine], dim=1), features)
        h = functional.pixel_shuffle(self.leave(h), 2)
        return h[..., : self.shape[0], : self.shape[1]]
