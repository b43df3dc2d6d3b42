"""Months or days one after another as a film: a GIF that every browser and slide shows."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlda_core.climate.atomic_files import replacing
from mlda_core.plotting.look import PlotError
from mlda_core.plotting.output import caption, check_folder, save
from mlda_core.plotting.states import state_maps

if TYPE_CHECKING:
    from PIL import Image

    from mlda_core.page_state.opened import PageState

# Of a frame: two rows of maps have 80 kB.
COLOURS, DPI = 256, 110
# Frames at most: each takes a second or two.
MOST = 240
LEAST_SECONDS, MOST_SECONDS = 0.05, 20.0


def times_of(state: PageState, first: str, last: str) -> tuple[str, ...]:
    """Return the times of a film: those of the bundle from one to another.

    Parameters
    ----------
    state : PageState
    first, last : str
        ``YYYY-MM``, or ``YYYY-MM-DD`` of a bundle of days.

    Raises
    ------
    PlotError
        If these are none, or too many.
    """
    step = state.bundle.seasons.step
    for label in (first, last):
        state.bundle.split(label)
    wanted = set(step.labels(step.between(first, last)))
    found = tuple(label for label in state.bundle.months if label in wanted)
    if not found:
        raise PlotError(f"{last} is before {first}; give a later {step.name}.")
    if len(found) > MOST:
        raise PlotError(
            f"A film of {len(found)} {step.plural} is too long; take {MOST} at most at a time."
        )
    return found


def pictures_of(
    state: PageState, times: Sequence[str], variables: Sequence[str] = ()
) -> Iterator[tuple[Any, str]]:
    """Make the picture of a state at each of some times: its network, model, changes of the sea.

    Parameters
    ----------
    state : PageState
        Opened from a link or a file.
    times : sequence of str
    variables : sequence of str
        Names of the rows; all by default.

    Yields
    ------
    plot, caption

    Raises
    ------
    PlotError
        If the state is a run through days.
    """
    if state.tool == "cycle":
        raise PlotError("A run of Cycle has no film; give a link of another tool.")
    for time in times:
        now = replace(state, snapshot=state.snapshot.replace(month=time))
        if state.tool == "perturb":
            response = now.response()
            columns: dict[str, Any] = {
                f"Control {time}": (response.control, "anomaly"),
                "Perturbed": (response.perturbed, "anomaly"),
                "Response": (response.anomalies, "response"),
            }
            seen, method, what = None, "", "Control, perturbed month and response"
        else:
            analysed = state.snapshot.model == "analysis"
            columns = {
                f"Target {time}": (state.bundle.target(time), "anomaly"),
                "Analysis" if analysed else "Model": (now.fields(), "anomaly"),
            }
            seen = now.observations() if analysed and len(now.table) else None
            method = state.snapshot.observations.method if analysed else ""
            what = "Target and analysis" if analysed else "Target and model"
        picture = state_maps(
            state.bundle,
            columns,
            variables=variables,
            observations=seen,
            backend="matplotlib",
        )
        yield picture, caption(state.bundle, month=time, method=method, what=what)


def save_film(
    pictures: Iterator[tuple[Any, str]],
    path: str | Path,
    *,
    seconds: float = 0.8,
    tick: Callable[[int], None] | None = None,
) -> Path:
    """Write pictures one after another as a GIF that begins again at its end.

    Parameters
    ----------
    pictures : iterator of (plot, caption)
        Made for Matplotlib; see :func:`pictures_of`.
    path : path
        Ends with .gif.
    seconds : float
        That each is shown.
    tick : callable, optional
        Called with the number of pictures drawn.

    Returns
    -------
    Path

    Raises
    ------
    PlotError
        If the name ends otherwise, there is no folder or no picture, or the pace is none.
    """
    path = Path(path)
    if path.suffix.lower() != ".gif":
        raise PlotError(f"'{path.name}' is no film's name; end it with .gif.")
    check_folder(path)
    if not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise PlotError(
            f"A picture cannot be shown for {seconds:g} s; give {LEAST_SECONDS:g} to "
            f"{MOST_SECONDS:g}."
        )
    frames: list[Image.Image] = []
    with tempfile.TemporaryDirectory(prefix="mlda-") as folder:
        for picture, words in pictures:
            drawn = save(picture, Path(folder) / "frame.png", caption=words, dpi=DPI)
            frames.append(_frame(drawn, frames[0] if frames else None))
            if tick:
                tick(len(frames))
    if not frames:
        raise PlotError("A film has one picture at least; give the time of one.")
    out = io.BytesIO()
    frames[0].save(
        out,
        "GIF",
        save_all=True,
        append_images=frames[1:],
        duration=round(1000 * seconds),
        loop=0,
        # Each replaces the last: their colours are their own.
        disposal=2,
    )
    with replacing(path) as part:
        part.write_bytes(out.getvalue())
    return path


def _frame(drawn: Path, first: Image.Image | None) -> Image.Image:
    """Return a drawn picture in few colours, on paper of the first one's size."""
    from PIL import Image

    with Image.open(drawn) as opened:
        plain = opened.convert("RGB")
    if first is not None and plain.size != first.size:
        paper = Image.new("RGB", first.size, "white")
        paper.paste(plain, (0, 0))
        plain = paper
    # Of the methods the one that keeps white white (tools/gallery.py); without means of clusters
    # the grey of land is rose.
    method = Image.Quantize.MAXCOVERAGE
    return plain.quantize(COLOURS, method, kmeans=8, dither=Image.Dither.NONE)
