import numpy as np
import pytest
from linear_cycle import lorenz_problem

from mlda_core.climate.errors import UserError
from mlda_core.cycling.method import Workspace
from mlda_core.cycling.methods import CYCLED, cycled_method


def test_every_method_says_what_it_is():
    assert list(CYCLED) == sorted(CYCLED, key=lambda key: CYCLED[key].rank)
    for key, method in CYCLED.items():
        assert key == method.key
        assert method.label
        assert not method.sentence.endswith(".")
        assert "https://doi.org/" in method.source


def test_methods_are_found_by_either_spelling():
    assert cycled_method("4dvar-weak") is CYCLED["4dvar_weak"]
    with pytest.raises(UserError, match="no cycled method 'kf'"):
        cycled_method("kf")


def test_settings_are_changed_by_name():
    assert CYCLED["enkf"].configured(members=7).members == 7
    assert CYCLED["enkf"].members != 7
    with pytest.raises(UserError, match="no setting 'particles'; it has members"):
        CYCLED["enkf"].configured(particles=7)


def test_a_workspace_keeps_what_belongs_to_the_same_owners():
    work, owner, made = Workspace(lorenz_problem()), object(), []

    def ask(*owners):
        return work.kept("gain", owners or None, lambda: made.append(1) or len(made))

    assert ask(owner, np.ones(2)) == ask(owner, np.ones(2)) == 1
    assert ask(owner, np.zeros(2)) == 2
    assert ask(object(), np.zeros(2)) == 3
    assert ask() != ask()
