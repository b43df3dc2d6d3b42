"""A damaged or foreign folder is refused in one sentence that names the culprit."""

import json
import os
import shutil

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from mlda_core.bundle import FILES, BundleError, checksum, load_bundle


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


@pytest.mark.parametrize("key", ["variables", "network", "checksums"])
@pytest.mark.parametrize("value", ["absent", None, [], {}, 7, "text", [1, 2], ["psl"]])
def test_configuration_with_a_part_amiss(bundle_copy, key, value):
    def change(config):
        if value == "absent":
            del config[key]
        else:
            config[key] = value

    edited(bundle_copy, change)
    refusal(bundle_copy)


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
    replace(bundle_copy / "weights.safetensors", payload)
    digest = checksum(bundle_copy / "weights.safetensors")
    edited(bundle_copy, lambda c: c["checksums"].update({"weights.safetensors": digest}))
    refusal(bundle_copy)
    assert not marker.exists()


def test_netcdf_replaced_by_another_netcdf(bundle_copy):
    data = (bundle_copy / "normaliser.nc").read_bytes()
    replace(bundle_copy / "months.nc", data)
    digest = checksum(bundle_copy / "months.nc")
    edited(bundle_copy, lambda c: c["checksums"].update({"months.nc": digest}))
    refusal(bundle_copy)


def test_shipped_bundle_is_under_20_megabytes(shipped):
    assert sum(path.stat().st_size for path in shipped.rglob("*")) < 20e6
