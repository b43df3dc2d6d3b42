"""The bundle: what goes in comes out, in physical units."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from climate import make_climate
from quickest import quickest

from mlda_core.bundle.bundle import Bundle, load_bundle
from mlda_core.bundle.files import MONTH_STEP
from mlda_core.climate.errors import StateError
from mlda_core.vae.dataset import TrainingData
from mlda_core.vae.latent import find_basis
from mlda_core.vae.training import VAE

BUNDLED = Path(__file__).parents[3] / "assets/bundles/speedy"


def test_decoder_and_encoder_survive_packing_and_rotation(
    made: tuple[Bundle, VAE, TrainingData],
):
    bundle, vae, data = made
    held_out = data.observed.in_split("validation", "calibration")
    basis = find_basis(vae, data.train, held_out, data.normaliser.weights)
    months = data.observed.in_split("test").where(np.arange(24) < 12)
    x, calendar = torch.from_numpy(months.x), torch.from_numpy(months.calendar)
    with torch.no_grad():
        mean, _ = vae.encoder(x, calendar)
        decoded = vae.decoder(mean, calendar).numpy()
    z, sd = bundle.encode_standardised(months.x, months.calendar)
    np.testing.assert_allclose(z, mean.numpy() @ basis.from_training.T, atol=0.06)
    assert (sd > 0).all()
    for i in range(12):
        again = bundle.decode_standardised(z[i : i + 1], int(months.calendar[i]))
        # Bytes for patterns and float16 for the rest: below 0.03 of the spread, as promised.
        assert np.abs(again[0] - decoded[i]).max() < 0.03


def test_shipped_months_are_the_data(made: tuple[Bundle, VAE, TrainingData]):
    bundle, _, data = made
    months = data.observed.where(data.observed.member == 0)
    assert bundle.months == tuple(sorted(months.names))
    for i in np.flatnonzero(np.isin(months.names, ("1979-01", "1982-07"))):
        name = str(months.names[i])
        found = bundle.target_standardised(name)
        here = bundle.mask
        assert np.isnan(found[~here]).all()
        assert np.abs(found[here] - months.x[i][here]).max() <= 0.5 * MONTH_STEP + 1e-4
        error = np.abs(bundle.target(name) - months.anomalies[i])
        spread = np.nanstd(months.anomalies, axis=0)
        assert np.nanmax(np.nanmean(error / spread, axis=(1, 2))) < 0.02
    assert bundle.split("1982-07") == "test"
    assert bundle.split("1981-12") == "gap"
    assert bundle.split("1979-01") == "train"


def test_a_state_goes_in_and_comes_out_in_cf_units(made: tuple[Bundle, VAE, TrainingData]):
    bundle, _, _ = made
    source = make_climate().isel(member=0).sel(time="1982-07")
    codes = bundle.encode(source)
    assert codes["z"].dims == ("time", "latent")
    np.testing.assert_allclose(codes["z"][0], bundle.code("1982-07"), atol=0.05)
    state = bundle.decode(codes["z"], "1982-07")
    assert state["psl"].attrs["units"] == "Pa"
    assert state["pr"].attrs["units"] == "kg m-2 s-1"
    assert float(state["pr"].min()) >= 0
    for name, tolerance in (("psl", 600.0), ("tas", 2.0), ("tos", 1.5)):
        assert float(np.abs(state[name] - source[name].values).mean()) < tolerance
    anomalies = bundle.decode(codes["z"], "1982-07", anomalies=True)
    climatology = bundle.climatology(7)
    np.testing.assert_allclose(
        anomalies["psl"][0] + 100 * climatology[0], state["psl"][0], rtol=1e-5
    )
    # Anomalies go in as well.
    again = bundle.encode(anomalies, anomalies=True)
    direct = bundle.encode_anomalies(
        np.stack([anomalies[v.name][0].values * v.scale for v in bundle.variables]), 7
    )[0]
    np.testing.assert_allclose(again["z"][0], direct, atol=1e-3)


def test_rain_is_the_mean_over_the_residual_spread(made: tuple[Bundle, VAE, TrainingData]):
    bundle, _, _ = made
    z = bundle.code("1982-07")
    x = bundle.decode_standardised(z[None], 7)
    rng = np.random.default_rng(0)
    draws = x + rng.standard_normal((4000, *x.shape[1:])) * bundle.residual_sd
    months = np.full(4000, 7)
    fields = bundle.normaliser.restore(draws, months)
    mean = bundle.normaliser.anomalies(fields, months).mean(axis=0)
    rain = bundle.decode_anomalies(z, 7)[3]
    assert np.abs(rain - mean[3]).max() < 0.15
    assert np.abs(np.mean(rain - mean[3])) < 0.01
    naive = bundle.normaliser.anomalies(bundle.normaliser.restore(x, months[:1]), months[:1])
    assert naive[0, 3].mean() < mean[3].mean() - 0.01


def test_effect_of_a_direction_is_the_jacobian(made: tuple[Bundle, VAE, TrainingData]):
    bundle, _, _ = made
    effect = bundle.direction_effect(0, 1)
    j = bundle.jacobian(1)[0]
    spread = bundle.normaliser.spread[0]
    wanted = j[0] * spread[0]
    assert np.corrcoef(effect[0].ravel(), wanted.ravel())[0, 1] > 0.98


def test_many_vectors_equal_one_by_one(made: tuple[Bundle, VAE, TrainingData]):
    bundle, _, _ = made
    z = np.random.default_rng(0).standard_normal((3, bundle.n_latent))
    many = bundle.decode_anomalies(z, 4)
    for i in range(3):
        np.testing.assert_allclose(many[i], bundle.decode_anomalies(z[i], 4), atol=1e-4)


@pytest.mark.parametrize("month", [0, 13, -1, 1.5, float("nan"), "July", None])
@pytest.mark.parametrize(
    "call",
    [
        lambda b, m: b.climatology(m),
        lambda b, m: b.decode_anomalies(np.zeros(6), m),
        lambda b, m: b.decode_standardised(np.zeros((1, 6)), m),
        lambda b, m: b.encode_standardised(np.zeros((1, 4, 8, 16)), np.array([m], dtype=object)),
        lambda b, m: b.encode_anomalies(np.zeros((4, 8, 16)), m),
        lambda b, m: b.direction_effect(0, m),
        lambda b, m: b.jacobian(m),
    ],
)
def test_what_is_no_calendar_month_is_refused_everywhere(made, call, month):
    with pytest.raises(StateError, match="is not within 1 to 12"):
        call(made[0], month)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda b: b.decode_anomalies(np.zeros(5), 1), "has 6 numbers, not 5"),
        (lambda b: b.decode_anomalies(np.full(6, np.nan), 1), "not finite"),
        (lambda b: b.decode_anomalies(np.zeros(6), 13), "not within 1 to 12"),
        (lambda b: b.decode(np.zeros(6), "July"), "write it as YYYY-MM"),
        (lambda b: b.decode(np.zeros((2, 6)), ["1982-07"]), "2 vectors but 1 months"),
        (lambda b: b.decode(np.zeros(6), "1997"), "'1997' is not a month; write it as YYYY-MM"),
        (lambda b: b.decode(np.zeros(6), "1997-12-25"), "write it as YYYY-MM"),
        (lambda b: b.decode(np.zeros(6), "NaT"), "write it as YYYY-MM"),
        (lambda b: b.decode(np.zeros(6), "1997-13"), "write it as YYYY-MM"),
        (lambda b: b.decode(np.zeros(6), 7), "'7' is not a month"),
        (lambda b: b.decode(np.zeros(6), "0999-01"), "not within 1678 to 2261"),
        (lambda b: b.target("2050-01"), "holds 1979-01 to 1988-12"),
        (lambda b: b.target("soon"), "holds 1979-01 to 1988-12"),
        (lambda b: b.encode_anomalies(np.zeros((8, 16)), 1), r"shape \(4, 8, 16\), not \(8, 16\)"),
        (lambda b: b.direction_effect(6, 1), "Direction 6 is not within 0 to 5"),
        (lambda b: b.direction_effect(-1, 1), "Direction -1 is not within 0 to 5"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(made, call, words: str):
    with pytest.raises(StateError, match=words):
        call(made[0])


def test_the_bundled_model_loads_in_the_time_of_reading_its_files_some_tens_of_times():
    """0.2 s on one core, 10 times what the checksums of its files take: people wait for it."""

    def read():
        for path in BUNDLED.iterdir():
            hashlib.sha256(path.read_bytes()).digest()

    assert quickest(lambda: load_bundle(BUNDLED), 3) < 40 * quickest(read, 3)


def test_the_bundled_model_is_what_it_says():
    bundle = load_bundle(BUNDLED)
    assert bundle.n_latent == 100
    assert [v.name for v in bundle.variables] == ["psl", "tos", "tas", "pr"]
    assert len(bundle.months) == 420
    assert bundle.split("1997-12") == "test"
    size = sum(f.stat().st_size for f in BUNDLED.iterdir())
    assert size < 20e6
    assert (np.diff(bundle.direction_share.sum(axis=1)) <= 1e-6).all()


def test_published_scores_belong_to_the_bundled_model():
    """What ``scores.json`` says of the shipped member can be had again from the bundle alone."""
    scores = json.loads((BUNDLED / "scores.json").read_text())
    bundle = load_bundle(BUNDLED)
    months = [m for m in bundle.months if bundle.split(m) == "test"]
    lost, power = np.zeros(4), np.zeros(4)
    for month in months:
        target = bundle.target(month)
        model = bundle.decode_anomalies(bundle.code(month), int(month[5:7]))
        w = bundle.normaliser.weights
        lost += np.nansum(w * (model - target) ** 2, axis=(1, 2))
        power += np.nansum(w * target**2, axis=(1, 2))
    for v, variable in enumerate(bundle.variables):
        published = scores["reconstruction"]["test"][variable.name]["vae"]["explained_variance"]
        # One member of eight: its sampling of the chaos is worth about 0.02.
        assert 1 - lost[v] / power[v] == pytest.approx(published, abs=0.04)
