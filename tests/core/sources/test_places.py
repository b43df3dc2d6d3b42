"""Files, stores and addresses."""

import numpy as np
import pytest
import xarray as xr
from cf_files import JAN, SHAPE, months, temperature, write
from refusals import refusal

from mlda_core.sources import SourceError, netcdf, places
from mlda_core.sources.places import Address
from mlda_core.sources.prepare import read_files


@pytest.mark.parametrize("name", ["a.NC", "a.nc4", "a.netcdf", "a.h5", "a.Nc"])
def test_endings_of_files(tmp_path, name):
    write(tmp_path / name, {"tas": temperature()})
    (tmp_path / "._a.nc").write_bytes(b"\x00\x05\x16\x07 Mac OS X")
    (tmp_path / ".hidden.nc").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("none of it")
    assert months(read_files([tmp_path])) == JAN
    assert "companion file of macOS" in refusal(tmp_path / "._a.nc")


@pytest.mark.parametrize("form", [2, 3])
@pytest.mark.parametrize("name", ["a.zarr", "store"])
def test_zarr_stores(tmp_path, name, form):
    data = write(tmp_path / "f.nc", {"tas": temperature()})
    (tmp_path / "f.nc").unlink()
    data.to_zarr(tmp_path / name, zarr_format=form, consolidated=False)
    for given in (tmp_path / name, tmp_path, str(tmp_path / name)):
        found = read_files([given])
        assert months(found) == JAN
        np.testing.assert_allclose(found["tas"][0], 283 + SHAPE, rtol=1e-6)


def test_a_store_without_zarr_is_told_which_extra(tmp_path, monkeypatch):
    store = tmp_path / "a.zarr"
    store.mkdir()
    monkeypatch.setattr(places, "find_spec", lambda _: None)
    assert "pip install 'mlda-climate[scale]'" in refusal(store)
    monkeypatch.undo()
    assert "a.zarr cannot be read as a Zarr store" in refusal(store)


def test_addresses_are_opened_as_they_are(tmp_path, monkeypatch):
    path = tmp_path / "f.nc"
    write(path, {"tas": temperature()})
    asked = []

    def opened(place, **how):
        asked.append((place, how["engine"]))
        return open_dataset(path, engine="netcdf4", decode_cf=False)

    open_dataset = xr.open_dataset
    monkeypatch.setattr(places.xr, "open_dataset", opened)
    address = "https://psl.noaa.gov/thredds/dodsC/Datasets/f.nc"
    assert months(read_files([address])) == JAN
    assert set(asked) == {(address, "netcdf4")}
    assert read_files([address]).equals(read_files([Address(address)]))


def test_a_refused_connection_is_one_sentence():
    message = refusal("http://127.0.0.1:9/dodsC/f.nc")
    assert message.startswith("http://127.0.0.1:9/dodsC/f.nc cannot be read as OPeNDAP")
    assert "check the address" in message


def test_schemes_that_nothing_reads():
    assert "'ftp'" in refusal("ftp://127.0.0.1/f.nc")


def test_a_server_that_fails_while_it_is_read(tmp_path, monkeypatch):
    def failing(*_):
        raise RuntimeError("NetCDF: DAP failure")

    write(tmp_path / "f.nc", {"tas": temperature()})
    monkeypatch.setattr(
        netcdf, "open_served", lambda _: xr.open_dataset(tmp_path / "f.nc", decode_cf=False)
    )
    monkeypatch.setattr(netcdf, "is_eof_file", failing)
    with pytest.raises(SourceError, match=r"^https://example.org/f.nc .*DAP failure.*\.$"):
        read_files(["https://example.org/f.nc"], "cf")
