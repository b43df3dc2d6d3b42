import dataclasses

import numpy as np
import pytest
from linear_cycle import lorenz_problem

from mlda_core.climate.errors import UserError
from mlda_core.cycling.cycle import Cycle
from mlda_core.cycling.localisation import Localisation, on_a_circle
from mlda_core.cycling.methods import letkf

PROBLEM = lorenz_problem()


@pytest.mark.parametrize("batch", [1, 4])
def test_without_localisation_it_is_the_etkf(batch):
    wide = dataclasses.replace(PROBLEM, localisation=on_a_circle(8, 1e7, batch))
    *_, local = Cycle(wide, "letkf", members=6).run()
    *_, whole = Cycle(wide, "etkf", members=6).run()
    assert np.allclose(local.analysis.mean, whole.analysis.mean)
    assert np.allclose(local.analysis.sd, whole.analysis.sd)


def test_a_far_observation_moves_nothing():
    narrow = dataclasses.replace(PROBLEM, localisation=on_a_circle(8, 0.5))
    *_, first = Cycle(narrow, "letkf", members=6).run(end=1)
    moved = first.analysis.mean != first.background.mean
    assert np.array_equal(moved, np.arange(8) % 2 == 0)


def test_uneven_groups_and_small_parts_change_nothing(monkeypatch):
    even = PROBLEM.localisation
    uneven = Localisation(
        np.array([0, 0, 0, 1, 2, 2, 3, 3]),
        np.array([[1.0], [3.0], [4.5], [6.5]]),
        even.distance,
        2.0,
    )
    problem = dataclasses.replace(PROBLEM, localisation=uneven)
    *_, whole = Cycle(problem, "letkf", members=6).run()
    monkeypatch.setattr(letkf, "_AT_ONCE", 36)
    *_, parts = Cycle(problem, "letkf", members=6).run()
    assert np.allclose(parts.analysis.mean, whole.analysis.mean)
    assert np.isfinite(whole.analysis.mean).all()


def test_it_asks_for_a_localisation():
    with pytest.raises(UserError, match="needs a localisation"):
        list(Cycle(dataclasses.replace(PROBLEM, localisation=None), "letkf").run())
