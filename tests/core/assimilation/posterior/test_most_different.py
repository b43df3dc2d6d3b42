"""The two members that differ most."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from exact import table
from small import make_linear

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.climate.errors import StateError


@pytest.fixture(scope="module")
def ensemble(tmp_path_factory):
    bundle = make_linear(tmp_path_factory.mktemp("linear"))
    return Assimilator(bundle).ensemble(table(bundle, 6), "1982-07", members=12)


def apart(ensemble, pair, rows):
    bundle = ensemble.bundle
    total = 0.0
    for row in rows:
        weight = bundle.grid.weights * bundle.mask[row]
        fields = np.nan_to_num(ensemble.anomalies[:, row])
        size = (weight * (fields - fields.mean(axis=0)) ** 2).sum() / len(fields)
        total += (weight * (fields[pair[0]] - fields[pair[1]]) ** 2).sum() / size
    return total


@pytest.mark.parametrize("variable", ["", "tas", "tos"])
def test_it_is_the_pair_of_the_greatest_difference(ensemble, variable):
    names = [v.name for v in ensemble.bundle.variables]
    rows = [names.index(variable)] if variable else range(len(names))
    pairs = list(combinations(range(12), 2))
    best = max(pairs, key=lambda pair: apart(ensemble, pair, rows))
    assert ensemble.most_different(variable) == best


def test_an_unknown_variable_is_refused(ensemble):
    with pytest.raises(StateError, match="no variable 'zg'"):
        ensemble.most_different("zg")
