"""Colours, limits and words of a picture."""

import pytest

from mlda_core.climate.variables import DEFAULTS
from mlda_core.plotting import look_of
from mlda_core.plotting.look import PlotError


def test_an_unknown_kind_of_look_is_refused():
    with pytest.raises(PlotError, match="no kind 'sum'"):
        look_of(DEFAULTS["tas"], "sum")
