"""The atlas: every patch as its own response, and the Green's function that they make."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from small import make_small

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.climate.regions import REGIONS, regional_mean
from mlda_core.perturbation.atlas import AtlasRun
from mlda_core.perturbation.responder import Responder
from mlda_core.perturbation.sst_patches import Patch, PerturbationError, open_water

MONTH = "1982-07"
TROPICS = REGIONS["tropics"]


@pytest.fixture(scope="module")
def responder(tmp_path_factory):
    return Responder(Assimilator(make_small(tmp_path_factory.mktemp("atlas"), curved=0.002)))


@pytest.fixture(scope="module")
def bundle(responder):
    return responder.bundle


@pytest.fixture(scope="module")
def atlas(responder):
    run = AtlasRun(responder, [MONTH])
    assert list(run.steps()) == list(range(1, run.total + 1))
    return run.atlas()


@pytest.mark.slow
def test_each_patch_has_the_response_of_the_library(atlas, responder):
    for i in (0, len(atlas.patches) // 2, len(atlas.patches) - 1):
        expected = responder.respond(MONTH, [atlas.patches[i].patch(2.0)])
        assert np.allclose(atlas.change[i], expected.change, atol=1e-6)
        assert np.allclose(atlas.response[i], expected.anomalies, atol=1e-6, equal_nan=True)


@pytest.mark.slow
def test_a_sensitivity_is_per_kelvin_of_the_open_sea(atlas, bundle):
    area = bundle.grid.weights * open_water(bundle, MONTH)
    warmed = (atlas.change * bundle.grid.weights).sum(axis=(1, 2)) / area.sum()
    means = regional_mean(atlas.response, bundle.grid, TROPICS)
    assert np.allclose(atlas.sensitivity(TROPICS), means / warmed[:, None], rtol=1e-4)


def test_patches_that_hardly_change_the_sea_can_be_left_out_of_a_map(atlas):
    size = np.abs(atlas.mean_change)
    assert atlas.telling.any()
    assert size[atlas.telling].min() >= 0.05 * size.max()
    assert (size[~atlas.telling] < 0.05 * size.max()).all()
    values = np.ones(len(atlas.patches))
    whole = atlas.spread_out(values)
    np.testing.assert_allclose(whole[np.isfinite(whole)], 1.0)
    first = atlas.shares[0]
    values[0] = np.nan
    part = atlas.spread_out(values)
    assert np.isnan(part[first > 0.5]).all()
    there = np.isfinite(whole) & (first < 0.5)
    np.testing.assert_allclose(part[there], 1.0)


def test_the_map_times_a_change_is_the_response_of_the_sum_of_patches(atlas, bundle):
    """The two forms of a Green's function: a map of one mean, and a sum of fields."""
    area = bundle.grid.weights * atlas.open_sea
    change = np.random.default_rng(0).standard_normal(bundle.grid.shape)
    maps = atlas.maps(TROPICS)
    by_map = (np.nan_to_num(maps) * change * bundle.grid.weights * (atlas.open_sea > 0)).sum(
        axis=(1, 2)
    ) / area.sum()
    by_sum = regional_mean(atlas.reconstruct(change), bundle.grid, TROPICS)
    assert np.allclose(by_map, by_sum, rtol=1e-3, atol=1e-5)


def test_patches_add_up_to_a_uniform_change_where_responses_are_linear(atlas, bundle, responder):
    whole = responder.respond(MONTH, [Patch(2.0, region="globe")])
    total = atlas.reconstruct(whole.change)
    mask = bundle.mask
    size = np.sqrt((whole.anomalies[mask] ** 2).mean())
    assert size > 0.1
    # No closer on cells of 22 degrees, smaller than which the patches are.
    assert np.sqrt(((total - whole.anomalies)[mask] ** 2).mean()) < 0.2 * size


@pytest.mark.slow
def test_work_that_was_saved_is_gone_on_with(responder, atlas, tmp_path):
    path = tmp_path / "new" / "atlas.part"
    first = AtlasRun(responder, [MONTH])
    for done in first.steps():
        if done == 5:
            break
    first.save(path)
    second = AtlasRun(responder, [MONTH])
    assert second.resume(path)
    assert next(second.steps()) == 6
    for _ in second.steps():
        pass
    assert np.array_equal(second.atlas().response, atlas.response, equal_nan=True)
    # That of other settings is not, nor a file that is none.
    assert not AtlasRun(responder, [MONTH], kelvin=-2.0).resume(path)
    assert not AtlasRun(responder, ["1982-08"]).resume(path)
    path.write_bytes(b"no zip")
    assert not AtlasRun(responder, [MONTH]).resume(path)
    assert not AtlasRun(responder, [MONTH]).resume(tmp_path / "none")


def test_an_atlas_of_what_is_done_so_far_can_be_looked_at(responder, bundle):
    run = AtlasRun(responder, [MONTH, "1982-01"])
    assert run.total == 2 * len(run.patches)
    with pytest.raises(PerturbationError, match="No patch"):
        run.atlas()
    for done in run.steps():
        if done == 3:
            break
    part = run.atlas()
    assert 1 <= len(part.patches) <= 3
    assert part.months == ("1982-01", MONTH)
    maps = part.maps(TROPICS)
    there = np.isfinite(maps[0])
    assert 0 < there.sum() < there.size
    assert np.isnan(maps[:, part.open_sea <= 0]).all()
    assert bundle.name in repr(part)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"months": []}, "needs a month"),
        ({"kelvin": 0.0}, "protocol has 2"),
        ({"kelvin": 50.0}, "protocol has 2"),
        ({"held": "outside"}, "network of its own"),
        ({"held": "clouds"}, "what can be held"),
        ({"method": "adam"}, "no response"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(responder, asked, words):
    given = {"months": [MONTH], **asked}
    with pytest.raises(PerturbationError, match=words):
        AtlasRun(responder, given.pop("months"), **given)


def test_all_outside_one_region_can_be_held(responder):
    run = AtlasRun(responder, [MONTH], held="outside", region=TROPICS)
    next(run.steps())
    inside = responder.inside([], "outside", TROPICS)
    change = run.patches[0].patch(2.0).weights(run.bundle.grid) * open_water(run.bundle, MONTH) * 2
    expected = responder.respond_to(MONTH, change, "outside", inside=inside)
    assert np.allclose(run.atlas().response[0], expected.anomalies, atol=1e-6, equal_nan=True)


def test_the_file_has_cf_units_and_the_centres(atlas, bundle, tmp_path):
    atlas.to_dataset({"tropics": TROPICS}).to_netcdf(tmp_path / "a.nc")
    with xr.open_dataset(tmp_path / "a.nc") as file:
        found = file.load()
    assert found["patch"].values.tolist() == [patch.key for patch in atlas.patches]
    assert found["patch_lat"].attrs["units"] == "degrees_north"
    assert found["patch_lon"].values.tolist() == [patch.lon for patch in atlas.patches]
    for i, v in enumerate(bundle.variables):
        response = found[f"{v.name}_response"]
        assert response.dims == ("patch", "lat", "lon")
        assert response.attrs["units"] == f"{v.units} K-1"
        expected = atlas.response[:, i] / v.scale / 2.0
        assert np.allclose(response.values, expected, rtol=1e-5, equal_nan=True)
        values = found[f"{v.name}_sensitivity_tropics"].values * v.scale
        assert np.allclose(values, atlas.sensitivity(TROPICS)[:, i], rtol=1e-5)
        field = found[f"{v.name}_sensitivity_map_tropics"]
        assert field.dims == ("lat", "lon")
        assert np.allclose(field * v.scale, atlas.maps(TROPICS)[i], rtol=1e-4, equal_nan=True)
