"""Small files laid out as those of NOAA PSL are."""

import numpy as np
from downloads import MONTHS, field

LAT, LON = np.arange(80, -81, -20.0), np.arange(0, 360, 30.0)
CRV3 = {"dataset": "NOAA/CIRES/DOE 20th Century Reanalysis version 3 (20CRv3)"}
R1 = {"dataset": "NCEP Reanalysis Derived Products", "parent_stat": "Individual Obs"}
ERSST = {"dataset": "NOAA Extended Reconstructed SST V5", "valid_range": np.float32([-1.8, 45.0])}
PSL = field(MONTHS, LAT, LON, mean=101_000, spread=500)
TAS = field(MONTHS, LAT, LON, mean=283, spread=10, seed=1)
RAIN = 3e-5 + 1e-5 * np.cos(field(MONTHS, LAT, LON, mean=0, spread=2, seed=2))


def upright(values):
    """From the file's order, north first, to the canonical one."""
    return values[:, ::-1]
