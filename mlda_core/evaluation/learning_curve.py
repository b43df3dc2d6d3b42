"""Learning curve: validation skill against the number of training months.

Every point of the curve is a separate model, trained on the months of some members only, which
includes climatology, spread, networks, error statistics and every baseline. Test months are dropped
as soon as the data are read.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlda_core.assimilation.calibrate import calibrate, encode_all, estimate
from mlda_core.assimilation.methods import METHODS, scored_in
from mlda_core.bundle.bundle import Bundle, load_bundle
from mlda_core.bundle.checks import decode_all
from mlda_core.bundle.export import export_bundle, history
from mlda_core.bundle.writing import add_statistics
from mlda_core.climate.atomic_files import replacing
from mlda_core.climate.preprocess import Preprocessor
from mlda_core.evaluation import assimilation as scoring
from mlda_core.evaluation.eof import fit_eofs
from mlda_core.evaluation.learning_curve_points import (
    Point,
    full_fields,
    has_mixed,
    joined,
    read_members,
    restandardised,
    watching_calibration,
    without_validation,
)
from mlda_core.evaluation.reconstruction import skill, skill_of_anomalies
from mlda_core.vae.config import ConfigError, ModelConfig
from mlda_core.vae.dataset import (
    LEAST_MONTHS,
    Months,
    TrainingData,
    load_training_data,
    mean_square,
)
from mlda_core.vae.sea_training import SeaTraining
from mlda_core.vae.training import train

if TYPE_CHECKING:
    from mlda_core.bundle.statistics import TunedParameters

Tick = Callable[[str, int, int], None]

EPOCHS = 4
SEA_EPOCHS = 2
NETWORKS = ("stations_100", "sst_only")
# Methods of the point's own bundle, and those of its classical one.
OWN = tuple(key for key in scored_in("learning_curve") if METHODS[key].latent == "decoder")
CLASSICAL = tuple(key for key in scored_in("learning_curve") if key not in OWN)
RECONSTRUCTION = "reconstruction"
# Number of members on whose months assimilation is scored: places and SST are the same for all
# members, and the scoring takes longer than the training.
SCORED_MEMBERS = 3
# Splits used: no gap months, and no test months.
_USED = ("train", "calibration", "validation")
_RESULT = "scores.json"


class Curve:
    """A learning curve in a folder; computes missing points.

    Parameters
    ----------
    config : ModelConfig
        Of the model; its splits determine training and scored months.
    settings : TunedParameters
        Of the assimilation, the same at every point.
    folder : Path
        Contains one folder for each point.
    epochs : int
        Of the training with the largest number of months. With fewer months the number of steps
        is the same, in at most as many epochs as configured.
    tick : callable, optional
        Called with (stage, done, in all).
        Called with (what, done, in all).
    """

    def __init__(
        self,
        config: ModelConfig,
        settings: TunedParameters,
        folder: Path,
        *,
        epochs: int = EPOCHS,
        tick: Tick | None = None,
    ) -> None:
        self.config, self.settings, self.folder, self.epochs = config, settings, folder, epochs
        self._tick = tick or _no_progress

    def run(self, points: Sequence[Point]) -> list[dict[str, Any]]:
        """Compute points, and return the scores of each.

        Finished points are read, interrupted ones resumed.

        Parameters
        ----------
        points : sequence of Point

        Returns
        -------
        list of dict
            Contents of each point's ``scores.json``, in the order of the points.

        Raises
        ------
        ConfigError
            If the folder holds a curve with other data or settings.
        """
        scores = {point: self._kept(point) for point in points}
        for point in points:
            if not scores[point].get("finished"):
                scores[point] = self._score(point, scores[point])
        return [scores[point] for point in points]

    # Configuration and data of a point

    def model(self, point: Point) -> ModelConfig:
        """Return the configuration of a point's model."""
        data = replace(self.config.data, shipped_member=point.members[0])
        if not point.mixed:
            data = replace(data, mixed=None, patches=None, mixed_share=0.0)
        mine = replace(self.config, name=f"{self.config.name}-{point.name}", data=data)
        return mine.with_training(epochs=self._epochs(point))

    def data(self, point: Point) -> TrainingData:
        """Return the months of a point, with their own climatology and spread: no test months."""
        whole = self._all_months
        mine = whole.observed.where(np.isin(whole.observed.member, point.members))
        chosen = mine.in_split("train")
        normaliser = Preprocessor.fit(
            full_fields(chosen, whole.normaliser),
            chosen.season,
            self.config.variables,
            whole.normaliser.grid,
            power=self.config.data.power,
            least=LEAST_MONTHS,
        )
        mixed = whole.mixed if point.mixed else None
        return TrainingData(
            normaliser,
            restandardised(mine, whole.normaliser, normaliser),
            None if mixed is None else restandardised(mixed, whole.normaliser, normaliser),
        )

    @cached_property
    def _all_months(self) -> TrainingData:
        """Months of every member except test, as anomalies from all training months."""
        self._tick("reading the months", 0, 1)
        data = load_training_data(self.config)
        self._tick("reading the months", 1, 1)
        return replace(data, observed=data.observed.in_split(*_USED))

    def _counts(self, point: Point) -> tuple[int, int]:
        """Count the training months of a point under the observed and under mixed seas."""
        mixed = self._all_months.mixed
        return (
            int(np.isin(self._all_months.train.member, point.members).sum()),
            0 if mixed is None or not point.mixed else len(mixed),
        )

    def _epochs(self, point: Point) -> int:
        """Epochs for as many steps as with the most months, at most the configured number."""
        everything = Point(read_members(self.config), has_mixed(self.config))
        fraction = self.config.data.mixed_share
        most, own = (
            observed + fraction * mixed
            for observed, mixed in map(self._counts, (everything, point))
        )
        return max(self.epochs, min(self.config.training.epochs, round(self.epochs * most / own)))

    def _sea_training(self, point: Point) -> SeaTraining:
        """Plan the sea network's training likewise, in steps of distinct seas."""
        default, mixed = SeaTraining(), self._all_months.mixed
        if mixed is None:
            return default
        observed = np.unique(self._all_months.train.names).size
        most = observed + len(mixed)
        epochs = round(SEA_EPOCHS * most / (most if point.mixed else observed))
        return replace(
            default,
            epochs=min(default.epochs, epochs),
            epochs_normalised=min(default.epochs_normalised, epochs),
        )

    # Computation of a point

    def train(self, point: Point) -> Bundle:
        """Return the bundle of a point, training and calibrating it if it is missing.

        Parameters
        ----------
        point : Point

        Returns
        -------
        Bundle
        """
        folder = self.folder / point.name
        path, run = folder / "bundle", folder / "run"
        if not (path / "config.json").exists():
            data, model = without_validation(self.data(point)), self.model(point)
            vae = train(
                model,
                watching_calibration(data),
                run,
                tick=self._counting(f"{point.name}: training", model.training.epochs, run),
            )
            summary = history(run, data)
            summary["calibration_explained_variance"] = summary.pop("validation_explained_variance")
            export_bundle(vae, model, data, path, provenance=summary)
        bundle = load_bundle(path)
        if not bundle.has_statistics:
            calibrate(
                bundle,
                without_validation(self.data(point)),
                self.settings,
                training=self._sea_training(point),
                held=("calibration",),
                tick=lambda what, done, total: self._tick(f"{point.name}: {what}", done, total),
            )
            bundle = load_bundle(path)
        return bundle

    def classical(self, point: Point, bundle: Bundle) -> Bundle:
        """Return a bundle with covariances of all training months of a point, for the baselines.

        The VAE excludes mixed seas from the covariances of its hybrid, as the prior describes
        months under the observed sea. The baselines learn from covariances only, so here months
        under mixed seas are included.

        Parameters
        ----------
        point : Point
        bundle : Bundle
            From :meth:`train`.

        Returns
        -------
        Bundle
            The same one if there are no mixed seas.
        """
        if not point.mixed:
            return bundle
        path = self.folder / point.name / "bundle-classical"
        if not path.exists():
            data = without_validation(self.data(point))
            fresh = path.with_name(path.name + ".part")
            shutil.rmtree(fresh, ignore_errors=True)
            shutil.copytree(bundle.path, fresh)
            copied = load_bundle(fresh)
            held = ("calibration",)
            statistics = estimate(
                copied,
                replace(data, observed=joined(data), mixed=None),
                bundle.settings,
                held=held,
                past=("train", *held),
                tick=lambda what, done, total: self._tick(
                    f"{point.name}: {what} (classical)", done, total
                ),
            )
            add_statistics(copied, statistics, bundle.settings, copied.sea)
            fresh.rename(path)
        return load_bundle(path)

    def _counting(self, what: str, epochs: int, run: Path) -> Callable[[int, int], None]:
        """Count the steps of all epochs, including those of an interrupted run."""
        log = run / "log.jsonl"
        done = len(log.read_text("utf-8").splitlines()) if log.exists() else 0

        def tick(step: int, steps: int) -> None:
            nonlocal done
            self._tick(what, min(done, epochs - 1) * steps + step, epochs * steps)
            done += step == steps

        return tick

    # Scores of a point

    def _score(self, point: Point, scores: dict[str, Any]) -> dict[str, Any]:
        """Compute missing scores, writing them as they are computed."""
        bundle = self.train(point)
        classical = self.classical(point, bundle)
        data = self.data(point)
        observed, mixed = self._counts(point)
        scores |= {
            "members": len(point.members),
            "training_months": observed,
            "mixed_sea_months": mixed,
            "epochs": bundle.config["provenance"]["epochs"],
            "best_epoch": bundle.config["provenance"]["best_epoch"],
        }
        if RECONSTRUCTION not in scores:
            scores[RECONSTRUCTION] = self._reconstruction(bundle, data)
            self._write(point, scores)
        mine = self._targets(bundle, SCORED_MEMBERS)
        for network in networks_of(bundle):
            if network not in scores:
                scores[network] = self._network(point, network, bundle, classical, mine)
                self._write(point, scores)
        scores["finished"] = True
        self._write(point, scores)
        return scores

    def _targets(self, bundle: Bundle, most: int | None = None) -> Months:
        """Return validation months of every member, or of the first, standardised by a bundle."""
        months = self._reference(most)
        return restandardised(months, self._all_months.normaliser, bundle.normaliser)

    def _reference(self, most: int | None = None) -> Months:
        """Return the same months as anomalies from the climatology of all training months."""
        months = self._all_months.observed.in_split("validation")
        return months.where(np.isin(months.member, read_members(self.config)[:most]))

    def _reconstruction(self, bundle: Bundle, data: TrainingData) -> dict[str, Any]:
        months = self._targets(bundle)
        z = encode_all(bundle, months.x, months.season)
        rebuilt = decode_all(bundle, z, months.season)
        basis = fit_eofs(data, bundle.n_latent, mixed=data.mixed is not None)
        held = data.observed.in_split("calibration")
        error = (held.x - basis.reconstruct(held.x)).astype(np.float64)
        sd = np.sqrt(mean_square(error, held.present, np.nan))
        by_method = {
            "vae": skill(bundle, months, rebuilt, bundle.residual_sd),
            "eof": skill(bundle, months, basis.reconstruct(months.x), sd),
            "climatology": skill_of_anomalies(bundle, months, np.zeros_like(months.x)),
        }
        zero = skill_of_anomalies(bundle, self._reference(), np.zeros_like(months.x))
        return {
            v.name: {
                method: _against(scores[v.name]["rmse"], zero[v.name]["rmse"])
                for method, scores in by_method.items()
            }
            for v in bundle.variables
        }

    def _network(
        self, point: Point, network: str, bundle: Bundle, classical: Bundle, months: Months
    ) -> dict[str, Any]:
        def tick(what: str, done: int, total: int) -> None:
            self._tick(f"{point.name}: {what}", done, total)

        _, everywhere = scoring.network_of(bundle, network, 0)
        # Variables observed in every cell are merely copied.
        unseen = [v.name for i, v in enumerate(bundle.variables) if i not in everywhere]
        raw: dict[str, Any] = {name: {} for name in unseen}
        for which, methods in ((bundle, OWN), (classical, CLASSICAL)):
            part = scoring.score(
                which, months, methods=methods, networks=(network,), spread=False, tick=tick
            )
            for name in unseen:
                raw[name] |= part[network][name]
        # The same cells and months, relative to the climatology of all training months.
        reference = self._reference(SCORED_MEMBERS)
        zero = scoring.score(bundle, reference, methods=(), networks=(network,), spread=False)
        out = {
            name: {
                method: _against(scores["rmse"], zero[network][name]["climatology"]["rmse"])
                for method, scores in by_method.items()
            }
            for name, by_method in raw.items()
        }
        if network == "sst_only":
            known = scoring.ceiling(bundle, self._reference())
            for name in set(unseen) & set(known):
                of_all = known[name]["explained_variance"]
                out[name]["ceiling"] = {"explained_variance": of_all}
        return out

    # Storage

    def _kept(self, point: Point) -> dict[str, Any]:
        """Return the stored scores of a point; refuse a folder of another curve."""
        stamp = self._stamp(point)
        path = self.folder / point.name / _RESULT
        if not path.exists():
            scores = {"made_of": stamp}
            self._write(point, scores)
            return scores
        scores = json.loads(path.read_text(encoding="utf-8"))
        if scores["made_of"] != stamp:
            raise ConfigError(
                f"{path.parent} holds a learning curve of other data or settings; give another "
                "folder with --out, or delete it to start again."
            )
        return dict(scores)

    def _write(self, point: Point, scores: dict[str, Any]) -> None:
        path = self.folder / point.name / _RESULT
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as fresh:
            fresh.write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")

    def _stamp(self, point: Point) -> dict[str, Any]:
        """Return everything that determines a point, as plain JSON values."""
        data = self.config.data
        files = {"observed": data.observed, "mixed": data.mixed, "patches": data.patches}
        stamp = {
            "config": self.config.to_dict(),
            "settings": self.settings.to_dict(),
            "bytes": {k: p.stat().st_size for k, p in files.items() if p is not None},
            "epochs": self.epochs,
            "members": point.members,
            "mixed": point.mixed,
        }
        return dict(json.loads(json.dumps(stamp)))


def networks_of(bundle: Bundle) -> tuple[str, ...]:
    """Return the networks of :data:`NETWORKS` whose variables a bundle has."""
    there = scoring.networks_of(bundle)
    return tuple(name for name in NETWORKS if name in there)


def _no_progress(what: str, done: int, total: int) -> None:
    """No-op progress callback."""


def _against(rmse: float, zero: float) -> dict[str, float]:
    return {"explained_variance": 1.0 - (rmse / zero) ** 2, "rmse": rmse}
