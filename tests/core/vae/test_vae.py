"""The networks, their closed-form start, training and the latent space."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from climate import make_climate, make_config
from safetensors.torch import load_file, save_file

from mlda_core.vae.config import ConfigError, ModelConfig, load_config
from mlda_core.vae.dataset import Months, TrainingData, load_training_data
from mlda_core.vae.latent import correct_variances, encode_months, find_basis
from mlda_core.vae.layers import MonthBlock, SphereConv, month_features, pad_to_multiple
from mlda_core.vae.minimise import decoder_jacobian, minimise_all_fields
from mlda_core.vae.packing import pack_bytes, unpack_bytes
from mlda_core.vae.sea import SeaConfig, SeaNetwork
from mlda_core.vae.sea_training import SeaTraining, distinct_seas, train_sea
from mlda_core.vae.seasonal import season_weights, seasonal_components
from mlda_core.vae.training import build_vae, train, validation_skill


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> ModelConfig:
    return make_config(tmp_path_factory.mktemp("climate"))


@pytest.fixture(scope="module")
def data(config: ModelConfig) -> TrainingData:
    return load_training_data(config)


def test_month_features_are_smooth_round_the_year():
    features = month_features(torch.arange(1, 13), 2)
    steps = (features - features.roll(1, 0)).norm(dim=1)
    assert steps.max() < 1.01 * steps.min()  # December to January is a step like any other
    assert month_features(torch.tensor([3]), 0).shape == (1, 1)


def test_convolution_turns_with_the_globe():
    torch.manual_seed(0)
    conv = SphereConv(2, 3, periodic=True)
    x = torch.randn(1, 2, 6, 12)
    assert torch.allclose(conv(x.roll(5, -1)), conv(x).roll(5, -1), atol=1e-6)


def test_convolution_looks_over_the_pole():
    conv = SphereConv(1, 1, periodic=True)
    with torch.no_grad():
        conv.conv.weight.zero_()
        conv.conv.bias.zero_()
        conv.conv.weight[0, 0, 0, 1] = 1.0  # looks one row towards the south
    x = torch.arange(48.0).view(1, 1, 4, 12)
    out = conv(x)
    assert torch.equal(out[0, 0, 1:], x[0, 0, :-1])
    assert torch.equal(out[0, 0, 0], x[0, 0, 0].roll(6))


def test_regional_grid_repeats_its_edge_and_any_size_is_padded():
    conv = SphereConv(1, 1, periodic=False)
    with torch.no_grad():
        conv.conv.weight.fill_(1 / 9)
        conv.conv.bias.zero_()
    assert torch.allclose(conv(torch.ones(1, 1, 3, 5)), torch.ones(1, 1, 3, 5))
    x = torch.arange(35.0).view(1, 1, 5, 7)
    wrapped = pad_to_multiple(x, 4, periodic=True)
    assert wrapped.shape == (1, 1, 8, 8)
    assert torch.equal(wrapped[..., :5, 7], x[..., 0])


def test_blocks_start_blind_to_the_month():
    block = MonthBlock(4, 8, 5, periodic=True)
    x = torch.randn(2, 4, 4, 8)
    january, july = month_features(torch.tensor([1, 1]), 2), month_features(torch.tensor([7, 7]), 2)
    assert torch.equal(block(x, january), block(x, july))


def test_season_weights_are_circular():
    w = season_weights(1, np.arange(1, 13), width=1.2, floor=0.05)
    assert w[11] == pytest.approx(w[1])
    assert w[0] == pytest.approx(1.05)
    assert w[6] == pytest.approx(np.exp(-12.5) + 0.05)


def test_seasonal_components_recover_a_covariance_that_turns():
    rng = np.random.default_rng(1)
    n, cells = 12_000, 6
    months = np.tile(np.arange(1, 13), n // 12)
    sd = np.where(np.isin(months, (12, 1, 2)), 3.0, 1.0)
    x = np.zeros((n, cells), np.float32)
    x[:, 0] = rng.standard_normal(n) * sd
    x[:, 1] = rng.standard_normal(n) * 2
    x += 0.05 * rng.standard_normal(x.shape)
    start = seasonal_components(
        x, months, np.ones(cells), n_patterns=4, n_latent=2, noise=0.0025, width=0.3, floor=0.0
    )
    for month, expected in ((1, 9.0), (7, 1.0)):
        maps = start.patterns.T @ start.mixing[month - 1]
        cov = maps @ maps.T
        assert cov[0, 0] == pytest.approx(expected, rel=0.15)
        assert cov[1, 1] == pytest.approx(4.0, rel=0.15)
    # Rotated onto the year's solution: the same latent number moves the same cell all year.
    winter, summer = (np.abs(start.patterns.T @ start.mixing[m - 1]) for m in (1, 7))
    assert np.array_equal(winter[:2].argmax(axis=1), summer[:2].argmax(axis=1))


def test_prior_describes_only_the_samples_it_is_given():
    rng = np.random.default_rng(2)
    own = rng.standard_normal((2400, 3)).astype(np.float32)
    other = 10 * rng.standard_normal((2400, 3)).astype(np.float32)
    months = np.tile(np.arange(1, 13), 400)
    start = seasonal_components(
        np.concatenate([own, other]),
        months,
        np.ones(3),
        n_patterns=3,
        n_latent=3,
        noise=1e-4,
        prior=np.arange(4800) < 2400,
    )
    cov = start.mixing[4] @ start.mixing[4].T
    assert np.trace(cov) == pytest.approx(3.0, rel=0.1)


def test_start_is_the_linear_posterior(config: ModelConfig, data: TrainingData):
    vae = build_vae(config, data).eval()
    months = data.train.where(np.arange(len(data.train)) < 5)
    mean, log_variance = vae.encoder(torch.from_numpy(months.x), torch.from_numpy(months.calendar))
    noise = 1 / config.training.information
    for i, month in enumerate(months.calendar):
        m = vae.decoder.mixing[month - 1].double().numpy()
        p = months.x[i].ravel() @ vae.encoder.projector.double().numpy()
        posterior = np.linalg.inv(m.T @ m / noise + np.eye(m.shape[1]))
        np.testing.assert_allclose(mean[i].detach(), posterior @ m.T @ p / noise, atol=2e-3)
        np.testing.assert_allclose(
            log_variance[i].detach().exp(), np.diag(posterior), rtol=1e-2, atol=1e-4
        )
    # The refining network adds nothing yet.
    z, calendar = mean[:2].detach(), torch.from_numpy(months.calendar[:2])
    assert torch.equal(
        vae.decoder(z, calendar), vae.decoder.linear_part(z, calendar) * vae.decoder.mask
    )


def test_land_stays_empty_in_the_sea(config: ModelConfig, data: TrainingData):
    vae = build_vae(config, data)
    torch.nn.init.normal_(vae.decoder.refiner.leave.conv.weight)
    out = vae.decoder(torch.randn(3, 6), torch.tensor([1, 5, 9]))
    assert (out[:, ~torch.from_numpy(data.normaliser.mask)] == 0).all()


def test_training_improves_resumes_and_repeats(
    config: ModelConfig, data: TrainingData, tmp_path: Path
):
    rows = []
    whole = train(config, data, tmp_path / "whole", report=rows.append)
    assert [r.epoch for r in rows] == [1, 2]
    assert rows[1].reconstruction < rows[0].reconstruction
    log = [json.loads(line) for line in (tmp_path / "whole/log.jsonl").read_text().splitlines()]
    assert log[1]["skill"] == rows[1].skill

    class KilledError(Exception):
        pass

    def kill(progress: object) -> None:
        raise KilledError

    with pytest.raises(KilledError):
        train(config, data, tmp_path / "parts", report=kill)
    parts = train(config, data, tmp_path / "parts")
    for (name, a), b in zip(whole.named_parameters(), parts.parameters(), strict=True):
        assert torch.equal(a, b), name
    validation = data.observed.in_split("validation")
    assert validation_skill(whole, data, validation) == validation_skill(parts, data, validation)


def test_a_run_of_another_model_is_not_continued(
    config: ModelConfig, data: TrainingData, tmp_path: Path
):
    train(config.with_training(epochs=1), data, tmp_path)
    with pytest.raises(ConfigError, match="other settings"):
        train(config.with_training(epochs=1, seed=5), data, tmp_path)


def test_member_mixing_keeps_variance_and_the_shared_sea(tmp_path: Path):
    from mlda_core.vae.training import Sampler

    climate = make_climate(members=5)
    # One sea for all members, as under an observed sea.
    climate["tos"][:] = climate["tos"][0].values
    climate.to_netcdf(tmp_path / "climate.nc", engine="netcdf4")
    config = make_config(tmp_path, member_mixing=True)
    data = load_training_data(config)
    sampler = Sampler(config, data)
    rng = np.random.default_rng(0)
    drawn = np.concatenate([x.numpy() for _ in range(20) for x, _, _ in sampler.batches(rng)])
    air, sea = drawn[:, 2], drawn[:, 1]
    assert air.var() == pytest.approx(data.train.x[:, 2].var(), rel=0.05)
    seas = {x.tobytes() for x in np.round(data.train.x[:, 1], 3)}
    assert {x.tobytes() for x in np.round(sea, 3)} <= seas
    # The air is no member's own.
    own = {x.tobytes() for x in data.train.x[:, 2]}
    kept = np.mean([x.tobytes() in own for x in air])
    assert kept < 0.35  # one in five draws itself as its partner


def test_shipped_basis_is_principal_and_invertible(config: ModelConfig, data: TrainingData):
    vae = build_vae(config, data).eval()
    weights = data.normaliser.weights
    held_out = data.observed.in_split("validation", "calibration")
    basis = find_basis(vae, data.train, held_out, weights)
    np.testing.assert_allclose(basis.to_training @ basis.from_training, np.eye(6), atol=1e-8)
    gram = np.zeros((6, 6))
    for month in range(1, 13):
        j = decoder_jacobian(vae.decoder, month).double().numpy()
        turned = np.einsum("kvyx,kl->lvyx", j, basis.to_training) * np.sqrt(weights)
        gram += turned.reshape(6, -1) @ turned.reshape(6, -1).T / 12
    assert np.abs(gram - np.diag(np.diag(gram))).max() < 1e-4 * gram.max()
    assert (np.diff(np.diag(gram)) <= 1e-9).all()
    np.testing.assert_allclose(basis.share.sum(axis=1), np.diag(gram), rtol=1e-4)


def test_prior_is_the_training_codes_corrected_by_direction(
    config: ModelConfig, data: TrainingData
):
    """Held-out months alike leave the whitened training codes; weaker ones scale directions."""
    vae = build_vae(config, data).eval()
    weights = data.normaliser.weights

    def covariance(held_out: Months) -> np.ndarray:
        inverse = find_basis(vae, data.train, held_out, weights).from_training
        return inverse @ encode_months(vae, data.train).second @ inverse.T

    np.testing.assert_allclose(covariance(data.train), np.eye(6), atol=0.1)
    weak = replace(data.train, x=np.float32(0.7) * data.train.x)
    # The last directions' codes are half posterior variance, which stays.
    np.testing.assert_allclose(covariance(weak)[:4, :4], np.eye(4) / 0.49, atol=0.1)


def test_few_years_correct_only_what_they_tell():
    """A loss of variance that grows with a variable's fraction is found, chance is not."""
    rng = np.random.default_rng(3)
    share = np.column_stack([rng.uniform(0.2, 0.8, 100), np.ones(100)])
    share[:, 1] -= share[:, 0]
    truth = np.exp(-0.2 * np.linspace(-1, 1, 100) - 0.5 * share[:, 0])
    training = rng.chisquare(8, (28, 100)) / 8  # eight independent months a year
    training /= training.mean(axis=0)
    seen = truth * rng.chisquare(40, 100) / 40
    found = correct_variances(seen, training, share, 5)
    assert np.abs(np.log(found / truth)).mean() < 0.35 * np.abs(np.log(seen / truth)).mean()
    # A direction whose variance is a fifth is no chance in five years.
    seen[50:60] *= 0.2
    again = correct_variances(seen, training, share, 5)
    assert (again[50:60] < 0.4 * found[50:60]).all()
    # The moments of all training years need no correction.
    same = correct_variances(np.ones(100), training, share, 28)
    np.testing.assert_allclose(same, 1.0, atol=0.03)


def test_members_under_one_sea_are_averaged_though_packing_differs(data: TrainingData):
    months = data.train.where(np.arange(len(data.train)) < 6)
    names = np.array(["1979-01"] * 3 + ["1979-02"] * 2 + ["1980-01"])
    sea = np.nan_to_num(months.anomalies[:1, 1])
    anomalies = months.anomalies.copy()
    anomalies[:, 1] = sea
    anomalies[1, 1] += 0.003 * (-1.0) ** np.arange(16)  # packing
    anomalies[2, 1, 0, 0] += 0.5  # another sea, in one cell
    alike = replace(months, anomalies=anomalies, names=names)
    first, row = distinct_seas(alike, 1)
    # Months are never averaged with those of another name, alike as their seas may be.
    assert first.tolist() == [0, 2, 3, 5]
    assert row.tolist() == [0, 0, 1, 2, 2, 3]
    first, row = distinct_seas(data.train, 1)
    assert len(first) == len(data.train)  # these members have seas of their own
    assert (row == np.arange(len(data.train))).all()


def test_minimisation_equals_the_closed_form_of_a_linear_decoder(
    config: ModelConfig, data: TrainingData
):
    vae = build_vae(config, data).eval()
    vae.requires_grad_(False)
    months = data.train.where(np.arange(len(data.train)) < 7)
    precision = 50 * data.normaliser.weights
    found = minimise_all_fields(
        vae.decoder, months.x, months.calendar, np.zeros((7, 6)), precision, steps=3
    )
    for i, month in enumerate(months.calendar):
        j = decoder_jacobian(vae.decoder, int(month)).double().numpy().reshape(6, -1)
        weighted = j * precision.ravel()
        exact = np.linalg.solve(np.eye(6) + weighted @ j.T, weighted @ months.x[i].ravel())
        np.testing.assert_allclose(found[i], exact, atol=1e-3)


def test_configuration_mistakes_are_named(tmp_path: Path):
    path = tmp_path / "model.toml"
    with pytest.raises(ConfigError, match=r"no configuration .*model\.toml"):
        load_config(path)
    path.write_text("[model\n")
    with pytest.raises(ConfigError, match="not a TOML file"):
        load_config(path)
    good = (Path(__file__).parents[3] / "configs/speedy.toml").read_text()
    path.write_text(good.replace("batch = 64", "bach = 64"))
    with pytest.raises(ConfigError, match="unknown setting 'bach'"):
        load_config(path)
    path.write_text(good.replace('name = "speedy"', ""))
    with pytest.raises(ConfigError, match="lacks the setting 'name'"):
        load_config(path)
    path.write_text(good.replace("1984, 2004", "1984, 1989"))
    with pytest.raises(ConfigError, match="1989 is held out twice"):
        load_config(path)
    path.write_text(good)
    with pytest.raises(ConfigError, match="not a setting"):
        load_config(path, ["harmonics"])
    with pytest.raises(ConfigError, match="unknown setting 'harmony'"):
        load_config(path, ["network.harmony=0"])
    assert load_config(path, ["network.harmonics=0"]).network.harmonics == 0
    assert load_config(path).splits.test == (1989, 1997, 1998, 2010, 2011)


def test_data_prepared_anew_do_not_continue_a_run(tmp_path: Path):
    config = make_config(tmp_path, epochs=1)
    train(config, load_training_data(config), tmp_path / "run")
    make_climate(seed=9).to_netcdf(tmp_path / "climate.nc", engine="netcdf4")
    with pytest.raises(ConfigError, match="other data"):
        train(config, load_training_data(config), tmp_path / "run")


def test_training_stops_after_its_patience(config: ModelConfig, data: TrainingData, tmp_path: Path):
    rows = []
    patient = config.with_training(epochs=30, patience=2, rate=0.5)
    train(patient, data, tmp_path, report=rows.append)
    best = max(rows, key=lambda row: row.score).epoch
    assert len(rows) == best + 2 < 30


def test_projector_belongs_to_the_stored_patterns(
    config: ModelConfig, data: TrainingData, tmp_path: Path
):
    trained = train(config, data, tmp_path)
    weights = torch.from_numpy(data.normaliser.weights.ravel()).float()
    expected = (trained.decoder.patterns * weights).T
    assert torch.allclose(trained.encoder.projector, expected, atol=1e-6)


def test_library_calls_leave_the_global_generator_alone(config: ModelConfig, data: TrainingData):
    torch.manual_seed(123)
    before = torch.get_rng_state()
    build_vae(config, data)
    assert torch.equal(before, torch.get_rng_state())


def spoil(folder: Path, change: Callable[[xr.Dataset], xr.Dataset]) -> ModelConfig:
    change(make_climate()).to_netcdf(folder / "climate.nc", engine="netcdf4")
    return make_config(folder)


def without_a_validation_month_of_rain(data: xr.Dataset) -> xr.Dataset:
    data["pr"] = data["pr"].where(data["time"].dt.year != 1984)
    return data


def in_celsius(data: xr.Dataset) -> xr.Dataset:
    data["tas"].attrs["units"] = "degC"
    return data


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.drop_vars("psl"), "no variable 'psl'"),
        (lambda d: d.isel(member=0), r"on \(time, lat, lon\), not \(member, time"),
        (in_celsius, "tas in 'degC', not 'K'"),
        (without_a_validation_month_of_rain, "has no pr in any validation month"),
        (lambda d: d.where(d["time"].dt.year != 1984, drop=True), "no validation month"),
        (lambda d: d.assign(tos=d["tos"] * np.nan), "'tos' has no value"),
        (lambda d: d.assign_coords(member=[5, 6]), "no member 0 to ship"),
    ],
)
def test_data_that_cannot_train_are_refused_in_a_sentence(tmp_path: Path, change, words: str):
    def keep_units(data: xr.Dataset) -> xr.Dataset:
        changed = change(data)
        for name in changed.data_vars:
            changed[name].attrs.setdefault("units", make_climate()[name].attrs.get("units", "1"))
        return changed

    with pytest.raises(ValueError, match=words):
        load_training_data(spoil(tmp_path, keep_units))


def test_a_globe_that_does_not_divide_is_refused(tmp_path: Path):
    def finer(data: xr.Dataset) -> xr.Dataset:
        lon = np.arange(20) * 18.0
        return data.pad(lon=(0, 4), mode="wrap").assign_coords(lon=lon)

    config = spoil(tmp_path, finer)
    with pytest.raises(ConfigError, match="8 x 20 cells does not divide by 8"):
        build_vae(config, load_training_data(config))


def test_mixed_seas_that_cannot_be_recognised_do_not_train(tmp_path: Path):
    """A mixture of training years trains, one with a held-out parent or of no parents does not."""
    climate = make_climate()
    climate["tos"][:] = climate["tos"][0].values
    climate.to_netcdf(tmp_path / "climate.nc", engine="netcdf4")
    sea = climate["tos"][0].values.reshape(10, 12, 8, 16)
    mean = sea.mean(axis=0)
    rng = np.random.default_rng(0)

    def mixture(a: int, b: int) -> np.ndarray:
        return mean + 0.6 * (sea[a - 1979] - mean) + 0.8 * (sea[b - 1979] - mean) + 0.3

    years = [mixture(1980, 1988), mixture(1980, 1986), mean + rng.standard_normal(mean.shape)]
    mixed = climate.isel(member=[0], time=slice(0, 36)).assign_coords(member=[60]).copy(deep=True)
    mixed["tos"][0] = np.concatenate(years).astype(np.float32)
    mixed.to_netcdf(tmp_path / "mixed.nc", engine="netcdf4")
    config = make_config(tmp_path)
    config = replace(
        config, data=replace(config.data, mixed=tmp_path / "mixed.nc", mixed_share=1.0)
    )
    kept = load_training_data(config).mixed
    assert kept is not None
    assert {n[:4] for n in kept.names} == {"1979"}
    assert len(kept) == 12
    # Patches on seas of the same kinds: twelve months more, and with no share none of either.
    patched = mixed.assign_coords(member=[64])
    patched["tos"] = patched["tos"] + 2.0 * (patched["lon"] < 90) * (patched["lat"] < 30)
    patched.to_netcdf(tmp_path / "patches.nc", engine="netcdf4")
    both = replace(config, data=replace(config.data, patches=tmp_path / "patches.nc"))
    kept = load_training_data(both).mixed
    assert kept is not None
    assert kept.member.tolist() == [60] * 12 + [64] * 12
    assert {n[:4] for n in kept.names} == {"1979"}
    none = replace(both, data=replace(both.data, mixed_share=0.0))
    assert load_training_data(none).mixed is None
    hidden = replace(config, splits=replace(config.splits, calibration=(1986, 2001)))
    with pytest.raises(ConfigError, match="lacks the held-out year 2001"):
        load_training_data(hidden)


def test_the_sea_network_learns_each_variable_alone_and_survives_packing(
    data: TrainingData, tmp_path: Path
):
    sea = 1
    settings = SeaTraining(epochs=1, epochs_normalised=2, batch=32)
    config = SeaConfig(width=8, position_channels=2)
    ticks: list[tuple[int, int]] = []
    network = train_sea(data, sea, config, settings, tick=lambda i, n: ticks.append((i, n)))
    assert set(network.parts) == {"psl", "tas", "pr"}
    assert ticks[-1][0] == ticks[-1][1] == len(ticks)
    months = data.train.where(np.arange(len(data.train)) < 12)
    given = torch.from_numpy(months.x[:, sea])
    month = torch.from_numpy(months.calendar)
    spread = torch.from_numpy(np.nan_to_num(data.normaliser.spread[:, sea])).float()
    kelvin = given * spread[month - 1]
    made = network(given, kelvin, month)
    assert torch.equal(made[:, sea], given)
    for name in network.parts:
        row = network.rows[name]
        assert torch.allclose(made[:, row], network.one(name, given, kelvin, month), atol=1e-5)
    # One variable alone is trained to the same weights, and the others' are left.
    alone = train_sea(data, sea, config, settings, variables=["tas"])
    pairs = {n: (alone.parts[n].state_dict(), network.parts[n].state_dict()) for n in alone.parts}
    same = {n: all(torch.equal(a[k], b[k]) for k in a) for n, (a, b) in pairs.items()}
    assert same == {"psl": False, "tas": True, "pr": False}
    packed = pack_bytes(network.state_dict())
    save_file(packed, tmp_path / "sea.safetensors")
    again = SeaNetwork(data.normaliser, sea, config)
    again.load_state_dict(unpack_bytes(load_file(tmp_path / "sea.safetensors")))
    assert float((again(given, kelvin, month) - made).detach().abs().max()) < 0.03


def test_the_sea_network_knows_how_warm_the_sea_is(data: TrainingData):
    network = SeaNetwork(data.normaliser, 1, SeaConfig(width=8, position_channels=2))
    zero, month = torch.zeros(1, 8, 16), torch.tensor([7])
    warm = network.inputs(zero, zero + 2.0 * network.mask[1], month) - network.inputs(
        zero, zero, month
    )
    there = network.mask[1] > 0
    assert torch.allclose(warm[0, 2][there], torch.tensor(0.5))
    assert (warm[0, 2][~there] == 0).all()
    assert (warm[0, 4:] == 0).all()
