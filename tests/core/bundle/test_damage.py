"""A damaged or foreign folder is refused in one sentence that names the culprit."""

import itertools
import json
import os
import shutil

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from mlda_core.bundle import files as module
from mlda_core.bundle.bundle import load_bundle
from mlda_core.bundle.files import FILES, checksum
from mlda_core.climate.errors import BundleError


@pytest.fixture(scope="module")
def shipped(repo_root):
    return repo_root / "assets" / "bundles" / "speedy"


@pytest.fixture
def bundle_copy(shipped, tmp_path):
    """A copy of the shipped bundle whose files may be replaced, but not written into."""
    return linked_copy(shipped, tmp_path / "bundle")


def linked_copy(shipped, folder):
    folder.mkdir()
    for path in shipped.iterdir():
        try:
            os.link(path, folder / path.name)
        except OSError:  # another file system
            shutil.copy(path, folder / path.name)
    return folder


def replace(path, data):
    # A new file: the old one is linked to the shipped bundle's.
    path.unlink()
    path.write_bytes(data)


def refusal(folder):
    """Return the message with which a folder is refused, checked to be one sentence."""
    with pytest.raises(BundleError) as caught:
        load_bundle(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert ";" in message, "what is wrong; what to do"
    assert "Traceback" not in message
    return message


def test_the_copy_itself_loads(bundle_copy):
    assert load_bundle(bundle_copy).n_latent == 100


@pytest.mark.slow
@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    name=st.sampled_from(FILES),
    place=st.floats(0, 1, exclude_max=True),
    change=st.integers(1, 255),
)
@example(name="weights.safetensors", place=0.0, change=255)
@example(name="months.nc", place=0.999999, change=1)
def test_any_changed_byte_is_found(shipped, tmp_path_factory, name, place, change):
    folder = linked_copy(shipped, tmp_path_factory.mktemp("damage") / "bundle")
    data = bytearray((folder / name).read_bytes())
    data[int(place * len(data))] ^= change
    replace(folder / name, data)
    try:
        assert name in refusal(folder)
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("keep", [0.0, 0.5, 0.999])
def test_truncated_file_is_named(bundle_copy, name, keep):
    data = (bundle_copy / name).read_bytes()
    replace(bundle_copy / name, data[: int(keep * len(data))])
    message = refusal(bundle_copy)
    assert name in message
    assert "damaged" in message


@pytest.mark.parametrize("name", FILES)
def test_missing_file_is_named(bundle_copy, name):
    (bundle_copy / name).unlink()
    assert name in refusal(bundle_copy)


def test_missing_configuration_and_folder(bundle_copy, tmp_path):
    (bundle_copy / "config.json").unlink()
    assert "config.json" in refusal(bundle_copy)
    assert "nowhere" in refusal(tmp_path / "nowhere")
    file = tmp_path / "file"
    file.write_text("not a folder")
    assert "file" in refusal(file)


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", "3", '"bundle"', "{}", '{"schema_version": 1}', "\x00\x01", "\ufeff{}"],
)
def test_foreign_configuration(bundle_copy, text):
    replace(bundle_copy / "config.json", text.encode())
    assert "config.json" in refusal(bundle_copy)


def test_configuration_that_is_not_text(bundle_copy):
    replace(bundle_copy / "config.json", b"\xff\xfe\x00\xd8")
    assert "config.json" in refusal(bundle_copy)


def edited(folder, change):
    """Change the configuration as a program with the right to do so would."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    change(config)
    replace(path, json.dumps(config).encode())


@pytest.mark.parametrize("version", [0, 2, "1.0", None])
def test_other_schema_is_named_with_both_versions(bundle_copy, version):
    edited(bundle_copy, lambda config: config.update(schema_version=version))
    message = refusal(bundle_copy)
    assert "schema" in message
    assert str(version) in message


AMISS = ["absent", None, [], 7, "text", [1, 2], ["psl"]]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *itertools.product(["variables", "network", "checksums"], [*AMISS, {}]),
        # Empty ones will do: all of training has defaults, and no year need be held out.
        *itertools.product(["training", "splits"], AMISS),
    ],
)
def test_configuration_with_a_part_amiss(bundle_copy, key, value):

    def change(config):
        if value == "absent":
            del config[key]
        else:
            config[key] = value

    edited(bundle_copy, change)
    refusal(bundle_copy)


@pytest.mark.parametrize("key", ["name", "title", "base_period"])
@pytest.mark.parametrize("value", ["absent", 7])
def test_configuration_without_what_people_read(bundle_copy, key, value):
    edited(bundle_copy, lambda c: c.pop(key) if value == "absent" else c.update({key: value}))
    assert f"no '{key}'" in refusal(bundle_copy)


def resealed(folder, name, data):
    """Replace a file and give the configuration the checksum of what replaced it."""
    replace(folder / name, data)
    digest = checksum(folder / name)
    edited(folder, lambda c: c["checksums"].update({name: digest}))


def months_changed(folder, tmp_path, change):
    with xr.open_dataset(folder / "months.nc", mask_and_scale=False) as months:
        # Compressing anew what the shipped file has compressed takes most of a second.
        change(months.load().drop_encoding()).to_netcdf(tmp_path / "changed.nc", engine="netcdf4")
    resealed(folder, "months.nc", (tmp_path / "changed.nc").read_bytes())


def relabelled(months, name, index, value):
    labels = months[name].values.astype(object)
    labels[index] = value
    return months.assign({name: ("sample", labels.astype(str))})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.isel(lat=slice(0, 24)), "x of the months has the shape (420, 4, 24, 96)"),
        (lambda m: m.isel(variable=slice(0, 3)), "x of the months has the shape (420, 3, 48, 96)"),
        (lambda m: m.isel(sample=slice(0, 0)), "no month"),
        (lambda m: m.assign(split=("other", m["split"].values[:7])), "split of the months"),
        (lambda m: m.assign(month=("other", m["month"].values[:7])), "not (7, 4, 48, 96)"),
        (lambda m: m.assign(x=m["x"].astype(np.float32)), "float32, not int16"),
        (lambda m: relabelled(m, "month", 3, "1979-02"), "not in order"),
        (lambda m: relabelled(m, "month", 3, "April"), "'April' is not a month"),
        (lambda m: relabelled(m, "split", 3, "tset"), "split 'tset'"),
    ],
)
def test_months_of_another_model_do_not_fit(bundle_copy, tmp_path, change, words):
    months_changed(bundle_copy, tmp_path, change)
    message = refusal(bundle_copy)
    assert "fit" in message
    assert words in message


@pytest.mark.parametrize("name", ["residual_sd", "direction_share", "from_training"])
def test_statistics_of_another_shape_do_not_fit(bundle_copy, tmp_path, name):
    tensors = load_file(bundle_copy / "weights.safetensors")
    tensors[name] = tensors[name][:, :3].contiguous()
    save_file(tensors, tmp_path / "changed.safetensors")
    resealed(bundle_copy, "weights.safetensors", (tmp_path / "changed.safetensors").read_bytes())
    assert f"{name} has the shape" in refusal(bundle_copy)


@pytest.mark.parametrize("name", ["spread", "climatology", "mask"])
def test_a_normaliser_of_another_shape_does_not_fit(bundle_copy, tmp_path, name):
    with xr.open_dataset(bundle_copy / "normaliser.nc") as data:
        dims = tuple(f"{d}2" if d == "lat" else d for d in data[name].dims)
        changed = data.load().assign({name: (dims, data[name].isel(lat=slice(0, 9)).values)})
        changed.to_netcdf(tmp_path / "changed.nc", engine="netcdf4")
    resealed(bundle_copy, "normaliser.nc", (tmp_path / "changed.nc").read_bytes())
    assert f"{name} has the shape" in refusal(bundle_copy)


def test_a_file_that_may_not_be_read_is_named(bundle_copy, monkeypatch):
    def forbid(file):
        raise PermissionError(13, "Permission denied", str(file))

    monkeypatch.setattr(module, "checksum", forbid)
    message = refusal(bundle_copy)
    assert "weights.safetensors cannot be read (Permission denied)" in message


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\xfe\x00", b"[" * 100_000])
def test_damaged_scores_are_refused_when_they_are_asked_for(bundle_copy, data):
    replace(bundle_copy / "scores.json", data)
    loaded = load_bundle(bundle_copy)
    with pytest.raises(BundleError, match=r"scores\.json .*; delete it"):
        _ = loaded.scores


def test_files_of_another_bundle_do_not_fit_even_with_right_checksums(bundle_copy):
    """The checksums can be right and the parts still not belong together."""

    def fewer(config):
        config["variables"] = config["variables"][:2]

    edited(bundle_copy, fewer)
    assert "fit" in refusal(bundle_copy)


def test_other_latent_size_does_not_fit(bundle_copy):
    edited(bundle_copy, lambda config: config["network"].update(n_latent=7))
    assert "fit" in refusal(bundle_copy)


def test_pickled_weights_are_not_unpickled(bundle_copy):
    """A pickle in the weights' place must be refused before anything in it can run."""
    marker = bundle_copy / "ran"
    payload = f"cbuiltins\nexec\n(Vopen({str(marker)!r}, 'w')\ntR.".encode()
    resealed(bundle_copy, "weights.safetensors", payload)
    refusal(bundle_copy)
    assert not marker.exists()


def test_netcdf_replaced_by_another_netcdf(bundle_copy):
    data = (bundle_copy / "normaliser.nc").read_bytes()
    resealed(bundle_copy, "months.nc", data)
    refusal(bundle_copy)


def test_shipped_bundle_is_under_20_megabytes(shipped):
    assert sum(path.stat().st_size for path in shipped.rglob("*")) < 20e6
