"""Where next: the places that ``mlda assimilate --where-next`` finds, printed and written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from mlda_core.cli.console import out
from mlda_core.cli.output_files import TABLES, OutputError, refuse_inputs, whole
from mlda_core.climate.errors import StateError

if TYPE_CHECKING:
    import pandas as pd

    from mlda_core.assimilation.assimilator import Assimilator
    from mlda_core.assimilation.options import Setting
    from mlda_core.assimilation.targeting import NextObservations
    from mlda_core.bundle.bundle import Bundle

Count = Annotated[
    int | None,
    typer.Option(
        "--where-next",
        min=1,
        help="Print so many places where more observations would lower the spread most, in order.",
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        "--where-next-target",
        help="Whose spread they lower, VAR:REGION: a named region, or SOUTH,NORTH,WEST,EAST; the "
        "first variable over the globe by default.",
    ),
]
Variable = Annotated[
    str | None,
    typer.Option("--where-next-variable", help="What they observe; the target's by default."),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--where-next-out",
        help="CSV of these places to write, an observation table without values.",
    ),
]


@dataclass
class NextPlaces:
    """What ``--where-next`` asks for, and what was found of each month.

    Parameters
    ----------
    count : int or None
        Places a month; None for no search.
    target, variable : str or None
        As on the command line.
    output : Path or None
        CSV to write.
    """

    count: int | None
    target: str | None
    variable: str | None
    output: Path | None
    _tables: list[pd.DataFrame] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        """Check that what is asked for goes together."""
        asked = self.target or self.variable or self.output
        if self.count is None and asked is not None:
            raise StateError(
                "--where-next-target, --where-next-variable and --where-next-out are about "
                "--where-next; say how many places: --where-next 10."
            )

    def refuse(self, inputs: list[Any], output: Path) -> None:
        """Refuse to write over what is read, or over the other output.

        Raises
        ------
        OutputError
            If the file of the places is one of these.
        """
        if self.output is None:
            return
        refuse_inputs(self.output, inputs, read=TABLES)
        if self.output.resolve() == output.resolve():
            raise OutputError(
                f"--where-next-out {self.output} is what --out names too; give another name."
            )

    def check(self, bundle: Bundle, setting: Setting) -> None:
        """Check what is asked for before anything is assimilated.

        Raises
        ------
        ObservationError, StateError
            If there is no such variable or region, or the method has no posterior.
        """
        if self.count is None:
            return
        from mlda_core.assimilation.targeting import check, target_of

        target = target_of(self.target or bundle.variables[0].name)
        check(bundle, self.variable or target.variable, target, setting, count=self.count)

    def find(
        self, engine: Assimilator, table: pd.DataFrame, month: str, asked: dict[str, Any]
    ) -> None:
        """Find the places of a month, and print them."""
        if self.count is None:
            return
        from mlda_core.assimilation.targeting import target_of, where_next

        target = target_of(self.target or engine.bundle.variables[0].name)
        variable = self.variable or target.variable
        found = where_next(engine, table, month, variable, target=target, count=self.count, **asked)
        tell(found, month)
        made = found.observations()
        made.insert(0, "time", month)
        self._tables.append(made)

    def write(self) -> None:
        """Write the places of all months, where a file is asked for."""
        if self.output is None or not self._tables:
            return
        import pandas as pd

        from mlda_core.observations.files import to_csv

        text = to_csv(pd.concat(self._tables, ignore_index=True))
        with whole(self.output) as part:
            part.write_text(text)
        out.print(f"Wrote {self.output}", highlight=False)


def tell(found: NextObservations, month: str) -> None:
    """Print a table of the places."""
    from mlda_core.climate.places import latitude, longitude

    target, unit = found.target, found.units
    shown = Table(
        title=f"{month}: where {found.variable} would lower the spread of {target.variable}, "
        f"{target.region.short}, now {found.spread:.3g} {unit}"
    )
    shown.add_column("")
    for head in ("latitude", "longitude", "error", f"spread then ({unit})", "variance"):
        shown.add_column(head, justify="right")
    names = ("lat", "lon", "error_sd", "spread", "variance")
    columns = [found.best[name].to_numpy(float).tolist() for name in names]
    for i, (lat, lon, error_sd, spread, variance) in enumerate(zip(*columns, strict=True)):
        less = 100.0 * (variance / found.variance - 1.0)
        cells = (latitude(lat, 1), longitude(lon, 1), f"{error_sd:.2f}", f"{spread:.3g}")
        shown.add_row(str(i + 1), *cells, f"{less:.1f} %")
    out.print(shown)
