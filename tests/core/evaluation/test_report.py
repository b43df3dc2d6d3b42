"""The page that a validation writes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from mlda_core.climate.grid import Grid
from mlda_core.climate.variables import DEFAULTS
from mlda_core.evaluation.reconstruction import Report
from mlda_core.evaluation.report import RECONSTRUCTIONS, _runs, _variance, write_page


@pytest.fixture
def bundle():
    grid = Grid(np.linspace(-75.0, 75.0, 6), np.arange(12) * 30.0)
    return SimpleNamespace(title="Sea & air", grid=grid, variables=(DEFAULTS["psl"],))


@pytest.fixture
def report(bundle):
    months = ["1980-11", "1980-12", "1984-01"]
    score = {"explained_variance": 0.8125, "rmse": 1.5}
    latent = {
        "months": 12, "active": 3, "mean_rms": 0.1, "mean_rms_of_draws": 0.2,
        "variance_error_rms": 0.3, "variance_error_rms_of_draws": 0.4,
    }  # fmt: skip
    scores = {
        "reconstruction": {"test": {"psl": {"vae": score, "eof": score}}},
        "months": {"test": 3},
        "members": 2,
        "nonlinearity": {"test": 0.25},
        "prior_variance_ratio": {"psl": 1.5},
        "latent": {"test": latent},
    }
    real = np.ones(bundle.grid.shape)
    real[0] = 0.0
    return Report(
        scores,
        months=months,
        series={"psl": (np.arange(3.0), np.arange(3.0))},
        latent={"test": (np.zeros(4), np.ones(4))},
        variance_maps={"psl": (real, 4.0 * real)},
    )


def test_the_page_says_each_score_and_names_what_is_in_its_folder(report, bundle, tmp_path):
    page = write_page(report, bundle, "test", tmp_path / "out")
    text = page.read_text()
    assert "<h1>Sea &amp; air: test months</h1>" in text
    assert text.count("0.812 (1.50)") == 2
    assert RECONSTRUCTIONS["vae"] in text
    assert "Nonlinearity of the decoder: 0.25" in text
    assert "psl 1.50" in text
    for picture in page.parent.glob("*.png"):
        assert f'src="{picture.name}"' in text
        assert picture.stat().st_size > 2000
    assert len(list(page.parent.glob("*.png"))) == 3


def test_a_line_breaks_between_months_that_do_not_follow():
    runs = _runs(["1980-11", "1980-12", "1981-01", "1984-01", "1990-02", "1990-03"])
    assert [run.tolist() for run in runs] == [[0, 1, 2], [3], [4, 5]]


def test_maps_of_variance_are_deviations_and_a_ratio_where_there_is_one(report, bundle):
    axes = _variance(report, bundle).axes
    real, drawn, ratio = (ax.images[0].get_array() for ax in axes[:3])
    assert (drawn[1:] == 2 * real[1:]).all()
    assert (ratio[1:] == 2).all()
    assert np.isnan(np.ma.filled(ratio[0], np.nan)).all()
