"""A small bundle that needs no training, and visits of the page without a browser."""

from __future__ import annotations

import numpy as np
import pytest
from visiting import PERTURB, SOME, CycleVisit, SeaVisit, Visit

from app.jobs import cycle as cycle_job
from app.session import Session
from mlda_core.climate.grid import Grid
from mlda_core.climate.interpolation import ObservationOperator
from mlda_core.climate.seasons import MONTHLY
from mlda_core.climate.variables import DEFAULTS

N_LATENT = 6


class TinyNormaliser:
    """A spread that is the same everywhere, a quarter of the colour limit."""

    def __init__(self, variables):
        # In canonical units, as the real one gives it back.
        self.sd = np.array([v.anomaly_limit / 4 / v.scale for v in variables])[:, None, None]

    def restore(self, x, _months):
        return np.asarray(x) * self.sd


class TinyBundle:
    """What the page asks of a bundle, in closed form."""

    name = "tiny"
    title = "Tiny"
    base_period = "no years"
    n_latent = N_LATENT
    impacts = ()
    vectors = ()
    has_statistics = True
    sea_row = 1
    seasons = MONTHLY

    def __init__(self):
        lat = np.linspace(-84.0, 84.0, 15)
        lon = np.arange(0.0, 360.0, 12.0)
        self.grid = Grid(lat, lon)
        self.variables = (DEFAULTS["psl"], DEFAULTS["tos"])
        self.months = tuple(
            f"{year}-{month:02d}" for year in (1997, 1998) for month in range(1, 13)
        )
        rng = np.random.default_rng(5)
        waves = [
            np.outer(np.cos(np.radians(lat)), np.cos(np.radians((k + 1) * lon + 40 * k)))
            for k in range(N_LATENT)
        ]
        size = np.array([v.anomaly_limit for v in self.variables]) / 4
        mix = rng.normal(size=(N_LATENT, 2)) * size
        self.patterns = np.einsum("kv,kyx->kvyx", mix, np.array(waves)).astype(np.float32)
        self.mask = np.ones((2, *self.grid.shape), dtype=bool)
        self.mask[1, :, 3:7] = False
        self.direction_share = np.abs(mix) / np.abs(mix).sum(axis=0)
        self.normaliser = TinyNormaliser(self.variables)
        self.operator = ObservationOperator(self.grid, self.mask)
        self.decoded = 0

    def split(self, month):
        return "test" if month.startswith("1997") else "train"

    def code(self, month):
        return np.random.default_rng(int(month.replace("-", ""))).normal(size=N_LATENT)

    def target(self, month):
        return self._masked(np.tensordot(1.1 * self.code(month), self.patterns, 1))

    def climatology(self, calendar_month):
        mean = np.array([np.mean(v.field_limits) for v in self.variables])
        field = np.ones((2, *self.grid.shape)) * mean[:, None, None] + calendar_month / 10
        return self._masked(field)

    def decode_anomalies(self, z, calendar_month):
        self.decoded += 1
        season = 1 + 0.1 * np.cos(2 * np.pi * calendar_month / 12)
        return self._masked(season * np.tensordot(np.asarray(z, dtype=float), self.patterns, 1))

    def direction_effect(self, k, calendar_month):
        assert 1 <= calendar_month <= 12
        return self._masked(self.patterns[k])

    def jacobian(self, _calendar_month):
        return self.patterns.reshape(N_LATENT, -1).T

    def _masked(self, fields):
        return np.where(self.mask, fields, np.nan).astype(np.float32)


@pytest.fixture(scope="session")
def tiny():
    return TinyBundle()


@pytest.fixture
def visit(speedy):
    """Makes visits of the tool Observe; each begins with an analysis."""
    made = []

    def start(query=SOME):
        made.append(Visit(speedy, query))
        made[-1].settle()
        return made[-1]

    yield start
    for one in made:
        one.session.close()


@pytest.fixture(scope="module")
def standing(speedy):
    """A visit that tests share which change nothing: to make one takes half a second."""
    one = Visit(speedy, SOME)
    one.settle()
    yield one
    one.session.close()


@pytest.fixture
def sea_visit(speedy):
    """Makes visits of the tool Perturb."""
    made = []

    def start(query=PERTURB, *, wait=True):
        made.append(SeaVisit(speedy, query))
        return made[-1].settle() if wait else made[-1]

    yield start
    for one in made:
        one.session.close()


@pytest.fixture(scope="module")
def sea_standing(speedy):
    one = SeaVisit(speedy, PERTURB)
    yield one
    one.session.close()


@pytest.fixture
def cycle_visit(cycled, monkeypatch):
    """Makes visits of the tool Cycle, whose runs do not wait for eyes."""
    monkeypatch.setattr(cycle_job, "PACE", 0.001)
    made = []

    def start(query="?tool=cycle&month=1984-03-01&model=code"):
        made.append(CycleVisit(cycled, query))
        return made[-1].settle()

    yield start
    for one in made:
        one.session.close()


@pytest.fixture
def session(tiny):
    """A session of the small bundle, at the tool Explore."""
    return Session(tiny, "?model=code&network=none&tool=explore", lambda run: run())
