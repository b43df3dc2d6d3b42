"""DART: observation sequences of the Data Assimilation Research Testbed, by pydartdiags.

Types of observations follow DART's own definitions (observations/forward_operators), and quality
control values its quality_control_mod.
"""

from __future__ import annotations

import struct
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlda_core.observations.archives.documents import ArchiveError, Document
from mlda_core.observations.archives.selection import ZERO_CELSIUS, Tally, Wanted, rows

# Pressure reduced to the sea in a standard atmosphere, hPa.
_ALTIMETER = (
    "RADIOSONDE_SURFACE_ALTIMETER",
    "DROPSONDE_SURFACE_ALTIMETER",
    "MARINE_SFC_ALTIMETER",
    "LAND_SFC_ALTIMETER",
    "METAR_ALTIMETER",
    "MESONET_SURFACE_ALTIMETER",
)
# Pressure at the station, Pa.
_STATION_PRESSURE = (
    "MARINE_SFC_PRESSURE",
    "SHIP_SURFACE_PRESSURE",
    "BUOY_SURFACE_PRESSURE",
    "LAND_SFC_PRESSURE",
    "SYNOP_SURFACE_PRESSURE",
    "METAR_SURFACE_PRESSURE",
    "RADIOSONDE_SURFACE_PRESSURE",
    "DROPSONDE_SURFACE_PRESSURE",
    "MESONET_SURFACE_PRESSURE",
)
# Temperature of the air near the ground, K.
_AIR = (
    "LAND_SFC_TEMPERATURE",
    "MARINE_SFC_TEMPERATURE",
    "METAR_TEMPERATURE_2_METER",
    "SYNOP_TEMPERATURE",
    "SHIP_TEMPERATURE",
    "BUOY_TEMPERATURE",
    "MESONET_TEMPERATURE",
)
# Sea surface temperature, degC or K depending on the converter that wrote the file.
_SEA = (
    "SATELLITE_MICROWAVE_SST",
    "SATELLITE_INFRARED_SST",
    "SATELLITE_BLENDED_SST",
    "OI_SEA_SURFACE_TEMPERATURE",
)
# Greatest heights at which pressure counts as sea-level pressure: a sounding 20 K from the standard
# atmosphere is wrong by 0.8 hPa at 100 m, and station pressure is 1.2 hPa too low at 10 m.
_HEIGHTS = {**dict.fromkeys(_ALTIMETER, 100.0), **dict.fromkeys(_STATION_PRESSURE, 10.0)}
_VARIABLES = {
    **dict.fromkeys(_ALTIMETER, "psl"),
    **dict.fromkeys(_STATION_PRESSURE, "psl"),
    **dict.fromkeys(_AIR, "tas"),
    **dict.fromkeys(_SEA, "tos"),
}
# SST above this is in K, below in degC.
_KELVIN = 100.0
# DART's quality control: assimilated, or evaluated only.
_USED = (0, 1)
# Incoming quality control: largest accepted value, DART's own threshold.
_INCOMING = 3
# DART's missing value.
_MISSING = -888888.0
# Exceptions that pydartdiags raises on damaged files, which it does not check for.
_UNREADABLE = (
    OSError,
    OverflowError,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    UnboundLocalError,
    struct.error,
)
_METRES = {"surface (m)", "height (m)"}


def recognise(head: Sequence[str]) -> bool:
    """Recognise a sequence by its first line; binary ones start with the record's length."""
    first = head[0] if head else ""
    binary = "\0" in first[:20] and "obs_sequence" in first[:30]
    return binary or first.strip() == "obs_sequence"


def read(documents: Iterator[Document], wanted: Wanted, tally: Tally) -> Iterator[pd.DataFrame]:
    """Read sequences.

    Parameters
    ----------
    documents : iterator of Document
        ASCII, or Fortran binary.
    wanted : Wanted
    tally : Tally

    Yields
    ------
    DataFrame
        Rows of the observation table; error_sd is the root of DART's error variance.

    Raises
    ------
    ArchiveError
        If a file has no places on the globe, or cannot be read.
    ImportError
        If pydartdiags is not installed.
    """
    for document in documents:
        yield from _read(document, _sequence(document, tally), wanted, tally)


def _sequence(document: Document, tally: Tally) -> Any:
    from pydartdiags.obs_sequence.obs_sequence import ObsSequence

    class Tolerant(ObsSequence):
        """Skip unreadable observations instead of failing."""

        def _obs_to_list(self, obs: list[str]) -> list[Any] | None:
            try:
                return super()._obs_to_list(obs)
            except (ValueError, IndexError, KeyError, OverflowError) as error:
                if "loc1d" in str(error):
                    error = ValueError("it has no place")
                damaged.append((obs[0], str(error)))
                return None

        def _create_all_obs(self) -> list[list[Any]]:
            return [obs for obs in super()._create_all_obs() if obs is not None]

    damaged: list[tuple[str, str]] = []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # Deprecations of pandas that concern pydartdiags only.
        warnings.simplefilter("ignore", DeprecationWarning)
        path = document.path
        if path is None:
            path = Path(folder) / "obs_seq"
            path.write_bytes(document.data)
        try:
            sequence = Tolerant(str(path))
        except _UNREADABLE as error:
            _record_damaged(document, damaged, tally)
            if damaged:
                return None
            raise ArchiveError(
                f"{document.name} cannot be read as an observation sequence ({error}); write it "
                "again with DART's obs_sequence_tool."
            ) from error
    _record_damaged(document, damaged, tally)
    if sequence.loc_mod != "loc3d":
        raise ArchiveError(
            f"{document.name} has no latitudes and longitudes; only the globe can be read."
        )
    return sequence


def _record_damaged(document: Document, damaged: list[tuple[str, str]], tally: Tally) -> None:
    """Record unreadable observations, by the lines at which they begin."""
    if not damaged:
        return
    # A binary file has no lines.
    begin = {" ".join(x.split()): i for i, x in enumerate(document.lines, 1) if "OBS" in x}
    for heading, reason in damaged:
        number = " ".join(heading.split())
        where = f", line {begin[number]}" if number in begin else ""
        tally.damaged.append(f"{document.name}{where}: {number} cannot be read ({reason}).")


def _read(
    document: Document, sequence: Any, wanted: Wanted, tally: Tally
) -> Iterator[pd.DataFrame]:
    if sequence is None:
        return
    table = sequence.df
    if "observation" not in table:
        raise ArchiveError(
            f"{document.name} has no copy 'observation' but "
            f"{', '.join(sequence.non_qc_copie_names)}; only observed values can be read."
        )
    timed = table["time"].notna()
    tally.leave_out("observations without a time", int((~timed).sum()))
    table = table[timed]
    time = pd.DatetimeIndex(table["time"])
    tally.saw(time.year)
    here = wanted.asks(time.year, time.month, table["latitude"], table["longitude"])
    variable = table["type"].map(_VARIABLES)
    for kind, number in table["type"][here & variable.isna()].astype(str).value_counts().items():
        tally.leave_out(f"{kind} has no counterpart in the table", int(number))
    good = here & variable.isin([v for v in set(_VARIABLES.values()) if wanted.wants(v)])
    missing = good & (table["observation"].isna() | (table["observation"] == _MISSING))
    tally.leave_out("missing values", int(missing.sum()))
    good &= ~missing
    if not wanted.keep_flagged:
        good &= _passes(table, sequence.qc_copie_names, good, tally)
    limit = table["type"].map(_HEIGHTS)
    metres = table["vertical"].where(table["vert_unit"].isin(_METRES))
    too_high = good & limit.notna() & ~(metres.abs() <= limit)
    tally.leave_out("pressure higher than the sea, or at no stated height", int(too_high.sum()))
    table, variable = table[good & ~too_high], variable[good & ~too_high]
    for name in ("psl", "tas", "tos"):
        part = table[variable == name]
        if len(part):
            yield rows(name, _columns(name, part), tally)


def _passes(
    table: pd.DataFrame, checks: Sequence[str], selected: pd.Series, tally: Tally
) -> pd.Series:
    """Whether observations pass DART's quality control, or the incoming one if there is none."""
    fine = pd.Series(data=True, index=table.index)
    if "DART_quality_control" in table:
        column = table["DART_quality_control"]
        fine = column.isin(_USED)
        for value, number in column[selected & ~fine].value_counts().items():
            tally.leave_out(f"DART quality control {value:g}", int(number))
        return fine
    for name in checks:
        over = table[name] > _INCOMING
        tally.leave_out(f"{name} above {_INCOMING}", int((selected & fine & over).sum()))
        fine &= ~over
    return fine


def _columns(variable: str, part: pd.DataFrame) -> dict[str, Any]:
    value = part["observation"].to_numpy(np.float64)
    scale = np.ones(value.shape)
    if variable == "tos":
        value = np.where(value < _KELVIN, value + ZERO_CELSIUS, value)
    if variable == "psl":
        scale = np.where(part["type"].isin(_STATION_PRESSURE), 0.01, 1.0)
    time = pd.DatetimeIndex(part["time"])
    variance = part["obs_err_var"].to_numpy(np.float64)
    return {
        "lat": part["latitude"].to_numpy(),
        "lon": part["longitude"].to_numpy(),
        "value": value * scale,
        # With an invalid variance, the table's default error applies.
        "error_sd": np.sqrt(np.where(variance > 0, variance, np.nan)) * scale,
        "year": time.year.to_numpy(),
        "month": time.month.to_numpy(),
        "label": part["type"].to_numpy(),
    }
