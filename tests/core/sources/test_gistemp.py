"""GISTEMP as NASA serves it, and as a clipped copy."""

import numpy as np
from gistemp_files import LON, WARM, write_gistemp

from mlda_core.sources.prepare import read_files, recognise


def test_gistemp_is_recognised_unpacked_and_turned_to_greenwich(tmp_path):
    write_gistemp(tmp_path / "gistemp1200_GHCNv4_ERSSTv5.nc")
    assert recognise([tmp_path]) == "gistemp"
    data = read_files([tmp_path])
    assert data["tasa"].attrs["standard_name"] == "surface_temperature_anomaly"
    assert data["lon"].values[0] == 5.0
    assert str(data["time"].values[0])[:10] == "1999-11-15"
    np.testing.assert_allclose(
        data["tasa"].sel(member=0, lon=5), WARM[:, :, LON == 5.0][..., 0], atol=1e-6
    )
    assert np.isnan(data["tasa"].values[0, :3, 0]).all()
    assert np.nanmax(np.abs(data["tasa"])) == np.float32(np.nanmax(np.abs(WARM)))


def test_the_ends_of_a_clipped_copy_are_missing(tmp_path):
    values = np.clip(3 * WARM, -5, 5)
    assert (np.abs(values) >= 4.97).any()
    write_gistemp(tmp_path / "copy.nc", values, comment="quantised to 0.039 K, clipped at +-5 K")
    found = read_files([tmp_path])["tasa"].values[0]
    kept = np.isfinite(values) & (np.abs(values) < 4.95)
    turned = np.concatenate([kept[:, :, LON > 0], kept[:, :, LON < 0]], axis=2)
    assert np.array_equal(np.isfinite(found), turned)
