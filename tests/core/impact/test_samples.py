"""Months that impact heads are trained on."""

from __future__ import annotations

import numpy as np

from mlda_core.impact.samples import Samples, codes_of, with_memory


def test_codes_are_the_bundle_s(bundle):
    z, sd, calendar = codes_of(bundle)
    np.testing.assert_allclose(z[30], bundle.code(bundle.months[30]), atol=1e-5)
    assert calendar[30] == int(bundle.months[30][5:])
    assert (sd > 0).all()


def test_a_memory_is_a_block_of_the_mean_over_the_months_before():
    months = ["1999-11", "1999-12", "2000-01", "2000-03"]
    z = np.arange(8.0).reshape(4, 2)
    sd = np.full((4, 2), 0.6)
    plain, _ = with_memory(months, z, sd, 0)
    assert plain.shape == (4, 1, 2)
    blocks, spreads = with_memory(months, z, sd, 2)
    np.testing.assert_array_equal(blocks[:, 0], z)
    np.testing.assert_allclose(blocks[2, 1], z[:2].mean(axis=0))
    np.testing.assert_allclose(spreads[2, 1], 0.6 / np.sqrt(2))
    # February is missing: it counts as the prior's mean, zero.
    np.testing.assert_allclose(blocks[3, 1], z[2] / 2)
    np.testing.assert_array_equal(blocks[0, 1], 0.0)


def test_samples_are_taken_by_rows():
    whole = Samples(
        np.zeros((3, 1, 2)),
        np.ones((3, 1, 2)),
        np.array([1, 2, 3]),
        np.full(3, 1999),
        np.arange(3.0),
    )
    part = whole[np.array([True, False, True])]
    assert len(part) == 2
    assert part.calendar.tolist() == [1, 3]
    assert part.values.tolist() == [0.0, 2.0]
