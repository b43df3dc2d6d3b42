"""The list of map projections."""

import subprocess
import sys

import cartopy.crs as ccrs

from mlda_core.climate.projections import EDGES, KEYS, POLAR_EDGE, PROJECTIONS
from mlda_core.plotting.projections import GLOBAL


def test_each_is_one_of_cartopys_and_of_the_pictures():
    assert len(set(KEYS)) == len(KEYS)
    for projection in PROJECTIONS:
        made = getattr(ccrs, projection.cartopy)(central_longitude=projection.central_longitude)
        assert isinstance(made, ccrs.Projection)
        assert projection.label
    assert tuple(GLOBAL) == KEYS


def test_polar_maps_end_before_the_equator():
    assert EDGES == {"north": POLAR_EDGE, "south": -POLAR_EDGE}


def test_the_list_needs_no_cartopy(repo_root):
    """The page's state, which checks links and files, reads it."""
    program = "import sys, mlda_core.climate.projections; sys.exit('cartopy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=repo_root, check=False)
    assert done.returncode == 0
