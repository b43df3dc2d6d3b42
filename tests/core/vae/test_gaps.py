"""Months that lack cells or whole variables: nothing is made of what is not there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from climate import make_climate, make_config

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.calibrate import calibrate
from mlda_core.bundle.bundle import Bundle, load_bundle
from mlda_core.bundle.export import export_bundle
from mlda_core.climate.grid import Grid
from mlda_core.climate.preprocess import Preprocessor
from mlda_core.climate.variables import DEFAULTS
from mlda_core.evaluation.assimilation import score
from mlda_core.evaluation.eof import fit_eofs
from mlda_core.evaluation.reconstruction import validate
from mlda_core.observations.networks import NetworkSpec, places, synthesise
from mlda_core.vae.config import ConfigError, ModelConfig
from mlda_core.vae.dataset import TrainingData, load_training_data, mean_square
from mlda_core.vae.gaps import nearly_whole, without_gaps
from mlda_core.vae.minimise import minimise_all_fields
from mlda_core.vae.sea_training import SeaTraining
from mlda_core.vae.seasonal import fit_patterns
from mlda_core.vae.training import Objective, Sampler, build_vae, explained, train

TAS, PR = 2, 3


def with_gaps() -> xr.Dataset:
    """No rain in 1979 and in a part of the validation year, no air over some cells before 1981."""
    data = make_climate().load()
    year, month = data["time"].dt.year, data["time"].dt.month
    data["pr"] = data["pr"].where((year != 1979) & ~((year == 1984) & (month > 8)))
    tas = data["tas"].values
    tas[:, (year < 1981).values, 1:3, 4:9] = np.nan
    data["tas"].values[:] = tas
    # One cell with rain in too few Julys.
    pr = data["pr"].values
    pr[:, ((month == 7) & (year > 1980)).values, 6, 6] = np.nan
    data["pr"].values[:] = pr
    for name in ("psl", "tos", "tas", "pr"):
        data[name].attrs["units"] = DEFAULTS[name].units
    return data


def make(folder: Path, data: xr.Dataset, **training: object) -> ModelConfig:
    data.to_netcdf(folder / "climate.nc", engine="netcdf4")
    return make_config(folder, **training)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> ModelConfig:
    return make(tmp_path_factory.mktemp("gaps"), with_gaps())


@pytest.fixture(scope="module")
def data(config: ModelConfig) -> TrainingData:
    return load_training_data(config)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    return load_training_data(make(tmp_path_factory.mktemp("whole"), make_climate()))


def test_months_say_what_they_have(data: TrainingData):
    months = data.observed
    assert months.present is not None
    assert np.array_equal(months.present, np.isfinite(months.anomalies) | ~data.normaliser.mask)
    assert not months.present[months.names == "1979-05", PR][:, data.normaliser.mask[PR]].any()
    assert not months.present[months.names == "1980-05", TAS, 1:3, 4:9].any()
    assert months.present[months.names == "1983-05"].all()
    assert np.all(months.x[~months.present] == 0)
    assert np.isnan(months.anomalies[~months.present]).all()
    assert 0.03 < data.missing < 0.08


def test_a_part_of_the_months_keeps_its_own(data: TrainingData):
    later = data.observed.where(data.observed.names >= "1985")
    assert later.present is not None
    assert later.present.shape == later.x.shape
    assert later.present.all()


def test_complete_data_carry_no_mask(whole: TrainingData):
    assert whole.observed.present is None
    assert whole.train.present is None
    assert whole.missing == 0
    assert Sampler(_config_of(whole), whole).present is None


def test_climatology_and_spread_are_of_the_months_that_are_there(
    data: TrainingData, whole: TrainingData
):
    here = data.train.calendar == 5
    truth = whole.train.anomalies[here, TAS, 1, 5].astype(np.float64)
    there = data.train.present[here, TAS, 1, 5]
    shift = truth[there].mean()
    both = (d.normaliser.climatology[4, TAS, 1, 5] for d in (data, whole))
    gap, full = both
    assert gap - full == pytest.approx(shift, abs=1e-4)
    assert data.normaliser.spread[4, TAS, 1, 5] == pytest.approx(truth[there].std(), rel=1e-4)
    # What has no gap is not touched by the gaps of others.
    for name in ("climatology", "centre", "spread"):
        mine, theirs = (getattr(d.normaliser, name)[:, 0] for d in (data, whole))
        assert np.array_equal(mine, theirs)


def test_a_cell_with_too_few_values_leaves_the_variable(data: TrainingData):
    assert not data.normaliser.mask[PR, 6, 6]
    assert data.normaliser.mask[PR].sum() == data.normaliser.mask[PR].size - 1
    assert data.normaliser.mask[TAS].all()
    for name in ("climatology", "centre", "spread"):
        assert np.isnan(getattr(data.normaliser, name)[:, PR, 6, 6]).all()
    assert np.isnan(data.observed.anomalies[:, PR, 6, 6]).all()


def test_the_least_number_is_never_more_than_there_are_months():
    rng = np.random.default_rng(0)
    fields = rng.normal(size=(36, 1, 2, 3)).astype(np.float32)
    months = np.tile(np.arange(1, 13), 3)
    grid = Grid(np.array([-45.0, 45.0]), np.array([0.0, 120.0, 240.0]))
    variables = (DEFAULTS["tas"],)
    assert Preprocessor.fit(fields, months, variables, grid, least=10).mask.all()
    fields[0, 0, 1, 1] = np.nan
    assert Preprocessor.fit(fields, months, variables, grid, least=10).mask.all()
    fields[12, 0, 1, 1] = np.nan
    mask = Preprocessor.fit(fields, months, variables, grid, least=10).mask
    assert not mask[0, 1, 1]
    assert mask.sum() == 5


def test_the_loss_knows_nothing_of_missing_cells(config: ModelConfig, data: TrainingData):
    vae = build_vae(config, data)
    with torch.no_grad():
        vae.decoder.refiner.leave.conv.weight.normal_(generator=torch.Generator().manual_seed(0))
    objective = Objective(config, data, torch.device("cpu"))
    some = data.observed.where(np.isin(data.observed.names, ("1979-05", "1980-05", "1983-05")))
    x, month = torch.from_numpy(some.x), torch.from_numpy(some.calendar)
    present = torch.from_numpy(some.present)

    def loss(target: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(5)
        return objective(vae, target, x, month, 1.0, present=present)[0]

    target = x.clone().requires_grad_()
    value = loss(target)
    value.backward()
    assert target.grad is not None
    assert torch.all(target.grad[~present] == 0)
    assert torch.all(target.grad[present & vae.decoder.mask.bool()] != 0)
    changed = torch.where(present, x, torch.tensor(7.0))
    assert loss(changed) == value


def test_a_mask_without_gaps_changes_no_bit(whole: TrainingData):
    config = _config_of(whole)
    vae = build_vae(config, whole)
    objective = Objective(config, whole, torch.device("cpu"))
    x, month = (torch.from_numpy(a[:8]) for a in (whole.train.x, whole.train.calendar))
    found = []
    for present in (None, torch.ones(x.shape, dtype=torch.bool)):
        torch.manual_seed(3)
        found.append(torch.stack(objective(vae, x, x, month, 1.0, present=present)))
    assert torch.equal(found[0], found[1])
    error = whole.train.x[:9]
    every = np.ones(error.shape, bool)
    np.testing.assert_allclose(mean_square(error, None), mean_square(error, every), rtol=1e-5)
    flat = whole.train.x.reshape(len(whole.train), -1)
    weights = whole.normaliser.weights.ravel()
    one, other = (
        fit_patterns(flat, weights, 4, seed=0, present=present)
        for present in (None, np.ones(flat.shape, bool))
    )
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_patterns_are_found_through_gaps():
    rng = np.random.default_rng(4)
    n, cells, rank = 600, 80, 3
    truth = np.linalg.qr(rng.normal(size=(cells, rank)))[0]
    x = rng.normal(size=(n, rank)) * [3.0, 2.0, 1.5] @ truth.T
    x = (x + 0.05 * rng.normal(size=x.shape)).astype(np.float32)
    present = np.ones(x.shape, bool)
    present[:200, :40] = False  # a variable that begins late
    present[rng.random(x.shape) < 0.1] = False
    gappy = np.where(present, x, np.float32(0))

    def found(**how: object) -> float:
        patterns, *_ = fit_patterns(gappy, np.ones(cells), rank, seed=0, **how)
        basis = np.linalg.qr(patterns.T)[0]
        return float(np.linalg.svd(basis.T @ truth)[1].min())  # cosine of the largest angle

    assert found(present=present) > 0.999
    assert found() < found(present=present)
    _, _, variances, codes = fit_patterns(gappy, np.ones(cells), rank, seed=0, present=present)
    np.testing.assert_allclose(variances, [9.0, 4.0, 2.25], rtol=0.15)
    assert codes.shape == (n, rank)


def test_scores_leave_missing_cells_out(data: TrainingData):
    months = data.observed.in_split("validation")
    sd = np.zeros(data.normaliser.mask.shape, np.float32)
    perfect = explained(data, months, months.x, sd)
    assert all(score == pytest.approx(1.0, abs=1e-4) for score in perfect.values())
    wrong = np.where(months.present, months.x, np.float32(9.0))
    assert explained(data, months, wrong, sd) == pytest.approx(perfect, abs=1e-6)


def test_a_model_is_trained_on_what_is_there(
    config: ModelConfig, data: TrainingData, tmp_path: Path
):
    vae = train(config, data, tmp_path / "run")
    assert all(torch.isfinite(p).all() for p in vae.parameters())
    export_bundle(vae, config, data, tmp_path / "bundle", provenance={"test": True})
    bundle = load_bundle(tmp_path / "bundle")
    assert np.isfinite(bundle.residual_sd[bundle.mask]).all()
    dry = bundle.target("1979-05")
    assert np.isnan(dry[PR]).all()
    assert np.isfinite(dry[0]).all()
    assert np.isfinite(bundle.target("1983-05")[PR][bundle.mask[PR]]).all()
    # Its EOFs are a fair opponent, fitted through the same gaps.
    assert np.isfinite(fit_eofs(data, 5).patterns).all()


def test_minimising_over_z_looks_at_what_is_there(config: ModelConfig, data: TrainingData):
    vae = build_vae(config, data).eval()
    for parameter in vae.parameters():
        parameter.requires_grad_(False)
    months = data.observed.where(np.isin(data.observed.names, ("1979-05", "1983-05")))
    precision = 50 * data.normaliser.weights
    start = np.zeros((len(months), config.network.n_latent))

    def fit(x: np.ndarray, present: np.ndarray | None) -> np.ndarray:
        return minimise_all_fields(
            vae.decoder, x, months.calendar, start, precision, present=present
        )

    assert months.present is not None
    strange = np.where(months.present, months.x, np.float32(5.0))
    found = fit(months.x, months.present)
    np.testing.assert_array_equal(fit(strange, months.present), found)
    whole = np.ones(months.x.shape, bool)
    np.testing.assert_array_equal(fit(months.x, whole), fit(months.x, None))
    assert np.abs(fit(strange, None) - found).max() > 0.1


@pytest.mark.slow
def test_errors_of_assimilation_are_estimated_from_nearly_whole_months(
    config: ModelConfig, data: TrainingData, tmp_path: Path
):
    vae = build_vae(config, data)
    export_bundle(vae, config, data, tmp_path / "bundle", provenance={"test": True})
    bundle = load_bundle(tmp_path / "bundle")
    scored = validate(bundle, split="validation", data=data, samples=10)
    for by_method in scored.scores["reconstruction"]["validation"].values():
        assert all(np.isfinite(s["explained_variance"]) for s in by_method.values())
    one_epoch = SeaTraining(epochs=1, epochs_normalised=1)
    calibrate(bundle, data, bundle.settings, training=one_epoch)
    bundle = load_bundle(tmp_path / "bundle")
    past = data.observed.in_split("train", "validation", "calibration")
    whole = past.where(past.present.mean(axis=(1, 2, 3)) > 0.9)
    assert len(bundle.statistics.calendar) == len(whole) < len(past)
    # Rain varies in the past months as it does where it is observed: no zeros stand for gaps.
    statistics = bundle.statistics
    spread = statistics.coefficients @ statistics.patterns
    got = (spread.reshape(-1, *bundle.mask.shape)[:, PR] ** 2).mean()
    assert got == pytest.approx((whole.x[:, PR] ** 2).mean(), rel=0.05)
    # And an analysis of a month without rain is made of what it has.
    table = synthesise(places(NetworkSpec("stations", count=6), bundle), bundle,
                       bundle.target("1979-05"), 5, seed=None)  # fmt: skip
    found = Assimilator(bundle).run(table, 5)
    assert np.isfinite(found.anomalies[bundle.mask]).all()
    check_scores_of_networks(bundle, data)


def check_scores_of_networks(bundle: Bundle, data: TrainingData):
    """What a month lacks is neither observed, as zero, nor counted."""
    months = data.observed.in_split("validation")
    months = months.where(np.isin(months.calendar, (5, 10)))
    seen: dict[int, set[int]] = {}

    class Watching(Assimilator):
        def states(self, places, variance, values, month, **settings):
            seen[month] = set(places.variable.tolist())
            assert np.isfinite(values).all()
            return super().states(places, variance, values, month, **settings)

    scored = score(
        bundle, months, methods=("vae",), networks=("all_fields",), assimilator=Watching(bundle)
    )
    everything = set(range(len(bundle.variables)))
    assert seen == {5: everything, 10: everything - {PR}}
    for v, variable in enumerate(bundle.variables):
        squares = (months.anomalies[:, v] ** 2).astype(np.float64)
        weights = data.normaliser.weights[v] * np.isfinite(squares)
        mean = np.nansum(weights * np.nan_to_num(squares)) / weights.sum()
        rmse = scored["all_fields"][variable.name]["climatology"]["rmse"]
        assert rmse == pytest.approx(np.sqrt(mean), rel=1e-5)


def test_gaps_are_bridged_in_nearly_whole_months_only(data: TrainingData):
    splits = ("train", "calibration")
    found = without_gaps(data, splits).observed
    assert found.present is None
    assert set(found.split) == set(splits)
    assert not {n for n in found.names if n.startswith("1979") or n.endswith("x")}
    before = data.observed.where(np.isin(data.observed.names, found.names))
    before = before.in_split(*splits)
    there = before.present
    assert np.array_equal(found.x[there], before.x[there])
    gaps = ~there & data.normaliser.mask
    assert gaps.any()
    assert found.x[gaps].std() > 0.1
    few = replace(data, observed=data.observed.where(data.observed.names < "1980-06"))
    with pytest.raises(ConfigError, match=r"Only \d+ months have nine tenths.*\.$"):
        without_gaps(few, splits)


def test_data_without_gaps_stay_themselves(whole: TrainingData):
    assert without_gaps(whole, ("train",)) is whole


def test_the_prior_is_estimated_on_nearly_whole_months(data: TrainingData, whole: TrainingData):
    held_out, weights = data.observed.in_split("validation", "calibration"), data.normaliser.weights
    chosen = nearly_whole(held_out, weights)
    assert set(chosen.names) == {n for n in held_out.names if not "1984-09" <= n <= "1984-12"}, (
        "a month without rain has three quarters"
    )
    few = held_out.where(np.char.startswith(held_out.names, "1984"))
    assert len(nearly_whole(few, weights)) == len(few)
    complete = whole.observed.in_split("validation")
    assert nearly_whole(complete, whole.normaliser.weights) is complete


def test_recombining_members_needs_whole_months(data: TrainingData, tmp_path: Path):
    config = make(tmp_path, with_gaps(), member_mixing=True)
    with pytest.raises(ConfigError, match=r"member_mixing needs months without missing.*\.$"):
        Sampler(config, data)


def test_a_variable_that_no_validation_month_has_is_named(tmp_path: Path):
    gone = make_climate().load()
    gone["pr"] = gone["pr"].where(gone["time"].dt.year != 1984)
    gone["pr"].attrs["units"] = DEFAULTS["pr"].units
    with pytest.raises(ConfigError, match=r"no pr in any validation month.*\.$"):
        load_training_data(make(tmp_path, gone))


def _config_of(data: TrainingData) -> ModelConfig:
    from climate import SPLITS

    from mlda_core.vae.config import DataConfig, TrainingConfig
    from mlda_core.vae.networks import NetworkConfig

    return ModelConfig(
        name="whole",
        title="",
        base_period="",
        source="",
        licence="",
        variables=data.normaliser.variables,
        splits=SPLITS,
        data=DataConfig(Path("none.nc")),
        network=NetworkConfig(n_latent=4, n_patterns=8, width=8, encoder_width=8),
        training=TrainingConfig(half=False),
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.isel(time=[0, *range(d.sizes["time"] - 1)]), "has the month .* twice"),
        (lambda d: d.drop_vars("time"), "has no coordinate 'time'"),
        (lambda d: d.isel(lat=slice(None, None, -1)), "lat"),
    ],
)
def test_a_dataset_with_wrong_axes_is_named(
    tmp_path: Path, change: Callable[[xr.Dataset], xr.Dataset], words: str
) -> None:
    wrong = make(tmp_path, change(with_gaps()))
    with pytest.raises(ConfigError, match=rf"climate\.nc.*{words}"):
        load_training_data(wrong)


def test_the_month_shown_first_must_be_there(config: ModelConfig) -> None:
    with pytest.raises(ConfigError, match=r"climate\.nc has no month 2050-01 to show first"):
        load_training_data(replace(config, first_month="2050-01"))
