"""Latent-space climate model and data assimilation: the library, free of any user interface.

The names below are the public ones, for notebooks and scripts. They are imported at first use
(PEP 562), so that ``import mlda_core`` loads neither torch nor xarray.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlda_core.assimilation.analysis import Analysis
    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.assimilation.observation_influence import observation_influence
    from mlda_core.assimilation.posterior.ensemble import Ensemble
    from mlda_core.assimilation.targeting import where_next
    from mlda_core.bundle.bundle import Bundle, load_bundle
    from mlda_core.climate.assets import coastline
    from mlda_core.climate.errors import UserError
    from mlda_core.climate.metrics import compare
    from mlda_core.climate.regions import REGIONS, regional_mean
    from mlda_core.evaluation.verification import verify
    from mlda_core.impact.files import load_impact
    from mlda_core.observations.intake import ObservationWarning
    from mlda_core.observations.networks import NetworkSpec, places, synthesise
    from mlda_core.observations.options import TableOptions
    from mlda_core.observations.synthetic import synthesise_reports
    from mlda_core.observations.table import read as read_observations
    from mlda_core.page_state.opened import PageState, from_file, from_link
    from mlda_core.perturbation.attribution import drivers
    from mlda_core.perturbation.gcm import gcm_responses
    from mlda_core.perturbation.responder import Responder
    from mlda_core.perturbation.response import HELD, Response
    from mlda_core.perturbation.sst_patches import Patch

__all__ = [
    "HELD",
    "REGIONS",
    "Analysis",
    "Assimilator",
    "Bundle",
    "Ensemble",
    "NetworkSpec",
    "ObservationWarning",
    "PageState",
    "Patch",
    "Responder",
    "Response",
    "TableOptions",
    "UserError",
    "coastline",
    "compare",
    "drivers",
    "from_file",
    "from_link",
    "gcm_responses",
    "load_bundle",
    "load_impact",
    "observation_influence",
    "places",
    "read_observations",
    "regional_mean",
    "synthesise",
    "synthesise_reports",
    "verify",
    "where_next",
]

# The version's only definition: pyproject.toml reads it here.
__version__ = "0.1.0"

# Module of each public name, below mlda_core; after a colon its name there, if it differs.
_DEFINED_IN = {
    "HELD": "perturbation.response",
    "REGIONS": "climate.regions",
    "Analysis": "assimilation.analysis",
    "Assimilator": "assimilation.assimilator",
    "Bundle": "bundle.bundle",
    "Ensemble": "assimilation.posterior.ensemble",
    "NetworkSpec": "observations.networks",
    "ObservationWarning": "observations.intake",
    "PageState": "page_state.opened",
    "Patch": "perturbation.sst_patches",
    "Responder": "perturbation.responder",
    "Response": "perturbation.response",
    "TableOptions": "observations.options",
    "UserError": "climate.errors",
    "coastline": "climate.assets",
    "compare": "climate.metrics",
    "drivers": "perturbation.attribution",
    "from_file": "page_state.opened",
    "from_link": "page_state.opened",
    "gcm_responses": "perturbation.gcm",
    "load_bundle": "bundle.bundle",
    "load_impact": "impact.files",
    "observation_influence": "assimilation.observation_influence",
    "places": "observations.networks",
    "read_observations": "observations.table:read",
    "regional_mean": "climate.regions",
    "synthesise": "observations.networks",
    "synthesise_reports": "observations.synthetic",
    "verify": "evaluation.verification",
    "where_next": "assimilation.targeting",
}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use."""
    if name not in _DEFINED_IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, defined_as = _DEFINED_IN[name].partition(":")
    value = getattr(import_module(f"{__name__}.{module}"), defined_as or name)
    # Cached as a module attribute: later look-ups bypass this function.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names, for completion."""
    return sorted({*globals(), *__all__})
