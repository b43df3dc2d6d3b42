"""Load an observation table from any supported source: parsed, not yet checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlda_core.climate.interpolation import ObservationError
from mlda_core.observations import text_tables
from mlda_core.observations.cells import Cells, quoted

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    Source = (
        Path
        | str
        | bytes
        | pd.DataFrame
        | xr.Dataset
        | Mapping[str, Any]
        | Sequence[Mapping[str, Any]]
        | Cells
    )
else:
    Source = Any


def load(source: Source, *, name: str | None = None) -> Cells:
    """Load an observation table.

    Parameters
    ----------
    source : Path, str, bytes, DataFrame, Dataset, dict, list of dict or Cells
        A CSV or netCDF file, the text of a CSV, the bytes of either, or a Python table. Cells
        are returned unchanged.
    name : str, optional
        Name of the source at the beginning of messages.

    Returns
    -------
    Cells
        Has ``has_times``, and is accepted by ``read`` and ``read_months``.

    Raises
    ------
    ObservationError
        If the source cannot be read as a table.
    """
    if isinstance(source, Cells):
        return source
    if isinstance(source, str):
        # A string is never opened as a path: it may come from a visitor of the page.
        if source.strip() and not any(c in source for c in "\r\n"):
            raise ObservationError(
                f"'{quoted(source)}' is one line and no table; give a file by its Path."
            )
        return text_tables.parse(source, name or "The text")
    if isinstance(source, Path):
        name = name or str(source)
        try:
            source = source.read_bytes()
        except (OSError, ValueError) as error:
            words = getattr(error, "strerror", None) or error
            raise ObservationError(f"{name} cannot be read ({words}); check its name.") from error
    if isinstance(source, bytes | bytearray | memoryview):
        return _of_bytes(bytes(source), name or "The text")
    return _of_python(source)


def _of_bytes(data: bytes, name: str) -> Cells:
    if data[:3] == b"CDF" or data[:4] == b"\x89HDF":
        # Imported late: slow, and not needed for text.
        from mlda_core.observations import netcdf_tables

        return netcdf_tables.parse(data, name)
    text, notes = text_tables.decode(data, name)
    return text_tables.parse(text, name, notes)


def _of_python(source: Any) -> Cells:
    import pandas as pd
    import xarray as xr

    from mlda_core.observations import python_tables

    if isinstance(source, pd.DataFrame):
        return python_tables.of_frame(source)
    if isinstance(source, xr.Dataset):
        return python_tables.of_dataset(source)
    if isinstance(source, Mapping):
        return python_tables.of_columns(source)
    if isinstance(source, Sequence):
        return python_tables.of_records(source)
    raise ObservationError(
        f"Observations cannot be read from a {type(source).__name__}; give a path, a DataFrame, a "
        "list of dicts, a dict of columns or an xarray Dataset."
    )
