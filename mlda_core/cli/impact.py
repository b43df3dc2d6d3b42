"""The commands ``mlda impact train`` and ``predict``: a measured series from the latent vector."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import typer
from rich.table import Table

from mlda_core.cli.console import one_sentence, out, ticking
from mlda_core.cli.output_files import files_of_bundle, refuse_inputs, whole

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from numpy.typing import NDArray

    from mlda_core.bundle.bundle import Bundle
    from mlda_core.impact.head import ImpactHead, Prediction

impact_app = typer.Typer(
    help="Models of a measured series, such as a river's flow, from the latent vector.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
METHODS = {"head": "this head", "ridge": "linear regression", "climatology": "climatology"}
# Quantiles of a distribution that are written.
QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


@impact_app.command("train")
def train(  # noqa: PLR0917 - options of a command, given by name
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    series: Annotated[
        Path,
        typer.Argument(
            help="The series: CSV of two columns, date and value, by days or months; or a file of "
            "the UK National River Flow Archive."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--out", help="Folder to write; inside the bundle, impacts/NAME, the page shows it."
        ),
    ],
    title: Annotated[
        str | None, typer.Option(help="What people read, instead of what the file says.")
    ] = None,
    units: Annotated[
        str | None, typer.Option(help="Units of the series, instead of the file's.")
    ] = None,
    how: Annotated[
        Literal["mean", "sum"], typer.Option(help="What becomes of the days of a month.")
    ] = "mean",
    min_days: Annotated[
        float,
        typer.Option(min=0.01, max=1.0, help="Part of a month's days that must have a value."),
    ] = 0.9,
    missing: Annotated[
        list[float] | None,
        typer.Option(help="A number that stands for a missing value; may be given again."),
    ] = None,
    latents: Annotated[
        int, typer.Option(min=0, help="Leading latents that the head sees; 0 to choose them.")
    ] = 0,
    memory: Annotated[
        int, typer.Option(min=0, max=24, help="How many months before count too: a river's past.")
    ] = 0,
    hidden: Annotated[int, typer.Option(min=1, help="Hidden units of each network.")] = 16,
    members: Annotated[int, typer.Option(min=1, help="Networks of the ensemble.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Of the networks' start and of training.")] = 0,
    score_test: Annotated[
        bool,
        typer.Option("--score-test", help="Score TEST months too: once, for a head that is kept."),
    ] = False,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
) -> None:
    """Train a head: the distribution of a month's value given its latent vector.

    Example: `mlda impact train assets/bundles/real 39001_gdf.csv --memory 3
    --out assets/bundles/real/impacts/thames`
    """
    with one_sentence():
        import torch

        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.impact.files import FILES, checked_name, save_impact
        from mlda_core.impact.fitting import Training
        from mlda_core.impact.series import read_series
        from mlda_core.impact.training import train_impact

        torch.set_num_threads(threads)
        name = checked_name(output.name)
        if output.exists() and not output.is_dir():
            raise ValueError(f"{output} is a file; give a folder for the head, or move the file.")
        for written in (*FILES, "head.json"):
            refuse_inputs(output / written, [series, *files_of_bundle(bundle)])
        training = Training(
            n_latent=latents, memory=memory, hidden=hidden, members=members, seed=seed
        )
        given = read_series(
            series, name=title, units=units, how=how, min_share=min_days, missing=missing or ()
        )
        model = load_bundle(bundle)
        out.print(
            f"{given.name}: {len(given.months)} months, {given.months[0]} to {given.months[-1]}"
            + (f"; {len(given.left_out)} have too few days" if given.left_out else ""),
            highlight=False,
        )
        with ticking() as tick:
            head = train_impact(
                model, given, name=name, training=training, score_test=score_test, tick=tick
            )
        head.about["how"] = how
        head.about["command"] = shlex.join(
            _command(bundle, series, output, title, units, how, min_days, missing or [], training)
            + (["--score-test"] if score_test else [])
        )
        save_impact(head, model, output)
    months = head.about["months"]
    out.print(
        f"Trained on {months['train']} months, stopped by {months['stopping']} "
        f"({' and '.join(head.about['stopping'])}); it sees {head.n_used} of {head.n_latent} "
        "latents" + (f", and their mean over {head.memory} months before" if head.memory else ""),
        highlight=False,
    )
    for split in head.scores:
        out.print(_scores_table(head, split))
    out.print(f"Wrote {output}", highlight=False)


@impact_app.command("predict")
def predict(
    bundle: Annotated[Path, typer.Argument(help="Folder of the bundle.")],
    head: Annotated[
        str, typer.Argument(help="Folder of the head, or the name of one of the bundle's own.")
    ],
    month: Annotated[
        list[str] | None, typer.Option(help="YYYY-MM of the bundle; may be given again.")
    ] = None,
    months: Annotated[
        str | None, typer.Option(help="All months of the bundle from YYYY-MM to YYYY-MM: A:B.")
    ] = None,
    analyses: Annotated[
        Path | None,
        typer.Option(help="Instead: the latent vectors of a file that 'mlda assimilate' wrote."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--out", help="CSV or netCDF file to write.")
    ] = None,
) -> None:
    """Predict the series of months: mean and quantiles.

    Example: `mlda impact predict assets/bundles/real thames --months 1997-01:1998-12`
    """
    with one_sentence():
        from mlda_core.bundle.bundle import load_bundle
        from mlda_core.impact.files import load_impact

        if output is not None and output.suffix not in {".csv", ".nc"}:
            raise ValueError(f"{output} is neither .csv nor .nc; give --out one of these endings.")
        if output is not None:
            refuse_inputs(output, [analyses, head, *files_of_bundle(bundle)])
        model = load_bundle(bundle)
        model_head = load_impact(head, model)
        if analyses is not None:
            if month or months:
                raise ValueError("The months are those of --analyses; leave --month and --months.")
            names, z = _read_codes(analyses, model)
        else:
            from mlda_core.cli.perturb import choose_months

            names = (
                choose_months(model, month or [], months) if month or months else list(model.months)
            )
            z = np.stack([model.code(name) for name in names])
        prediction = model_head.predict(z, names)
        table = to_table(model_head, names, prediction)
        if output is None:
            out.print(_prediction_table(model_head, table))
        else:
            words = ["mlda", "impact", "predict", str(bundle), head]
            words += [w for name in month or [] for w in ("--month", name)]
            words += ["--months", months] if months else []
            words += ["--analyses", str(analyses)] if analyses else []
            words += ["--out", str(output)]
            with whole(output) as part:
                if output.suffix == ".csv":
                    table.to_csv(part, index=False, float_format="%.5g")
                else:
                    data = to_dataset(model_head, table, model, shlex.join(words))
                    data.to_netcdf(part, engine="netcdf4")
            out.print(f"{len(table)} months: wrote {output}", highlight=False)


def to_table(head: ImpactHead, months: list[str], prediction: Prediction) -> pd.DataFrame:
    """Return predictions as a table.

    Parameters
    ----------
    head : ImpactHead
    months : list of str
        ``YYYY-MM`` each.
    prediction : Prediction
        Of these months.

    Returns
    -------
    DataFrame
        Columns month, split (empty if the head's bundle lacks the month), seen, observed,
        mean, and q05 to q95.
    """
    import pandas as pd

    record = head.record
    rows = [record.row.get(month) for month in months]
    table = pd.DataFrame({
        "month": months,
        "split": ["" if i is None else record.splits[i] for i in rows],
        "seen": [i is not None and bool(record.seen[i]) for i in rows],
        "observed": [np.nan if i is None else record.observed[i] for i in rows],
        "mean": prediction.mean,
    })  # fmt: skip
    for level, values in zip(QUANTILES, prediction.quantile(np.array(QUANTILES)).T, strict=True):
        table[f"q{100 * level:02.0f}"] = values
    return table


def to_dataset(head: ImpactHead, table: pd.DataFrame, bundle: Bundle, command: str) -> xr.Dataset:
    """Return predictions as a CF dataset of one dimension, time, and one of quantile levels."""
    import xarray as xr

    from mlda_core.climate.cf import time_axis

    units = {"units": head.units or "1"}
    quantiles = table[[f"q{100 * level:02.0f}" for level in QUANTILES]].to_numpy()
    flags = {"flag_values": np.array([0, 1], np.int8), "flag_meanings": "incomplete complete"}
    return xr.Dataset(
        {
            "mean": ("time", table["mean"].to_numpy(), {**units, "long_name": "predicted mean"}),
            "quantile": (
                ("time", "level"), quantiles, {**units, "long_name": "predicted quantiles"},
            ),
            "observed": ("time", table["observed"].to_numpy(), {**units, "long_name": "measured"}),
            "seen": (
                "time", table["seen"].to_numpy().astype(np.int8),
                {"long_name": "whether the bundle has enough of every variable", **flags},
            ),
            "split": ("time", table["split"].to_numpy(str), {"long_name": "split of the month"}),
        },
        coords={
            "time": time_axis(list(table["month"])),
            "level": ("level", np.array(QUANTILES), {"units": "1", "long_name": "probability"}),
        },
        attrs={
            "Conventions": "CF-1.11",
            "title": f"{head.title}, predicted by {bundle.title}",
            "source": f"mlda impact head {head.name}, bundle {bundle.name}",
            "history": command,
            "scores": str(head.scores),
        },
    )  # fmt: skip


def _read_codes(path: Path, bundle: Bundle) -> tuple[list[str], NDArray[np.float64]]:
    """Return months and latent vectors from a file of analyses."""
    import xarray as xr

    from mlda_core.assimilation.methods import method_of

    try:
        with xr.open_dataset(path, engine="netcdf4") as file:
            months = [str(t)[:7] for t in file["time"].values]
            z = np.asarray(file["z"].transpose("time", "latent").values, np.float64)
            method = json.loads(file.attrs["settings"])["method"]
            weights = json.loads(file.attrs["bundle_checksums"])["weights.safetensors"]
        # Latent vectors of EOFs belong to another space.
        if method_of(str(method)).latent != "decoder":
            raise KeyError(method)
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise ValueError(
            f"{path} has no latent vectors; give a file that 'mlda assimilate' wrote with a method "
            "that has them, such as vae."
        ) from error
    if weights != bundle.config["checksums"]["weights.safetensors"]:
        raise ValueError(
            f"{path} was made with another bundle than {bundle.path}; give analyses of this one."
        )
    return months, z


def _command(  # noqa: PLR0917 - all options of the command, in its order
    bundle: Path, series: Path, output: Path, title: str | None, units: str | None, how: str,
    min_days: float, missing: list[float], training: Any,
) -> list[str]:  # fmt: skip
    words = ["mlda", "impact", "train", str(bundle), series.name, "--out", str(output)]
    words += ["--title", title] if title is not None else []
    words += ["--units", units] if units is not None else []
    words += ["--how", how, "--min-days", f"{min_days:g}"]
    words += [w for value in missing for w in ("--missing", f"{value:g}")]
    for name, option in (
        ("n_latent", "latents"), ("memory", "memory"), ("hidden", "hidden"),
        ("members", "members"), ("seed", "seed"),
    ):  # fmt: skip
        words += [f"--{option}", str(getattr(training, name))]
    return words


def _scores_table(head: ImpactHead, split: str) -> Table:
    from mlda_core.impact.scores import rows_of

    scores = head.scores[split]
    names = " and ".join(head.about["stopping"]) if split == "validation" else split
    fitted = {"train": ": fit, not skill", "validation": ": they told when to stop"}.get(split, "")
    table = Table(title=f"{scores['months']} {names} months of {scores['years']} years{fitted}")
    for column in ("method", "explained variance", "r", f"CRPS {head.units}".strip(),
                   "CRPS skill (90 %)", "80 % holds"):  # fmt: skip
        table.add_column(column, justify="left" if column == "method" else "right")
    for method, s in rows_of(scores):
        low, high = s["crps_skill_interval"]
        table.add_row(
            METHODS.get(method, method),
            f"{s['explained_variance']:.2f}",
            "-" if s["correlation"] is None else f"{s['correlation']:.2f}",
            f"{s['crps']:.3g}",
            "-" if method == "climatology" else f"{s['crps_skill']:.2f} ({low:.2f} to {high:.2f})",
            f"{100 * s['coverage']:.0f} %",
        )
    return table


def _prediction_table(head: ImpactHead, table: pd.DataFrame) -> Table:
    shown = Table(title=f"{head.title}{f', {head.units}' if head.units else ''}")
    columns = {"month": "month", "split": "split", "q10": "10 %", "q50": "median", "q90": "90 %",
               "mean": "mean", "observed": "observed"}  # fmt: skip
    for title in columns.values():
        shown.add_column(title, justify="left" if title in ("month", "split") else "right")
    for _, row in table.iterrows():
        cells = [row["month"], row["split"]]
        cells += [f"{row[c]:.3g}" if np.isfinite(row[c]) else "-" for c in list(columns)[2:]]
        shown.add_row(*cells)
    return shown
