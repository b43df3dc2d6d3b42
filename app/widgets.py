"""Panel's own widgets as the parts below the maps use them: small, labelled, natively operable.

Radio buttons and tick boxes are drawn as segments and as headings that unfold: Panel's button
groups look the same, but do not expose the choice to screen readers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from typing import Any

import panel as pn
import param

from app.web_files import read


def _css(*names: str) -> list[str]:
    return [read(f"results/{name}.css") for name in names]


class _Attributed(param.Parameterized):
    """Lets a widget set attributes on its element: Panel passes on what Bokeh's model has too.

    Bokeh draws neither title nor role of a group, and sets these anew when it redraws the widget.
    """

    html_attributes = param.Dict(default={}, doc="Such as role, aria-label and title.")


class _Segments(pn.widgets.RadioBoxGroup, _Attributed):
    pass


class _List(pn.widgets.Select, _Attributed):
    pass


class Headings(pn.widgets.CheckBoxGroup, _Attributed):
    """Tick boxes as headings that unfold."""


class Progress(pn.indicators.Progress, _Attributed):
    """A bar, named."""


class Button(pn.widgets.Button, _Attributed):
    """A button, explained under the pointer."""


def attributes(label: str = "", role: str = "", title: str = "") -> dict[str, str]:
    """Return attributes of an element; those that are empty are left out."""
    given = {"role": role, "aria-label": label, "title": title}
    return {name: value for name, value in given.items() if value}


class Choice:
    """A choice as segments or as a list; it calls back for choices of the visitor only.

    Parameters
    ----------
    label : str
        Its name, for those who do not see it.
    chosen : callable
        Called with the key that was chosen.
    options : mapping of str to str
        Labels by key.
    value : str
    segments : bool
        As radio buttons side by side instead of a list.
    title : str
        What the pointer explains.
    **params
        Of the widget.
    """

    def __init__(
        self,
        label: str,
        chosen: Callable[[str], None],
        options: Mapping[str, str],
        value: str,
        *,
        segments: bool = False,
        title: str = "",
        **params: Any,
    ) -> None:
        self._chosen = chosen
        self._quiet = False
        kind = _Segments if segments else _List
        if segments:
            params = {"inline": True, **params}
        # A list draws its own label.
        named = attributes(label, "radiogroup", title) if segments else attributes(title=title)
        self.widget = kind(
            name=label,
            options=_inverted(options),
            value=value,
            margin=0,
            align="center",
            stylesheets=_css("segments" if segments else "select"),
            html_attributes=named,
            **params,
        )
        self.widget.param.watch(self._on_value, "value")

    def _on_value(self, event: Any) -> None:
        if not self._quiet and event.new is not None:
            self._chosen(event.new)

    def show(self, value: str, options: Mapping[str, str] | None = None) -> None:
        """Show what is chosen, and among what."""
        given: dict[str, Any] = {}
        if options is not None and _inverted(options) != self.widget.options:
            given["options"] = _inverted(options)
        if given or value != self.widget.value:
            with self._silence():
                self.widget.param.update(value=value, **given)

    @contextmanager
    def _silence(self) -> Iterator[None]:
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False


def _inverted(options: Mapping[str, str]) -> dict[str, str]:
    """Return keys by label; labels that repeat have their key behind them."""
    times = Counter(options.values())
    return {
        label if times[label] == 1 else f"{label} ({key})": key for key, label in options.items()
    }


def button(label: str, pressed: Callable[[], None], title: str = "") -> Button:
    """Return a small button.

    Bokeh makes the element anew with each other label and when it is disabled: the keyboard's
    focus is lost, and a press under way. So both stay as they are while something is computed.
    """
    made = Button(
        name=label,
        margin=0,
        align="center",
        stylesheets=_css("button"),
        html_attributes=attributes(title=title),
    )
    made.on_click(lambda _: pressed())
    return made


def text(html: str = "", name: str = "", **params: Any) -> pn.pane.HTML:
    """Return a pane of words; its text is HTML."""
    return pn.pane.HTML(
        html, margin=0, align="center", css_classes=[name], stylesheets=_css("text"), **params
    )


def span(name: str, words: str, *, status: bool = False) -> str:
    """Return text as HTML, with the whole of it as tooltip where it is cut."""
    role = ' role="status"' if status else ""
    whole = escape(words)
    return f'<span class="{name}" title="{whole}"{role}>{whole}</span>'


def figure_pane(figure: Any, **params: Any) -> pn.pane.Bokeh:
    """Return a figure that fills its place."""
    return pn.pane.Bokeh(figure, **{"sizing_mode": "stretch_both", "margin": 0, **params})


def row(*parts: Any, name: str = "heads") -> pn.Row:
    """Return a line of widgets."""
    return pn.Row(
        *parts, margin=0, css_classes=[name], sizing_mode="stretch_width", stylesheets=_css("parts")
    )


def column(*parts: Any, name: str, **params: Any) -> pn.Column:
    """Return a part of the panel."""
    return pn.Column(
        *parts,
        margin=0,
        css_classes=[name],
        stylesheets=_css("parts"),
        sizing_mode="stretch_both",
        **params,
    )
