"""What a process computes before its first visitor: bundle, seasons, projections, loops."""

from __future__ import annotations

import contextlib
import weakref
from typing import TYPE_CHECKING

import numpy as np
import torch

from app.bundle_menu import prepare
from app.bundles import open_bundle
from app.jobs import background
from app.maps import frames, thumbnails
from app.maps.projections import choices_of, projection
from app.tools.explore import FIRST_SLIDERS
from app.tools.observe import GREETING
from mlda_core.climate.errors import BundleError
from mlda_core.page_state.analyses import engine_of
from mlda_core.page_state.limits import limits_of
from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.tables import resolve

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

# Seconds between two months that are made in the background.
REST = 3.0

# Bundles whose seasons are made, or under way.
_WARMED: weakref.WeakSet[Bundle] = weakref.WeakSet()


def bundle_of_process(key: str = "") -> Bundle:
    """Load a bundle, once per process.

    Parameters
    ----------
    key : str
        As links call it; by default the one that ``MLDA_BUNDLE`` names, or the first that ships.

    Raises
    ------
    mlda_core.bundle.bundle.BundleError
        If it is broken or there is none of that name; the message is one sentence.
    """
    # One thread decodes one state fastest, and leaves a core to the browser beside it: two threads
    # on two busy cores took 117 ms a state instead of 16.
    torch.set_num_threads(1)
    return open_bundle(key)


def warm_up() -> None:
    """Compute what all sessions share: bundle, projections, datashader's compiled loops.

    A broken bundle is reported when the page opens it. It ends early if the server does.
    """
    with contextlib.suppress(BundleError):
        if background.stopping():
            return
        bundle = bundle_of_process()
        month = limits_of(bundle).first_month()
        prepare(bundle)
        z = np.asarray(bundle.code(month), dtype=np.float32)
        for choice in choices_of(bundle.grid):
            if background.stopping():
                return
            projection(choice.key)
            frames.draw(bundle, frames.Request(month, z, choice.key, full=False))
        for k in range(min(FIRST_SLIDERS, bundle.n_latent)):
            if background.stopping():
                return
            thumbnails.latent(bundle, k, int(month[5:7]))
        # The decoder's Jacobian of the season, and the factors of the first network: 5 s.
        table = resolve(ObservationSettings(), bundle, month).plain
        with contextlib.suppress(ValueError):
            for part in (*GREETING, 1):
                if background.stopping():
                    return
                engine_of(bundle).run(table[: len(table) // part], month)


def warm_seasons(bundle: Bundle | None = None, *, wait: float = 0.0) -> None:
    """Compute what the first analysis in each calendar month needs: 1 to 5 s a month.

    Parameters
    ----------
    bundle : Bundle, optional
        That of the process by default.
    wait : float
        Seconds before the first one.
    """
    with contextlib.suppress(BundleError):
        bundle = bundle or bundle_of_process()
        if bundle in _WARMED:
            return
        _WARMED.add(bundle)
        if background.pause(wait):
            return
        if bundle.has_statistics:
            # Not the first response of the tool Perturb: its dense networks take 20 s of a core,
            # and the first visitor's own analysis waited for them.
            for season in bundle.seasons.middles.tolist():
                bundle.jacobian(season)
                # A pause, for it takes a core that a slider needs: 35 ms a frame instead of 28.
                if background.pause(REST):
                    return
