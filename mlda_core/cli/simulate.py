"""The command ``mlda simulate``: climate simulations with SPEEDY in JAX."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from mlda_core.cli.console import one_sentence, out
from mlda_core.cli.prepare import numbers

# Limits of the model's Gregorian clock, and of four-digit file names.
_FIRST, _LAST = 2, 9998


def simulate(
    output: Annotated[Path, typer.Option("--out", help="Folder to write, or to go on with.")],
    years: Annotated[str, typer.Option(help="First and last year: 1979-1988.")],
    members: Annotated[
        str, typer.Option(help="Members, which differ by the noise that they start with: 0,1,2.")
    ] = "0",
    sst: Annotated[
        list[str] | None,
        typer.Option(
            help="Change of the sea: nino34:+2K, globe:+1K, south:north:west:east:+1.5K, or a "
            "netCDF pattern; several add up."
        ),
    ] = None,
    sea: Annotated[
        str, typer.Option(help="observed (1979-2013), or climatology: every year alike.")
    ] = "observed",
    daily: Annotated[
        bool,
        typer.Option(
            "--daily",
            help="Write the state at 00 UTC of every day, dMM_YYYY.nc, in place of monthly means.",
        ),
    ] = False,
) -> None:
    """Simulate months or days with the atmosphere model SPEEDY; go on where it was stopped.

    Example: `mlda simulate --years 1979-1988 --members 0,1 --sst nino34:+2K --out runs/warm`
    """
    with one_sentence():
        # Report a missing package before anything is written.
        import jcm  # noqa: F401

        from mlda_core.cli.speed_bar import speed_bar, ticker
        from mlda_core.climate.time_step import DAY, MONTH
        from mlda_core.perturbation.sst_patches import Patch
        from mlda_core.simulate import gcm
        from mlda_core.simulate.files import begin, describe
        from mlda_core.simulate.run import Plan, run_member
        from mlda_core.simulate.sea import Sea, packaged

        first, last = _period(years)
        wanted = sorted(set(numbers(members, "--members") or ()))
        if not all(0 <= m <= 99 for m in wanted):
            raise ValueError(f"--members '{members}' are not within 0 to 99; choose others.")
        patches = [Patch.parse(text) for text in sst or ()]
        chosen = Sea(packaged(), sea, patches)
        chosen.check_years(first, last)
        step = DAY if daily else MONTH
        kind = "Daily states" if daily else "Monthly means"
        begin(output, describe(first, sea, patches, gcm.name(), step))
        words = ["mlda", "simulate", "--years", years, "--members", members, "--sea", sea]
        words += [w for text in sst or () for w in ("--sst", text)]
        words += [*(["--daily"] if daily else []), "--out", str(output)]
        about = {
            "source": f"{gcm.name()}, T31L8",
            "title": f"{kind} of the SPEEDY atmosphere model",
            "sea": sea,
            "sst_perturbation": " + ".join(patch.label for patch in patches),
            "history": shlex.join(words),
        }
        gcm.one_thread()
        plan = Plan(output, first, last, chosen, about, step)
        total, done = sum(plan.months_to_do(m) for m in wanted), 0
        if total:
            with speed_bar() as bar:
                tick = ticker(bar, "simulating")
                tick(0, total)
                model = gcm.Gcm(plan.start)
                for member in wanted:
                    done += run_member(plan, member, model, _after(done, total, tick))
    who = f"{len(wanted)} member{'s' if len(wanted) > 1 else ''}"
    out.print(
        f"{output}: {who}, {first}-{last}, {done} months simulated now; read them with: mlda data "
        f"prepare {output} --source speedy{' --step day' if daily else ''}",
        highlight=False,
    )


def _after(done: int, total: int, tick: Callable[[float, float], None]) -> Callable[[float], None]:
    """Return a counter of a member's months, offset by those of earlier members."""
    return lambda months: tick(done + months, total)


def _period(text: str) -> tuple[int, int]:
    """Return the first and the last year of ``1979-1988`` or ``1997``."""
    found = re.fullmatch(r"(\d{4})(?:-(\d{4}))?", text.strip())
    if found is None:
        raise ValueError(f"--years '{text}' are not years; write them as 1979-1988.")
    first, last = int(found[1]), int(found[2] or found[1])
    if not _FIRST <= first <= last <= _LAST:
        raise ValueError(f"--years '{text}' end before they begin; exchange them.")
    return first, last
