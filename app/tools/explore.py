"""The tool Explore of one session: latent sliders, draws, the code of a month, and walks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import panel as pn
from numpy.typing import NDArray

from app.components import Explore, Message
from app.context import Action, SessionContext
from app.glossary import info
from app.jobs.worker import Latest
from app.maps import thumbnails
from app.text import describe
from mlda_core.page_state.latents import code_of
from mlda_core.page_state.settings import InvalidStateError, is_count, not_a_number
from mlda_core.page_state.snapshot import Z_LIMIT, Origin, snap

if TYPE_CHECKING:
    from app.state import State
    from mlda_core.bundle.bundle import Bundle

FIRST_SLIDERS = 12
MOST_SEED = 2**31 - 1


def draw_of(seed: int, n_latent: int) -> NDArray[np.float32]:
    """Return the draw from N(0, I) that a seed stands for."""
    return np.random.default_rng(seed).standard_normal(n_latent).astype(np.float32)


def _seed(text: str) -> int | None:
    """Return a seed, or None where the text is none."""
    # Python itself refuses to read a number of over 4,300 digits.
    seed = int(text) if text.isdecimal() and len(text) <= len(str(MOST_SEED)) else MOST_SEED + 1
    return seed if seed <= MOST_SEED else None


def follow(state: State, bundle: Bundle) -> None:
    """Set the model to the code of the state's month."""
    month = state.month
    state.param.update(z=code_of(bundle, month), model="code", origin=Origin("code", month=month))


class ExploreTool:
    """The latent sliders and what sets them all.

    Parameters
    ----------
    context : SessionContext
    """

    def __init__(self, context: SessionContext) -> None:
        bundle = context.bundle
        self._bundle, self._state = bundle, context.state
        self._say, self._complain = context.say, context.complain
        self._worker = Latest(context.schedule, self._failed)
        self._walk: tuple[NDArray[np.float32], NDArray[np.float32], tuple[str, str]] | None = None
        self._rest_open = False
        self._thumb_month = 0
        # The latent that is being dragged.
        self.held: int | None = None
        self.panel = Explore(
            context.on_messages,
            z=self._state.z.tolist(),
            latents=self._plain(0, min(FIRST_SLIDERS, bundle.n_latent)),
            step=bundle.seasons.step.name,
            walk_from=self._state.month,
            walk_to="draw 7",
            about=info("code") + info("latent vector"),
            sizing_mode="stretch_width",
            margin=0,
        )

    def _plain(self, first: int, last: int) -> list[dict[str, Any]]:
        return [thumbnails.plain(self._bundle, k).to_dict() for k in range(first, last)]

    # -- messages ----------------------------------------------------------------------------

    def actions(self) -> Mapping[str, Action]:
        """Return what each message of this tool does."""
        return {
            "z": self.move,
            "encode": self.encode,
            "prior": self.prior_mean,
            "random": self.draw,
            "seed": self.set_seed,
            "rest": self.show_rest,
            "walk-from": self.begin_walk,
            "walk": self.step_walk,
            "walked": self.end_walk,
        }

    def move(self, message: Message) -> str | None:
        """Move one latent."""
        k, value = message.get("k"), message.get("value")
        if not is_count(k) or k >= self._bundle.n_latent:
            raise InvalidStateError(
                "The page sent a latent that this bundle does not have; reload it."
            )
        if not_a_number("latent", value, -Z_LIMIT, Z_LIMIT):
            raise InvalidStateError(f"A latent must be a number from -{Z_LIMIT:g} to {Z_LIMIT:g}.")
        if value != float(self._state.z[k]):
            z = self._state.z.copy()
            z[k] = value
            origin = replace(self.origin() or Origin("file"), edited=True)
            self._set_z(z, origin)
        self.held = None if message.get("done") else k
        if self.held is not None:
            return None
        self._state.commit()
        return ""

    def encode(self, _: Message) -> str:
        """Show the code of the month."""
        with self._state.gesture():
            follow(self._state, self._bundle)
        return f"{self._state.month} encoded: the model shows what its encoder makes of it."

    def prior_mean(self, _: Message) -> str:
        """Set all latents to zero."""
        with self._state.gesture():
            self._set_z(np.zeros(self._bundle.n_latent, dtype=np.float32), Origin("prior"))
        return "Prior mean: all latents are zero."

    def draw(self, message: Message) -> str:
        """Draw all latents from the prior."""
        self.set_seed(message)
        seed = self._state.seed
        with self._state.gesture():
            self._set_z(draw_of(seed, self._bundle.n_latent), Origin("draw", seed=seed))
            # The field then shows the seed of the next draw; this one's stands in words.
            self._state.seed = seed + 1
        return f"Random draw, seed {seed}: a {self._bundle.seasons.step} that never was."

    def set_seed(self, message: Message) -> None:
        """Set the seed of the next draw."""
        text = str(message.get("seed", "")).strip()
        seed = _seed(text)
        # The next draw's seed is one more.
        if seed is None or seed == MOST_SEED:
            self.panel.param.trigger("seed")
            raise InvalidStateError(
                f"The seed must be a whole number from 0 to {MOST_SEED - 1}; correct it."
            )
        self._state.seed = seed

    def _set_z(self, z: NDArray[np.float32], origin: Origin) -> None:
        self._state.param.update(z=snap(z), model="own", origin=origin)

    def show_rest(self, _: Message) -> None:
        """Show the sliders beyond the first."""
        self._rest_open = True
        if not self.panel.rest:
            self.panel.rest = self._plain(FIRST_SLIDERS, self._bundle.n_latent)
            self._thumb_month = 0

    # -- walks -------------------------------------------------------------------------------

    def begin_walk(self, message: Message) -> None:
        """Begin a walk between two latent vectors; the browser requests its steps."""
        first, last = (str(message.get(name) or "").strip() for name in ("from", "to"))
        self._walk = (self._end(first), self._end(last), (first, last))
        self.panel.walk_id += 1
        self._say(f"Walk from {first} to {last}.")

    def step_walk(self, message: Message) -> None:
        """Go to a fraction of the walk."""
        t = message.get("t")
        if self._walk is None or not isinstance(t, int | float) or not 0 <= t <= 1:
            return
        start, stop, ends = self._walk
        self._set_z((1 - t) * start + t * stop, Origin("walk", ends=ends, percent=round(100 * t)))

    def end_walk(self, _: Message) -> str | None:
        """End a walk at its end."""
        if self._walk is None:
            return None
        self._walk = None
        self._state.commit()
        return "The walk has ended."

    def leave_walk(self) -> None:
        """End a walk because of another action: the state it reached is one step of undo."""
        if self._walk is None:
            return
        self._walk = None
        self._state.commit()
        over = {"type": "walk-over", "id": self.panel.walk_id}
        self.panel._send_msg(over)  # noqa: SLF001 - Panel's own way

    def _end(self, text: str) -> NDArray[np.float32]:
        """Return the latent vector at one end of a walk."""
        given = text.lower()
        if given in self._bundle.months:
            return code_of(self._bundle, given)
        seed = _seed(given.removeprefix("draw").strip())
        if seed is not None:
            return draw_of(seed, self._bundle.n_latent)
        raise InvalidStateError(
            f"A walk goes between {self._bundle.seasons.step.plural} such as {self._state.month} "
            f"and draws such as 'draw 7'; '{given[:24]}' is neither."
        )

    # -- what is shown -----------------------------------------------------------------------

    def origin(self) -> Origin | None:
        """Return where z came from."""
        origin: Origin | None = self._state.origin
        return Origin("analysis") if self._state.model == "analysis" else origin

    def show(self) -> None:
        """Update the sliders from the state; the caller holds the document."""
        state = self._state
        changes: dict[str, Any] = {
            "origin": f"z: {describe(self.origin())}",
            "follow": state.model == "code",
            "seed": state.seed,
        }
        z = state.z.tolist()
        if z != self.panel.z:
            changes["z"] = z
        marks = code_of(self._bundle, state.month).tolist()
        if marks != self.panel.marks:
            changes["marks"] = marks
        self.panel.put(**changes)

    def make_thumbnails(self, calendar_month: int) -> None:
        """Draw the sliders' pictures for a season, in the background."""
        if calendar_month == self._thumb_month:
            return
        self._thumb_month = calendar_month
        bundle = self._bundle
        count = bundle.n_latent if self._rest_open else min(FIRST_SLIDERS, bundle.n_latent)

        def job(stale: Callable[[], bool]) -> list[dict[str, Any]]:
            made = []
            for k in range(count):
                if stale():
                    break
                made.append(thumbnails.latent(bundle, k, calendar_month).to_dict())
            return made

        def deliver(made: list[dict[str, Any]]) -> None:
            with pn.io.hold():
                self.panel.latents = made[:FIRST_SLIDERS]
                if len(made) > FIRST_SLIDERS:
                    self.panel.rest = made[FIRST_SLIDERS:]

        self._worker.submit(job, deliver)

    def _failed(self, error: Exception) -> None:
        self._complain(f"The pictures beside the sliders failed ({type(error).__name__}).")

    def close(self) -> None:
        """Release everything at the end of the session."""
        self._worker.cancel()
        self.panel.listen(None)
