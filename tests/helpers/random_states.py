"""States of the page drawn at random, as links: what a visitor could come to in a few gestures."""

from __future__ import annotations

import numpy as np

from mlda_core.assimilation.methods import METHODS, WITH_WHOLE_POSTERIOR
from mlda_core.bundle.bundle import Bundle
from mlda_core.observations.networks import offered
from mlda_core.page_state import observations as change
from mlda_core.page_state.limits import limits_of
from mlda_core.page_state.observations import ObservationSettings
from mlda_core.page_state.rows import Row
from mlda_core.page_state.serialize import to_query
from mlda_core.page_state.tables import network_rows

# Each in closed form or a few steps; those that learn from all months take seconds a bundle.
QUICK = ("vae", "vae_latent_only", "eof", "enoi", "climatology")


def random_link(bundle: Bundle, seed: int, *, methods: tuple[str, ...] = QUICK) -> str:
    """Return the query of a random state of Observe: the same for the same seed."""
    rng = np.random.default_rng(seed)
    limits = limits_of(bundle, bundle.path.name)
    # A month of which there are all variables: the target is what is sampled.
    month = str(rng.choice(bundle.months[-120:]))
    observed = _network(bundle, rng).adjust(
        {
            "method": str(rng.choice(methods)),
            "residual": bool(rng.random() < 0.7),
            "localisation": float(rng.choice([0.5, 1.0, 1.5])),
            "error": float(rng.choice([0.1, 0.2, 0.55])),
            "noise": int(rng.integers(1, 1000)),
            "column": str(rng.choice(["model", "increment", "spread", "difference"])),
        }
    )
    if rng.random() < 0.3:
        observed = observed.adjust({"beside": str(rng.choice(WITH_WHOLE_POSTERIOR[:2]))})
    if rng.random() < 0.6:
        observed = _by_hand(observed, bundle, month, rng)
    assert METHODS[observed.method]
    view = limits.first_view().replace(month=month, observations=observed)
    return to_query(view, limits)


def _network(bundle: Bundle, rng: np.random.Generator) -> ObservationSettings:
    kinds = [kind for kind in offered(bundle) if kind not in ("all_fields", "custom")]
    values = {
        "kind": str(rng.choice(kinds)),
        "count": int(rng.integers(4, 30)),
        "seed": int(rng.integers(1, 1000)),
        "year": int(rng.choice([1870, 1900, 1930])),
        "spacing": int(rng.choice([0, 0, 4000])),
        "domain": str(rng.choice(["globe", "globe", "land"])),
    }
    if rng.random() < 0.3:
        values["region"] = [-60, 60, 200, 160]
    if rng.random() < 0.3:
        values["variables"] = [bundle.variables[0].name]
    return ObservationSettings().adjust(values)


def _by_hand(
    observed: ObservationSettings, bundle: Bundle, month: str, rng: np.random.Generator
) -> ObservationSettings:
    """Withhold, delete, edit and place some rows."""
    count = len(network_rows(observed, bundle))
    if count > 6:
        chosen = [int(i) for i in rng.permutation(count)[:5]]
        observed = change.withhold(observed, chosen[:2], held=True)
        observed = change.delete(observed, chosen[2:4])
        place = network_rows(observed, bundle).iloc[chosen[4]]
        row = Row(place["variable"], float(place["lat"]), float(place["lon"]), 0.75)
        observed = change.edit(observed, chosen[4], row._replace(error_sd=0.5))
    name = bundle.variables[-1].name
    lat, lon = 10 * rng.integers(-5, 6), 10 * rng.integers(0, 36)
    if not bundle.operator.observable([len(bundle.variables) - 1], [lat], [lon])[0]:
        return observed
    own = Row(name, float(lat), float(lon), label='a "ship"')
    observed = change.place(observed, own)
    observed = change.place(observed, own._replace(lat=float(lat) + 1, value=-1.25, withheld=True))
    if rng.random() < 0.3:
        bound = own._replace(value=0.5, error_sd=0.5, kind="lower_bound", month=month)
        observed = change.place(observed, bound)
    return observed
