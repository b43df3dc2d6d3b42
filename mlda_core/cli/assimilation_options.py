"""Options of how to assimilate, of every command that does: help and defaults are the library's."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mlda_core.assimilation.methods import spelled
from mlda_core.assimilation.options import OPTIONS
from mlda_core.assimilation.posterior.samplers import SAMPLERS

DEFAULTS: dict[str, Any] = {name: option.default for name, option in OPTIONS.items()}

Method = Annotated[str, typer.Option(help=f"{spelled()}.")]
BackgroundWeight = Annotated[float, typer.Option(help=OPTIONS["background_weight"].help)]
Residual = Annotated[bool, typer.Option(help=OPTIONS["residual"].help)]
Localisation = Annotated[float, typer.Option(help=OPTIONS["localisation"].help)]
ErrorScale = Annotated[float, typer.Option(help=OPTIONS["error_scale"].help)]
MaxSteps = Annotated[int, typer.Option(min=1, help=OPTIONS["max_steps"].help)]
Prior = Annotated[str, typer.Option(help=OPTIONS["prior"].help)]
Sampler = Annotated[str | None, typer.Option(help=f"How members are drawn: {', '.join(SAMPLERS)}.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of the members' draws; 0 by default.")]
