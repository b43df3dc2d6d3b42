"""What is told of where a variable comes from."""

from cf_files import pressure, temperature, write

from mlda_core.sources.origin import Origin
from mlda_core.sources.prepare import read_files


def test_the_origin_of_every_variable_is_told(tmp_path):
    write(tmp_path / "f.nc", {"tas": temperature(), "mslp": pressure(units="Pa")})
    told = []
    read_files([tmp_path], tell=told.append)
    assert [str(origin) for origin in told] == [
        "psl from mslp (Pa) in f.nc, 2020-01 to 2020-04; months by the bounds 'time_bnds'",
        "tas from tas (K) in f.nc, 2020-01 to 2020-04; months by the bounds 'time_bnds'",
    ]


def test_many_files_are_the_first_and_a_count():
    told = Origin("pr", ("tp", "rain"), ("m", "mm"), ("a.nc", "b.nc", "c.nc"), "1979-01", "1980-12",
                  ("by stamps within them",))  # fmt: skip
    assert str(told) == (
        "pr from tp, rain (m, mm) in a.nc and 2 more, 1979-01 to 1980-12; months by stamps "
        "within them"
    )
