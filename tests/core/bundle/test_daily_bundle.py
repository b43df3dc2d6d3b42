"""A bundle of days is a bundle with another time step."""

import numpy as np
import pytest
from commands import mlda, refusal
from days import make_days

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.bundle.datasets import dataset_of
from mlda_core.climate.errors import BundleError, StateError
from mlda_core.climate.interpolation import ObservationError
from mlda_core.climate.seasons import DAILY
from mlda_core.evaluation.reconstruction import validate
from mlda_core.observations.networks import NetworkSpec, places
from mlda_core.observations.synthetic import synthesise
from mlda_core.observations.table import read


def test_its_times_seasons_and_splits_are_those_of_days(daily):
    bundle, data = daily
    assert bundle.seasons is DAILY
    assert (bundle.months[0], bundle.months[-1]) == ("1983-01-01", "1984-12-31")
    assert len(bundle.months) == 365 + 366
    assert {bundle.split(day) for day in bundle.months} == {"validation", "test"}
    assert data.normaliser.climatology.shape == (366, *bundle.mask.shape)


def test_climatology_and_spread_follow_the_day(daily):
    bundle, _ = daily
    truth = make_days()["tas"].values[0] - 273.15
    # The mean of four years' days about the day, and the fit of three harmonics on three of them.
    for season, day in ((15, 14), (196, 195)):
        near = np.concatenate([truth[y * 365 + day - 7 : y * 365 + day + 8] for y in range(4)])
        assert np.abs(bundle.climatology(season)[1] - near.mean(axis=0)).mean() < 0.6
    spread = np.asarray(bundle.normaliser.spread)[:, 1].mean(axis=(1, 2))
    assert spread[5] / spread[188] == pytest.approx(1.3 / 0.7, rel=0.15)


def test_a_bundled_day_is_the_day_of_the_data(daily):
    bundle, _ = daily
    source = make_days()
    day = source.sel(time="1984-02-29").isel(member=0, time=0)
    made = bundle.state("1984-02-29")
    for name, tolerance in (("psl", 45.0), ("tas", 0.15)):
        np.testing.assert_allclose(made[name].values[0], day[name].values, atol=tolerance)
    assert str(made["time"].values[0])[:10] == "1984-02-29"
    code = bundle.encode(source.sel(time=["1984-02-29T12"]).isel(member=0))["z"].values[0]
    np.testing.assert_allclose(bundle.code("1984-02-29"), code, atol=0.05)


def test_decoding_takes_days(daily):
    bundle, _ = daily
    made = bundle.decode(np.zeros(bundle.n_latent), ["1990-07-15"])
    assert made["tas"].shape == (1, *bundle.grid.shape)
    with pytest.raises(StateError, match="'1990-07' is not a day; write it as YYYY-MM-DD"):
        bundle.decode(np.zeros(bundle.n_latent), "1990-07")
    with pytest.raises(StateError, match="Day 367 of the year is not within 1 to 366"):
        bundle.climatology(367)


@pytest.mark.parametrize("method", ["vae", "eof", "enoi", "adam", "climatology"])
def test_a_day_is_assimilated(daily, method):
    bundle, _ = daily
    day = "1984-02-29"
    network = places(NetworkSpec("stations", count=40, variables=("psl", "tas")), bundle)
    table = synthesise(network, bundle, bundle.target(day), DAILY.of(day))
    analysis = Assimilator(bundle).run(table, day, method=method)
    truth = bundle.target(day)
    error = np.square(analysis.anomalies - truth).mean(axis=(1, 2))
    usual = np.square(truth).mean(axis=(1, 2))
    if method == "climatology":
        np.testing.assert_allclose(error, usual, rtol=1e-5)
    else:
        # Adam has no prior: forty stations leave its 24 numbers free where nothing stands.
        most = 1.2 if method == "adam" else 0.7
        assert (error < most * usual).all(), error / usual
    made = analysis.to_dataset()
    assert str(made["time"].values[0])[:10] == day
    assert "of 1984-02-29 by" in repr(analysis)


def test_days_of_a_month_share_the_covariances(daily):
    bundle, _ = daily
    engine = Assimilator(bundle)
    network = places(NetworkSpec("stations", count=10, variables=("psl",)), bundle)
    for day in ("1984-03-02", "1984-03-28"):
        engine.run(synthesise(network, bundle, bundle.target(day), DAILY.of(day)), day)
    assert len(engine.preparation.gains._priors) == 1


def test_tables_of_days_are_read_by_the_day(daily):
    bundle, _ = daily
    rows = {
        "variable": ["tas"] * 3,
        "lat": [30.0, 30.0, 30.0],
        "lon": [10.0, 10.0, 10.0],
        "value": [1.0, 2.0, 3.0],
        "time": ["1984-03-01", "1984-03-02", "31.12.1984"],
    }
    found = read(rows, bundle, month="1984-03-02")
    assert found.table["value"].tolist() == [2.0]
    with pytest.raises(ObservationError, match=r"observations of 3 .*, 1984-03-01 to 1984-12-31"):
        read(rows, bundle)
    late = read({**rows, "time": ["1984-03", "1984-03-02", "1984-03-02"]}, bundle)
    assert len(late.table) == 2
    assert "1984-03" in str(late.rejected[0])
    assert "day" in str(late.rejected[0])


def test_absolute_values_are_about_the_climatology_of_their_day(daily):
    bundle, _ = daily
    rows = {
        "variable": ["tas"],
        "lat": [33.75],
        "lon": [45.0],
        "value": [20.0],
        "kind": ["absolute"],
    }
    found = {
        day: float(read(rows, bundle, month=day).table["value"].iloc[0])
        for day in ("1984-01-15", "1984-07-15")
    }
    row, column = 5, 2
    for day, value in found.items():
        usual = bundle.climatology(DAILY.of(day))[1, row, column]
        assert value == pytest.approx(20.0 - usual, abs=1e-3)


def test_datasets_of_days_say_so(daily):
    bundle, _ = daily
    fields = np.zeros((2, *bundle.mask.shape), np.float32)
    days = ["1984-02-28", "1984-02-29"]
    made = dataset_of(
        fields, days, bundle.variables, bundle.grid, source="x", step=bundle.seasons.step
    )
    assert made["time"].values.astype("datetime64[D]").astype(str).tolist() == days


def test_what_is_for_months_refuses_days(daily, aloft):
    with pytest.raises(BundleError, match=r"is a bundle of days, and this is for months\."):
        daily[0].require_months("this is for months")
    aloft.require_months("this is for months")


def test_days_are_not_reanalysed_as_months(daily, tmp_path):
    done = mlda(
        *("reanalyse", daily[0].path, "--network", "stations:10", "--out", "x.zarr"), cwd=tmp_path
    )
    assert "is a bundle of days, and reanalyses are of months" in refusal(done)
    assert not (tmp_path / "x.zarr").exists()


@pytest.mark.slow
def test_the_prior_s_variance_is_that_of_all_seasons(daily):
    bundle, data = daily
    found = validate(bundle, split="validation", data=data, samples=40).scores
    for ratio in found["prior_variance_ratio"].values():
        assert ratio == pytest.approx(1.0, abs=0.2)
