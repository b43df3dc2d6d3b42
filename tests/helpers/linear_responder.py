"""A responder that takes no time."""

import time

import numpy as np

from mlda_core.assimilation.adjoint import Sensitivity


class Linear:
    """A responder of its own: every variable follows the sea of its own cell, one to one."""

    def __init__(self, bundle):
        self.bundle, self.made, self.wait = bundle, [], 0.0

    def inside(self, *_):
        return None

    def analysis(self, month, held, *, change=None, **_):
        time.sleep(self.wait)
        self.made.append((month, held, change is not None))
        sea = np.nan_to_num(self.bundle.target(month)[self.bundle.sea_row])
        fields = np.tile(sea if change is None else sea + change, (4, 1, 1))
        return np.where(self.bundle.mask, fields, np.nan).astype(np.float32)

    def sensitivity(self, *given, **_):
        row = [v.name for v in self.bundle.variables].index(given[1])
        weights = self.bundle.grid.weights * self.bundle.mask[row]
        at_sea = np.where(self.bundle.mask[self.bundle.sea_row], weights / weights.sum(), 0.0)
        return Sensitivity(0.0, "K", at_sea, at_sea)
