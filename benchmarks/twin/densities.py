"""What filters miss: their densities beside the exact one, for a double well and Lorenz-63."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from mlda_core.cycling.covariance import Gaussian
from mlda_core.cycling.cycle import Cycle
from mlda_core.cycling.density import DensityGrid, Transfer, densities, fokker_planck, noise, ulam
from mlda_core.cycling.density import wasserstein as distance
from mlda_core.cycling.operators import LinearOperator
from mlda_core.cycling.problem import Problem
from mlda_core.cycling.twin import Twin, simulate
from mlda_core.forecast.double_well import DoubleWell
from mlda_core.forecast.dynamics import Dynamics, Time
from mlda_core.forecast.lorenz import Lorenz63
from mlda_core.forecast.model_error import DiagonalCovariance, ModelError

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from gallery import save_small

Array = NDArray[np.float64]
FILTERS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("EnKF, 100 members", "enkf", {"members": 100}),
    ("EnKF, 1000 members", "enkf", {"members": 1000}),
    ("ETKF, 100 members", "etkf", {"members": 100, "rotate": True}),
    ("particle filter, 100", "pf_bootstrap", {"particles": 100}),
    ("particle filter, 1000", "pf_bootstrap", {"particles": 1000}),
    ("optimal proposal, 100", "pf_optimal", {"particles": 100}),
    ("optimal proposal, 1000", "pf_optimal", {"particles": 1000}),
    # Near the exact density, or the grid is too coarse.
    ("particle filter, 10,000", "pf_bootstrap", {"particles": 10_000}),
)
# Those that the pictures show.
SHOWN = (1, 4)


@dataclass(frozen=True, eq=False)
class Stretch:
    """Many steps of a model as one, with a normal error at its end."""

    model: Dynamics
    steps: int
    model_error: ModelError

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.model.name

    @property
    def size(self) -> int:
        """Size of its states."""
        return self.model.size

    def step(self, states: torch.Tensor, time: Time) -> torch.Tensor:
        """Make the steps."""
        for _ in range(self.steps):
            states = self.model.step(states, time)
        return states


@dataclass(frozen=True, eq=False)
class Case:
    """A system whose density fits on a grid.

    Parameters
    ----------
    title : str
    grid : DensityGrid
    transfers : tuple of Transfer
    problem : Problem
    twin : Twin
    """

    title: str
    grid: DensityGrid
    transfers: tuple[Transfer, ...]
    problem: Problem
    twin: Twin


def double_well(cycles: int) -> Case:
    """Observe the double well once a unit of time, with an error as wide as the barrier."""
    model, every = DoubleWell(dt=0.02, sigma=0.6), 50
    initial = Gaussian(np.array([0.0]), DiagonalCovariance(np.array([0.5])))
    grid = DensityGrid((-2.6,), (2.6,), (260,))

    def drift(x: Array) -> Array:
        return np.asarray(model.tendency(torch.from_numpy(x)).numpy())

    exact = fokker_planck(grid, drift, model.sigma**2 / 2, every * model.dt)
    return _case("Double well", model, initial, every, (0,), 1.0, cycles, grid, (exact,))


def lorenz63(cycles: int) -> Case:
    """Observe x of Lorenz-63 every half unit of time, with a large error."""
    error = DiagonalCovariance(np.ones(3))
    model = Stretch(Lorenz63(), 50, error)
    initial = Gaussian(np.array([0.0, 0.0, 24.0]), DiagonalCovariance(np.full(3, 64.0)))
    grid = DensityGrid((-24.0, -30.0, -2.0), (24.0, 30.0, 54.0), (48, 60, 56))
    exact = (ulam(grid, model, range(1)), noise(grid, error.variance))
    return _case("Lorenz-63, x observed", model, initial, 1, (0,), 36.0, cycles, grid, exact)


def _case(  # noqa: PLR0913, PLR0917
    title: str,
    model: Dynamics,
    initial: Gaussian,
    every: int,
    observed: tuple[int, ...],
    variance: float,
    cycles: int,
    grid: DensityGrid,
    transfers: tuple[Transfer, ...],
) -> Case:
    operator = LinearOperator.of_components(observed, model.size)
    errors = np.full(len(observed), variance)
    twin = simulate(model, initial, operator, errors, cycles=cycles, every=every, seed=2)
    problem = Problem(
        model,
        np.arange(every * cycles + 1),
        twin.observations,
        initial,
        Gaussian.of_sample(twin.truth),
        every=every,
    )
    return Case(title, grid, transfers, problem, twin)


def exact_of(case: Case) -> list[tuple[Array, Array, float]]:
    """Return the exact background, analysis and log evidence of each cycle."""
    initial = case.problem.initial
    start = case.grid.normal(initial.mean, initial.covariance.variance)
    found = list(densities(case.grid, case.transfers, start, case.problem.observations[1:]))
    lost = max(abs(background.sum() - 1) for background, _, _ in found)
    print(f"{case.title}: mass lost {lost:.1e}", flush=True)
    return found


def clouds(case: Case, key: str, settings: dict[str, Any]) -> list[tuple[Array, Array]]:
    """Return the states and weights of a filter after each analysis."""
    cycle = Cycle(case.problem, key, seed=9, **settings)
    out = []
    for _ in cycle.run():
        carried = cycle.carried
        states = carried.get("states", carried.get("members"))
        weights = carried.get("weights", np.full(len(states), 1.0 / len(states)))
        out.append((states, weights))
    return out[1:]


def scored(case: Case, exact: list[tuple[Array, Array, float]]) -> tuple[list[str], list[Any]]:
    """Return the rows of the table, and the clouds of each filter."""
    k = len(case.grid.cells)
    rows, found = [], []
    truth = case.twin.at_cycles()[1:]
    means = np.array([after @ case.grid.centres for _, after, _ in exact])
    right = np.array([after[case.grid.centres[:, 0] > 0].sum() for _, after, _ in exact])
    rms = np.sqrt(np.mean((means - truth) ** 2))
    rows.append(f"| {case.title} | exact | 0 | 0 | {rms:.2f} |")
    for label, key, settings in FILTERS:
        cloud = clouds(case, key, settings)
        far = [
            np.mean(
                [
                    distance(case.grid.axis(i), case.grid.marginal(after, i), states[:, i], weights)
                    for i in range(k)
                ]
            )
            for (_, after, _), (states, weights) in zip(exact, cloud, strict=True)
        ]
        side = np.array([weights[states[:, 0] > 0].sum() for states, weights in cloud])
        mean = np.array([weights @ states for states, weights in cloud])
        rms = np.sqrt(np.mean((mean - truth) ** 2))
        wrong = np.abs(side - right).mean()
        rows.append(f"| {case.title} | {label} | {np.mean(far):.3f} | {wrong:.3f} | {rms:.2f} |")
        print(rows[-1], flush=True)
        found.append((label, cloud, far))
    return rows, found


def draw_double_well(case: Case, exact: list[Any], found: list[Any], path: Path) -> None:
    """Draw the exact density over time, and three times at which filters miss it."""
    import matplotlib.pyplot as plt

    x, shown = case.grid.axis(0), range(min(60, len(exact)))
    height = 1 / case.grid.width[0]
    figure = plt.figure(figsize=(9.5, 5.6), layout="constrained")
    axes = figure.subplot_mosaic([["time"] * 3, ["a", "b", "c"]])
    image = np.array([exact[c][1] for c in shown]).T * height
    ax = axes["time"]
    times = np.array(shown) + 1
    ax.pcolormesh(times, x, image, cmap="Greys", vmax=1.5, rasterized=True, shading="nearest")
    ax.plot(times, case.twin.at_cycles()[1:][shown, 0], ".-", color="tab:red", lw=0.8, ms=3)
    ax.plot(times, [case.problem.observations[c + 1].values[0] for c in shown], "x", ms=4)
    ax.set(
        title="Exact analysis density, truth (red), observations (crosses)",
        ylabel="x",
        ylim=(x[0], x[-1]),
    )
    far = np.array(found[SHOWN[0]][2])[list(shown)]
    for name, cycle in zip("abc", np.sort(np.argsort(far)[-3:]), strict=True):
        axes[name].fill_between(x, exact[cycle][1] * height, color="0.8", label="exact")
        for number, colour in zip(SHOWN, ("tab:blue", "tab:orange"), strict=True):
            label, cloud, _ = found[number]
            states, weights = cloud[cycle]
            bins = np.linspace(-2.6, 2.6, 40)
            axes[name].hist(
                states[:, 0],
                bins,
                weights=weights,
                density=True,
                histtype="step",
                label=label,
                color=colour,
            )
        axes[name].set(title=f"time {cycle + 1}", xlabel="x", xlim=(-2.4, 2.4))
    axes["a"].legend(fontsize=7)
    figure.savefig(path, dpi=110)
    plt.close(figure)
    with Image.open(path) as drawn:
        save_small(drawn.convert("RGB"), path)


def draw_lorenz63(case: Case, exact: list[Any], found: list[Any], path: Path) -> None:
    """Draw x and z at the two times at which the ensemble filter is farthest from the density."""
    import matplotlib.pyplot as plt

    far = np.array(found[SHOWN[0]][2])
    cycles = np.sort(np.argsort(far)[-2:])
    figure, axes = plt.subplots(
        2, 3, figsize=(9.5, 6), layout="constrained", sharex=True, sharey=True
    )
    x, z = case.grid.axis(0), case.grid.axis(2)
    for row, cycle in zip(axes, cycles, strict=True):
        flat = case.grid.marginal(exact[cycle][1], 0, 2).T
        true = case.twin.at_cycles()[cycle + 1]
        for ax, title in zip(row, ("exact", *(found[n][0] for n in SHOWN)), strict=True):
            ax.pcolormesh(x, z, flat, cmap="Greys", rasterized=True, shading="nearest")
            ax.plot(true[0], true[2], "+", color="tab:red", ms=12, mew=2)
            ax.set(title=f"{title}, cycle {cycle + 1}", xlabel="x")
        for ax, number, colour in zip(row[1:], SHOWN, ("tab:blue", "tab:orange"), strict=True):
            states, weights = found[number][1][cycle]
            drawn = np.random.default_rng(0).choice(len(states), 300, p=weights)
            ax.plot(states[drawn, 0], states[drawn, 2], ".", color=colour, ms=2)
        row[0].set_ylabel("z")
    figure.savefig(path, dpi=110)
    plt.close(figure)
    with Image.open(path) as drawn:
        save_small(drawn.convert("RGB"), path)


def compare(folder: Path, cycles: int = 200) -> list[str]:
    """Score the filters against the exact densities, draw them, and return the table.

    Parameters
    ----------
    folder : Path
        Of the pictures.
    cycles : int

    Returns
    -------
    list of str
    """
    import matplotlib as mpl

    mpl.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "| system | filter | distance | error of P(x > 0) | RMSE of the mean |",
        "|---|---|---|---|---|",
    ]
    drawn: tuple[tuple[Callable[[int], Case], Callable[..., None], str], ...] = (
        (double_well, draw_double_well, "double-well.png"),
        (lorenz63, draw_lorenz63, "lorenz63.png"),
    )
    for make, draw, name in drawn:
        case = make(cycles)
        exact = exact_of(case)
        rows, found = scored(case, exact)
        lines += rows
        draw(case, exact, found, folder / name)
    return [*lines, ""]
