"""What a response tells of itself."""

from __future__ import annotations

import numpy as np
import pytest
from small import make_small

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.perturbation.responder import Responder
from mlda_core.perturbation.sst_patches import Patch, PerturbationError

MONTH = "1982-07"


WARM = Patch(1.0, box=(-30, 30, 180, 270))


@pytest.fixture(scope="module")
def responder(tmp_path_factory):
    return Responder(Assimilator(make_small(tmp_path_factory.mktemp("r"), curved=0.002)))


@pytest.fixture(scope="module")
def bundle(responder):
    return responder.bundle


def test_changes_that_cancel_have_no_response_per_kelvin(responder):
    # Boxes as wide as each other on either side of the equator.
    two = [Patch(1, box=(0, 40, 180, 300), taper=0), Patch(-1, box=(-40, 0, 180, 300), taper=0)]
    with pytest.raises(PerturbationError, match="cancel"):
        responder.respond(MONTH, two).per_kelvin()


def test_a_change_too_small_to_divide_by(responder):
    small = responder.respond(MONTH, [Patch(0.01, box=WARM.box)])
    assert np.isnan(small.per_kelvin()).all()


def test_a_response_prints_in_a_few_lines(responder):
    lines = repr(responder.respond(MONTH, [WARM], "sst_and_pressure")).splitlines()
    assert len(lines) == 3
    assert lines[0].startswith(f"<Response of {MONTH} to the sea changed by up to +1.00 K, by vae,")
    assert "SST and pressure" in lines[1]
    assert lines[2].startswith(" global means: psl ")
    none = repr(responder.respond(MONTH, [], "sst_only", method="vae-latent-only"))
    assert "to the sea as it was, by vae-latent-only" in none


def test_a_response_is_a_dataset_by_itself(responder, bundle):
    answer = responder.respond(MONTH, [WARM], method="regression")
    data = answer.to_dataset()
    assert data["psl_response"].attrs["units"] == "Pa"
    scale = bundle.variables[0].scale
    np.testing.assert_allclose(data["psl_response"][0], answer.anomalies[0] / scale, rtol=1e-5)
    assert str(data["time"].values[0])[:7] == MONTH
    assert data.attrs["source"] == f"mlda bundle {bundle.name}"
    per_kelvin = answer.to_dataset(per_kelvin=True)
    assert per_kelvin["psl_response"].attrs["units"] == "Pa K-1"
