"""The network of the grid forecast: a U-Net from the fields of one day to those of the next."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from mlda_core.vae.layers import MonthBlock, SphereConv, pad_to_multiple


@dataclass(frozen=True)
class GridNetworkConfig:
    """Shape of the network.

    Parameters
    ----------
    width : int
        Channels at half resolution; twice that at a quarter and at an eighth.
    depth : int
        Blocks at each resolution, on the way down and again on the way up.
    harmonics : int
        Fourier pairs of the year that scale and shift the channels.
    position_channels : int
        Learnt maps that encode a cell's position: orography, coast and latitude.
    """

    width: int = 64
    depth: int = 2
    harmonics: int = 1
    position_channels: int = 8

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


class GridNetwork(nn.Module):
    """Add to damped fields of one day what a U-Net makes of them.

    The last layer starts at zero, so that training starts from damped persistence.
    """

    def __init__(
        self, n_variables: int, shape: tuple[int, int], config: GridNetworkConfig, *, periodic: bool
    ) -> None:
        super().__init__()
        self.config, self.shape, self.periodic = config, shape, periodic
        half = (-(-shape[0] // 8) * 4, -(-shape[1] // 8) * 4)
        w, f = config.width, 1 + 2 * config.harmonics
        self.position = nn.Parameter(0.1 * torch.randn(1, config.position_channels, *half))
        self.persistence = nn.Parameter(torch.full((n_variables, 1, 1), 0.5))

        def level(inputs: int, width: int) -> nn.ModuleList:
            widths = [inputs] + [width] * config.depth
            return nn.ModuleList(
                MonthBlock(a, b, f, periodic=periodic) for a, b in pairwise(widths)
            )

        self.enter = level(4 * n_variables + config.position_channels, w)
        self.down = level(4 * w, 2 * w)
        self.deep = level(8 * w, 2 * w)
        self.up = level(4 * w, 2 * w)
        self.rise = level(3 * w, w)
        self.leave = SphereConv(w, 4 * n_variables, periodic=periodic)
        nn.init.zeros_(self.leave.conv.weight)
        if self.leave.conv.bias is not None:
            nn.init.zeros_(self.leave.conv.bias)

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        """Map fields (n, V, lat, lon) and features of the season (n, f) to the next day's."""

        def through(level: nn.ModuleList, h: Tensor) -> Tensor:
            for block in level:
                h = block(h, features)
            return h

        h = functional.pixel_unshuffle(pad_to_multiple(x, 8, periodic=self.periodic), 2)
        h = torch.cat([h, self.position.expand(h.shape[0], -1, -1, -1)], dim=1)
        fine = through(self.enter, h)
        middle = through(self.down, functional.pixel_unshuffle(fine, 2))
        h = through(self.deep, functional.pixel_unshuffle(middle, 2))
        h = functional.interpolate(h, scale_factor=2, mode="nearest")
        h = through(self.up, torch.cat([h, middle], dim=1))
        h = functional.interpolate(h, scale_factor=2, mode="nearest")
        h = through(self.rise, torch.cat([h, fine], dim=1))
        h = functional.pixel_shuffle(self.leave(h), 2)
        return self.persistence * x + h[..., : self.shape[0], : self.shape[1]]
