"""Thin the station inventory into the small table of historical coverage that is shipped.

A station observes in a decade if its record covers at least five of the decade's years (of the
2020s, where records are just ending: the year 2020). For each variable, cell of 2.5 degrees and
decade from the 1850s to the 2020s one active station is kept, the one with the longest record, so
that a map of any year shows where the atmosphere was observed, not how densely;
``mlda_core/assets/stations/README.md`` says what the file holds.

Examples
--------
With ``stations.csv.gz`` in a folder::

    python tools/make_stations.py path/to/stations
"""

import argparse
import gzip
import io
import sys
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
NAMES = {"t2m": "tas", "slp": "psl", "precip": "pr"}
DECADES = range(1850, 2030, 10)
CELL = 2.5


def read_inventory(path: Path) -> pd.DataFrame:
    """Read the inventory: one row a record, with its place and first and last year.

    Returns
    -------
    DataFrame
        variable (CF name), lat, lon (0..360), first, last, label.
    """
    data = pd.read_csv(path)
    return pd.DataFrame(
        {
            "variable": data["variable"].map(NAMES),
            "lat": data["latitude"].round(2),
            "lon": (data["longitude"] % 360.0).round(2) % 360.0,
            "first": data["start"].astype(int),
            "last": data["end"].astype(int),
            "label": data["location"].fillna("").astype(str).str.strip().str.title(),
        }
    )


def active(stations: pd.DataFrame, decade: int) -> pd.Series:
    """Whether each record counts for a decade."""
    if decade >= 2020:
        return (stations["first"] <= decade) & (stations["last"] >= decade)
    years = stations["last"].clip(upper=decade + 9) - stations["first"].clip(lower=decade) + 1
    return years >= 5


def thin(stations: pd.DataFrame) -> pd.DataFrame:
    """Keep, for each variable, cell and decade, the active station with the longest record."""
    years = stations["last"] - stations["first"]
    # Longest first; place and name decide between equals, so that the file never changes by chance.
    order = stations.assign(years=-years).sort_values(["variable", "years", "lat", "lon", "label"])
    cell = np.floor(order["lat"] / CELL) * 1000 + np.floor(order["lon"] / CELL)
    order = order.assign(cell=cell).drop(columns="years")
    kept = {
        row
        for decade in DECADES
        for row in order[active(order, decade)].drop_duplicates(["variable", "cell"]).index
    }
    chosen = order.loc[sorted(kept)].drop(columns="cell")
    return chosen.sort_values(["variable", "lat", "lon", "first", "label"], ignore_index=True)


def write(stations: pd.DataFrame, target: Path) -> None:
    """Write a table as gzip of CSV whose bytes depend on its rows alone."""
    text = stations.to_csv(index=False, float_format="%.2f")
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="") as stream:
        stream.write(text.encode())
    target.write_bytes(packed.getvalue())


def main() -> int:
    """Write the table, and print how many stations each decade has."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("source", type=Path, help="the folder with stations.csv.gz")
    parser.add_argument("--target", type=Path, default=ROOT / "mlda_core" / "assets" / "stations")
    arguments = parser.parse_args()
    path = arguments.source / "stations.csv.gz"
    if not path.is_file():
        print(f"There is no {path}: give the folder that holds it.", file=sys.stderr)
        return 1
    kept = thin(read_inventory(path))
    target = arguments.target / "stations.csv.gz"
    arguments.target.mkdir(parents=True, exist_ok=True)
    write(kept, target)
    for decade in DECADES:
        counts = kept[active(kept, decade)]["variable"].value_counts()
        print(decade, {k: int(counts.get(k, 0)) for k in NAMES.values()})
    print(f"{target}: {len(kept)} records, {target.stat().st_size / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
