"""Files that change under a program that has the bundle open."""

import shutil

import numpy as np
import pytest

from mlda_core.bundle.bundle import load_bundle
from mlda_core.climate.errors import BundleError

MONTH = "1997-12"


@pytest.fixture
def folder(repo_root, tmp_path):
    copied = tmp_path / "bundle"
    shutil.copytree(repo_root / "assets/bundles/speedy", copied)
    return copied


def test_files_that_are_written_over_do_not_change_what_was_read(folder, speedy):
    bundle = load_bundle(folder)
    # In place, as a copying program does: a file that is mapped would end the process.
    for file in folder.iterdir():
        with file.open("r+b") as opened:
            opened.truncate(0)
    z = np.full(bundle.n_latent, 0.5, np.float32)
    np.testing.assert_array_equal(bundle.decode_anomalies(z, 12), speedy.decode_anomalies(z, 12))
    np.testing.assert_array_equal(bundle.target(MONTH), speedy.target(MONTH))
    np.testing.assert_array_equal(bundle.code(MONTH), speedy.code(MONTH))


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("representation_error.nc", lambda bundle: bundle.statistics),
        ("sea.safetensors", lambda bundle: bundle.sea),
        ("prior-flow.safetensors", lambda bundle: bundle.prior("flow")),
        ("prior-diffusion.safetensors", lambda bundle: bundle.prior("diffusion")),
    ],
)
def test_a_part_that_was_replaced_before_it_was_read_is_refused(folder, name, read):
    bundle = load_bundle(folder)
    file = folder / name
    # Another release's file may be a good one by itself: one byte stands for it.
    changed = bytearray(file.read_bytes())
    changed[-1] ^= 1
    file.write_bytes(changed)
    with pytest.raises(BundleError) as caught:
        read(bundle)
    assert str(caught.value) == (
        f"{file} was replaced after the bundle was opened; start this program again."
    )


def test_parts_that_were_read_stay(folder):
    bundle = load_bundle(folder)
    assert bundle.sea is not None
    past = bundle.statistics
    shutil.rmtree(folder)
    assert bundle.statistics is past
    assert bundle.sea is not None
