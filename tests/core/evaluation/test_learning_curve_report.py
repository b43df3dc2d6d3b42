"""A learning curve as numbers, tables and a figure."""

from __future__ import annotations

import json

from PIL import Image

from mlda_core.climate.variables import DEFAULTS
from mlda_core.evaluation.learning_curve_report import LABELS, draw, tables_of, write_curve

VARIABLES = tuple(DEFAULTS[name] for name in ("psl", "tas"))


def point(months, score, *, mixed=0, **more):
    by_method = {
        "vae": {"explained_variance": score},
        "climatology": {"explained_variance": -1e-9},
        **more,
    }
    return {
        "training_months": months,
        "mixed_sea_months": mixed,
        "stations_100": {"psl": by_method, "tas": by_method},
        "made_of": "of this run alone",
    }


POINTS = [point(240, 0.5), point(60, 0.25), point(60, 0.3, mixed=600)]


def rows(text):
    return [[c.strip() for c in line.split("|")[1:-1]] for line in text.splitlines() if "|" in line]


def test_a_row_lists_its_points_by_their_months_mixed_seas_apart():
    text = tables_of(POINTS, VARIABLES)
    assert text.startswith("**100 stations** (`stations_100`)")
    assert rows(text)[2:] == [
        [LABELS["vae"], "60, 240", "0.250 0.500", "0.250 0.500"],
        [LABELS["vae"], "60, each with 600 mixed", "0.300", "0.300"],
        # Once, and without a minus before zero.
        [LABELS["climatology"], "60, 240", "0.000 0.000", "0.000 0.000"],
    ]


def test_what_a_point_lacks_is_a_dash_and_the_ceiling_comes_last():
    ceiling = {"explained_variance": 0.7}
    points = [point(60, 0.25), point(240, 0.5, eof={"explained_variance": 0.4}, ceiling=ceiling)]
    found = {row[0]: row[2] for row in rows(tables_of(points, VARIABLES))[2:]}
    assert found[LABELS["eof"]] == "– 0.400"
    assert list(found)[-1].startswith("ceiling")
    assert found[list(found)[-1]] == "0.700"


def test_the_figure_has_a_panel_of_each_variable_and_what_was_observed():
    axes = draw(POINTS, VARIABLES).axes
    assert [ax.get_title() for ax in axes] == [v.label for v in VARIABLES]
    plain, mixed = axes[0].get_lines()
    assert plain.get_xydata().tolist() == [[60, 0.25], [240, 0.5]]
    assert mixed.get_xydata().tolist() == [[660, 0.3]]


def test_the_files_hold_numbers_units_and_provenance(tmp_path):
    numbers, tables, picture = write_curve(POINTS, VARIABLES, tmp_path / "made", seed=3)
    held = json.loads(numbers.read_text())
    assert (held["seed"], held["units"]) == (3, {v.name: v.anomaly_units for v in VARIABLES})
    assert len(held["points"]) == 3
    assert not any("made_of" in p for p in held["points"])
    assert tables.read_text() == tables_of(POINTS, VARIABLES)
    with Image.open(picture) as image:
        assert len(image.getcolors()) <= 64
