"""Building blocks: features of the calendar month, and convolutions on the sphere."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def month_features(month: Tensor, harmonics: int) -> Tensor:
    """Smooth features of the calendar month.

    Parameters
    ----------
    month : Tensor of int, shape (n,)
        Calendar months 1..12.
    harmonics : int
        Fourier pairs; 0 leaves out the month.

    Returns
    -------
    Tensor, shape (n, 1 + 2 * harmonics)
        1, cos, sin, cos 2., sin 2., ... of the year's phase at mid-month.
    """
    phase = (month.to(torch.get_default_dtype()) - 0.5) * (2 * torch.pi / 12)
    parts = [torch.ones_like(phase)]
    for h in range(1, harmonics + 1):
        parts += [torch.cos(h * phase), torch.sin(h * phase)]
    return torch.stack(parts, dim=-1)


class SphereConv(nn.Module):
    """A 3 x 3 convolution on a latitude-longitude grid.

    On a global grid the longitudes are periodic, and the row beyond a pole is the outermost row
    shifted by 180 degrees. A regional grid repeats its edge.
    """

    def __init__(self, inputs: int, outputs: int, *, periodic: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3)
        self.periodic = periodic

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (n, inputs, lat, lon) to (n, outputs, lat, lon)."""
        if self.periodic:
            half = x.shape[-1] // 2
            south, north = x[..., :1, :], x[..., -1:, :]
            # torch.cat: F.pad's circular mode is slower and breaks compilation.
            x = torch.cat([south.roll(half, -1), x, north.roll(half, -1)], dim=-2)
            x = torch.cat([x[..., -1:], x, x[..., :1]], dim=-1)
        else:
            x = torch.cat([x[..., :1, :], x, x[..., -1:, :]], dim=-2)
            x = torch.cat([x[..., :1], x, x[..., -1:]], dim=-1)
        return self.conv(x)


class MonthBlock(nn.Module):
    """Convolution, scaled and shifted by the month, then SiLU; residual where shapes allow.

    SiLU is smooth: the adjoint of an assimilation differentiates the decoder twice.
    """

    def __init__(
        self, inputs: int, outputs: int, features: int, *, periodic: bool, normalised: bool = True
    ) -> None:
        super().__init__()
        self.conv = SphereConv(inputs, outputs, periodic=periodic)
        self.norm = nn.GroupNorm(4, outputs) if normalised else nn.Identity()
        self.film = nn.Linear(features, 2 * outputs)
        nn.init.zeros_(self.film.weight)
        nn.init.zeros_(self.film.bias)
        self.act = nn.SiLU()
        self.residual = inputs == outputs

    def forward(self, x: Tensor, features: Tensor) -> Tensor:
        """Map (n, inputs, lat, lon) and month features (n, f) to (n, outputs, lat, lon)."""
        scale, shift = self.film(features)[:, :, None, None].chunk(2, dim=1)
        out = self.act(self.norm(self.conv(x)) * (1 + scale) + shift)
        return x + out if self.residual else out


def pad_to_multiple(x: Tensor, multiple: int, *, periodic: bool) -> Tensor:
    """Extend (n, c, lat, lon) at the high ends so that both sizes divide by ``multiple``."""
    extra_lat = -x.shape[-2] % multiple
    extra_lon = -x.shape[-1] % multiple
    if extra_lat:
        x = torch.cat([x, x[..., -1:, :].expand(*x.shape[:-2], extra_lat, x.shape[-1])], dim=-2)
    if extra_lon:
        more = x[..., :extra_lon] if periodic else x[..., -1:].expand(*x.shape[:-1], extra_lon)
        x = torch.cat([x, more], dim=-1)
    return x


def halves_are_fast(device: torch.device) -> bool:
    """Return whether convolutions in bfloat16 are faster here than in float32.

    A processor without AVX-512 emulates bfloat16: a step took 20 s instead of 2.5 s.
    """
    return device.type != "cpu" or torch.backends.cpu.get_cpu_capability().startswith("AVX512")
