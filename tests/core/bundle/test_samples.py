"""The times of a bundle as samples."""

import numpy as np

from mlda_core.bundle.samples import months_of_bundle


def test_samples_are_the_targets_of_the_bundle(speedy):
    samples = months_of_bundle(speedy)
    assert list(samples.names) == list(speedy.months)
    month = str(samples.names[7])
    target = np.where(speedy.mask, speedy.target_standardised(month), 0.0)
    np.testing.assert_array_equal(samples.x[7], target.astype(samples.x.dtype))
    assert samples.split[7] == speedy.split(month)
    assert samples.calendar[7] == int(month[5:7])
