"""Files of what is shown: CF, one time, values in the file's units, all of them packed."""

import numpy as np
import pytest
import xarray as xr

from app.downloads.datasets import About, Added, cycle_file, state_file
from mlda_core.climate.variables import DEFAULTS

MONTH = "1997-12"
ABOUT = About(MONTH, "month=1997-12", {"model": "code"})


@pytest.fixture
def bundle(tiny, monkeypatch):
    monkeypatch.setattr(tiny, "config", {"checksums": {"a": "b"}}, raising=False)
    return tiny


@pytest.fixture
def opened(tmp_path):
    def read(data):
        path = tmp_path / "x.nc"
        path.write_bytes(data)
        with xr.open_dataset(path) as made:
            return made.load()

    return read


def test_a_state_has_full_fields_anomalies_target_and_z(bundle, opened):
    z = bundle.code(MONTH)
    state = bundle.decode_anomalies(z, 12)
    data = opened(state_file(bundle, ABOUT, state, z, "model"))
    psl = DEFAULTS["psl"]
    assert data["psl"].attrs["units"] == "Pa"
    np.testing.assert_array_equal(
        data["psl_anomaly"].values[0], (state[0] / psl.scale).astype(np.float32)
    )
    full = (state[0] + bundle.climatology(12)[0] - psl.offset) / psl.scale
    np.testing.assert_allclose(data["psl"].values[0], full, rtol=1e-6)
    np.testing.assert_array_equal(data["tos_target"].values[0], bundle.target(MONTH)[1])
    np.testing.assert_array_equal(data["z"].values[0], z)
    assert data.attrs["title"] == "Model, of Tiny"
    assert data.attrs["link"] == "?month=1997-12"


def test_what_the_page_adds_keeps_units_of_its_own(bundle, opened):
    state = bundle.target(MONTH)
    shares = np.full_like(state, 40.0)
    added = [
        Added("probability", "share of members", shares, ("%", "%")),
        Added("influence", "increment of one", state),
    ]
    data = opened(state_file(bundle, ABOUT, state, bundle.code(MONTH), "model", added))
    assert data["psl_probability"].attrs == {
        "units": "%",
        "long_name": "Sea-level pressure, share of members",
    }
    assert (data["psl_probability"] == 40).all()
    assert data["psl_influence"].attrs["units"] == "Pa"


def test_a_day_of_a_cycle_has_its_increment_and_spread(bundle, opened):
    background, analysis = bundle.target("1997-11"), bundle.target(MONTH)
    spread = np.abs(analysis)
    data = opened(cycle_file(bundle, ABOUT, background, analysis, spread, "A run"))
    np.testing.assert_array_equal(data["tos_increment"].values[0], (analysis - background)[1])
    np.testing.assert_array_equal(data["tos_spread"].values[0], spread[1])
    assert data["tos_spread"].attrs["standard_name"].endswith(" standard_error")
    assert data.attrs["title"] == "A run"
    without = opened(cycle_file(bundle, ABOUT, background, analysis))
    assert "tos_spread" not in without
