"""Common options for observations, and the handling of rejected rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from mlda_core.cli.console import errors

if TYPE_CHECKING:
    from mlda_core.observations.record import Record

# Exit code if output was written although rows were rejected.
REFUSED = 3
# Number of rejected rows printed; the file lists all.
_MOST_PRINTED = 10

KeepCodes = Annotated[
    bool,
    typer.Option(
        "--keep-codes", help="Keep values such as -9.99 that usually stand for missing ones."
    ),
]
MergeRepeated = Annotated[
    bool, typer.Option("--merge-repeated", help="Merge rows of one variable, place and month.")
]
BasePeriod = Annotated[
    str | None,
    typer.Option(help="Base period of the anomalies, such as 1951-1980; the bundle's by default."),
]
DayFirst = Annotated[
    bool | None, typer.Option(help="How to read dates such as 05/04/1997; refused by default.")
]
Robust = Annotated[
    bool,
    typer.Option(
        "--robust",
        help="Down-weight observations more than 4 standard deviations from what all others say.",
    ),
]
Strict = Annotated[
    bool, typer.Option("--strict", help="Write nothing, and exit 2, if any row is refused.")
]
AllowRefused = Annotated[
    bool, typer.Option("--allow-refused", help="Exit 0, and not 3, though rows are refused.")
]


@dataclass(frozen=True)
class Refusals:
    """Handling of rejected rows.

    Parameters
    ----------
    strict : bool
        Whether to write nothing if there are any.
    allowed : bool
        Whether the command succeeds nevertheless.
    """

    strict: bool
    allowed: bool

    def __post_init__(self) -> None:
        if self.strict and self.allowed:
            raise ValueError("--strict and --allow-refused exclude each other; leave one out.")

    def tell(self, record: Record) -> None:
        """Print notes on how the input was read, and the rejected rows.

        Raises
        ------
        ObservationError
            If there are any and ``strict`` is set.
        """
        from mlda_core.observations.table import ObservationError

        for note in record.notes[:_MOST_PRINTED]:
            errors.print(f"Note: {note}", markup=False, highlight=False)
        if len(record.notes) > _MOST_PRINTED:
            errors.print(
                f"... and {len(record.notes) - _MOST_PRINTED} notes more.", highlight=False
            )
        lines = record.rejected
        for line in lines[:_MOST_PRINTED]:
            errors.print(line, style="yellow", markup=False, highlight=False)
        if len(lines) > _MOST_PRINTED:
            errors.print(
                f"... and {len(lines) - _MOST_PRINTED} rows more.", style="yellow", highlight=False
            )
        if lines and self.strict:
            raise ObservationError(
                f"{refused(len(lines), record.n_rows)} and nothing is written; correct or remove "
                "them, or leave out --strict."
            )

    def end(self, n_refused: int, n_rows: int) -> None:
        """Print the number of rejected rows, and exit accordingly.

        Raises
        ------
        Exit
            With :data:`REFUSED` if there are any and they are not allowed.
        """
        if not n_refused:
            return
        errors.print(
            f"{refused(n_refused, n_rows)}: what is written is of the others.",
            style="bold yellow",
            markup=False,
            highlight=False,
        )
        if not self.allowed:
            raise typer.Exit(REFUSED)


def refused(count: int, n_rows: int) -> str:
    """Return a sentence on the number of rejected rows."""
    return f"{count} of {n_rows} rows of observations {'was' if count == 1 else 'were'} refused"
