"""Texts of the tool Perturb."""

from types import SimpleNamespace

import numpy as np
import pytest

from app.text import number
from app.tools.perturb_text import (
    beyond_words,
    change_words,
    gcm_readings,
    gcm_words,
    place_label,
    response_readings,
    sensitivity_readings,
    titles,
)
from mlda_core.climate.regions import REGIONS

WEST = slice(0, 10)


@pytest.fixture
def change(tiny):
    """Two kelvin over a third of the globe, with an edge of half a kelvin beside it."""
    made = np.zeros(tiny.grid.shape)
    made[:, WEST] = 2.0
    made[:, 10] = 0.5
    return made


def response(change, beyond=0.0, **more):
    given = {
        "mean_change": 2.0,
        "month": "1998-01",
        "change": change,
        "extrapolated_fraction": beyond,
    }
    return SimpleNamespace(**{**given, **more})


@pytest.fixture
def bundle(tiny):
    made = type(tiny)()
    made.mask[1] = True
    made.scores = {}
    return made


def test_titles_say_what_each_view_shows():
    assert titles("gcm", there=False, months=24)[0] == "GCM's response, mean of 24 months"
    assert titles("both", there=False) == ["Target", "", ""]
    first, scatter, short = titles("both", there=True, late="1998-01")
    assert first == "Analysis from all fields, 1998-01"
    assert (scatter, short) == ("With response ↑ without →", "With ↑ without →")
    assert "held fields" in titles("sensitivity", there=True)[1]


def test_a_place_is_named_or_told_by_its_edges():
    assert place_label("nino34") == REGIONS["nino34"].short
    assert place_label((-5, 5, 190, 240)) == "5°S–5°N, 170°W–120°W"


def test_how_much_of_the_sea_is_changed_with_and_without_its_edges(bundle, change):
    assert change_words(response(change), bundle) == (
        "+2.0 K over 33 % of the sea at full strength, 37 % with tapered edges"
    )
    change[:, 10] = 0
    assert change_words(response(change), bundle) == "+2.0 K over 33 % of the sea"
    change[:, 20:30] = -1.5
    assert change_words(response(change), bundle).startswith("−1.5 to +2.0 K over")


def test_a_sea_beyond_all_months_names_the_months_round_the_year(bundle, change):
    words = beyond_words(response(change, 0.42))
    assert words.startswith("On 42 % of its area")
    assert "any December, January or February of the training data" in words
    assert beyond_words(response(change, 0.05)) == ""
    assert beyond_words(response(change, float("nan"))) == ""


def test_readings_are_means_over_the_globe_and_over_the_change(bundle, change):
    fields = np.zeros((2, *bundle.grid.shape))
    fields[0, :, WEST] = 3.0
    fields[1] = np.nan
    answer = SimpleNamespace(response=response(change, anomalies=fields))
    first, second = response_readings(answer, bundle)
    assert first == (("globe", "+1.00", "hPa"), ("patch", "+3.00", "hPa"))
    assert second[0][1] == number(np.nan)
    # In brackets where the emulator extrapolates.
    answer.response.extrapolated_fraction = 0.5
    assert response_readings(answer, bundle)[0][0][1] == "(+1.00)"
    # Of a change of the whole sea there is no patch apart.
    whole = SimpleNamespace(response=response(np.ones(bundle.grid.shape), anomalies=fields))
    assert [name for name, *_ in response_readings(whole, bundle)[0]] == ["globe"]


def test_a_sensitivity_has_its_extremes_on_the_row_of_the_sea(bundle, change):
    fields = np.ones((2, *bundle.grid.shape))
    fields[:, 0] = -1
    answer = SimpleNamespace(all_fields=fields, response=response(change, control=fields))
    of = np.full(bundle.grid.shape, np.nan)
    of[3, 4], of[5, 6] = 0.5, -0.25
    air, sea = sensitivity_readings(bundle, answer, of, "degC")
    assert [word for word, *_ in air] == ["held fields: r", "RMSE"]
    assert air[0][1] == number(1.0)
    assert sea == (("max", "+0.50", ""), ("min", "−0.25", ""), ("K per K", "", ""))
    _, none = sensitivity_readings(bundle, answer, np.full_like(of, np.nan), "K")
    assert none == (("max", number(np.nan), ""),)


def test_beside_the_gcm_stand_its_scores_or_the_correlation_of_what_is_shown(bundle):
    gcm = np.random.default_rng(0).standard_normal((2, *bundle.grid.shape))
    made = SimpleNamespace(
        split="validation", experiment="plus1", gcm=gcm, emulated=-gcm, months=("1990-01",) * 24,
        members=3, label="one kelvin everywhere",
    )  # fmt: skip
    assert gcm_readings(made, bundle)[0][0] == ("globe", f"r {number(-1.0)}", "")
    score = {"psl": {"vae": {"pattern_correlation": 0.75, "amplitude_ratio": 0.5}}}
    bundle.scores = {"perturbation_validation": {"plus1": {"tropics": score}}}
    (_, shown), _ = gcm_readings(made, bundle)
    assert shown == ("tropics", f"r {number(0.75)}, ×{number(0.5)}", "")
    words = gcm_words(made)
    assert "mean of 24 validation months and 3 members" in words
    made.split = "test"
    assert "24 test months, which the emulator has never seen, and" in gcm_words(made)
