"""Files of observations as archives publish them, written by their documented layouts."""

from __future__ import annotations

import datetime as dt
import struct

import numpy as np

MISSING = -9999


def ghcnm_line(station, year, months, *, element="TAVG"):
    """A line of a .dat file; ``months`` are (value, measurement, quality) or values alone."""
    cells = [m if isinstance(m, tuple) else (m, " ", " ") for m in months]
    cells += [(MISSING, " ", " ")] * (12 - len(cells))
    flagged = "".join(
        f"{value:5d}{dm}{qc}{' ' if value == MISSING else 'S'}" for value, dm, qc in cells
    )
    return f"{station:11s}{year:4d}{element:4s}{flagged}"


def ghcnm_place(station, lat, lon, name):
    """A line of an .inv file."""
    return f"{station:11s} {lat:8.4f} {lon:9.4f} {12.0:6.1f} {name:30s}"


def gsom_table(rows, *, columns=("PRCP", "PRCP_ATTRIBUTES", "TAVG", "TAVG_ATTRIBUTES")):
    """A CSV; rows are station, date, lat, lon, name and the cells of ``columns``."""
    names = ["STATION", "DATE", "LATITUDE", "LONGITUDE", "ELEVATION", "NAME", *columns]
    lines = [names, *([s, d, lat, lon, "12.0", n, *cells] for s, d, lat, lon, n, *cells in rows)]
    return "".join(",".join(f'"{cell}"' for cell in line) + "\n" for line in lines)


def isti_line(name, lat, lon, date, *, tmax=MISSING, tmin=MISSING, tavg=MISSING):
    """A line of a station's file: format(a30,1x,f10.4,1x,f10.4,1x,f8.2,1x,a8,1x,3(i5,1x),...)."""
    flags = "".join("XXX/" for _ in range(10)) + "XXX"
    sources = "/".join(["01000001"] * 3)
    return (
        f"{name:30s} {lat:10.4f} {lon:10.4f} {12.0:8.2f} {date}XX "
        f"{tmax:5d} {tmin:5d} {tavg:5d} {flags} {sources}"
    )


# First character of a field, from 1, and its length; the attachment begins at 109.
_IMMA = {
    "YR": (1, 4),
    "MO": (5, 2),
    "DY": (7, 2),
    "HR": (9, 4),
    "LAT": (13, 5),
    "LON": (18, 6),
    "IM": (24, 2),
    "ATTC": (26, 1),
    "ID": (35, 9),
    "SLP": (60, 5),
    "AT": (70, 4),
    "SST": (86, 4),
    "ATTI": (109, 2),
    "ATTL": (111, 2),
    "DUPS": (127, 2),
    "SF": (149, 1),
    "AF": (150, 1),
    "PF": (153, 1),
    "LZ": (171, 1),
}
_GOOD = {"IM": 1, "ATTC": 1, "ATTI": 1, "ATTL": 65, "DUPS": 0, "SF": 1, "AF": 1, "PF": 1}


def imma(length=173, **fields):
    """A report of the core and the ICOADS attachment; numbers are as coded, to the right."""
    line = [" "] * length
    for key, value in (_GOOD | fields).items():
        first, width = _IMMA[key]
        text = f"{value:>{width}}" if not isinstance(value, str) else f"{value:<{width}}"
        assert len(text) == width, key
        line[first - 1 : first - 1 + width] = text
    return "".join(line[:length])


def obs_seq(observations, *, copies=("observation",), qcs=("Data QC",)):
    """An ASCII sequence; observations are (type, lat, lon, height, which, values, time, variance).

    ``values`` are those of the copies and the quality controls, ``which`` DART's vertical
    coordinate: -1 is the surface, -2 undefined.
    """
    types = list(dict.fromkeys(o[0] for o in observations))
    lines = [" obs_sequence", "obs_type_definitions", f"{len(types):12d}"]
    lines += [f"{i:12d} {name:32s}" for i, name in enumerate(types, 1)]
    n = len(observations)
    lines += [f"  num_copies: {len(copies):12d}  num_qc: {len(qcs):12d}"]
    lines += [f"  num_obs: {n:12d}  max_num_obs: {n:12d}"]
    lines += [f"{name:64s}" for name in (*copies, *qcs)]
    lines += [f"  first: {1:12d}  last: {n:12d}"]
    for i, (kind, lat, lon, height, which, values, time, variance) in enumerate(observations, 1):
        past = dt.datetime.fromisoformat(time) - dt.datetime.fromisoformat("1601-01-01")
        place = (np.deg2rad(lon % 360), np.deg2rad(lat), height)
        lines += [f" OBS {i:12d}", *(f"  {v:.15g}" for v in values)]
        lines += [f"{i - 1 or -1:12d}{i + 1 if i < n else -1:12d}{-1:12d}", "obdef", "loc3d"]
        lines += [f"{place[0]:20.15f}{place[1]:20.15f}{place[2]:20.10f}  {which}", "kind"]
        lines += [f"{types.index(kind) + 1:12d}", f"{past.seconds:6d}{past.days:11d}"]
        lines += [f"  {variance:.15g}"]
    return "\n".join(lines) + "\n"


def obs_seq_binary(observations, *, copies=("observation",), qcs=("Data QC",)):
    """The same in binary: each record between its lengths, as Fortran writes it."""
    types = list(dict.fromkeys(o[0] for o in observations))
    n = len(observations)
    records = [b"obs_sequence", b"obs_type_definitions", struct.pack("i", len(types))]
    records += [struct.pack("i32s", i, f"{t:32s}".encode()) for i, t in enumerate(types, 1)]
    records += [struct.pack("iiii", len(copies), len(qcs), n, n)]
    records += [f"{name:64s}".encode() for name in (*copies, *qcs)]
    records += [struct.pack("ii", 1, n)]
    for i, (kind, lat, lon, height, which, values, time, variance) in enumerate(observations, 1):
        past = dt.datetime.fromisoformat(time) - dt.datetime.fromisoformat("1601-01-01")
        records += [struct.pack("d", v) for v in values]
        records += [struct.pack("iii", i - 1 or -1, i + 1 if i < n else -1, -1)]
        records += [struct.pack("dddi", np.deg2rad(lon % 360), np.deg2rad(lat), height, which)]
        records += [struct.pack("i", types.index(kind) + 1)]
        records += [struct.pack("ii", past.seconds, past.days), struct.pack("d", variance)]
    return b"".join(struct.pack("i", len(r)) + r + struct.pack("i", len(r)) for r in records)
