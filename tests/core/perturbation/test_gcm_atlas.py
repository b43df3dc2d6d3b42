"""The GCM's own sensitivities: kept with the package, and compared at their resolution."""

from __future__ import annotations

import dataclasses

import netCDF4
import numpy as np
import pytest
from small import make_small

from mlda_core.climate.regions import REGIONS
from mlda_core.evaluation.gcm_atlas import area_of, patches_alone
from mlda_core.perturbation.gcm import GcmError
from mlda_core.perturbation.gcm_atlas import GcmAtlas, gcm_atlas, write_gcm_atlas
from mlda_core.perturbation.gfmip import of_key
from mlda_core.perturbation.greens_function import resolution

MONTH = "1982-07"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("gcm"), curved=0.002)


@pytest.fixture(scope="module")
def atlas(small):
    """An atlas whose responses are the patches' own changes of the sea, in every variable."""
    still = patches_alone(small, [MONTH])
    rng = np.random.default_rng(5)
    size = rng.normal(size=(len(still.patches), len(small.variables), 1, 1))
    response = np.where(small.mask, size, np.nan).astype(np.float32)
    return dataclasses.replace(still, response=response)


@pytest.fixture
def known(atlas):
    """What runs would say of that atlas without any weather, at a resolution of theirs."""
    count = len(atlas.patches)
    rng = np.random.default_rng(6)
    x = rng.normal(size=(300, count))
    gram, ratio = x.T @ x, np.full((2, len(atlas.bundle.variables)), 0.3)
    regions = ("globe", "nino34")
    seen = np.stack([
        (resolution(gram, 0.3) @ atlas.sensitivity(REGIONS[name])).T for name in regions
    ])  # fmt: skip
    return GcmAtlas(
        atlas.patches,
        regions,
        seen,
        np.ones_like(seen),
        ratio,
        np.full(ratio.shape, 0.5),
        gram,
        area_of(atlas),
        2,
        300,
    )


def test_what_is_written_is_read(small, known, tmp_path):
    write_gcm_atlas(known, small, tmp_path / f"{small.name}.nc")
    found = gcm_atlas(small, tmp_path)
    assert (found.patches, found.regions) == (known.patches, known.regions)
    for name in ("sensitivity", "standard_error", "ratio", "halves", "gram", "area"):
        np.testing.assert_allclose(getattr(found, name), getattr(known, name), rtol=1e-6, atol=1e-6)
    assert (found.members, found.months) == (2, 300)


def test_of_another_climatology_there_is_nothing(small, known, tmp_path):
    path = tmp_path / f"{small.name}.nc"
    assert gcm_atlas(small, tmp_path) is None
    write_gcm_atlas(known, small, path, {"climatology": "another"})
    assert gcm_atlas(small, tmp_path) is None


def test_a_damaged_file_is_refused_in_a_sentence(small, known, tmp_path):
    path = tmp_path / f"{small.name}.nc"
    write_gcm_atlas(known, small, path)
    with netCDF4.Dataset(path, "a") as file:
        file["region"][0] = "atlantis"
    with pytest.raises(GcmError, match="copy it again"):
        gcm_atlas(small, tmp_path)
    path.write_bytes(b"no file")
    with pytest.raises(GcmError, match="copy it again"):
        gcm_atlas(small, tmp_path)


def test_the_true_atlas_correlates_fully_at_the_resolution(atlas, known):
    for region in known.regions:
        there = np.isfinite(atlas.sensitivity(REGIONS[region])).all(axis=0)
        assert there.any()
        found = known.correlation(atlas, region)
        np.testing.assert_allclose(found[there], 1.0)
    turned = dataclasses.replace(atlas, response=-atlas.response)
    np.testing.assert_allclose(
        known.correlation(turned, "globe"), -known.correlation(atlas, "globe")
    )


def test_an_atlas_that_is_hardly_begun_has_no_correlation(atlas, known):
    few = dataclasses.replace(
        atlas,
        patches=atlas.patches[:3],
        change=atlas.change[:3],
        response=atlas.response[:3],
    )
    assert np.isnan(known.correlation(few, "globe")).all()


def test_values_are_those_of_the_patches_asked_for(known):
    first, second = known.patches[4], known.patches[1]
    strange = dataclasses.replace(first, key="nowhere")
    found = known.values("nino34", (first, strange, second))
    np.testing.assert_array_equal(found[0], known.sensitivity[1, :, 4])
    np.testing.assert_array_equal(found[2], known.sensitivity[1, :, 1])
    assert np.isnan(found[1]).all()


def test_runs_know_at_most_all_patches(known):
    assert (known.known("globe") < len(known.patches)).all()
    sure = dataclasses.replace(known, ratio=np.full(known.ratio.shape, 1e9))
    np.testing.assert_allclose(sure.known("globe"), len(known.patches), rtol=1e-3)


def test_the_shipped_bundle_has_one(speedy):
    found = gcm_atlas(speedy)
    assert set(found.regions) == set(REGIONS)
    assert found.sensitivity.shape[1:] == (len(speedy.variables), len(found.patches))
    assert all(of_key(patch.key) == patch for patch in found.patches)
    # What a patch does to the globe's air is known; to the pressure over the tropics hardly.
    names = [variable.name for variable in speedy.variables]
    assert found.halves[found.regions.index("globe"), names.index("tas")] > 0.9
