"""Small files laid out as those of NOAA PSL are."""

import numpy as np
import pytest
from downloads import MONTHS, field

from mlda_core.sources import SourceError
from mlda_core.sources.prepare import read_files

LAT, LON = np.arange(80, -81, -20.0), np.arange(0, 360, 30.0)
CRV3 = {"dataset": "NOAA/CIRES/DOE 20th Century Reanalysis version 3 (20CRv3)"}
R1 = {"dataset": "NCEP Reanalysis Derived Products", "parent_stat": "Individual Obs"}
ERSST = {"dataset": "NOAA Extended Reconstructed SST V5", "valid_range": np.float32([-1.8, 45.0])}
PSL = field(MONTHS, LAT, LON, mean=101_000, spread=500)
TAS = field(MONTHS, LAT, LON, mean=283, spread=10, seed=1)
RAIN = 3e-5 + 1e-5 * np.cos(field(MONTHS, LAT, LON, mean=0, spread=2, seed=2))


def refusal(*paths, source="auto", **asked):
    """Return the message with which files are refused, checked to be one sentence."""
    with pytest.raises(SourceError) as caught:
        read_files(list(paths), source, **asked)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert ". " not in message, "one sentence"
    return message


def upright(values):
    """From the file's order, north first, to the canonical one."""
    return values[:, ::-1]
