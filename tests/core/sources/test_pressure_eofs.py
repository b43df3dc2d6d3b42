"""Pressure from EOFs and their climatology."""

import numpy as np
import pytest
from downloads import MONTHS
from gistemp_files import write_eofs

from mlda_core.sources import SourceError
from mlda_core.sources.prepare import read_files, recognise
from mlda_core.sources.regrid import grid_of_step


def test_pressure_is_climatology_plus_patterns(tmp_path):
    parts = write_eofs(tmp_path / "eof.nc")
    assert recognise([tmp_path]) == "psl-eofs"
    psl = read_files([tmp_path])["psl"]
    for i, month in enumerate((11, 12, 1)):
        wanted = parts["climatology"].values[month - 1] + np.tensordot(
            parts["pc"].values[i], parts["pattern"].values, 1
        )
        np.testing.assert_allclose(psl.values[0, i], 100 * wanted, rtol=1e-6)
    on_grid = read_files([tmp_path], grid=grid_of_step("15"))["psl"]
    w = np.cos(np.radians(on_grid["lat"]))
    edges = np.sin(np.radians([-90, -75, -45, -15, 15, 45, 75, 90]))
    area = np.diff(edges) / 2
    means = psl.mean("lon").values @ area, (on_grid.mean("lon") * w).sum("lat") / w.sum()
    np.testing.assert_allclose(*means, rtol=1e-5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pc": (("mode", "time"), np.zeros((2, MONTHS.size), "f4"))}, "has pc on"),
        (
            {"climatology": (("month", "lat", "lon"), np.zeros((12, 7, 12), "f4"))},
            "in the units of its patterns",
        ),
    ],
)
def test_parts_that_do_not_fit_are_named(tmp_path, change, words):
    write_eofs(tmp_path / "eof.nc", **change)
    with pytest.raises(SourceError, match=rf"eof\.nc .*{words}.*\.$"):
        read_files([tmp_path])
