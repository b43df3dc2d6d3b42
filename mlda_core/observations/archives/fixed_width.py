"""Parse columns of fixed width, many lines at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Text = NDArray[np.str_]
# Lines parsed at once: some ten megabytes.
_CHUNK = 50_000


def chunks(lines: Sequence[str]) -> Iterator[tuple[NDArray[np.int64], list[str]]]:
    """Yield chunks of non-blank lines, with their line numbers from 1."""
    for begin in range(0, len(lines), _CHUNK):
        part = [line.rstrip("\r") for line in lines[begin : begin + _CHUNK]]
        kept = [i for i, line in enumerate(part) if line.strip()]
        if kept:
            yield np.array(kept, np.int64) + begin + 1, [part[i] for i in kept]


def cut(lines: Sequence[str], columns: Mapping[str, tuple[int, int]]) -> dict[str, Text]:
    """Cut lines into columns.

    Parameters
    ----------
    lines : sequence of str
        Shorter lines are padded with blanks.
    columns : mapping
        First and last character of each column, counted from 1 as in format documentation.

    Returns
    -------
    dict
        Text of each column, stripped, shape (n,).
    """
    width = max(last for _, last in columns.values())
    letters = np.array(lines, dtype=f"U{width}").reshape(-1, 1).view("U1")
    return {
        name: np.char.strip(
            np.ascontiguousarray(letters[:, first - 1 : last]).view(f"U{last - first + 1}")[:, 0]
        )
        for name, (first, last) in columns.items()
    }


def decimals(text: Text) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return numbers, NaN where blank, and a mask of invalid text."""
    return _numbers(text, r"[+-]?\d+(\.\d*)?")


def integers(text: Text) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return integers like :func:`decimals`; a decimal point is invalid."""
    return _numbers(text, r"[+-]?\d+")


def years(text: Text) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return years, 1600 to 2099, like :func:`decimals`."""
    return _numbers(text, r"(?:1[6-9]|20)\d\d")


def _numbers(text: Text, pattern: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    plain = pd.Series(text, dtype="str").str.fullmatch(pattern).to_numpy(bool)
    values = np.full(text.shape, np.nan)
    values[plain] = text[plain].astype(np.float64)
    return values, ~plain & (text != "")


def name(text: str) -> str:
    """Return a name decoded as UTF-8 if valid, otherwise unchanged."""
    try:
        return text.encode("latin-1").decode("utf-8").strip()
    except UnicodeDecodeError:
        return text.strip()
