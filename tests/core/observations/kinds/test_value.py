"""A value at a place, or of a region."""

from __future__ import annotations

import numpy as np
import pytest
from kind_rows import kind_rows, why_refused

from mlda_core.observations.kinds import KINDS, kind_of
from mlda_core.observations.kinds.value import KIND
from mlda_core.observations.standardised import standardise


def test_a_row_that_names_no_kind_is_a_value_and_values_come_first():
    assert kind_of("") == (KIND, pytest.approx(np.nan, nan_ok=True))
    assert next(iter(KINDS)) == KIND.key
    assert KIND.quadratic
    assert KIND.area == "none"


def test_a_value_may_be_of_a_region(linear):
    """It is then the mean over the region, as the kind mean says it."""
    table = kind_rows(linear, "psl,,,2,1,value,tropics\npsl,,,2,1,mean,tropics\n")
    one, other = standardise(table, linear, 7).likelihoods.terms.value
    assert one == other


def test_a_value_has_no_number_in_brackets(linear):
    assert "the kind value has no number in brackets; leave it out" in why_refused(
        linear, "tas,50,10,1,,value(2),"
    )
