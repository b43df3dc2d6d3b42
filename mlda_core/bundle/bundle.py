"""A trained model loaded from its folder."""

from __future__ import annotations

import copy
import threading
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file

from mlda_core.bundle import statistics_files
from mlda_core.bundle.files import (
    CALIBRATION_FILES,
    DAMAGE,
    MISSING,
    MONTH_STEP,
    check_files,
    check_shapes,
    impact_names,
    read_arrays,
    read_config,
    read_prior,
    read_scores,
    unpack_tensors,
    write_prior,
    write_statistics,
)
from mlda_core.bundle.statistics import Settings, Statistics
from mlda_core.climate.cf import coordinates
from mlda_core.climate.errors import BundleError, StateError
from mlda_core.climate.grid import Grid
from mlda_core.climate.interpolation import ObservationOperator
from mlda_core.climate.preprocess import Preprocessor, to_display
from mlda_core.climate.splits import calendar_month
from mlda_core.climate.variables import Variable, relative_weights
from mlda_core.climate.vectors import Pair, check_vectors
from mlda_core.vae.latent_prior import TrainedPrior
from mlda_core.vae.minimise import decoder_jacobian
from mlda_core.vae.networks import Decoder, Encoder, NetworkConfig
from mlda_core.vae.packing import unpack_bytes
from mlda_core.vae.priors import prior_of
from mlda_core.vae.sea import SeaConfig, SeaNetwork

Float = NDArray[np.float32]
# torch.func.jvp uses process-wide state: two at once raise RuntimeError.
_JACOBIAN_LOCK = threading.Lock()


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
    months : tuple of str
        ``YYYY-MM`` of the bundled months, ascending.
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
        network = NetworkConfig(**config["network"])
        mask = torch.from_numpy(normaliser.mask)
        periodic = normaliser.grid.is_global
        tensors = unpack_tensors(tensors)
        patterns = tensors["decoder.patterns"]
        scale = relative_weights(
            config["training"].get("variable_weights", ()), normaliser.variables
        )
        weights = torch.from_numpy((normaliser.weights * scale[:, None, None]).ravel()).float()
        self._decoder = Decoder(mask, network, periodic=periodic, patterns=patterns)
        self._encoder = Encoder(mask, network, periodic=periodic)
        self._encoder.project_on(patterns, weights)
        for head, module in (("decoder.", self._decoder), ("encoder.", self._encoder)):
            own = {k[len(head) :]: v for k, v in tensors.items() if k.startswith(head)}
            own |= {"mask": self._decoder.mask} if head == "decoder." else {}
            module.load_state_dict(own)
            module.eval().requires_grad_(False)
        self._turn = tensors["from_training"].numpy().astype(np.float64)
        self.residual_sd = tensors["residual_sd"].numpy()
        self.direction_share = tensors["direction_share"].numpy()
        self._packed = months["x"]
        self._step = np.float32(months.get("step", MONTH_STEP))
        self._split = [str(s) for s in months["split"]]
        self.months = tuple(str(m) for m in months["month"])
        self._row = {m: i for i, m in enumerate(self.months)}
        self._jacobians: dict[int, Float] = {}
        self._codes: dict[str, NDArray[np.float64]] = {}
        self._priors: dict[str, Any] = {}

    # Metadata

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
        return self._decoder.config.n_latent

    @property
    def has_statistics(self) -> bool:
        """Whether ``mlda calibrate`` has added the statistics for assimilation."""
        return "representation_error.nc" in self.config["checksums"]

    @property
    def settings(self) -> Settings:
        """Tuned parameters of the assimilation.

        Raises
        ------
        BundleError
            If the parameters are invalid.
        """
        try:
            return Settings.from_dict(self.config.get("assimilation", {}).get("settings", {}))
        except DAMAGE as problem:
            raise self._damaged("settings", problem) from problem

    def _damaged(self, what: str, problem: Exception) -> BundleError:
        words = (str(problem).strip() or type(problem).__name__).splitlines()[0][:160]
        return BundleError(
            f"{self.path} holds {what} for assimilation that do not fit ({words.rstrip('.')}); "
            "copy the bundle again, or make them anew with 'mlda calibrate'."
        )

    @cached_property
    def statistics(self) -> Statistics:
        """Past months and residuals, for assimilation; read at first use.

        Raises
        ------
        BundleError
            If the bundle has none.
        """
        if not self.has_statistics:
            raise BundleError(
                f"{self.path} has no statistics for assimilation; add them with 'mlda calibrate'."
            )
        try:
            error, past = (read_arrays(self.path / name) for name in CALIBRATION_FILES[:2])
            return statistics_files.unpack(
                error, past, self._decoder.patterns.numpy(), self.n_latent
            )
        except DAMAGE as problem:
            raise self._damaged("statistics", problem) from problem

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
        name = CALIBRATION_FILES[2]
        if name not in self.config["checksums"]:
            return None
        try:
            shape = SeaConfig(**self.config["assimilation"]["sea"])
            network = SeaNetwork(self.normaliser, self.sea_row, shape)
            network.load_state_dict(unpack_bytes(load_file(self.path / name)))
        except DAMAGE as problem:
            raise self._damaged("a sea network", problem) from problem
        return network.eval().requires_grad_(False)

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
        kind = prior_of(key)
        if kind.key not in self._priors:
            kind.require()
            if not kind.trained:
                found = kind.build(self.n_latent, {})
            elif kind.key not in self.config.get("priors", {}):
                raise BundleError(
                    f"{self.path} has no {kind.key} prior; train it with 'mlda prior train "
                    f"{self.path} --config FILE --prior {kind.key}'."
                )
            else:
                try:
                    found = read_prior(self.path, self.config, kind.key, self.n_latent)
                except DAMAGE as problem:
                    words = (str(problem).strip() or type(problem).__name__).splitlines()[0][:160]
                    raise BundleError(
                        f"{self.path} holds a {kind.key} prior that does not fit "
                        f"({words.rstrip('.')}); copy the bundle again, or make it anew with "
                        "'mlda prior train'."
                    ) from problem
            self._priors[kind.key] = found
        return self._priors[kind.key]

    def with_sea(self, network: SeaNetwork) -> Bundle:
        """Return a copy with a sea network that is not saved in its folder yet."""
        other = copy.copy(self)
        other.__dict__["sea"] = network
        return other

    @torch.no_grad()
    def mean_under(self, sea: Float, calendar: NDArray[np.int64]) -> Float:
        """Mean state under given seas.

        Parameters
        ----------
        sea : ndarray, shape (n, lat, lon)
            Standardised SST anomalies, zero over land.
        calendar : ndarray of int, shape (n,)
            Calendar months 1..12.

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
        spread = np.nan_to_num(self.normaliser.spread[calendar - 1, self.sea_row])
        given = torch.from_numpy(np.asarray(sea, np.float32))
        kelvin = given * torch.from_numpy(spread.astype(np.float32))
        out: Float = self.sea(given, kelvin, torch.from_numpy(calendar)).numpy()
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
        return self._split[self._index(month)]

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
        packed = self._packed[self._index(month)]
        return np.where(packed == MISSING, np.nan, packed * self._step).astype(np.float32)

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
        calendar = int(month[5:7])
        fields = self._restore(x[None], calendar, spread=False)[0]
        return fields - self.climatology(calendar)

    def climatology(self, calendar_month: int) -> Float:
        """Return the monthly climatology of full fields.

        Parameters
        ----------
        calendar_month : int
            1..12.

        Returns
        -------
        ndarray of float32, shape (V, lat, lon)
            Display units.

        Raises
        ------
        StateError
            If the month is not 1..12.
        """
        month = _checked_month(calendar_month)
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
        fields = self.target(month) + self.climatology(int(month[5:7]))
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
            self._codes[month] = self._encode(x, np.array([int(month[5:7])]))[0][0]
        return self._codes[month].copy()

    # Encoder and decoder

    @property
    def decoder(self) -> Decoder:
        """The decoder: exported latent vectors to standardised anomalies; without gradients."""
        return self._decoder

    @torch.no_grad()
    def decode_standardised(
        self, z: ArrayLike, calendar_month: int, *, linear: bool = False
    ) -> Float:
        """Decode latent vectors to standardised anomalies.

        Parameters
        ----------
        z : array_like, shape (n, L)
        calendar_month : int
            1..12.
        linear : bool
            Whether to omit the refining network.

        Returns
        -------
        ndarray of float32, shape (n, V, lat, lon)
            Zero where a variable does not exist.

        Raises
        ------
        StateError
            If the month is not 1..12.
        """
        latent = torch.as_tensor(np.asarray(z, dtype=np.float32))
        month = torch.full((len(latent),), _checked_month(calendar_month))
        decode = self._decoder.linear_part if linear else self._decoder
        out: Float = decode(latent, month).numpy()
        return out

    def encode_standardised(
        self, x: Float, calendar: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Encode standardised anomalies.

        Parameters
        ----------
        x : ndarray, shape (n, V, lat, lon)
            Missing cells count as zero.
        calendar : ndarray of int, shape (n,)
            Calendar months 1..12.

        Returns
        -------
        mean, sd : ndarray, shape (n, L)

        Raises
        ------
        StateError
            If a month is not 1..12.
        """
        for month in np.unique(calendar):
            _checked_month(month)
        return self._encode(np.nan_to_num(x).astype(np.float32), calendar)

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
        mean = self._encoder(x, month)[0]
        return mean @ torch.from_numpy(self._turn.T).to(mean.dtype)

    def jacobian(self, calendar_month: int) -> Float:
        """Jacobian of the decoder at z = 0, cached by month.

        Parameters
        ----------
        calendar_month : int
            1..12.

        Returns
        -------
        ndarray of float32, shape (L, V, lat, lon)
            Standardised.

        Raises
        ------
        StateError
            If the month is not 1..12.
        """
        month = _checked_month(calendar_month)
        if month not in self._jacobians:
            with _JACOBIAN_LOCK:
                if month not in self._jacobians:
                    found = decoder_jacobian(self._decoder, month)
                    self._jacobians[month] = found.numpy()
        return self._jacobians[month]

    def decode_anomalies(self, z: ArrayLike, calendar_month: int) -> Float:
        """Decode latent vectors to anomalies in display units.

        The result is the mean over the residual spread (``residual_sd``): rain's transform is
        nonlinear, and the transform of the mean would underestimate it.

        Parameters
        ----------
        z : array_like, shape (L,) or (n, L)
        calendar_month : int
            1..12.

        Returns
        -------
        ndarray of float32, shape (V, lat, lon) or (n, V, lat, lon)

        Raises
        ------
        StateError
            If z has the wrong length or is not finite, or the month is not 1..12.
        """
        latent, single = self._check_z(z)
        x = self.decode_standardised(latent, calendar_month)
        fields = self._restore(x, calendar_month, spread=True)
        out = fields - self.climatology(calendar_month)
        return out[0] if single else out

    def encode_anomalies(
        self, anomalies: ArrayLike, calendar_month: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Encode one month's anomalies.

        Parameters
        ----------
        anomalies : array_like, shape (V, lat, lon)
            Display units; missing cells (NaN) count as zero.
        calendar_month : int
            1..12.

        Returns
        -------
        mean, sd : ndarray, shape (L,)

        Raises
        ------
        StateError
            If the anomalies have another shape, or the month is not 1..12.
        """
        given = np.asarray(anomalies, np.float64)
        if given.shape != self.mask.shape:
            raise StateError(
                f"Anomalies of this bundle have the shape {self.mask.shape}, not {given.shape}; "
                "give one month of every variable on its grid."
            )
        fields = given + self.climatology(calendar_month)
        month = np.array([_checked_month(calendar_month)])
        x = np.nan_to_num(self.normaliser.standardise(fields[None], month))
        mean, sd = self._encode(x.astype(np.float32), month)
        return mean[0], sd[0]

    def direction_effect(self, k: int, calendar_month: int) -> Float:
        """Return the change of the anomalies for +1 in z[k] about z = 0, display units.

        Half the difference between z[k] = +1 and -1.

        Parameters
        ----------
        k : int
            Index of the direction, from 0.
        calendar_month : int
            1..12.

        Returns
        -------
        ndarray of float32, shape (V, lat, lon)

        Raises
        ------
        StateError
            If there is no such direction, or the month is not 1..12.
        """
        if not 0 <= k < self.n_latent:
            raise StateError(f"Direction {k} is not within 0 to {self.n_latent - 1}; correct it.")
        z = np.zeros((2, self.n_latent))
        z[0, k], z[1, k] = 1.0, -1.0
        both = self.decode_anomalies(z, calendar_month)
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
        ordered = self._check_state(state)
        calendar = _calendar_months(ordered["time"])
        fields = to_display(
            {v.name: ordered[v.name].values for v in self.variables}, self.variables
        )
        if anomalies:
            offsets = np.array([v.offset for v in self.variables])[:, None, None]
            fields = fields - offsets + self.normaliser.climatology[calendar - 1]
        x = np.nan_to_num(self.normaliser.standardise(fields, calendar)).astype(np.float32)
        mean, sd = self._encode(x, calendar)
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
        latent, _ = self._check_z(z)
        months = [str(month)] * len(latent) if np.ndim(month) == 0 else list(month)
        if len(months) != len(latent):
            raise StateError(
                f"There are {len(latent)} vectors but {len(months)} months; give one month for "
                "all, or one for each."
            )
        out = np.empty((len(latent), *self.mask.shape), np.float32)
        for i, name in enumerate(months):
            calendar = calendar_month(name)
            out[i] = self.decode_anomalies(latent[i], calendar)
            if not anomalies:
                out[i] += self.climatology(calendar)
                for v, variable in enumerate(self.variables):
                    if variable.non_negative:
                        out[i, v] = np.maximum(out[i, v], 0.0)
        return self._dataset(out, months, anomaly=anomalies)

    # Internals

    def _index(self, month: str) -> int:
        try:
            return self._row[month]
        except KeyError:
            raise StateError(
                f"The bundle has no month '{month}'; it holds {self.months[0]} to "
                f"{self.months[-1]}."
            ) from None

    def _check_state(self, state: xr.Dataset) -> xr.Dataset:
        """Return a state with dimensions (time, lat, lon), validated against the bundle."""
        if "time" not in state.coords:
            raise StateError("The state has no time coordinate; add one, to tell the month.")
        for axis, name in (("lat", "latitude"), ("lon", "longitude")):
            if axis not in state.coords:
                raise StateError(
                    f"The state has no coordinate '{axis}'; rename its {name} to '{axis}'."
                )
        if "time" not in state.dims and state["time"].ndim == 0:
            state = state.expand_dims("time")
        for v in self.variables:
            if v.name not in state:
                raise StateError(f"The state has no variable '{v.name}'; add it ({v.units}).")
            dims = state[v.name].dims
            extra = [str(d) for d in dims if d not in {"time", "lat", "lon"}]
            if extra:
                raise StateError(
                    f"The state has {v.name} with a dimension '{extra[0]}'; choose one of it "
                    f"first, such as state.isel({extra[0]}=0)."
                )
            if len(dims) != 3:
                raise StateError(
                    f"The state has {v.name} on ({', '.join(map(str, dims))}); give it on (time, "
                    "lat, lon)."
                )
            units = state[v.name].attrs.get("units")
            if units is not None and str(units).split() != v.units.split():
                raise StateError(
                    f"The state has {v.name} in '{units}', not '{v.units}'; convert it."
                )
        if not (
            state["lat"].shape == self.grid.lat.shape
            and state["lon"].shape == self.grid.lon.shape
            and np.allclose(state["lat"], self.grid.lat, atol=1e-3)
            and np.allclose(state["lon"], self.grid.lon, atol=1e-3)
        ):
            raise StateError(
                f"The state is not on the bundle's grid of {self.grid.shape[0]} x "
                f"{self.grid.shape[1]} cells; regrid it first."
            )
        names = [v.name for v in self.variables]
        return state[names].transpose("time", "lat", "lon")

    def _check_z(self, z: ArrayLike) -> tuple[NDArray[np.float64], bool]:
        latent = np.asarray(z, dtype=np.float64)
        single = latent.ndim == 1
        latent = np.atleast_2d(latent)
        if latent.ndim != 2 or latent.shape[1] != self.n_latent:
            raise StateError(
                f"A latent vector of this bundle has {self.n_latent} numbers, not "
                f"{latent.shape[-1]}."
            )
        if not np.isfinite(latent).all():
            raise StateError("A latent vector holds a number that is not finite; correct it.")
        return latent, single

    @torch.no_grad()
    def _encode(
        self, x: Float, calendar: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        mean, log_variance = self._encoder(
            torch.from_numpy(x), torch.from_numpy(np.asarray(calendar, np.int64))
        )
        variance = torch.exp(log_variance).numpy().astype(np.float64)
        turned = mean.numpy().astype(np.float64) @ self._turn.T
        return turned, np.sqrt(variance @ (self._turn**2).T)

    def _restore(self, x: NDArray[np.floating], calendar: int, *, spread: bool) -> Float:
        months = np.full(len(x), calendar)
        sd = self.residual_sd if spread else None
        fields = self.normaliser.restore(x, months, sd=sd)
        return np.where(self.mask, fields, np.nan).astype(np.float32)

    def _dataset(self, fields: Float, months: list[str], *, anomaly: bool) -> xr.Dataset:
        out = xr.Dataset(
            coords=coordinates(self.grid, months),
            attrs={"Conventions": "CF-1.11", "source": f"mlda bundle {self.name}"},
        )
        for i, v in enumerate(self.variables):
            values = (fields[:, i] - (0.0 if anomaly else v.offset)) / v.scale
            kind = " anomaly" if anomaly else ""
            attrs = {
                "units": v.units,
                "long_name": f"{v.label}{kind}",
                "cell_methods": "time: mean",
                **({} if anomaly else {"standard_name": v.standard_name}),
                **({"base_period": self.base_period} if anomaly else {}),
            }
            out[v.name] = (("time", "lat", "lon"), values.astype(np.float32), attrs)
        return out


def _checked_month(calendar_month: int) -> int:
    """Validate a calendar month: index -1 would silently mean December."""
    try:
        month = int(calendar_month)
        if month == calendar_month and 1 <= month <= 12:
            return month
    except (TypeError, ValueError, OverflowError):
        pass
    raise StateError(
        f"Calendar month {calendar_month} is not within 1 to 12; 1 stands for January."
    )


def _calendar_months(time: xr.DataArray) -> NDArray[np.int64]:
    """Return the calendar months 1..12 of a time coordinate in any calendar."""
    try:
        months = np.asarray(time.dt.month.values, dtype=np.float64)
    except (AttributeError, TypeError):
        raise StateError(
            "The state's time coordinate does not hold dates; decode it, such as with "
            "xarray.decode_cf."
        ) from None
    if not np.isfinite(months).all():
        raise StateError("The state's time coordinate lacks a date; fill it in.")
    return months.astype(np.int64)


def load_bundle(path: str | Path) -> Bundle:
    """Load a bundle, checking its schema, checksums and shapes.

    Parameters
    ----------
    path : path
        The folder.

    Returns
    -------
    Bundle

    Raises
    ------
    BundleError
        One sentence with the fault and the remedy.
    """
    path = Path(path)
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
        tensors = load_file(path / "weights.safetensors")
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
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BundleError(
            f"{path} does not fit together ({reason[:160].rstrip('.')}); copy or train the bundle "
            "again."
        ) from error


def add_statistics(
    bundle: Bundle, statistics: Statistics, settings: Settings, sea: SeaNetwork | None
) -> None:
    """Write statistics for assimilation into a bundle's folder; reload it to use them.

    Parameters
    ----------
    bundle : Bundle
    statistics : Statistics
    settings : Settings
    sea : SeaNetwork, optional
        The network of :attr:`Bundle.sea`.
    """
    write_statistics(
        bundle.path,
        bundle.config,
        statistics,
        settings,
        sea,
        own=len(bundle.decoder.patterns),
        mask=bundle.mask,
    )


def add_prior(bundle: Bundle, key: str, prior: TrainedPrior, provenance: Mapping[str, Any]) -> None:
    """Write a trained prior into a bundle's folder; reload it to use it.

    Parameters
    ----------
    bundle : Bundle
    key : str
        One of :data:`mlda_core.vae.priors.TRAINED`.
    prior : TrainedPrior
    provenance : mapping
        How it was trained, as plain JSON values.
    """
    write_prior(bundle.path, bundle.config, key, prior, provenance)
