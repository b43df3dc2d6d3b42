"""A model of a few lines, whose days tell the date."""

from __future__ import annotations

import json

import numpy as np

LAT, LON = np.arange(-80.0, 81.0, 10.0), np.arange(0.0, 360.0, 15.0)
SHAPE = LAT.size, LON.size
FIRST, LAST = 1980, 1984


# By variable, what a day's number is added to and its size: the reader refuses impossible fields.
POSSIBLE = {
    "psl": (1e5, 1.0),
    "tas": (270.0, 0.01),
    "pr": (0.0, 1e-8),
    "zg500": (5400.0, 0.1),
    "ua850": (0.0, 1e-3),
    "va850": (0.0, 1e-3),
}


class Calendar:
    """A model whose days tell the date and the member, and which can be stopped on any."""

    def __init__(self, start, stop=None):
        self.start, self.stop, self.days, self.seed = start, stop, 0, None

    def rest(self, seed):
        self.date, self.seed = np.datetime64(self.start), seed

    def forcing(self, surface):
        return surface

    def day(self, forcing):
        if self.stop is not None and str(self.date) == self.stop:
            raise KeyboardInterrupt
        stamps = forcing["time"].values
        assert stamps[0] <= self.date <= stamps[-1]
        self.days += 1
        value = 100.0 * self.seed + self.date.astype(object).timetuple().tm_yday
        self.date = self.date + 1
        return {name: np.full(SHAPE, low + step * value) for name, (low, step) in POSSIBLE.items()}

    def state(self, forcing):
        """The fields of the next day, whose number its 00 UTC begins; rain is of the day before."""
        rain = self.day(forcing)["pr"]
        value = 100.0 * self.seed + self.date.astype(object).timetuple().tm_yday
        made = {name: np.full(SHAPE, low + step * value) for name, (low, step) in POSSIBLE.items()}
        return {**made, "pr": rain}

    def save(self, path):
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps([str(self.date), self.seed]))

    def load(self, path):
        date, self.seed = json.loads(path.read_text())
        self.date = np.datetime64(date)
