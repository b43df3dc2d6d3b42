"""The methods of analysis as the page offers them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlda_core.assimilation.methods import METHODS
from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.settings import options_of

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

METHOD_LABELS = options_of(ObservationSettings, "method")


def methods_of(bundle: Bundle) -> tuple[str, ...]:
    """Return the methods that a bundle can use."""
    return tuple(key for key, method in METHODS.items() if method.usable(bundle))


def heeds(key: str) -> list[str]:
    """Return which settings of an analysis a method uses."""
    method = METHODS[key]
    decoded = method.posterior and method.latent != "none" and not method.latent_only
    return [*(["residual"] if decoded else []), *(["localisation"] if method.posterior else [])]
