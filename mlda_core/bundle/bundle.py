"""A trained model loaded from its folder."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError

from mlda_core.bundle.additions import (
    check_prior,
    has_statistics,
    prior_in,
    read_sea,
    read_settings,
    read_statistics,
)
from mlda_core.bundle.autoencoder import Autoencoder
from mlda_core.bundle.datasets import checked_state, dataset_of, seasons_of_dates
from mlda_core.bundle.files import (
    check_files,
    check_shapes,
    impact_names,
    read_arrays,
    read_config,
    read_scores,
    read_tensors,
    reason_of,
    unpack_tensors,
)
from mlda_core.bundle.months import BundledMonths
from mlda_core.bundle.shipped import located
from mlda_core.bundle.statistics import Statistics, TunedParameters
from mlda_core.climate.errors import BundleError, StateError
from mlda_core.climate.grid import Grid
from mlda_core.climate.interpolation import ObservationOperator
from mlda_core.climate.preprocess import Preprocessor, to_display
from mlda_core.climate.seasons import MONTHLY, Seasons
from mlda_core.climate.variables import Variable
from mlda_core.climate.vectors import Pair, check_vectors
from mlda_core.vae.networks import Decoder, NetworkConfig
from mlda_core.vae.priors import prior_of
from mlda_core.vae.sea import SeaNetwork

Float = NDArray[np.float32]


class Bundle:
    """A trained model with its bundled months.

    Created by :func:`load_bundle`. All methods are pure reads, so one bundle serves many threads.
    Arrays are ordered (variable, lat, lon); anomalies are in display units (hPa, K, mm/day) and
    NaN where a variable does not exist or is missing.

    Attributes
    ----------
    path : Path
        The folder.
    config : dict
        The contents of ``config.json``.
    normaliser : Preprocessor
        Climatology, spread and transforms.
    residual_sd : ndarray, shape (V, lat, lon)
        Standard deviation of the representation error, standardised, on held-out months.
    direction_share : ndarray, shape (L, V)
        Variance fraction of each latent direction in each variable, area mean.
    """

    def __init__(
        self,
        path: Path,
        config: dict[str, Any],
        normaliser: Preprocessor,
        tensors: dict[str, torch.Tensor],
        months: Mapping[str, NDArray[Any]],
    ) -> None:
        self.path, self.config, self.normaliser = path, config, normaliser
        unpacked = unpack_tensors(tensors)
        self._autoencoder = Autoencoder(config, normaliser, unpacked)
        self._months = BundledMonths(months)
        self.residual_sd = unpacked["residual_sd"].numpy()
        self.direction_share = unpacked["direction_share"].numpy()
        self._codes: dict[str, NDArray[np.float64]] = {}
        self._priors: dict[str, Any] = {}

    # Metadata

    @property
    def seasons(self) -> Seasons:
        """Its time step, months or days, and what a season is: a calendar month or a day."""
        return self.normaliser.seasons

    def require_months(self, why: str) -> None:
        """Refuse a bundle of another time step.

        Parameters
        ----------
        why : str
            What is for months, and the remedy, to end the sentence.

        Raises
        ------
        BundleError
            If it is not one of months.
        """
        if self.seasons is not MONTHLY:
            raise BundleError(f"{self.path} is a bundle of {self.seasons.step.plural}, and {why}.")

    @property
    def months(self) -> tuple[str, ...]:
        """``YYYY-MM`` of the bundled months, or ``YYYY-MM-DD`` of the days, ascending."""
        return self._months.names

    @property
    def name(self) -> str:
        """Short name."""
        return str(self.config["name"])

    @property
    def title(self) -> str:
        """Display name."""
        return str(self.config["title"])

    @property
    def base_period(self) -> str:
        """Period of the climatology, for display."""
        return str(self.config["base_period"])

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables, in array order."""
        return self.normaliser.variables

    @property
    def vectors(self) -> tuple[Pair, ...]:
        """Pairs of variables that are a vector's eastward and northward components."""
        return check_vectors(self.config.get("vectors", []), self.variables)

    @property
    def grid(self) -> Grid:
        """The horizontal grid."""
        return self.normaliser.grid

    @property
    def mask(self) -> NDArray[np.bool_]:
        """True where a variable exists, shape (V, lat, lon)."""
        return self.normaliser.mask

    @property
    def n_latent(self) -> int:
        """Length of the latent vector."""
        return self.decoder.config.n_latent

    @property
    def has_statistics(self) -> bool:
        """Whether ``mlda calibrate`` has added the statistics for assimilation."""
        return has_statistics(self.config)

    @property
    def settings(self) -> TunedParameters:
        """Tuned parameters of the assimilation.

        Raises
        ------
        BundleError
            If the parameters are invalid.
        """
        return read_settings(self.path, self.config)

    @cached_property
    def statistics(self) -> Statistics:
        """Past months and residuals, for assimilation; read at first use.

        Raises
        ------
        BundleError
            If the bundle has none.
        """
        patterns = self.decoder.patterns.numpy()
        return read_statistics(self.path, self.config, patterns, self.n_latent)

    @property
    def sea_row(self) -> int:
        """Index of SST in the state, -1 if absent."""
        return next((i for i, v in enumerate(self.variables) if v.domain == "sea"), -1)

    @cached_property
    def sea(self) -> SeaNetwork | None:
        """The sea network, from SST to the mean state under it; None if absent.

        Raises
        ------
        BundleError
            If it is damaged.
        """
        return read_sea(self.path, self.config, self.normaliser, self.sea_row)

    def prior(self, key: str) -> Any:
        """Return a prior of the latent vector, read at its first use.

        Parameters
        ----------
        key : str
            One of :data:`mlda_core.vae.priors.PRIORS`.

        Returns
        -------
        LatentPrior

        Raises
        ------
        PriorError
            If there is no such prior, or its library is not installed.
        BundleError
            If the bundle has not been trained one, or it is damaged.
        """
        name = prior_of(key).key
        if name not in self._priors:
            self._priors[name] = prior_in(self.path, self.config, name, self.n_latent)
        return self._priors[name]

    def check_prior(self, key: str) -> None:
        """Check that a prior of the latent vector is there; nothing is read.

        Parameters
        ----------
        key : str
            One of :data:`mlda_core.vae.priors.PRIORS`.

        Raises
        ------
        PriorError
            If there is no such prior, or its library is not installed.
        BundleError
            If the bundle has not been trained one.
        """
        check_prior(self.path, self.config, key)

    def with_sea(self, network: SeaNetwork) -> Bundle:
        """Return a copy with a sea network that is not saved in its folder yet."""
        other = copy.copy(self)
        other.__dict__["sea"] = network
        return other

    @torch.no_grad()
    def mean_under(self, sea: Float, seasons: NDArray[np.int64]) -> Float:
        """Mean state under given seas.

        Parameters
        ----------
        sea : ndarray, shape (n, lat, lon)
            Standardised SST anomalies, zero over land.
        seasons : ndarray of int, shape (n,)

        Returns
        -------
        ndarray of float32, shape (n, V, lat, lon)
            Standardised.

        Raises
        ------
        BundleError
            If the bundle has no sea network.
        """
        if self.sea is None:
            raise BundleError(f"{self.path} has no sea network; add it with 'mlda calibrate'.")
        spread = np.nan_to_num(self.normaliser.spread[seasons - 1, self.sea_row])
        given = torch.from_numpy(np.asarray(sea, np.float32))
        kelvin = given * torch.from_numpy(spread.astype(np.float32))
        calendar = torch.from_numpy(self.seasons.calendar_months(seasons))
        out: Float = self.sea(given, kelvin, calendar).numpy()
        return out

    @cached_property
    def operator(self) -> ObservationOperator:
        """The observation operator of the grid and mask."""
        return ObservationOperator(self.grid, self.mask)

    @cached_property
    def scores(self) -> dict[str, Any]:
        """The contents of ``scores.json``; empty if there is none.

        Raises
        ------
        BundleError
            If the file is damaged.
        """
        return read_scores(self.path / "scores.json")

    @property
    def impacts(self) -> tuple[str, ...]:
        """Names of its impact heads, for :func:`mlda_core.impact.files.load_impact`."""
        return impact_names(self.path)

    # Bundled months

    def split(self, month: str) -> str:
        """Return the split of a bundled month.

        Parameters
        ----------
        month : str
            ``YYYY-MM``, one of :attr:`months`.

        Returns
        -------
        str
            train, validation, calibration, test or gap.

        Raises
        ------
        StateError
            If the bundle does not hold the month.
        """
        return self._months.split(month)

    def target_standardised(self, month: str) -> Float:
        """Return a bundled month's standardised anomalies.

        Parameters
        ----------
        month : str
            ``YYYY-MM``, one of :attr:`months`.

        Returns
        -------
        ndarray of float32, shape (V, lat, lon)
            NaN where missing.

        Raises
        ------
        StateError
            If the bundle does not hold the month.
        """
        return self._months.standardised(month)

    def target(self, month: str) -> Float:
        """Return a bundled month's anomalies.

        Parameters
        ----------
        month : str
            ``YYYY-MM``, one of :attr:`months`.

        Returns
        -------
        ndarray of float32, shape (V, lat, lon)
            Display units, NaN where missing.

        Raises
        ------
        StateError
            If the bundle does not hold the month.
        """
        x = self.target_standardised(month)
        season = self.seasons.of(month)
        fields = self._restore(x[None], season, spread=False)[0]
        return fields - self.climatology(season)

    def climatology(self, season: int) -> Float:
        """Return the monthly climatology of full fields.

        Parameters
        ----------
        season : int
            Calendar month 1..12, or day of a leap year 1..366 of a daily bundle.

        Returns
        -------
        ndarray of float32, shape (V, lat, lon)
            Display units.

        Raises
        ------
        StateError
            If there is no such season.
        """
        month = self.seasons.checked(season)
        return self.normaliser.climatology[month - 1].astype(np.float32)

    def state(self, month: str) -> xr.Dataset:
        """Return a bundled month as full fields.

        Parameters
        ----------
        month : str
            ``YYYY-MM``, one of :attr:`months`.

        Returns
        -------
        Dataset
            CF units, dimensions (time, lat, lon).

        Raises
        ------
        StateError
            If the bundle does not hold the month.
        """
        fields = self.target(month) + self.climatology(self.seasons.of(month))
        return self._dataset(fields[None], [month], anomaly=False)

    def code(self, month: str) -> NDArray[np.float64]:
        """Return the encoded mean of a bundled month.

        Parameters
        ----------
        month : str
            ``YYYY-MM``, one of :attr:`months`.

        Returns
        -------
        ndarray, shape (L,)

        Raises
        ------
        StateError
            If the bundle does not hold the month.
        """
        if month not in self._codes:
            x = np.nan_to_num(self.target_standardised(month))[None]
            mean, _ = self.encode_standardised(x, np.array([self.seasons.of(month)]))
            self._codes[month] = mean[0]
        return self._codes[month].copy()

    def calendar_month(self, season: int) -> int:
        """Return the calendar month of a season, which the networks and covariances know.

        Raises
        ------
        StateError
            If there is no such season.
        """
        return self.seasons.calendar_month(self.seasons.checked(season))

    # Encoder and decoder

    @property
    def decoder(self) -> Decoder:
        """The decoder: exported latent vectors to standardised anomalies; without gradients."""
        return self._autoencoder.decoder

    def decode_standardised(self, z: ArrayLike, season: int, *, linear: bool = False) -> Float:
        """Decode latent vectors to standardised anomalies.

        Parameters
        ----------
        z : array_like, shape (n, L)
        season : int
            Calendar month 1..12, or day of a leap year 1..366 of a daily bundle.
        linear : bool
            Whether to omit the refining network.

        Returns
        -------
        ndarray of float32, shape (n, V, lat, lon)
            Zero where a variable does not exist.

        Raises
        ------
        StateError
            If there is no such season.
        """
        return self._autoencoder.decode(np.asarray(z), self.calendar_month(season), linear=linear)

    def encode_standardised(
        self, x: Float, seasons: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Encode standardised anomalies.

        Parameters
        ----------
        x : ndarray, shape (n, V, lat, lon)
            Missing cells count as zero.
        seasons : ndarray of int, shape (n,)
            Calendar months 1..12, or days of a leap year 1..366.

        Returns
        -------
        mean, sd : ndarray, shape (n, L)

        Raises
        ------
        StateError
            If there is no such season.
        """
        for season in np.unique(seasons):
            self.seasons.checked(season)
        calendar = self.seasons.calendar_months(np.asarray(seasons, np.int64))
        return self._autoencoder.encode(np.nan_to_num(x).astype(np.float32), calendar)

    def code_of(self, x: torch.Tensor, month: torch.Tensor) -> torch.Tensor:
        """Encode standardised anomalies, differentiably.

        Parameters
        ----------
        x : Tensor, shape (n, V, lat, lon)
        month : Tensor of int, shape (n,)
            Calendar months 1..12.

        Returns
        -------
        Tensor, shape (n, L)
            Means of the posterior of z.
        """
        return self._autoencoder.code_of(x, month)

    def jacobian(self, season: int) -> Float:
        """Jacobian of the decoder at z = 0, cached by month.

        Parameters
        ----------
        season : int
            Calendar month 1..12, or day of a leap year 1..366 of a daily bundle.

        Returns
        -------
        ndarray of float32, shape (L, V, lat, lon)
            Standardised.

        Raises
        ------
        StateError
            If there is no such season.
        """
        return self._autoencoder.jacobian(self.calendar_month(season))

    def decode_anomalies(self, z: ArrayLike, season: int) -> Float:
        """Decode latent vectors to anomalies in display units.

        The result is the mean over the residual spread (``residual_sd``): rain's transform is
        nonlinear, and the transform of the mean would underestimate it.

        Parameters
        ----------
        z : array_like, shape (L,) or (n, L)
        season : int
            Calendar month 1..12, or day of a leap year 1..366 of a daily bundle.

        Returns
        -------
        ndarray of float32, shape (V, lat, lon) or (n, V, lat, lon)

        Raises
        ------
        StateError
            If z has the wrong length or is not finite, or there is no such season.
        """
        x = self.decode_standardised(self._autoencoder.checked(np.asarray(z)), season)
        fields = self._restore(x, season, spread=True)
        out = fields - self.climatology(season)
        return out[0] if np.ndim(z) == 1 else out

    def encode_anomalies(
        self, anomalies: ArrayLike, season: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Encode one month's anomalies.

        Parameters
        ----------
        anomalies : array_like, shape (V, lat, lon)
            Display units; missing cells (NaN) count as zero.
        season : int
            Calendar month 1..12, or day of a leap year 1..366 of a daily bundle.

        Returns
        -------
        mean, sd : ndarray, shape (L,)

        Raises
        ------
        StateError
            If the anomalies have another shape, or there is no such season.
        """
        given = np.asarray(anomalies, np.float64)
        if given.shape != self.mask.shape:
            raise StateError(
                f"Anomalies of this bundle have the shape {self.mask.shape}, not {given.shape}; "
                "give one month of every variable on its grid."
            )
        fields = given + self.climatology(season)
        here = np.array([self.seasons.checked(season)])
        x = np.nan_to_num(self.normaliser.standardise(fields[None], here))
        mean, sd = self.encode_standardised(x.astype(np.float32), here)
        return mean[0], sd[0]

    def direction_effect(self, k: int, season: int) -> Float:
        """Return the change of the anomalies for +1 in z[k] about z = 0, display units.

        Half the difference between z[k] = +1 and -1.

        Parameters
        ----------
        k : int
            Index of the direction, from 0.
        season : int
            Calendar month 1..12, or day of a leap year 1..366 of a daily bundle.

        Returns
        -------
        ndarray of float32, shape (V, lat, lon)

        Raises
        ------
        StateError
            If there is no such direction, or there is no such season.
        """
        if not 0 <= k < self.n_latent:
            raise StateError(f"Direction {k} is not within 0 to {self.n_latent - 1}; correct it.")
        z = np.zeros((2, self.n_latent))
        z[0, k], z[1, k] = 1.0, -1.0
        both = self.decode_anomalies(z, season)
        return np.asarray(0.5 * (both[0] - both[1]))

    def encode(self, state: xr.Dataset, *, anomalies: bool = False) -> xr.Dataset:
        """Encode full fields (or anomalies) to latent vectors.

        Parameters
        ----------
        state : Dataset
            The bundle's variables in CF units on its grid, dimensions (time, lat, lon), with a
            ``time`` coordinate. Variables without a ``units`` attribute are assumed to be in the
            bundle's units.
        anomalies : bool
            Whether the fields are anomalies from the bundle's climatology.

        Returns
        -------
        Dataset
            ``z`` and ``z_sd``, dimensions (time, latent).

        Raises
        ------
        StateError
            If a variable is missing or has other dimensions or units, or the grid differs.
        """
        ordered = checked_state(state, self.variables, self.grid)
        seasons = seasons_of_dates(ordered["time"], self.seasons)
        fields = to_display(
            {v.name: ordered[v.name].values for v in self.variables}, self.variables
        )
        if anomalies:
            offsets = np.array([v.offset for v in self.variables])[:, None, None]
            fields = fields - offsets + self.normaliser.climatology[seasons - 1]
        x = np.nan_to_num(self.normaliser.standardise(fields, seasons)).astype(np.float32)
        mean, sd = self.encode_standardised(x, seasons)
        dims = ("time", "latent")
        return xr.Dataset(
            {"z": (dims, mean, {"units": "1"}), "z_sd": (dims, sd, {"units": "1"})},
            coords={"time": ordered["time"].values, "latent": np.arange(1, self.n_latent + 1)},
        )

    def decode(
        self, z: ArrayLike, month: str | list[str], *, anomalies: bool = False
    ) -> xr.Dataset:
        """Decode latent vectors to fields with CF names and units.

        Parameters
        ----------
        z : array_like, shape (L,) or (n, L)
        month : str or list of str
            ``YYYY-MM`` of each vector (one for all is enough); any year from 1678 to 2261.
        anomalies : bool
            Whether to return anomalies instead of full fields.

        Returns
        -------
        Dataset
            Dimensions (time, lat, lon).

        Raises
        ------
        StateError
            If z has the wrong shape or a month is not ``YYYY-MM``.
        """
        latent = self._autoencoder.checked(np.asarray(z))
        months = [str(month)] * len(latent) if np.ndim(month) == 0 else list(month)
        if len(months) != len(latent):
            raise StateError(
                f"There are {len(latent)} vectors but {len(months)} months; give one month for "
                "all, or one for each."
            )
        out = np.empty((len(latent), *self.mask.shape), np.float32)
        for i, name in enumerate(months):
            season = self.seasons.of(name)
            out[i] = self.decode_anomalies(latent[i], season)
            if not anomalies:
                out[i] += self.climatology(season)
                for v, variable in enumerate(self.variables):
                    if variable.non_negative:
                        out[i, v] = np.maximum(out[i, v], 0.0)
        return self._dataset(out, months, anomaly=anomalies)

    # Internals

    def _restore(self, x: NDArray[np.floating], season: int, *, spread: bool) -> Float:
        sd = self.residual_sd if spread else None
        fields = self.normaliser.restore(x, np.full(len(x), season), sd=sd)
        return np.where(self.mask, fields, np.nan).astype(np.float32)

    def _dataset(self, fields: Float, months: list[str], *, anomaly: bool) -> xr.Dataset:
        return dataset_of(
            fields,
            months,
            self.variables,
            self.grid,
            source=f"mlda bundle {self.name}",
            base_period=self.base_period if anomaly else "",
            step=self.seasons.step,
        )


def load_bundle(path: str | Path) -> Bundle:
    """Load a bundle, checking its schema, checksums and shapes.

    Parameters
    ----------
    path : path
        The folder; or the name of a bundle that ships with the project, such as ``speedy``.

    Returns
    -------
    Bundle

    Raises
    ------
    BundleError
        One sentence with the fault and the remedy.
    """
    path = located(path)
    try:
        config = read_config(path)
        check_files(path, config)
    except OSError as error:
        raise BundleError(
            f"{error.filename or path} cannot be read ({error.strerror or error}); allow it to be "
            "read, or copy the bundle again."
        ) from error
    try:
        variables = tuple(Variable.from_dict(v) for v in config["variables"])
        normaliser = Preprocessor.from_arrays(read_arrays(path / "normaliser.nc"), variables)
        months = read_arrays(path / "months.nc")
        tensors = read_tensors(path / "weights.safetensors")
        check_vectors(config.get("vectors", []), variables)
        check_shapes(NetworkConfig(**config["network"]), normaliser, tensors, months)
        return Bundle(path, config, normaliser, tensors, months)
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RuntimeError,
        SafetensorError,
    ) as error:
        raise BundleError(
            f"{path} does not fit together ({reason_of(error)}); copy or train the bundle again."
        ) from error
