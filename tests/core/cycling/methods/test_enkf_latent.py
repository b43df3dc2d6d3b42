"""The ensemble filter of codes; see test_latent_method."""

import pytest

from mlda_core.climate.errors import UserError
from mlda_core.cycling.methods import cycled_method
from mlda_core.cycling.methods.etkf import ETKF


def test_its_settings_are_those_of_the_filter_of_codes():
    method = cycled_method("enkf-latent")
    assert method.configured(members=7).inner == ETKF(members=7)
    with pytest.raises(UserError, match="no setting 'particles'"):
        method.configured(particles=3)
