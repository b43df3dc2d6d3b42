"""Any attributes, types, packing and missing values: the truth, or one sentence."""

import warnings

import netCDF4
import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlda_core.sources import SourceError, gistemp, ncep
from mlda_core.sources.missing import decode, numbers_in
from mlda_core.sources.netcdf import find_fields
from mlda_core.sources.plausible import Check
from mlda_core.sources.prepare import read_files

LAT, LON = np.array([60.0, 30.0, 0.0]), np.array([0.0, 90.0, 180.0, 270.0])


FIELDS = {
    # Name in the file, layout, truth in canonical units, and units with their factor and offset.
    "psl": ("slp", ncep.LAYOUT, (97_000.0, 104_000.0), {
        "hPa": (0.01, 0.0), "millibars": (0.01, 0.0), "Pa": (1.0, 0.0), "hpa": (0.01, 0.0)}),
    "tas": ("air", ncep.LAYOUT, (230.0, 310.0), {
        "K": (1.0, 0.0), "degrees Celsius": (1.0, -273.15), "deg C": (1.0, -273.15),
        "degF": (1.8, -459.67)}),
    "pr": ("prate", ncep.LAYOUT, (1e-5, 2e-4), {
        "kg m**-2 s**-1": (1.0, 0.0), "mm/dy": (86_400.0, 0.0)}),
    "tasa": ("tempanomaly", gistemp.LAYOUT, (-5.0, 5.0), {
        "K": (1.0, 0.0), "degC": (1.0, 0.0), "degrees F": (1.8, 0.0)}),
}  # fmt: skip


TYPES = ["f4", "f8", "i2", "i4", "u1", "i1"]
FORMS = ["own", "f8", "f4", "i4", "text", "list", "fill and missing", "none"]
CODES = [-32768, -32767, -9999, -999, -99, 32767, 127, 255, -127, 9.969209968386869e36, 1e20, -1e30]


def spelt(code, form, dtype):
    """Return a missing value as a file may declare it."""
    if form == "text":
        return f"{code:g}"
    if form == "list":
        return np.array([code, code], dtype="f8")
    return np.dtype({"own": dtype}.get(form, form)).type(code)


@st.composite
def files(draw):
    """A raw dataset as a file stores it, with what it means."""
    variable = draw(st.sampled_from(list(FIELDS)))
    name, layout, (low, high), units = FIELDS[variable]
    said = draw(st.sampled_from(list(units)))
    factor, plus = units[said]
    months = draw(st.integers(1, 4))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    truth = rng.uniform(low, high, (months, LAT.size, LON.size))
    gaps = rng.random(truth.shape) < draw(st.sampled_from([0.0, 0.1, 0.5]))
    dtype = np.dtype(draw(st.sampled_from(TYPES)))
    own = truth * factor + plus
    attrs, step = {"units": said}, 0.0
    if dtype.kind in "iu":
        ends = np.iinfo(dtype)
        spare = 4
        span = float(ends.max) - float(ends.min) - 2 * spare
        span = min(span, 60_000.0)
        first, last = sorted((low * factor + plus, high * factor + plus))
        step = (last - first) / span * draw(st.sampled_from([1.0, 1.7]))
        base = max(float(ends.min) + spare, -30_000.0)
        offset = first - base * step
        attrs |= {"scale_factor": np.float64(step), "add_offset": np.float64(offset)}
        stored = np.round((own - offset) / step)
        own = stored * step + offset
    else:
        stored = own.astype(dtype).astype(np.float64)
    form = draw(st.sampled_from(FORMS))
    fitting = [c for c in CODES if _fits(c, dtype) and not np.any(stored == c)]
    if form != "none" and fitting:
        code = draw(st.sampled_from(fitting))
        if form == "fill and missing":
            attrs |= {"_FillValue": dtype.type(code), "missing_value": dtype.type(code)}
        elif form == "own" or _fits(code, np.dtype({"f4": "f4", "i4": "i4"}.get(form, "f8"))):
            attrs[draw(st.sampled_from(["missing_value", "_FillValue"]))] = spelt(code, form, dtype)
        else:
            gaps[:] = False
    elif dtype.kind == "f":
        code = draw(st.sampled_from([np.nan, 9.969209968386869e36, 1e20]))
    elif dtype.itemsize > 1:
        code = netCDF4.default_fillvals[dtype.str[1:]]
        gaps &= ~np.any(stored == code)
    else:
        code, gaps = 0, np.zeros_like(gaps)
    declared = [np.asarray(attrs[k]) for k in ("missing_value", "_FillValue") if k in attrs]
    if step and any(d.dtype != dtype for d in declared):
        # In another type a code may be said in unpacked terms, and a value that is it is missing.
        same = stored == np.round((float(code) - offset) / step)
        gaps = gaps | same
    stored = np.where(gaps, code if gaps.any() else 0, stored).astype(dtype)
    truth = np.where(gaps, np.nan, (own - plus) / factor)
    raw = xr.Dataset(
        {name: (("time", "lat", "lon"), stored, attrs)},
        {
            "time": ("time", 15.0 + 30.5 * np.arange(months), {"units": "days since 2001-01-01"}),
            "lat": ("lat", LAT, {"units": "degrees_north"}),
            "lon": ("lon", LON, {"units": "degrees_east"}),
        },
    )
    return variable, layout, raw, truth, step / abs(factor), high - low


def _fits(code, dtype):
    if dtype.kind == "f":
        return abs(code) < 1e37
    ends = np.iinfo(dtype)
    return float(code) == int(code) and ends.min <= code <= ends.max


def read(raw, layout, path):
    """Read a raw dataset as the file that it would be."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = decode(raw, path)
        (field,) = find_fields(path, data, layout)
        known = field.known
        check = Check(known.name, known.name, known.possible)
        return field.read(data, np.arange(raw.sizes["time"]), check=check)


@pytest.mark.slow
@settings(max_examples=2500, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=files())
def test_what_is_written_is_read(case, tmp_path_factory):
    variable, layout, raw, truth, step, span = case
    found = read(raw, layout, tmp_path_factory.getbasetemp() / "file.nc")
    wanted = truth[:, ::-1]
    assert np.array_equal(np.isnan(found), np.isnan(wanted)), variable
    np.testing.assert_allclose(found, wanted, rtol=3e-7, atol=0.01 * step + 1e-4 * span)


JUNK = (
    st.text(max_size=8)
    | st.floats(width=32)
    | st.integers(-(2**31), 2**31 - 1)
    | st.lists(st.floats(width=32), max_size=3).map(np.float32)
    | st.sampled_from(["-9999.", "NaN", "1e20", "degrees Celsius", "mm/month", "K", "Pa", "hPa"])
)


NAMES = [
    "units", "_FillValue", "missing_value", "scale_factor", "add_offset", "valid_range",
    "valid_min", "valid_max", "_Unsigned", "coordinates", "standard_name", "cell_methods",
]  # fmt: skip


@pytest.mark.slow
@settings(max_examples=2500, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    case=files(),
    junk=st.dictionaries(st.sampled_from(NAMES), JUNK, min_size=1, max_size=4),
    values=st.sampled_from(["as they are", "any", "huge", "infinite"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_attributes_give_possible_values_or_a_sentence(
    case, junk, values, seed, tmp_path_factory
):
    _, layout, raw, *_ = case
    name = next(iter(raw.data_vars))
    raw[name].attrs.update(junk)
    rng = np.random.default_rng(seed)
    stored = raw[name].values
    if values == "any":
        stored = np.frombuffer(rng.bytes(stored.nbytes), stored.dtype).reshape(stored.shape)
    elif stored.dtype.kind == "f" and values != "as they are":
        stored = np.where(rng.random(stored.shape) < 0.2, np.inf, stored).astype(stored.dtype)
        stored = stored if values == "infinite" else np.nan_to_num(stored, posinf=3e38)
    raw[name].values = stored
    try:
        found = read(raw, layout, tmp_path_factory.getbasetemp() / "file.nc")
    except SourceError as error:
        told = str(error)
    else:
        told = ""
        low, high = find_limits(layout, name)
        good = found[~np.isnan(found)]
        assert ((good >= low) & (good <= high)).all()
    assert "\n" not in told
    assert not told or told.endswith(".")


def find_limits(layout, name):
    known = next(k for k in layout.known if name in k.names)
    return known.possible.extremes


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=files())
def test_the_same_through_files(case, tmp_path_factory):
    variable, layout, raw, truth, step, span = case
    path = tmp_path_factory.mktemp("fuzz") / "file.nc"
    with netCDF4.Dataset(path, "w") as file:
        for dim, size in raw.sizes.items():
            file.createDimension(str(dim), size)
        for name, held in raw.variables.items():
            attrs = dict(held.attrs)
            fill = attrs.pop("_FillValue", None)
            if fill is not None and (np.asarray(fill).dtype != held.dtype or np.size(fill) != 1):
                # The library allows no other type, and one value only.
                attrs["missing_value"], fill = fill, None
            made = file.createVariable(str(name), held.dtype, held.dims, fill_value=fill)
            made.set_auto_maskandscale(False)
            made.setncatts(attrs)
            made[:] = held.values
    found = read_files([path], layout.key)[variable].values[0]
    wanted = truth[:, ::-1]
    assert np.array_equal(np.isnan(found), np.isnan(wanted))
    np.testing.assert_allclose(found, wanted, rtol=3e-7, atol=0.01 * step + 1e-4 * span)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None)
@given(JUNK)
def test_any_attribute_has_numbers_or_none(junk):
    assert all(isinstance(n, float) for n in numbers_in(junk))
