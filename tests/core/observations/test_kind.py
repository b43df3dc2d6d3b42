"""What kinds have that do not say otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from kind_rows import terms

from mlda_core.climate.variables import DEFAULTS
from mlda_core.observations.kind import Kind, KindError, Terms
from mlda_core.observations.kinds import KINDS

VALUE = KINDS["value"]


def test_rows_of_terms_are_taken_by_mask_and_by_index():
    said = Terms(*(np.arange(4.0) + 10 * i for i in range(5)))
    by_mask = said.where(np.array([True, False, True, False]))
    by_index = said.where(np.array([0, 2]))
    for one, other, column in zip(by_mask, by_index, said, strict=True):
        np.testing.assert_array_equal(one, column[[0, 2]])
        np.testing.assert_array_equal(other, column[[0, 2]])


def test_a_kind_without_a_number_takes_none():
    VALUE.check_parameter(float("nan"))
    with pytest.raises(KindError, match=r"the kind value has no number in brackets; leave it out"):
        VALUE.check_parameter(4.0)


def test_a_kind_that_says_values_says_no_interval_and_no_class():
    low, high = VALUE.interval(np.array([1.0, 2.0]))
    assert np.isnan(low).all()
    assert np.isnan(high).all()
    assert low is not high
    with pytest.raises(NotImplementedError, match="value says no class"):
        VALUE.class_of("colder", DEFAULTS["tas"], float("nan"))
    with pytest.raises(NotImplementedError, match="value says no class"):
        VALUE.probabilities(np.zeros(1), np.zeros(1))


def test_the_weight_of_a_step_is_the_curvature():
    kind = KINDS["lower_bound"]
    said, f = terms(kind, [0.0, 1.0]), np.array([0.3, -2.0])
    np.testing.assert_array_equal(kind.weight(f, said), kind.curvature(f, said))


def test_a_kind_that_leaves_a_part_of_its_likelihood_out_cannot_be_made():
    with pytest.raises(TypeError, match="cost"):
        Kind("key", "Label", "A sentence", "source", rank=1)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_labels_are_for_menus_and_sentences_have_no_full_stop(kind):
    assert kind.label
    assert kind.label[0].isupper()
    assert kind.sentence
    assert not kind.sentence.endswith(".")
    assert kind.source
    assert len({k.rank for k in KINDS.values()}) == len(KINDS)
