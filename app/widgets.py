"""Panel's own widgets as the page uses them: small, labelled, natively operable.

Radio buttons and tick boxes are drawn as segments and as headings that unfold: Panel's button
groups look the same, but do not expose the choice to screen readers. A tick box is a group of
one, for the label of Panel's single one does not belong to its box.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from html import escape
from typing import Any, ClassVar

import panel as pn
import param
from panel.reactive import Syncable

from app.glossary import info
from app.text import typed
from app.web_files import read

# Names of widgets that a callback in the browser looks for.
_TAGS = itertools.count()


def _css(*names: str) -> list[str]:
    return [read(f"widgets/{name}.css") for name in names]


class _Attributed(Syncable):
    """Lets a widget set attributes on its element: Panel passes on what Bokeh's model has too.

    Bokeh draws neither title nor role of a group, and sets these anew when it redraws the widget.
    """

    html_attributes = param.Dict(default={}, doc="Such as role, aria-label and title.")

    model_name = param.String(default=None, doc="By which the page's JavaScript finds its model.")

    # Read by Panel from each class that is a Syncable.
    _rename: ClassVar[Mapping[str, str | None]] = {"model_name": "name"}

    __abstract = True


class _Segments(pn.widgets.RadioBoxGroup, _Attributed):
    pass


class _List(pn.widgets.Select, _Attributed):
    pass


class _Ticks(pn.widgets.CheckBoxGroup, _Attributed):
    pass


class _Number(pn.widgets.IntInput, _Attributed):
    pass


class _Text(pn.widgets.TextInput, _Attributed):  # type: ignore[misc] # Panel merges both `_rename`s.
    pass


class Words(pn.pane.HTML, _Attributed):
    """Words as HTML; when they change, they alone are sent.

    Panel's own update writes the style sheets anew too, and for these Bokeh collects all models of
    the page again: a third of what a visit cost its server, with the text of each step of the first
    analysis.
    """

    def _update(self, ref: str, model: Any) -> None:  # noqa: ARG002 - Panel's signature
        model.update(text=self._get_properties(model.document)["text"])


class Rows(pn.Column, _Attributed):
    """The rows of a list, named."""


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


class Field:
    """A widget that calls back for changes by the visitor only.

    Parameters
    ----------
    widget : panel.widgets.Widget
    changed : callable
        Called with the value that was given.
    """

    def __init__(self, widget: Any, changed: Callable[[Any], None]) -> None:
        self.widget, self._changed = widget, changed
        self._quiet = False
        widget.param.watch(self._on_value, "value")

    def _on_value(self, event: Any) -> None:
        if not self._quiet:
            self._changed(event.new)

    def show(self, value: Any, **params: Any) -> None:
        """Show a value, and other parameters of the widget."""
        given = {"value": value, **params}
        given = {k: v for k, v in given.items() if getattr(self.widget, k) != v}
        if not given:
            return
        self._quiet = True
        try:
            self.widget.param.update(**given)
        finally:
            self._quiet = False


class Choice(Field):
    """A choice as segments or as a list.

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
        kind = _Segments if segments else _List
        # Panel makes a row at least as wide as the widths of its widgets, 300 each by default: the
        # width of a list without one is its style sheet's.
        params = {"inline": True, **params} if segments else {"width": 40, **params}
        # A list draws its own label.
        named = attributes(label, "radiogroup", title) if segments else attributes(title=title)
        widget = kind(
            name=label,
            options=_inverted(options),
            value=value,
            margin=0,
            align="center",
            stylesheets=_css("segments" if segments else "select"),
            html_attributes=named,
            **params,
        )
        # None while what is chosen is none of the options.
        super().__init__(widget, lambda key: None if key is None else chosen(key))

    def show(self, value: str, options: Mapping[str, str] | None = None, **params: Any) -> None:
        """Show what is chosen, and among what."""
        if options is not None:
            params["options"] = _inverted(options)
        super().show(value, **params)

    def explain(self, title: str) -> None:
        """Change what the pointer explains."""
        self.widget.html_attributes = {**self.widget.html_attributes, "title": title}


class Ticks(Field):
    """Tick boxes beside each other.

    Parameters
    ----------
    label : str
        What they are of, for those who do not see it.
    changed : callable
        Called with the keys that are ticked.
    options : mapping of str to str
        Labels by key.
    title : str
        What the pointer explains.
    **params
        Of the widget.
    """

    def __init__(
        self,
        label: str,
        changed: Callable[[list[str]], None],
        options: Mapping[str, str],
        *,
        title: str = "",
        **params: Any,
    ) -> None:
        widget = _Ticks(
            name=label,
            options=_inverted(options),
            value=[],
            inline=True,
            margin=0,
            align="center",
            stylesheets=_css("ticks"),
            html_attributes=attributes(label, "group" if label else "", title),
            **params,
        )
        super().__init__(widget, changed)


class Tick(Ticks):
    """One tick box.

    Parameters
    ----------
    label : str
    changed : callable
        Called with whether it is ticked.
    title : str
        What the pointer explains.
    **params
        Of the widget.
    """

    def __init__(
        self, label: str, changed: Callable[[bool], None], *, title: str = "", **params: Any
    ) -> None:
        super().__init__("", lambda on: changed(bool(on)), {"on": label}, title=title, **params)

    def show(self, value: bool, **params: Any) -> None:
        """Show whether it is ticked."""
        super().show(["on"] if value else [], **params)

    def explain(self, title: str) -> None:
        """Change what the pointer explains."""
        self.widget.html_attributes = attributes(title=title)


class Presses(Field):
    """Buttons side by side of which one may be pressed, or none.

    Parameters
    ----------
    label : str
        Their name, for those who do not see them.
    pressed : callable
        Called with the key of the one pressed, '' where it was pressed again.
    options : mapping of str to str
        Labels by key.
    """

    def __init__(
        self, label: str, pressed: Callable[[str], None], options: Mapping[str, str]
    ) -> None:
        self._known = ""
        widget = _Ticks(
            name=label,
            options=_inverted(options),
            value=[],
            inline=True,
            margin=0,
            align="center",
            stylesheets=_css("segments"),
            css_classes=["raised"],
            html_attributes=attributes(label, "group"),
        )
        super().__init__(
            widget, lambda keys: pressed(next((k for k in keys if k != self._known), ""))
        )

    def show(self, value: str, **params: Any) -> None:
        """Show which one is pressed."""
        self._known = value
        super().show([value] if value else [], **params)


class Number(Field):
    """A whole number; what it may be is for the server to say.

    A widget that knows its bounds cuts a number off at them without a word.

    Parameters
    ----------
    label : str
    changed : callable
        Called with the number, None where the input is empty.
    title : str
        What the pointer explains.
    **params
        Of the widget.
    """

    def __init__(
        self,
        label: str,
        changed: Callable[[Any], None],
        *,
        title: str = "",
        **params: Any,
    ) -> None:
        widget = _Number(
            name=label,
            margin=0,
            align="center",
            stylesheets=_css("number"),
            html_attributes=attributes(title=title),
            **params,
        )
        super().__init__(widget, changed)


class Decimal(Field):
    """A number with decimals, as people type it; what it may be is for the server to say.

    A field of text: the browser's own for numbers drops a decimal comma without a word, and 1,5
    became 2.

    Parameters
    ----------
    label : str
    changed : callable
        Called with the number, or with the text that is none.
    value : float
    title : str
        What the pointer explains.
    **params
        Of the widget.
    """

    def __init__(
        self,
        label: str,
        changed: Callable[[float | str], None],
        value: float,
        *,
        title: str = "",
        **params: Any,
    ) -> None:
        widget = _Text(
            name=label,
            value=f"{value:g}",
            margin=0,
            align="center",
            stylesheets=_css("number"),
            html_attributes=attributes(title=title),
            **params,
        )
        super().__init__(widget, lambda given: changed(typed(given)))

    @property
    def value(self) -> float | str:
        """The number that is typed there, or the text that is none."""
        return typed(self.widget.value)

    def show(self, value: float, **params: Any) -> None:
        """Show a number, and other parameters of the widget."""
        super().show(f"{value:g}", **params)


def _inverted(options: Mapping[str, str]) -> dict[str, str]:
    """Return keys by label; labels that repeat have their key behind them."""
    times = Counter(options.values())
    return {
        label if times[label] == 1 else f"{label} ({key})": key for key, label in options.items()
    }


def button(label: str, pressed: Callable[[], None], title: str = "", **params: Any) -> Button:
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
        **params,
    )
    made.on_click(lambda _: pressed())
    return made


def text(html: str = "", name: str = "", *, term: str | None = None, **params: Any) -> pn.pane.HTML:
    """Return a pane of words; its text is HTML.

    Parameters
    ----------
    html : str
    name : str
        Its class in the style sheet.
    term : str, optional
        A term of the glossary that an (i) behind the words explains; '' where the words will hold
        an (i) of their own.
    **params
        Of the pane.
    """
    if term is not None:
        html += info(term)
        params = {"stylesheets": [*_css("text"), read("info.css")], **params}
    params = {"stylesheets": _css("text"), **params}
    return Words(html, margin=0, align="center", css_classes=[name], **params)


def explained(term: str) -> pn.pane.HTML:
    """Return the (i) that explains a term of the glossary."""
    return Words(
        info(term),
        # As far from the next control as fingers need, 24 px from middle to middle.
        margin=(0, 3, 0, 0),
        align="center",
        css_classes=["explains"],
        stylesheets=[read("info.css")],
    )


def progress_bar(label: str = "", *, most: int) -> Progress:
    """Return a small bar, hidden until there is progress to show; ``label`` is its name."""
    return Progress(
        value=0,
        max=most,
        width=100,
        height=10,
        margin=0,
        visible=False,
        align="center",
        stylesheets=_css("progress"),
        html_attributes=attributes(label),
    )


def keep_focus(*pairs: tuple[Button, Button]) -> None:
    """Let the keyboard go along where one button makes room for another.

    The other is named by a tag: Panel keeps callbacks in a dictionary of the process for as long as
    their widget lives, and two that refer to each other, and with them the session, live forever.
    """
    for one, other in pairs:
        if not other.tags:
            other.tags = [f"focus-{next(_TAGS)}"]
        one.jscallback(args={"other": other.tags[0]}, visible=read("callbacks/keep_focus.js"))


def text_input(label: str, entered: Callable[[], None]) -> pn.widgets.TextInput:
    """Return an input of one word; Enter in it is heard."""
    made = pn.widgets.TextInput(
        name=label,
        width=76,
        margin=0,
        align="center",
        stylesheets=_css("number"),
        css_classes=["labelled"],
    )
    made.param.watch(lambda _: entered(), "enter_pressed")
    return made


def file_input(label: str, accept: str) -> pn.widgets.FileInput:
    """Return a button that asks for a file."""
    return pn.widgets.FileInput(
        name=label, accept=accept, margin=0, align="center", stylesheets=_css("file")
    )


def fields(*parts: Any, name: str = "") -> pn.Row:
    """Return a line of a form; what does not fit wraps."""
    return row(*parts, name="fields" if not name else f"fields-{name}")


def block(*parts: Any) -> pn.Column:
    """Return a part of a form, with a line above it."""
    return pn.Column(
        *parts,
        margin=0,
        css_classes=["block"],
        stylesheets=_css("parts"),
        sizing_mode="stretch_width",
    )


def heading(*parts: Any) -> pn.Row:
    """Return the line above a column of maps."""
    return row(*parts, name="heading")


class HeadingNote:
    """Words in a heading; that they are of another month is never cut off.

    Parameters
    ----------
    status : bool
        Whether a screen reader says them when they change.
    """

    def __init__(self, *, status: bool = False) -> None:
        self.pane = text(name="note", html_attributes=attributes(role="status") if status else {})

    def show(self, words: str, *, stale: bool) -> None:
        """Show words."""
        self.pane.param.update(
            object=span("remark", words),
            css_classes=["note", "still"] if stale else ["note"],
        )


def form_column() -> pn.Column:
    """Return the place of a tool's form."""
    return column(name="form", sizing_mode="stretch_width")


def change_list(label: str) -> Rows:
    """Return the place of the rows of a list."""
    return Rows(
        margin=0,
        css_classes=["patches"],
        stylesheets=_css("changes"),
        sizing_mode="stretch_width",
        html_attributes=attributes(label, "group"),
    )


def change_row(*parts: Any) -> pn.Row:
    """Return a row of such a list."""
    return pn.Row(*parts, margin=0, stylesheets=_css("changes"), sizing_mode="stretch_width")


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
        **{"sizing_mode": "stretch_both", **params},
    )
