"""Parents of synthetic seas, recovered from seas whose parents are known."""

import numpy as np
import pytest
import xarray as xr

from mlda_core.sources import SourceError
from mlda_core.sources.mixed import LEAST_WEIGHT, find_parents

LAT = np.linspace(-75, 75, 16)
LON = np.arange(12) * 30.0
YEARS = np.arange(1979, 1989)


def sea(years, anomalies, member=0):
    """Return a canonical dataset of a seasonal cycle plus anomalies (year, month, lat, lon)."""
    time = np.arange(f"{years[0]}-01", f"{years[-1] + 1}-01", dtype="datetime64[M]")
    stamps = (time.astype("datetime64[D]") + 14).astype("datetime64[ns]")
    cycle = (
        290
        + 5
        * np.cos(2 * np.pi * np.arange(12) / 12)[:, None, None]
        * np.sin(np.radians(LAT))[:, None]
    )
    tos = (cycle + anomalies).reshape(1, -1, LAT.size, LON.size)
    tos[..., 6:9, 2:5] = np.nan
    return xr.Dataset(
        {"tos": (("member", "time", "lat", "lon"), tos.astype(np.float32), {"units": "K"})},
        coords={"member": [member], "time": stamps, "lat": LAT, "lon": LON},
    )


@pytest.fixture
def observed_anomalies():
    rng = np.random.default_rng(5)
    raw = rng.normal(size=(YEARS.size, 12, LAT.size, LON.size))
    return raw - raw.mean(axis=0)


@pytest.fixture
def observed(observed_anomalies):
    return sea(YEARS, observed_anomalies)


def mixture(anomalies, years, angle, offset, noise=0.0):
    first, second = (anomalies[int(np.flatnonzero(y == YEARS)[0])] for y in years)
    mixed = np.cos(angle) * first + np.sin(angle) * second + offset
    return mixed + noise * np.random.default_rng(0).normal(size=mixed.shape)


def test_known_parents_are_found(observed, observed_anomalies):
    made_of = [(1980, 1985), (1979, 1988), (1983, 1984)]
    angles, offsets = [0.6, 2.2, -1.0], [0.0, 0.7, -1.1]
    mixed = np.stack(
        [
            mixture(observed_anomalies, pair, angle, offset, noise=0.05)
            for pair, angle, offset in zip(made_of, angles, offsets, strict=True)
        ]
    )
    found = find_parents(observed, sea(YEARS[:3], mixed, member=60))
    assert list(found) == [(60, 1979), (60, 1980), (60, 1981)]
    for parents, pair in zip(found.values(), made_of, strict=True):
        assert parents.years == pair
        assert parents.explained > 0.9


def test_parents_are_found_under_patches(observed, observed_anomalies):
    """Patches over a third of the globe: of other years' seas, which least squares would find."""
    bare = 0.7 * mixture(observed_anomalies, (1982, 1986), 2.5, 0.0)
    patched = bare.copy()
    patched[:6, 2:9, :5] += 2.0 * observed_anomalies[5, :6, 2:9, :5]
    patched[6:, 4:12, 6:] += 3.0
    (parents,) = find_parents(observed, sea(YEARS[:1], patched[None], member=64)).values()
    assert parents.years == (1982, 1986)
    untouched = (patched == bare)[:, np.abs(LAT) < 40]
    assert parents.explained == pytest.approx(untouched.mean(), abs=0.08)
    rows = np.abs(LAT) < 40
    there = np.isfinite(observed["tos"].values[0, :12, rows].transpose(1, 0, 2)).ravel()
    design = observed_anomalies[:, :, rows].reshape(YEARS.size, -1)[:, there].T
    least_squares = np.linalg.lstsq(design, patched[:, rows].ravel()[there], rcond=None)[0]
    assert (np.abs(least_squares - np.median(least_squares)) > LEAST_WEIGHT).sum() > 2


@pytest.mark.parametrize(("angle", "years"), [(0.05, (1980,)), (np.pi / 2, (1985,))])
def test_a_parent_of_no_weight_is_none(observed, observed_anomalies, angle, years):
    mixed = mixture(observed_anomalies, (1980, 1985), angle, 0.4, noise=0.02)
    (parents,) = find_parents(observed, sea(YEARS[:1], mixed[None], member=60)).values()
    assert parents.years == years


def test_a_sea_that_is_no_mixture_is_not_explained(observed):
    strange = np.random.default_rng(9).normal(size=(1, 12, LAT.size, LON.size))
    (parents,) = find_parents(observed, sea(YEARS[:1], strange, member=60)).values()
    assert parents.explained < 0.3


def test_ice_beyond_40_degrees_does_not_matter(observed, observed_anomalies):
    mixed = mixture(observed_anomalies, (1981, 1987), 0.8, 0.3)[None].copy()
    mixed[..., np.abs(LAT) > 40, :] = 100.0
    (parents,) = find_parents(observed, sea(YEARS[:1], mixed, member=60)).values()
    assert parents.years == (1981, 1987)
    assert parents.explained == 1.0


def test_every_member_is_looked_at(observed, observed_anomalies):
    pairs = {60: (1980, 1981), 61: (1986, 1988)}
    mixed = xr.concat(
        [
            sea(YEARS[:1], mixture(observed_anomalies, pair, 0.9, 0.1)[None], member=member)
            for member, pair in pairs.items()
        ],
        dim="member",
    )
    found = find_parents(observed, mixed)
    assert {member: parents.years for (member, _), parents in found.items()} == pairs


def test_missing_sea_and_part_years_are_refused(observed):
    with pytest.raises(SourceError, match="tos"):
        find_parents(observed, observed.drop_vars("tos"))
    with pytest.raises(SourceError, match="whole years"):
        find_parents(observed, observed.isel(time=slice(7)))
