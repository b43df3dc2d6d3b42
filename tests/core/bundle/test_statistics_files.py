"""Statistics of the assimilation in a bundle's two files."""

import numpy as np
import pytest

from mlda_core.bundle.statistics import SeaStatistics, Statistics
from mlda_core.bundle.statistics_files import pack, pack_patterns, unpack, unpack_patterns

OWN, FURTHER, MONTHS, HELD, LATENT = 3, 2, 24, 6, 4
MASK = np.ones((2, 4, 5), bool)
CELLS = MASK.size
# What a byte a number leaves of a standard normal number: half a step of an eighth.
ROUNDING = 0.07


def made(*, sea=True):
    rng = np.random.default_rng(0)

    def draw(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    k = OWN + FURTHER
    return Statistics(
        patterns=draw(k, CELLS),
        leftover=draw(CELLS) ** 2,
        coefficients=draw(MONTHS, k),
        calendar=np.arange(MONTHS) % 12 + 1,
        held=np.arange(0, MONTHS, 4),
        held_residual=draw(HELD, k),
        sea=SeaStatistics(draw(3, k), np.arange(MONTHS) % 3, draw(HELD, k), np.eye(LATENT))
        if sea
        else None,
    )


def arrays(statistics):
    packed = pack(statistics, own=OWN, mask=MASK)
    return [{str(n): v.to_numpy() for n, v in part.variables.items()} for part in packed]


def test_what_is_packed_comes_back_but_for_its_rounding():
    given = made()
    again = unpack(*arrays(given), given.patterns[:OWN], LATENT)
    # The decoder's patterns are not stored again.
    np.testing.assert_array_equal(again.patterns[:OWN], given.patterns[:OWN])
    np.testing.assert_allclose(again.patterns[OWN:], given.patterns[OWN:], atol=0.3)
    np.testing.assert_array_equal(again.leftover, given.leftover)
    for name in ("calendar", "held"):
        np.testing.assert_array_equal(getattr(again, name), getattr(given, name))
    for name in ("coefficients", "held_residual"):
        np.testing.assert_allclose(getattr(again, name), getattr(given, name), atol=2 * ROUNDING)
    np.testing.assert_allclose(again.sea.mean, given.sea.mean, atol=2 * ROUNDING)
    np.testing.assert_array_equal(again.sea.row, given.sea.row)
    np.testing.assert_array_equal(again.sea.latent, given.sea.latent)


def test_a_model_without_a_sea_stores_nothing_of_one():
    error, linear = arrays(made(sea=False))
    assert not [name for name in (*error, *linear) if name.startswith("sea")]
    assert unpack(error, linear, made().patterns[:OWN], LATENT).sea is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda e, _: e.update(further=e["further"][:, 1:]), "patterns of 39 cells, not 40"),
        (lambda e, _: e.update(held=e["held"] + 20), "residuals of months that are not there"),
        (lambda e, _: e.update(held=e["held"][:2]), "residuals of months that are not there"),
        (lambda e, _: e.update(leftover=e["leftover"][:1]), "leftover has the shape"),
        (lambda e, _: e.update(leftover=np.nan * e["leftover"]), "not finite"),
        (lambda e, _: e.update(sea_latent=np.eye(5)), r"sea_latent has the shape \(5, 5\)"),
        (lambda _, n: n.update(calendar=n["calendar"] - 1), "not within 1 to 12"),
        (lambda _, n: n.update(sea_row=n["sea_row"] + 1), "seas that are not there"),
        (
            lambda _, n: n.update(month=n["month"][:, 1:], month_step=n["month_step"][1:]),
            "coefficients of other than 5 patterns",
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, words):
    error, linear = arrays(made())
    change(error, linear)
    with pytest.raises(ValueError, match=words):
        unpack(error, linear, made().patterns[:OWN], LATENT)


def test_each_pattern_has_its_own_step():
    patterns = made().patterns * np.array([1e-3, 1, 10, 100, 1000], np.float32)[:, None]
    packed, step = pack_patterns(patterns)
    assert packed.dtype == np.int8
    assert (np.abs(unpack_patterns(packed, step) - patterns) <= 0.501 * step[:, None]).all()
