"""The latent vectors that a state stands for."""

import numpy as np

from mlda_core.page_state.latents import code_of
from mlda_core.page_state.snapshot import Z_LIMIT


def test_a_code_is_within_what_a_slider_can_show(world):
    month = world.months[0]
    code = np.asarray(world.code(month), dtype=np.float32)
    assert np.abs(code).max() > Z_LIMIT, "this month's would leave the slider"
    made = code_of(world, month)
    assert np.abs(made).max() == Z_LIMIT
    within = np.abs(code) <= Z_LIMIT
    np.testing.assert_array_equal(made[within], code[within])
