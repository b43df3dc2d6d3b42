"""Made-up drivers of a regional mean."""

from mlda_core.climate.regions import BASINS, REGIONS
from mlda_core.perturbation.attribution import Driver, Drivers


def make_drivers(variable: str) -> Drivers:
    """Return drivers of a variable over Nino 3.4 in 1997-12: half of the basins cool."""
    given = [(-1) ** i * 4.8 / (i + 1) for i in range(len(BASINS))]
    parts = tuple(
        Driver(key, basin.label, value, value / sum(given), 0.5 * value)
        for (key, basin), value in zip(BASINS.items(), given, strict=True)
    )
    values = (sum(given) - 0.886 - 0.27, -0.886, parts, sum(given), -0.27)
    return Drivers("1997-12", "sst_only", variable, REGIONS["nino34"], "mm/day", *values)
