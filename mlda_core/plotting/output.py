"""Figures as files, for papers: fonts embedded, with a caption."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import holoviews as hv

from mlda_core.plotting.backends import BACKENDS, check_backend
from mlda_core.plotting.look import PlotError

if TYPE_CHECKING:
    from mlda_core.bundle.bundle import Bundle

FORMATS = ("pdf", "svg", "png")
# Type 42 keeps letters as letters, in PDF; SVG has their outlines, for a reader may lack the font.
# Ids of SVG are drawn from the salt: without one they differ from time to time.
_SETTINGS: dict[Any, Any] = {"pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "mlda"}
# Where each format holds its caption as text: outlines of letters cannot be searched.
_DESCRIBED = {"pdf": "Subject", "svg": "Description", "png": "Description"}


def caption(bundle: Bundle, *, month: str, method: str = "", what: str = "Anomalies") -> str:
    """Return the caption of a figure: what, month, method, bundle and base period.

    Parameters
    ----------
    bundle : Bundle
    month : str
        ``YYYY-MM``.
    method : str
        A key of :data:`mlda_core.assimilation.methods.METHODS`, '' where nothing is analysed.
    what : str
        What is shown.
    """
    from mlda_core.assimilation.methods import method_of

    made = f", by {method_of(method).label}" if method else ""
    return (
        f"{what} of {month}{made}. {bundle.title} (bundle {bundle.name}); anomalies are from the "
        f"{bundle.seasons.step.adjective} climatology of {bundle.base_period}."
    )


def save(plot: Any, path: str | Path, *, caption: str = "", dpi: int = 300) -> Path:
    """Write a plot that was made for Matplotlib to a file.

    Parameters
    ----------
    plot : element, overlay or layout
        Made with ``backend="matplotlib"``.
    path : path
        Ends with .pdf, .svg or .png.
    caption : str
        Written below the figure, and into the file's own description.
    dpi : int
        Of PNG, and of fields within PDF and SVG.

    Returns
    -------
    Path
        Of the file, replaced if it was there.

    Raises
    ------
    PlotError
        If the format is none of these, the plot was made for Bokeh, or the folder is not there.
    """
    import matplotlib as mpl
    from matplotlib import pyplot as plt
    from matplotlib.figure import Figure

    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    if kind not in FORMATS:
        raise PlotError(f"'{path.name}' is no figure's name; end it with .pdf, .svg or .png.")
    check_folder(path)
    if not dpi > 0:
        raise PlotError(f"A figure cannot have {dpi} dots an inch; give a number above 0.")
    check_backend("matplotlib")
    if _is_for_bokeh(plot):
        raise PlotError(
            'The plot was made for Bokeh; make it with backend="matplotlib" to write a figure.'
        )
    with mpl.rc_context(_SETTINGS):
        figure: Figure = _figure(plot)
        if caption:
            _write_below(figure, caption)
        # The date would make two files of one figure differ.
        metadata: dict[str, Any] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(
            kind, {}
        )
        if caption:
            metadata |= {_DESCRIBED[kind]: caption}
        figure.savefig(path, dpi=dpi, bbox_inches="tight", metadata=metadata, format=kind)
        plt.close(figure)
    return path


def check_folder(path: Path) -> None:
    """Refuse a file whose folder is not there.

    Raises
    ------
    PlotError
        If it is not.
    """
    if not path.parent.is_dir():
        raise PlotError(f"There is no folder {path.parent}; make it first.")


def _is_for_bokeh(plot: Any) -> bool:
    """Whether a plot has options of Bokeh and none of Matplotlib."""
    loaded = [name for name in BACKENDS if name in hv.Store.loaded_backends()]
    having = [name for name in loaded if plot.id in hv.Store.custom_options(backend=name)]
    return having == ["bokeh"]


def _figure(plot: Any) -> Any:
    """Render once: ``hv.render`` does it twice, and a layout's size then twice more."""
    given = hv.Store.lookup_options("matplotlib", plot, "plot").kwargs
    kept = {"fig_inches": given["fig_inches"]} if isinstance(plot, hv.Layout) else {}
    return hv.renderer("matplotlib").get_plot(plot, **kept).state


def _write_below(figure: Any, words: str) -> None:
    """Write a caption below all that is drawn, as wide as that."""
    drawn = figure.get_tightbbox()
    wide, high = figure.get_size_inches()
    text = figure.text(
        drawn.x0 / wide, (drawn.y0 - 0.08) / high, "", fontsize=8, verticalalignment="top"
    )
    # From more letters in a line than fit.
    for letters in range(int(22 * drawn.width) + 20, 20, -2):
        text.set_text(textwrap.fill(words, letters))
        if text.get_window_extent().width <= drawn.width * figure.dpi:
            break
