"""A trained model as one folder: reading it, checking it, and using it."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import threading
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import netCDF4
import numpy as np
import torch
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from mlda_core.bundle import statistics_files as files
from mlda_core.bundle.statistics import Settings, Statistics
from mlda_core.climate.cf import coordinates
from mlda_core.climate.errors import BundleError, StateError
from mlda_core.climate.grid import Grid
from mlda_core.climate.interpolation import ObservationOperator
from mlda_core.climate.preprocess import Preprocessor, to_display
from mlda_core.climate.splits import Split
from mlda_core.climate.variables import Variable, relative_weights
from mlda_core.climate.vectors import Pair, check_vectors
from mlda_core.vae.minimise import decoder_jacobian
from mlda_core.vae.networks import Decoder, Encoder, NetworkConfig
from mlda_core.vae.packing import pack_bytes, unpack_bytes
from mlda_core.vae.sea import SeaConfig, SeaNetwork

SCHEMA_VERSION = 1
FILES = ("weights.safetensors", "normaliser.nc", "months.nc")
# What `mlda calibrate` adds for assimilation; a bundle fresh from training has none of them.
CALIBRATION_FILES = ("representation_error.nc", "linear.nc", "sea.safetensors")
# Step of the packed months, in units of the spread: half of it is the error, 0.02. A model's
# configuration may choose another.
MONTH_STEP = 0.04
# Significant bits of climatology and spread: 0.002 hPa, and 0.00003 of the spread.
_BITS = {"climatology": 18, "centre": 18, "spread": 14}
Float = NDArray[np.float32]
# What reading damaged or mismatched files raises.
_DAMAGE = (OSError, LookupError, ValueError, TypeError, RuntimeError, SafetensorError)
# torch.func.jvp counts its levels for the whole process: two at once raise RuntimeError.
_JACOBIAN_LOCK = threading.Lock()


class Bundle:
    """A trained model with the months shipped with it.

    Made by :func:`load_bundle`. All methods are pure reads, so one bundle serves many threads.
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
        ``YYYY-MM`` of the shipped months, ascending.
    residual_sd : ndarray, shape (V, lat, lon)
        Standard deviation of what the decoder cannot express, standardised, on held-out months.
    direction_share : ndarray, shape (L, V)
        Variance each latent direction carries, of one a variable, area mean.
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
        tensors = _unpack(tensors)
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

    # What it is

    @property
    def name(self) -> str:
        """Short name."""
        return str(self.config["name"])

    @property
    def title(self) -> str:
        """What people read."""
        return str(self.config["title"])

    @property
    def base_period(self) -> str:
        """The period of the climatology, in words."""
        return str(self.config["base_period"])

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables, in the order of all arrays."""
        return self.normaliser.variables

    @property
    def vectors(self) -> tuple[Pair, ...]:
        """Names of the variables that are one vector's eastward and northward components."""
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
        """Whether ``mlda calibrate`` has added what assimilation needs."""
        return "representation_error.nc" in self.config["checksums"]

    @property
    def settings(self) -> Settings:
        """What was tuned for assimilation.

        Raises
        ------
        BundleError
            If the bundle's settings cannot be used.
        """
        try:
            return Settings.from_dict(self.config.get("assimilation", {}).get("settings", {}))
        except _DAMAGE as problem:
            raise self._damaged("settings", problem) from problem

    def _damaged(self, what: str, problem: Exception) -> BundleError:
        words = (str(problem).strip() or type(problem).__name__).splitlines()[0][:160]
        return BundleError(
            f"{self.path} holds {what} for assimilation that do not fit ({words.rstrip('.')}); "
            "copy the bundle again, or make them anew with 'mlda calibrate'."
        )

    @cached_property
    def statistics(self) -> Statistics:
        """Past months and residuals, for assimilation; read at the first use.

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
            error, past = (_read(self.path / name) for name in CALIBRATION_FILES[:2])
            return files.unpack(error, past, self._decoder.patterns.numpy(), self.n_latent)
        except _DAMAGE as problem:
            raise self._damaged("statistics", problem) from problem

    @property
    def sea_row(self) -> int:
        """Row of the sea's temperature in the state, -1 where there is none."""
        return next((i for i, v in enumerate(self.variables) if v.domain == "sea"), -1)

    @cached_property
    def sea(self) -> SeaNetwork | None:
        """The network from a sea to the mean state under it; None where the bundle has none.

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
        except _DAMAGE as problem:
            raise self._damaged("a sea network", problem) from problem
        return network.eval().requires_grad_(False)

    def with_sea(self, network: SeaNetwork) -> Bundle:
        """Return the same bundle with a sea network that is not in its folder yet."""
        other = copy.copy(self)
        other.__dict__["sea"] = network
        return other

    @torch.no_grad()
    def mean_under(self, sea: Float, calendar: NDArray[np.int64]) -> Float:
        """Mean of the states under given seas.

        Parameters
        ----------
        sea : ndarray, shape (n, lat, lon)
            Standardised anomalies of the sea's temperature, zero over land.
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
        """The contents of ``scores.json``; empty where there is none.

        Raises
        ------
        BundleError
            If the file is damaged.
        """
        return read_scores(self.path / "scores.json")

    @property
    def impacts(self) -> tuple[str, ...]:
        """Names of its impact heads, for :func:`mlda_core.impact.files.load_impact`."""
        from mlda_core.impact.files import impact_names

        return impact_names(self.path)

    # The shipped months

    def split(self, month: str) -> str:
        """Return the split of a shipped month.

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
        """Return a shipped month's standardised anomalies.

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
        return np.where(packed == _MISSING, np.nan, packed * self._step).astype(np.float32)

    def target(self, month: str) -> Float:
        """Return a shipped month's anomalies.

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
        """Return a shipped month as full fields.

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
        """Return the encoded mean of a shipped month.

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
        """The decoder: shipped latent vectors to standardised anomalies; takes no gradient."""
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
            Whether to leave the refining network out.

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
        """Encode standardised anomalies with a gradient.

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
        curved, and the field of the mean would underestimate it.

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
            If z has another length, is not finite, or the month is not 1..12.
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
            The direction, counted from 0.
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
            ``time`` coordinate that tells the calendar month. Units are taken for the bundle's
            where a variable does not say its own.
        anomalies : bool
            Whether the fields are anomalies from the bundle's climatology.

        Returns
        -------
        Dataset
            ``z`` and ``z_sd``, dimensions (time, latent).

        Raises
        ------
        StateError
            If a variable is missing, has other dimensions or units, or the grid is another.
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
            If z does not fit or a month is not ``YYYY-MM``.
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
            calendar = _calendar(name)
            out[i] = self.decode_anomalies(latent[i], calendar)
            if not anomalies:
                out[i] += self.climatology(calendar)
                for v, variable in enumerate(self.variables):
                    if variable.non_negative:
                        out[i, v] = np.maximum(out[i, v], 0.0)
        return self._dataset(out, months, anomaly=anomalies)

    # Inside

    def _index(self, month: str) -> int:
        try:
            return self._row[month]
        except KeyError:
            raise StateError(
                f"The bundle has no month '{month}'; it holds {self.months[0]} to "
                f"{self.months[-1]}."
            ) from None

    def _check_state(self, state: xr.Dataset) -> xr.Dataset:
        """Return a state with dimensions (time, lat, lon), if it is one of this bundle's."""
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


_MISSING = np.int16(-32768)
_PATTERNS = "decoder.patterns"


def _pack(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Store the patterns as bytes with a scale each, statistics as float32, the rest as float16.

    Together this moves a decoded field by about 0.01 of the spread (a test holds it below 0.03),
    and halves the bundle.
    """
    exact = {"from_training", "residual_sd", "direction_share"}
    left_out = {"decoder.mask", "log_residual", _PATTERNS}
    stored = {
        k: (v.float() if k in exact else v.half()).contiguous()
        for k, v in tensors.items()
        if k not in left_out
    }
    patterns = tensors[_PATTERNS].float()
    scale = (patterns.abs().amax(dim=1, keepdim=True) / 127).clamp_min(1e-12)
    stored[_PATTERNS] = torch.round(patterns / scale).to(torch.int8).contiguous()
    stored[f"{_PATTERNS}.scale"] = scale
    return stored


def _unpack(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    out = {k: v.float() for k, v in tensors.items()}
    out[_PATTERNS] = out[_PATTERNS] * out.pop(f"{_PATTERNS}.scale")
    return out


def _checked_month(calendar_month: int) -> int:
    """Return a calendar month, if it is one: an index of -1 would silently mean another."""
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
    """Return the calendar months 1..12 of a time coordinate, of any calendar."""
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


# Years that nanoseconds since 1970, numpy's time stamps in xarray, can tell in full.
_YEARS = (1678, 2261)


def _calendar(month: str) -> int:
    """Return the calendar month of a ``YYYY-MM``."""
    found = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", str(month))
    if not found:
        raise StateError(f"'{month}' is not a month; write it as YYYY-MM, such as 1997-12.")
    if not _YEARS[0] <= int(found[1]) <= _YEARS[1]:
        raise StateError(f"'{month}' is not within {_YEARS[0]} to {_YEARS[1]}; choose another.")
    return int(found[2])


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
        One sentence that names what is wrong and what to do.
    """
    path = Path(path)
    try:
        config = _read_config(path)
        _check_files(path, config)
    except OSError as error:
        raise BundleError(
            f"{error.filename or path} cannot be read ({error.strerror or error}); allow it to be "
            "read, or copy the bundle again."
        ) from error
    try:
        variables = tuple(Variable.from_dict(v) for v in config["variables"])
        normaliser = Preprocessor.from_arrays(_read(path / "normaliser.nc"), variables)
        months = _read(path / "months.nc")
        tensors = load_file(path / "weights.safetensors")
        check_vectors(config.get("vectors", []), variables)
        _check_shapes(NetworkConfig(**config["network"]), normaliser, tensors, months)
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


# What config.json must say beside its schema and checksums.
_KEYS: dict[str, type] = {
    "name": str,
    "title": str,
    "base_period": str,
    "variables": list,
    "splits": dict,
    "network": dict,
    "training": dict,
}


def _read_config(path: Path) -> dict[str, Any]:
    """Read ``config.json``, of this schema and with every key."""
    file = path / "config.json"
    if not path.is_dir():
        raise BundleError(f"There is no folder {path}; give the folder of a bundle.")
    if not file.is_file():
        raise BundleError(f"{path} is not a bundle: it has no config.json; give another folder.")
    try:
        config: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        version = config["schema_version"]
        config["checksums"].items()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError(
            f"{file} is not a bundle's configuration; copy the bundle again."
        ) from error
    if version != SCHEMA_VERSION:
        raise BundleError(
            f"{path} has bundle schema {version}, and this program reads {SCHEMA_VERSION}; "
            "install the matching version of mlda or train the bundle again."
        )
    for key, kind in _KEYS.items():
        if not isinstance(config.get(key), kind):
            raise BundleError(f"{file} has no '{key}' that can be used; copy the bundle again.")
    if not config["variables"] or not all(isinstance(y, list) for y in config["splits"].values()):
        culprit = "splits" if config["variables"] else "variables"
        raise BundleError(f"{file} has no '{culprit}' that can be used; copy the bundle again.")
    return config


def _check_files(path: Path, config: dict[str, Any]) -> None:
    """Refuse a folder that lacks a file, or holds another than was written."""
    for name in (*FILES, *(n for n in CALIBRATION_FILES if n in config["checksums"])):
        member = path / name
        if not member.is_file():
            raise BundleError(f"{path} lacks {name}; copy the bundle again.")
        if checksum(member) != config["checksums"].get(name):
            raise BundleError(
                f"{member} is damaged (its checksum is not the one in config.json); copy the "
                "bundle again."
            )


def _check_shapes(
    network: NetworkConfig,
    normaliser: Preprocessor,
    tensors: Mapping[str, torch.Tensor],
    months: Mapping[str, NDArray[Any]],
) -> None:
    """Refuse parts of different models, which would fail only when they are used."""
    fields = (len(normaliser.variables), *normaliser.grid.shape)
    size, n = network.n_latent, len(months["month"])
    found: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
        "mask": (normaliser.mask.shape, fields),
        **{
            name: (getattr(normaliser, name).shape, (12, *fields))
            for name in ("climatology", "centre", "spread")
        },
        **{
            f"{variable.name}_{name}": (array.shape, (12, *fields[1:]))
            for variable, transform in zip(normaliser.variables, normaliser.transforms, strict=True)
            for name, array in transform.to_arrays().items()
            if array.ndim
        },
        "residual_sd": (tuple(tensors["residual_sd"].shape), fields),
        "direction_share": (tuple(tensors["direction_share"].shape), (size, fields[0])),
        "from_training": (tuple(tensors["from_training"].shape), (size, size)),
        "x of the months": (months["x"].shape, (n, *fields)),
        "split of the months": (months["split"].shape, (n,)),
    }
    for name, (have, want) in found.items():
        if have != want:
            raise ValueError(f"{name} has the shape {have}, not {want}")
    if n == 0:
        raise ValueError("it holds no month")
    if not 0 < float(months.get("step", MONTH_STEP)) <= 1:
        raise ValueError(f"its months have the step {months['step']}")
    if months["x"].dtype != np.int16:
        raise ValueError(f"x of the months is {months['x'].dtype}, not int16")
    names = [str(m) for m in months["month"]]
    for name in names:
        _calendar(name)
    if names != sorted(set(names)):
        raise ValueError("its months are not in order, each once")
    unknown = sorted({str(s) for s in months["split"]} - set(get_args(Split)))
    if unknown:
        raise ValueError(f"it has months of the split '{unknown[0]}'")


def _read(file: Path) -> dict[str, NDArray[Any]]:
    """Read the arrays of a netCDF file as they are stored.

    Not by :func:`xarray.open_dataset`, which imports Dask: 0.8 s of a new process's 1 s.
    """
    with netCDF4.Dataset(file) as opened:
        opened.set_auto_maskandscale(False)
        return {name: np.asarray(v[...]) for name, v in opened.variables.items()}


def read_scores(file: Path) -> dict[str, Any]:
    """Return the contents of a ``scores.json``; empty where there is none.

    Parameters
    ----------
    file : Path

    Returns
    -------
    dict

    Raises
    ------
    BundleError
        If the file is damaged.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise BundleError(
            f"{file} cannot be read as JSON; delete it, or copy the bundle again."
        ) from error
    raise BundleError(f"{file} does not hold scores; delete it, or copy the bundle again.")


def checksum(file: Path) -> str:
    """SHA-256 of a file.

    Parameters
    ----------
    file : Path

    Returns
    -------
    str
        In hexadecimal.
    """
    return hashlib.sha256(file.read_bytes()).hexdigest()


def save_bundle(
    path: Path,
    *,
    config: dict[str, Any],
    normaliser: Preprocessor,
    tensors: dict[str, torch.Tensor],
    x: NDArray[np.float32],
    months: list[str],
    splits: list[str],
    step: float = MONTH_STEP,
) -> None:
    """Write a bundle.

    Parameters
    ----------
    path : Path
        Folder to write; made if absent, its files replaced, its ``scores.json`` deleted.
    config : dict
        What ``config.json`` shall say beside schema and checksums.
    normaliser : Preprocessor
        Of the model.
    tensors : dict of Tensor
        Decoder, encoder, ``from_training``, ``residual_sd`` and ``direction_share``.
    x : ndarray, shape (n, V, lat, lon)
        Standardised anomalies of the shipped months, NaN where missing.
    months, splits : list of str
        ``YYYY-MM`` and split of each.
    step : float
        Step of the packed months, in units of the spread.
    """
    path.mkdir(parents=True, exist_ok=True)
    # Scores of the weights that these replace.
    for name in ("scores.json", *CALIBRATION_FILES):
        (path / name).unlink(missing_ok=True)
    save_file(_pack(tensors), path / "weights.safetensors")
    # safetensors writes for the owner alone; a bundle is made to be shared.
    (path / "weights.safetensors").chmod(0o644)
    data = normaliser.to_dataset()
    packing = {"zlib": True, "complevel": 6, "shuffle": True}
    data.to_netcdf(
        path / "normaliser.nc",
        engine="netcdf4",
        encoding={k: {**packing, **_quantised(str(k))} for k in data.data_vars if data[k].ndim > 1},
    )
    packed = np.where(np.isfinite(x), np.rint(x / step), _MISSING).astype(np.int16)
    shipped = xr.Dataset(
        {
            "x": (
                ("sample", "variable", "lat", "lon"),
                packed,
                {
                    "long_name": "standardised anomaly, packed",
                    "missing": int(_MISSING),
                },
            ),
            "step": ((), np.float32(step), {"long_name": "step of x", "units": "1"}),
            "month": ("sample", np.array(months, dtype=str)),
            "split": ("sample", np.array(splits, dtype=str)),
        }
    )
    shipped.to_netcdf(path / "months.nc", engine="netcdf4", encoding={"x": packing})
    _write_config(path, {"schema_version": SCHEMA_VERSION, **config})


def _quantised(name: str) -> dict[str, Any]:
    """Return how an array of the normaliser is rounded in its file: a fifth of its size.

    By bits: netCDF's roundings by decimal digits turn NaN into numbers.
    """
    if name not in _BITS:
        return {}
    return {"significant_digits": _BITS[name], "quantize_mode": "BitRound"}


def add_statistics(
    bundle: Bundle, statistics: Statistics, settings: Settings, sea: SeaNetwork | None
) -> None:
    """Write what assimilation needs into a bundle's folder; load it again to use them.

    Parameters
    ----------
    bundle : Bundle
    statistics : Statistics
    settings : Settings
    sea : SeaNetwork, optional
        The network of :attr:`Bundle.sea`.
    """
    for name, data in zip(CALIBRATION_FILES, files.pack(statistics, bundle), strict=False):
        data.to_netcdf(
            bundle.path / name,
            engine="netcdf4",
            encoding={
                k: {"zlib": True, "complevel": 9} for k in data.data_vars if data[k].ndim > 1
            },
        )
    extra: dict[str, Any] = {"settings": settings.to_dict()}
    (bundle.path / CALIBRATION_FILES[2]).unlink(missing_ok=True)
    if sea is not None:
        save_file(pack_bytes(sea.state_dict()), bundle.path / CALIBRATION_FILES[2])
        (bundle.path / CALIBRATION_FILES[2]).chmod(0o644)
        extra["sea"] = sea.config.to_dict()
    _write_config(bundle.path, {**bundle.config, "assimilation": extra})


def _write_config(path: Path, config: dict[str, Any]) -> None:
    there = [name for name in (*FILES, *CALIBRATION_FILES) if (path / name).exists()]
    full = {**config, "checksums": {name: checksum(path / name) for name in there}}
    (path / "config.json").write_text(json.dumps(full, indent=1) + "\n", encoding="utf-8")
