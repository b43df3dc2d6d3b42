"""Arrays in a binary file, as a browser finds them again."""

import numpy as np

from mlda_core.plotting.site.arrays import (
    Arrays,
    as_packed,
    by_row,
    transforms_of,
    write_analyses,
    write_decoder,
    write_months,
    write_statistics,
)

KINDS = {"int8": 1, "uint8": 1, "uint16": 2, "float16": 2, "float32": 4}


def read(folder, said):
    """Read a file as the page does."""
    raw = (folder / said["file"]).read_bytes()
    assert len(raw) == said["size"]
    out = {}
    for name, where in said["arrays"].items():
        count = int(np.prod(where["shape"]))
        assert where["at"] % KINDS[where["kind"]] == 0
        flat = np.frombuffer(raw, where["kind"], count, where["at"])
        out[name] = flat.reshape(where["shape"])
    return out


def test_a_file_holds_what_was_added(tmp_path):
    file = Arrays(tmp_path / "some.bin")
    given = {
        "bytes": np.arange(-3, 4, dtype=np.int8),
        "wide": np.arange(5, dtype=np.uint16),
        "halves": np.linspace(-1, 1, 7).astype(np.float16).reshape(1, 7),
        "single": np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3).T,
    }
    for name, values in given.items():
        file.add(name, values)
    found = read(tmp_path, file.write())
    assert list(found) == list(given)
    for name, values in given.items():
        np.testing.assert_array_equal(found[name], values)


def test_rows_are_a_byte_a_number_within_half_a_step():
    values = np.random.default_rng(0).standard_normal((3, 50)) * np.array([[1.0], [1e-3], [0.0]])
    packed, step = by_row(values)
    assert packed.dtype == np.int8
    assert (np.abs(packed * step[:, None] - values) <= 0.5001 * step[:, None]).all()


def test_rows_that_were_bytes_keep_them():
    rng = np.random.default_rng(0)
    whole = rng.integers(-20, 21, (4, 300)).astype(np.int8)
    whole[:, 0] = 1
    step = np.array([0.3, 1e-4, 2.0, 0.07], np.float32)
    packed, found = as_packed(whole * step[:, None])
    np.testing.assert_array_equal(packed, whole)
    np.testing.assert_allclose(found, step, rtol=1e-6)
    plain = rng.standard_normal((2, 300)).astype(np.float32)
    for a, b in zip(as_packed(plain), by_row(plain), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_decoder_is_whole(engine, tmp_path):
    bundle = engine.bundle
    found = read(tmp_path, write_decoder(bundle, [7], tmp_path / "decoder.bin"))
    tensors = bundle.decoder.state_dict()
    again = found["patterns"] * found["scale"][:, None]
    np.testing.assert_allclose(again, tensors["patterns"], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found["mask"].astype(bool), bundle.mask)
    for name, tensor in tensors.items():
        if name.startswith("refiner.") and "film" not in name and name != "refiner.position":
            np.testing.assert_allclose(found[name], tensor, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found["7/mixing"], tensors["mixing"][6], rtol=1e-3, atol=1e-4)
    there = bundle.mask
    np.testing.assert_allclose(
        found["7/spread"][there], bundle.normaliser.spread[6][there], rtol=1e-6
    )
    assert (found["7/error"] > 0).all()
    assert (found["7/errorStandardised"] >= 0.05 - 1e-6).all()


def test_what_analyses_need_is_that_of_the_calendar_month(engine, tmp_path):
    bundle = engine.bundle
    found = read(tmp_path, write_analyses(bundle, 7, tmp_path / "analysis.bin"))
    jacobian = found["jacobian"] * found["slopes"][:, None]
    own = bundle.jacobian(7).reshape(bundle.n_latent, -1)
    assert np.abs(jacobian - own).max() <= np.abs(own).max() / 200
    s, statistics = bundle.settings, bundle.statistics
    past = statistics.months(7, s.season_width, s.season_floor)
    np.testing.assert_allclose(found["past"], past, rtol=1e-5, atol=1e-7)
    variance = np.einsum("kp,kl,lp->p", statistics.patterns, past, statistics.patterns)
    np.testing.assert_allclose(found["variancePast"], variance, rtol=1e-3, atol=1e-5)
    further = read(tmp_path, write_statistics(bundle, tmp_path / "statistics.bin"))
    again = further["further"] * further["step"][:, None]
    own = statistics.patterns[bundle.decoder.config.n_patterns :]
    np.testing.assert_allclose(again, own, rtol=1e-4, atol=1e-6)


def test_months_have_their_fields_and_codes(engine, tmp_path):
    bundle = engine.bundle
    label = bundle.months[5]
    found = read(tmp_path, write_months(bundle, [label], tmp_path / "months.bin"))
    x = np.nan_to_num(bundle.target_standardised(label))
    np.testing.assert_allclose(found[f"{label}/x"], x, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found[f"{label}/z"], bundle.code(label), rtol=1e-5, atol=1e-6)


def test_transforms_are_exponents(engine):
    powers = transforms_of(engine.bundle)
    names = [v.transform for v in engine.bundle.variables]
    assert [p is None for p in powers] == [name == "none" for name in names]
