"""Settings, declared once as Param classes; links, files, checks and undo derive from them.

A setting is a Parameter of a class derived from `Settings`. Bounds, options, label and help are
Param's own; `setting` adds what Param does not hold, as metadata of the Parameter: the key in
links, the name in sentences.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, ClassVar, Self, TypedDict, TypeGuard, TypeVar, Unpack

import param

from mlda_core.climate.errors import UserError

T = TypeVar("T")
# Longer values are cut in sentences.
SHOWN = 24


class InvalidStateError(UserError):
    """A state, a link or one of its settings cannot be used; one sentence for people."""


def _same(value: Any) -> Any:
    return value


class About(TypedDict, total=False):
    """Metadata of a setting beside those of Param.

    Parameters
    ----------
    words : str
        What sentences call it; its name by default.
    refused : str or callable
        Why a value cannot be, if not in the words of `refusal`; with ``{value}``, ``{options}``,
        ``{first}`` and ``{last}`` of these. A function is given the options.
    lacking : mapping
        Why a bundle lacks an option, by option.
    file : str
        What files call it; its name by default.
    saved : bool
        Whether files hold it, and whether it may come from outside at all; by default so.
    history : bool
        Whether a change of it is a step of undo; by default so.
    travels : bool
        Whether a visitor takes it along to another bundle that has it; by default not.
    digits : int
        Decimals that a number is rounded to.
    """

    words: str
    refused: str | Callable[[Sequence[str]], str]
    lacking: Mapping[str, str]
    file: str
    saved: bool
    history: bool
    travels: bool
    digits: int


def setting(url: str = "", **about: Unpack[About]) -> dict[str, Any]:
    """Return the metadata that makes a Parameter a setting.

    Parameters
    ----------
    url : str
        What links call it; '' where none holds it. Never change one: links hold them.
    **about : object
        See `About`.
    """
    plain: dict[str, Any] = {"words": "", "refused": "", "lacking": {}, "file": ""}
    plain |= {"saved": True, "history": True, "travels": False, "digits": None}
    return plain | {"url": url} | about


class Structured(param.Parameter[T]):
    """A setting of more than a word, a number or a switch.

    Parameters
    ----------
    default : object
        Unchangeable, as every value.
    read : callable
        Checks a value as JSON has it; raises InvalidStateError.
    plain, text : callable
        Write a value for JSON and for a link.
    parse : callable
        Returns what `read` takes from a link's text.
    """

    __slots__ = ("parse", "plain", "read", "text")

    def __init__(
        self,
        default: T,
        read: Callable[[Any], T],
        *,
        plain: Callable[[T], Any] = _same,
        text: Callable[[T], str] = str,
        parse: Callable[[str], Any] = _same,
        **params: Any,
    ) -> None:
        self.read, self.plain, self.text, self.parse = read, plain, text, parse
        super().__init__(default=default, **params)


class Group(param.ClassSelector[T]):
    """Settings among settings: one record in files, parts beside the others in links."""

    __slots__ = ()

    @property
    def settings(self) -> Any:
        """Their class."""
        return self.class_


class Settings(param.Parameterized):
    """Settings that are replaced and never changed, so that they can be kept and compared."""

    # What a bad value raises, and what sentences call these settings.
    refuses: ClassVar[type[InvalidStateError]] = InvalidStateError
    group: ClassVar[str] = "state"

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.__dict__["_made"] = True

    def __setattr__(self, name: str, value: Any) -> None:
        if "_made" in self.__dict__:
            raise TypeError(f"Settings are replaced, not changed: {name} stays as it is.")
        super().__setattr__(name, value)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return type(self) is type(other) and self.values == getattr(other, "values", None)

    def __hash__(self) -> int:
        return hash(tuple(self.values.items()))

    @cached_property
    def values(self) -> dict[str, Any]:
        """All settings by name. Never changed."""
        return {name: getattr(self, name) for name in declared(type(self))}

    @cached_property
    def work(self) -> dict[str, Any]:
        """Those whose change is a step of the history."""
        return work_of(self)

    def replace(self, **values: Any) -> Self:
        """Return the same settings with other values, which are trusted."""
        # Param takes 5 us a value that it is given: those at their defaults are not.
        at_default = declared(type(self))
        kept = {k: v for k, v in self.values.items() if v is not at_default[k].default}
        return type(self)(**kept | values)

    def adjust(
        self, values: Mapping[str, Any], options: Mapping[str, Sequence[Any]] | None = None
    ) -> Self:
        """Return the same settings with values that come from outside.

        Parameters
        ----------
        values : mapping
            New values by name, as JSON has them.
        options : mapping, optional
            What a bundle leaves of the options, by name.

        Raises
        ------
        InvalidStateError
            If one is unknown or cannot be.
        """
        return self.replace(**{k: self.check(k, v, options) for k, v in values.items()})

    @classmethod
    def check(
        cls, name: str, given: Any, options: Mapping[str, Sequence[Any]] | None = None
    ) -> Any:
        """Return a value from outside as the setting holds it; see `adjust`."""
        parameter = declared(cls).get(name)
        if parameter is None or not parameter.metadata["saved"]:
            raise cls.refuses(
                f"There is no setting '{name[:SHOWN]}' of the {cls.group}; remove it."
            )
        if isinstance(parameter, Group):
            return parameter.settings.from_dict(given)
        if isinstance(parameter, Structured):
            return parameter.read(given)
        value = _converted(parameter, given)
        left = (options or {}).get(name)
        try:
            cls(**{name: value})
        except (ValueError, TypeError):
            raise cls.refuses(refusal(parameter, given, left)) from None
        if left is not None and value not in left:
            raise cls.refuses(refusal(parameter, given, left))
        return value

    # -- files and links -------------------------------------------------------------------------

    def to_dict(self, *, whole: bool = False) -> dict[str, Any]:
        """Return plain JSON values; those at their defaults are left out, unless asked for."""
        made = {}
        for name, parameter in declared(type(self)).items():
            value, about = self.values[name], parameter.metadata
            if about["saved"] and (whole or value != parameter.default):
                made[about["file"] or name] = _plain(parameter, value)
        return made

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read what `to_dict` wrote; what it left out has its default.

        Raises
        ------
        InvalidStateError
            If anything in it is wrong.
        """
        if not isinstance(data, dict):
            raise cls.refuses(f"The saved {cls.group} are damaged; save the state again.")
        return cls().adjust(data)

    def to_parts(self, beside: Self | None = None) -> dict[str, str]:
        """Return the parts of a link; settings as they are in `beside`, or by default, left out."""
        plain = beside or type(self)()
        parts: dict[str, str] = {}
        for name, parameter in declared(type(self)).items():
            value, url = self.values[name], parameter.metadata["url"]
            if isinstance(parameter, Group):
                parts |= value.to_parts()
            elif url and value != plain.values[name]:
                parts[url] = _text(parameter, value)
        return parts

    @classmethod
    def from_parts(cls, given: Mapping[str, str]) -> dict[str, Any]:
        """Return what the parts of a link say, as `adjust` takes it; other parts are ignored."""
        values: dict[str, Any] = {}
        for name, parameter in declared(cls).items():
            url = parameter.metadata["url"]
            if isinstance(parameter, Group):
                values[name] = parameter.settings.from_parts(given)
            elif url in given:
                values[name] = _parsed(parameter, given[url])
        return values


class Changeable:
    """Mixed into settings that are set in place: the state of a session, or a form."""

    __setattr__ = object.__setattr__
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def values(self) -> dict[str, Any]:
        """All settings by name, as they are now."""
        cls: Any = type(self)
        return {name: getattr(self, name) for name in declared(cls)}

    @property
    def work(self) -> dict[str, Any]:
        """Those whose change is a step of the history."""
        return work_of(self)


@cache
def declared(cls: Any) -> dict[str, Any]:
    """Return the settings of a class, its Parameters by name, as they are declared."""
    objects = cls.param.objects("existing")
    return {name: parameter for name, parameter in objects.items() if parameter.metadata}


def options_of(cls: type[Settings], name: str) -> dict[Any, str]:
    """Return a setting's options and the label of each."""
    parameter = declared(cls)[name]
    return {value: label for label, value in parameter.get_range().items()}


def field_of(cls: type[Settings], name: str) -> dict[str, Any]:
    """Return what an input shows of a setting: label, title, and where it has them its limits."""
    parameter = declared(cls)[name]
    made = {"label": parameter.label, "title": parameter.doc}
    if isinstance(parameter, param.Number):
        low, high = parameter.get_soft_bounds()
        step = parameter.step or (1 if isinstance(parameter, param.Integer) else None)
        made |= {"low": low, "high": high, "step": step}
    return made


def work_of(settings: Any) -> dict[str, Any]:
    """Return the settings whose change is a step of the history, groups by what is theirs."""
    cls: Any = type(settings)
    return {
        name: value.work if isinstance(value, Settings) else value
        for name, value in settings.values.items()
        if declared(cls)[name].metadata["history"]
    }


# -- refusals of values --------------------------------------------------------------------------


def refusal(parameter: Any, given: Any, left: Sequence[Any] | None = None) -> str:
    """Say why a setting cannot have a value: the one place where Param's errors become sentences.

    Parameters
    ----------
    parameter : param.Parameter
        The setting.
    given : object
        The value that Param refused, or that is none of `left`.
    left : sequence, optional
        What a bundle leaves of the options.
    """
    about, shown = parameter.metadata, str(given)[:SHOWN]
    words = about["words"] or parameter.name
    options = list(getattr(parameter, "objects", ()) if left is None else left)
    if isinstance(given, str) and given in about["lacking"]:
        return str(about["lacking"][given])
    if about["refused"]:
        named = ", ".join(str(option) for option in options if option != "") or "none"
        first, last = (options[0], options[-1]) if options else ("", "")
        words = about["refused"](options) if callable(about["refused"]) else about["refused"]
        return str(words).format(value=shown, options=named, first=first, last=last)
    if isinstance(parameter, param.Boolean):
        return f"The setting '{parameter.name}' must be true or false; correct it."
    if isinstance(parameter, param.Number):
        bounds: Any = parameter.bounds
        complaint = not_a_number(words, given, *bounds)
        return complaint or f"The {words} must be a whole number, not {given:g}."
    return f"There is no {words} '{shown}'; choose one of {', '.join(map(str, options))}."


def not_a_number(words: str, given: Any, low: float, high: float) -> str:
    """Say why something is no finite number within limits; '' where it is one."""
    if given is None or given == "" or (isinstance(given, float) and math.isnan(given)):
        return f"The {words} is empty; type a number from {low:.10g} to {high:.10g}."
    if not isinstance(given, int | float) or isinstance(given, bool) or not low <= given <= high:
        shown = str(given)[:SHOWN]
        return f"The {words} '{shown}' is not a number from {low:.10g} to {high:.10g}; correct it."
    return ""


def number(
    words: str,
    given: Any,
    low: float,
    high: float,
    refuses: type[InvalidStateError] = InvalidStateError,
) -> float:
    """Return a finite number within limits.

    Raises
    ------
    InvalidStateError
        If it is none; the sentence names it.
    """
    complaint = not_a_number(words, given, low, high)
    if complaint:
        raise refuses(complaint)
    return float(given)


# -- one value -----------------------------------------------------------------------------------


def is_count(given: Any) -> TypeGuard[int]:
    """Return whether something is a whole number from 0 on; True and False are none."""
    return isinstance(given, int) and not isinstance(given, bool) and given >= 0


def plain(text: str) -> str:
    """Return a number as programs write it: people type commas, and the page's own minus sign."""
    return text.strip().replace(",", ".").replace("\N{MINUS SIGN}", "-")


def number_of(text: str) -> float | str:
    """Return a finite number, or the text that is none for the check to name."""
    for kind in (int, float):
        # An integer of 309 digits is beyond every float.
        with contextlib.suppress(ValueError, OverflowError):
            value = kind(text)
            return value if math.isfinite(value) else text
    return text


def json_of(text: str | bytes) -> Any:
    """Return what JSON says.

    Raises
    ------
    ValueError, RecursionError
        If it is none, or holds text that no link and no file can hold: half of a surrogate pair.
    """
    data = json.loads(text)
    json.dumps(data, ensure_ascii=False).encode()
    return data


def _converted(parameter: Any, given: Any) -> Any:
    """Return a value as Python has it, where JSON and links know only floats; Param checks it."""
    if isinstance(parameter, param.Selector):
        same = (o for o in parameter.objects if o == given and isinstance(given, bool) is False)
        return next(same, str(given))
    if isinstance(parameter, param.Number):
        if isinstance(given, bool):
            # Param takes true for the number 1.
            return str(given)
        if isinstance(parameter, param.Integer):
            whole = isinstance(given, float) and given.is_integer()
            return int(given) if whole else given
        digits = parameter.metadata["digits"]
        if isinstance(given, int | float) and digits is not None:
            # An integer beyond every float stays as it is: the bounds refuse it.
            with contextlib.suppress(OverflowError):
                return round(float(given), digits)
    return given


def _plain(parameter: Any, value: Any) -> Any:
    if isinstance(parameter, Group):
        return value.to_dict()
    return parameter.plain(value) if isinstance(parameter, Structured) else value


def _text(parameter: Any, value: Any) -> str:
    if isinstance(parameter, Structured):
        return parameter.text(value)
    return str(int(value)) if isinstance(value, bool) else str(value)


def _parsed(parameter: Any, text: str) -> Any:
    if isinstance(parameter, Structured):
        return parameter.parse(text)
    if isinstance(parameter, param.Boolean):
        return {"1": True, "0": False}.get(text, text)
    numeric = isinstance(parameter, param.Number) or not isinstance(parameter.default, str)
    return number_of(text) if numeric else text
