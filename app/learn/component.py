"""The panels of the tool Learn in the browser: lessons, and the game."""

from __future__ import annotations

import param

from app.components import Control
from app.web_files import read, read_module


class Learn(Control):
    """A list of lessons, and the card of the one that is open; progress stays in the browser."""

    lessons = param.List(default=[], doc="Name, title, words, number of questions, what is lacking")
    refused = param.List(default=[], doc="Why files are no lessons, a sentence each.")
    lesson = param.String(doc="The one that is open; '' for the list.")
    step = param.Integer(default=0, doc="Which of its questions, from 1.")
    card = param.Dict(default={}, doc="Text and question.")
    outcome = param.Dict(default={}, doc="What was computed; empty before the answer.")
    shows = param.String(doc="What the page shows: 'before' or 'after' the answer, '' another.")

    away = param.Boolean(doc="Whether the game stands in its place.")
    no_game = param.String(doc="Why it cannot be played here; '' where it can.")

    _esm = read_module("learn.js")
    _stylesheets = [read("chrome.css") + read("learn.css")]  # noqa: RUF012


class Game(Control):
    """The game of ten stations; its rounds stay in the browser."""

    shown = param.Boolean(doc="Whether it is open.")
    about = param.Dict(default={}, doc="What a station observes, its error, and how many there are")
    refused = param.String(doc="Why it cannot be played here; '' where it can.")
    stations = param.List(default=[], doc="Where the stations are, in words.")
    month = param.String(doc="The month shown, in words.")
    place = param.String(doc="Which it is: 'practice', 'scored', or '' any other.")
    round = param.Dict(default={}, doc="The round that is scored last; empty before the first.")
    bundle = param.String(doc="What links call the bundle, whose rounds these are.")

    _esm = read_module("game.js")
    _stylesheets = [read("chrome.css") + read("learn.css") + read("game.css")]  # noqa: RUF012
